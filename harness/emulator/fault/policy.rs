//! Faults of the rotation policy and its schedule.

use super::tools::{
    begins, did, each_secret, edit, given, refuses, restate, rotate_anyway, rotated, sets_policy, stated,
    subject, switches_off,
};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Change, Condition, Fact, Meaning, Role, When};
use crate::spec::interval::Ruling;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "enable-without-interval",
        does: "automatic rotation can be switched on without an interval",
        rules: &["ROT-POL-3"],
        seam: Seam::Weigh(|_, turn| {
            let missing = turn.complaints.iter().any(|complaint| complaint.rule == "ROT-POL-3");
            turn.complaints.retain(|complaint| complaint.rule != "ROT-POL-3");
            if let (true, Some(op)) = (missing, &mut turn.op) {
                op.interval = op.interval.or(Some(30 * 86_400));
            }
        }),
    },
    Fault {
        name: "disabled-validates-interval",
        does: "a bad interval is refused though automatic rotation is switched off",
        rules: &["ROT-POL-4"],
        seam: Seam::Weigh(|emulator, turn| {
            let off = switches_off(turn);
            let text = given(emulator, turn, Meaning::Interval).filter(|_| off);
            let bad = text.is_some_and(|text| {
                !matches!(emulator.vendor.spec.interval.read(&text), Ruling::Legal(_) | Ruling::Open(_))
            });
            if bad {
                emulator.refuse(turn, Condition::Invalid, "");
            }
        }),
    },
    Fault {
        name: "policy-not-persisted",
        does: "a policy is answered with success and not stored",
        rules: &["ROT-POL-5"],
        seam: Seam::Decide(|_, turn| {
            if let (true, Some(outcome)) = (sets_policy(turn), &mut turn.outcome) {
                outcome.change = Change::default();
            }
        }),
    },
    Fault {
        name: "policy-readback-old",
        does: "a description shows the interval before the last change",
        rules: &["ROT-POL-5"],
        seam: Seam::Keep(|emulator, turn| {
            let name = turn.op.as_ref().map_or("", |op| &op.secret).to_owned();
            let old =
                turn.before.as_ref().and_then(|(_, before)| before.policy.every.filter(|_| before.policy.on));
            if sets_policy(turn) && !turn.finishing && turn.succeeds() {
                emulator
                    .memory
                    .insert(format!("interval:{name}"), old.map_or_else(String::new, |old| old.to_string()));
            } else if did(turn, Role::Describe) && stated(turn, Meaning::Interval).is_some() {
                let old = emulator.memory.get(&format!("interval:{name}")).and_then(|old| old.parse().ok());
                if let Some(old) = old {
                    restate(turn, Meaning::Interval, Some(Fact::Count(old)));
                }
            }
        }),
    },
    Fault {
        name: "policy-readback-unit",
        does: "intervals are read back in days",
        rules: &["ROT-POL-5", "WIRE-REP-1"],
        seam: Seam::Phrase(|_, turn| {
            if let Some(Fact::Count(seconds)) = stated(turn, Meaning::Interval).cloned() {
                restate(turn, Meaning::Interval, Some(Fact::Text(format!("{}d", seconds / 86_400).into())));
            }
        }),
    },
    Fault {
        name: "policy-partial-on-error",
        does: "a refused policy flips the switch all the same",
        rules: &["ROT-POL-8"],
        seam: Seam::Keep(|emulator, turn| {
            let op = turn.op.as_ref().filter(|_| sets_policy(turn));
            let enable = op.map(|op| op.enable.unwrap_or(op.role == Role::Rotate));
            if let (Some(Condition::Invalid | Condition::Missing | Condition::BadBody), Some(on)) =
                (turn.condition, enable)
            {
                edit(emulator, turn, |secret, _| secret.policy.on = on);
            }
        }),
    },
    Fault {
        name: "policy-refused-clears",
        does: "a refused policy switches automatic rotation off",
        rules: &["ROT-POL-8"],
        seam: Seam::Keep(|emulator, turn| {
            if sets_policy(turn) && matches!(turn.condition, Some(Condition::Invalid | Condition::BadBody)) {
                edit(emulator, turn, |secret, _| {
                    secret.policy.on = false;
                    secret.next = None;
                });
            }
        }),
    },
    Fault {
        name: "disable-forgotten",
        does: "switching automatic rotation off is answered with success and does nothing",
        rules: &["ROT-POL-5"],
        seam: Seam::Decide(|_, turn| {
            if let (true, Some(outcome)) = (switches_off(turn), &mut turn.outcome) {
                outcome.change = Change::default();
            }
        }),
    },
    Fault {
        name: "exclusive-both",
        does: "settings that exclude each other are taken together",
        rules: &["ROT-POL-6", "LIFE-4", "WIRE-REQ-2"],
        seam: Seam::Weigh(|_, turn| {
            turn.complaints.retain(|complaint| !complaint.why.contains("must not be given with"));
        }),
    },
    Fault {
        name: "exclusive-kept",
        does: "a new interval leaves the schedule expression in place",
        rules: &["ROT-POL-6"],
        seam: Seam::Keep(|emulator, turn| {
            let old = turn.before.as_ref().and_then(|(_, before)| before.schedule.clone());
            if let (true, Some(old)) = (sets_policy(turn) && turn.succeeds(), old) {
                edit(emulator, turn, |secret, _| {
                    secret.schedule = secret.schedule.take().or(Some(old));
                });
            }
        }),
    },
    Fault {
        name: "functionless-rotates",
        does: "a secret rotates without a function",
        rules: &["ROT-STATE-1"],
        seam: Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Rotate, Condition::NoFunction) {
                super::tools::decide_anew(emulator, turn, |law| law.needs_function = false);
            }
        }),
    },
    Fault {
        name: "pending-ignored",
        does: "a rotation begins though a pending stage shows that another goes on",
        rules: &["ROT-CONC-2"],
        seam: Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Rotate, Condition::Busy) {
                super::tools::decide_anew(emulator, turn, |law| law.pending = None);
            }
        }),
    },
    Fault {
        name: "policy-drops-description",
        does: "setting a policy drops the description",
        rules: &["CONF-1"],
        seam: Seam::Keep(|emulator, turn| {
            if sets_policy(turn) {
                drop_description(emulator, turn, turn.role().unwrap_or(Role::SetPolicy));
            }
        }),
    },
    Fault {
        name: "rotate-drops-description",
        does: "rotation drops the description",
        rules: &["CONF-1"],
        seam: Seam::Keep(|emulator, turn| drop_description(emulator, turn, Role::Rotate)),
    },
    Fault {
        name: "rotate-switches-off",
        does: "a rotation by hand switches automatic rotation off",
        rules: &["CONF-1", "ROT-NEW-1", "ROT-SCHED-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, _| secret.policy.on = false);
            }
        }),
    },
    Fault {
        name: "next-date-absent",
        does: "the date of the next rotation is not shown",
        rules: &["ROT-SCHED-1"],
        seam: Seam::Keep(|_, turn| restate(turn, Meaning::NextRotation, None)),
    },
    Fault {
        name: "first-date-ignored",
        does: "automatic rotation begins an interval from now, whatever date is named",
        rules: &["ROT-SCHED-1"],
        seam: Seam::Weigh(|_, turn| {
            if let Some(op) = &mut turn.op {
                op.begins = None;
            }
        }),
    },
    Fault {
        name: "no-policy-at-creation",
        does: "the creation of a secret that rotates is refused if it sets a policy",
        rules: &["ROT-POL-1"],
        seam: Seam::Weigh(|emulator, turn| {
            let law = &emulator.vendor.law;
            let op = turn.op.as_ref().filter(|op| op.role == Role::Create && op.enable == Some(true));
            if op.is_some_and(|op| law.kinds[op.kind].rotates) {
                emulator.refuse(turn, Condition::Unavailable, "");
            }
        }),
    },
    Fault {
        name: "next-date-wrong",
        does: "the date of the next rotation is shown a day late",
        rules: &["ROT-SCHED-1"],
        seam: Seam::Keep(|_, turn| {
            if let Some(Fact::Time(at)) = stated(turn, Meaning::NextRotation).cloned() {
                restate(turn, Meaning::NextRotation, Some(Fact::Time(at + 86_400)));
            }
        }),
    },
    Fault {
        name: "last-date-stuck",
        does: "the date of the last rotation stays that of the first one",
        rules: &["ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Keep(|emulator, turn| {
            let first = turn.before.as_ref().and_then(|(_, before)| before.last);
            if let (true, Some(first)) = (rotated(turn), first) {
                edit(emulator, turn, |secret, _| secret.last = Some(first));
            }
        }),
    },
    Fault {
        name: "schedule-never-fires",
        does: "the date of the next rotation passes, and nothing happens",
        rules: &["ROT-SCHED-1"],
        seam: Seam::Hear(|emulator, turn| {
            let now = turn.now;
            each_secret(emulator, |secret| {
                if let (Some(due), Some(every)) = (secret.next, secret.policy.every)
                    && due.lo <= now
                {
                    secret.next = Some(due.plus(every));
                }
            });
        }),
    },
    Fault {
        name: "schedule-fires-early",
        does: "automatic rotation happens at half of the interval",
        rules: &["ROT-SCHED-1"],
        seam: Seam::Hear(|emulator, turn| {
            let now = turn.now;
            each_secret(emulator, |secret| {
                if let (Some(due), Some(every), true) = (secret.next, secret.policy.every, secret.policy.on)
                    && due.lo - every / 2 <= now
                    && due.lo > now
                {
                    secret.next = Some(When::at(now));
                }
            });
        }),
    },
    Fault {
        name: "ttl-refills",
        does: "reading moves the date of the next rotation",
        rules: &["ROT-SCHED-4", "ROT-SCHED-1"],
        seam: Seam::Keep(|emulator, turn| {
            let now = turn.now;
            if did(turn, Role::Describe) || did(turn, Role::Read) {
                edit(emulator, turn, |secret, _| {
                    if let (Some(_), Some(every)) = (secret.next, secret.policy.every) {
                        secret.next = Some(When::at(now + every));
                    }
                });
            }
        }),
    },
    Fault {
        name: "policy-update-ignored",
        does: "a changed interval does not move the date of the next rotation",
        rules: &["ROT-SCHED-3"],
        seam: Seam::Keep(|emulator, turn| {
            let before =
                turn.before.as_ref().and_then(|(_, before)| before.next.filter(|_| before.policy.on));
            let set = sets_policy(turn) && !turn.finishing && turn.succeeds();
            if let (true, Some(due)) = (set, before) {
                edit(emulator, turn, |secret, _| secret.next = secret.next.map(|_| due));
            }
        }),
    },
    Fault {
        name: "manual-keeps-schedule",
        does: "a rotation by hand does not restart the clock",
        rules: &["ROT-SCHED-2"],
        seam: Seam::Keep(|emulator, turn| {
            let before = turn.before.as_ref().and_then(|(_, before)| before.next);
            if let (true, Some(due)) = (rotated(turn), before) {
                edit(emulator, turn, |secret, _| secret.next = Some(due));
            }
        }),
    },
    Fault {
        name: "disabled-fires",
        does: "automatic rotation that was switched off goes on",
        rules: &["ROT-SCHED-5"],
        seam: Seam::Weigh(|emulator, turn| {
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let due = secret.last.zip(secret.policy.every).map(|(last, every)| last.lo + every);
            if !secret.policy.on && due.is_some_and(|due| due <= turn.now) {
                rotate_anyway(emulator, turn, None);
            }
        }),
    },
    Fault {
        name: "throttled-rotates",
        does: "a rotation that is refused for the limit happens all the same",
        rules: &["ROT-THR-2"],
        seam: Seam::Keep(|emulator, turn| {
            if turn.role() == Some(Role::Rotate) && turn.condition == Some(Condition::Throttled) {
                let token = turn.op.as_ref().and_then(|op| op.token.clone());
                rotate_anyway(emulator, turn, token);
            }
        }),
    },
    Fault {
        name: "limit-plus-one",
        does: "one rotation more than the limit is allowed",
        rules: &["ROT-THR-1"],
        seam: Seam::Paper(|vendor| vendor.law.rate.iter_mut().for_each(|rate| rate.calls += 1)),
    },
    Fault {
        name: "limit-minus-one",
        does: "one rotation less than the limit is allowed",
        rules: &["ROT-THR-1"],
        seam: Seam::Paper(|vendor| vendor.law.rate.iter_mut().for_each(|rate| rate.calls -= 1)),
    },
    Fault {
        name: "limit-none",
        does: "rotations are not limited",
        rules: &["ROT-THR-1"],
        seam: Seam::Paper(|vendor| vendor.law.rate = None),
    },
    Fault {
        name: "limit-never-recovers",
        does: "a limit that is used up stays used up",
        rules: &["ROT-THR-1"],
        seam: Seam::Paper(|vendor| vendor.law.rate.iter_mut().for_each(|rate| rate.per = 400 * 86_400)),
    },
    Fault {
        name: "limit-wrong-scope",
        does: "all accounts share one limit",
        rules: &["ROT-THR-3"],
        seam: Seam::Decide(|emulator, turn| {
            let Some(rate) = emulator.vendor.law.rate else { return };
            let since = turn.now - rate.per;
            let spent = emulator.world.spent.values().flatten().filter(|(when, _)| when.lo > since).count();
            if let (true, Some(outcome)) = (begins(turn) && spent >= rate.calls, &mut turn.outcome) {
                outcome.answer = crate::model::Answer::Refused(Condition::Throttled);
            }
        }),
    },
    Fault {
        name: "limit-per-secret",
        does: "each secret has a limit of its own",
        rules: &["ROT-THR-3", "ROT-THR-1"],
        seam: Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Rotate, Condition::Throttled) {
                super::tools::decide_anew(emulator, turn, |law| law.rate = None);
            }
        }),
    },
];

fn drop_description(emulator: &mut Emulator, turn: &Turn<'_>, role: Role) {
    if did(turn, role) {
        edit(emulator, turn, |secret, _| {
            secret.settings.retain(|(meaning, _)| *meaning != Meaning::Description)
        });
    }
}
