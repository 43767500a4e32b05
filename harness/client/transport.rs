//! What carries a request to an endpoint and brings the reply back, or says how it was lost.

use std::time::Duration;

pub use crate::history::Lost;
use crate::wire::{Request, Response};

/// Carries one request at a time per caller; many callers may share one.
pub trait Transport: Send + Sync {
    /// Sends the request and waits for the whole reply, `timeout` at most. Redirects are replies.
    ///
    /// # Errors
    /// How the reply was lost. Only [`Lost::Refused`] and [`Lost::Guard`] mean that the endpoint
    /// cannot have seen the request.
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost>;

    /// Whom it talks to, for reports.
    fn name(&self) -> String;
}
