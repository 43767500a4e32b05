//! What every reply must be: judges of bodies, envelopes, request ids and formats.

use super::judge::Ruling;
use super::overlap::alone;
use super::words::any_of;
use super::{demands, protocol::format_name};
use crate::codec::{Body, ReplySchemas};
use crate::history::{Exchange, History, Lost, clipped};
use crate::model::{Fact, Facts, Meaning, Role};
use crate::spec::Vendor;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeMap;

/// Fields that only replies about some kinds of secret have, and shapes of values.
pub(super) fn kind_fields(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    // None where nobody knows: creations whose replies were lost, or at once with others, may have made
    // another one.
    let mut created: BTreeMap<(usize, String), Option<usize>> = BTreeMap::new();
    let alone = alone(history);
    for (at, exchange) in history.calls() {
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { continue };
        let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
        let name = (exchange.call.account, get(Meaning::Secret).unwrap_or_default().to_owned());
        let alone = alone.contains(&at);
        if operation.role == Role::Create && !exchange.refused() && !(alone && exchange.done()) {
            created.insert(name.clone(), None);
        }
        let Some((reply, facts)) = exchange.reply().and_then(|reply| Some((reply, reply.facts()?))) else {
            continue;
        };
        if operation.role == Role::Password {
            judge_password(vendor, at, exchange, facts, ruling);
        }
        let called = vendor.kind_asked(operation, get(Meaning::Kind));
        let called = called.filter(|_| operation.role == Role::Create);
        if let Some(kind) = called {
            let known = created.entry(name.clone()).or_insert(Some(kind));
            *known = known.map(|_| kind);
        }
        let stated = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
            (Meaning::Kind, Fact::Text(kind)) => vendor.kind_called(kind),
            _ => None,
        });
        let known = created.get(&name).copied().flatten().filter(|_| alone);
        let kind = stated.or(called).or(known);
        let kind = kind.and_then(|index| vendor.spec.kinds.get_index(index));
        let Some((kind, described)) = kind else { continue };
        for (name, field) in
            operation.reply.iter().filter(|(_, field)| field.required && field.kinds.contains(kind))
        {
            ruling.expect(
                "WIRE-REP-1",
                facts.iter().any(|(meaning, _)| *meaning == field.is),
                &[at],
                || format!("{name}, as the secret is of kind {kind}"),
                || format!("no {name}"),
            );
        }
        if operation.role == Role::Read && !described.value_keys.is_empty() {
            let object = reply.value(operation).and_then(|text| {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok()
            });
            let fits = object.is_some_and(|object| {
                described.value_keys.iter().any(|shape| shape.keys.iter().all(|key| object.contains_key(key)))
            });
            let shapes = || {
                described
                    .value_keys
                    .iter()
                    .map(|shape| shape.keys.join(", "))
                    .collect::<Vec<_>>()
                    .join("; or ")
            };
            ruling.expect(
                "WIRE-REP-1",
                fits,
                &[at],
                || format!("a value that is a JSON object with {}", shapes()),
                || "a value of another shape".into(),
            );
        }
    }
}

