//! Automatic rotation: what time alone does to a secret.

use super::{Id, Law, Life, Secret, Value, Version, When};

/// Rotations that a schedule may have made at once; a clock that jumps further skips the rest.
const CATCH_UP: usize = 8;

/// What a secret may be at a time: the secret itself, and what its schedule makes of it.
///
/// The first is canonical: what is due has happened, at the time it was due. With `grace`, an
/// implementation may still be about to do it. An empty list means that the secret is gone.
pub fn tick(law: &Law, secret: &Secret, now: When, grace: bool) -> Vec<Secret> {
    let mut possible = Vec::new();
    if let Life::Leaving(gone) = secret.life {
        if gone.lo <= now.hi && (gone.hi > now.lo || grace) {
            possible.push(secret.clone());
        } else if gone.lo > now.hi {
            return vec![secret.clone()];
        }
        return possible;
    }
    let mut current = secret.clone();
    for _ in 0..CATCH_UP {
        let Some(due) = current.next.filter(|due| current.policy.on && due.lo <= now.hi) else { break };
        let fired = fire(law, &current, due, now);
        if due.hi > now.lo || grace {
            possible.insert(0, current);
        }
        current = fired;
    }
    possible.insert(0, current);
    possible
}

fn fire(law: &Law, secret: &Secret, due: When, now: When) -> Secret {
    let mut secret = secret.clone();
    // Exact bounds mean an emulator that rotates on the dot; an observer only knows an earliest time.
    let exact = due.lo == due.hi && now.lo == now.hi;
    let at = if exact { due } else { When { lo: due.lo.min(now.hi), hi: now.hi } };
    let id = Id::Made(secret.made);
    secret.made += 1;
    add_version(law, &mut secret, id, Value::Sealed, at);
    secret.last = Some(at);
    secret.next = secret.policy.every.map(|every| at.plus(every));
    secret
}

/// Adds a version and makes it current.
pub(super) fn add_version(law: &Law, secret: &mut Secret, id: Id, value: Value, at: When) {
    let version = Version { id: id.clone(), value, created: at, value_type: None, stages: Vec::new() };
    secret.versions.push(version);
    secret.promote(&law.current, &law.previous, &id);
    retire(law, secret);
}

/// Drops what retention does not keep: the oldest versions without a stage.
pub(super) fn retire(law: &Law, secret: &mut Secret) {
    let Some(keeps) = law.kinds[secret.kind].keeps else { return };
    while secret.versions.len() > keeps {
        let Some(at) = secret.versions.iter().position(|version| version.stages.is_empty()) else { break };
        if let Id::Known(id) = secret.versions.remove(at).id {
            secret.dropped.push(id);
        }
    }
}
