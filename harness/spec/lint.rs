//! What is odd about a spec that can be used all the same: warnings for whoever writes one.

use super::load::word;
use super::{Family, Scope, Spec};
use crate::model::{Condition, Meaning, RULES, Role};
use serde::Deserialize;

/// Something odd about a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Path within the document.
    pub path: String,
    /// What is odd, and what comes of it.
    pub what: String,
}

/// What is odd about a spec, in the order of the file.
pub fn lint(spec: &Spec) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |path: String, what: String| found.push(Warning { path, what });
    for (name, operation) in &spec.operations {
        for (parameter, described) in &operation.parameters {
            let path = format!("operations.{name}.parameters.{parameter}");
            let constraints = described.constraints();
            if !constraints.is_empty() && constraints.iter().all(|it| described.open.contains(it)) {
                let which: Vec<String> = constraints.iter().map(word).collect();
                warn(
                    path,
                    format!("each constraint is open ({}): no value of it is ever illegal", which.join(", ")),
                );
            }
        }
    }
    let led: Vec<&String> = spec
        .conditions
        .values()
        .flat_map(|answers| answers.codes.iter().chain(answers.at.values().flatten()))
        .collect();
    let idle: Vec<&str> = spec.errors.keys().filter(|code| !led.contains(code)).map(String::as_str).collect();
    if !idle.is_empty() {
        let what = format!("no condition leads to {}: nothing tries to bring them about", idle.join(", "));
        warn("errors".into(), what);
    }
    for condition in conditions() {
        if !spec.conditions.contains_key(&condition) && concerns(spec, condition) {
            let path = format!("conditions.{}", word(&condition));
            warn(path, "there is no such entry: no code is expected of it for certain".into());
        }
    }
    if spec.limits.iter().any(|limit| limit.scope == Scope::Open) {
        warn("limits".into(), "the scope of a limit is open: who shares it is not checked".into());
    }
    let missing: Vec<&str> =
        RULES.iter().map(|rule| rule.id).filter(|id| !spec.requirements.contains_key(*id)).collect();
    if !missing.is_empty() {
        let what = format!("no level is given to {}: they count as not applying here", missing.join(", "));
        warn("requirements".into(), what);
    }
    found
}

/// Every condition there is, by the schema of the type.
fn conditions() -> Vec<Condition> {
    let schema = schemars::schema_for!(Condition).to_value();
    let entries = schema["oneOf"].as_array().cloned().unwrap_or_default();
    entries.iter().filter_map(|entry| Condition::deserialize(&entry["const"]).ok()).collect()
}

/// Whether a condition can come about at this API.
fn concerns(spec: &Spec, condition: Condition) -> bool {
    let has = |role| spec.operation_for(role).is_some();
    let takes = |is| spec.operations.values().any(|operation| operation.parameter(is).is_some());
    match condition {
        Condition::NotInDeletion => has(Role::Restore),
        Condition::Disabled | Condition::NotDisabled => has(Role::Disable),
        Condition::Busy => spec.rotation.takes.is_some(),
        Condition::NoFunction => takes(Meaning::Function),
        Condition::UnknownTask => has(Role::Task),
        Condition::BadBody => spec.protocol.family != Family::RpcQuery,
        Condition::WrongSource | Condition::StageMismatch | Condition::BuiltInStage => {
            has(Role::MoveStage) || has(Role::RemoveStage)
        }
        Condition::VersionExists => takes(Meaning::Token),
        Condition::KindCannotRotate => spec.kinds.values().any(|kind| !kind.rotates),
        Condition::KindOnlyRotates => has(Role::Put) && spec.kinds.values().any(|kind| !kind.takes_values),
        Condition::Throttled => !spec.limits.is_empty(),
        Condition::DryRun => takes(Meaning::DryRun),
        Condition::BadFormat => spec.protocol.formats.len() > 1,
        Condition::UnknownPath => spec.protocol.family != Family::RestJson,
        Condition::Unavailable => spec.rotation.may_be_unavailable,
        // What only some APIs speak of: quotas, nonces, scopes, the whereabouts of other accounts' secrets.
        Condition::QuotaExceeded
        | Condition::NonceUsed
        | Condition::WrongScope
        | Condition::BadAlgorithm
        | Condition::Malformed
        | Condition::BadTimestamp => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linted(change: impl FnOnce(&mut Spec)) -> Vec<Warning> {
        let mut spec = crate::spec::embedded("alibaba").unwrap().spec;
        change(&mut spec);
        lint(&spec)
    }

    #[test]
    fn every_condition_is_known() {
        let all = conditions();
        assert!(all.len() > 35 && all.contains(&Condition::Missing) && all.contains(&Condition::Internal));
    }

    #[test]
    fn each_kind_of_gap_has_a_warning() {
        let before = linted(|_| ());
        let after = linted(|spec| {
            spec.conditions.shift_remove(&Condition::UnknownSecret);
            spec.requirements.shift_remove("ROT-CUR-1");
            let name = &mut spec.operations["RotateSecret"].parameters["SecretName"];
            name.open = name.constraints();
        });
        let new: Vec<&Warning> = after.iter().filter(|warning| !before.contains(warning)).collect();
        for (path, part) in [
            ("conditions.unknown-secret", "no such entry"),
            ("requirements", "ROT-CUR-1"),
            ("operations.RotateSecret.parameters.SecretName", "each constraint is open"),
        ] {
            let fits = |it: &&&Warning| it.path == path && it.what.contains(part);
            assert!(new.iter().any(|it| fits(&it)), "{path} in {new:?}");
        }
    }
}
