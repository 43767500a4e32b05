//! The pure heart: what a secret is, what an operation does to it, and what a reply may say.
//!
//! Nothing here reads a clock, a file or the network, and nothing knows a vendor: time is an argument,
//! and what a vendor documents comes in as a [`Law`]. [`outcomes`] lists everything the documents
//! allow; the reference emulator answers with the first, the judges keep every [`World`] that explains
//! what was seen ([`Belief`]).

mod belief;
mod compare;
mod fact;
mod gap;
mod kept;
mod law;
mod learn;
mod meaning;
mod op;
mod outcomes;
mod read;
mod rotating;
mod rule;
mod schedule;
mod shared;
mod shelf;
mod state;
mod storing;

pub use belief::{Belief, Seen};
pub use compare::Flaw;
pub use fact::{Expect, Fact, Facts, VersionFact, digest, name_told};
pub(crate) use fact::{FIRST, LATER};
pub use gap::{Difference, Gap};
pub use law::{KindLaw, Law, RateLaw, Restored};
pub use meaning::{Condition, Meaning, Meanings, Role, State};
pub use op::{Answer, Change, Op, Outcome};
pub use outcomes::outcomes;
pub use rule::{RULES, Rule, rule};
pub use schedule::{EVERYTHING, NOTHING, tick};
pub use shared::Shared;
pub use shelf::Shelf;
pub(crate) use state::identifies;
pub use state::{
    Id, Key, Late, Life, Pending, Policy, SOMETIME, Secret, Task, Text, Value, Version, When, World,
};
