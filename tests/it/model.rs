//! The model, over all short sequences of operations: what must hold in every world it can reach.

use rotaprobe::model::{
    Answer, Belief, Condition, EVERYTHING, Id, Law, Life, Meaning, NOTHING, Op, Role, SOMETIME, Secret, Seen,
    Value, When, World, digest, outcomes, tick,
};
use rotaprobe::spec;
use std::collections::BTreeSet;
use std::sync::Arc;

const START: i64 = 1_700_000_000;

/// The operations that sequences are made of, at one secret that can rotate and one that cannot.
fn alphabet(law: &Law) -> Vec<Op> {
    let managed = law.kinds.iter().position(|kind| kind.rotates).unwrap();
    let mut ops = Vec::new();
    for (name, kind) in [("managed", managed), ("plain", 0)] {
        let op = |role| Op::new(role, 0, name.into());
        ops.push(Op { kind, token: Some("v1".into()), value: Some(digest("one")), ..op(Role::Create) });
        for token in ["v1", "v2", "v3"] {
            ops.push(Op { token: Some(token.into()), ..op(Role::Rotate) });
            ops.push(Op { token: Some(token.into()), value: Some(digest(token)), ..op(Role::Put) });
        }
        let custom = Some(vec!["custom".into()]);
        ops.push(Op {
            token: Some("v4".into()),
            value: Some(digest("four")),
            stages: custom,
            ..op(Role::Put)
        });
        ops.push(Op { enable: Some(true), interval: Some(604_800), ..op(Role::SetPolicy) });
        ops.push(Op { enable: Some(false), ..op(Role::SetPolicy) });
        ops.push(Op { stage: Some(law.current.clone()), move_to: Some("v1".into()), ..op(Role::MoveStage) });
        ops.push(Op { stage: Some("custom".into()), remove_from: Some("v4".into()), ..op(Role::MoveStage) });
        ops.push(op(Role::Delete));
        ops.push(Op { force: true, ..op(Role::Delete) });
        ops.push(op(Role::Restore));
    }
    ops
}

fn assert_sound(law: &Law, secret: &Secret, path: &[Op]) {
    let holders =
        |stage: &str| secret.versions.iter().filter(|it| it.stages.iter().any(|s| &**s == stage)).count();
    let said = || {
        format!(
            "{:?}",
            path.iter().map(|op| (op.role, op.secret.clone(), op.token.clone())).collect::<Vec<_>>()
        )
    };
    assert_eq!(holders(&law.current), 1, "one version is current: {}", said());
    let mut stages: Vec<_> = secret.versions.iter().flat_map(|version| &version.stages).collect();
    let count = stages.len();
    stages.sort();
    stages.dedup();
    assert_eq!(stages.len(), count, "a stage sits on one version: {}", said());
    let ids: BTreeSet<&Id> = secret.versions.iter().map(|version| &version.id).collect();
    assert_eq!(ids.len(), secret.versions.len(), "ids are unique: {}", said());
    assert!(!secret.policy.on || (secret.policy.every.is_some() && secret.next.is_some()), "{}", said());
    assert!(law.kinds[secret.kind].rotates || (secret.last.is_none() && !secret.policy.on), "{}", said());
}

fn assert_step(
    law: &Law,
    before: Option<&Arc<Secret>>,
    op: &Op,
    answer: &Answer,
    after: Option<&Arc<Secret>>,
    rule: &str,
) {
    match answer {
        Answer::Refused(_) => assert_eq!(before, after, "{rule}: a refusal changes nothing: {op:?}"),
        Answer::Done(facts) => {
            let replay =
                before.zip(op.token.as_ref()).is_some_and(|(secret, token)| secret.version(token).is_some());
            if op.role == Role::Rotate && replay {
                assert_eq!(before, after, "a replay changes nothing");
            } else if let (Role::Rotate, Some(before), Some(after)) = (op.role, before, after) {
                assert_eq!(after.versions.len(), before.versions.len() + 1);
                assert_eq!(after.versions.last().unwrap().value, Value::Sealed);
                let old = before.staged(&law.current).map(|version| &version.id);
                assert_eq!(after.staged(law.previous.as_ref().unwrap()).map(|version| &version.id), old);
            }
            // What a version's value is never changes.
            for old in before.iter().flat_map(|secret| secret.versions.iter()) {
                let same =
                    after.and_then(|secret| secret.versions.iter().find(|version| version.id == old.id));
                assert!(same.is_none_or(|same| same.value == old.value), "{op:?}");
            }
            let named = facts.iter().find(|(meaning, _)| *meaning == Meaning::Secret);
            assert!(named.is_some(), "every success names its secret");
        }
    }
}

