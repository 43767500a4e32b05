//! Faults that no directed check trips, and that need calls at the same time or a lost reply besides a
//! certain state before.

use super::races::{Rift, decided_then, forgive, note_reply, rift, unheard};
use super::tools::{edit, has, replayed, rotated, sets_policy};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Answer, Id, Life, Role, Secret, Text, Value, Version};
use std::sync::Arc;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "creation-race",
        does: "two overlapping creations of one name both succeed, and the second takes the place",
        rules: &["LIFE-1", "ROT-CONC-1"],
        seam: Seam::Race(|emulator, turn| {
            let Some(rift) = rift(emulator, turn) else { return };
            if turn.role() == Some(Role::Create) && rift.then.is_none() && rift.now.is_some() {
                turn.outcome = decided_then(emulator, turn, &rift).or(turn.outcome.take());
            }
        }),
    },
    Fault {
        name: "rotation-resurrects",
        does: "a rotation that overlaps with a deletion brings back a secret that rotates automatically",
        rules: &["LIFE-4", "ROT-CONC-1"],
        seam: Seam::Race(|emulator, turn| {
            let Some(rift) = rift(emulator, turn) else { return };
            let scheduled = |secret: &Arc<Secret>| {
                secret.life == Life::Active && secret.policy.on && secret.policy.every.is_some()
            };
            let deleted = rift.now.as_ref().is_none_or(|secret| secret.life != Life::Active);
            if turn.role() == Some(Role::Rotate) && deleted && rift.then.as_ref().is_some_and(scheduled) {
                turn.outcome = decided_then(emulator, turn, &rift).or(turn.outcome.take());
            }
        }),
    },
    Fault {
        name: "rotation-takes-put-value",
        does: "a rotation that overlaps with a write to another stage makes a version of the written value",
        rules: &["ROT-NEW-1", "ROT-CONC-1"],
        seam: Seam::Race(takes_put_value),
    },
    Fault {
        name: "policies-mix",
        does: "of overlapping changes of a policy that is on, the last keeps the interval from before both",
        rules: &["ROT-POL-5", "ROT-CONC-1"],
        seam: Seam::Race(|emulator, turn| {
            let Some(Rift { then: Some(then), now: Some(now), .. }) = rift(emulator, turn) else { return };
            let changed = then.policy.on && then.policy != now.policy;
            if sets_policy(turn) && changed {
                change(turn, |secret| secret.policy.every = then.policy.every);
            }
        }),
    },
    Fault {
        name: "policy-forgets-rotation",
        does: "a policy set while a secret rotates that was rotated before counts from the rotation before",
        rules: &["ROT-SCHED-1", "ROT-SCHED-3", "ROT-CONC-1"],
        seam: Seam::Race(|emulator, turn| {
            let Some(Rift { then: Some(then), now: Some(now), .. }) = rift(emulator, turn) else { return };
            let begun = then.last != now.last || now.pending.is_some();
            if let (true, Some(last)) = (sets_policy(turn) && begun, then.last) {
                change(turn, |secret| {
                    let every = secret.policy.every.filter(|_| secret.policy.on);
                    secret.next = every.map(|every| last.plus(every)).or(secret.next);
                    secret.last = Some(last);
                });
            }
        }),
    },
    Fault {
        name: "lost-reply-loses-previous",
        does: "after a rotation whose reply was lost, another one calls the version before both the previous",
        rules: &["ROT-PREV-1"],
        seam: Seam::Keep(lost_reply_loses_previous),
    },
];

/// Changes what the call is about to store.
fn change(turn: &mut Turn<'_>, with: impl FnOnce(&mut Secret)) {
    let outcome = turn.outcome.as_mut().filter(|it| matches!(it.answer, Answer::Done(_)));
    if let Some((_, Some(secret))) = outcome.and_then(|outcome| outcome.change.secret.as_mut()) {
        let mut changed = (**secret).clone();
        with(&mut changed);
        *secret = Arc::new(changed);
    }
}

/// Versions that one state of a secret has and the other has not.
fn new_since<'s>(then: &'s Secret, now: &'s Secret) -> impl Iterator<Item = &'s Version> {
    now.versions.iter().filter(|version| then.versions.iter().all(|known| known.id != version.id))
}

fn takes_put_value(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let Some(Rift { then: Some(then), now: Some(now), .. }) = rift(emulator, turn) else { return };
    let (law, Some(op)) = (emulator.vendor.law.clone(), turn.op.clone()) else { return };
    let makes = |stages: &[Text]| {
        stages.iter().any(|stage| *stage == law.current || Some(stage) == law.pending.as_ref())
    };
    match op.role {
        Role::Rotate => {
            let written = new_since(&then, &now).find(|it| !it.stages.is_empty() && !makes(&it.stages));
            if let Some(value) = written.map(|version| version.value) {
                change(turn, |secret| {
                    let made = secret.versions.iter_mut().filter(|it| makes(&it.stages));
                    made.filter(|it| it.value == Value::Sealed).for_each(|it| it.value = value);
                });
            }
        }
        Role::Put if op.stages.as_ref().is_some_and(|stages| !makes(stages)) => {
            let rotated: Vec<Id> = new_since(&then, &now)
                .filter(|version| has(version, Some(&law.current)) || has(version, law.pending.as_ref()))
                .map(|version| version.id.clone())
                .collect();
            if let Some(value) = op.value.map(Value::Known) {
                change(turn, |secret| {
                    let made = secret.versions.iter_mut().filter(|version| rotated.contains(&version.id));
                    made.for_each(|version| version.value = value);
                });
            }
        }
        _ => {}
    }
}

fn lost_reply_loses_previous(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    note_reply(emulator, turn);
    let Some(lost) = unheard(emulator, turn) else { return };
    if replayed(turn) {
        // Whoever asks again has heard of it then.
        return forgive(emulator, turn);
    }
    let (true, Some((_, before))) = (rotated(turn), turn.before.clone()) else { return };
    let lost = Id::Known(lost.into());
    let previous = emulator.vendor.law.previous.clone();
    let older = previous.as_ref().and_then(|stage| before.staged(stage)).map(|version| version.id.clone());
    // The lost one itself may end only now.
    let other = before
        .versions
        .iter()
        .any(|version| version.id == lost && has(version, Some(&emulator.vendor.law.current)));
    if let (true, Some(older)) = (other, older) {
        forgive(emulator, turn);
        edit(emulator, turn, |secret, law| {
            if let Some(stage) = &law.previous {
                secret.set_stage(stage, Some(&older));
            }
        });
    }
}
