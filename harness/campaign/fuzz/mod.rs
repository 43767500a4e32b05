//! Fuzzing: plans made from bytes, performed and judged, over and over.
//!
//! [`hunt`] draws bytes: first every short plan, then what has shown something new and mutations of it,
//! then anything. What a judge calls a violation becomes a [`Finding`]: once for each rule, operation and
//! shape, with the fewest calls that still show it, and told whether it happens always or sometimes.

mod culprit;
mod features;
mod finding;
mod hunt;
mod mutate;
mod perform;
mod runner;
mod shrink;
mod slow;
mod store;

pub use features::features;
pub use finding::{Finding, Happens, Line};
pub use hunt::{Budget, Heard, Hunt, Listener, Replayed, Summary, hunt};
pub use perform::{Performed, perform};
pub use runner::{Runner, Target, Trial};
pub use store::{Store, StoreError, read_finding};
