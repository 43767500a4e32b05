//! Calls that take far longer than their peers.

use crate::history::Exchange;
use std::collections::BTreeMap;

/// Calls of an operation before one is called slow.
const PEERS: u32 = 30;
/// How many times longer than its peers a slow call takes.
const TIMES: u64 = 25;
/// Microseconds below which nothing is slow.
const AT_LEAST: u64 = 100_000;

/// How long calls take, operation by operation.
#[derive(Debug, Default)]
pub(super) struct Pace(BTreeMap<String, (u32, u64)>);

impl Pace {
    /// Takes in a call; true if it took far longer than those before it.
    pub(super) fn is_slow(&mut self, exchange: &Exchange) -> bool {
        let took = exchange.span.took();
        if exchange.result.is_err() {
            return false;
        }
        let Some((count, total)) = self.0.get_mut(&exchange.call.operation) else {
            self.0.insert(exchange.call.operation.clone(), (1, took));
            return false;
        };
        let usual = *total / u64::from(*count).max(1);
        let slow = *count >= PEERS && took >= AT_LEAST && took > TIMES * usual.max(1);
        if !slow {
            (*count, *total) = (*count + 1, *total + took);
        }
        slow
    }
}
