//! Every short plan, one after another, as bytes.
//!
//! Most defects show in a small scope. The decoder tells which choices it made and among how many, so
//! that counting up the last choice that can be counted gives the next plan, like an odometer.

use super::{Choice, Of, Plan};
use crate::spec::Vendor;

/// Every plan with one secret and up to so many plain calls, the shortest first.
#[derive(Clone, Debug)]
pub struct Small {
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
            let (bytes, choices) = self.exactly(vendor, start);
            self.next = counted_up(&choices, self.calls);
            if self.next.is_none() && self.calls < self.most {
                self.calls += 1;
                self.next = Some(Vec::new());
            }
            let steps = choices.iter().filter(|choice| choice.of == Of::Step && choice.chosen != 0);
            if steps.count() == self.calls_of(&bytes, vendor) {
                return Some(bytes);
            }
        }
    }

    fn calls_of(&self, bytes: &[u8], vendor: &Vendor) -> usize {
        Plan::decode(vendor, bytes).steps.len()
    }

    /// Fills the bytes up with steps, so that there are as many as wanted.
    fn exactly(&self, vendor: &Vendor, mut bytes: Vec<u8>) -> (Vec<u8>, Vec<Choice>) {
        loop {
            let (_, choices) = Plan::choices(vendor, &bytes);
            let steps = choices.iter().filter(|choice| choice.of == Of::Step && choice.chosen != 0).count();
            if steps >= self.calls {
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
/// The step that moves the clock.
pub(super) const ADVANCE: u8 = 1;

/// The choices with the last one that can be counted up counted up; none if all plans were there.
fn counted_up(choices: &[Choice], calls: usize) -> Option<Vec<u8>> {
    let mut steps = 0;
    let counted: Vec<(usize, &Choice)> = choices
        .iter()
        .enumerate()
        .take_while(|(_, choice)| {
            steps += usize::from(choice.of == Of::Step);
            steps <= calls
        })
        .collect();
    for (at, choice) in counted.into_iter().rev() {
        if let Some(next) = following(choice, calls) {
            let before = choices[..at].iter().map(|choice| choice.chosen as u8);
            return Some(before.chain([next]).collect());
        }
    }
    None
}

/// What comes after a choice in the small scope.
fn following(choice: &Choice, calls: usize) -> Option<u8> {
    let most = match choice.of {
        Of::Secrets | Of::Owner | Of::Style | Of::Mishap | Of::Secret | Of::Oddity | Of::Presence => 0,
        Of::Crowd | Of::Again => 0,
        // One call is tried at every kind of secret; what calls do to each other, at one.
        Of::Kind if calls > 1 => 0,
        Of::Kind => choice.among - 1,
        Of::Step => return (choice.chosen as u8 == CALL).then_some(ADVANCE),
        Of::Seconds => 1.min(choice.among - 1),
        Of::Operation => choice.distinct - 1,
        Of::Token => 1.min(choice.among - 1),
        Of::Value if calls > 1 => 0,
        Of::Value => 2.min(choice.among - 1),
    };
    (choice.chosen < most).then(|| choice.chosen as u8 + 1)
}
