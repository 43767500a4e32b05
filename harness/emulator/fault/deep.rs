//! Faults that no directed check trips: each needs several calls in a certain order, or a value that
//! nobody would think of. They are what a search must find. Those that need calls at the same time, or a
//! lost reply, are in [`super::overlaps`].

use super::tools::{
    begins, did, edit, forget_token, given, has, place, replayed, restate, rotated, rotation_token,
    sets_policy, stated, subject, switches_off,
};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Answer, Condition, Fact, Id, Life, Meaning, Role, Text, Value, Version, VersionFact};
use crate::spec::interval::Ruling;

/// Seconds of a week.
const WEEK: i64 = 7 * 86_400;

const fn fault(name: &'static str, does: &'static str, rules: &'static [&'static str], seam: Seam) -> Fault {
    Fault { name, does, rules, seam }
}

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "token-lost-by-restore",
        "a token from before a deletion that was taken back makes a new version",
        &["ROT-IDEMP-1", "ROT-IDEMP-3", "ROT-IDEMP-5"],
        Seam::Weigh(token_lost_by_restore),
    ),
    fault(
        "token-forgotten-after-two",
        "the token of a rotation is forgotten when exactly two versions have followed",
        &["ROT-IDEMP-3", "ROT-IDEMP-5"],
        Seam::Weigh(|emulator, turn| {
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let token = rotation_token(turn);
            let is_it = |version: &Version| token.clone().map(Id::Known).as_ref() == Some(&version.id);
            // The first version is none that a rotation made.
            let at = secret.versions.iter().position(is_it).filter(|at| *at > 0);
            if at.is_some_and(|at| at + 3 == secret.versions.len()) {
                forget_token(emulator, turn);
            }
        }),
    ),
    fault(
        "tokens-outlive-the-secret",
        "a token of a secret that was deleted for good counts as known in a new one of its name",
        &["LIFE-4", "ROT-IDEMP-3", "ROT-NEW-1"],
        Seam::Decide(tokens_outlive),
    ),
    fault(
        "prefix-shares-tokens",
        "a token counts as known that a secret used whose name is the beginning of this one's",
        &["ROT-IDEMP-3", "LIFE-5", "ROT-NEW-1"],
        Seam::Decide(|emulator, turn| {
            let (true, Some(token), Some((key, _))) =
                (begins(turn), rotation_token(turn), subject(emulator, turn))
            else {
                return;
            };
            let shorter = |name: &Text| name.len() < key.1.len() && key.1.starts_with(&**name);
            let known = emulator.world.secrets.iter().any(|(other, secret)| {
                other.0 == key.0 && shorter(&other.1) && secret.version(&token).is_some()
            });
            answer_only(turn, known);
        }),
    ),
    fault(
        "restore-forgets-previous",
        "restoring while automatic rotation is on loses the previous stage of three versions or more",
        &["LIFE-3", "ROT-PREV-1"],
        Seam::Keep(|emulator, turn| {
            let on = |before: &crate::model::Secret| before.policy.on && before.versions.len() >= 3;
            if did(turn, Role::Restore) && turn.before.as_ref().is_some_and(|(_, before)| on(before)) {
                edit(emulator, turn, |secret, law| {
                    if let Some(previous) = &law.previous {
                        secret.set_stage(previous, None);
                    }
                });
            }
        }),
    ),
    fault(
        "third-return-loses-version",
        "when a secret comes back into use the third time, its oldest version is gone",
        &["LIFE-3", "ROT-STATE-3", "ROT-PREV-1"],
        Seam::Keep(|emulator, turn| {
            let (true, Some((_, before))) = (turn.succeeds() && !turn.finishing, turn.before.clone()) else {
                return;
            };
            let now = subject(emulator, turn).map(|(_, secret)| secret.life);
            if before.life != Life::Active
                && now == Some(Life::Active)
                && times(emulator, turn, "returns") == 3
            {
                edit(emulator, turn, |secret, law| {
                    let old = secret.versions.iter().position(|it| !has(it, Some(&law.current)));
                    old.map(|at| secret.versions.remove(at));
                });
            }
        }),
    ),
    fault(
        "deletion-lingers",
        "a secret that was restored and rotated is gone all the same when its window would have ended",
        &["LIFE-3", "LIFE-4", "ROT-POL-5", "ROT-RYW-1"],
        Seam::Weigh(deletion_lingers),
    ),
    fault(
        "third-rotation-drops-previous",
        "the third rotation by hand after a change of policy leaves no previous version",
        &["ROT-PREV-1"],
        Seam::Keep(|emulator, turn| {
            if rotations_since_policy(emulator, turn) == Some(3) {
                edit(emulator, turn, |secret, law| {
                    if let Some(previous) = &law.previous {
                        secret.set_stage(previous, None);
                    }
                });
            }
        }),
    ),
    fault(
        "second-manual-doubles",
        "the second rotation by hand after a change of policy puts the next one off by two intervals",
        &["ROT-SCHED-2", "ROT-SCHED-1"],
        Seam::Keep(|emulator, turn| {
            if rotations_since_policy(emulator, turn) == Some(2) {
                edit(emulator, turn, |secret, _| {
                    let every = secret.policy.every.filter(|_| secret.policy.on);
                    if let (Some(every), Some(last)) = (every, secret.last) {
                        secret.next = Some(last.plus(2 * every));
                    }
                });
            }
        }),
    ),
    fault(
        "rollback-mislabels",
        "the version after the current stage was moved back takes its previous one from before that",
        &["ROT-PREV-1"],
        Seam::Keep(rollback_mislabels),
    ),
    fault(
        "stage-stays-on-return",
        "a stage that goes back and forth between versions stays on both the third time",
        &["ROT-CUR-2", "STAGE-1"],
        Seam::Keep(stage_stays_on_return),
    ),
    fault(
        "put-dedups-values",
        "a write is refused whose value the oldest of three versions has, and none of the later ones",
        &["PUT-1"],
        Seam::Decide(|emulator, turn| {
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let op = turn.op.as_ref().filter(|op| op.role == Role::Put);
            let value = op.and_then(|op| op.value).map(Value::Known);
            let known = op.and_then(|op| op.token.as_ref()).is_some_and(|it| secret.version(it).is_some());
            // What is written twice in a row is another matter.
            let taken = match secret.versions.as_slice() {
                [first, later @ ..] if later.len() >= 2 => {
                    Some(first.value) == value && later.iter().all(|it| Some(it.value) != value)
                }
                _ => false,
            };
            if let (true, Some(outcome)) = (taken && !known, &mut turn.outcome)
                && outcome.answer != Answer::Refused(Condition::VersionExists)
            {
                outcome.answer = Answer::Refused(Condition::VersionExists);
            }
        }),
    ),
    fault(
        "move-then-put-drops",
        "the write after a moved stage drops the oldest of four versions or more",
        &["ROT-HIST-1", "PUT-1"],
        Seam::Keep(move_then_put_drops),
    ),
    fault(
        "weeks-read-as-days",
        "an interval of six to fifty-one whole weeks is read back as so many days",
        &["ROT-POL-5"],
        Seam::Phrase(|_, turn| {
            if let Some(Fact::Count(seconds)) = stated(turn, Meaning::Interval).cloned()
                && seconds % WEEK == 0
                && (6..=51).contains(&(seconds / WEEK))
            {
                restate(turn, Meaning::Interval, Some(Fact::Count(seconds / 7)));
            }
        }),
    ),
    fault(
        "parked-interval",
        "an interval given while switching rotation off once is taken when it is switched on again",
        &["ROT-POL-5"],
        Seam::Weigh(parked_interval),
    ),
    fault(
        "twins-share-policy",
        "where two accounts have a policy for secrets of one name, the last one set holds for both",
        &["CONF-1", "ROT-POL-5", "ROT-OWN-1"],
        Seam::Keep(|emulator, turn| {
            let (true, Some((key, mine))) =
                (sets_policy(turn) && turn.succeeds() && !turn.finishing, subject(emulator, turn))
            else {
                return;
            };
            let twins =
                emulator.world.secrets.iter().filter(|(other, _)| other.0 != key.0 && other.1 == key.1);
            let both = twins.filter(|(_, twin)| twin.policy.on && mine.policy.on);
            let twins: Vec<_> = both.map(|(other, twin)| (other.clone(), (**twin).clone())).collect();
            for (other, mut twin) in twins {
                twin.policy = mine.policy;
                emulator.overwrite(&other, twin);
            }
        }),
    ),
    fault(
        "repeated-list-goes-stale",
        "a list of versions asked for twice in a row lacks what later rotations make",
        &["ROT-RYW-1", "ROT-NEW-1", "ROT-IDEMP-4", "ROT-MONO-1", "ROT-PAGE-1"],
        Seam::Keep(repeated_list),
    ),
];

