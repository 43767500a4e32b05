//! Faults of errors and of the protocol.

use super::tools::{
    count, did, drop_from_envelope, edit, given, name_of, pardon, restate, rotated, stated, subject,
};
use super::{Fault, Seam};
use crate::codec::Refusal;
use crate::emulator::{Emulator, Turn};
use crate::model::{Condition, Fact, Id, Meaning, Role, Text, Value, Version, When};

const fn fault(name: &'static str, does: &'static str, rules: &'static [&'static str], seam: Seam) -> Fault {
    Fault { name, does, rules, seam }
}

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "error-after-commit",
        "every third rotation takes place and is answered with 500",
        &["ROT-ERR-1", "ROT-ERR-5"],
        Seam::Keep(|emulator, turn| {
            if rotated(turn) && count(emulator, turn, "commits").is_multiple_of(3) {
                emulator.refuse(turn, Condition::Internal, "");
            }
        }),
    ),
    fault(
        "effect-before-validation",
        "a version is written, then its bad stages are refused",
        &["ROT-ERR-2"],
        Seam::Keep(|emulator, turn| {
            let op = turn
                .op
                .clone()
                .filter(|op| op.role == Role::Put && turn.condition == Some(Condition::Invalid));
            let (Some(op), Some((_, secret))) = (op, subject(emulator, turn)) else { return };
            let (Some(token), Some(value)) = (op.token, given(emulator, turn, Meaning::Value)) else {
                return;
            };
            if secret.version(&token).is_some() || !emulator.vendor.law.kinds[secret.kind].takes_values {
                return;
            }
            let value = Value::Known(emulator.keep(&value));
            let created = When::at(turn.now);
            edit(emulator, turn, |secret, law| {
                let id = Id::Known(token);
                let new = Version::new(id.clone(), value, created);
                secret.versions.push(Version { value_type: op.value_type, ..new });
                secret.promote(law, &id);
            });
        }),
    ),
    fault(
        "wrong-code",
        "an unknown secret is refused with the code of another condition",
        &["ROT-ERR-3"],
        Seam::Phrase(|emulator, turn| {
            let operation = turn.operation.clone();
            respell(turn, Condition::UnknownSecret, |refusal| {
                let code = emulator.vendor.spec.answers(Condition::Exists, &operation).0.first().cloned();
                let code = code.unwrap_or_default();
                let statuses = emulator.vendor.spec.errors.get(&code).map(|error| error.status.clone());
                refusal.status = statuses.and_then(|it| it.first().copied()).unwrap_or(400);
                refusal.code = code;
            });
        }),
    ),
    fault(
        "wrong-status",
        "an unknown secret is refused with status 400, or 404 where that is right",
        &["ROT-ERR-3"],
        Seam::Phrase(|_, turn| {
            respell(turn, Condition::UnknownSecret, |refusal| {
                refusal.status = if refusal.status == 400 { 404 } else { 400 };
            });
        }),
    ),
    fault(
        "error-with-200",
        "refusals travel with status 200",
        &["ROT-ERR-3"],
        Seam::Phrase(|_, turn| {
            if let Some(refusal) = &mut turn.refusal {
                refusal.status = 200;
            }
        }),
    ),
    fault(
        "undocumented-code",
        "an unknown secret is refused with a code that nobody documents",
        &["ROT-ERR-4", "ROT-ERR-3"],
        Seam::Phrase(|_, turn| {
            respell(turn, Condition::UnknownSecret, |refusal| refusal.code = "RotaprobeMystery".into());
        }),
    ),
    fault(
        "crash-on-empty",
        "an empty parameter is answered with 500",
        &["ROT-ERR-5"],
        Seam::Weigh(|emulator, turn| {
            crash_if(emulator, turn, str::is_empty);
        }),
    ),
    fault(
        "crash-on-long",
        "a parameter of more than 250 characters, no value, is answered with 500",
        &["ROT-ERR-5"],
        Seam::Weigh(|emulator, turn| {
            let value = name_of(emulator, turn, Meaning::Value);
            let long =
                turn.params.iter().any(|(name, text)| Some(name) != value.as_ref() && text.len() > 250);
            if long {
                emulator.refuse(turn, Condition::Internal, "");
            }
        }),
    ),
    fault(
        "crash-on-unicode",
        "a parameter outside ASCII is answered with 500",
        &["ROT-ERR-5"],
        Seam::Weigh(|emulator, turn| {
            crash_if(emulator, turn, |text| !text.is_ascii());
        }),
    ),
    fault(
        "crash-on-control",
        "a parameter with a control character is answered with 500",
        &["ROT-ERR-5"],
        Seam::Weigh(|emulator, turn| {
            crash_if(emulator, turn, |text| text.chars().any(char::is_control));
        }),
    ),
    fault(
        "missing-defaulted",
        "a missing version id is made up",
        &["WIRE-REQ-1"],
        Seam::Weigh(|emulator, turn| {
            let Some(name) = name_of(emulator, turn, Meaning::Token) else { return };
            let made = Text::from(format!("{:016x}", emulator.rng.u64(..)));
            if turn.param(&name).is_none() {
                turn.complaints.retain(|complaint| complaint.parameter != name);
                if let Some(op) = &mut turn.op {
                    op.token = Some(made);
                }
            }
        }),
    ),
    fault(
        "empty-accepted",
        "an empty value is stored as one",
        &["WIRE-REQ-1", "WIRE-REQ-2"],
        Seam::Weigh(|emulator, turn| {
            let Some(name) = name_of(emulator, turn, Meaning::Value) else { return };
            if turn.param(&name) == Some("") {
                let empty = emulator.keep("");
                turn.complaints.retain(|complaint| complaint.parameter != name);
                if let Some(op) = &mut turn.op {
                    op.value = Some(empty);
                }
            }
        }),
    ),
    fault(
        "length-unchecked",
        "lengths are not checked",
        &["WIRE-REQ-2"],
        Seam::Weigh(|_, turn| pardon(turn, "has length")),
    ),
    fault(
        "bounds-unchecked",
        "bounds of numbers are not checked",
        &["WIRE-REQ-2", "LIST-1", "LIFE-4"],
        Seam::Weigh(|_, turn| pardon(turn, "has value")),
    ),
    fault(
        "pattern-unchecked",
        "patterns are not checked",
        &["WIRE-REQ-2"],
        Seam::Weigh(|_, turn| {
            pardon(turn, "does not match");
            pardon(turn, "is not a name");
        }),
    ),
    fault(
        "values-unchecked",
        "lists of allowed values are not checked",
        &["WIRE-REQ-2"],
        Seam::Weigh(|_, turn| {
            pardon(turn, "is none of");
            pardon(turn, "is no kind");
        }),
    ),
    fault(
        "type-unchecked",
        "texts that are no number or truth value are taken for the default",
        &["WIRE-REQ-2", "ROT-POL-7"],
        Seam::Weigh(|_, turn| {
            pardon(turn, "is no whole number");
            pardon(turn, "is neither true nor false");
            pardon(turn, "has another JSON type");
        }),
    ),
    fault(
        "bytes-miscounted",
        "the length of a value is counted in characters, not bytes",
        &["WIRE-REQ-2"],
        Seam::Paper(|vendor| {
            vendor
                .spec
                .operations
                .values_mut()
                .flat_map(|it| it.parameters.values_mut())
                .for_each(|parameter| parameter.bytes = false);
        }),
    ),
    fault(
        "config-unchecked",
        "what a kind's configuration must have is not checked",
        &["WIRE-REQ-1"],
        Seam::Weigh(|_, turn| pardon(turn, "has no ")),
    ),
    fault(
        "unknown-operation-accepted",
        "an unknown operation is answered with success",
        &["WIRE-REQ-3"],
        Seam::Phrase(|_, turn| absolve(turn, Condition::UnknownOperation)),
    ),
    fault(
        "version-ignored",
        "any API version is answered with success",
        &["WIRE-REQ-3"],
        Seam::Phrase(|_, turn| absolve(turn, Condition::UnknownApiVersion)),
    ),
    fault(
        "method-ignored",
        "any HTTP method is answered with success",
        &["WIRE-REQ-3"],
        Seam::Phrase(|_, turn| absolve(turn, Condition::BadMethod)),
    ),
    fault(
        "format-ignored",
        "any reply format is answered with success",
        &["WIRE-REQ-3"],
        Seam::Phrase(|_, turn| absolve(turn, Condition::BadFormat)),
    ),
    fault(
        "first-wins",
        "of a parameter given twice the first takes effect and the reply names the last",
        &["WIRE-REQ-4"],
        Seam::Hear(|emulator, turn| {
            twice(emulator, turn, true);
        }),
    ),
    fault(
        "last-wins-mismatch",
        "of a parameter given twice the last takes effect and the reply names the first",
        &["WIRE-REQ-4"],
        Seam::Hear(|emulator, turn| {
            twice(emulator, turn, false);
        }),
    ),
    fault(
        "doubled-joined",
        "of a parameter given twice both values are taken, one behind the other",
        &["WIRE-REQ-4"],
        Seam::Hear(|_, turn| {
            let doubled = (1..turn.params.len()).find_map(|at| {
                let before = turn.params[..at].iter().position(|(name, _)| *name == turn.params[at].0)?;
                Some((before, at))
            });
            if let Some((before, at)) = doubled {
                let (_, more) = turn.params.remove(at);
                turn.params[before].1.push_str(&more);
            }
        }),
    ),
    fault(
        "field-missing",
        "the reply to a rotation has no full identifier",
        &["WIRE-REP-1"],
        Seam::Phrase(|_, turn| {
            if did(turn, Role::Rotate) {
                restate(turn, Meaning::Arn, None);
            }
        }),
    ),
    fault(
        "value-shape",
        "the value of a managed secret reads back in another shape",
        &["WIRE-REP-1"],
        Seam::Phrase(|_, turn| {
            if let Some(Fact::Text(value)) = stated(turn, Meaning::Value).cloned()
                && value.starts_with('{')
            {
                restate(turn, Meaning::Value, Some(Fact::Text(format!("[{value}]").into())));
            }
        }),
    ),
    fault(
        "password-short",
        "a random password is one character short",
        &["WIRE-REP-1"],
        Seam::Phrase(|_, turn| {
            if let Some(Fact::Text(password)) = stated(turn, Meaning::Password).cloned() {
                let short: String = password.chars().skip(1).collect();
                restate(turn, Meaning::Password, Some(Fact::Text(short.into())));
            }
        }),
    ),
    fault(
        "bad-envelope",
        "errors have a list in place of their code",
        &["WIRE-REP-2", "WIRE-REP-1"],
        Seam::Send(|_, turn| {
            if let Some(refusal) = turn.refusal.clone() {
                let quoted = serde_json::Value::from(refusal.code.as_str()).to_string();
                let body =
                    String::from_utf8_lossy(&turn.response.body).replace(&quoted, &format!("[{quoted}]"));
                turn.response.body = body.into_bytes();
            }
        }),
    ),
    fault(
        "no-message",
        "errors have no message",
        &["WIRE-REP-2"],
        Seam::Send(|emulator, turn| {
            if turn.refusal.is_some() {
                drop_from_envelope(emulator, turn, Meaning::Message);
            }
        }),
    ),
    fault(
        "created-201",
        "creations are answered with status 201",
        &["WIRE-REP-1"],
        Seam::Send(|_, turn| {
            let creates = turn.op.as_ref().is_some_and(|op| op.role == Role::Create);
            if creates && turn.refusal.is_none() {
                turn.response.status = 201;
            }
        }),
    ),
    fault(
        "html-error",
        "errors are HTML pages",
        &["WIRE-REP-2", "WIRE-REP-1"],
        Seam::Send(|_, turn| {
            if turn.refusal.is_some() {
                turn.response.headers.set("content-type", "text/html");
                turn.response.body = b"<html><body>Bad Request</body></html>".to_vec();
            }
        }),
    ),
    fault(
        "no-request-id",
        "replies have no request id",
        &["WIRE-REP-3"],
        Seam::Send(|emulator, turn| drop_from_envelope(emulator, turn, Meaning::RequestId)),
    ),
    fault(
        "error-without-request-id",
        "errors have no request id",
        &["WIRE-REP-3"],
        Seam::Send(|emulator, turn| {
            if turn.refusal.is_some() {
                drop_from_envelope(emulator, turn, Meaning::RequestId);
            }
        }),
    ),
    fault(
        "repeated-request-id",
        "every reply has the same request id",
        &["WIRE-REP-3"],
        Seam::Phrase(|_, turn| {
            turn.request_id = "00000000-0000-4000-8000-000000000000".into();
        }),
    ),
    fault(
        "xml-differs",
        "an XML reply leaves out the date of the next rotation",
        &["WIRE-REP-4"],
        Seam::Send(|_, turn| {
            in_xml(turn, |text| cut(text, "<NextRotationDate>", "</NextRotationDate>"));
        }),
    ),
    fault(
        "xml-unescaped",
        "ampersands are lost in XML",
        &["WIRE-REP-4"],
        Seam::Send(|_, turn| in_xml(turn, |text| text.replace("&amp;", ""))),
    ),
    fault(
        "xml-answers-json",
        "XML is answered in JSON",
        &["WIRE-REP-4"],
        Seam::Phrase(|_, turn| turn.format = crate::spec::Format::Json),
    ),
];

