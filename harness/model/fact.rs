//! What a reply says ([`Fact`]) and what it may say ([`Expect`]), by meaning.

use super::{Id, Meaning, Shared, State, Text, Value, Version, When};
use sha2::{Digest, Sha256};

/// The first page of a list whose pages only the endpoint knows; it says how to go on where there are more.
pub(crate) const FIRST: i64 = 0;
/// A later page of such a list.
pub(crate) const LATER: i64 = -1;

/// One fact that a request or reply states.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Text.
    Text(Text),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Count(i64),
    /// A point in time, Unix seconds.
    Time(i64),
    /// A point in time in a zone that nobody states, read as if it were UTC.
    Around(i64),
    /// A state of a secret or a task.
    State(State),
    /// A secret value, as a digest: the value itself is never kept.
    Value(u64),
    /// Stage labels.
    Stages(Vec<Text>),
    /// Versions of a secret.
    Versions(Vec<VersionFact>),
    /// Names of secrets.
    Names(Vec<Text>),
}

/// A version as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VersionFact {
    /// Its id.
    pub id: Text,
    /// Its stages, where the list shows them.
    pub stages: Option<Vec<Text>>,
    /// When it was made, Unix seconds, where the list says so.
    pub created: Option<i64>,
}

/// Facts by meaning, in the order they travelled.
pub type Facts = Vec<(Meaning, Fact)>;

/// The name that a reply gives to the secret that it is about.
pub fn name_told(facts: &Facts) -> Option<&Text> {
    facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
        (Meaning::Secret, Fact::Text(name)) => Some(name),
        _ => None,
    })
}

/// What a fact may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly this.
    Is(Fact),
    /// Not there.
    Absent,
    /// A time in this span.
    Within(When),
    /// This value; a sealed one may be any that no other version has.
    Value(Value),
    /// This version id; one that the service makes may be any new one.
    Version(Id),
    /// These stages, in any order.
    Stages(Vec<Text>),
    /// These versions, in any order, cut into pages.
    Versions {
        /// All of them.
        all: Shared<Vec<Version>>,
        /// Page asked for, from 1; where only the endpoint knows which entries a page has, 0 is the first and -1 a later one.
        page: i64,
        /// Entries in a page, where documents agree.
        size: Option<i64>,
        /// Versions that may be there or not.
        may_miss: Vec<Id>,
    },
    /// Either not there, or this: documents name the field and do not promise it.
    IfShown(Box<Expect>),
    /// Documents are silent: anything, or nothing. The reference gives this, where it gives anything.
    Open(Option<Fact>),
}

/// Digest of a secret value: equal values have equal digests, and nothing else can be told from it.
pub fn digest(value: &str) -> u64 {
    let hash = Sha256::digest(value.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(head)
}