fn judge_password(vendor: &Vendor, at: usize, exchange: &Exchange, facts: &Facts, ruling: &mut Ruling<'_>) {
    let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { return };
    let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
    let password = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
        (Meaning::Password, Fact::Text(text)) => Some(text.clone()),
        _ => None,
    });
    let Some(password) = password else { return };
    let length =
        get(Meaning::Length).and_then(|text| text.parse().ok()).unwrap_or(vendor.law.password_default);
    let count = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
    let is_true = |is| get(is).and_then(crate::spec::truth) == Some(true);
    let flags = [Meaning::NoLower, Meaning::NoUpper, Meaning::NoDigits, Meaning::NoPunctuation];
    // Where everything is excluded, what comes is anybody's guess.
    let possible = !flags.into_iter().all(is_true);
    ruling.expect(
        "WIRE-REP-1",
        count == length || !possible,
        &[at],
        || format!("a password of {length} characters"),
        || format!("one of {count}"),
    );
    type Class = (Meaning, fn(&char) -> bool, &'static str);
    let classes: [Class; 4] = [
        (Meaning::NoLower, char::is_ascii_lowercase, "lower-case letters"),
        (Meaning::NoUpper, char::is_ascii_uppercase, "upper-case letters"),
        (Meaning::NoDigits, char::is_ascii_digit, "digits"),
        (Meaning::NoPunctuation, char::is_ascii_punctuation, "punctuation"),
    ];
    for (flag, class, name) in classes {
        let found = password.chars().any(|character| class(&character));
        if is_true(flag) {
            ruling.expect(
                "WIRE-REP-1",
                !found,
                &[at],
                || format!("a password without {name}"),
                || format!("one with {name}"),
            );
        } else if is_true(Meaning::EachClass) && get(Meaning::Exclude).is_none() {
            ruling.expect(
                "WIRE-REP-1",
                found,
                &[at],
                || format!("a password with {name}"),
                || format!("one without {name}"),
            );
        }
    }
    if let Some(excluded) = get(Meaning::Exclude) {
        let found = password.chars().any(|character| excluded.contains(character));
        ruling.expect(
            "WIRE-REP-1",
            !found,
            &[at],
            || "a password without the excluded characters".into(),
            || "one with some of them".into(),
        );
    }
}

/// A reply that says how many entries it shows shows as many.
fn judge_count(at: usize, facts: &Facts, ruling: &mut Ruling<'_>) {
    let said = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
        (Meaning::Shown, Fact::Count(count)) => Some(*count),
        _ => None,
    });
    let shown = facts.iter().find_map(|(_, fact)| match fact {
        Fact::Versions(versions) => Some(versions.len()),
        Fact::Names(names) => Some(names.len()),
        _ => None,
    });
    let Some((said, shown)) = said.zip(shown) else { return };
    ruling.expect(
        "WIRE-REP-1",
        usize::try_from(said) == Ok(shown),
        &[at],
        || format!("{shown} as the number of entries in this reply"),
        || said.to_string(),
    );
}

/// What every reply must be, whatever it answers.
pub(super) fn judge_reply(
    vendor: &Vendor,
    schemas: &ReplySchemas,
    at: usize,
    exchange: &Exchange,
    ruling: &mut Ruling<'_>,
) {
    let (response, reply) = match &exchange.result {
        Ok(came) => came,
        // Whoever hangs up hears nothing.
        Err(Lost::Dropped) => return,
        Err(lost) => {
            return ruling.expect("ROT-ERR-5", false, &[at], || "a reply".into(), || lost.to_string());
        }
    };
    if demands::turned_away_by_http(exchange) {
        // Servers in front of an API answer these without knowing its envelopes.
        return ruling.expect("ROT-ERR-5", true, &[at], String::new, String::new);
    }
    let alive = response.status < 500 && !demands::internal(vendor, exchange);
    ruling.expect("ROT-ERR-5", alive, &[at], || "any status but a 5xx".into(), || exchange.summary());
    match &reply.body {
        Body::Done { json, facts } => {
            judge_count(at, facts, ruling);
            let statuses = vendor.spec.successes(&exchange.call.operation);
            ruling.expect(
                "WIRE-REP-1",
                statuses.is_empty() || statuses.contains(&response.status),
                &[at],
                || format!("a success with status {}", any_of(statuses)),
                || response.status.to_string(),
            );
            let misfits = schemas.misfits(&exchange.call.operation, json);
            ruling.expect(
                "WIRE-REP-1",
                misfits.is_empty(),
                &[at],
                || "a reply that fits its documented schema".into(),
                || misfits.join("; "),
            );
        }
        Body::Refused { misfit, .. } => {
            ruling.expect(
                "WIRE-REP-2",
                misfit.is_empty(),
                &[at],
                || "a documented error envelope".into(),
                || misfit.clone(),
            );
        }
        Body::Unreadable(why) => {
            let rule = if (200..300).contains(&response.status) { "WIRE-REP-1" } else { "WIRE-REP-2" };
            let observed = || format!("{}: {why}", response.status);
            ruling.expect(rule, false, &[at], || "a reply that can be read".into(), observed);
        }
    }
    if let Body::Done { .. } | Body::Refused { .. } = reply.body {
        ruling.expect(
            "WIRE-REP-3",
            reply.request_id.is_some(),
            &[at],
            || "a request id".into(),
            || "none".into(),
        );
    }
    if demands::broke_down(vendor, exchange) && alive && response.status < 200 {
        ruling.expect("ROT-ERR-5", false, &[at], || "a final status".into(), || exchange.summary());
    }
}