fn respell(turn: &mut Turn<'_>, condition: Condition, change: impl FnOnce(&mut Refusal)) {
    if let (true, Some(refusal)) = (turn.condition == Some(condition), &mut turn.refusal) {
        change(refusal);
    }
}

fn crash_if(emulator: &Emulator, turn: &mut Turn<'_>, bad: impl Fn(&str) -> bool) {
    let documented = emulator.vendor.spec.operations.get(&turn.operation);
    let known = |name: &String| documented.is_some_and(|operation| operation.parameters.contains_key(name));
    if turn.params.iter().any(|(name, value)| known(name) && bad(value)) {
        emulator.refuse(turn, Condition::Internal, "");
    }
}

fn absolve(turn: &mut Turn<'_>, condition: Condition) {
    if turn.condition == Some(condition) {
        turn.refusal = None;
    }
}

fn twice(emulator: &mut Emulator, turn: &mut Turn<'_>, first: bool) {
    let doubled = (1..turn.params.len()).find_map(|at| {
        let before = turn.params[..at].iter().position(|(name, _)| *name == turn.params[at].0)?;
        Some((before, at))
    });
    emulator.memory.remove("named");
    if let Some((before, at)) = doubled {
        let (dropped, named) = if first { (at, at) } else { (before, before) };
        let (name, value) = turn.params.remove(dropped);
        let _ = named;
        emulator.memory.insert("named".into(), format!("{name}={value}"));
    }
}

/// After a call with a parameter given twice, the reply names the other value.
pub(super) fn name_other(emulator: &mut Emulator, turn: &mut Turn<'_>) {
    let Some((name, value)) = emulator
        .memory
        .remove("named")
        .and_then(|pair| pair.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned())))
    else {
        return;
    };
    let is = emulator.vendor.spec.operations.get(&turn.operation).and_then(|it| it.meaning(&name));
    match is {
        Some(Meaning::Secret) => restate(turn, Meaning::Secret, Some(Fact::Text(value.into()))),
        Some(Meaning::Token) => restate(turn, Meaning::Version, Some(Fact::Text(value.into()))),
        _ => {}
    }
}

fn in_xml(turn: &mut Turn<'_>, change: impl FnOnce(&str) -> String) {
    if turn.response.body.starts_with(b"<") {
        turn.response.body = change(&String::from_utf8_lossy(&turn.response.body)).into_bytes();
    }
}

fn cut(text: &str, from: &str, to: &str) -> String {
    match text
        .split_once(from)
        .and_then(|(before, rest)| rest.split_once(to).map(|(_, after)| (before, after)))
    {
        Some((before, after)) => format!("{before}{after}"),
        None => text.to_owned(),
    }
}
