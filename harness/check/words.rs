//! What judges found, in words: conditions, expectations and facts, never a value.

use crate::history::clipped;
use crate::model::{Condition, Difference, Expect, Fact, Id, Value, Version, VersionFact, When};
use crate::spec::Complaint;

/// HTTP statuses of which any will do.
pub(super) fn any_of(statuses: &[u16]) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
}

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

pub(super) fn expected_fact((meaning, expect, observed): &Difference) -> String {
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
        Expect::Versions { all, size, .. } => {
            let dates = observed.as_ref().is_some_and(|seen| only_dates(expect, seen));
            let each = all.iter().map(|version| {
                let When { lo, hi } = version.created;
                let made = if dates { format!(" made {} to {}", time(lo), time(hi)) } else { String::new() };
                format!("{}{made}", entry(version))
            });
            let each = each.collect::<Vec<_>>().join(", ");
            match size.filter(|size| i64::try_from(all.len()).is_ok_and(|all| all > *size)) {
                Some(size) => format!("{size} of {name} {each}"),
                None => format!("{name} {each}"),
            }
        }
        Expect::IfShown(inner) => expected_fact(&(*meaning, (**inner).clone(), None)),
        Expect::Open(_) => name,
    }
}

fn entry(version: &Version) -> String {
    let id = match &version.id {
        Id::Known(id) => clipped(id),
        Id::Made(_) => "(new)".into(),
    };
    format!("{id} [{}]", version.stages.join(", "))
}

/// Whether the same versions with the same stages are shown as should be, so that dates are what differs.
fn only_dates(expect: &Expect, seen: &Fact) -> bool {
    let (Expect::Versions { all, size, .. }, Fact::Versions(seen)) = (expect, seen) else { return false };
    let mut wanted: Vec<String> = all.iter().map(entry).collect();
    let shown = |seen: &VersionFact| {
        format!("{} [{}]", clipped(&seen.id), seen.stages.clone().unwrap_or_default().join(", "))
    };
    let mut shown: Vec<String> = seen.iter().map(shown).collect();
    wanted.sort();
    shown.sort();
    wanted == shown && size.is_none_or(|size| i64::try_from(all.len()).is_ok_and(|all| all <= size))
}

pub(super) fn observed_fact((meaning, expect, observed): &Difference) -> String {
    match observed {
        None => format!("no {meaning:?}"),
        Some(fact @ Fact::Versions(seen)) if only_dates(expect, fact) => {
            let made = |seen: &VersionFact| seen.created.map_or_else(|| "whenever".to_owned(), time);
            let each = seen.iter().map(|seen| {
                let one = show(&Fact::Versions(vec![VersionFact { created: None, ..seen.clone() }]));
                format!("{one} made {}", made(seen))
            });
            format!("{meaning:?} {}", each.collect::<Vec<_>>().join(", "))
        }
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
