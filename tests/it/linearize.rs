//! The search for serial orders, against somebody else's: stateright's tester of a register.

use proptest::prelude::*;
use rotaprobe::history::Span;
use rotaprobe::linearize::{Order, Steps, linearize};
use stateright::semantics::register::{Register, RegisterOp, RegisterRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use std::collections::BTreeSet;

/// A call at a register: it wrote this, or read it.
#[derive(Clone, Copy, Debug)]
struct Call {
    writes: bool,
    value: u8,
    span: Span,
}

struct Ours<'c>(&'c [Call]);

impl Steps for Ours<'_> {
    type State = BTreeSet<u8>;

    fn step(&mut self, state: &BTreeSet<u8>, call: usize) -> Option<BTreeSet<u8>> {
        let Call { writes, value, .. } = self.0[call];
        (writes || state.contains(&value)).then(|| BTreeSet::from([value]))
    }

    fn alike(&self, one: usize, other: usize) -> bool {
        let what = |call: usize| (self.0[call].writes, self.0[call].value);
        what(one) == what(other)
    }

    fn join(&self, state: &mut BTreeSet<u8>, other: BTreeSet<u8>) {
        state.extend(other);
    }
}

fn ours(calls: &[Call]) -> bool {
    let spans: Vec<Span> = calls.iter().map(|call| call.span).collect();
    match linearize(&spans, BTreeSet::from([0]), &mut Ours(calls), 1_000_000) {
        Order::Legal(_) => true,
        Order::Illegal(_) => false,
        Order::Unknown => panic!("such a search does not take that long"),
    }
}

/// Each call in a thread of its own; an end comes before a beginning at the same time.
fn theirs(calls: &[Call]) -> bool {
    let ends = calls.iter().enumerate().map(|(at, call)| (call.span.ended, 0, at));
    let begins = calls.iter().enumerate().map(|(at, call)| (call.span.began, 1, at));
    let mut events: Vec<(u64, u8, usize)> = ends.chain(begins).collect();
    events.sort_unstable();
    let mut tester = LinearizabilityTester::new(Register(0));
    for (_, kind, at) in events {
        let Call { writes, value, .. } = calls[at];
        if kind == 1 {
            let op = if writes { RegisterOp::Write(value) } else { RegisterOp::Read };
            tester.on_invoke(at, op).unwrap();
        } else {
            let ret = if writes { RegisterRet::WriteOk } else { RegisterRet::ReadOk(value) };
            tester.on_return(at, ret).unwrap();
        }
    }
    tester.is_consistent()
}

fn call() -> impl Strategy<Value = Call> {
    (any::<bool>(), 0..3_u8, 0..24_u64, 1..9_u64).prop_map(|(writes, value, began, took)| Call {
        writes,
        value,
        span: Span { began, ended: began + took },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn it_says_what_another_tester_says(calls in prop::collection::vec(call(), 0..9)) {
        prop_assert_eq!(ours(&calls), theirs(&calls));
    }
}
