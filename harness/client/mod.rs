//! How a request reaches an endpoint, and how an endpoint's clock is moved.
//!
//! [`transport`] says what a transport is: the in-process emulator is one as much as a socket is.
//! `http` is the one that owns sockets; `control` moves the clock of an endpoint that allows it.

mod caller;
pub mod clock;
#[cfg(feature = "net")]
pub mod control;
#[cfg(feature = "net")]
pub mod http;
#[cfg(feature = "net")]
mod leaving;
mod tamper;
pub mod transport;

pub use caller::{Caller, Now};
