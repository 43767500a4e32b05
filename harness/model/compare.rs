//! Whether what a reply states is what should be.

use super::gap::Difference;
use super::{
    Expect, FIRST, Fact, Facts, Id, LATER, Meaning, Secret, Text, Value, Version, VersionFact, When,
};
use std::borrow::Cow;

/// Seconds by which a time may be off whose zone nobody states.
const ZONES: i64 = 14 * 3_600;

/// Entries that a page has room for at least where no call says for how many.
const PAGE: usize = 10;

/// The facts that differ from what is expected.
pub(super) fn differences(
    expected: &[(Meaning, Expect)],
    facts: &Facts,
    secret: Option<&Secret>,
) -> Vec<Difference> {
    let observed = |meaning| facts.iter().find(|(m, _)| *m == meaning).map(|(_, fact)| fact);
    let goes_on =
        observed(Meaning::Marker).is_some_and(|it| !matches!(it, Fact::Text(text) if text.is_empty()));
    expected
        .iter()
        .filter_map(|(meaning, expect)| {
            let (expect, observed) = (one_of_several(expect, goes_on), observed(*meaning));
            let holds = match (meaning, &*expect, observed) {
                (Meaning::Config, Expect::Is(Fact::Text(given)), Some(Fact::Text(shown))) => {
                    includes(shown, given)
                }
                _ => fits(&expect, observed, secret),
            };
            (!holds).then(|| (*meaning, expect.into_owned(), observed.cloned()))
        })
        .collect()
}

/// A page that says how to go on need not show everything.
fn one_of_several(expect: &Expect, goes_on: bool) -> Cow<'_, Expect> {
    match expect {
        Expect::Versions { all, page: FIRST, size, may_miss } if goes_on => Cow::Owned(Expect::Versions {
            all: all.clone(),
            page: LATER,
            size: *size,
            may_miss: may_miss.clone(),
        }),
        _ => Cow::Borrowed(expect),
    }
}

/// A service may add defaults to a configuration; what was given must still be there.
fn includes(shown: &str, given: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok();
    match (parse(shown), parse(given)) {
        (Some(shown), Some(given)) => {
            let empty = |value: &serde_json::Value| value.as_object().is_some_and(serde_json::Map::is_empty);
            given.iter().all(|(key, value)| empty(value) || shown.get(key) == Some(value))
        }
        _ => shown == given,
    }
}

impl Expect {
    /// What is wrong with a list of versions, if it is no more than how it shows them.
    pub fn flaw(&self, observed: Option<&Fact>, secret: &Secret) -> Option<Flaw> {
        let (Self::Versions { all, may_miss, .. }, Some(Fact::Versions(seen))) = (self, observed) else {
            return None;
        };
        let fits =
            |expect: &Self, seen: Vec<VersionFact>| fits(expect, Some(&Fact::Versions(seen)), Some(secret));
        let undated: Vec<VersionFact> =
            seen.iter().map(|seen| VersionFact { created: None, ..seen.clone() }).collect();
        if fits(self, undated.clone()) {
            return Some(Flaw::Dates);
        }
        let unlabelled = |seen: &VersionFact| {
            let known = secret.version(&seen.id).is_some_and(|version| version.stages.is_empty());
            known && seen.stages.as_ref().is_some_and(Vec::is_empty)
        };
        let labelled = undated.iter().filter(|seen| !unlabelled(seen)).cloned().collect();
        if fits(self, labelled) {
            return Some(Flaw::Unlabelled);
        }
        let whole = Self::Versions { all: all.clone(), page: 1, size: None, may_miss: may_miss.clone() };
        fits(&whole, undated).then_some(Flaw::Size)
    }
}

/// What may be wrong with how a list shows versions that are right, and their stages too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// When they were made.
    Dates,
    /// Some have no stage, and such a list should not show them.
    Unlabelled,
    /// They are all there, though a page of them was asked for.
    Size,
}

fn fits(expect: &Expect, observed: Option<&Fact>, secret: Option<&Secret>) -> bool {
    match (expect, observed) {
        (Expect::Open(_), _) | (Expect::Absent, None) | (Expect::IfShown(_), None) => true,
        // Without a stage, the list of them need not be there.
        (Expect::Stages(stages), None) => stages.is_empty(),
        (Expect::Versions { all, .. }, None) => all.is_empty(),
        (Expect::IfShown(inner), observed) => fits(inner, observed, secret),
        // A null or empty text stands for nothing.
        (Expect::Absent, Some(Fact::Text(text))) => text.is_empty(),
        (Expect::Absent, Some(_)) | (_, None) => false,
        (Expect::Is(fact), Some(observed)) => fact == observed,
        (Expect::Within(when), Some(Fact::Time(time))) => when.holds(*time),
        (Expect::Within(when), Some(Fact::Around(time))) => {
            When { lo: when.lo - ZONES, hi: when.hi.saturating_add(ZONES) }.holds(*time)
        }
        (Expect::Value(value), Some(Fact::Value(observed))) => value_fits(*value, *observed, secret),
        (Expect::Version(id), Some(Fact::Text(observed))) => id_fits(id, observed, secret),
        (Expect::Stages(stages), Some(Fact::Stages(observed))) => same_stages(stages, observed),
        (Expect::Versions { all, page, size, may_miss }, Some(Fact::Versions(observed))) => {
            versions_fit(all, *page, *size, may_miss, observed, secret)
        }
        _ => false,
    }
}

