//! Faults of the operations around rotation.

use super::tools::{decide_anew, did, edit, pardon, refuses, restate, stated, subject, succeed};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Change, Condition, Fact, Life, Meaning, Role, Text, Value, When};

const fn fault(name: &'static str, does: &'static str, rules: &'static [&'static str], seam: Seam) -> Fault {
    Fault { name, does, rules, seam }
}

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "exists-overwrites",
        "creating a name that is taken replaces the secret",
        &["LIFE-1"],
        Seam::Decide(|emulator, turn| {
            recreate(emulator, turn, Condition::Exists);
        }),
    ),
    fault(
        "in-deletion-recreated",
        "creating a name in its deletion window replaces the secret",
        &["LIFE-1"],
        Seam::Decide(|emulator, turn| {
            recreate(emulator, turn, Condition::InDeletion);
        }),
    ),
    fault(
        "deleted-twice",
        "deleting a secret in its window succeeds",
        &["LIFE-2", "LIFE-4"],
        Seam::Decide(|_, turn| {
            if refuses(turn, Role::Delete, Condition::InDeletion) {
                succeed(turn, "LIFE-2", Change::default());
            }
        }),
    ),
    fault(
        "leaving-in-use",
        "a secret in its deletion window works as before",
        &["LIFE-2", "ROT-STATE-1"],
        Seam::Decide(|emulator, turn| {
            let other = turn.role().filter(|role| !matches!(role, Role::Delete | Role::Create));
            if other.is_some_and(|role| refuses(turn, role, Condition::InDeletion)) {
                decide_anew(emulator, turn, |law| law.leaving_allows.extend(other));
            }
        }),
    ),
    fault(
        "leaving-is-unknown",
        "a rotation of a secret in its deletion window is refused as if there were no such secret",
        &["ROT-STATE-2", "ROT-STATE-1", "ROT-ERR-3"],
        Seam::Phrase(|emulator, turn| {
            if turn.role() == Some(Role::Rotate) && turn.condition == Some(Condition::InDeletion) {
                emulator.refuse(turn, Condition::UnknownSecret, "");
            }
        }),
    ),
    fault(
        "disabled-in-use",
        "a secret that is switched off works as before",
        &["READ-1", "ROT-STATE-1"],
        Seam::Decide(|emulator, turn| {
            let role = turn.role();
            if role.is_some_and(|role| refuses(turn, role, Condition::Disabled)) {
                decide_anew(emulator, turn, |law| law.disabled_allows.extend(role));
            }
        }),
    ),
    fault(
        "deleted-while-on",
        "a secret is deleted that was not switched off before",
        &["LIFE-4"],
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Delete, Condition::NotDisabled) {
                decide_anew(emulator, turn, |law| law.needs_disabled = false);
            }
        }),
    ),
    fault(
        "restore-loses-versions",
        "restoring brings back the current version alone",
        &["LIFE-3"],
        Seam::Keep(|emulator, turn| {
            if did(turn, Role::Restore) {
                edit(emulator, turn, |secret, law| {
                    secret.versions.retain(|version| version.stages.contains(&law.current))
                });
            }
        }),
    ),
    fault(
        "restore-loses-policy",
        "restoring switches automatic rotation off",
        &["LIFE-3", "ROT-SCHED-1"],
        Seam::Keep(|emulator, turn| {
            if did(turn, Role::Restore) {
                edit(emulator, turn, |secret, _| {
                    secret.policy.on = false;
                    secret.next = None;
                });
            }
        }),
    ),
    fault(
        "restore-keeps-date",
        "a restored secret still shows its date of deletion",
        &["LIFE-3"],
        Seam::Keep(|emulator, turn| {
            let name = turn.op.as_ref().map_or("", |op| &op.secret).to_owned();
            if did(turn, Role::Restore) {
                emulator.memory.insert(format!("restored:{name}"), String::new());
            } else if did(turn, Role::Describe) && emulator.memory.contains_key(&format!("restored:{name}")) {
                let date = turn.now + 30 * 86_400;
                restate(turn, Meaning::DeleteAt, Some(Fact::Time(date)));
            }
        }),
    ),
    fault(
        "restore-normal-accepted",
        "restoring a secret that is not deleted succeeds",
        &["LIFE-3"],
        Seam::Decide(|_, turn| {
            if refuses(turn, Role::Restore, Condition::NotInDeletion) {
                succeed(turn, "LIFE-3", Change::default());
            }
        }),
    ),
    fault(
        "window-unchecked",
        "any deletion window is taken",
        &["LIFE-4"],
        Seam::Weigh(|emulator, turn| {
            let window = super::tools::name_of(emulator, turn, Meaning::Window);
            turn.complaints.retain(|complaint| Some(&complaint.parameter) != window.as_ref());
        }),
    ),
    fault(
        "window-max-refused",
        "the greatest deletion window itself is refused",
        &["LIFE-4"],
        Seam::Weigh(|emulator, turn| {
            let window = super::tools::name_of(emulator, turn, Meaning::Window);
            let most = emulator.vendor.spec.operations.get(&turn.operation);
            let most = most.and_then(|it| it.parameter(Meaning::Window)?.1.max);
            if most.is_some() && turn.op.as_ref().and_then(|op| op.window) == most {
                emulator.refuse(turn, Condition::Invalid, &window.unwrap_or_default());
            }
        }),
    ),
    fault(
        "force-still-there",
        "a forced deletion only begins a window",
        &["LIFE-4"],
        Seam::Decide(|emulator, turn| {
            if turn.op.as_ref().is_some_and(|op| op.role == Role::Delete && op.force)
                && let (Some((key, secret)), Some(outcome)) = (subject(emulator, turn), &mut turn.outcome)
            {
                let mut secret = (*secret).clone();
                secret.life = Life::Leaving(When::at(turn.now + 30 * 86_400));
                outcome.change = Change::store(key, secret);
            }
        }),
    ),
    fault(
        "delete-date-wrong",
        "the date of deletion is a day late",
        &["LIFE-4"],
        Seam::Keep(|_, turn| {
            if let Some(Fact::Time(at)) = stated(turn, Meaning::DeleteAt).cloned() {
                restate(turn, Meaning::DeleteAt, Some(Fact::Time(at + 86_400)));
            }
        }),
    ),
    fault(
        "ghost-of-old",
        "a new secret under a deleted name has the old versions too",
        &["LIFE-4"],
        Seam::Keep(|emulator, turn| {
            if let (true, Some((key, before))) = (did(turn, Role::Delete), turn.before.clone()) {
                emulator.graves.insert(key, before);
            }
            let Some((key, _)) = subject(emulator, turn) else { return };
            if let (true, Some(old)) = (did(turn, Role::Create), emulator.graves.remove(&key)) {
                edit(emulator, turn, |secret, _| {
                    for version in old.versions.iter() {
                        let mut ghost = version.clone();
                        ghost.stages.clear();
                        secret.versions.insert(0, ghost);
                    }
                });
            }
        }),
    ),
    fault(
        "name-prefix-match",
        "the beginning of a name finds the secret",
        &["LIFE-5"],
        Seam::Weigh(|emulator, turn| {
            find_by(emulator, turn, |stored, asked| asked.len() >= 12 && stored.starts_with(asked));
        }),
    ),
    fault(
        "name-case-folded",
        "names are found whatever their case",
        &["LIFE-5"],
        Seam::Weigh(|emulator, turn| {
            find_by(emulator, turn, |stored, asked| stored.eq_ignore_ascii_case(asked));
        }),
    ),
    fault(
        "name-trimmed",
        "blanks around a name are dropped",
        &["LIFE-5", "WIRE-REQ-2"],
        Seam::Weigh(|emulator, turn| {
            find_by(emulator, turn, |stored, asked| stored == asked.trim());
        }),
    ),
    fault(
        "put-overwrites",
        "writing a known version id replaces its value",
        &["PUT-1"],
        Seam::Keep(|emulator, turn| {
            if turn.condition == Some(Condition::VersionExists) && turn.role() == Some(Role::Put) {
                turn.refusal = None;
                turn.condition = None;
                let op = turn.op.clone();
                let (Some(token), Some(value)) =
                    (op.as_ref().and_then(|op| op.token.clone()), op.as_ref().and_then(|op| op.value))
                else {
                    return;
                };
                overwrite_value(emulator, turn, &token, value);
                let stages = vec![emulator.vendor.law.current.clone()];
                restate(turn, Meaning::Secret, op.map(|op| Fact::Text(op.secret)));
                restate(turn, Meaning::Version, Some(Fact::Text(token)));
                restate(turn, Meaning::Stages, Some(Fact::Stages(stages)));
            }
        }),
    ),
    fault(
        "refused-put-overwrites",
        "writing a known version id is refused, and replaces its value all the same",
        &["PUT-1", "ROT-ERR-1"],
        Seam::Keep(|emulator, turn| {
            if turn.condition == Some(Condition::VersionExists) && turn.role() == Some(Role::Put) {
                let op = turn.op.clone();
                if let Some((token, value)) = op.and_then(|op| op.token.zip(op.value)) {
                    overwrite_value(emulator, turn, &token, value);
                }
            }
        }),
    ),
    fault(
        "put-same-refused",
        "writing a version again with the same value is refused",
        &["PUT-1"],
        Seam::Decide(|emulator, turn| {
            let known = subject(emulator, turn).is_some_and(|(_, secret)| {
                turn.op
                    .as_ref()
                    .and_then(|op| op.token.as_ref())
                    .is_some_and(|token| secret.version(token).is_some())
            });
            if let (true, Some(Role::Put), Some(outcome)) = (known, turn.role(), &mut turn.outcome) {
                outcome.answer = crate::model::Answer::Refused(Condition::VersionExists);
            }
        }),
    ),
    fault(
        "managed-put-accepted",
        "a kind that only rotates takes a value from its caller",
        &["PUT-2"],
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Put, Condition::KindOnlyRotates) {
                decide_anew(emulator, turn, |law| {
                    law.kinds.iter_mut().for_each(|kind| kind.takes_values = true)
                });
            }
        }),
    ),
    fault(
        "stage-unknown-version",
        "moving a stage to an unknown version succeeds",
        &["STAGE-1"],
        Seam::Decide(|_, turn| {
            if refuses(turn, Role::MoveStage, Condition::UnknownVersion) {
                succeed(turn, "STAGE-1", Change::default());
            }
        }),
    ),
    fault(
        "stage-nothing-accepted",
        "moving a stage from nowhere to nowhere succeeds",
        &["STAGE-1"],
        Seam::Decide(|_, turn| {
            let nothing = turn.op.as_ref().is_some_and(|op| op.move_to.is_none() && op.remove_from.is_none());
            if nothing && refuses(turn, Role::MoveStage, Condition::Missing) {
                succeed(turn, "STAGE-1", Change::default());
            }
        }),
    ),
    fault(
        "stage-wrong-source",
        "moving a stage from a version that does not have it succeeds",
        &["STAGE-1"],
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::MoveStage, Condition::WrongSource) {
                if let Some(op) = &mut turn.op {
                    op.remove_from = None;
                }
                decide_anew(emulator, turn, |_| {});
            }
        }),
    ),
    fault(
        "current-removable",
        "a built-in stage can be removed",
        &["STAGE-2"],
        Seam::Decide(|emulator, turn| {
            let stage = turn.op.as_ref().and_then(|op| op.stage.clone());
            let removes = [Role::MoveStage, Role::RemoveStage]
                .into_iter()
                .any(|role| refuses(turn, role, Condition::BuiltInStage));
            if let (true, Some(stage)) = (removes, stage)
                && let Some((key, secret)) = subject(emulator, turn)
            {
                let mut secret = (*secret).clone();
                secret.set_stage(&stage, None);
                succeed(turn, "STAGE-2", Change::store(key, secret));
            }
        }),
    ),
    fault(
        "ninth-stage",
        "the number of stages is not limited",
        &["STAGE-3"],
        Seam::Paper(|vendor| vendor.law.stages_at_most = None),
    ),
    fault(
        "eighth-stage-refused",
        "one stage less than the limit is allowed",
        &["STAGE-3"],
        Seam::Paper(|vendor| {
            vendor.law.stages_at_most = vendor.law.stages_at_most.map(|most| most - 1);
        }),
    ),
    fault(
        "lists-unbounded",
        "a list of stages may have any number of entries, of any length",
        &["STAGE-3", "WIRE-REQ-2"],
        Seam::Weigh(|_, turn| {
            pardon(turn, "a number of entries of");
            pardon(turn, "an entry of length");
        }),
    ),
    fault(
        "page-size-unchecked",
        "page numbers and sizes are not checked",
        &["LIST-1"],
        Seam::Weigh(|_, turn| {
            turn.complaints.retain(|complaint| complaint.rule != "LIST-1");
        }),
    ),
    fault(
        "page-size-ignored",
        "lists of secrets have the default size whatever is asked for",
        &["LIST-1"],
        Seam::Weigh(|_, turn| {
            if let Some(op) = turn.op.as_mut().filter(|op| op.role == Role::List) {
                op.size = None;
            }
        }),
    ),
    fault(
        "total-wrong",
        "the total of a list is one too many",
        &["LIST-1"],
        Seam::Keep(|_, turn| {
            if let (true, Some(Fact::Count(total))) =
                (did(turn, Role::List), stated(turn, Meaning::Total).cloned())
            {
                restate(turn, Meaning::Total, Some(Fact::Count(total + 1)));
            }
        }),
    ),
    fault(
        "count-wrong",
        "the number of entries in a page is one too many",
        &["WIRE-REP-1"],
        Seam::Keep(|_, turn| {
            if let Some(Fact::Count(count)) = stated(turn, Meaning::Shown).cloned() {
                restate(turn, Meaning::Shown, Some(Fact::Count(count + 1)));
            }
        }),
    ),
    fault(
        "list-omits-one",
        "each page of secrets lacks its last entry",
        &["LIST-1"],
        Seam::Keep(|_, turn| {
            for (_, fact) in &mut turn.facts {
                if let Fact::Names(names) = fact {
                    names.pop();
                }
            }
        }),
    ),
    fault(
        "read-falls-back",
        "reading a version or stage that does not exist shows the current one",
        &["READ-1"],
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Read, Condition::UnknownVersion) {
                if let Some(op) = &mut turn.op {
                    (op.version, op.stage) = (None, None);
                }
                decide_anew(emulator, turn, |_| {});
            }
        }),
    ),
    fault(
        "put-drops-description",
        "writing a version drops the description",
        &["CONF-1"],
        Seam::Keep(|emulator, turn| {
            if did(turn, Role::Put) {
                edit(emulator, turn, |secret, _| {
                    secret.settings.retain(|(meaning, _)| *meaning != Meaning::Description)
                });
            }
        }),
    ),
];

