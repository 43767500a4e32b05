//! What people and machines read of a run: bytes made from events and results, and of nothing else.

pub mod console;
pub mod coverage;
pub mod json;
#[cfg(feature = "cli")]
pub mod junit;
