//! Faults of idempotency, and of who may rotate.

use super::tools::{
    begins, count, decide_anew, did, edit, refuses, replayed, restate, rotate_anyway, subject,
};
use super::{Fault, Seam};
use crate::model::{Answer, Condition, Fact, Id, Meaning, Role, Text};
use crate::wire::percent;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "token-ignored",
        does: "a known version id makes a new version all the same",
        rules: &["ROT-IDEMP-1"],
        seam: Seam::Weigh(|emulator, turn| {
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let other = Text::from(format!("{:016x}", emulator.rng.u64(..)));
            if let Some(op) = turn.op.as_mut().filter(|op| op.role == Role::Rotate)
                && op.token.as_ref().is_some_and(|token| secret.version(token).is_some())
            {
                op.token = Some(other);
            }
        }),
    },
    Fault {
        name: "replay-rejected",
        does: "the second rotation with a version id is an error",
        rules: &["ROT-IDEMP-1"],
        seam: Seam::Decide(|_, turn| {
            if let (true, Some(outcome)) = (replayed(turn), &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::VersionExists);
            }
        }),
    },
    Fault {
        name: "replay-names-current",
        does: "a replay answers the id of the current version instead of its own",
        rules: &["ROT-IDEMP-5"],
        seam: Seam::Keep(|emulator, turn| {
            let (true, Some((_, secret))) = (replayed(turn), subject(emulator, turn)) else { return };
            if let Some(Id::Known(id)) =
                secret.staged(&emulator.vendor.law.current).map(|version| &version.id)
            {
                restate(turn, Meaning::Version, Some(Fact::Text(id.clone())));
            }
        }),
    },
    Fault {
        name: "replay-too-lax",
        does: "a version id that begins with a known one is taken for a replay",
        rules: &["ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Weigh(|emulator, turn| {
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let Some(op) = turn.op.as_mut().filter(|op| op.role == Role::Rotate) else { return };
            let token = op.token.clone().unwrap_or_else(|| "".into());
            let known = secret.versions.iter().find_map(|version| match &version.id {
                Id::Known(id) if token.starts_with(&**id) => Some(id.clone()),
                _ => None,
            });
            op.token = known.or(Some(token));
        }),
    },
    Fault {
        name: "replay-promotes",
        does: "replaying an older version id makes that version current",
        rules: &["ROT-IDEMP-5"],
        seam: Seam::Keep(|emulator, turn| {
            let token = turn.op.as_ref().and_then(|op| op.token.clone());
            if let (true, Some(token)) = (replayed(turn), token) {
                edit(emulator, turn, |secret, law| secret.promote(law, &Id::Known(token)));
            }
        }),
    },
    Fault {
        name: "token-global",
        does: "a version id used at one secret counts as known at another",
        rules: &["ROT-IDEMP-3"],
        seam: Seam::Decide(|emulator, turn| {
            let Some(op) = turn.op.clone().filter(|op| op.role == Role::Rotate) else { return };
            let (Some(token), true) = (op.token, begins(turn)) else { return };
            let first =
                emulator.memory.entry(format!("token:{token}")).or_insert_with(|| op.secret.to_string());
            if **first != *op.secret
                && let Some(outcome) = &mut turn.outcome
            {
                outcome.change.secret = None;
            }
        }),
    },
    Fault {
        name: "drops-every-second",
        does: "every second rotation of a secret is answered with success and makes no version",
        rules: &["ROT-IDEMP-4", "ROT-NEW-1"],
        seam: Seam::Decide(|emulator, turn| {
            if begins(turn)
                && count(emulator, turn, "rotations").is_multiple_of(2)
                && let Some(outcome) = &mut turn.outcome
            {
                outcome.change.secret = None;
            }
        }),
    },
    Fault {
        name: "replay-bypasses-auth",
        does: "a rotation to a version id that exists is answered whatever its signature",
        rules: &["AUTH-2"],
        seam: Seam::Verify(|checks, emulator, turn| {
            let pairs = percent::pairs(turn.request.query());
            let known = emulator.world.secrets.iter().any(|(key, secret)| {
                let named = pairs.iter().any(|(_, value)| **value == *key.1);
                named && pairs.iter().any(|(_, value)| secret.version(value).is_some())
            });
            checks.everything_passes = known;
        }),
    },
    Fault {
        name: "generic-accepted",
        does: "a kind of secret that cannot rotate rotates",
        rules: &["ROT-KIND-1"],
        seam: Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Rotate, Condition::KindCannotRotate) {
                decide_anew(emulator, turn, |law| law.kinds.iter_mut().for_each(|kind| kind.rotates = true));
            }
        }),
    },
    Fault {
        name: "generic-mutates",
        does: "rotating a kind that cannot rotate is refused, and makes a version all the same",
        rules: &["ROT-KIND-1", "ROT-ERR-1"],
        seam: Seam::Keep(|emulator, turn| {
            if turn.condition == Some(Condition::KindCannotRotate) && turn.role() == Some(Role::Rotate) {
                rotate_anyway(emulator, turn, None);
            }
        }),
    },
    Fault {
        name: "generic-policy-accepted",
        does: "a kind of secret that cannot rotate takes a policy",
        rules: &["ROT-KIND-2"],
        seam: Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::SetPolicy, Condition::KindCannotRotate) {
                decide_anew(emulator, turn, |law| law.kinds.iter_mut().for_each(|kind| kind.rotates = true));
            }
        }),
    },
    Fault {
        name: "cross-account",
        does: "another account may do with a secret what its owner may",
        rules: &["ROT-OWN-1"],
        seam: Seam::Weigh(|emulator, turn| {
            let Some(op) = &mut turn.op else { return };
            if op.role != Role::Create
                && let Some((key, _)) = emulator.world.find(op.account, &op.secret)
            {
                op.account = key.0;
            }
        }),
    },
    Fault {
        name: "cross-account-by-name",
        does: "a name that the caller's account does not have is looked up in every account",
        rules: &["ROT-OWN-1", "ROT-ERR-3"],
        seam: Seam::Weigh(|emulator, turn| {
            let Some(op) = turn.op.as_mut().filter(|op| op.role != Role::Create) else { return };
            if emulator.world.find(op.account, &op.secret).is_none() {
                let owner = emulator.world.secrets.keys().find(|key| key.1 == op.secret);
                op.account = owner.map_or(op.account, |key| key.0);
            }
        }),
    },
    Fault {
        name: "restored-frozen",
        does: "a secret that was restored refuses to rotate",
        rules: &["ROT-STATE-3", "ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Decide(|emulator, turn| {
            let name = turn.op.as_ref().map_or("", |op| &op.secret).to_owned();
            if did(turn, Role::Restore) {
                emulator.memory.insert(format!("frozen:{name}"), String::new());
            }
            if let (true, Some(outcome)) =
                (emulator.memory.contains_key(&format!("frozen:{name}")) && begins(turn), &mut turn.outcome)
            {
                outcome.answer = Answer::Refused(Condition::InDeletion);
            }
        }),
    },
];
