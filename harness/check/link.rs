//! How exercises reach an endpoint, why one ends early, and what those of one run share.

use crate::codec::Call;
use crate::history::{Attempt, Exchange, Tamper};
use crate::model::Role;
use std::collections::BTreeMap;

/// Why a run ends that takes too long.
pub const OUT_OF_TIME: &str = "deadline: the time for the whole run is over (--deadline)";

/// Waits before a call that came too soon is made again ([`Link::wait`]): 80 ms, then twice as long each time, five
/// seconds in all.
pub const PATIENCE: std::ops::Range<u32> = 2..8;

/// The endpoint, as an exercise reaches it.
pub trait Link {
    /// Signs a call, sends it, waits for the reply, and decodes it.
    fn send(&mut self, attempt: Attempt<'_>) -> Exchange;
    /// Makes calls at the same time; they come back in the order in which they were given.
    fn send_together(&mut self, attempts: &[Attempt<'_>]) -> Vec<Exchange>;
    /// Whether the endpoint's clock can be advanced.
    fn has_clock(&self) -> bool;
    /// Advances the endpoint's clock by seconds.
    ///
    /// # Errors
    /// Why that failed.
    fn advance(&mut self, seconds: i64) -> Result<(), String>;
    /// The endpoint's time, as far as it can be told.
    fn now(&self) -> i64;
    /// Accounts that there are access keys for.
    fn accounts(&self) -> usize;
    /// The project, or number, of an account, where it is known.
    fn project(&self, account: usize) -> Option<String>;
    /// Whether there is a token for schemes without a signature.
    fn bears_token(&self) -> bool;
    /// Lets a moment pass, so that what goes on can end. False once that makes no sense any more.
    fn wait(&mut self, round: u32) -> bool;
    /// Lets a moment pass, so that a schedule can act. False once that makes no sense any more.
    fn pause(&mut self, round: u32) -> bool;
    /// Whether the time for the whole run is over.
    fn out_of_time(&self) -> bool;
    /// Why no more calls should be made, if so.
    fn exhausted(&self) -> Option<String>;
    /// A call of this role is about to leave: whoever cares for the account has a say before it does.
    ///
    /// # Errors
    /// Why it must not leave.
    fn before(&mut self, _role: Role, _call: &Call, _tamper: Option<&Tamper>) -> Step {
        Ok(())
    }
}

/// Why an exercise ends before it has shown anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The endpoint, or the harness, lacks what the exercise needs.
    Missing(String),
    /// A documented limit is used up.
    Quota,
    /// As many rotations as the run may make for an account were made.
    Budget(usize),
    /// As many secrets as the run may have at a time are there.
    Cap {
        /// So many.
        most: usize,
        /// Why one of them could not be removed.
        stuck: Option<String>,
    },
    /// The clock cannot be advanced.
    Clock,
    /// There is no second account.
    Account,
    /// The harness could not do its job.
    Broken(String),
}

impl std::fmt::Display for Halt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(what) => write!(out, "{what}"),
            Self::Quota => write!(out, "quota: the documented limit on rotations is used up"),
            Self::Budget(most) => {
                write!(
                    out,
                    "quota: the run may make {most} rotations for an account (--rotations-per-account)"
                )
            }
            Self::Cap { most, stuck } => {
                write!(out, "cap on live secrets: needs more than {most} at a time (--max-secrets)")?;
                stuck.iter().try_for_each(|why| write!(out, "; some could not be removed: {why}"))
            }
            Self::Clock => {
                write!(out, "clock: needs an endpoint whose clock can be advanced (--control or --clock-cmd)")
            }
            Self::Account => {
                write!(out, "credentials: needs a second account (--credentials with the keys of two)")
            }
            Self::Broken(why) => write!(out, "{why}"),
        }
    }
}

/// The result of a step of an exercise.
pub type Step<T = ()> = Result<T, Halt>;

/// What the drives of one run share.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Start of every secret's name.
    pub prefix: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The last rotations that each account made, as many as its limit counts: the endpoint's time of each.
    pub spent: Vec<Vec<i64>>,
    /// Names made so far, so that each is new.
    pub names: u64,
    /// Kinds of the secrets made so far, by name.
    pub kinds: BTreeMap<String, String>,
    /// Secrets that are there already.
    pub fixtures: Vec<super::Fixture>,
    /// Operations that the endpoint does not know.
    pub missing: Vec<(Role, String)>,
    /// Waits for the end of a rotation that were in vain.
    pub in_vain: u32,
}

impl Settings {
    /// Settings of a run that has not begun.
    pub fn new(prefix: String, seed: u64) -> Self {
        Self {
            prefix,
            seed,
            spent: vec![Vec::new(); 2],
            names: 0,
            kinds: BTreeMap::new(),
            fixtures: Vec::new(),
            missing: Vec::new(),
            in_vain: 0,
        }
    }

    /// Rotations of each account that may count for its limit: those made here, and what others made `prior`.
    pub fn counting(&self, prior: &[Vec<i64>]) -> Vec<Vec<i64>> {
        let mut all = self.spent.clone();
        all.iter_mut().zip(prior).for_each(|(spent, prior)| spent.extend(prior));
        all
    }
}

/// A secret that an exercise made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Account that it belongs to.
    pub account: usize,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its full identifier, if creation answered one.
    pub arn: Option<String>,
    /// Id of its first version.
    pub first: String,
}
