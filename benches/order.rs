//! The search for serial orders beside stateright's, on histories of a register.

use criterion::Criterion;
use rotaprobe::history::Span;
use rotaprobe::linearize::{Order, Steps, linearize};
use stateright::semantics::register::{Register, RegisterOp, RegisterRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use std::collections::BTreeSet;

/// What each call wrote, or nothing for one that read; and when it ran.
type Calls = Vec<(Option<u8>, Span)>;

struct Ours<'c>(&'c Calls, u8);

impl Steps for Ours<'_> {
    type State = BTreeSet<u8>;

    fn step(&mut self, state: &BTreeSet<u8>, call: usize) -> Option<BTreeSet<u8>> {
        match self.0[call].0 {
            Some(value) => Some(BTreeSet::from([value])),
            None => state.contains(&self.1).then(|| BTreeSet::from([self.1])),
        }
    }

    fn join(&self, state: &mut BTreeSet<u8>, other: BTreeSet<u8>) {
        state.extend(other);
    }
}

/// Groups of calls at once: one writes what the reads after it read, the others something else.
fn groups(count: u64, size: u64) -> Calls {
    let group = |at: u64| {
        let write = move |member: u64| {
            (
                Some(u8::from(member != size / 2)),
                Span { began: at * 100 + member, ended: at * 100 + 50 + member },
            )
        };
        let read = (None, Span { began: at * 100 + 90, ended: at * 100 + 95 });
        (0..size).map(write).chain([read])
    };
    (0..count).flat_map(group).collect()
}

fn theirs(calls: &Calls) -> bool {
    let ends = calls.iter().enumerate().map(|(at, (_, span))| (span.ended, 0, at));
    let begins = calls.iter().enumerate().map(|(at, (_, span))| (span.began, 1, at));
    let mut events: Vec<(u64, u8, usize)> = ends.chain(begins).collect();
    events.sort_unstable();
    let mut tester = LinearizabilityTester::new(Register(0));
    for (_, kind, at) in events {
        let wrote = calls[at].0;
        let _ = match kind {
            1 => tester.on_invoke(at, wrote.map_or(RegisterOp::Read, RegisterOp::Write)).map(drop),
            _ => {
                tester.on_return(at, wrote.map_or(RegisterRet::ReadOk(0), |_| RegisterRet::WriteOk)).map(drop)
            }
        };
    }
    tester.is_consistent()
}

/// Eight calls at once, and ten groups of four, in a row.
pub(crate) fn orders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("order");
    group.sample_size(10);
    for (name, calls) in [("8-at-once", groups(1, 8)), ("4-at-once-10-times", groups(10, 4))] {
        let spans: Vec<Span> = calls.iter().map(|(_, span)| *span).collect();
        group.bench_function(format!("linearize/{name}"), |bench| {
            bench.iter(|| {
                let found = linearize(&spans, BTreeSet::from([0]), &mut Ours(&calls, 0), 1_000_000);
                assert!(matches!(found, Order::Legal(_)));
            });
        });
        group.bench_function(format!("stateright/{name}"), |bench| bench.iter(|| assert!(theirs(&calls))));
    }
    group.finish();
}
