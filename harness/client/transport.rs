//! What carries a request to an endpoint and brings the reply back, or says how it was lost.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::history::Leave;
pub use crate::history::Lost;
use crate::wire::{Request, Response};

/// What came of a request, when it began and when it ended.
pub type Timed = (Result<Response, Lost>, Instant, Instant);

/// Carries one request at a time per caller; many callers may share one.
pub trait Transport: Send + Sync {
    /// Sends the request and waits for the whole reply, `timeout` at most. Redirects are replies.
    ///
    /// # Errors
    /// How the reply was lost. Only [`Lost::Refused`] and [`Lost::Guard`] mean that the endpoint
    /// cannot have seen the request.
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost>;

    /// Sends the request and lets go of it. What is returned is [`Lost::Dropped`], or why the endpoint
    /// cannot have seen the request.
    fn send_and_leave(&self, request: &Request, timeout: Duration, _leave: Leave) -> Lost {
        match self.send(request, timeout) {
            Err(lost @ (Lost::Refused(_) | Lost::Guard(_))) => lost,
            _ => Lost::Dropped,
        }
    }

    /// Sends requests at the same time, each on a connection of its own.
    fn send_together(&self, requests: &[(Request, Option<Leave>)], timeout: Duration) -> Vec<Timed> {
        let start = Barrier::new(requests.len());
        let one = |(request, leave): &(Request, Option<Leave>)| {
            start.wait();
            let began = Instant::now();
            let result = match leave {
                Some(leave) => Err(self.send_and_leave(request, timeout, *leave)),
                None => self.send(request, timeout),
            };
            (result, began, Instant::now())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = requests.iter().map(|request| scope.spawn(|| one(request))).collect();
            let now = Instant::now();
            let lost = || (Err(Lost::Guard("the thread that sent it ended".into())), now, now);
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| lost())).collect()
        })
    }

    /// Whom it talks to, for reports.
    fn name(&self) -> String;
}
