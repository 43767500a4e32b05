//! The endpoint of a run, as checks reach it.

use super::care::Care;
use super::ledger::{Ledger, may_rotate};
use super::reference::Reference;
use crate::check::{Fixture, Link, OUT_OF_TIME, Step};
use crate::client::clock::{Clock, ClockError};
use crate::client::{Caller, Now, transport::Transport};
use crate::codec::Call;
use crate::history::{Attempt, Exchange, Lost, Tamper};
use crate::model::Role;
use crate::sign::Credentials;
use crate::spec::Vendor;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lost replies in a row after which an endpoint counts as dead.
const DEAD_AFTER: u32 = 3;
/// Lost replies in all after which the rest of a run would only wait.
const HOPELESS_AFTER: u32 = 12;
/// Time for a call once a reply did not come in time.
const IMPATIENT: Duration = Duration::from_millis(500);
/// Time for removing what was made, once the run itself may take no more.
const SWEEP: Duration = Duration::from_secs(10);
/// 9000-01-01, in Unix seconds: a clock that shows it is moved no further. What comes of a year with five
/// digits no document says, and few calendars know one.
const FAR: i64 = 221_845_392_000;
/// Why a run ends that somebody stops.
const INTERRUPTED: &str = "interrupted: the run was asked to end before it was done";

/// What a run is made against.
#[derive(Clone)]
pub struct Endpoint {
    /// Carries requests.
    pub transport: Arc<dyn Transport>,
    /// What the `host` header says.
    pub host: String,
    /// Access keys, one for each account.
    pub credentials: Vec<Credentials>,
    /// Nobody has given the access keys: they are those of the reference, and may be one account's at another
    /// endpoint.
    pub presumed: bool,
    /// Moves its clock, if that can be done.
    pub clock: Option<Arc<dyn Clock>>,
    /// Time for one call.
    pub timeout: Duration,
    /// Whether schedules may act only a while after the clock was advanced.
    pub waits: bool,
    /// Secrets that are there already.
    pub fixtures: Vec<Fixture>,
    /// Whether the endpoint lives in this process, on a clock that is ours too.
    pub in_process: bool,
    /// What a run owes to the accounts.
    pub care: Care,
}

impl Endpoint {
    /// A caller at this endpoint. Nonces and names must never come twice at an endpoint that lives on
    /// between runs, so only in this process do they follow from the seed.
    pub(super) fn caller(&self, vendor: &Arc<Vendor>, now: &Now, seed: u64) -> Caller {
        let credentials = self.credentials.clone();
        let (transport, nonces) = (self.transport.clone(), self.fresh(seed));
        let mut caller = Caller::new(
            vendor.clone(),
            transport,
            credentials,
            &self.host,
            self.timeout,
            now.clone(),
            nonces,
        );
        // An endpoint that tells no date may have been moved by a run before.
        let clock = self.clock.as_ref().filter(|_| !self.in_process);
        if let Some(shown) = clock.and_then(|clock| clock.now()) {
            caller.moved(shown - caller.endpoint_time());
        }
        caller
    }

    /// A number for what must differ from run to run.
    pub(super) fn fresh(&self, seed: u64) -> u64 {
        if self.in_process { seed } else { fastrand::u64(..) }
    }

