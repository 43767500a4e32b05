//! From paper to law: what the model needs of a spec.

use super::{IdempotencyFamily, Level, Spec};
use crate::model::{KindLaw, Law, Meaning, RULES, RateLaw, Role, Text};

/// What the model needs of a spec.
pub(super) fn law(spec: &Spec) -> Law {
    let text = |text: &Option<String>| text.as_deref().map(Text::from);
    let rate = spec.limits.iter().find(|limit| limit.role == Role::Rotate);
    Law {
        kinds: spec
            .kinds
            .iter()
            .map(|(name, kind)| KindLaw {
                name: kind.shown.as_ref().unwrap_or(name).as_str().into(),
                values_open: kind.values_open,
                at_most: kind.at_most,
                by_stage: kind.by_stage,
                windowless: kind.windowless,
                unstaged: kind.unstaged,
                renames: kind.renames.is_some(),
                made_by_task: spec
                    .operations_for(Role::Create)
                    .any(|(_, it)| it.serves(name) && it.reply.values().any(|it| it.is == Meaning::Task)),
                rotates: kind.rotates,
                takes_values: kind.takes_values,
                keeps: kind.keeps,
            })
            .collect(),
        current: spec.stages.current.as_str().into(),
        previous: text(&spec.stages.previous),
        pending: text(&spec.stages.pending),
        pending_by_callers: spec.stages.pending_by_callers,
        alias: text(&spec.stages.alias),
        numbering: text(&spec.stages.numbering),
        unstaged_may_vanish: spec.stages.unstaged_may_vanish,
        previous_follows: spec.stages.previous_follows,
        takes: spec.rotation.takes.map(|takes| takes.0),
        slack: spec.rotation.slack.map_or(0, |slack| slack.0),
        first_open: spec.rotation.first_open,
        names_first_date: spec
            .operations_for(Role::SetPolicy)
            .any(|(_, operation)| operation.parameter(Meaning::FirstRotation).is_some()),
        needs_function: spec.rotation.needs_function,
        may_be_unavailable: spec.rotation.may_be_unavailable,
        needs_disabled: spec.deletion.needs_disabled,
        restores: spec.deletion.restores,
        fixed: match &spec.stages.fixed {
            Some(fixed) => fixed.iter().map(|stage| stage.as_str().into()).collect(),
            None => [Some(spec.stages.current.as_str().into()), text(&spec.stages.previous)]
                .into_iter()
                .flatten()
                .collect(),
        },
        moves_name_source: spec.stages.moves_name_source,
        reads_match: spec.stages.reads_match,
        creation_replays: spec.idempotency.creation,
        puts_replay: spec.idempotency.puts,
        restores_anything: spec.deletion.restores_anything,
        forces_unknown: spec.deletion.forces_unknown,
        may_be_empty: spec
            .operation_for(Role::Create)
            .and_then(|(_, operation)| operation.parameter(Meaning::Value))
            .is_some_and(|(_, parameter)| !parameter.required),
        lists_all: !spec
            .operations_for(Role::Versions)
            .any(|(_, operation)| operation.parameter(Meaning::IncludeDeprecated).is_some()),
        opaque_pages: spec
            .operations_for(Role::Versions)
            .any(|(_, operation)| operation.parameter(Meaning::Marker).is_some()),
        identifier_open: spec.protocol.identifier_open,
        disabled_refuses: spec.deletion.disabled_refuses.clone(),
        disabled_allows: spec.deletion.disabled_allows.clone(),
        stages_at_most: spec.stages.at_most,
        stages_may_be_at_most: spec.stages.may_be_at_most,
        replays: spec.idempotency.family == IdempotencyFamily::VersionId,
        replays_alike: spec.idempotency.alike,
        rate: rate.map(|limit| RateLaw { calls: limit.calls as usize, per: limit.per.0 }),
        value_type: spec
            .operation_for(Role::Create)
            .and_then(|(_, operation)| operation.parameter(Meaning::ValueType))
            .and_then(|(_, parameter)| parameter.default.as_deref())
            .unwrap_or("text")
            .into(),
        window_days: spec.deletion.default_days,
        leaving_refuses: spec.deletion.refuses.clone(),
        leaving_allows: spec.deletion.allows.clone(),
        binding: RULES
            .iter()
            .filter(|rule| spec.level(rule.id) > Level::Unspecified)
            .map(|rule| rule.id)
            .collect(),
        password_default: spec
            .operation_for(Role::Password)
            .and_then(|(_, operation)| operation.parameter(Meaning::Length))
            .and_then(|(_, parameter)| parameter.default.as_ref()?.parse().ok())
            .unwrap_or(0),
    }
}
