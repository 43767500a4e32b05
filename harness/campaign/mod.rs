//! A run: which checks, at which endpoint, with which budget; and the story it tells.

mod curl;
mod engine;
mod event;
mod link;
mod reference;

pub use engine::{Plan, PlanError, preflight, run, select};
pub use event::{Event, Outcome, RuleResult, Summary, Totals, Verdict, Violation};
pub use link::{Direct, Endpoint};
pub use reference::{Reference, SharedClock};
