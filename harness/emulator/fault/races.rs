//! Faults that show only where calls overlap, or where a reply is lost on its way.
//!
//! A race is a call that is decided on what it saw when it came, and applied to what is there now. Its
//! seam, [`Seam::Race`], is asked only while calls overlap; [`rift`] says what they saw and what has
//! become of it since.

use super::tools::{begins, place, replayed, rotate_anyway, subject};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Answer, Id, Key, Outcome, Role, Secret, Text, When, digest, outcomes};
use crate::wire::Request;
use std::sync::Arc;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "token-race",
        does: "two overlapping rotations with one token make a version each",
        rules: &["ROT-IDEMP-6"],
        seam: Seam::Race(|emulator, turn| {
            let Some(rift) = rift(emulator, turn) else { return };
            let token = turn.op.as_ref().filter(|op| op.role == Role::Rotate).and_then(|op| op.token.clone());
            let known = |secret: &Option<Arc<Secret>>| {
                token
                    .as_ref()
                    .is_some_and(|token| secret.as_ref().is_some_and(|it| it.version(token).is_some()))
            };
            if known(&rift.now) && !known(&rift.then) {
                turn.outcome = mixed(emulator, turn, &rift);
            }
        }),
    },
    Fault {
        name: "guard-race",
        does: "two overlapping rotations both run, and their stages mix",
        rules: &["ROT-CONC-1", "ROT-CONC-2"],
        seam: Seam::Race(|emulator, turn| {
            let Some(rift) = rift(emulator, turn) else { return };
            let Some(op) = turn.op.as_ref().filter(|op| op.role == Role::Rotate) else { return };
            // A known token is a replay all the same.
            let replay = op
                .token
                .as_ref()
                .is_some_and(|token| rift.now.as_ref().is_some_and(|secret| secret.version(token).is_some()));
            if !replay {
                turn.outcome = mixed(emulator, turn, &rift).or(turn.outcome.take());
            }
        }),
    },
    Fault {
        name: "lost-update",
        does: "of overlapping writes the last stores the secret as it was before the others",
        rules: &["ROT-CONC-1"],
        seam: Seam::Race(|emulator, turn| {
            let Some(rift) = rift(emulator, turn) else { return };
            let writes = turn.role().is_some_and(|role| role.writes() && role != Role::Create);
            if writes && rift.then.is_some() {
                turn.outcome = decided_then(emulator, turn, &rift).or(turn.outcome.take());
            }
        }),
    },
    Fault {
        name: "retry-rotates-twice",
        does: "a token whose reply was lost makes a second version when it comes again",
        rules: &["ROT-IDEMP-7"],
        seam: Seam::Keep(|emulator, turn| {
            note_reply(emulator, turn);
            let Some(lost) = unheard(emulator, turn) else { return };
            let token = turn.op.as_ref().and_then(|op| op.token.clone());
            if replayed(turn) && token.as_deref() == Some(&*lost) {
                forgive(emulator, turn);
                let id = format!("{:032x}", emulator.rng.u128(..));
                rotate_anyway(emulator, turn, Some(id.into()));
            }
        }),
    },
];

/// A secret as the first of the overlapping calls saw it, and as another of them left it.
pub(super) struct Rift {
    /// Account and name.
    pub(super) key: Key,
    /// As it was seen, if it was there.
    pub(super) then: Option<Arc<Secret>>,
    /// As it is, if it is still there.
    pub(super) now: Option<Arc<Secret>>,
}

/// What other calls did to the secret of the turn that overlap with it; none if they did nothing.
pub(super) fn rift(emulator: &Emulator, turn: &Turn<'_>) -> Option<Rift> {
    let op = turn.op.as_ref()?;
    let stale = emulator.stale.as_ref()?;
    let found = emulator.world.subject(op).or_else(|| stale.subject(op));
    let key = found.map_or_else(|| (op.account, op.secret.clone()), |(key, _)| key);
    let (then, now) = (stale.secrets.get(&key).cloned(), emulator.world.secrets.get(&key).cloned());
    (then != now).then_some(Rift { key, then, now })
}

