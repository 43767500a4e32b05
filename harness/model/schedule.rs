//! What time alone does to a secret: windows close, rotations that go on are done, schedules act.

use super::outcomes::Case;
use super::{Expect, Id, Law, Life, Pending, SOMETIME, Secret, Value, Version, When};

/// Rotations that a schedule may have made at once. Nobody says whether a clock that jumps further makes
/// more, or skips them: so nothing is known then (`outruns`), and the reference skips them.
const CATCH_UP: usize = 8;

/// Whatever was due may not have happened yet.
pub const NOTHING: i64 = i64::MIN;
/// Whatever was due has happened, on the dot.
pub const EVERYTHING: i64 = i64::MAX;

/// What a secret may be at a time: the secret itself, and what time makes of it.
///
/// The first is canonical: what is due has happened, at the time it was due. What was due at the second `settled` or
/// later, an implementation may still be about to do. An empty list means that the secret is gone.
pub fn tick(law: &Law, secret: &Secret, now: When, settled: i64) -> Vec<Secret> {
    let leaves = match secret.life {
        Life::Leaving(gone) => Some(gone),
        _ => None,
    };
    if let Some(gone) = leaves.filter(|gone| gone.lo <= now.hi) {
        return if gone.hi > now.lo || gone.hi >= settled { vec![secret.clone()] } else { Vec::new() };
    }
    if secret.life != Life::Active && secret.pending.is_some() && now.lo < now.hi {
        // What becomes of a rotation whose secret is deleted or switched off meanwhile is documented nowhere.
        let mut possible = ended(law, secret, now, true);
        possible.extend(failed(law, secret));
        return possible;
    }
    if leaves.is_some() {
        return vec![secret.clone()];
    }
    let ended = ended(law, secret, now, false).into_iter();
    ended.flat_map(|secret| scheduled(law, secret, now, settled)).collect()
}

/// Whether time may have something to do with a secret.
pub(super) fn restless(secret: &Secret, now: When) -> bool {
    secret.next.is_some_and(|due| due.lo <= now.hi)
        || matches!(secret.life, Life::Leaving(_))
        || secret.pending.is_some()
}

fn ended(law: &Law, secret: &Secret, now: When, endless: bool) -> Vec<Secret> {
    let Some(pending) = &secret.pending else { return vec![secret.clone()] };
    let still = endless || pending.due.hi > now.lo;
    let mut possible = Vec::new();
    if pending.due.lo <= now.hi {
        let done = completed(law, secret, pending, now);
        possible.extend(done.iter().flat_map(|secret| ended(law, secret, now, endless)));
    }
    if still || possible.is_empty() {
        possible.push(secret.clone());
        if now.lo < now.hi {
            possible.extend(with_pending(law, secret, pending.since.join(now)));
        }
    }
    possible
}

/// The secret with the version that a rotation is making, where a stage shows it and it does not show yet.
fn with_pending(law: &Law, secret: &Secret, created: When) -> Option<Secret> {
    let (stage, pending) = law.pending.as_ref().zip(secret.pending.as_ref())?;
    if secret.versions.iter().any(|version| version.id == pending.id) {
        return None;
    }
    let mut shown = secret.clone();
    shown
        .versions
        .push(Version { rotated: true, ..Version::new(pending.id.clone(), Value::Sealed, created) });
    shown.set_stage(stage, Some(&pending.id));
    Some(shown)
}

/// The secret after the rotation that goes on is done, in every way that documents allow.
pub(super) fn completed(law: &Law, secret: &Secret, pending: &Pending, now: When) -> Vec<Secret> {
    let mut possible = finished(law, secret, pending, now);
    // Whether a schedule waits for a rotation that goes on is documented nowhere.
    if now.lo < now.hi {
        let sooner = scheduled(law, secret.clone(), now, EVERYTHING).into_iter();
        let acted = sooner.filter(|sooner| sooner.versions.len() > secret.versions.len());
        possible.extend(acted.flat_map(|secret| finished(law, &secret, pending, now)));
    }
    possible
}