fn value_fits(value: Value, observed: u64, secret: Option<&Secret>) -> bool {
    match value {
        Value::Known(known) => known == observed,
        Value::Unseen => true,
        Value::Sealed => {
            !secret.is_some_and(|secret| secret.versions.iter().any(|v| v.value == Value::Known(observed)))
        }
    }
}

fn id_fits(id: &Id, observed: &Text, secret: Option<&Secret>) -> bool {
    match id {
        Id::Known(known) => known == observed,
        Id::Made(_) => {
            !observed.is_empty()
                && secret.is_none_or(|secret| {
                    secret.version(observed).is_none() && !secret.dropped.contains(observed)
                })
        }
    }
}

pub(super) fn same_stages(expected: &[Text], observed: &[Text]) -> bool {
    expected.len() == observed.len() && expected.iter().all(|stage| observed.contains(stage))
}

fn versions_fit(
    all: &[Version],
    page: i64,
    size: Option<i64>,
    may_miss: &[Id],
    observed: &[VersionFact],
    secret: Option<&Secret>,
) -> bool {
    let Some(pairs) = pair(all, observed, secret) else { return false };
    let count = |entries: usize| i64::try_from(entries).unwrap_or(i64::MAX);
    let (shown, total) = (count(observed.len()), count(all.len()));
    if page <= FIRST || !may_miss.is_empty() {
        let full = size.map_or(observed.len() >= PAGE, |size| shown == size);
        let is_there = |version: &Version| pairs.iter().any(|(taken, _)| taken.id == version.id);
        let told = |version: &Version| may_miss.contains(&version.id) || is_there(version);
        // Only the endpoint knows which entries belong on a later page; and a full one need not be all of them.
        let some = !matches!(page, FIRST | 1) || full;
        return (some || all.iter().all(told)) && size.is_none_or(|size| shown <= size);
    }
    let whole = page == 1 && size.is_none_or(|size| total <= size) && all.len() <= PAGE;
    let fitting = match size {
        // Order is open, so each page is only known by how many entries it has.
        Some(size) => {
            let before = page.saturating_sub(1).saturating_mul(size);
            shown == total.saturating_sub(before).clamp(0, size.max(0))
        }
        None => !whole || pairs.len() == all.len(),
    };
    fitting && (!whole || pairs.len() == all.len())
}

/// Pairs each observed version with the one it must be; nothing, if one is too many or differs.
pub(super) fn pair<'a, 'o>(
    all: &'a [Version],
    observed: &'o [VersionFact],
    secret: Option<&Secret>,
) -> Option<Vec<(&'a Version, &'o VersionFact)>> {
    let mut pairs: Vec<(&Version, &VersionFact)> = Vec::new();
    let (known, mut made): (Vec<_>, Vec<_>) = observed
        .iter()
        .partition(|seen| all.iter().any(|v| matches!(&v.id, Id::Known(id) if *id == seen.id)));
    for seen in known {
        let version = all.iter().find(|v| matches!(&v.id, Id::Known(id) if *id == seen.id))?;
        let twice = pairs.iter().any(|(taken, _)| taken.id == version.id);
        if twice || !entry_fits(version, seen) {
            return None;
        }
        pairs.push((version, seen));
    }
    // The oldest first, each to what must have been made soonest: if any pairing fits, this one does.
    made.sort_by_key(|seen| seen.created);
    for seen in made {
        let free = |version: &&Version| {
            matches!(version.id, Id::Made(_))
                && !pairs.iter().any(|(taken, _)| taken.id == version.id)
                && id_fits(&version.id, &seen.id, secret)
                && entry_fits(version, seen)
        };
        let version = all.iter().filter(free).min_by_key(|it| (it.created.hi, it.created.lo))?;
        pairs.push((version, seen));
    }
    Some(pairs)
}

pub(super) fn entry_fits(version: &Version, seen: &VersionFact) -> bool {
    seen.stages.as_ref().is_none_or(|stages| same_stages(&version.stages, stages))
        && seen.created.is_none_or(|at| version.created.holds(at))
}
