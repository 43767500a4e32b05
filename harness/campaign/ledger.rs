//! What a run made and has not removed yet, and how much it asked for: the journal's other half, in memory.

use super::care::Care;
use super::journal::{Head, Journal, JournalError, is_own, named_by_service};
use super::sweep::Removal;
use crate::check::Halt;
use crate::codec::{Body, Call};
use crate::history::{Exchange, Lost, Tamper};
use crate::model::{Meaning, Role, name_told};
use crate::spec::Vendor;
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A secret that may be there.
#[derive(Clone, Debug, Default)]
struct Live {
    /// The exercise that made it has ended.
    finished: bool,
    /// The endpoint said that it deleted it. It is not taken at its word, but does not count.
    deleted: bool,
    /// Why it could not be removed.
    stuck: Option<String>,
}

/// What a run made and has not removed yet.
#[derive(Debug)]
pub struct Ledger {
    pub(super) vendor: Arc<Vendor>,
    prefix: String,
    care: Care,
    journal: Option<Journal>,
    /// Why the journal can no longer be written.
    unwritable: Option<String>,
    live: IndexMap<(usize, String), Live>,
    /// Secrets whose name the service chose and nobody heard.
    nameless: usize,
    /// Rotations asked for, account by account.
    rotations: Vec<usize>,
}

/// What became of a creating call.
enum Creation {
    Made,
    /// The reply was lost, or is none: nobody knows.
    Perhaps,
    Refused,
}

impl Ledger {
    /// An empty ledger of a run whose names begin with a prefix; begins the journal, if there is to be one.
    pub fn open(vendor: &Arc<Vendor>, endpoint: &str, prefix: &str, care: &Care) -> Self {
        let begun = care.journal.as_ref().map(|wanted| {
            let default = || PathBuf::from(format!("{}.journal", prefix.trim_end_matches('-')));
            let head = Head {
                rotaprobe: env!("CARGO_PKG_VERSION").to_owned(),
                vendor: vendor.spec.vendor.clone(),
                spec: wanted.spec.clone(),
                endpoint: endpoint.to_owned(),
                prefix: prefix.to_owned(),
            };
            Journal::begin(&wanted.path.clone().unwrap_or_else(default), &head)
        });
        let (journal, unwritable) = match begun {
            None => (None, None),
            Some(Ok(journal)) => (Some(journal), None),
            Some(Err(why)) => (None, Some(why.to_string())),
        };
        Self {
            vendor: vendor.clone(),
            prefix: prefix.to_owned(),
            care: care.clone(),
            journal,
            unwritable,
            live: IndexMap::new(),
            nameless: 0,
            rotations: Vec::new(),
        }
    }

    /// Why nothing may be made any more, if so.
    pub fn unwritable(&self) -> Option<&str> {
        self.unwritable.as_deref()
    }

    /// Writes a creating call down before it leaves.
    pub(super) fn announce(&mut self, call: &Call) -> Result<(), Halt> {
        for name in self.names(call) {
            self.write(|journal| journal.making(call.account, &name));
        }
        match &self.unwritable {
            Some(why) => Err(Halt::Broken(why.clone())),
            None => Ok(()),
        }
    }

    /// Whether this call may make what it names, so that there are not too many secrets at a time.
    pub(super) fn room(&self, call: &Call) -> Result<(), Halt> {
        let Some(most) = self.care.max_secrets else { return Ok(()) };
        let there = self.live.values().filter(|live| !live.deleted).count() + self.nameless;
        let known =
            |name: &String| self.live.get(&(call.account, name.clone())).is_some_and(|live| !live.deleted);
        let new = self.names(call).iter().filter(|name| !known(name)).count();
        let stuck = || self.live.values().find_map(|live| live.stuck.clone());
        if new > 0 && there + new > most { Err(Halt::Cap { most, stuck: stuck() }) } else { Ok(()) }
    }

    /// Whether one more rotation may be asked for.
    pub(super) fn afford(&self, account: usize) -> Result<(), Halt> {
        match self.care.rotations {
            Some(most) if self.rotations.get(account).copied().unwrap_or(0) >= most => {
                Err(Halt::Budget(most))
            }
            _ => Ok(()),
        }
    }

    /// Takes note of what came of a call.
    pub(super) fn heard(&mut self, exchange: &Exchange) {
        let vendor = self.vendor.clone();
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { return };
        let account = exchange.call.account;
        match operation.role {
            Role::Create => self.created(exchange),
            Role::Delete if exchange.done() && is_final(&vendor, &exchange.call) => {
                for name in self.names(&exchange.call) {
                    self.live.get_mut(&(account, name)).into_iter().for_each(|live| live.deleted = true);
                }
            }
            Role::Rotate if may_rotate(exchange.tamper.as_ref()) || exchange.done() => {
                self.rotations.resize(self.rotations.len().max(account + 1), 0);
                self.rotations[account] += 1;
            }
            _ => {}
        }
    }