    /// The embedded reference, with its own clock and accounts.
    pub fn in_process(reference: Arc<Reference>) -> Self {
        Self {
            clock: Some(Arc::new(reference.clock().clone())),
            credentials: reference.credentials(),
            presumed: false,
            transport: reference,
            host: "127.0.0.1".into(),
            timeout: Duration::from_secs(5),
            waits: false,
            fixtures: Vec::new(),
            in_process: true,
            care: Care::default(),
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Endpoint({})", self.transport.name())
    }
}

/// Calls an endpoint one call at a time, within a deadline.
#[derive(Debug)]
pub struct Direct {
    caller: Caller,
    endpoint: Endpoint,
    deadline: Instant,
    lost_in_a_row: u32,
    lost_in_all: u32,
    timed_out: bool,
    last_loss: Option<Lost>,
    /// The longest way that the clock went at once, in seconds.
    leapt: i64,
    /// What the clock said when it refused to go as far as it went before.
    refused: Option<String>,
    /// Since when, and why, plans leave the clock alone; no plan finds it otherwise at its end than it began.
    stands: Option<String>,
    /// Whether the access keys are of one account.
    one_account: bool,
    /// Whether the run is over, and only what it made is removed.
    sweeping: bool,
    /// Whether the deadline was shortened because the run was asked to end.
    hurried: bool,
    pub(super) ledger: Ledger,
    /// Calls made so far.
    pub calls: usize,
}

impl Direct {
    /// A link that gives up at a deadline.
    pub const fn new(caller: Caller, endpoint: Endpoint, deadline: Instant, ledger: Ledger) -> Self {
        Self {
            caller,
            endpoint,
            deadline,
            lost_in_a_row: 0,
            lost_in_all: 0,
            timed_out: false,
            last_loss: None,
            leapt: 0,
            refused: None,
            stands: None,
            one_account: false,
            sweeping: false,
            hurried: false,
            ledger,
            calls: 0,
        }
    }
}

impl Direct {
    /// Whether the endpoint lives in this process.
    pub const fn in_process(&self) -> bool {
        self.endpoint.in_process
    }

    /// The access keys turned out to be of one account.
    pub(super) const fn use_one_account(&mut self) {
        self.one_account = true;
    }

    /// Limits the time of the next calls.
    fn be_patient(&mut self) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let patience =
            if self.timed_out { self.endpoint.timeout.min(IMPATIENT) } else { self.endpoint.timeout };
        self.caller.limit(patience.min(left.max(Duration::from_millis(1))));
    }

    fn heard(&mut self, exchange: &Exchange) {
        self.calls += 1;
        self.ledger.heard(exchange);
        match &exchange.result {
            Ok(_) => self.lost_in_a_row = 0,
            // That was us.
            Err(Lost::Dropped) => {}
            Err(lost) => {
                self.lost_in_a_row += 1;
                self.lost_in_all += 1;
                self.timed_out |= *lost == Lost::Timeout;
                self.last_loss = Some(lost.clone());
            }
        }
    }

    fn interrupted(&self) -> bool {
        self.endpoint.care.interrupt.requested()
    }

    /// Others may have used up some of a limit before: waits that out, or tells that it may be so, account
    /// by account.
    pub(super) fn prior(&mut self, vendor: &Vendor) -> Vec<Vec<i64>> {
        let Some(rate) = vendor.law.rate.filter(|_| !self.in_process()) else { return Vec::new() };
        if self.has_clock() && self.advance(rate.per + 120).is_ok() {
            return Vec::new();
        }
        vec![vec![self.now(); rate.calls]; self.accounts()]
    }

    /// Another plan begins: what was lost before is forgiven, and a clock that goes no further is left alone.
    pub(super) fn forgive(&mut self) {
        (self.lost_in_a_row, self.lost_in_all, self.timed_out) = (0, 0, false);
        if self.has_clock() {
            let far = (self.now() >= FAR).then(|| "it shows the year 9000".to_owned());
            let why = self.refused.take().or(far);
            self.stands = why.map(|why| format!("after {} calls: {why}", self.calls));
        }
    }

    /// Since when, and why, the clock is left alone, if it could be moved once.
    pub(super) fn stands(&self) -> Option<&str> {
        self.stands.as_deref()
    }

    /// The run is over: from now on only what it made is removed, in a time of its own.
    pub(super) fn begin_sweep(&mut self) {
        let shortly = Instant::now() + SWEEP;
        self.deadline = if self.interrupted() { shortly } else { self.deadline.max(shortly) };
        // What was lost before says little of whether a deletion gets through.
        (self.lost_in_a_row, self.lost_in_all) = (0, 0);
        (self.sweeping, self.hurried) = (true, self.interrupted());
    }

