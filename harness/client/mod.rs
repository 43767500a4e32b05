//! How a request reaches an endpoint, and how an endpoint's clock is moved.
//!
//! [`transport`] says what a transport is: the in-process emulator is one as much as a socket is.
//! `http` is the one that owns sockets, `base` the URL of an endpoint; `control` moves the clock of one that
//! allows it.

#[cfg(feature = "net")]
mod base;
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
