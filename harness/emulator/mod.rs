//! The reference emulator: the canonical reading of a spec, as an endpoint.
//!
//! [`Emulator::handle`] is a function of its state, a request and the time: no socket, no clock. The
//! first of [`crate::model::outcomes`] is what it answers. Faults are switches that make it wrong in
//! one way each, at one of a few seams ([`fault::Seam`]).
//!
//! Around it, and as pure: framing ([`http1`]), misbehaviour on the wire ([`hostile`]), and the control
//! protocol ([`control`]). Only `server` owns sockets.

pub mod control;
pub mod fault;
pub mod hostile;
pub mod http1;
mod making;
mod nonces;
mod pages;
#[cfg(feature = "net")]
pub mod server;
#[cfg(feature = "net")]
pub mod service;
mod turn;
mod values;

pub use turn::Turn;

use crate::codec::{self, Refusal};
use crate::model::{Condition, Role, World, digest};
use crate::sign::{self, Credentials};
use crate::spec::{Format, Level, Vendor};
use crate::wire::{Request, Response, hex};
use fault::{Checks, Fault, Seam};
use foldhash::{HashMap, HashMapExt};
use nonces::Nonces;
use std::collections::BTreeMap;
use std::sync::Arc;
use values::Making;

/// An account of the emulator.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its access key.
    pub credentials: Credentials,
    /// Its number, as it stands in full identifiers.
    pub number: String,
}

/// The reference emulator of one vendor.
#[derive(Debug)]
pub struct Emulator {
    pristine: Arc<Vendor>,
    /// The vendor as this emulator reads it: a fault may misread it.
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) world: World,
    pub(crate) values: HashMap<u64, Arc<str>>,
    pub(crate) making: BTreeMap<crate::model::Key, Making>,
    nonces: Nonces,
    pub(crate) rng: fastrand::Rng,
    seed: u64,
    pub(crate) faults: Vec<&'static Fault>,
    /// Secrets that are deleted: faults may bring them back.
    pub(crate) graves: BTreeMap<crate::model::Key, Arc<crate::model::Secret>>,
    /// Scratch of faults that remember something between calls.
    pub(crate) memory: BTreeMap<String, String>,
    /// What was stored when the first of the calls came that overlap now: faults that race go by it.
    pub(crate) stale: Option<World>,
}

impl Emulator {
    /// An emulator with nothing in it.
    pub fn new(vendor: Arc<Vendor>, accounts: Vec<Account>, seed: u64) -> Self {
        Self {
            pristine: vendor.clone(),
            vendor,
            accounts,
            world: World::default(),
            values: HashMap::new(),
            making: BTreeMap::new(),
            nonces: Nonces::default(),
            rng: fastrand::Rng::with_seed(seed),
            seed,
            faults: Vec::new(),
            graves: BTreeMap::new(),
            memory: BTreeMap::new(),
            stale: None,
        }
    }

    /// Two accounts with the default access keys: `testid`/`testsecret` and `testid2`/`testsecret2`.
    /// Tokens are `testtoken` and `testtoken2`.
    pub fn default_accounts(vendor: &Vendor) -> Vec<Account> {
        let account = |(suffix, number): (&str, &String)| Account {
            credentials: Credentials {
                bearer: Some(format!("testtoken{suffix}")),
                project: Some(number.clone()),
                ..Credentials::pair(&format!("testid{suffix}"), &format!("testsecret{suffix}"))
            },
            number: number.clone(),
        };
        ["", "2"].into_iter().zip(&vendor.spec.protocol.accounts).map(account).collect()
    }

    /// The vendor whose documents this emulator follows.
    pub const fn documents(&self) -> &Arc<Vendor> {
        &self.pristine
    }

    /// Its accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Switches faults: exactly these are on afterwards.
    pub fn set_faults(&mut self, faults: Vec<&'static Fault>) {
        let mut vendor = (*self.pristine).clone();
        for fault in &faults {
            if let Seam::Paper(misread) = fault.seam {
                misread(&mut vendor);
            }
        }
        self.vendor = Arc::new(vendor);
        self.faults = faults;
        self.memory.clear();
    }

