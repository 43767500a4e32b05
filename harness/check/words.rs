//! What judges found, in words: conditions, expectations and facts, never a value.

use super::blame::Difference;
use crate::history::clipped;
use crate::model::{Condition, Expect, Fact, Id, Value};
use crate::spec::Complaint;

/// A condition in words.
pub(super) const fn words(condition: Condition) -> &'static str {
    match condition {
        Condition::Missing => "a required parameter is missing",
        Condition::Invalid => "a parameter is invalid",
        Condition::UnknownSecret => "no such secret",
        Condition::UnknownVersion => "no such version or stage",
        Condition::Exists => "the name is taken",
        Condition::VersionExists => "the version id is taken",
        Condition::InDeletion => "the secret is in its deletion window",
        Condition::NotInDeletion => "the secret is not in a deletion window",
        Condition::Disabled => "the secret is switched off",
        Condition::NotDisabled => "the secret must be switched off first",
        Condition::Busy => "a rotation goes on",
        Condition::NoFunction => "no function rotates the secret",
        Condition::UnknownTask => "no such task",
        Condition::BadBody => "the body is malformed",
        Condition::BuiltInStage => "a built-in stage cannot be removed",
        Condition::WrongSource => "the stage is on another version",
        Condition::StageMismatch => "the version does not have the stage",
        Condition::WrongScope => "the signature is for another day, region or service",
        Condition::KindCannotRotate => "this kind of secret cannot rotate",
        Condition::KindOnlyRotates => "this kind of secret takes no values from callers",
        Condition::Throttled => "the rotation limit is used up",
        Condition::QuotaExceeded => "a quota is used up",
        Condition::Foreign => "the secret belongs to another account",
        Condition::DryRun => "the call is only tried out",
        Condition::Unsigned => "there is no signature",
        Condition::Malformed => "the signature is malformed",
        Condition::Mismatch => "the signature does not match",
        Condition::UnknownKey => "no such access key",
        Condition::Expired => "the time stamp is too far off",
        Condition::BadTimestamp => "the time stamp cannot be read",
        Condition::NonceUsed => "the nonce was used before",
        Condition::BadAlgorithm => "the algorithm is not documented",
        Condition::UnknownOperation => "no such operation",
        Condition::UnknownApiVersion => "no such API version",
        Condition::BadMethod => "the HTTP method is not documented",
        Condition::BadFormat => "the reply format is not documented",
        Condition::UnknownPath => "no such path",
        Condition::Unavailable => "such a secret cannot be made here",
        Condition::Internal => "the endpoint failed",
    }
}

/// `refused`: why the call should have been refused, if it should.
pub(super) fn expected_words(refused: Option<Condition>, complaint: Option<&Complaint>) -> String {
    match (refused, complaint) {
        (None, _) => "success".into(),
        (Some(_), Some(complaint)) => format!("refused, because {}", complaint.why),
        (Some(condition), None) => format!("refused, because {}", words(condition)),
    }
}

pub(super) fn expected_fact((meaning, expect, _): &Difference) -> String {
    let name = format!("{meaning:?}");
    match expect {
        Expect::Is(fact) => format!("{name} {}", show(fact)),
        Expect::Absent => format!("no {name}"),
        Expect::Within(when) if when.lo == when.hi => format!("{name} {}", time(when.lo)),
        Expect::Within(when) => format!("{name} between {} and {}", time(when.lo), time(when.hi)),
        Expect::Value(Value::Known(value)) => format!("the value #{:08x}", value >> 32),
        Expect::Value(_) => "a value not seen before".into(),
        Expect::Version(Id::Known(id)) => format!("{name} {}", clipped(id)),
        Expect::Version(_) => format!("a {name} not seen before"),
        Expect::Stages(stages) => format!("{name} {}", show(&Fact::Stages(stages.clone()))),
        Expect::Versions { all, .. } => {
            let each = all.iter().map(|version| {
                let id = match &version.id {
                    Id::Known(id) => clipped(id),
                    Id::Made(_) => "(new)".into(),
                };
                format!("{id} [{}]", version.stages.join(", "))
            });
            format!("{name} {}", each.collect::<Vec<_>>().join(", "))
        }
        Expect::IfShown(inner) => expected_fact(&(*meaning, (**inner).clone(), None)),
        Expect::Open(_) => name,
    }
}

pub(super) fn observed_fact((meaning, _, observed): &Difference) -> String {
    match observed {
        None => format!("no {meaning:?}"),
        Some(fact) => format!("{meaning:?} {}", show(fact)),
    }
}

fn show(fact: &Fact) -> String {
    match fact {
        Fact::Text(text) => clipped(text),
        Fact::Flag(flag) => flag.to_string(),
        Fact::Count(number) => number.to_string(),
        Fact::Time(at) | Fact::Around(at) => time(*at),
        Fact::State(state) => format!("{state:?}").to_lowercase(),
        Fact::Value(value) => format!("#{:08x}", value >> 32),
        Fact::Stages(stages) => {
            format!("[{}]", stages.iter().map(|stage| clipped(stage)).collect::<Vec<_>>().join(", "))
        }
        Fact::Versions(versions) => versions
            .iter()
            .map(|version| {
                let stages = version.stages.clone().unwrap_or_default();
                format!("{} {}", clipped(&version.id), show(&Fact::Stages(stages)))
            })
            .collect::<Vec<_>>()
            .join(", "),
        Fact::Names(names) => format!("{} names", names.len()),
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}
