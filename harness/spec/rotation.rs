//! How rotation goes: what identifies it, how long it takes, intervals, stages, deletion.

use super::{Sources, interval};
use crate::model::{Restored, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a repeated rotation is recognised.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Idempotency {
    /// What identifies it.
    pub family: IdempotencyFamily,
    /// Whether creating a name again with the same token and value is answered with success.
    #[serde(default)]
    pub creation: bool,
    /// Whether writing a version again with the same value is answered with success.
    #[serde(default = "yes")]
    pub puts: bool,
    /// Whether documents promise success only to the same call again: not to one with the id of a version that no
    /// rotation made, nor to one with other settings.
    #[serde(default)]
    pub alike: bool,
    /// Where this is documented.
    pub source: Sources,
}

/// What identifies a repeated rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdempotencyFamily {
    /// The version id that the caller chooses.
    VersionId,
    /// Nothing: each call rotates.
    None,
}

/// How rotation goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rotation {
    /// Given where a rotation may go on after its call was answered: how long the reference takes.
    #[serde(default)]
    pub takes: Option<interval::Length>,
    /// How far from its date an automatic rotation may be, either way.
    #[serde(default)]
    pub slack: Option<interval::Length>,
    /// Whether the first automatic rotation may come at any time up to its date.
    #[serde(default)]
    pub first_open: bool,
    /// Whether a secret rotates only after a function for it was named.
    #[serde(default)]
    pub needs_function: bool,
    /// Whether whatever rotates a secret may turn the call away: a function or service behind it.
    #[serde(default)]
    pub may_be_unavailable: bool,
    /// Where this is documented; empty where nothing above is given.
    #[serde(default)]
    pub source: Sources,
}

/// Interval of automatic rotation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Interval {
    /// Units that follow the number.
    pub units: Vec<interval::Unit>,
    /// Least interval, inclusive.
    pub min: interval::Length,
    /// Greatest interval, inclusive.
    pub max: interval::Length,
    /// Ranges in which documents contradict each other.
    #[serde(default)]
    pub disputed: Vec<Disputed>,
    /// Spellings on which documents are silent.
    #[serde(default)]
    pub open: Vec<interval::Spelling>,
    /// Unit in which it is read back; open where it is left out.
    #[serde(default)]
    pub canonical: Option<interval::Unit>,
    /// Where this is documented.
    pub source: Sources,
}

/// A range of intervals in which documents contradict each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disputed {
    /// First disputed interval.
    pub from: interval::Length,
    /// First interval that is not disputed any more.
    pub below: interval::Length,
    /// Who says what.
    pub why: String,
    /// The documents that disagree.
    pub source: Sources,
}

/// Built-in stages and limits on others.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stages {
    /// The stage of the version that is read by default.
    pub current: String,
    /// The stage of the version that was current before.
    #[serde(default)]
    pub previous: Option<String>,
    /// The stage of a version that a rotation is making.
    #[serde(default)]
    pub pending: Option<String>,
    /// Whether documents say that callers may set the pending stage.
    #[serde(default)]
    pub pending_by_callers: bool,
    /// A version id that stands for the current version.
    #[serde(default)]
    pub alias: Option<String>,
    /// Stages that a secret has at most, built-in ones included.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// Stages of a secret beyond which one more may be refused, or not.
    #[serde(default)]
    pub may_be_at_most: Option<usize>,
    /// Ids that the service gives to versions, `{n}` standing for their number, from 1.
    #[serde(default)]
    pub numbering: Option<String>,
    /// Whether a version without a stage may vanish at any time.
    #[serde(default)]
    pub unstaged_may_vanish: bool,
    /// Whether the previous stage always follows when the current one is moved by hand.
    #[serde(default)]
    pub previous_follows: bool,
    /// Stages that can move and not be removed; the built-in ones where it is left out.
    #[serde(default)]
    pub fixed: Option<Vec<String>>,
    /// Whether moving a stage must name the version that has it.
    #[serde(default)]
    pub moves_name_source: bool,
    /// Whether a read by version and stage is refused where they do not match.
    #[serde(default)]
    pub reads_match: bool,
    /// Where this is documented.
    pub source: Sources,
}

/// Deletion windows, and secrets that are switched off.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deletion {
    /// Days until a deletion is final, where the call does not say; 0: at once.
    pub default_days: i64,
    /// Roles that a secret in its window refuses, as documents say. The others are open.
    pub refuses: Vec<Role>,
    /// Roles that work on a secret in its window, as documents say.
    pub allows: Vec<Role>,
    /// Whether a secret must be switched off before it is deleted.
    #[serde(default)]
    pub needs_disabled: bool,
    /// What a restored secret is.
    #[serde(default)]
    pub restores: Restored,
    /// Whether restoring what is not deleted may be answered with success.
    #[serde(default)]
    pub restores_anything: bool,
    /// Whether a forced deletion of a secret that is not there succeeds.
    #[serde(default)]
    pub forces_unknown: bool,
    /// Roles that a secret refuses that is switched off, as documents say. The others are open.
    #[serde(default)]
    pub disabled_refuses: Vec<Role>,
    /// Roles that work on a secret that is switched off, as documents say.
    #[serde(default)]
    pub disabled_allows: Vec<Role>,
    /// Where this is documented.
    pub source: Sources,
}

const fn yes() -> bool {
    true
}
