//! Linearisation: is there a serial order of overlapping calls that explains every reply?
//!
//! The order keeps to real time: a call that ended before another began comes first. All orders are
//! followed at once, event by event: what is kept is, for each set of calls that have taken effect though
//! they have not ended yet, the state that all orders leading there agree on or may have left (`join`).
//! So the cost grows with how many calls overlap at a time, and not with how many there are.

use crate::history::Span;
use std::collections::BTreeMap;

/// What came of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order<S> {
    /// Some order explains everything; the state after all of them.
    Legal(S),
    /// None does: the reply to this call is the first that nothing explains.
    Illegal(usize),
    /// The search took too long.
    Unknown,
}

/// How a state takes in one call.
pub trait Steps {
    /// What is believed between two calls.
    type State: Clone;

    /// The state after a call took effect and was answered as it was; none if that is not explained.
    fn step(&mut self, state: &Self::State, call: usize) -> Option<Self::State>;

    /// What the last step cost, of what a search may cost.
    fn cost(&self) -> usize {
        1
    }

    /// Whether two calls ask for the same and were answered alike: of such calls, those that ended sooner took effect
    /// sooner, in one of the orders that explain everything if any does.
    fn alike(&self, _one: usize, _other: usize) -> bool {
        false
    }

    /// Two ways to get to the same calls: either may be what happened.
    fn join(&self, state: &mut Self::State, other: Self::State);
}

/// Looks for a serial order of the calls that ran in these spans. `most` is what the search may cost.
pub fn linearize<T: Steps>(spans: &[Span], start: T::State, steps: &mut T, most: usize) -> Order<T::State> {
    let mut reached: BTreeMap<Vec<usize>, T::State> = BTreeMap::from([(Vec::new(), start)]);
    let mut open: Vec<usize> = Vec::new();
    let mut left = most;
    for (call, ends) in events(spans) {
        if !ends {
            open.push(call);
            continue;
        }
        match with(reached, &open, spans, call, steps, &mut left) {
            Some(next) if next.is_empty() => return Order::Illegal(call),
            Some(next) => reached = next,
            None => return Order::Unknown,
        }
        open.retain(|other| *other != call);
    }
    reached.into_values().next().map_or(Order::Unknown, Order::Legal)
}

/// Beginnings and ends of calls in the order of time: `true` is an end. A call that ends when another
/// begins ended before it; one that took no time at all begins before it ends.
fn events(spans: &[Span]) -> Vec<(usize, bool)> {
    let mut events: Vec<(u64, u8, usize)> = Vec::with_capacity(2 * spans.len());
    for (call, span) in spans.iter().enumerate() {
        events.push((span.began, 1, call));
        events.push((span.ended.max(span.began), if span.took() == 0 { 2 } else { 0 }, call));
    }
    events.sort_unstable();
    events.into_iter().map(|(_, kind, call)| (call, kind != 1)).collect()
}

/// Everything that can have been reached when a call ends: it has taken effect by then.
fn with<T: Steps>(
    reached: BTreeMap<Vec<usize>, T::State>,
    open: &[usize],
    spans: &[Span],
    call: usize,
    steps: &mut T,
    left: &mut usize,
) -> Option<BTreeMap<Vec<usize>, T::State>> {
    let mut ended = BTreeMap::new();
    // Smaller sets first, so that all ways to a set are joined before it is followed further.
    let mut waiting: BTreeMap<(usize, Vec<usize>), T::State> =
        reached.into_iter().map(|(done, state)| ((done.len(), done), state)).collect();
    while let Some(((count, mut done), state)) = waiting.pop_first() {
        if let Some(at) = done.iter().position(|other| *other == call) {
            done.remove(at);
            put(&mut ended, done, state, steps);
            continue;
        }
        for next in next_ones(open, &done, spans, steps) {
            let after = steps.step(&state, next);
            *left = left.checked_sub(steps.cost())?;
            if let Some(after) = after {
                let mut more = done.clone();
                more.push(next);
                more.sort_unstable();
                put(&mut waiting, (count + 1, more), after, steps);
            }
        }
    }
    Some(ended)
}

