//! Faults of versions, their stages and their values.

use super::tools::{count, did, edit, replayed, restate, rotated, stated, subject};
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::{Fact, Id, Meaning, Role, State, Text, Value, Version, VersionFact, When};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "wipe-current-value",
        does: "rotation empties the version that was current",
        rules: &["ROT-MONO-2", "ROT-CUR-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                let empty = Value::Known(emulator.keep(""));
                let before = turn.before.clone();
                edit(emulator, turn, |secret, law| {
                    let old = before
                        .and_then(|(_, old)| old.staged(&law.current).map(|version| version.id.clone()));
                    if let Some(version) =
                        secret.versions.iter_mut().find(|version| Some(&version.id) == old.as_ref())
                    {
                        version.value = empty;
                    }
                });
            }
        }),
    },
    Fault {
        name: "empty-new-value",
        does: "rotation makes a version with an empty value",
        rules: &["ROT-CUR-1", "ROT-NEW-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                let empty = Value::Known(emulator.keep(""));
                edit(emulator, turn, |secret, _| {
                    if let Some(version) = secret.versions.last_mut() {
                        version.value = empty;
                    }
                });
            }
        }),
    },
    Fault {
        name: "two-current",
        does: "after a rotation the old version stays current too",
        rules: &["ROT-CUR-1", "ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Keep(|emulator, turn| keep_stage(emulator, turn, true)),
    },
    Fault {
        name: "no-current",
        does: "after a rotation no version is current",
        rules: &["ROT-CUR-1", "ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, law| {
                    let current = law.current.clone();
                    secret.set_stage(&current, None);
                });
            }
        }),
    },
    Fault {
        name: "stage-stays",
        does: "a stage that moves to a new version stays on the old one too",
        rules: &["ROT-CUR-2"],
        seam: Seam::Keep(|emulator, turn| {
            let (true, Some((_, before))) = (did(turn, Role::Put), turn.before.clone()) else { return };
            edit(emulator, turn, |secret, law| {
                for version in secret.versions.iter_mut() {
                    let old = before.versions.iter().find(|old| old.id == version.id);
                    let stages: Vec<Text> = old.map(|old| old.stages.clone()).unwrap_or_default();
                    let own = |stage: &Text| *stage != law.current && Some(stage) != law.previous.as_ref();
                    for stage in stages.into_iter().filter(own) {
                        if !version.stages.contains(&stage) {
                            version.stages.push(stage);
                        }
                    }
                }
            });
        }),
    },
    Fault {
        name: "two-previous",
        does: "the previous stage stays on older versions too",
        rules: &["ROT-PREV-1"],
        seam: Seam::Keep(|emulator, turn| keep_stage(emulator, turn, false)),
    },
    Fault {
        name: "previous-lost",
        does: "the version that was current gets no stage",
        rules: &["ROT-PREV-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, law| {
                    if let Some(previous) = &law.previous {
                        secret.set_stage(previous, None);
                    }
                });
            }
        }),
    },
    Fault {
        name: "version-reused",
        does: "automatic rotation gives its version an id that the secret has already",
        rules: &["ROT-MONO-1", "ROT-SCHED-1"],
        seam: Seam::Weigh(|emulator, turn| {
            edit(emulator, turn, |secret, _| {
                let Some(first) = secret.versions.first().map(|version| version.id.clone()) else { return };
                let made = |id: &Id| matches!(id, Id::Known(id) if id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()));
                for version in secret.versions.iter_mut().filter(|version| made(&version.id)) {
                    version.id = first.clone();
                }
            });
        }),
    },
    Fault {
        name: "version-skips",
        does: "each rotation leaves out a number",
        rules: &["ROT-MONO-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, law| {
                    let skipped = law.numbering.as_ref().map(|_| secret.next_id(law));
                    if let (Some(id), Some(version)) = (skipped, secret.versions.last_mut()) {
                        version.id = id;
                    }
                });
            }
        }),
    },
    Fault {
        name: "version-listed-twice",
        does: "a list of versions shows the newest of them twice",
        rules: &["ROT-MONO-1", "ROT-PAGE-1"],
        seam: Seam::Keep(|_, turn| {
            if did(turn, Role::Versions)
                && let Some(Fact::Versions(mut entries)) = stated(turn, Meaning::Versions).cloned()
                && let Some(first) = entries.first().cloned()
            {
                entries.push(first);
                restate(turn, Meaning::Versions, Some(Fact::Versions(entries)));
            }
        }),
    },
    Fault {
        name: "pending-left-behind",
        does: "after a rotation the pending stage sits on the version that was current",
        rules: &["ROT-PEND-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, law| {
                    let old = law.previous.as_ref().and_then(|stage| secret.staged(stage));
                    let old = old.map(|version| version.id.clone());
                    if let (Some(stage), Some(old)) = (&law.pending, old) {
                        secret.set_stage(stage, Some(&old));
                    }
                });
            }
        }),
    },
    Fault {
        name: "task-never-ends",
        does: "a task goes on for ever, though its rotation is done",
        rules: &["ROT-ASYNC-1"],
        seam: Seam::Keep(|_, turn| {
            if did(turn, Role::Task) {
                restate(turn, Meaning::TaskState, Some(Fact::State(State::Running)));
            }
        }),
    },
    Fault {
        name: "task-flips",
        does: "a task that succeeded says so once, and then that it failed",
        rules: &["ROT-ASYNC-1"],
        seam: Seam::Keep(|emulator, turn| {
            let task = turn.op.as_ref().and_then(|op| op.task.clone()).unwrap_or_default();
            let ended = stated(turn, Meaning::TaskState) == Some(&Fact::State(State::Succeeded));
            let told = ended && emulator.memory.insert(format!("told:{task}"), String::new()).is_some();
            if did(turn, Role::Task) && told {
                restate(turn, Meaning::TaskState, Some(Fact::State(State::Failed)));
            }
        }),
    },
    Fault {
        name: "task-lies",
        does: "a task succeeds, and its rotation made no version",
        rules: &["ROT-ASYNC-2"],
        seam: Seam::Keep(|emulator, turn| {
            if let (true, Some((key, before))) = (turn.finishing, turn.before.clone()) {
                let mut before = (*before).clone();
                before.pending = None;
                emulator.overwrite(&key, before);
            }
        }),
    },
    Fault {
        name: "replay-changes-value",
        does: "a replayed rotation gives the version another value",
        rules: &["ROT-MONO-2"],
        seam: Seam::Keep(|emulator, turn| {
            let (true, Some((key, _))) = (replayed(turn), subject(emulator, turn)) else { return };
            let value = emulator.next_value(&key, turn.now);
            let value = Value::Known(emulator.keep(&value));
            let token = turn.op.as_ref().and_then(|op| op.token.clone()).map(Id::Known);
            edit(emulator, turn, |secret, _| {
                if let Some(version) =
                    secret.versions.iter_mut().find(|version| Some(&version.id) == token.as_ref())
                {
                    version.value = value;
                }
            });
        }),
    },
    Fault {
        name: "same-value",
        does: "the new version has the old value",
        rules: &["ROT-NEW-1"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                edit(emulator, turn, |secret, _| {
                    if let [.., old, new] = secret.versions.as_mut_slice() {
                        new.value = old.value;
                    }
                });
            }
        }),
    },
    Fault {
        name: "double-version",
        does: "a rotation makes two versions",
        rules: &["ROT-NEW-1", "ROT-IDEMP-4"],
        seam: Seam::Keep(|emulator, turn| {
            if rotated(turn) {
                let value = Value::Known(emulator.keep("twice"));
                let id = Id::Known(format!("twice-{:x}", emulator.rng.u32(..)).into());
                let created = When::at(turn.now);
                edit(emulator, turn, |secret, _| {
                    secret.versions.push(Version { rotated: true, ..Version::new(id, value, created) });
                });
            }
        }),
    },
    Fault {
        name: "one-account-only",
        does: "where two accounts take turns, rotation always takes the first",
        rules: &["ROT-NEW-1"],
        seam: Seam::Hear(|emulator, _| {
            emulator.making.values_mut().for_each(super::super::values::Making::stay)
        }),
    },
    Fault {
        name: "retention-drops-current",
        does: "the write that fills the versions evicts the version that was current",
        rules: &["ROT-HIST-1"],
        seam: Seam::Keep(|emulator, turn| {
            if did(turn, Role::Put) {
                let keeps =
                    emulator.vendor.law.kinds.iter().find_map(|kind| kind.keeps).unwrap_or(usize::MAX);
                let full = turn.before.as_ref().is_some_and(|(_, before)| before.versions.len() == keeps);
                edit(emulator, turn, |secret, law| {
                    if full {
                        secret.versions.retain(|version| {
                            !law.previous.as_ref().is_some_and(|it| version.stages.contains(it))
                        });
                    }
                });
            }
        }),
    },
    Fault {
        name: "retention-unbounded",
        does: "no version is ever dropped",
        rules: &["ROT-HIST-1"],
        seam: Seam::Paper(|vendor| {
            vendor.law.kinds.iter_mut().for_each(|kind| (kind.keeps, kind.at_most) = (None, None));
        }),
    },
    Fault {
        name: "retention-too-short",
        does: "one version less is kept",
        rules: &["ROT-HIST-1"],
        seam: Seam::Paper(|vendor| {
            for kind in &mut vendor.law.kinds {
                kind.keeps = kind.keeps.map(|keeps| keeps - 1);
                kind.at_most = kind.at_most.map(|most| most - 1);
            }
        }),
    },
    Fault {
        name: "stale-read",
        does: "the first two reads after a rotation show the old version",
        rules: &["ROT-RYW-1"],
        seam: Seam::Keep(stale_read),
    },
    Fault {
        name: "page-overlaps",
        does: "each page of versions begins with the last entry of the page before",
        rules: &["ROT-PAGE-1"],
        seam: Seam::Keep(|emulator, turn| {
            let (true, Some(op)) = (did(turn, Role::Versions), turn.op.clone()) else { return };
            let (Some(page @ 2..), Some(size)) = (op.page, op.size) else { return };
            let Some((_, secret)) = subject(emulator, turn) else { return };
            let skipped = usize::try_from((page - 1).saturating_mul(size) - 1).unwrap_or(usize::MAX);
            let entries = secret
                .versions
                .iter()
                .rev()
                .skip(skipped)
                .take(usize::try_from(size).unwrap_or(0))
                .map(entry);
            let entries = entries.collect();
            restate(turn, Meaning::Versions, Some(Fact::Versions(entries)));
        }),
    },
    Fault {
        name: "page-drops-one",
        does: "a full page of versions lacks its last entry",
        rules: &["ROT-PAGE-1"],
        seam: Seam::Keep(|_, turn| {
            let size = turn.op.as_ref().and_then(|op| op.size).and_then(|size| usize::try_from(size).ok());
            for (_, fact) in &mut turn.facts {
                if let Fact::Versions(entries) = fact
                    && Some(entries.len()) == size
                    && entries.len() > 1
                {
                    entries.pop();
                }
            }
        }),
    },
];