/// Counts something of the secret of the turn.
fn times(emulator: &mut Emulator, turn: &Turn<'_>, what: &str) -> u32 {
    let Some(place) = place(emulator, turn, what) else { return 0 };
    let slot = emulator.memory.entry(place).or_default();
    let times = slot.parse::<u32>().unwrap_or(0) + 1;
    *slot = times.to_string();
    times
}

/// Answers a call with success that changes nothing.
fn answer_only(turn: &mut Turn<'_>, only: bool) {
    if let (true, Some(outcome)) = (only, &mut turn.outcome) {
        outcome.change.secret = None;
    }
}

/// Which rotation by hand this is since the policy was set; none if it is no rotation.
fn rotations_since_policy(emulator: &mut Emulator, turn: &Turn<'_>) -> Option<u32> {
    let place = place(emulator, turn, "since-policy")?;
    if sets_policy(turn) && turn.succeeds() && !turn.finishing {
        emulator.memory.insert(place, "0".into());
        return None;
    }
    let known = emulator.memory.contains_key(&place) && rotated(turn);
    known.then(|| times(emulator, turn, "since-policy"))
}

fn token_lost_by_restore(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let (Some((_, secret)), Some(place)) = (subject(emulator, turn), place(emulator, turn, "restored"))
    else {
        return;
    };
    if turn.role() == Some(Role::Restore) && matches!(secret.life, Life::Leaving(_)) {
        emulator.memory.insert(place, secret.versions.len().to_string());
        return;
    }
    let before = emulator.memory.get(&place).and_then(|count| count.parse::<usize>().ok());
    let token = rotation_token(turn).map(Id::Known);
    let at = secret.versions.iter().position(|version| Some(&version.id) == token.as_ref());
    if at.zip(before).is_some_and(|(at, before)| at < before) {
        forget_token(emulator, turn);
    }
}

