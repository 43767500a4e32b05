//! Faults: switches that make the reference wrong, one way each.
//!
//! A fault is a name, a line of prose and a twist at one seam of a turn. Most come from defects that
//! people really hit. Each is caught by a rule; `tests/it/fault_matrix.rs` fails when one is not.

mod auth;
mod deep;
mod errors;
mod idempotency;
mod interval;
mod liberties;
mod neighbours;
mod overlaps;
mod phrasing;
mod policy;
mod races;
mod tools;
mod versions;

use super::{Emulator, Turn};
use crate::codec;
use crate::sign::{Credentials, Refusal, Scheme};
use crate::spec::Vendor;
use crate::wire::Request;
use std::sync::Arc;

/// Where a fault twists a turn.
#[derive(Clone, Copy)]
pub enum Seam {
    /// The documents are misread.
    Paper(fn(&mut Vendor)),
    /// Signatures are checked wrongly.
    Verify(fn(&mut Checks, &mut Emulator, &mut Turn<'_>)),
    /// Parameters are heard wrongly, before they are read.
    Hear(fn(&mut Emulator, &mut Turn<'_>)),
    /// Read parameters are weighed wrongly, before anything is decided.
    Weigh(fn(&mut Emulator, &mut Turn<'_>)),
    /// The outcome is decided wrongly, before it takes effect.
    Decide(fn(&mut Emulator, &mut Turn<'_>)),
    /// The outcome is decided on what was stored when the first of the calls came that overlap with this
    /// one; asked after [`Seam::Decide`], and only while calls overlap.
    Race(fn(&mut Emulator, &mut Turn<'_>)),
    /// What is stored is wrong afterwards, or the facts stated.
    Keep(fn(&mut Emulator, &mut Turn<'_>)),
    /// The reply says something wrong, before it is bytes.
    Phrase(fn(&mut Emulator, &mut Turn<'_>)),
    /// The reply's bytes are wrong.
    Send(fn(&mut Emulator, &mut Turn<'_>)),
}

impl std::fmt::Debug for Seam {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Paper(_) => "Paper",
            Self::Verify(_) => "Verify",
            Self::Hear(_) => "Hear",
            Self::Weigh(_) => "Weigh",
            Self::Decide(_) => "Decide",
            Self::Race(_) => "Race",
            Self::Keep(_) => "Keep",
            Self::Phrase(_) => "Phrase",
            Self::Send(_) => "Send",
        })
    }
}

/// A way to be wrong.
#[derive(Debug)]
pub struct Fault {
    /// Its name: `--fault` takes it.
    pub name: &'static str,
    /// What it does, in a line.
    pub does: &'static str,
    /// Rules that catch it, by their ids.
    pub rules: &'static [&'static str],
    /// Where it twists a turn.
    pub seam: Seam,
}

/// Whether a wrong signature is forgiven: why it is wrong, its scheme, the request, the key.
pub type Forgive = fn(&Refusal, &Scheme, &Request, &Credentials) -> bool;

/// How signatures are checked; a fault loosens it.
#[derive(Debug, Default)]
pub struct Checks {
    /// A request without any signature passes.
    pub unsigned_passes: bool,
    /// Every request passes.
    pub everything_passes: bool,
    /// Every signature passes; key and time stamp are looked at.
    pub signature_passes: bool,
    /// Any access key passes, whatever its signature.
    pub any_key: bool,
    /// Old time stamps pass.
    pub stale_passes: bool,
    /// Time stamps of the future pass.
    pub future_passes: bool,
    /// A nonce may be used again.
    pub nonces_repeat: bool,
    /// A documented scheme that is refused.
    pub refused_scheme: Option<String>,
    /// Some wrong signatures are forgiven.
    pub forgive: Option<Forgive>,
}

impl Checks {
    pub(super) fn forgives(
        &self,
        refusal: &Refusal,
        scheme: &Scheme,
        request: &Request,
        credentials: &Credentials,
    ) -> bool {
        self.forgive.is_some_and(|forgive| forgive(refusal, scheme, request, credentials))
    }

    /// An unsigned request still says where its operation is named.
    pub(super) fn scheme_of_unsigned(&self, schemes: &[Arc<Scheme>], request: &Request) -> Arc<Scheme> {
        let names_it = |scheme: &&Arc<Scheme>| {
            scheme.operation_parameter().is_some_and(|name| {
                let body = String::from_utf8_lossy(&request.body);
                let named = |text: &str| text.split('&').any(|pair| pair.split('=').next() == Some(name));
                named(request.query()) || (codec::is_form(request) && named(&body))
            })
        };
        let fitting = schemes.iter().find(names_it);
        let usual = || schemes.iter().find(|scheme| scheme.operation_parameter().is_none());
        fitting.or_else(usual).unwrap_or(&schemes[0]).clone()
    }
}

/// Every fault, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        versions::FAULTS,
        idempotency::FAULTS,
        interval::FAULTS,
        policy::FAULTS,
        errors::FAULTS,
        auth::FAULTS,
        neighbours::FAULTS,
        races::FAULTS,
    ]
    .into_iter()
    .flatten()
}

/// Faults that no directed check trips: each needs several calls in a certain order, a certain value, or
/// calls that overlap in a certain state.
pub fn deep() -> impl Iterator<Item = &'static Fault> {
    deep::FAULTS.iter().chain(overlaps::FAULTS)
}

/// What documents leave open, taken the other way: not wrong, and never to be accused.
pub fn liberties() -> impl Iterator<Item = &'static Fault> {
    liberties::LIBERTIES.iter().chain(phrasing::LIBERTIES)
}

/// The fault or liberty with this name.
pub fn find(name: &str) -> Option<&'static Fault> {
    all().chain(deep()).chain(liberties()).find(|fault| fault.name == name)
}

/// What some faults do at the end of a turn, when they have begun something in it.
pub(super) fn finish(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    if !emulator.memory.is_empty() {
        errors::name_other(emulator, turn);
        auth::refuse_late(emulator, turn);
    }
}

/// Whether a fault shows only where calls overlap, or where a reply is lost.
pub(super) fn races_or_loses(fault: &Fault) -> bool {
    let ours = races::FAULTS.iter().chain(overlaps::FAULTS).any(|known| known.name == fault.name);
    ours || matches!(fault.seam, Seam::Race(_))
}

/// Faults may go by whether the reply to a request was delivered.
pub(super) fn undelivered(emulator: &mut Emulator, request: &Request) {
    races::undelivered(emulator, request);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_prose_is_a_line() {
        let all: Vec<&Fault> = all().chain(deep()).chain(liberties()).collect();
        for (at, fault) in all.iter().enumerate() {
            assert!(
                all[at + 1..].iter().all(|other| other.name != fault.name),
                "{} stands twice",
                fault.name
            );
            assert!(
                fault.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                fault.name
            );
            assert!(
                fault.does.len() < 100 && !fault.does.ends_with('.') && !fault.does.contains('\n'),
                "{}",
                fault.name
            );
            let liberty = liberties().any(|liberty| liberty.name == fault.name);
            assert!(liberty || !fault.rules.is_empty(), "{} names no rule", fault.name);
            assert!(fault.rules.iter().all(|id| crate::model::rule(id).is_some()), "{}", fault.name);
        }
    }
}
