//! Secrets that are there already: real accounts cannot make every kind at will.

use super::drive::Drive;
use super::link::{Made, Step};
use crate::history::Entry;
use crate::model::{
    Fact, Id, Life, Meaning, Policy, SOMETIME, Secret, Text, Value, Version, VersionFact, When,
};

/// A secret that may be used in place of one that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// Index of the account that it belongs to.
    pub account: usize,
    /// Its kind, as the spec names it.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A time of which nothing is known.
const WHENEVER: When = When { lo: 0, hi: SOMETIME };

impl Drive<'_> {
    /// The secret that stands for one of this kind, if there is one; what it shows is taken for granted.
    pub fn adopted(&mut self, kind: &str, account: usize) -> Step<Option<Made>> {
        let fits = |it: &&Fixture| it.kind == kind && it.account == account;
        let Some(fixture) = self.settings().fixtures.iter().find(fits).cloned() else { return Ok(None) };
        let mut made = Made {
            account,
            name: fixture.name.clone(),
            kind: kind.to_owned(),
            arn: None,
            first: String::new(),
        };
        self.settings().kinds.insert(fixture.name, kind.to_owned());
        let secret = self.shown(&mut made)?;
        self.history.entries.push(Entry::Adopted {
            account,
            name: made.name.clone(),
            secret: Box::new(secret),
        });
        Ok(Some(made))
    }

    /// A secret as its description and its list of versions show it. These looks are not judged.
    fn shown(&mut self, made: &mut Made) -> Step<Secret> {
        let before = self.history.entries.len();
        let described = self.describe(made)?;
        let facts = self.facts(described);
        let listed = self.versions(made).ok().and_then(|at| self.fact(at, Meaning::Versions));
        self.history.entries.truncate(before);
        let fact = |is| facts.iter().find(|(meaning, _)| *meaning == is).map(|(_, fact)| fact.clone());
        let time = |is| match fact(is) {
            Some(Fact::Time(at)) => Some(When::at(at)),
            _ => None,
        };
        let versions = match listed.or_else(|| fact(Meaning::Versions)) {
            Some(Fact::Versions(versions)) => versions,
            _ => Vec::new(),
        };
        let current = self.vendor.law.current.clone();
        let holds = |version: &&VersionFact| version.stages.as_ref().is_some_and(|it| it.contains(&current));
        made.first = versions.iter().find(holds).map_or_else(String::new, |version| version.id.to_string());
        if let Some(Fact::Text(arn)) = fact(Meaning::Arn) {
            made.arn = Some(arn.to_string());
        }
        let on = fact(Meaning::Automatic) == Some(Fact::Flag(true));
        let every = match fact(Meaning::Interval) {
            Some(Fact::Count(seconds)) => Some(seconds),
            _ => None,
        };
        let text = |is| match fact(is) {
            Some(Fact::Text(text)) => Some(text),
            _ => None,
        };
        let kind = self.vendor.spec.kinds.get_index_of(&made.kind).unwrap_or(0);
        Ok(Secret {
            arn: text(Meaning::Arn),
            kind,
            life: Life::Active,
            versions: versions.iter().map(version).collect(),
            dropped: Vec::new(),
            policy: Policy { on, every },
            created: time(Meaning::Created).unwrap_or(WHENEVER),
            last: time(Meaning::LastRotation),
            next: time(Meaning::NextRotation),
            settings: Vec::new().into(),
            made: highest(&self.vendor.law.numbering, &versions),
            making: None,
            pending: None,
            function: text(Meaning::Function),
            schedule: text(Meaning::Schedule),
            jumbled: false,
            asked: Vec::new(),
        })
    }
}

fn version(shown: &VersionFact) -> Version {
    let created = shown.created.map_or(WHENEVER, When::at);
    let version = Version::new(Id::Known(shown.id.clone()), Value::Unseen, created);
    Version { stages: shown.stages.clone().unwrap_or_default(), ..version }
}

/// The number of the newest version, where ids are numbers.
fn highest(numbering: &Option<Text>, versions: &[VersionFact]) -> u32 {
    let Some((before, after)) = numbering.as_ref().and_then(|template| template.split_once("{n}")) else {
        return u32::try_from(versions.len()).unwrap_or(0);
    };
    let number = |id: &Text| id.strip_prefix(before)?.strip_suffix(after)?.parse::<u32>().ok();
    versions.iter().filter_map(|version| number(&version.id)).max().unwrap_or(0)
}
