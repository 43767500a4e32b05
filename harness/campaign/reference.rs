//! The embedded reference emulator as an endpoint in this process.

use crate::client::clock::{Clock, ClockError};
use crate::client::transport::{Lost, Transport};
use crate::emulator::{Account, Emulator};
use crate::sign::Credentials;
use crate::spec::Vendor;
use crate::wire::{Request, Response};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

    fn name(&self) -> String {
        self.name.clone()
    }
}