fn finished(law: &Law, secret: &Secret, pending: &Pending, now: When) -> Vec<Secret> {
    let exact = now.lo == now.hi;
    let at = if exact { pending.due } else { When { lo: pending.since.lo, hi: now.hi } };
    let mut done = secret.clone();
    done.pending = pending.then.as_deref().cloned();
    if pending.trial {
        done.versions.retain(|version| version.id != pending.id);
        return vec![done];
    }
    match done.versions.iter_mut().find(|version| version.id == pending.id) {
        Some(version) => {
            version.created = version.created.join(at);
            done.promote(law, &pending.id);
            retire(law, &mut done);
        }
        None => add_version(law, &mut done, pending.id.clone(), Value::Sealed, at),
    }
    done.last = Some(at);
    let restarted = done.policy.every.filter(|_| done.policy.on).map(|every| date(law, at, every, exact));
    // Whether a rotation by hand restarts the clock is a rule of its own.
    done.next = match (restarted, done.next) {
        (Some(new), Some(old)) if !law.binds("ROT-SCHED-2") && !exact => Some(old.join(new)),
        (restarted, _) => restarted,
    };
    let mut possible = Vec::new();
    if let Some(stage) = &law.pending {
        let mut sticky = done.clone();
        done.set_stage(stage, None);
        sticky.set_stage(stage, Some(&pending.id));
        possible.push(done);
        if !exact {
            possible.push(sticky);
        }
        return possible;
    }
    possible.push(done);
    possible
}

/// The secret after the rotation that goes on has failed. Nobody says whether that uses up a number.
pub(super) fn failed(law: &Law, secret: &Secret) -> Vec<Secret> {
    let Some(pending) = &secret.pending else { return Vec::new() };
    let mut failed = secret.clone();
    failed.pending = pending.then.as_deref().cloned();
    if let Some(stage) = &law.pending {
        failed.set_stage(stage, None);
    }
    failed.versions.retain(|version| version.id != pending.id);
    let mut unnumbered = failed.clone();
    unnumbered.made = unnumbered.made.saturating_sub(1);
    vec![failed, unnumbered]
}

/// The date of the next automatic rotation.
pub(super) fn date(law: &Law, base: When, every: i64, exact: bool) -> When {
    let date = base.plus(every);
    match exact {
        true => date,
        false => When { lo: date.lo - law.slack, hi: date.hi.saturating_add(law.slack) },
    }
}

/// What a call does may count as a rotation, for one who only observes: the next one may follow an interval after now.
pub(super) fn may_count_anew(case: &Case<'_>, secret: &mut Secret) {
    if let Some(every) = secret.policy.every.filter(|_| !case.exact() && secret.policy.on) {
        let counted = date(case.law, case.now, every, false);
        secret.next = secret.next.map(|due| due.join(counted));
    }
}

/// The date of the first rotation of a policy that a call sets: the one that it names, or an interval after
/// `base`. What becomes of a date that has passed is documented nowhere.
pub(super) fn first_date(case: &Case<'_>, base: When, every: i64) -> When {
    let (law, now) = (case.law, case.now);
    let exact = case.exact();
    let mut usual = date(law, base, every, exact);
    if !exact && law.first_open {
        usual = usual.join(now).join(date(law, now, every, false));
    }
    match case.op.begins {
        None => usual,
        Some(begins) if exact => {
            if begins.lo > now.lo {
                begins
            } else {
                usual
            }
        }
        Some(begins) => {
            let mut named = date(law, begins, 0, false);
            if law.first_open {
                named = named.join(date(law, begins, every, false));
            }
            if named.lo > now.hi { named } else { named.join(usual).join(now) }
        }
    }
}

fn scheduled(law: &Law, secret: Secret, now: When, settled: i64) -> Vec<Secret> {
    let mut possible = Vec::new();
    let mut current = secret;
    let mut fired = 0;
    let most = at_most(&current, now);
    while fired < most {
        let due = current.next.filter(|due| current.policy.on && due.lo <= now.hi);
        let Some(due) = due.filter(|_| current.life == Life::Active) else { break };
        let after = fire(law, &current, due, now);
        possible.extend(blocked(law, &current, now));
        if due.hi > now.lo || due.hi >= settled {
            possible.extend(under_way(law, &current, due, now));
            possible.insert(0, current);
        }
        current = after;
        fired += 1;
    }
    if fired == CATCH_UP {
        // An interval that leads nowhere is none.
        let every = current.policy.every.filter(|every| *every > 0);
        current.next = current.next.zip(every).map(|(due, every)| {
            let behind = now.lo.min(settled).saturating_sub(due.hi);
            if behind < 0 { due } else { due.plus((behind / every + 1).saturating_mul(every)) }
        });
    }
    possible.insert(0, current);
    possible
}

