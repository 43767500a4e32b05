//! Removes what a run made: at its end, in its middle where too much is there, and after a crash.

use super::care::Care;
use super::journal::Remains;
use super::ledger::{Ledger, is_final};
use super::link::{Direct, Endpoint};
use crate::check::{Drive, Link, Settings, Step};
use crate::client::Now;
use crate::codec::Call;
use crate::history::History;
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

/// Removes a secret at once, or as soon as the API allows.
fn remove(drive: &mut Drive<'_>, account: usize, name: &str) -> Removal {
    try_to_remove(drive, account, name).unwrap_or_else(|halt| Removal::Failed(halt.to_string()))
}

fn try_to_remove(drive: &mut Drive<'_>, account: usize, name: &str) -> Step<Removal> {
    let vendor = drive.vendor;
    let Some(call) = call_of(vendor, Role::Delete, account, name) else {
        return Ok(Removal::Failed("the API documents no deletion".into()));
    };
    let off = call_of(vendor, Role::Disable, account, name).filter(|_| vendor.law.needs_disabled);
    let delete = |drive: &mut Drive<'_>| {
        off.iter().try_for_each(|off| drive.send(off).map(drop))?;
        deleted(drive, &call)
    };
    let removal = delete(drive)?;
    // Some APIs take no second deletion while a first one waits: out of the window, and then at once.
    let back = call_of(vendor, Role::Restore, account, name);
    let Some(back) = back.filter(|_| removal == Removal::Leaving && is_final(vendor, &call)) else {
        return Ok(removal);
    };
    let at = drive.send(&back)?;
    if drive.done(at) { delete(drive) } else { Ok(removal) }
}

fn deleted(drive: &mut Drive<'_>, call: &Call) -> Step<Removal> {
    let vendor = drive.vendor;
    let at = drive.send(call)?;
    let exchange = drive.at(at)?;
    Ok(match () {
        () if exchange.done() && is_final(vendor, call) => Removal::Removed,
        () if exchange.done() => Removal::Leaving,
        () if exchange.says(&vendor.spec, Condition::UnknownSecret) => Removal::NotThere,
        () if exchange.says(&vendor.spec, Condition::InDeletion) => Removal::Leaving,
        () => Removal::Failed(format!("{}: {}", call.operation, exchange.summary())),
    })
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

/// Removes what was made by an exercise that has ended: the last part of its history.
pub(super) fn finished(link: &mut Direct, settings: &mut Settings, history: History) -> History {
    link.ledger.finish();
    some(link, settings, history, false)
}

/// Removes everything that the run made. Returns how many secrets may be left.
pub(super) fn all(link: &mut Direct, settings: &mut Settings) -> usize {
    link.begin_sweep();
    some(link, settings, History::default(), true);
    link.ledger.left()
}

fn some(link: &mut Direct, settings: &mut Settings, mut history: History, all: bool) -> History {
    let vendor = link.ledger.vendor.clone();
    for secret in link.ledger.removable(all) {
        if all {
            link.hurry();
        }
        if link.exhausted().is_some() {
            break;
        }
        let mut drive = Drive::new(link, &vendor, settings);
        drive.history = history;
        let removal = remove(&mut drive, secret.0, &secret.1);
        history = drive.history;
        link.ledger.removed(&secret, &removal);
    }
    history
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
    let mut settings = Settings::new(String::new(), 0);
    let mut left = remains.strange.len() + remains.nameless.len();
    for (account, name) in &remains.own {
        let removal = if *account < endpoint.credentials.len() {
            remove(&mut Drive::new(&mut link, vendor, &mut settings), *account, name)
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