fn entry(version: &Version) -> VersionFact {
    let id = match &version.id {
        Id::Known(id) => id.clone(),
        Id::Made(number) => number.to_string().into(),
    };
    VersionFact { id, stages: Some(version.stages.clone()), created: Some(version.created.lo) }
}

/// Leaves the current or the previous stage where it was before a rotation, too.
fn keep_stage(emulator: &mut Emulator, turn: &mut Turn<'_>, current: bool) {
    let (true, Some((_, before))) = (rotated(turn), turn.before.clone()) else { return };
    edit(emulator, turn, |secret, law| {
        let Some(stage) = (if current { Some(&law.current) } else { law.previous.as_ref() }) else { return };
        let holders: Vec<&Version> =
            before.versions.iter().filter(|version| version.stages.contains(stage)).collect();
        for version in secret.versions.iter_mut() {
            if holders.iter().any(|old| old.id == version.id) && !version.stages.contains(stage) {
                version.stages.push(stage.clone());
            }
        }
    });
}

fn stale_read(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let name = turn.op.as_ref().map_or("", |op| &op.secret).to_owned();
    if rotated(turn) {
        emulator.memory.remove(&format!("reads:{name}"));
        emulator.memory.insert(format!("rotated:{name}"), String::new());
    }
    let by_default = turn.op.as_ref().is_some_and(|op| op.stage.is_none() && op.version.is_none());
    if !did(turn, Role::Read) || !by_default || !emulator.memory.contains_key(&format!("rotated:{name}")) {
        return;
    }
    if count(emulator, turn, "reads") > 2 {
        return;
    }
    let Some((_, secret)) = subject(emulator, turn) else { return };
    let previous = emulator.vendor.law.previous.clone();
    let Some(old) = previous.and_then(|stage| secret.staged(&stage)) else { return };
    let Value::Known(digest) = old.value else { return };
    let value = emulator.values.get(&digest).cloned();
    restate(turn, Meaning::Value, value.map(Fact::Text));
    restate(turn, Meaning::Version, Some(Fact::Text(entry(old).id)));
    restate(turn, Meaning::Stages, Some(Fact::Stages(vec![emulator.vendor.law.current.clone()])));
}