/// Request ids never come twice.
pub(super) fn judge_ids(history: &History, ruling: &mut Ruling<'_>) {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(history.entries.len());
    for (at, exchange) in history.calls() {
        let Some(id) = exchange.reply().and_then(|reply| reply.request_id.as_deref()) else { continue };
        let before = seen.insert(id, at);
        let both = [before.unwrap_or(at), at];
        ruling.expect(
            "WIRE-REP-3",
            before.is_none(),
            if before.is_some() { &both } else { &both[1..] },
            || "a request id of its own".into(),
            || format!("{} again", clipped(id)),
        );
    }
}

/// Calls that differ in the reply format alone say the same.
pub(super) fn formats_agree(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    let documented = |name: &str| vendor.spec.protocol.formats.iter().any(|it| format_name(*it) == name);
    let formatted =
        |it: &Exchange| it.call.how.format.as_deref().is_some_and(documented) && it.tamper.is_none();
    let calls: Vec<(usize, &Exchange)> = history.calls().filter(|(_, it)| formatted(it)).collect();
    for (at, exchange) in &calls {
        // Who refuses a call need not have read how it wants to be answered.
        let (Some(reply), true) = (exchange.reply(), exchange.done()) else { continue };
        let wanted = exchange.call.how.format.as_deref().unwrap_or_default();
        let came = reply.format.is_some_and(|format| format_name(format) == wanted);
        ruling.expect("WIRE-REP-4", came, &[*at], || format!("a reply in {wanted}"), || exchange.summary());
    }
    // What changes something, or is made by chance, may be answered otherwise when it comes again.
    let stays = |it: &Exchange| {
        let role = vendor.spec.operations.get(&it.call.operation).map(|operation| operation.role);
        role.is_some_and(|role| match role {
            Role::Password => false,
            Role::Rotate => it.done(),
            role => !role.writes(),
        })
    };
    for pair in calls.windows(2) {
        let ((one_at, one), (other_at, other)) = (pair[0], pair[1]);
        let alike = one.call.operation == other.call.operation
            && one.call.how.format != other.call.how.format
            && one.call.params == other.call.params
            && one.call.account == other.call.account;
        if !alike || other_at != one_at + 1 || one.span.overlaps(other.span) || !stays(one) {
            continue;
        }
        let (Some(first), Some(second)) = (one.reply(), other.reply()) else { continue };
        let fields = vendor.spec.operations.get(&one.call.operation).map(|operation| &operation.reply);
        let difference = match (&first.body, &second.body) {
            (Body::Done { facts, .. }, Body::Done { facts: others, .. }) => differing(facts, others),
            (Body::Refused { code, .. }, Body::Refused { code: other, .. }) => {
                (code != other).then_some(Meaning::Code)
            }
            _ => Some(Meaning::Status),
        };
        let name = difference
            .and_then(|is| fields?.iter().find(|(_, field)| field.is == is).map(|(name, _)| name.clone()));
        ruling.expect(
            "WIRE-REP-4",
            difference.is_none(),
            &[one_at, other_at],
            || "the same answer in both formats".into(),
            || format!("{} differs", name.unwrap_or_else(|| format!("{difference:?}").replace("Some", ""))),
        );
    }
}

fn differing(one: &Facts, other: &Facts) -> Option<Meaning> {
    let lacks = |from: &Facts, (meaning, fact): &(Meaning, Fact)| {
        // An empty list and an empty text cannot be told from nothing in every format.
        let nothing = matches!(fact, Fact::Text(text) if text.is_empty());
        *meaning != Meaning::RequestId && !nothing && !from.iter().any(|(m, f)| m == meaning && f == fact)
    };
    one.iter()
        .find(|fact| lacks(other, fact))
        .or_else(|| other.iter().find(|fact| lacks(one, fact)))
        .map(|(m, _)| *m)
}