fn tokens_outlive(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let Some(place) = place(emulator, turn, "grave") else { return };
    let gone = turn.outcome.as_ref().is_some_and(|it| matches!(it.change.secret, Some((_, None))));
    if let (true, Some((_, secret))) = (gone, subject(emulator, turn)) {
        for version in secret.versions.iter() {
            if let Id::Known(id) = &version.id {
                emulator.memory.insert(format!("{place}:{id}"), String::new());
            }
        }
    } else if let (true, Some(token)) = (begins(turn), rotation_token(turn)) {
        answer_only(turn, emulator.memory.contains_key(&format!("{place}:{token}")));
    }
}

/// What removes it at its time is begun by the deletion and not called off: it only looks for a rotation.
fn deletion_lingers(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let (Some((key, secret)), Some(ghost), Some(armed)) =
        (subject(emulator, turn), place(emulator, turn, "ghost"), place(emulator, turn, "armed"))
    else {
        return;
    };
    match (turn.role(), secret.life) {
        (Some(Role::Restore), Life::Leaving(gone)) => {
            emulator.memory.insert(ghost, gone.lo.to_string());
        }
        (Some(Role::Rotate), Life::Active) if emulator.memory.contains_key(&ghost) => {
            emulator.memory.insert(armed, String::new());
        }
        (_, Life::Active) if emulator.memory.contains_key(&armed) => {
            let due = emulator.memory.get(&ghost).and_then(|at| at.parse::<i64>().ok());
            if due.is_some_and(|due| due <= turn.now) {
                emulator.memory.remove(&ghost);
                emulator.memory.remove(&armed);
                emulator.world.secrets.remove(&key);
                emulator.making.remove(&key);
            }
        }
        _ => {}
    }
}

fn rollback_mislabels(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let (Some(place), Some((_, before)), Some((_, now))) =
        (place(emulator, turn, "rolled"), turn.before.clone(), subject(emulator, turn))
    else {
        return;
    };
    let law = emulator.vendor.law.clone();
    let holder = |secret: &crate::model::Secret| {
        secret.versions.iter().position(|version| has(version, Some(&law.current)))
    };
    let (Some(old), Some(new)) = (holder(&before), holder(&now)) else { return };
    if did(turn, Role::MoveStage) {
        emulator.memory.remove(&place);
        if let (true, Id::Known(id)) = (new < old, &before.versions[old].id) {
            emulator.memory.insert(place, id.to_string());
        }
    } else if (rotated(turn) || did(turn, Role::Put)) && new != old {
        let left = emulator.memory.remove(&place).map(|id| Id::Known(id.into()));
        edit(emulator, turn, |secret, law| {
            if let (Some(previous), Some(left)) = (&law.previous, left) {
                secret.set_stage(previous, Some(&left));
            }
        });
    }
}

