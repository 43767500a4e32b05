//! Tries plans at an endpoint, one after another, each on fresh secrets.

use super::features::features;
use super::perform::{Performed, perform};
use crate::campaign::link::{Direct, Endpoint};
use crate::campaign::session::Session;
use crate::campaign::{Reference, sweep};
use crate::check::{Expectation, Link, ReplySchemas, Ruling, Settings, judge_all};
use crate::client::Now;
use crate::generate::Plan;
use crate::history::History;
use crate::spec::Vendor;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is fuzzed: an endpoint, or a reference that begins anew with each plan.
#[derive(Clone)]
pub struct Target {
    /// How it is reached.
    pub endpoint: Endpoint,
    /// The time here.
    pub now: Now,
    /// The reference behind it, where it is one in this process.
    pub reference: Option<Arc<Reference>>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Target({:?})", self.endpoint)
    }
}

impl Target {
    /// The embedded reference of a vendor, with these faults.
    pub fn reference(
        vendor: &Arc<Vendor>,
        faults: Vec<&'static crate::emulator::fault::Fault>,
        seed: u64,
    ) -> Self {
        let reference = Arc::new(Reference::new(vendor.clone(), seed));
        reference.with(|emulator| emulator.set_faults(faults));
        let clock = reference.clock().clone();
        let endpoint = Endpoint::in_process(reference.clone());
        Self { endpoint, now: Arc::new(move || clock.now()), reference: Some(reference) }
    }
}

#[cfg(feature = "net")]
impl Target {
    /// An endpoint at a URL on this machine, or at a host that is allowed by name; its clock stays as it is.
    ///
    /// # Errors
    /// If the URL is none, or names a host that nobody allowed.
    pub fn over_http(
        url: &str,
        credentials: Vec<crate::sign::Credentials>,
        allow_hosts: &[String],
    ) -> Result<Self, crate::client::http::EndpointError> {
        use crate::client::http::{HttpTransport, Limits};
        let transport = HttpTransport::new(url, Limits::default(), allow_hosts)?;
        let endpoint = Endpoint {
            host: transport.host().to_owned(),
            transport: Arc::new(transport),
            credentials,
            presumed: false,
            clock: None,
            timeout: Duration::from_secs(5),
            waits: false,
            fixtures: Vec::new(),
            in_process: false,
            care: crate::campaign::Care::default(),
        };
        let now = || {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
        };
        Ok(Self { endpoint, now: Arc::new(now), reference: None })
    }
}

/// What came of one plan.
#[derive(Debug)]
pub struct Trial<'p> {
    /// What happened.
    pub performed: Performed<'p>,
    /// Rotations of each account before it, which may count for a limit.
    pub before: Vec<Vec<i64>>,
    /// What did not hold.
    pub violations: Vec<Expectation>,
    /// Everything that it has shown.
    pub features: Vec<u64>,
}

/// Tries plans at one endpoint.
#[derive(Debug)]
pub struct Runner {
    vendor: Arc<Vendor>,
    schemas: Arc<ReplySchemas>,
    target: Target,
    link: Direct,
    settings: Settings,
    /// Rotations that others may have made before, account by account.
    prior: Vec<Vec<i64>>,
}

impl Runner {
    /// A runner that ends at a deadline.
    ///
    /// # Errors
    /// If the vendor's reply schemas cannot be used.
    pub fn new(vendor: &Arc<Vendor>, target: Target, seed: u64, deadline: Instant) -> Result<Self, String> {
        let Session { vendor, link, settings, prior } =
            Session::begin(vendor, &target.endpoint, &target.now, seed, deadline);
        let schemas = Arc::new(ReplySchemas::new(&vendor)?);
        Ok(Self { vendor, schemas, target, link, settings, prior })
    }

    /// The vendor, without what the endpoint does not have.
    pub const fn vendor(&self) -> &Arc<Vendor> {
        &self.vendor
    }

    /// Whom it talks to.
    pub fn name(&self) -> String {
        self.target.endpoint.transport.name()
    }

    /// Calls made so far.
    pub const fn calls(&self) -> usize {
        self.link.calls
    }

    /// Performs a plan and judges what happened. What is random at a reference in this process follows
    /// from the seed.
    pub fn trial<'p>(&mut self, plan: &'p Plan, seed: u64) -> Trial<'p> {
        if let Some(reference) = &self.target.reference {
            reference.restart(seed);
            self.settings.names = 0;
            self.settings.seed = seed;
            self.settings.spent.iter_mut().for_each(Vec::clear);
        }
        self.settings.kinds.clear();
        let before = self.settings.counting(&self.prior);
        self.link.forgive();
        let performed = perform(plan, &self.vendor, &mut self.link, &mut self.settings);
        let Ruling { expectations, states, .. } =
            judge_all(&self.vendor, &self.schemas, &performed.history, &before);
        let features = features(&performed, &states);
        let violations = expectations.into_iter().filter(|expectation| !expectation.holds).collect();
        self.tidy();
        Trial { performed, before, violations, features }
    }

    /// Removes what the plan made, where that stays.
    fn tidy(&mut self) {
        if self.target.reference.is_none() {
            sweep::finished(&mut self.link, &mut self.settings, History::default());
        } else {
            self.link.ledger.forget();
        }
    }

    /// Whether no more plans should be tried, and why.
    pub fn exhausted(&self) -> Option<String> {
        self.link.exhausted()
    }

    /// Since when, and why, plans leave the endpoint's clock alone, where it could be moved once.
    pub(super) fn clock_stands(&self) -> Option<&str> {
        self.link.stands()
    }

    /// Waits until so many calls may have been made at this rate.
    pub(super) fn keep_to(&self, rate: Option<f64>, began: Instant) {
        let Some(rate) = rate else { return };
        let due = Duration::from_secs_f64(self.link.calls as f64 / rate.max(0.001));
        let early = due.saturating_sub(began.elapsed());
        std::thread::sleep(early.min(Duration::from_secs(60)));
    }

    /// Ends: removes what is there, and gives the journal if that was not possible.
    pub fn close(mut self) -> Option<(std::path::PathBuf, usize)> {
        if self.target.reference.is_some() {
            return None;
        }
        let left = sweep::all(&mut self.link, &mut self.settings);
        self.link.ledger.close().map(|journal| (journal, left))
    }
}