    /// The faults that are on.
    pub fn faults(&self) -> &[&'static Fault] {
        &self.faults
    }

    /// Forgets everything that is stored; faults stay as they are.
    pub fn reset(&mut self) {
        self.world = World::default();
        self.values.clear();
        self.making.clear();
        self.nonces = Nonces::default();
        self.graves.clear();
        self.memory.clear();
        self.stale = None;
        self.rng = fastrand::Rng::with_seed(self.seed);
    }

    /// Calls begin to overlap, or do so no more. What is right does not depend on it; faults that race do.
    pub fn overlap(&mut self, begins: bool) {
        self.stale = begins.then(|| self.world.clone());
    }

    /// Whether a fault is on that shows only where calls overlap, or where a reply is lost.
    pub fn races(&self) -> bool {
        self.faults.iter().any(|fault| fault::races_or_loses(fault))
    }

    /// The reply to this request never reached whoever asked. What is right does not depend on it, but a
    /// fault may.
    pub fn undelivered(&mut self, request: &Request) {
        fault::undelivered(self, request);
    }

    /// The emulator's dice.
    pub const fn dice(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    /// Forgets everything that is stored, and throws other dice from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.reset();
    }

    /// Answers a request at a time in Unix seconds.
    pub fn handle(&mut self, request: &Request, now: i64) -> Response {
        self.handle_and_tell(request, now).0
    }

    /// As [`Self::handle`], and tells whether the request asked for a rotation.
    pub fn handle_and_tell(&mut self, request: &Request, now: i64) -> (Response, bool) {
        let mut turn = Turn::new(request, now, self.request_id());
        self.refuse_or_serve(&mut turn);
        self.say(&mut turn);
        let rotates = turn.role() == Some(Role::Rotate);
        (turn.response, rotates)
    }

    fn refuse_or_serve(&mut self, turn: &mut Turn<'_>) {
        if let Err(condition) = self.authenticate(turn) {
            // The reply format asked for counts for refusals too, even of strangers.
            turn.format = self.format_wanted(turn.request);
            return self.refuse(turn, condition, "");
        }
        let Some(scheme) = turn.scheme.clone() else { return };
        match codec::decode_call(&self.vendor, turn.request, &scheme) {
            Err((condition, format)) => {
                turn.format = format;
                let culprit = if condition == Condition::BadFormat { "Format" } else { "" };
                self.refuse(turn, condition, culprit);
            }
            Ok(inbound) => {
                turn.format = inbound.format;
                turn.operation = inbound.operation;
                turn.params = inbound.params;
                turn.mistyped = inbound.mistyped;
                self.serve(turn);
            }
        }
    }

    fn format_wanted(&self, request: &Request) -> Format {
        self.vendor.scheme().map_or(Format::Json, |scheme| {
            match codec::decode_call(&self.vendor, request, scheme) {
                Ok(inbound) => inbound.format,
                Err((_, format)) => format,
            }
        })
    }

