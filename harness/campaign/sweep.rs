//! Removes what a run made: at its end, in its middle where too much is there, and after a crash.

use super::care::Care;
use super::journal::Remains;
use super::ledger::{Ledger, is_final};
use super::link::{Direct, Endpoint};
use crate::check::{Link, PATIENCE, too_frequent};
use crate::client::Now;
use crate::codec::Call;
use crate::history::{Attempt, Exchange};
use crate::model::{Condition, Meaning, Role};
use crate::spec::Vendor;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What became of a secret that was to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It was deleted.
    Removed,
    /// It goes by itself at the end of its deletion window.
    Leaving,
    /// It was not there.
    NotThere,
    /// It may still be there.
    Failed(String),
}

impl Removal {
    /// Whether nothing is left to do.
    pub const fn is_gone(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// Makes a call again that came too soon.
fn patiently(vendor: &Vendor, link: &mut Direct, call: &Call) -> Exchange {
    let mut exchange = link.send(Attempt::new(call));
    for round in PATIENCE {
        if !too_frequent(vendor, &exchange) || !link.wait(round) {
            break;
        }
        exchange = link.send(Attempt::new(call));
    }
    exchange
}

/// Removes a secret at once, or as soon as the API allows.
fn remove(vendor: &Vendor, link: &mut Direct, account: usize, name: &str) -> Removal {
    let removal = delete(vendor, link, account, name);
    // Some APIs take no second deletion while a first one waits: out of the window, and then at once.
    let delete_now = call_of(vendor, Role::Delete, account, name).is_some_and(|call| is_final(vendor, &call));
    let back = call_of(vendor, Role::Restore, account, name);
    match back
        .filter(|_| delete_now && removal == Removal::Leaving)
        .map(|call| patiently(vendor, link, &call))
    {
        Some(exchange) if exchange.done() => delete(vendor, link, account, name),
        _ => removal,
    }
}

fn delete(vendor: &Vendor, link: &mut Direct, account: usize, name: &str) -> Removal {
    if let Some(why) = link.exhausted() {
        return Removal::Failed(why);
    }
    let Some(call) = call_of(vendor, Role::Delete, account, name) else {
        return Removal::Failed("the API documents no deletion".into());
    };
    if let Some(off) = call_of(vendor, Role::Disable, account, name).filter(|_| vendor.law.needs_disabled) {
        patiently(vendor, link, &off);
    }
    let exchange = patiently(vendor, link, &call);
    match () {
        () if exchange.done() && is_final(vendor, &call) => Removal::Removed,
        () if exchange.done() => Removal::Leaving,
        () if exchange.says(&vendor.spec, Condition::UnknownSecret) => Removal::NotThere,
        () if exchange.says(&vendor.spec, Condition::InDeletion) => Removal::Leaving,
        () => Removal::Failed(exchange.summary()),
    }
}

/// A call of a role at a secret; a deletion that is final at once, or as soon as may be.
fn call_of(vendor: &Vendor, role: Role, account: usize, name: &str) -> Option<Call> {
    let mut ways = vendor.spec.operations_for(role);
    let at_once = ways.find(|(_, it)| it.forced || it.parameter(Meaning::Force).is_some());
    let (operation, described) = at_once.or_else(|| vendor.spec.operation_for(role))?;
    let mut call = Call::new(operation);
    call.account = account;
    if let Some((parameter, _)) = described.parameter(Meaning::Secret) {
        call.set(parameter, name);
    }
    match (described.parameter(Meaning::Force), described.parameter(Meaning::Window)) {
        (Some((force, _)), _) => call.set(force, "true"),
        (None, Some((window, days))) => {
            call.set(window, days.min.unwrap_or(vendor.spec.deletion.default_days).to_string());
        }
        (None, None) => {}
    }
    Some(call)
}

/// Removes what exercises made that have ended.
pub(super) fn finished(link: &mut Direct) {
    some(link, false);
}

/// Removes everything that the run made. Returns how many secrets may be left.
pub(super) fn all(link: &mut Direct) -> usize {
    link.begin_sweep();
    some(link, true);
    link.ledger.left()
}

fn some(link: &mut Direct, all: bool) {
    let vendor = link.ledger.vendor.clone();
    for secret in link.ledger.removable(all) {
        if all {
            link.hurry();
        }
        if link.exhausted().is_some() {
            break;
        }
        let removal = remove(&vendor, link, secret.0, &secret.1);
        link.ledger.removed(&secret, removal.is_gone());
    }
}

/// Removes what a journal leaves to do, and tells of each secret. Returns how many may be left.
pub fn cleanup(
    vendor: &Arc<Vendor>,
    endpoint: &Endpoint,
    now: &Now,
    remains: &Remains,
    deadline: Duration,
    tell: &mut dyn FnMut(usize, &str, &Removal),
) -> usize {
    let mut caller = endpoint.caller(vendor, now, 0);
    if let Some((operation, _)) = vendor.spec.operation_for(Role::Describe) {
        caller.learn_time(operation);
    }
    let ledger = Ledger::open(vendor, "", "", &Care::default());
    let mut link = Direct::new(caller, endpoint.clone(), Instant::now() + deadline, ledger);
    let mut left = remains.strange.len() + remains.nameless.len();
    for (account, name) in &remains.own {
        let removal = if *account < endpoint.credentials.len() {
            remove(vendor, &mut link, *account, name)
        } else {
            Removal::Failed(
                "there are no access keys for its account: give those of both with --credentials FILE".into(),
            )
        };
        left += usize::from(!removal.is_gone());
        tell(*account, name, &removal);
    }
    left
}
