//! What a vendor documents, as far as the model needs it.

use super::{Role, Text};
use std::collections::BTreeSet;

/// What a vendor documents, as far as the model needs it. Built from a spec.
#[derive(Clone, Debug)]
pub struct Law {
    /// Kinds of secret; the first is the default.
    pub kinds: Vec<KindLaw>,
    /// Stage of the current version.
    pub current: Text,
    /// Stage of the previous version.
    pub previous: Text,
    /// Stages that a secret has at most.
    pub stages_at_most: Option<usize>,
    /// True where a version id known in the secret makes a rotation a replay.
    pub replays: bool,
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
    /// The vendor's name for it.
    pub name: Text,
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
}
