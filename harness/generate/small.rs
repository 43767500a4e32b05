//! Every short plan, one after another, as bytes: plain calls, one and then two; after those, single calls
//! with each thing wrong that may be.
//!
//! Most defects show in a small scope. The decoder tells which choices it made and among how many, so
//! that counting up the last choice that can be counted gives the next plan, like an odometer.

use super::Plan;
use super::choices::{Choice, Of};
use crate::spec::Vendor;

/// The stage after the plans of plain calls: single calls that are odd.
const ODD: usize = 0;

/// Every plan with one secret and up to so many plain calls, the shortest first; then every odd call.
#[derive(Clone, Debug)]
pub struct Small {
    /// Plain calls of each plan; [`ODD`] for the odd ones.
    calls: usize,
    most: usize,
    next: Option<Vec<u8>>,
}

impl Small {
    /// Plans of up to `most` calls.
    pub fn up_to(most: usize) -> Self {
        Self::from(most, 1, Some(Vec::new()))
    }

    /// Goes on where [`Self::place`] was told.
    pub const fn from(most: usize, calls: usize, next: Option<Vec<u8>>) -> Self {
        Self { calls, most, next }
    }

    /// Where the enumeration is: the length of plans, and the bytes that come next; none at its end.
    pub fn place(&self) -> (usize, Option<&[u8]>) {
        (self.calls, self.next.as_deref())
    }

    /// The bytes of the next plan.
    pub fn next(&mut self, vendor: &Vendor) -> Option<Vec<u8>> {
        loop {
            let start = self.next.clone()?;
            let calls = self.calls;
            let (bytes, choices) = self.exactly(vendor, start);
            self.next = counted_up(vendor, &choices, calls);
            if self.next.is_none() && calls != ODD {
                self.calls = if calls < self.most { calls + 1 } else { ODD };
                self.next = Some(Vec::new());
            }
            let odd = choices.iter().any(|choice| choice.of == Of::Style && choice.chosen != 0);
            let steps = choices.iter().filter(|choice| choice.of == Of::Step && choice.chosen != 0);
            if steps.count() == self.calls_of(&bytes, vendor) && odd == (calls == ODD) {
                return Some(bytes);
            }
        }
    }

    /// Whether what comes next are the odd calls.
    pub fn is_odd(&self) -> bool {
        self.calls == ODD
    }

    fn calls_of(&self, bytes: &[u8], vendor: &Vendor) -> usize {
        Plan::decode(vendor, bytes).steps.len()
    }

    /// Fills the bytes up with steps, so that there are as many as wanted.
    fn exactly(&self, vendor: &Vendor, mut bytes: Vec<u8>) -> (Vec<u8>, Vec<Choice>) {
        loop {
            let (_, choices) = Plan::choices(vendor, &bytes);
            let steps = choices.iter().filter(|choice| choice.of == Of::Step && choice.chosen != 0).count();
            if steps >= self.calls.max(1) {
                return (bytes, choices);
            }
            bytes = choices.iter().map(|choice| choice.chosen as u8).collect();
            // The last choice was to end: instead, a call.
            match bytes.last_mut() {
                Some(last) => *last = CALL,
                None => return (bytes, choices),
            }
        }
    }
}

/// The step that is a call.
pub(super) const CALL: u8 = 3;
/// The style of calls with any parameters: those are for chance.
pub(super) const ANY: usize = 4;
/// The step that moves the clock.
pub(super) const ADVANCE: u8 = 1;

/// The choices with the last one that can be counted up counted up; none if all plans were there.
fn counted_up(vendor: &Vendor, choices: &[Choice], calls: usize) -> Option<Vec<u8>> {
    let mut steps = 0;
    let counted: Vec<(usize, &Choice)> = choices
        .iter()
        .enumerate()
        .take_while(|(_, choice)| {
            steps += usize::from(choice.of == Of::Step);
            steps <= calls.max(1)
        })
        .collect();
    for (at, choice) in counted.into_iter().rev() {
        let next = if calls == ODD { following_odd(vendor, choice) } else { following(choice, calls) };
        if let Some(next) = next {
            let before = choices[..at].iter().map(|choice| choice.chosen as u8);
            return Some(before.chain([next]).collect());
        }
    }
    None
}

/// What comes after a choice among plain calls.
fn following(choice: &Choice, calls: usize) -> Option<u8> {
    let most = match choice.of {
        // One call is tried at every kind of secret; what calls do to each other, at one.
        Of::Kind if calls == 1 => choice.among - 1,
        Of::Step => return (choice.chosen as u8 == CALL).then_some(ADVANCE),
        Of::Seconds | Of::Token => 1.min(choice.among - 1),
        Of::Operation => choice.distinct - 1,
        Of::Value if calls == 1 => 2.min(choice.among - 1),
        _ => 0,
    };
    (choice.chosen < most).then(|| choice.chosen as u8 + 1)
}

/// What comes after a choice among single odd calls: to a secret that can rotate, and to one that cannot.
fn following_odd(vendor: &Vendor, choice: &Choice) -> Option<u8> {
    let most = match choice.of {
        Of::Operation | Of::Oddity | Of::Mishap | Of::Scheme => choice.distinct - 1,
        Of::Odd => choice.among - 1,
        Of::Style => ANY - 1,
        Of::Kind => {
            let managed = vendor.spec.kinds.values().filter(|kind| kind.rotates).count();
            let plain = choice.among == vendor.spec.kinds.len() && managed < choice.among;
            return (choice.chosen == 0 && plain).then_some(managed as u8);
        }
        _ => 0,
    };
    (choice.chosen < most).then(|| choice.chosen as u8 + 1)
}
