//! What a run has in its hands once it has got to know its endpoint.

use super::journal::BRAND;
use super::ledger::Ledger;
use super::link::{Direct, Endpoint};
use super::{probe, sweep};
use crate::check::Settings;
use crate::client::Now;
use crate::history::History;
use crate::model::Role;
use crate::spec::Vendor;
use std::sync::Arc;
use std::time::Instant;

/// What a run has in its hands.
#[derive(Debug)]
pub(super) struct Session {
    /// The vendor, without what the endpoint does not have.
    pub(super) vendor: Arc<Vendor>,
    pub(super) link: Direct,
    pub(super) settings: Settings,
    /// Rotations that others may have made before, account by account.
    pub(super) prior: Vec<Vec<i64>>,
}

impl Session {
    /// Gets to know an endpoint: its clock, what it lacks, and whose the access keys are.
    pub(super) fn begin(
        vendor: &Arc<Vendor>,
        endpoint: &Endpoint,
        now: &Now,
        seed: u64,
        deadline: Instant,
    ) -> Self {
        let mut caller = endpoint.caller(vendor, now, seed);
        let missing = match endpoint.in_process {
            true => Vec::new(),
            false => {
                if let Some((operation, _)) = vendor.spec.operation_for(Role::Describe) {
                    caller.learn_time(operation);
                }
                probe::missing(vendor, &mut caller)
            }
        };
        let vendor = probe::without(vendor, &missing);
        let prefix = format!("{BRAND}{:08x}-", endpoint.fresh(seed) as u32);
        let ledger = Ledger::open(&vendor, &endpoint.transport.name(), &prefix, &endpoint.care);
        let mut link = Direct::new(caller, endpoint.clone(), deadline, ledger);
        let mut settings = Settings::new(prefix, seed);
        settings.missing = missing;
        settings.fixtures.clone_from(&endpoint.fixtures);
        if endpoint.presumed && probe::one_account(&vendor, &mut link, &mut settings) {
            link.use_one_account();
        }
        sweep::finished(&mut link, &mut settings, History::default());
        let prior = link.prior(&vendor);
        Self { vendor, link, settings, prior }
    }
}
