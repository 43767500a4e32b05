//! From paper to law: what the model needs of a spec.

use super::{IdempotencyFamily, Level, Spec};
use crate::model::{KindLaw, Law, Meaning, RULES, RateLaw, Role};

/// What the model needs of a spec.
pub(super) fn law(spec: &Spec) -> Law {
    let rate = spec.limits.iter().find(|limit| limit.role == Role::Rotate);
    Law {
        kinds: spec
            .kinds
            .iter()
            .map(|(name, kind)| KindLaw {
                name: name.as_str().into(),
                rotates: kind.rotates,
                takes_values: kind.takes_values,
                keeps: kind.keeps,
            })
            .collect(),
        current: spec.stages.current.as_str().into(),
        previous: spec.stages.previous.as_str().into(),
        stages_at_most: spec.stages.at_most,
        replays: spec.idempotency.family == IdempotencyFamily::VersionId,
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