    /// Somebody who asks for the end while things are removed waits no longer than one who asked before.
    pub(super) fn hurry(&mut self) {
        if self.interrupted() && !self.hurried {
            self.deadline = self.deadline.min(Instant::now() + SWEEP);
            self.hurried = true;
        }
    }
}

impl Link for Direct {
    fn send(&mut self, attempt: Attempt<'_>) -> Exchange {
        self.be_patient();
        let exchange = self.caller.attempt(attempt);
        self.heard(&exchange);
        exchange
    }

    fn send_together(&mut self, attempts: &[Attempt<'_>]) -> Vec<Exchange> {
        self.be_patient();
        let exchanges = self.caller.call_together(attempts);
        exchanges.iter().for_each(|exchange| self.heard(exchange));
        exchanges
    }

    fn has_clock(&self) -> bool {
        self.endpoint.clock.is_some() && self.stands.is_none()
    }

    fn advance(&mut self, seconds: i64) -> Result<(), String> {
        let clock = self.endpoint.clock.as_ref().ok_or("there is no clock to advance")?;
        let whole = u64::try_from(seconds).map_err(|_| "a clock cannot go back".to_owned())?;
        if let Err(error) = clock.advance(whole) {
            if matches!(error, ClockError::Refused { .. }) && seconds <= self.leapt {
                self.refused = Some(error.to_string());
            }
            return Err(error.to_string());
        }
        self.leapt = self.leapt.max(seconds);
        self.caller.moved(if self.endpoint.in_process { 0 } else { seconds });
        Ok(())
    }

    fn now(&self) -> i64 {
        self.caller.endpoint_time()
    }

    fn accounts(&self) -> usize {
        if self.one_account { 1 } else { self.caller.accounts() }
    }

    fn project(&self, account: usize) -> Option<String> {
        self.endpoint.credentials.get(account)?.project.clone()
    }

    fn bears_token(&self) -> bool {
        self.endpoint.credentials.iter().any(|credentials| credentials.bearer.is_some())
    }

    fn wait(&mut self, round: u32) -> bool {
        let wait = Duration::from_millis(20 << round.min(9));
        let going_on = !self.endpoint.in_process && Instant::now() + wait < self.deadline;
        if going_on {
            std::thread::sleep(wait);
        }
        going_on
    }

    fn pause(&mut self, round: u32) -> bool {
        // Waits of 20, 40, 80 … ms, two and a half seconds in all: a schedule that polls gets its turn.
        let wait = Duration::from_millis(20 << round.min(7));
        let in_time = Instant::now() + wait < self.deadline && !self.interrupted();
        let going_on = self.endpoint.waits && round < 7 && in_time;
        if going_on {
            std::thread::sleep(wait);
        }
        going_on
    }

    fn out_of_time(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn exhausted(&self) -> Option<String> {
        if self.interrupted() && !self.sweeping {
            return Some(INTERRUPTED.to_owned());
        }
        if self.out_of_time() {
            return Some(OUT_OF_TIME.to_owned());
        }
        if let (Some(why), false) = (self.ledger.unwritable(), self.sweeping) {
            return Some(why.to_owned());
        }
        let dead = self.lost_in_a_row >= DEAD_AFTER;
        let lost = self.last_loss.as_ref().filter(|_| dead || self.lost_in_all >= HOPELESS_AFTER)?;
        Some(format!("the endpoint loses replies ({} so far): {lost}", self.lost_in_all))
    }

    fn before(&mut self, role: Role, call: &Call, tamper: Option<&Tamper>) -> Step {
        match role {
            Role::Create => {
                // A call that repeats bytes, or is signed wrong, makes nothing.
                if tamper.is_none() {
                    self.ledger.room(call)?;
                }
                self.ledger.announce(call)
            }
            Role::Rotate if may_rotate(tamper) => self.ledger.afford(call.account),
            _ => Ok(()),
        }
    }
}