/// What comes of the call if nobody has changed the secret meanwhile.
pub(super) fn decided_then(emulator: &Emulator, turn: &Turn<'_>, rift: &Rift) -> Option<Outcome> {
    let op = turn.op.as_ref()?;
    let mut world = emulator.world.clone();
    match &rift.then {
        Some(secret) => drop(world.secrets.insert(rift.key.clone(), secret.clone())),
        None => drop(world.secrets.remove(&rift.key)),
    }
    let outcome = outcomes(&emulator.vendor.law, &world, op, When::at(turn.now)).into_iter().next()?;
    matches!(outcome.answer, Answer::Done(_)).then_some(outcome)
}

/// As [`decided_then`]; what the call changes is laid over what the others have changed, field by field.
fn mixed(emulator: &Emulator, turn: &Turn<'_>, rift: &Rift) -> Option<Outcome> {
    let mut outcome = decided_then(emulator, turn, rift)?;
    if let (Some((_, Some(decided))), Some(then), Some(now)) =
        (&mut outcome.change.secret, &rift.then, &rift.now)
    {
        *decided = Arc::new(laid_over(then, decided, now));
    }
    Some(outcome)
}

fn laid_over(then: &Secret, decided: &Secret, now: &Secret) -> Secret {
    let mut mixed = decided.clone();
    mixed.versions.clone_from(&now.versions);
    mixed.made = decided.made.max(now.made);
    for version in decided.versions.iter() {
        let Some(seen) = then.versions.iter().find(|seen| seen.id == version.id) else {
            mixed.versions.push(version.clone());
            continue;
        };
        let (gone, new): (Vec<&Text>, Vec<&Text>) = (
            seen.stages.iter().filter(|stage| !version.stages.contains(stage)).collect(),
            version.stages.iter().filter(|stage| !seen.stages.contains(stage)).collect(),
        );
        for there in mixed.versions.iter_mut().filter(|there| there.id == version.id) {
            there.stages.retain(|stage| !gone.contains(&stage));
            let missing: Vec<Text> = new
                .iter()
                .filter(|stage| !there.stages.contains(stage))
                .map(|stage| (*stage).clone())
                .collect();
            there.stages.extend(missing);
        }
    }
    mixed
}

/// Remembers which rotation the reply to this request tells of.
pub(super) fn note_reply(emulator: &mut Emulator, turn: &Turn<'_>) {
    if turn.finishing || !begins(turn) {
        return;
    }
    let (Some(place), Some((_, secret))) = (place(emulator, turn, "unheard"), subject(emulator, turn)) else {
        return;
    };
    let newest = secret.versions.last().map(|version| &version.id);
    let made = secret.pending.as_ref().map(|pending| &pending.id).or(newest);
    if let Some(Id::Known(id)) = made {
        emulator.memory.insert(fingerprint(turn.request), format!("{place}\n{id}"));
    }
}

/// The reply to a request was lost: if it told of a rotation, nobody heard of that.
pub(super) fn undelivered(emulator: &mut Emulator, request: &Request) {
    if emulator.memory.is_empty() {
        return;
    }
    if let Some(told) = emulator.memory.remove(&fingerprint(request))
        && let Some((place, id)) = told.split_once('\n')
    {
        emulator.memory.insert(place.to_owned(), id.to_owned());
    }
}

/// The version that a rotation made of which nobody heard.
pub(super) fn unheard(emulator: &Emulator, turn: &Turn<'_>) -> Option<String> {
    emulator.memory.get(&place(emulator, turn, "unheard")?).cloned()
}

/// Forgets that a reply was lost.
pub(super) fn forgive(emulator: &mut Emulator, turn: &Turn<'_>) {
    if let Some(place) = place(emulator, turn, "unheard") {
        emulator.memory.remove(&place);
    }
}

/// Tells a request from every other.
fn fingerprint(request: &Request) -> String {
    let body = String::from_utf8_lossy(&request.body);
    format!("told:{:x}", digest(&format!("{} {}\n{body}", request.method, request.target)))
}