/// Rotations that a schedule may have made since the last one: however early each may be, not more than there were
/// intervals, and one for each end.
fn at_most(secret: &Secret, now: When) -> usize {
    let since = secret.last.unwrap_or(secret.created).lo;
    let intervals = secret.policy.every.map(|every| now.hi.saturating_sub(since).max(0) / every.max(1));
    let intervals = intervals.and_then(|intervals| usize::try_from(intervals).ok());
    intervals.map_or(CATCH_UP, |intervals| intervals.saturating_add(2).min(CATCH_UP))
}

/// Whether more rotations are due than a schedule may have made at once.
pub(super) fn outruns(law: &Law, secret: &Secret, now: When) -> bool {
    // Where nobody knows how often, or when, it may have been any time.
    let Some(every) = secret.policy.every else { return secret.policy.on };
    // What follows the rotation that goes on counts from it.
    let after = secret.pending.as_ref().map(|pending| pending.since.lo.saturating_add(every));
    let Some(due) = secret.next.map(|due| due.lo).into_iter().chain(after).min() else { return false };
    let behind = now.hi.saturating_sub(due);
    secret.policy.on && behind >= 0 && behind.saturating_add(law.slack) / every.max(1) >= CATCH_UP as i64
}

/// The secret while what a schedule began goes on: its version shows, or does not yet.
fn under_way(law: &Law, secret: &Secret, due: When, now: When) -> Vec<Secret> {
    if law.takes.is_none() || law.pending.is_none() || secret.pending.is_some() || now.lo == now.hi {
        return Vec::new();
    }
    let since = began(due, now);
    let mut next = secret.clone();
    next.next = secret.policy.every.map(|every| date(law, since, every, false));
    let id = next.next_id(law);
    going_on(law, next, Pending::new(id, When { lo: since.lo, hi: SOMETIME }, since))
}

/// The secret while a rotation goes on, or a trial of one: its version shows, or does not yet.
pub(super) fn going_on(law: &Law, mut next: Secret, pending: Pending) -> Vec<Secret> {
    let since = pending.since;
    next.pending = Some(pending);
    let shown = with_pending(law, &next, since);
    shown.into_iter().chain([next]).collect()
}

/// When a schedule began what was due, for one who only observes.
fn began(due: When, now: When) -> When {
    When { lo: due.lo.min(now.hi), hi: now.hi }
}

/// The secret if its schedule passes over what is due, as a version stands in the way that seems to be made.
fn blocked(law: &Law, secret: &Secret, now: When) -> Option<Secret> {
    let in_the_way = secret.staged(law.pending.as_ref()?)?;
    let stray = secret.pending.is_none() && !in_the_way.stages.contains(&law.current);
    let every = secret.policy.every.filter(|_| stray && now.lo < now.hi)?;
    let due = secret.next?.join(date(law, now, every, false));
    Some(Secret { next: Some(due), ..secret.clone() })
}

fn fire(law: &Law, secret: &Secret, due: When, now: When) -> Secret {
    let mut secret = secret.clone();
    // Exact bounds mean an emulator that rotates on the dot; an observer only knows an earliest time.
    let exact = due.lo == due.hi && now.lo == now.hi;
    let at = if exact { due } else { began(due, now) };
    let id = secret.next_id(law);
    add_version(law, &mut secret, id, Value::Sealed, at);
    secret.last = Some(at);
    secret.next = secret.policy.every.map(|every| date(law, at, every, exact));
    secret
}

/// Adds a version and makes it current.
pub(super) fn add_version(law: &Law, secret: &mut Secret, id: Id, value: Value, at: When) {
    secret.versions.push(Version { rotated: true, ..Version::new(id.clone(), value, at) });
    secret.promote(law, &id);
    retire(law, secret);
}

/// Drops what retention does not keep: the oldest versions without a stage.
pub(super) fn retire(law: &Law, secret: &mut Secret) {
    let Some(keeps) = law.kinds[secret.kind].keeps else { return };
    while secret.versions.len() > keeps && !secret.jumbled {
        let Some(at) = secret.versions.iter().position(|version| version.stages.is_empty()) else { break };
        if let Id::Known(id) = secret.versions.remove(at).id {
            secret.dropped.push(id);
        }
    }
}

/// What a reply says of a version whose id the service makes.
pub(super) fn version_shown(law: &Law, id: &Id) -> Expect {
    let version = Expect::Version(id.clone());
    // Where a rotation goes on, the reply need not name what is not there yet.
    if law.takes.is_some() { Expect::IfShown(Box::new(version)) } else { version }
}
