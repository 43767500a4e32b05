//! What the service makes itself: ids, values, tasks.

use super::{Emulator, Turn};
use crate::model::{Id, Key, Meaning, Secret, State, Task, Text, Value};
use crate::sign::DateForm;
use crate::spec::Type;

/// Seconds, from a version's own, that are tried for an id that is made of them.
const STAMPS: i64 = 10_000;

impl Emulator {
    /// Gives ids and values to what rotation left open.
    pub(super) fn make_real(&mut self, key: &Key, secret: &mut Secret) {
        for at in 0..secret.versions.len() {
            if let Id::Made(_) = secret.versions[at].id {
                let id = Id::Known(self.fresh_id(secret, at));
                if let Some(pending) = secret.pending.as_mut().filter(|it| it.id == secret.versions[at].id) {
                    pending.id = id.clone();
                }
                secret.versions[at].id = id;
            }
            if !matches!(secret.versions[at].value, Value::Known(_)) {
                let created = secret.versions[at].created.lo;
                let value = self.next_value(key, created);
                secret.versions[at].value = Value::Known(self.keep(&value));
            }
        }
    }

    pub(super) fn fresh_id(&mut self, secret: &Secret, at: usize) -> Text {
        let vendor = self.vendor.clone();
        let template = vendor.kind(secret.kind).and_then(|(_, kind)| kind.renames.as_deref());
        for later in 0_i64.. {
            let id = match template {
                // Some times cannot be written: then the id is any other.
                Some(template) if later < STAMPS => {
                    let created = secret.versions[at].created.lo.saturating_add(later);
                    let stamp = DateForm::Basic.write(created).replace(['T', 'Z'], "");
                    template.replace("{time}", &stamp)
                }
                _ => format!("{:016x}", self.rng.u64(..)),
            };
            if secret.version(&id).is_none() && !secret.dropped.iter().any(|old| **old == *id) {
                return id.into();
            }
        }
        "".into()
    }

    /// The id by which a caller can ask what becomes of this, where the reply documents one.
    pub(super) fn begin_task(&mut self, turn: &mut Turn<'_>, key: &Key, state: State) -> Option<Text> {
        let operation = self.vendor.spec.operations.get(&turn.operation)?;
        let field = operation.reply.values().find(|field| field.is == Meaning::Task)?;
        let id = Text::from(match field.kind {
            Type::Integer => self.rng.u32(1_000..).to_string(),
            _ => self.request_id(),
        });
        self.world.tasks.insert(id.clone(), Task::new(key.clone(), state));
        turn.task = Some(id.clone());
        Some(id)
    }
}
