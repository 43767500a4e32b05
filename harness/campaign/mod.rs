//! A run: which checks, at which endpoint, with which budget; and the story it tells.

mod care;
mod coverage;
mod curl;
mod engine;
mod event;
pub mod fuzz;
mod gather;
mod journal;
mod ledger;
mod link;
mod probe;
mod reference;
mod session;
mod sweep;

pub use care::{Care, Interrupt, Journalled};
pub use coverage::{Coverage, Left, Share};
pub use engine::{Plan, PlanError, preflight, run, select};
pub use event::{Event, Outcome, RuleResult, Summary, Totals, Verdict, Violation};
pub use gather::{Gathering, judge_recorded};
pub use journal::{Head, Journal, JournalError, Recorded, Remains, read as read_journal};
pub use ledger::Ledger;
pub use link::{Direct, Endpoint};
pub use reference::{Reference, SharedClock};
pub use sweep::{Removal, cleanup};