/// The calls that may take effect next: of those that are alike, the one that ended first.
fn next_ones<T: Steps>(open: &[usize], done: &[usize], spans: &[Span], steps: &T) -> Vec<usize> {
    let left: Vec<usize> = open.iter().copied().filter(|call| !done.contains(call)).collect();
    let ends = |call: usize| (spans[call].ended, call);
    let is_first = |call: &usize| !left.iter().any(|it| ends(*it) < ends(*call) && steps.alike(*it, *call));
    left.iter().copied().filter(is_first).collect()
}

fn put<K: Ord, T: Steps>(all: &mut BTreeMap<K, T::State>, key: K, state: T::State, steps: &T) {
    match all.get_mut(&key) {
        Some(known) => steps.join(known, state),
        None => drop(all.insert(key, state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A register: each call writes a number or has read one.
    #[derive(Clone, Copy, PartialEq)]
    enum Did {
        Wrote(u8),
        Read(u8),
    }

    struct Register(Vec<Did>);

    impl Steps for Register {
        type State = BTreeSet<u8>;

        fn step(&mut self, state: &BTreeSet<u8>, call: usize) -> Option<BTreeSet<u8>> {
            match self.0[call] {
                Did::Wrote(value) => Some(BTreeSet::from([value])),
                Did::Read(value) => state.contains(&value).then(|| BTreeSet::from([value])),
            }
        }

        fn alike(&self, one: usize, other: usize) -> bool {
            self.0[one] == self.0[other]
        }

        fn join(&self, state: &mut BTreeSet<u8>, other: BTreeSet<u8>) {
            state.extend(other);
        }
    }

    fn order(calls: &[(u64, u64, Did)]) -> Order<BTreeSet<u8>> {
        let spans: Vec<Span> =
            calls.iter().map(|(began, ended, _)| Span { began: *began, ended: *ended }).collect();
        let mut register = Register(calls.iter().map(|(_, _, did)| *did).collect());
        linearize(&spans, BTreeSet::from([0]), &mut register, 10_000)
    }

    #[test]
    fn overlapping_writes_leave_either_value() {
        let calls = [(0, 10, Did::Wrote(1)), (5, 15, Did::Wrote(2))];
        assert_eq!(order(&calls), Order::Legal(BTreeSet::from([1, 2])));
    }

    #[test]
    fn a_read_settles_which() {
        let calls = [(0, 10, Did::Wrote(1)), (5, 15, Did::Wrote(2)), (20, 21, Did::Read(1))];
        assert_eq!(order(&calls), Order::Legal(BTreeSet::from([1])));
        let both =
            [(0, 10, Did::Wrote(1)), (5, 15, Did::Wrote(2)), (20, 21, Did::Read(1)), (22, 23, Did::Read(2))];
        assert_eq!(order(&both), Order::Illegal(3));
    }

    #[test]
    fn real_time_counts() {
        let calls = [(0, 10, Did::Wrote(1)), (10, 15, Did::Wrote(2)), (15, 16, Did::Read(1))];
        assert_eq!(order(&calls), Order::Illegal(2));
        let during =
            [(0, 20, Did::Wrote(1)), (3, 3, Did::Read(0)), (4, 4, Did::Read(1)), (5, 5, Did::Read(0))];
        assert_eq!(order(&during), Order::Illegal(3));
    }

    #[test]
    fn calls_that_are_alike_are_not_tried_in_every_order() {
        let spans = vec![Span { began: 0, ended: 9 }; 24];
        let mut register = Register((0..24).map(|call| Did::Wrote(call % 2)).collect());
        let legal = Order::Legal(BTreeSet::from([0, 1]));
        assert_eq!(linearize(&spans, BTreeSet::from([0]), &mut register, 1_000), legal);
        let calls =
            [(0, 9, Did::Wrote(1)), (0, 4, Did::Wrote(1)), (5, 6, Did::Read(0)), (7, 8, Did::Read(1))];
        assert_eq!(order(&calls), Order::Illegal(2), "the one that ended is the one that took effect");
    }

    #[test]
    fn a_search_that_takes_too_long_says_so() {
        let spans = vec![Span { began: 0, ended: 9 }; 12];
        let mut register = Register((0..12).map(Did::Wrote).collect());
        assert_eq!(linearize(&spans, BTreeSet::from([0]), &mut register, 100), Order::Unknown);
    }
}
