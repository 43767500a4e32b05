//! What carries a request to an endpoint and brings the reply back, or says how it was lost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// No connection came about, so nothing was sent.
    #[error("no connection: {0}")]
    Refused(String),
    /// The time was over before the reply was whole.
    #[error("no whole reply within the time limit")]
    Timeout,
    /// The connection was closed or reset before the reply was whole.
    #[error("the connection ended before a whole reply: {0}")]
    Reset(String),
    /// The reply is larger than the client takes.
    #[error("the reply has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes, of the body or of the head.
        limit: usize,
    },
    /// What came back is no HTTP.
    #[error("not HTTP: {0}")]
    NotHttp(String),
    /// The client itself refused to send.
    #[error("not sent: {0}")]
    Guard(String),
}
