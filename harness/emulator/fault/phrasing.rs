//! Liberties in how replies are written: codes, envelopes, dates, and what they need not say.

use super::liberties::liberty;
use super::tools::{add_field, did, restate, stated};
use super::{Fault, Seam};
use crate::model::{Answer, Condition, Expect, Fact, Meaning, Role, When};
use crate::spec::interval::Ruling;

pub(super) const LIBERTIES: &[Fault] = &[
    liberty(
        "silent-where-it-may",
        "what a reply need not state, it does not state",
        Seam::Phrase(|emulator, turn| {
            // What only the endpoint knows for certain is open to nobody else: asked as others would.
            let Some(op) = turn.op.as_ref().filter(|op| !op.role.writes()) else { return };
            let now = When { lo: turn.now, hi: turn.now + 1 };
            let possible = crate::model::outcomes(&emulator.vendor.law, &emulator.world, op, now);
            let Some(Answer::Done(stated)) = possible.first().map(|outcome| &outcome.answer) else { return };
            let fields = emulator.vendor.spec.operations.get(&turn.operation).map(|it| it.reply.clone());
            let free = |is| {
                !fields.iter().flatten().any(|(_, it)| it.is == is && (it.required || it.gives.is_some()))
            };
            for (is, expect) in stated {
                if matches!(expect, Expect::Open(_) | Expect::IfShown(_)) && free(*is) {
                    turn.facts.retain(|(shown, _)| shown != is);
                }
            }
        }),
    ),
    liberty(
        "http-turns-methods-away",
        "methods that the API does not have are answered by the server in front of it",
        Seam::Send(|_, turn| {
            if turn.condition == Some(Condition::BadMethod) {
                turn.response.status = 501;
                turn.response.headers.set("content-type", "text/html");
                turn.response.body = b"<html>not implemented</html>".to_vec();
            }
        }),
    ),
    liberty(
        "descriptions-only",
        "automatic rotation is shown by descriptions and by nothing else",
        Seam::Phrase(|emulator, turn| {
            let fields = emulator.vendor.spec.operations.get(&turn.operation).map(|it| it.reply.clone());
            let given =
                |is| fields.iter().flatten().any(|(_, field)| field.is == is && field.gives.is_some());
            if did(turn, Role::Read) || did(turn, Role::Create) {
                for is in
                    [Meaning::Automatic, Meaning::Interval, Meaning::LastRotation, Meaning::NextRotation]
                {
                    if !given(is) {
                        restate(turn, is, None);
                    }
                }
            }
        }),
    ),
    liberty(
        "second-codes",
        "refusals have the second of the codes that fit",
        Seam::Paper(|vendor| {
            for answers in vendor.spec.conditions.values_mut().filter(|answers| answers.codes.len() > 1) {
                answers.codes.swap(0, 1);
            }
        }),
    ),
    liberty(
        "last-codes",
        "refusals have the last of the codes that fit",
        Seam::Paper(|vendor| {
            let internal = vendor.spec.answers(Condition::Internal, "").0.to_vec();
            for (condition, answers) in &mut vendor.spec.conditions {
                answers.codes.reverse();
                // A failure of the endpoint's own is no refusal.
                answers.codes.retain(|code| *condition == Condition::Internal || !internal.contains(code));
            }
        }),
    ),
    liberty(
        "second-statuses",
        "codes and successes with several documented statuses have the second",
        Seam::Paper(|vendor| {
            let codes = vendor.spec.errors.values_mut().map(|error| &mut error.status);
            let successes = vendor.spec.operations.values_mut().map(|operation| &mut operation.status);
            codes.chain(successes).filter(|it| it.len() > 1).for_each(|it| it.swap(0, 1));
        }),
    ),
    liberty(
        "own-codes",
        "where no document settles the code, a code of its own",
        Seam::Phrase(|emulator, turn| {
            let settled = turn
                .condition
                .is_some_and(|condition| emulator.vendor.spec.answers(condition, &turn.operation).1);
            if let (false, Some(refusal)) = (settled, &mut turn.refusal) {
                refusal.code = "Rejected.OfItsOwn".into();
            }
        }),
    ),
    liberty(
        "other-xml-root",
        "XML has the other documented root",
        Seam::Paper(|vendor| {
            vendor.spec.protocol.xml_roots.reverse();
            vendor.spec.protocol.xml_error_roots.reverse();
        }),
    ),
    liberty(
        "gateway-envelope",
        "errors have the fields of the gateway alone",
        Seam::Paper(|vendor| {
            let shapes = &vendor.spec.protocol.error_envelopes;
            if shapes.len() > 1 && shapes.iter().all(|envelope| envelope.at.is_empty()) {
                vendor.spec.protocol.error_envelopes.remove(0);
            }
        }),
    ),
    liberty(
        "service-envelope",
        "errors have the fields of the service alone",
        Seam::Paper(|vendor| {
            if vendor.spec.protocol.error_envelopes.iter().all(|envelope| envelope.at.is_empty()) {
                vendor.spec.protocol.error_envelopes.truncate(1);
            }
        }),
    ),
    liberty(
        "off-forgets-interval",
        "a description shows no interval while automatic rotation is off, one shows it still",
        Seam::Phrase(|_, turn| {
            if stated(turn, Meaning::Automatic) == Some(&Fact::Flag(false)) {
                restate(turn, Meaning::Interval, Some(Fact::Count(2_592_000)));
                let now = turn.now;
                restate(turn, Meaning::NextRotation, Some(Fact::Time(now)));
            }
        }),
    ),
    liberty(
        "plain-shows-rotation",
        "a kind that cannot rotate shows automatic rotation as off",
        Seam::Phrase(|_, turn| {
            if (did(turn, Role::Describe) || did(turn, Role::Read))
                && stated(turn, Meaning::Automatic).is_none()
            {
                restate(turn, Meaning::Automatic, Some(Fact::Flag(false)));
            }
        }),
    ),
    liberty(
        "nulls-for-nothing",
        "fields without a value are null",
        Seam::Send(|emulator, turn| {
            let fields = emulator.vendor.spec.operations.get(&turn.operation).map(|it| it.reply.clone());
            let free = |(_, field): &(&String, &crate::spec::Field)| {
                !field.required && matches!(field.is, Meaning::Other | Meaning::Tags | Meaning::NextRotation)
            };
            let plain = emulator.vendor.spec.protocol.wrapper.is_none() && turn.response.body.len() > 2;
            if turn.succeeds() && plain && turn.response.body.starts_with(b"{") {
                for (field, _) in fields.iter().flatten().filter(free).filter(|(name, _)| !name.contains('.'))
                {
                    let text = String::from_utf8_lossy(&turn.response.body).into_owned();
                    if !text.contains(&format!("\"{field}\"")) {
                        turn.response.body =
                            format!("{},\"{field}\":null}}", &text[..text.len() - 1]).into_bytes();
                    }
                }
            }
        }),
    ),
    liberty(
        "more-fields",
        "replies have fields that no document knows",
        Seam::Send(|_, turn| add_field(turn, "Extra", "more")),
    ),
    liberty(
        "offset-times",
        "times have nanoseconds and an offset",
        Seam::Send(|_, turn| {
            let text = String::from_utf8_lossy(&turn.response.body).into_owned();
            turn.response.body = with_offsets(&text).into_bytes();
        }),
    ),
    liberty(
        "no-date-header",
        "replies have no date",
        Seam::Send(|_, turn| turn.response.headers.remove("date")),
    ),
    liberty(
        "charset",
        "the content type names a character set",
        Seam::Send(|_, turn| {
            if let Some(kind) =
                turn.response.headers.text("content-type").map(|kind| format!("{kind};charset=utf-8"))
            {
                turn.response.headers.set("content-type", kind);
            }
        }),
    ),
    liberty(
        "pretty-json",
        "JSON is written over several lines",
        Seam::Send(|_, turn| {
            if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&turn.response.body) {
                turn.response.body = serde_json::to_vec_pretty(&value).unwrap_or_default();
            }
        }),
    ),
    liberty(
        "oldest-first",
        "lists of versions begin with the oldest",
        Seam::Keep(|_, turn| {
            let whole = turn.op.as_ref().is_some_and(|op| op.page.is_none());
            for (_, fact) in turn.facts.iter_mut().filter(|_| whole) {
                if let Fact::Versions(versions) = fact {
                    versions.reverse();
                }
            }
        }),
    ),
    liberty(
        "odd-bad-interval-code",
        "a bad interval is refused by the name of its parameter",
        Seam::Phrase(|emulator, turn| {
            let named = emulator.vendor.spec.errors.contains_key("Invalid{parameter}");
            let text = super::tools::given(emulator, turn, Meaning::Interval);
            let bad = named
                && text.is_some_and(|text| {
                    matches!(emulator.vendor.spec.interval.read(&text), Ruling::Malformed | Ruling::Outside)
                });
            if let (true, Some(Condition::Invalid), Some(refusal)) = (bad, turn.condition, &mut turn.refusal)
            {
                refusal.code = "InvalidRotationInterval".into();
            }
        }),
    ),
];

fn with_offsets(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    // A time stamp ends with a Z that follows two digits and a colon before them.
    while let Some(at) = rest.find('Z') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let bytes = before.as_bytes();
        let time = bytes.len() >= 19 && bytes[bytes.len() - 3] == b':' && bytes[bytes.len() - 9] == b'T';
        out.push_str(if time { ".713703651Z" } else { "Z" });
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}