    /// Who calls: sets account and scheme of the turn.
    fn authenticate(&mut self, turn: &mut Turn<'_>) -> Result<(), Condition> {
        let mut checks = Checks::default();
        for fault in self.faults.clone() {
            if let Seam::Verify(loosen) = fault.seam {
                loosen(&mut checks, self, turn);
            }
        }
        let schemes = &self.vendor.schemes;
        let Some(scheme) = schemes.iter().find(|scheme| scheme.announces(turn.request)).cloned() else {
            if checks.unsigned_passes {
                turn.scheme = Some(checks.scheme_of_unsigned(schemes, turn.request));
                return Ok(());
            }
            return Err(Condition::Unsigned);
        };
        turn.scheme = Some(scheme.clone());
        if checks.refused_scheme.as_ref() == Some(&scheme.name) {
            return Err(Condition::BadAlgorithm);
        }
        if checks.everything_passes {
            return Ok(());
        }
        let claim = scheme.claim(turn.request).map_err(|refusal| condition_of(&refusal))?;
        let account = self.accounts.iter().position(|account| scheme.names(&claim, &account.credentials));
        turn.account = match account {
            Some(account) => account,
            None if checks.any_key => 0,
            None => return Err(Condition::UnknownKey),
        };
        let age = claim.at.map_or(0, |at| turn.now - at);
        let window = self.vendor.spec.signing.accepted_within + 60;
        if (age > window && !checks.stale_passes) || (age < -window && !checks.future_passes) {
            return Err(Condition::Expired);
        }
        let credentials = &self.accounts[turn.account].credentials;
        if !checks.any_key && !checks.signature_passes {
            match scheme.verify_claim(turn.request, &claim, credentials) {
                Ok(()) => {}
                Err(refusal) if checks.forgives(&refusal, &scheme, turn.request, credentials) => {}
                Err(refusal) => {
                    if let sign::Refusal::Mismatch { string_to_sign } = &refusal {
                        turn.string_to_sign = string_to_sign.clone();
                    }
                    return Err(condition_of(&refusal));
                }
            }
        }
        match claim.nonce {
            Some(nonce) => {
                let new = self.nonces.is_new(nonce, turn.now);
                let guarded = self.vendor.spec.level("AUTH-5") > Level::Unspecified;
                if new || checks.nonces_repeat || !guarded { Ok(()) } else { Err(Condition::NonceUsed) }
            }
            None => Ok(()),
        }
    }

    pub(crate) fn refuse(&self, turn: &mut Turn<'_>, condition: Condition, parameter: &str) {
        let (codes, _) = self.vendor.spec.answers(condition, &turn.operation);
        let template = codes.first().map_or("InternalError", String::as_str);
        let described = self.vendor.spec.errors.get(template);
        let message = described
            .and_then(|error| error.message.clone())
            .unwrap_or_else(|| "the call is refused.".into());
        turn.condition = Some(condition);
        turn.refusal = Some(Refusal {
            status: described.and_then(|error| error.status.first().copied()).unwrap_or(400),
            code: template.replace("{parameter}", parameter),
            message: message
                .replace("{parameter}", parameter)
                .replace("{string-to-sign}", &turn.string_to_sign),
        });
    }

    fn say(&mut self, turn: &mut Turn<'_>) {
        for fault in self.faults.clone() {
            if let Seam::Phrase(twist) = fault.seam {
                twist(self, turn);
            }
        }
        fault::finish(self, turn);
        turn.response = match &turn.refusal {
            Some(refusal) => {
                codec::encode_refusal(&self.vendor, &turn.operation, turn.format, refusal, &turn.request_id)
            }
            None => {
                codec::encode_done(&self.vendor, &turn.operation, turn.format, &turn.facts, &turn.request_id)
            }
        };
        if let Ok(date) = u64::try_from(turn.now) {
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(date);
            turn.response.headers.add("date", httpdate::fmt_http_date(at));
        }
        for fault in self.faults.clone() {
            if let Seam::Send(twist) = fault.seam {
                twist(self, turn);
            }
        }
    }

    fn request_id(&mut self) -> String {
        let mut hex = hex(&self.rng.u128(..).to_be_bytes());
        for at in [20, 16, 12, 8] {
            hex.insert(at, '-');
        }
        hex
    }

    /// Keeps a secret value, and gives its digest.
    pub(crate) fn keep(&mut self, value: &str) -> u64 {
        let digest = digest(value);
        self.values.entry(digest).or_insert_with(|| value.into());
        digest
    }
}

const fn condition_of(refusal: &sign::Refusal) -> Condition {
    match refusal {
        sign::Refusal::Unsigned => Condition::Unsigned,
        sign::Refusal::Malformed(_) => Condition::Malformed,
        sign::Refusal::Missing(_) => Condition::Malformed,
        sign::Refusal::BadTimestamp => Condition::BadTimestamp,
        sign::Refusal::WrongMethod => Condition::BadAlgorithm,
        sign::Refusal::WrongScope => Condition::WrongScope,
        sign::Refusal::Mismatch { .. } | sign::Refusal::BodyHash => Condition::Mismatch,
    }
}
