//! The embedded reference emulator as an endpoint in this process.

use crate::client::clock::{Clock, ClockError};
use crate::client::transport::{Lost, Timed, Transport};
use crate::emulator::{Account, Emulator};
use crate::history::Leave;
use crate::sign::Credentials;
use crate::spec::Vendor;
use crate::wire::{Request, Response};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A clock that stands still unless it is advanced. Unix seconds.
#[derive(Clone, Debug)]
pub struct SharedClock(Arc<AtomicI64>);

impl SharedClock {
    /// A clock that shows this time.
    pub fn new(now: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    /// The time it shows.
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for SharedClock {
    fn advance(&self, seconds: u64) -> Result<(), ClockError> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        self.0.fetch_add(seconds, Ordering::SeqCst);
        Ok(())
    }

    fn how(&self) -> String {
        "the clock of this process".into()
    }
}

/// The reference emulator as a transport: requests are handed over, nothing travels.
#[derive(Debug)]
pub struct Reference {
    emulator: Mutex<Emulator>,
    clock: SharedClock,
    name: String,
}

impl Reference {
    /// A reference emulator of a vendor with the default accounts. The clock begins in 2024: nothing
    /// here depends on today's date.
    pub fn new(vendor: Arc<Vendor>, seed: u64) -> Self {
        {
            let accounts = Emulator::default_accounts(&vendor);
            Self::with_accounts(vendor, accounts, seed)
        }
    }

    /// As [`Self::new`], with other accounts.
    pub fn with_accounts(vendor: Arc<Vendor>, accounts: Vec<Account>, seed: u64) -> Self {
        let name = format!("the embedded reference of {}", vendor.spec.vendor);
        let emulator = Mutex::new(Emulator::new(vendor, accounts, seed));
        Self { emulator, clock: SharedClock::new(1_704_164_645), name }
    }

    /// Its clock.
    pub const fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The access keys of its accounts.
    pub fn credentials(&self) -> Vec<Credentials> {
        self.with(|emulator| emulator.accounts().iter().map(|account| account.credentials.clone()).collect())
    }

    /// Reaches into the emulator: to switch faults, for example.
    pub fn with<T>(&self, reach: impl FnOnce(&mut Emulator) -> T) -> T {
        reach(&mut self.emulator.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transport for Reference {
    fn send(&self, request: &Request, _timeout: Duration) -> Result<Response, Lost> {
        let now = self.clock.now();
        Ok(self.with(|emulator| emulator.handle(request, now)))
    }

    /// A request that is let go of at once may get lost on its way, as the emulator's dice say.
    fn send_and_leave(&self, request: &Request, _timeout: Duration, leave: Leave) -> Lost {
        let now = self.clock.now();
        self.with(|emulator| {
            if leave == Leave::AfterReply || emulator.dice().bool() {
                emulator.handle(request, now);
                emulator.undelivered(request);
            }
        });
        Lost::Dropped
    }

    /// Requests at the same time are served one by one, in the order that the dice say; each began before
    /// any of them ended, and faults that race see what was stored when the first one came.
    fn send_together(&self, requests: &[(Request, Option<Leave>)], timeout: Duration) -> Vec<Timed> {
        let began = Instant::now();
        let mut order: Vec<usize> = (0..requests.len()).collect();
        self.with(|emulator| {
            emulator.dice().shuffle(&mut order);
            emulator.overlap(true);
        });
        let mut served: Vec<Option<Result<Response, Lost>>> = vec![None; requests.len()];
        for at in order {
            let (request, leave) = &requests[at];
            served[at] = Some(match leave {
                Some(leave) => Err(self.send_and_leave(request, timeout, *leave)),
                None => self.send(request, timeout),
            });
        }
        self.with(|emulator| emulator.overlap(false));
        // However fast it was: they overlapped.
        let ended = Instant::now().max(began + Duration::from_micros(2));
        served.into_iter().flatten().map(|result| (result, began, ended)).collect()
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}
