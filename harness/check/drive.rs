//! What an exercise has in its hands: an endpoint, fresh secrets, a clock, and a budget.

use super::demands::too_frequent;
use super::link::{Halt, Link, Made, OUT_OF_TIME, PATIENCE, Settings, Step};
use crate::codec::Call;
use crate::history::{Attempt, CANARY, Entry, Exchange, History, Leave, Lost, Tamper};
use crate::model::{Condition, Fact, Facts, Meaning, Role};
use crate::sign::Scheme;
use crate::spec::{Family, Operation, Vendor};
use std::sync::Arc;

/// Seconds that are put between a limit's window and the calls after it.
const MARGIN: i64 = 120;

/// What an exercise has in its hands.
pub struct Drive<'a> {
    link: &'a mut dyn Link,
    /// What is documented.
    pub vendor: &'a Vendor,
    /// What happened so far.
    pub history: History,
    settings: &'a mut Settings,
    rng: fastrand::Rng,
    /// Whether rotations that go on after their call are left alone.
    pub(super) leaves_unfinished: bool,
    /// Whether rotations are made though the documented limit is used up.
    pub(super) beyond_limits: bool,
}

impl std::fmt::Debug for Drive<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Drive({} entries)", self.history.entries.len())
    }
}

impl<'a> Drive<'a> {
    /// A drive with an empty history.
    pub fn new(link: &'a mut dyn Link, vendor: &'a Vendor, settings: &'a mut Settings) -> Self {
        let rng =
            fastrand::Rng::with_seed(settings.seed ^ settings.names.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        Self {
            link,
            vendor,
            history: History::default(),
            settings,
            rng,
            leaves_unfinished: false,
            beyond_limits: false,
        }
    }

    /// The operation with this role.
    pub fn operation(&self, role: Role) -> Step<(&'a str, &'a Operation)> {
        self.vendor.spec.operation_for(role).ok_or_else(|| {
            if let Some((_, name)) = self.settings.missing.iter().find(|(gone, _)| *gone == role) {
                return Halt::Missing(format!("operation missing: the endpoint does not know {name}"));
            }
            Halt::Missing(format!("the API documents no operation that would {role:?}").to_lowercase())
        })
    }

    /// The operation of this role for a kind of secret; where there is none, one for other kinds.
    pub fn operation_at(&self, role: Role, kind: &str) -> Step<(&'a str, &'a Operation)> {
        match self.vendor.spec.operation_at(role, kind) {
            Some(found) => Ok(found),
            None => self.operation(role),
        }
    }

    /// An empty call of a role at a secret: what every call of it gives is given.
    pub fn call_of(&self, role: Role, secret: &Made) -> Step<Call> {
        let (name, operation) = self.operation_at(role, &secret.kind)?;
        Ok(self.call_by(name, operation, secret))
    }

    /// An empty call of an operation at a secret.
    pub fn call_by(&self, name: &str, operation: &Operation, secret: &Made) -> Call {
        let mut call = Call::new(name);
        call.account = secret.account;
        for (parameter, described) in &operation.parameters {
            match (described.is, &described.example) {
                (Meaning::Secret, _) => call.set(parameter, secret.name.clone()),
                (_, Some(example)) if described.given() => call.set(parameter, example.clone()),
                (Meaning::Other, None) if described.required => {
                    call.set(parameter, Self::sample_of(described));
                }
                _ => {}
            }
        }
        call
    }

    /// Sets the parameter of a call that has this meaning; does nothing if there is none.
    pub fn set(&self, call: &mut Call, is: Meaning, value: impl Into<String>) {
        let operation = self.vendor.spec.operations.get(&call.operation);
        if let Some((name, _)) = operation.and_then(|operation| operation.parameter(is)) {
            call.set(name, value);
        }
    }

    /// Makes a call, whatever comes of it. The place of the call in the history is returned.
    ///
    /// # Errors
    /// If the run is over.
    pub fn send(&mut self, call: &Call) -> Step<usize> {
        self.send_tampered(call, None)
    }

    /// Makes a call whose signature is wrong on purpose.
    ///
    /// # Errors
    /// If the run is over.
    pub fn send_tampered(&mut self, call: &Call, tamper: Option<&Tamper>) -> Step<usize> {
        self.attempt(Attempt { call, tamper, leave: None })
    }

    /// Whether rotations that go on after their call are left alone from now on.
    pub const fn leave_unfinished(&mut self, leaves: bool) {
        self.leaves_unfinished = leaves;
    }

    /// Makes a call and drops its connection.
    ///
    /// # Errors
    /// If the run is over.
    pub fn send_and_leave(&mut self, call: &Call, leave: Leave) -> Step<usize> {
        self.attempt(Attempt { call, tamper: None, leave: Some(leave) })
    }

    /// Makes a call with which something may go wrong on purpose.
    ///
    /// # Errors
    /// If the run is over.
    pub fn attempt(&mut self, attempt: Attempt<'_>) -> Step<usize> {
        self.ready(attempt)?;
        let mut exchange = self.link.send(attempt);
        let repeatable = attempt.leave.is_none() && !matches!(attempt.tamper, Some(Tamper::Again));
        for round in PATIENCE {
            if !repeatable || !too_frequent(self.vendor, &exchange) || !self.link.wait(round) {
                break;
            }
            self.take(exchange)?;
            exchange = self.link.send(attempt);
        }
        let at = self.take(exchange)?;
        let call = attempt.call;
        let going_on = self.rotates(call) && self.done(at) && self.vendor.law.takes.is_some();
        if going_on && !self.leaves_unfinished {
            self.finish(&[at])?;
        } else if self.rotates(call) && self.vendor.law.takes.is_some() && !self.leaves_unfinished {
            self.let_pass()?;
        }
        if self.turned_away(at) && !self.link.has_clock() {
            // Without a clock nobody knows who used up the limit, and it will not recover in time.
            return Err(Halt::Quota);
        }
        Ok(at)
    }

    /// Makes calls at the same time; their places come in the order in which they were given.
    ///
    /// # Errors
    /// If the run is over.
    pub fn send_together(&mut self, attempts: &[Attempt<'_>]) -> Step<Vec<usize>> {
        attempts.iter().try_for_each(|attempt| self.ready(*attempt))?;
        let mut exchanges: Vec<_> = self.link.send_together(attempts).into_iter().enumerate().collect();
        // A history is in the order of time.
        exchanges.sort_by_key(|(_, exchange)| exchange.span.began);
        let mut places = vec![0; exchanges.len()];
        for (given, exchange) in exchanges {
            places[given] = self.take(exchange)?;
        }
        Ok(places)
    }

    /// Looks whether a call may leave.
    fn ready(&mut self, attempt: Attempt<'_>) -> Step {
        if let Some(why) = self.link.exhausted() {
            return Err(Halt::Broken(why));
        }
        if let Some(operation) = self.vendor.spec.operations.get(&attempt.call.operation) {
            self.link.before(operation.role, attempt.call, attempt.tamper)?;
        }
        if self.rotates(attempt.call) && attempt.tamper.is_none() {
            self.afford(attempt.call.account)?;
        }
        Ok(())
    }

    /// Writes down what came of a call.
    fn take(&mut self, exchange: Exchange) -> Step<usize> {
        let ours = matches!(exchange.result, Ok(_) | Err(Lost::Dropped));
        if !ours && self.link.out_of_time() {
            // What was cut off by our own deadline says nothing of the endpoint.
            return Err(Halt::Broken(OUT_OF_TIME.to_owned()));
        }
        if self.rotates(&exchange.call)
            && let (Some(rate), Some(spent)) =
                (self.vendor.law.rate, self.settings.spent.get_mut(exchange.call.account))
        {
            spent.push(exchange.when.hi);
            // Where a limit is used up by the last ones, those before say nothing more of it.
            spent.drain(..spent.len().saturating_sub(rate.calls));
        }
        self.history.entries.push(Entry::Call(Box::new(exchange)));
        Ok(self.history.entries.len() - 1)
    }

    /// Whether the call at a place began a rotation.
    pub(super) fn begins(&self, at: usize) -> bool {
        self.history.call(at).is_some_and(|exchange| exchange.done() && self.rotates(&exchange.call))
    }

    fn rotates(&self, call: &Call) -> bool {
        self.vendor.spec.operations.get(&call.operation).is_some_and(|it| it.role == Role::Rotate)
    }

    /// Whether a rotation was refused because of the documented limit.
    fn turned_away(&self, at: usize) -> bool {
        let Some(exchange) = self.history.call(at) else { return false };
        self.rotates(&exchange.call) && exchange.says(&self.vendor.spec, Condition::Throttled)
    }

    /// Makes sure that the documented limit allows one more rotation.
    fn afford(&mut self, account: usize) -> Step {
        if self.beyond_limits {
            return Ok(());
        }
        let Some(rate) = self.vendor.law.rate else { return Ok(()) };
        if self.spent_in_window(account) >= rate.calls && self.link.has_clock() {
            self.advance(rate.per + MARGIN)?;
        }
        Ok(())
    }

    /// From now on rotations are made, or not, though the documented limit is used up.
    pub const fn go_beyond_limits(&mut self, beyond: bool) {
        self.beyond_limits = beyond;
    }

    /// Rotations of an account that may still count for its limit.
    pub fn spent_in_window(&self, account: usize) -> usize {
        let Some(rate) = self.vendor.law.rate else { return 0 };
        let since = self.link.now() - rate.per;
        self.settings.spent.get(account).map_or(0, |spent| spent.iter().filter(|at| **at >= since).count())
    }

    /// Forgets what was spent: for exercises that count a limit themselves.
    pub fn uncounted(&mut self, account: usize, exercise: impl FnOnce(&mut Self) -> Step) -> Step {
        let kept = self.settings.spent.get(account).cloned().unwrap_or_default();
        let before = kept.len();
        if let Some(spent) = self.settings.spent.get_mut(account) {
            spent.clear();
        }
        let done = exercise(self);
        if let Some(spent) = self.settings.spent.get_mut(account) {
            let new = std::mem::take(spent);
            *spent = kept;
            spent.extend(new);
            debug_assert!(spent.len() >= before);
        }
        done
    }

    /// The call at a place of the history.
    pub fn at(&self, at: usize) -> Step<&Exchange> {
        self.history.call(at).ok_or_else(|| Halt::Broken("the history lost a call".into()))
    }

    /// Whether the call at a place succeeded.
    pub fn done(&self, at: usize) -> bool {
        self.history.call(at).is_some_and(Exchange::done)
    }

    /// What the call at a place stated, if it succeeded.
    pub fn facts(&self, at: usize) -> Facts {
        self.history.call(at).and_then(|exchange| exchange.reply()?.facts().cloned()).unwrap_or_default()
    }

    /// One fact that the call at a place stated.
    pub fn fact(&self, at: usize, is: Meaning) -> Option<Fact> {
        let facts = self.history.call(at)?.reply()?.facts()?;
        facts.iter().find(|(meaning, _)| *meaning == is).map(|(_, fact)| fact.clone())
    }

    /// Ends the exercise unless the call at a place succeeded. The general judge has its own say.
    pub fn need(&self, at: usize, what: &str) -> Step {
        match self.done(at) {
            true => Ok(()),
            false => Err(Halt::Missing(format!("{what} failed: {}", self.at(at)?.summary()))),
        }
    }

    /// What the drives of the run share.
    pub(super) fn settings(&mut self) -> &mut Settings {
        self.settings
    }

    /// The project of an account.
    pub(super) fn project(&self, account: usize) -> Option<String> {
        self.link.project(account)
    }

    /// Signing schemes that there are credentials for.
    pub fn schemes(&self) -> Vec<Arc<Scheme>> {
        let has = |scheme: &&Arc<Scheme>| scheme.signs() || self.link.bears_token();
        self.vendor.schemes.iter().filter(has).cloned().collect()
    }

    /// HTTP methods in which any operation can be called; one that means "its own" where methods are
    /// part of operations.
    pub fn methods(&self) -> Vec<Option<String>> {
        match self.vendor.spec.protocol.family {
            Family::RestJson => vec![None],
            _ => self.vendor.spec.protocol.methods.iter().cloned().map(Some).collect(),
        }
    }

    /// Whether the clock can be advanced.
    pub(super) fn has_clock(&self) -> bool {
        self.link.has_clock()
    }

    /// Lets a moment pass.
    pub(super) fn wait(&mut self, round: u32) -> bool {
        self.link.wait(round)
    }

    /// A secret that is known by its name alone.
    pub(super) fn known(&self, account: usize, name: &str) -> Made {
        let kind = self.vendor.spec.kinds.iter().find(|(_, kind)| kind.rotates).map(|(name, _)| name.clone());
        let kind = self.settings.kinds.get(name).cloned().or(kind).unwrap_or_default();
        Made { account, name: name.to_owned(), kind, arn: None, first: String::new() }
    }

    /// The endpoint's time.
    pub fn now(&self) -> i64 {
        self.link.now()
    }

    /// Ends the exercise unless the clock can be advanced.
    pub fn need_clock(&self) -> Step {
        if self.link.has_clock() { Ok(()) } else { Err(Halt::Clock) }
    }

    /// Ends the exercise unless there is a second account.
    pub fn need_second_account(&self) -> Step {
        if self.link.accounts() > 1 { Ok(()) } else { Err(Halt::Account) }
    }

    /// Advances the endpoint's clock.
    pub fn advance(&mut self, seconds: i64) -> Step {
        self.need_clock()?;
        self.link.advance(seconds).map_err(Halt::Broken)?;
        self.history.entries.push(Entry::Advanced(seconds));
        Ok(())
    }

    /// What goes on has had its time.
    pub fn settled(&mut self) {
        self.history.entries.push(Entry::Settled);
    }

    /// Gives schedules time to act: polls the description until `seen` or until waiting makes no sense.
    pub fn settle(&mut self, secret: &Made, seen: impl Fn(&Facts) -> bool) -> Step {
        self.settle_within(secret, u32::MAX, seen)
    }

    /// Gives schedules a moment to act where they should not.
    pub fn linger(&mut self, secret: &Made) -> Step {
        self.settle_within(secret, 5, |_| false)
    }

    fn settle_within(&mut self, secret: &Made, rounds: u32, seen: impl Fn(&Facts) -> bool) -> Step {
        let mut round = 0;
        loop {
            let at = self.describe(secret)?;
            if round >= rounds || seen(&self.facts(at)) || !self.link.pause(round) {
                break;
            }
            round += 1;
        }
        self.history.entries.push(Entry::Settled);
        Ok(())
    }

    /// Start of every name that this run makes.
    pub fn prefix(&self) -> &str {
        &self.settings.prefix
    }

    /// A name nobody has.
    pub fn name(&mut self) -> String {
        self.settings.names += 1;
        format!("{}{:x}", self.settings.prefix, self.settings.names)
    }

    /// A token nobody has.
    pub fn token(&mut self) -> String {
        self.settings.names += 1;
        let least = [Role::Rotate, Role::Create].into_iter().filter_map(|role| {
            let (_, operation) = self.vendor.spec.operation_for(role)?;
            operation.parameter(Meaning::Token)?.1.min
        });
        let least = least.max().and_then(|least| usize::try_from(least).ok()).unwrap_or(0);
        let token = format!("v{:08x}{:04x}", self.rng.u32(..), self.settings.names);
        format!("{token}{}", "0".repeat(least.saturating_sub(token.len())))
    }

    /// A value that can be told from every other, and from everything else in a reply.
    pub fn value(&mut self) -> String {
        format!("{CANARY}{:016x}{:016x}", self.rng.u64(..), self.rng.u64(..))
    }

    /// A random number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.rng.u64(..bound.max(1))
    }
}
