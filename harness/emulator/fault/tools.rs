//! What faults share: finding parameters by meaning, and reaching into what is stored.

use crate::emulator::{Emulator, Turn};
use crate::model::{
    Answer, Change, Condition, Fact, Id, Key, Law, Meaning, Outcome, Role, Secret, Text, Value, Version,
    When, outcomes,
};
use std::sync::Arc;

/// The name of the parameter with a meaning.
pub(super) fn name_of(emulator: &Emulator, turn: &Turn<'_>, is: Meaning) -> Option<String> {
    let operation = emulator.vendor.spec.operations.get(&turn.operation)?;
    operation.parameter(is).map(|(name, _)| name.to_owned())
}

/// The value of the parameter with a meaning.
pub(super) fn given(emulator: &Emulator, turn: &Turn<'_>, is: Meaning) -> Option<String> {
    name_of(emulator, turn, is).and_then(|name| turn.param(&name).map(str::to_owned))
}

/// Rewrites the parameter with a meaning, if it is given.
pub(super) fn rewrite(
    emulator: &Emulator,
    turn: &mut Turn<'_>,
    is: Meaning,
    change: impl Fn(&str) -> Option<String>,
) {
    let Some(name) = name_of(emulator, turn, is) else { return };
    for (given, value) in &mut turn.params {
        if *given == name
            && let Some(other) = change(value)
        {
            *value = other;
            turn.mistyped.retain(|mistyped| *mistyped != name);
        }
    }
}

/// The secret that the turn is about, as it is stored now.
pub(super) fn subject(emulator: &Emulator, turn: &Turn<'_>) -> Option<(Key, Arc<Secret>)> {
    let op = turn.op.as_ref()?;
    emulator.world.subject(op)
}

/// Changes the secret that the turn is about, as it is stored now.
pub(super) fn edit(emulator: &mut Emulator, turn: &Turn<'_>, change: impl FnOnce(&mut Secret, &Law)) {
    if let Some((key, secret)) = subject(emulator, turn) {
        let mut secret = (*secret).clone();
        change(&mut secret, &emulator.vendor.clone().law);
        emulator.overwrite(&key, secret);
    }
}

/// True after a rotation that made a version.
pub(super) fn rotated(turn: &Turn<'_>) -> bool {
    let at_once = |outcome: &Outcome| {
        let begun = outcome.change.secret.as_ref().and_then(|(_, secret)| secret.as_ref());
        (outcome.rule == "ROT-NEW-1" || outcome.rule == "ROT-IDEMP-4")
            && begun.is_some_and(|secret| secret.pending.is_none())
    };
    turn.finishing || (turn.succeeds() && turn.outcome.as_ref().is_some_and(at_once))
}

/// True if the call is about to rotate, at once or later.
pub(super) fn begins(turn: &Turn<'_>) -> bool {
    let begun = |outcome: &Outcome| outcome.rule == "ROT-NEW-1" || outcome.rule == "ROT-IDEMP-4";
    turn.succeeds() && turn.outcome.as_ref().is_some_and(begun)
}

/// True if the call sets the rotation policy, by whatever operation.
pub(super) fn sets_policy(turn: &Turn<'_>) -> bool {
    turn.op.as_ref().is_some_and(|op| match op.role {
        Role::SetPolicy | Role::Cancel => true,
        Role::Rotate => op.immediately == Some(false),
        _ => false,
    })
}

/// True if the call switches automatic rotation off.
pub(super) fn switches_off(turn: &Turn<'_>) -> bool {
    turn.op.as_ref().is_some_and(|op| match op.role {
        Role::SetPolicy => op.enable == Some(false),
        role => role == Role::Cancel,
    })
}

/// True after a rotation that was a replay.
pub(super) fn replayed(turn: &Turn<'_>) -> bool {
    turn.outcome
        .as_ref()
        .is_some_and(|outcome| outcome.rule == "ROT-IDEMP-1" || outcome.rule == "ROT-IDEMP-5")
}

/// True if the call succeeds and is of a role.
pub(super) fn did(turn: &Turn<'_>, role: Role) -> bool {
    !turn.finishing && turn.succeeds() && turn.role() == Some(role)
}

/// True if a call of a role is being refused for a reason.
pub(super) fn refuses(turn: &Turn<'_>, role: Role, condition: Condition) -> bool {
    turn.role() == Some(role)
        && turn.outcome.as_ref().is_some_and(|outcome| outcome.answer == Answer::Refused(condition))
}

/// Decides the call anew under a law that was tampered with.
pub(super) fn decide_anew(emulator: &mut Emulator, turn: &mut Turn<'_>, change: impl FnOnce(&mut Law)) {
    let Some(op) = turn.op.clone() else { return };
    let mut law = emulator.vendor.law.clone();
    change(&mut law);
    turn.outcome = outcomes(&law, &emulator.world, &op, When::at(turn.now)).into_iter().next();
}

/// Decides that the call succeeds and says no more than the secret's name.
pub(super) fn succeed(turn: &mut Turn<'_>, rule: &'static str, change: Change) {
    use crate::model::Expect;
    let name = turn.op.as_ref().map_or_else(|| Text::from(""), |op| op.secret.clone());
    let facts = vec![(Meaning::Secret, Expect::Is(Fact::Text(name)))];
    turn.outcome = Some(Outcome::done(rule, change, facts));
}