fn explore(
    law: &Law,
    ops: &[Op],
    world: &World,
    now: i64,
    depth: usize,
    path: &mut Vec<Op>,
    seen: &mut usize,
) {
    if depth == 0 {
        return;
    }
    for op in ops {
        let possible = outcomes(law, world, op, When::at(now));
        assert!(!possible.is_empty(), "something always comes of a call: {op:?}");
        path.push(op.clone());
        for outcome in &possible {
            let mut next = world.clone();
            next.apply(outcome.change.clone());
            *seen += 1;
            let key = (0, op.secret.clone());
            assert_step(
                law,
                world.secrets.get(&key),
                op,
                &outcome.answer,
                next.secrets.get(&key),
                outcome.rule,
            );
            next.secrets.values().for_each(|secret| assert_sound(law, secret, path));
            // Only the canonical way goes on: the others differ from it in one step.
            if outcome == &possible[0] {
                explore(law, ops, &next, now + 60, depth - 1, path, seen);
            }
        }
        path.pop();
    }
}

#[test]
fn invariants_hold_over_all_short_sequences() {
    let vendor = spec::embedded("alibaba").unwrap();
    let ops = alphabet(&vendor.law);
    let mut seen = 0;
    explore(&vendor.law, &ops, &World::default(), START, 3, &mut Vec::new(), &mut seen);
    // Longer ones at one secret each, after its creation.
    for name in ["managed", "plain"] {
        let own: Vec<Op> = ops.iter().filter(|op| &*op.secret == name).cloned().collect();
        let mut world = World::default();
        world.apply(outcomes(&vendor.law, &world, &own[0], When::at(START)).remove(0).change);
        explore(&vendor.law, &own[1..], &world, START + 60, 4, &mut vec![own[0].clone()], &mut seen);
    }
    assert!(seen > 30_000, "only {seen} steps were looked at");
}

#[test]
fn time_rotates_what_is_due_and_takes_what_is_deleted() {
    let vendor = spec::embedded("alibaba").unwrap();
    let law = &vendor.law;
    let ops = alphabet(law);
    let mut world = World::default();
    for op in ops
        .iter()
        .filter(|op| &*op.secret == "managed" && matches!(op.role, Role::Create))
        .chain(ops.iter().filter(|op| op.interval.is_some() && &*op.secret == "managed"))
    {
        let change = outcomes(law, &world, op, When::at(START)).remove(0).change;
        world.apply(change);
    }
    let secret = world.secrets.values().next().unwrap();
    let due = START + 604_800;
    assert_eq!(tick(law, secret, When::at(due - 1), EVERYTHING), vec![(**secret).clone()]);
    let fired = tick(law, secret, When::at(due), EVERYTHING).remove(0);
    assert_eq!((fired.last, fired.next), (Some(When::at(due)), Some(When::at(due + 604_800))));
    assert_eq!(fired.versions.len(), secret.versions.len() + 1);
    // Whoever looks from outside allows for a schedule that is about to act.
    assert_eq!(tick(law, secret, When::at(due), NOTHING).len(), 2);
    let mut leaving = (**secret).clone();
    leaving.life = Life::Leaving(When::at(due));
    assert_eq!(tick(law, &leaving, When::at(due - 1), EVERYTHING).len(), 1);
    assert!(tick(law, &leaving, When::at(due), EVERYTHING).is_empty());
}

