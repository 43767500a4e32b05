//! What a vendor documents, as far as the model needs it.

use super::{Role, Secret, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a secret is that was taken out of its deletion window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restored {
    /// In use, with the policy that it had.
    #[default]
    InUse,
    /// Switched off.
    Disabled,
    /// Documents do not say, nor whether automatic rotation goes on.
    Open,
}

/// Versions that are expected to be kept where no document says how many are.
const KEPT_FOR_CERTAIN: usize = 20;

/// What a vendor documents, as far as the model needs it. Built from a spec.
#[derive(Clone, Debug)]
pub struct Law {
    /// Kinds of secret; the first is the default.
    pub kinds: Vec<KindLaw>,
    /// Stage of the current version.
    pub current: Text,
    /// Stage of the previous version.
    pub previous: Option<Text>,
    /// Stage of a version that a rotation is making.
    pub pending: Option<Text>,
    /// Version id that stands for the current version.
    pub alias: Option<Text>,
    /// Ids that the service gives to versions, `{n}` standing for their number.
    pub numbering: Option<Text>,
    /// Whether a version without a stage may vanish.
    pub unstaged_may_vanish: bool,
    /// Whether the previous stage follows when the current one is moved by hand.
    pub previous_follows: bool,
    /// Given where a rotation may go on after its call was answered: seconds that the reference takes.
    pub takes: Option<i64>,
    /// Seconds that an automatic rotation may be away from its date, either way.
    pub slack: i64,
    /// Whether the first automatic rotation may come at any time up to its date.
    pub first_open: bool,
    /// Whether callers can name the date of the first automatic rotation, or leave it out.
    pub names_first_date: bool,
    /// Whether a secret rotates only after a function for it was named.
    pub needs_function: bool,
    /// Whether what rotates a secret may turn a rotation away.
    pub may_be_unavailable: bool,
    /// Whether a secret must be switched off before it is deleted.
    pub needs_disabled: bool,
    /// What a restored secret is.
    pub restores: Restored,
    /// Stages that can move and not be removed.
    pub fixed: Vec<Text>,
    /// Whether moving a stage must name the version that has it.
    pub moves_name_source: bool,
    /// Whether a read by version and stage is refused where they do not match.
    pub reads_match: bool,
    /// Whether creating a name again with the same token and value is answered with success.
    pub creation_replays: bool,
    /// Whether writing a version again with the same value is answered with success.
    pub puts_replay: bool,
    /// Whether restoring what is not deleted may be answered with success.
    pub restores_anything: bool,
    /// Whether a forced deletion of a secret that is not there succeeds.
    pub forces_unknown: bool,
    /// Whether a secret can be made without a version.
    pub may_be_empty: bool,
    /// Whether lists show versions without a stage unasked.
    pub lists_all: bool,
    /// Whether pages of versions follow a marker that only the endpoint understands.
    pub opaque_pages: bool,
    /// Whether a full identifier may reach nothing.
    pub identifier_open: bool,
    /// Roles that a secret refuses for certain that is switched off.
    pub disabled_refuses: Vec<Role>,
    /// Roles that work for certain on a secret that is switched off.
    pub disabled_allows: Vec<Role>,
    /// Stages that a secret has at most.
    pub stages_at_most: Option<usize>,
    /// Stages of a secret beyond which one more may be refused, or not.
    pub stages_may_be_at_most: Option<usize>,
    /// Whether callers may set the pending stage.
    pub pending_by_callers: bool,
    /// True where a version id known in the secret makes a rotation a replay.
    pub replays: bool,
    /// Whether a known id is answered like the rotation that made it only where that is asked for again.
    pub replays_alike: bool,
    /// Limit on rotations.
    pub rate: Option<RateLaw>,
    /// How values are to be read, where a call does not say.
    pub value_type: Text,
    /// Days of a deletion window where the call does not say.
    pub window_days: i64,
    /// Roles that a secret in its deletion window refuses for certain.
    pub leaving_refuses: Vec<Role>,
    /// Roles that work on a secret in its deletion window for certain.
    pub leaving_allows: Vec<Role>,
    /// Rules that bind: where a rule does not, every answer it speaks of is possible.
    pub binding: BTreeSet<&'static str>,
    /// Bounds within which the length of a random password is legal, and its default.
    pub password_default: i64,
}

/// A kind of secret.
#[derive(Clone, Debug)]
pub struct KindLaw {
    /// The vendor's name for it, as replies show it.
    pub name: Text,
    /// Whether it may take values all the same.
    pub values_open: bool,
    /// Versions that there can be, where documents say.
    pub at_most: Option<usize>,
    /// Whether it is read by stage alone, so that a version id is ignored.
    pub by_stage: bool,
    /// Whether it can be deleted at once alone, and with no window.
    pub windowless: bool,
    /// Whether no version of it has a stage.
    pub unstaged: bool,
    /// Whether ids of versions that were current are the service's own.
    pub renames: bool,
    /// Whether a task makes it, so that it may not be there yet when its creation was answered.
    pub made_by_task: bool,
    /// Can it rotate?
    pub rotates: bool,
    /// Does it take values from the caller after creation?
    pub takes_values: bool,
    /// Versions that are kept, where documents say.
    pub keeps: Option<usize>,
}

/// A limit on rotations of an account.
#[derive(Clone, Copy, Debug)]
pub struct RateLaw {
    /// Rotations in a window.
    pub calls: usize,
    /// Length of a window in seconds.
    pub per: i64,
}

impl Law {
    /// Does the rule bind here?
    pub fn binds(&self, rule: &str) -> bool {
        self.binding.contains(rule)
    }

    /// Whether a version of a secret that has no stage may be dropped at any time: where documents say so, and
    /// where they do not say how many are kept, of one that has had many.
    pub fn may_vanish(&self, secret: &Secret) -> bool {
        let kind = &self.kinds[secret.kind];
        let unsaid = kind.keeps.is_none() && kind.at_most.is_none() && !kind.unstaged;
        self.unstaged_may_vanish || unsaid && secret.versions.len() > KEPT_FOR_CERTAIN
    }
}
