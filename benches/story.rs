//! A life of secrets in any vendor's words: each is made, then rotated, described, read, and its
//! versions listed, again and again; then comes the next secret.

use rotaprobe::campaign::Reference;
use rotaprobe::check::{Drive, Link, Made, Settings, Step};
use rotaprobe::client::Caller;
use rotaprobe::client::clock::Clock;
use rotaprobe::history::{Attempt, Entry, Exchange, History};
use rotaprobe::spec::Vendor;
use std::sync::Arc;
use std::time::Duration;

/// Calls at one secret, its creation among them.
const CALLS: usize = 32;

/// A reference, a caller at it, and its clock.
pub(crate) struct Stage {
    pub(crate) caller: Caller,
    reference: Arc<Reference>,
}

impl Stage {
    /// A reference in which nothing is stored.
    pub(crate) fn new(vendor: &Arc<Vendor>) -> Self {
        let reference = Arc::new(Reference::new(vendor.clone(), 7));
        let clock = reference.clock().clone();
        let caller = Caller::new(
            vendor.clone(),
            reference.clone(),
            reference.credentials(),
            "127.0.0.1:1",
            Duration::from_secs(5),
            Arc::new(move || clock.now()),
            7,
        );
        Self { caller, reference }
    }

    /// Goes through entries of a history that began at such a stage.
    pub(crate) fn play(&mut self, entries: &[Entry]) {
        for entry in entries {
            match entry {
                Entry::Call(exchange) => drop(self.caller.call(&exchange.call, None)),
                Entry::Advanced(seconds) => drop(self.advance(*seconds)),
                _ => {}
            }
        }
    }
}

impl Link for Stage {
    fn send_together(&mut self, attempts: &[Attempt<'_>]) -> Vec<Exchange> {
        self.caller.call_together(attempts)
    }

    fn send(&mut self, Attempt { call, tamper, .. }: Attempt<'_>) -> Exchange {
        self.caller.call(call, tamper)
    }

    fn has_clock(&self) -> bool {
        true
    }

    fn advance(&mut self, seconds: i64) -> Result<(), String> {
        let seconds = u64::try_from(seconds).map_err(|error| error.to_string())?;
        self.reference.clock().advance(seconds).map_err(|error| error.to_string())
    }

    fn now(&self) -> i64 {
        self.caller.endpoint_time()
    }

    fn accounts(&self) -> usize {
        self.caller.accounts()
    }

    fn project(&self, account: usize) -> Option<String> {
        self.reference.credentials().get(account)?.project.clone()
    }

    fn bears_token(&self) -> bool {
        true
    }

    fn wait(&mut self, _round: u32) -> bool {
        false
    }

    fn pause(&mut self, _round: u32) -> bool {
        false
    }

    fn out_of_time(&self) -> bool {
        false
    }

    fn exhausted(&self) -> Option<String> {
        None
    }
}

/// A history of so many calls, and maybe a few more.
pub(crate) fn story(vendor: &Arc<Vendor>, calls: usize) -> History {
    let mut stage = Stage::new(vendor);
    let mut settings = Settings::new("bench-".into(), 7);
    let mut drive = Drive::new(&mut stage, vendor, &mut settings);
    while drive.history.calls().count() < calls {
        let begin = drive.history.entries.len();
        let Ok(secret) = drive.rotatable() else { break };
        while drive.history.entries.len() < calls.min(begin + CALLS) {
            if round(&mut drive, &secret).is_err() {
                break;
            }
        }
    }
    drive.history
}

fn round(drive: &mut Drive<'_>, secret: &Made) -> Step {
    drive.rotate(secret)?;
    drive.describe(secret)?;
    drive.read(secret, None)?;
    drive.versions(secret)?;
    Ok(())
}