#[test]
fn the_limit_is_certain_only_where_documents_make_it_so() {
    let vendor = spec::embedded("alibaba").unwrap();
    let law = &vendor.law;
    let rate = law.rate.unwrap();
    let op =
        alphabet(law).into_iter().find(|op| op.role == Role::Create && &*op.secret == "managed").unwrap();
    let mut world = World::default();
    world.apply(outcomes(law, &world, &op, When::at(START)).remove(0).change);
    let rotate = Op { token: Some("new".into()), ..Op::new(Role::Rotate, 0, "managed".into()) };
    let answers = |world: &World| -> Vec<bool> {
        outcomes(law, world, &rotate, When::at(START))
            .iter()
            .map(|it| matches!(it.answer, Answer::Done(_)))
            .collect()
    };
    for (certain, expected) in [(rate.calls - 1, vec![true]), (rate.calls, vec![false])] {
        world.spent.insert(0, vec![(When::at(START), true); certain]);
        assert_eq!(answers(&world), expected, "{certain} certain");
    }
    // Replays may count or not, so both answers are possible.
    world.spent.insert(0, vec![(When::at(START), false); rate.calls]);
    assert_eq!(answers(&world), [true, false]);
    let stale = START - rate.per;
    world.spent.insert(0, vec![(When::at(stale), true); rate.calls]);
    assert_eq!(answers(&world), [true]);
}

#[test]
fn a_lost_call_that_would_be_refused_may_arrive_when_it_is_not() {
    let vendor = spec::embedded("alibaba").unwrap();
    let law = &vendor.law;
    let op = |role| Op::new(role, 0, "managed".into());
    let create = alphabet(law).into_iter().find(|op| op.role == Role::Create).unwrap();
    let (mut world, mut belief) = (World::default(), Belief::default());
    let mut becomes = |belief: &mut Belief, op: &Op| {
        world.apply(outcomes(law, &world, op, When::at(START)).remove(0).change);
        let (_, secret) = world.find(0, "managed").unwrap();
        belief.adopt(0, "managed", secret);
    };
    // There is nothing to restore yet; once the secret is deleted, there is.
    becomes(&mut belief, &create);
    let possible = belief.possible(law, &op(Role::Restore), When::at(START), EVERYTHING);
    assert!(possible.iter().all(|(_, outcome)| matches!(outcome.answer, Answer::Refused(_))));
    belief.observe(law, &op(Role::Restore), possible, &Seen::Lost, When::at(START)).unwrap();
    becomes(&mut belief, &op(Role::Delete));
    let rotate = Op { token: Some("v2".into()), ..op(Role::Rotate) };
    let lives = |belief: &Belief| {
        let possible = belief.possible(law, &rotate, When::at(START), EVERYTHING);
        possible.iter().any(|(world, _)| world.find(0, "managed").unwrap().1.life == Life::Active)
    };
    assert!(lives(&belief), "the restoration may have arrived");
    belief.landed();
    assert!(!lives(&belief), "it has arrived before, or never will");
}

/// A policy whose first date is named begins then, give or take the slack, and not an interval from now.
#[test]
fn a_named_first_date_counts() {
    let law = Law { slack: 86_400, first_open: true, ..spec::embedded("alibaba").unwrap().law.clone() };
    let kind = law.kinds.iter().position(|kind| kind.rotates).unwrap();
    let week = 604_800;
    let due = |begins: Option<When>, now: When| {
        let op = Op {
            kind,
            begins,
            enable: Some(true),
            interval: Some(week),
            token: Some("v1".into()),
            ..Op::new(Role::Create, 0, "dated".into())
        };
        let possible = outcomes(&law, &World::default(), &op, now);
        let refused = possible.iter().any(|it| matches!(it.answer, Answer::Refused(Condition::Invalid)));
        assert_eq!(refused, begins.is_some(), "how early or late it may be is open");
        let mut world = World::default();
        world.apply(possible[0].change.clone());
        world.find(0, "dated").unwrap().1.next.unwrap()
    };
    let seen = When { lo: START - 2, hi: START + 2 };
    let far = START + 90 * 86_400;
    assert_eq!(due(Some(When::at(far)), When::at(START)), When::at(far), "the reference keeps to it");
    assert_eq!(
        due(Some(When::at(far)), seen),
        When { lo: far - 86_400, hi: far + week + 86_400 },
        "whether an interval passes before the first one is open"
    );
    assert_eq!(due(Some(When::at(START - week)), When::at(START)), When::at(START + week), "it has passed");
    let unread = due(Some(When { lo: 0, hi: SOMETIME }), seen);
    assert!(unread.lo <= START && unread.hi >= SOMETIME, "a date that cannot be read may be any: {unread:?}");
    assert!(due(None, seen).hi <= START + week + 86_400 + 2);
}
