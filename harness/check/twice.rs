//! Judges calls in which a parameter stands twice.

use super::blame::Deed;
use super::demands::broke_down;
use super::oracle::Walk;
use crate::history::Exchange;
use crate::model::{Belief, Condition, Outcome, Seen};
use crate::spec::Reading;

impl Walk<'_> {
    /// A parameter given twice: the reply and all that follows must fit one reading of it.
    pub(super) fn doubled(&mut self, at: usize, exchange: &Exchange, readings: &[Reading], seen: &Seen) {
        let refused = Outcome::refused("WIRE-REQ-4", Condition::Invalid);
        let mut after: Option<Belief> = None;
        for reading in readings {
            let mut belief = self.belief.clone();
            let mut own = self.possible(&self.belief, exchange, reading);
            own.extend(self.belief.worlds().iter().map(|world| (world.clone(), refused.clone())));
            if belief.observe(&self.vendor.law, &reading.op, own, seen, exchange.when).is_ok() {
                match &mut after {
                    Some(known) => known.join(belief, readings.iter().map(|reading| &reading.op)),
                    None => after = Some(belief),
                }
            }
        }
        let fits = after.is_some();
        self.belief = after.unwrap_or_else(|| self.belief.clone());
        self.ruling.expect(
            "WIRE-REQ-4",
            fits || broke_down(self.vendor, exchange),
            &[at],
            || "a reply that fits one of the two values, or a refusal".into(),
            || format!("{}, which fits neither", exchange.summary()),
        );
        for reading in readings {
            let key = self.belief.key_of(&reading.op);
            let refused = (*seen == Seen::Refused).then_some(Condition::Internal);
            let deed = Deed::new("WIRE-REQ-4", reading.op.role, refused, at, false);
            self.deeds.insert(key.clone(), deed);
            if !fits {
                self.let_go(&reading.op, seen);
            }
            self.take_name(&reading.op, seen);
            self.keep_clear(&key);
        }
    }
}