    fn created(&mut self, exchange: &Exchange) {
        let account = exchange.call.account;
        let creation = match &exchange.result {
            Err(Lost::Refused(_) | Lost::Guard(_)) => Creation::Refused,
            Err(_) => Creation::Perhaps,
            Ok((_, reply)) => match &reply.body {
                Body::Done { .. } => Creation::Made,
                Body::Refused { .. } if reply.status < 500 => Creation::Refused,
                _ => Creation::Perhaps,
            },
        };
        let facts = exchange.reply().and_then(|reply| reply.facts());
        let told = facts.and_then(name_told).map(ToString::to_string);
        for asked in self.names(&exchange.call) {
            let chosen = named_by_service(&self.vendor, &asked);
            // Only where the service is asked for a name is it free to choose one: any other name in a
            // reply may be somebody's.
            let free = chosen && !asked.is_empty();
            // It may take the word that asks for one as the name, too.
            let stated = told.as_deref().filter(|name| free || *name != asked && self.is_own(name));
            match (&creation, chosen) {
                (Creation::Refused, _) if self.live.contains_key(&(account, asked.clone())) => {}
                (Creation::Refused, _) => self.write(|journal| journal.gone(account, &asked)),
                (_, false) => drop(self.live.insert((account, asked.clone()), Live::default())),
                (_, true) => self.nameless += usize::from(stated.is_none()),
            }
            if let (Creation::Made, Some(name)) = (&creation, stated) {
                self.write(|journal| journal.made(account, &asked, name));
                self.live.insert((account, name.to_owned()), Live::default());
            }
        }
    }

    fn is_own(&self, name: &str) -> bool {
        is_own(&self.vendor, &self.prefix, name)
    }

    /// The exercise that made what is there has ended.
    pub(super) fn finish(&mut self) {
        self.live.values_mut().for_each(|live| live.finished = true);
    }

    /// What was there is there no more: whoever had it began anew.
    pub(super) fn forget(&mut self) {
        self.live.clear();
        self.nameless = 0;
    }

    /// What is to be removed: of exercises that have ended and can be, or all there is.
    pub(super) fn removable(&self, all: bool) -> Vec<(usize, String)> {
        let removable = self.live.iter().filter(|(_, live)| all || (live.finished && live.stuck.is_none()));
        removable.map(|(key, _)| key.clone()).collect()
    }

    /// A secret was removed, or could not be.
    pub(super) fn removed(&mut self, secret: &(usize, String), removal: &Removal) {
        if let Removal::Failed(why) = removal {
            self.live.get_mut(secret).into_iter().for_each(|live| live.stuck = Some(why.clone()));
        } else {
            self.live.shift_remove(secret);
            self.write(|journal| journal.gone(secret.0, &secret.1));
        }
    }

    /// Secrets that may be there.
    pub fn left(&self) -> usize {
        self.live.len() + self.nameless
    }

    /// The journal, where it is needed any more; otherwise it is removed.
    pub(super) fn close(mut self) -> Option<PathBuf> {
        let path = self.journal.as_ref().map(Journal::path).map(Path::to_owned)?;
        match self.left() {
            0 => self.journal.take()?.discard().err().map(|_| path),
            _ => Some(path),
        }
    }

    /// Every name that a call gives its secret: a parameter may stand there twice.
    fn names(&self, call: &Call) -> Vec<String> {
        let operation = self.vendor.spec.operations.get(&call.operation);
        let parameter =
            operation.and_then(|operation| operation.parameter(Meaning::Secret)).map(|(name, _)| name);
        let given = call.params.iter().filter(|param| Some(param.name.as_str()) == parameter);
        let mut names: Vec<String> = given.map(|param| param.value.clone()).collect();
        names.dedup();
        if names.is_empty() {
            names.push(String::new());
        }
        names
    }

    /// Nothing follows a line that could not be written whole.
    fn write(&mut self, line: impl FnOnce(&mut Journal) -> Result<(), JournalError>) {
        if let (Some(journal), None) = (&mut self.journal, &self.unwritable) {
            self.unwritable = line(journal).err().map(|why| why.to_string());
        }
    }
}

/// Whether a deletion, once done, leaves nothing.
pub(super) fn is_final(vendor: &Vendor, call: &Call) -> bool {
    let Some(operation) = vendor.spec.operations.get(&call.operation) else { return false };
    match (operation.parameter(Meaning::Force), operation.parameter(Meaning::Window)) {
        (Some((force, _)), _) => call.get(force).is_some_and(|value| value.eq_ignore_ascii_case("true")),
        (None, Some((window, _))) => call.get(window) == Some("0"),
        (None, None) => true,
    }
}

/// Whether a call with this signature may have an effect: one whose time is a little off may.
pub(super) fn may_rotate(tamper: Option<&Tamper>) -> bool {
    tamper.is_none_or(|tamper| matches!(tamper, Tamper::Again | Tamper::Skew(_)))
}
