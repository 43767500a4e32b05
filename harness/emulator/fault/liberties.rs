//! Liberties: what documents leave open, taken the other way. None of them is wrong, and no rule may be
//! tripped by one; `tests/it/fault_matrix.rs` fails when one is.

use super::tools::{did, each_secret, edit, refuses, replayed};
use super::{Fault, Seam};
use crate::model::{Answer, Condition, Expect, Life, Meaning, Op, Outcome, Pending, Role, When};
use crate::spec::Complaint;

pub(super) const fn liberty(name: &'static str, does: &'static str, seam: Seam) -> Fault {
    Fault { name, does, rules: &[], seam }
}

pub(super) const LIBERTIES: &[Fault] = &[
    liberty(
        "disputed-intervals-refused",
        "intervals on which documents contradict each other are refused",
        Seam::Paper(|vendor| vendor.spec.interval.disputed.clear()),
    ),
    liberty(
        "odd-spellings-refused",
        "leading zeros, upper-case and mixed units are refused",
        Seam::Paper(|vendor| vendor.spec.interval.open.clear()),
    ),
    liberty(
        "open-constraints-enforced",
        "constraints that documents leave open are enforced",
        Seam::Paper(|vendor| {
            vendor
                .spec
                .operations
                .values_mut()
                .flat_map(|it| it.parameters.values_mut())
                .for_each(|parameter| parameter.open.clear());
        }),
    ),
    liberty(
        "doubts-refused",
        "whatever documents do not clearly allow is refused",
        Seam::Weigh(|_, turn| turn.complaints.iter_mut().for_each(|complaint| complaint.certain = true)),
    ),
    liberty(
        "doubts-refused-at-times",
        "what documents do not clearly allow is refused now and then",
        Seam::Weigh(|emulator, turn| {
            let creates = turn.op.as_ref().is_some_and(|op| op.role == Role::Create);
            let described = emulator.vendor.spec.operations.get(&turn.operation);
            let named = |name: &str| {
                let is = described.and_then(|it| it.meaning(name));
                matches!(is, Some(Meaning::Secret | Meaning::Token))
            };
            // What every creation says alike is taken or not: that does not come and go.
            let tossed = |it: &&mut Complaint| !it.certain && (!creates || named(&it.parameter));
            for complaint in turn.complaints.iter_mut().filter(tossed) {
                complaint.certain = emulator.rng.u8(..4) == 0;
            }
        }),
    ),
    liberty(
        "schedules-take-time",
        "what a schedule begins takes as long as what a call begins",
        Seam::Hear(|emulator, turn| {
            let (law, now) = (&emulator.vendor.clone().law, turn.now);
            let Some(takes) = law.takes.filter(|_| law.pending.is_some()) else { return };
            each_secret(emulator, |secret| {
                let acts = secret.policy.on && secret.life == Life::Active;
                let due = secret.next.filter(|due| acts && (due.lo..due.lo + takes).contains(&now));
                if let (Some(due), None) = (due, &secret.pending) {
                    let id = secret.next_id(law);
                    secret.pending = Some(Pending::new(id, due.plus(takes), due));
                    secret.next = secret.policy.every.map(|every| due.plus(every));
                }
            });
        }),
    ),
    liberty(
        "writes-end-rotations",
        "a value that is written with the pending stage ends the rotation that goes on",
        Seam::Keep(|emulator, turn| {
            let named = turn.op.as_ref().and_then(|op| op.stages.as_ref());
            let takes_stage = emulator.vendor.law.pending.as_ref().zip(named);
            if did(turn, Role::Put) && takes_stage.is_some_and(|(pending, named)| named.contains(pending)) {
                edit(emulator, turn, |secret, _| secret.pending = None);
            }
        }),
    ),
    liberty(
        "names-come-again",
        "a name that the service makes follows from what the secret stands for: one at a time has it",
        Seam::Weigh(|emulator, turn| {
            let Some(op) = turn.op.as_mut().filter(|op| op.names_itself) else { return };
            let kind = emulator.vendor.kind(op.kind).and_then(|(_, kind)| kind.generated_name.as_ref());
            if let Some(template) = kind {
                op.names_itself = false;
                op.secret = template.replace("{fresh}", "rotaprobe").into();
            }
        }),
    ),
    liberty(
        "stages-limited",
        "more stages are refused than documents surely allow",
        Seam::Paper(|vendor| {
            vendor.law.stages_at_most = vendor.law.stages_at_most.or(vendor.law.stages_may_be_at_most);
        }),
    ),
    liberty(
        "all-is-meant",
        "what no document gives a meaning to is given one",
        Seam::Weigh(|emulator, turn| {
            let given: Vec<(&str, &str)> =
                turn.params.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let read = crate::spec::interpret(&emulator.vendor, &turn.operation, &given, turn.account);
            if let (Some(also), Some(op)) = (read.and_then(|reading| reading.also), &mut turn.op) {
                *op = Op { project: op.project.take(), ..also };
            }
        }),
    ),
    liberty(
        "chance-decides",
        "where documents allow several outcomes, chance decides",
        Seam::Decide(|emulator, turn| {
            // A task that has ended does not begin again.
            let Some(op) = turn.op.as_ref().filter(|op| op.role != Role::Task) else { return };
            let law = &emulator.vendor.law;
            let mut possible = crate::model::outcomes(law, &emulator.world, op, When::at(turn.now));
            // A database that a secret needs is there or it is not: it does not come and go.
            let unavailable = Answer::Refused(Condition::Unavailable);
            possible.retain(|outcome| {
                !outcome.change.unknown && (op.role != Role::Create || outcome.answer != unavailable)
            });
            if emulator.rng.u8(..4) == 0 && !possible.is_empty() {
                turn.outcome = Some(possible.swap_remove(emulator.rng.usize(..possible.len())));
            }
        }),
    ),
    liberty(
        "done-where-allowed",
        "what documents allow to be refused or done is done",
        Seam::Decide(|emulator, turn| {
            let done = |outcome: &Outcome| matches!(outcome.answer, Answer::Done(_));
            let refused = !turn.outcome.as_ref().is_some_and(done);
            let Some(op) = turn.op.as_ref().filter(|op| refused && op.role != Role::Task) else { return };
            let possible =
                crate::model::outcomes(&emulator.vendor.law, &emulator.world, op, When::at(turn.now));
            let allowed = possible.into_iter().find(|it| done(it) && !it.change.unknown);
            turn.outcome = allowed.or_else(|| turn.outcome.take());
        }),
    ),
    liberty(
        "one-kind-only",
        "secrets can be made of one kind that rotates, and of no other",
        Seam::Decide(|emulator, turn| {
            let kinds = &emulator.vendor.law.kinds;
            let first = kinds.iter().position(|kind| kind.rotates);
            let other = turn.op.as_ref().is_some_and(|op| {
                op.role == Role::Create && kinds[op.kind].rotates && Some(op.kind) != first
            });
            if let (true, Some(outcome)) = (other, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Invalid);
            }
        }),
    ),
    liberty(
        "replays-count",
        "a replayed rotation counts for the limit",
        Seam::Keep(|emulator, turn| {
            if replayed(turn) && turn.succeeds() {
                emulator.world.spend(turn.account, When::at(turn.now), true);
            }
        }),
    ),
    liberty(
        "refused-count",
        "a refused rotation counts for the limit",
        Seam::Keep(|emulator, turn| {
            if turn.role() == Some(Role::Rotate) && !turn.succeeds() {
                emulator.world.spend(turn.account, When::at(turn.now), true);
            }
        }),
    ),
    liberty(
        "limit-before-replay",
        "a replay is refused too when the limit is used up",
        Seam::Decide(|emulator, turn| {
            let Some(rate) = emulator.vendor.law.rate else { return };
            let spent =
                emulator.world.spent.get(&turn.account).map_or(0, |spent| {
                    spent.iter().filter(|(when, _)| when.lo > turn.now - rate.per).count()
                });
            if let (true, Some(outcome)) = (replayed(turn) && spent >= rate.calls, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Throttled);
            }
        }),
    ),
    liberty(
        "leaving-refuses-all",
        "a secret in its deletion window refuses whatever documents do not allow",
        Seam::Paper(|vendor| {
            let allowed = vendor.law.leaving_allows.clone();
            let all = [Role::Rotate, Role::SetPolicy, Role::Read, Role::Versions, Role::Put, Role::MoveStage];
            vendor.law.leaving_refuses.extend(all.into_iter().filter(|role| !allowed.contains(role)));
        }),
    ),
    liberty(
        "leaving-allows-all",
        "a secret in its deletion window does whatever documents do not refuse",
        Seam::Paper(|vendor| {
            let all = [Role::Rotate, Role::SetPolicy, Role::Read, Role::Versions, Role::Put, Role::MoveStage];
            let refused = &vendor.law.leaving_refuses;
            vendor.law.leaving_allows.extend(all.into_iter().filter(|role| !refused.contains(role)));
        }),
    ),
    liberty(
        "base-is-policy",
        "the schedule of a secret that was never rotated begins with its policy",
        Seam::Decide(|_, turn| {
            let now = turn.now;
            let sets = turn.op.as_ref().is_some_and(|op| op.role == Role::SetPolicy && op.begins.is_none());
            let Some(outcome) = turn.outcome.as_mut().filter(|_| sets) else { return };
            if let Some((_, Some(secret))) = &mut outcome.change.secret
                && let (None, Some(every), true) = (secret.last, secret.policy.every, secret.policy.on)
            {
                let date = When::at(now + every);
                std::sync::Arc::make_mut(secret).next = Some(date);
                if let Answer::Done(stated) = &mut outcome.answer {
                    let dates = stated.iter_mut().filter(|(is, _)| *is == Meaning::NextRotation);
                    dates.for_each(|(_, expect)| *expect = Expect::Within(date));
                }
            }
        }),
    ),
    liberty(
        "dates-refused",
        "nobody may name the date on which automatic rotation begins",
        Seam::Decide(|_, turn| {
            let named = turn.op.as_ref().is_some_and(|op| op.begins.is_some() && op.enable == Some(true));
            if let (true, Some(outcome)) = (named, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Invalid);
            }
        }),
    ),
    liberty(
        "dates-count-intervals",
        "automatic rotation begins an interval after the date that is named",
        Seam::Weigh(|_, turn| {
            if let Some(op) = &mut turn.op {
                let every = op.interval.unwrap_or_default();
                op.begins = op.begins.map(|begins| begins.plus(every));
            }
        }),
    ),
    liberty(
        "previous-stays-put",
        "the previous stage does not follow when the current one is moved by hand",
        Seam::Decide(|emulator, turn| {
            let op = turn.op.clone().filter(|op| {
                op.role == Role::MoveStage && op.stage.as_ref() == Some(&emulator.vendor.law.current)
            });
            if let (Some(op), Some(outcome)) = (op, &mut turn.outcome) {
                let possible =
                    crate::model::outcomes(&emulator.vendor.law, &emulator.world, &op, When::at(turn.now));
                if let Some(last) = possible.into_iter().next_back() {
                    *outcome = last;
                }
            }
        }),
    ),
    liberty(
        "both-deletions-refused",
        "a window given together with force is refused",
        Seam::Paper(|vendor| {
            vendor.spec.operations.values_mut().flat_map(|it| it.parameters.values_mut()).for_each(
                |parameter| {
                    parameter.open.retain(|open| *open != crate::spec::Constraint::Excludes);
                },
            );
        }),
    ),
    liberty(
        "mismatch-of-stage-refused",
        "a read whose version and stage do not match shows the version",
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Read, Condition::UnknownVersion) {
                let Some(op) = turn.op.clone() else { return };
                let possible =
                    crate::model::outcomes(&emulator.vendor.law, &emulator.world, &op, When::at(turn.now));
                if let (true, Some(second)) = (possible.len() > 1, possible.into_iter().nth(1)) {
                    turn.outcome = Some(second);
                }
            }
        }),
    ),
    liberty(
        "identifier-unknown",
        "a full identifier reaches nothing, as on older pages",
        Seam::Weigh(|emulator, turn| {
            let open = emulator.vendor.law.identifier_open;
            if let Some(op) = turn.op.as_mut().filter(|op| open && op.secret.contains(':')) {
                op.secret = format!("{}?", op.secret).into();
            }
        }),
    ),
];