/// Makes a version with this id current, as a rotation does, whatever anybody says.
pub(super) fn rotate_anyway(emulator: &mut Emulator, turn: &Turn<'_>, id: Option<Text>) {
    let Some((key, secret)) = subject(emulator, turn) else { return };
    let mut secret = (*secret).clone();
    let id = match id {
        Some(id) => Id::Known(id),
        None => match secret.next_id(&emulator.vendor.law) {
            Id::Made(_) => Id::Known(format!("{:016x}", emulator.rng.u64(..)).into()),
            known => known,
        },
    };
    let value = emulator.next_value(&key, turn.now);
    let value = Value::Known(emulator.keep(&value));
    let created = When::at(turn.now);
    secret.versions.push(Version { rotated: true, ..Version::new(id.clone(), value, created) });
    let law = emulator.vendor.clone();
    secret.promote(&law.law, &id);
    secret.last = Some(created);
    emulator.overwrite(&key, secret);
}

/// The value that has a stage, in clear.
pub(super) fn value_at(emulator: &Emulator, turn: &Turn<'_>, stage: &str) -> Option<String> {
    let (_, secret) = subject(emulator, turn)?;
    match secret.staged(stage)?.value {
        Value::Known(digest) => emulator.values.get(&digest).map(|value| value.to_string()),
        _ => None,
    }
}

/// Drops what every error envelope calls by a meaning, and its header.
pub(super) fn drop_from_envelope(emulator: &Emulator, turn: &mut Turn<'_>, is: Meaning) {
    let protocol = &emulator.vendor.spec.protocol;
    if let (Meaning::RequestId, Some(name)) = (is, &protocol.request_id_header) {
        turn.response.headers.remove(name);
    }
    let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(&turn.response.body) else { return };
    let fields = emulator.vendor.spec.operations.get(&turn.operation).map(|operation| &operation.reply);
    let named =
        fields.into_iter().flatten().filter(|(_, field)| field.is == is).map(|(name, _)| name.clone());
    let outer = |name: String, wrapper: &Option<String>| match wrapper {
        Some(wrapper) => format!("{wrapper}.{name}"),
        None => name,
    };
    let mut paths: Vec<String> = named.map(|name| outer(name, &protocol.wrapper)).collect();
    for envelope in &protocol.error_envelopes {
        let all = envelope.required.iter().chain(&envelope.optional).filter(|(_, meaning)| **meaning == is);
        paths.extend(all.map(|(name, _)| outer(name.clone(), &protocol.error_wrapper)));
    }
    for path in paths {
        let (parent, last) = path.rsplit_once('.').unwrap_or(("", &path));
        let pointer =
            if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
        if let Some(serde_json::Value::Object(map)) = body.pointer_mut(&pointer) {
            map.shift_remove(last);
        }
    }
    turn.response.body = body.to_string().into_bytes();
}

/// Changes every secret that there is.
pub(super) fn each_secret(emulator: &mut Emulator, change: impl Fn(&mut Secret)) {
    emulator.world.secrets.change(&|secret| change(Arc::make_mut(secret)));
}

/// Adds a field to a JSON reply.
pub(super) fn add_field(turn: &mut Turn<'_>, name: &str, value: &str) {
    let parsed = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&turn.response.body);
    if let Ok(mut object) = parsed {
        object.insert(name.to_owned(), value.into());
        turn.response.body = serde_json::Value::Object(object).to_string().into_bytes();
    }
}

/// Changes a fact that is stated.
pub(super) fn restate(turn: &mut Turn<'_>, is: Meaning, fact: Option<Fact>) {
    turn.facts.retain(|(meaning, _)| *meaning != is);
    turn.facts.extend(fact.map(|fact| (is, fact)));
}

/// A fact that is stated.
pub(super) fn stated<'t>(turn: &'t Turn<'_>, is: Meaning) -> Option<&'t Fact> {
    turn.facts.iter().find(|(meaning, _)| *meaning == is).map(|(_, fact)| fact)
}

/// Counts how often something happened to the secret of the turn, this time included.
pub(super) fn count(emulator: &mut Emulator, turn: &Turn<'_>, what: &str) -> u32 {
    let name = turn.op.as_ref().map_or("", |op| &op.secret);
    let slot = emulator.memory.entry(format!("{what}:{name}")).or_default();
    let times = slot.parse::<u32>().unwrap_or(0) + 1;
    *slot = times.to_string();
    times
}

/// Where something is remembered of the secret of the turn.
pub(super) fn place(emulator: &Emulator, turn: &Turn<'_>, what: &str) -> Option<String> {
    let op = turn.op.as_ref()?;
    let key = subject(emulator, turn).map_or_else(|| (op.account, op.secret.clone()), |(key, _)| key);
    Some(format!("{what}:{}/{}", key.0, key.1))
}

/// Forgets that the token of a rotation is known: another id is made instead.
pub(super) fn forget_token(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let other = format!("{:032x}", emulator.rng.u128(..));
    if let Some(op) = &mut turn.op {
        op.token = Some(other.into());
    }
}

/// The token of a rotation.
pub(super) fn rotation_token(turn: &Turn<'_>) -> Option<Text> {
    turn.op.as_ref().filter(|op| op.role == Role::Rotate)?.token.clone()
}

/// Whether a version has a stage.
pub(super) fn has(version: &Version, stage: Option<&Text>) -> bool {
    stage.is_some_and(|stage| version.stages.contains(stage))
}

/// Passes over complaints that say so.
pub(super) fn pardon(turn: &mut Turn<'_>, words: &str) {
    turn.complaints.retain(|complaint| !complaint.why.contains(words));
}
