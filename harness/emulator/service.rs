//! The emulator behind a socket: with a clock that runs, faults that switch, and hostile answers.

use super::Emulator;
use super::control::{self, Controlled};
use super::fault::{self, Fault};
use super::hostile::{Answer, Hostile};
use super::server::Service;
use crate::wire::Request;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a call waits for others that may overlap with it, while a fault is on that races.
const OVERLAP: Duration = Duration::from_millis(10);

/// An emulator with a clock that runs.
#[derive(Debug)]
pub struct Served {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    emulator: Emulator,
    /// Seconds that the emulator's clock is ahead of this machine's.
    ahead: i64,
    /// How rotations are answered badly, if at all.
    hostile: Option<Hostile>,
    /// Calls that have come and are not answered yet; they count only while a fault is on that races.
    in_flight: usize,
}

impl Served {
    /// Serves an emulator, its clock at this machine's time.
    pub const fn new(emulator: Emulator) -> Self {
        Self { state: Mutex::new(State { emulator, ahead: 0, hostile: None, in_flight: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches exactly these faults on.
    ///
    /// # Errors
    /// The name that is no fault, with the nearest one as a suggestion.
    pub fn switch(&self, names: &[String]) -> Result<(), String> {
        let mut faults: Vec<&'static Fault> = Vec::new();
        let mut hostile = None;
        for name in names {
            match (fault::find(name), name.parse::<Hostile>()) {
                (Some(fault), _) => faults.push(fault),
                (None, Ok(way)) => hostile = Some(way),
                (None, Err(_)) => return Err(unknown(name)),
            }
        }
        let mut state = self.state();
        state.emulator.set_faults(faults);
        state.emulator.overlap(false);
        state.in_flight = 0;
        state.hostile = hostile;
        Ok(())
    }
}

fn known_faults() -> impl Iterator<Item = &'static Fault> {
    fault::all().chain(fault::deep())
}

fn unknown(name: &str) -> String {
    let names = known_faults().map(|fault| fault.name).chain(Hostile::ALL.iter().map(|(_, name)| *name));
    let nearest = names.min_by_key(|known| strsim::damerau_levenshtein(known, name));
    let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
    format!("there is no fault `{name}`{hint} (`rotaprobe emulate --fault list` names all faults)")
}

fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Service for Served {
    fn arrives(&self) -> Option<Duration> {
        let mut state = self.state();
        if !state.emulator.races() {
            return None;
        }
        if state.in_flight == 0 {
            // What the first one sees is what those go by that overlap with it; alone, it changes nothing.
            state.emulator.overlap(true);
        }
        state.in_flight += 1;
        Some(OVERLAP)
    }

    fn call(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let now = wall_clock() + state.ahead;
        let (response, rotates) = state.emulator.handle_and_tell(request, now);
        if state.in_flight > 0 {
            state.in_flight -= 1;
            if state.in_flight == 0 {
                state.emulator.overlap(false);
            }
        }
        match state.hostile.filter(|_| rotates) {
            Some(way) => Answer::Hostile(response, way),
            None => Answer::Reply(response),
        }
    }

    fn undelivered(&self, request: &Request) {
        self.state().emulator.undelivered(request);
    }
}

impl Controlled for Served {
    fn now(&self) -> i64 {
        wall_clock() + self.state().ahead
    }

    fn advance(&self, seconds: i64) {
        let mut state = self.state();
        state.ahead = state.ahead.saturating_add(seconds);
    }

    fn faults(&self) -> Vec<String> {
        let state = self.state();
        let hostile = state.hostile.map(|way| way.to_string());
        state.emulator.faults().iter().map(|fault| fault.name.to_owned()).chain(hostile).collect()
    }

    fn set_faults(&self, names: &[String]) -> Result<(), String> {
        self.switch(names)
    }

    fn reset(&self) {
        let mut state = self.state();
        state.emulator.set_faults(Vec::new());
        state.emulator.reset();
        state.in_flight = 0;
        state.ahead = 0;
        state.hostile = None;
    }
}

/// The control port of a served emulator.
#[derive(Debug)]
pub struct ControlService(pub std::sync::Arc<Served>);

impl Service for ControlService {
    fn call(&self, request: &Request) -> Answer {
        Answer::Reply(control::handle(&*self.0, request))
    }
}