fn stage_stays_on_return(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let (true, Some((_, before)), Some(op)) =
        (did(turn, Role::MoveStage), turn.before.clone(), turn.op.clone())
    else {
        return;
    };
    let law = &emulator.vendor.law;
    let own = |stage: &Text| *stage != law.current && Some(stage) != law.previous.as_ref();
    let (Some(stage), Some(target)) = (op.stage.filter(own), op.move_to) else { return };
    let Some(Id::Known(holder)) = before.staged(&stage).map(|version| version.id.clone()) else { return };
    if holder == target {
        return;
    }
    let moves = times(emulator, turn, &format!("moves:{stage}"));
    let Some(held) = place(emulator, turn, &format!("held:{stage}")) else { return };
    emulator.memory.insert(format!("{held}:{holder}"), String::new());
    if moves >= 3 && emulator.memory.contains_key(&format!("{held}:{target}")) {
        edit(emulator, turn, |secret, _| {
            let left = Id::Known(holder);
            if let Some(version) = secret.versions.iter_mut().find(|version| version.id == left) {
                version.stages.push(stage);
            }
        });
    }
}

fn move_then_put_drops(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let Some(place) = place(emulator, turn, "moved") else { return };
    if did(turn, Role::MoveStage) {
        emulator.memory.insert(place, String::new());
    } else if did(turn, Role::Put) && !replayed(turn) && emulator.memory.remove(&place).is_some() {
        edit(emulator, turn, |secret, _| {
            let old = secret.versions.iter().position(|version| version.stages.is_empty());
            if let Some(at) = old.filter(|_| secret.versions.len() >= 4) {
                secret.versions.remove(at);
            }
        });
    }
}

/// An interval that must be ignored is kept for later.
fn parked_interval(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let Some(place) = place(emulator, turn, "parked") else { return };
    let bounds = emulator.vendor.spec.interval.min.0..=emulator.vendor.spec.interval.max.0;
    let text = given(emulator, turn, Meaning::Interval).unwrap_or_default();
    let given = match (turn.op.as_ref().and_then(|op| op.interval), emulator.vendor.spec.interval.read(&text))
    {
        (None, Ruling::Legal(ignored)) => Some(ignored),
        (heard, _) => heard.filter(|heard| bounds.contains(heard)),
    };
    // A sign is no part of what is kept.
    let given = given.filter(|_| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if switches_off(turn) {
        // Only what was given the first time is kept.
        let again = emulator.memory.contains_key(&place);
        let parked = given.filter(|_| !again).map_or_else(String::new, |given| given.to_string());
        emulator.memory.insert(place, parked);
    } else if sets_policy(turn)
        && given.is_some()
        && let Some(parked) = emulator.memory.remove(&place).and_then(|parked| parked.parse().ok())
        && let Some(op) = &mut turn.op
    {
        op.interval = Some(parked);
    }
}

fn repeated_list(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let (Some(listed), Some(op)) = (place(emulator, turn, "listed"), turn.op.clone()) else { return };
    if turn.finishing {
        return;
    }
    let asked = (turn.operation.as_str(), op.page, op.size, &op.marker, op.deprecated);
    let asked = format!("{listed} {asked:?}");
    let last = emulator.memory.insert("asked".into(), asked.clone());
    if op.role.writes() && op.role != Role::Rotate {
        emulator.memory.remove(&listed);
    }
    let (true, Some(Fact::Versions(mut shown))) =
        (did(turn, Role::Versions), stated(turn, Meaning::Versions).cloned())
    else {
        return;
    };
    if let Some(kept) = emulator.memory.get(&listed) {
        shown = shown.into_iter().filter_map(|entry| as_kept(entry, kept)).collect();
        restate(turn, Meaning::Versions, Some(Fact::Versions(shown)));
    } else if last == Some(asked) {
        let lines = shown.iter().map(|entry| {
            let stages: Vec<&str> = entry.stages.iter().flatten().map(|stage| &**stage).collect();
            format!("{}\t{}", entry.id, stages.join(","))
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        emulator.memory.insert(listed, lines);
    }
}

/// An entry of a list as it was shown before, if it was.
fn as_kept(mut entry: VersionFact, kept: &str) -> Option<VersionFact> {
    let lines = kept.split('\n').filter_map(|line| line.split_once('\t'));
    let (_, stages) = lines.into_iter().find(|(id, _)| *id == &*entry.id)?;
    let stages = stages.split(',').filter(|stage| !stage.is_empty()).map(Text::from).collect();
    entry.stages = entry.stages.map(|_| stages);
    Some(entry)
}