fn recreate(emulator: &mut Emulator, turn: &mut Turn<'_>, condition: Condition) {
    if refuses(turn, Role::Create, condition)
        && let Some((key, _)) = subject(emulator, turn)
    {
        emulator.world.secrets.remove(&key);
        decide_anew(emulator, turn, |_| {});
    }
}

/// Finds a secret whose name is not quite the one asked for.
fn find_by(emulator: &Emulator, turn: &mut Turn<'_>, alike: impl Fn(&str, &str) -> bool) {
    let Some(op) = turn.op.as_mut().filter(|op| op.role != Role::Create) else { return };
    if emulator.world.find(op.account, &op.secret).is_none() {
        let found =
            emulator.world.secrets.keys().find(|key| key.0 == op.account && alike(&key.1, &op.secret));
        if let Some(key) = found {
            op.secret = key.1.clone();
            // What was wrong with the name is forgiven with it.
            turn.complaints.clear();
        }
    }
}

fn overwrite_value(emulator: &mut Emulator, turn: &Turn<'_>, token: &Text, value: u64) {
    let given = super::tools::given(emulator, turn, Meaning::Value).unwrap_or_default();
    emulator.keep(&given);
    edit(emulator, turn, |secret, _| {
        let version =
            secret.versions.iter_mut().find(|version| version.id == crate::model::Id::Known(token.clone()));
        if let Some(version) = version {
            version.value = Value::Known(value);
        }
    });
}
