//! Liberties: what documents leave open, taken the other way. None of them is wrong, and no rule may be
//! tripped by one; `tests/it/fault_matrix.rs` fails when one is.

use super::tools::{add_field, did, refuses, replayed, restate, stated};
use super::{Fault, Seam};
use crate::model::{Answer, Condition, Expect, Fact, Meaning, Op, Role, When};
use crate::spec::Complaint;
use crate::spec::interval::Ruling;

const fn liberty(name: &'static str, does: &'static str, seam: Seam) -> Fault {
    Fault { name, does, rules: &[], seam }
}

pub(super) const LIBERTIES: &[Fault] = &[
    liberty(
        "disputed-intervals-refused",
        "intervals on which documents contradict each other are refused",
        Seam::Paper(|vendor| vendor.spec.interval.disputed.clear()),
    ),
    liberty(
        "odd-spellings-refused",
        "leading zeros, upper-case and mixed units are refused",
        Seam::Paper(|vendor| vendor.spec.interval.open.clear()),
    ),
    liberty(
        "open-constraints-enforced",
        "constraints that documents leave open are enforced",
        Seam::Paper(|vendor| {
            vendor
                .spec
                .operations
                .values_mut()
                .flat_map(|it| it.parameters.values_mut())
                .for_each(|parameter| parameter.open.clear());
        }),
    ),
    liberty(
        "doubts-refused",
        "whatever documents do not clearly allow is refused",
        Seam::Weigh(|_, turn| turn.complaints.iter_mut().for_each(|complaint| complaint.certain = true)),
    ),
    liberty(
        "doubts-refused-at-times",
        "what documents do not clearly allow is refused now and then",
        Seam::Weigh(|emulator, turn| {
            let creates = turn.op.as_ref().is_some_and(|op| op.role == Role::Create);
            let described = emulator.vendor.spec.operations.get(&turn.operation);
            let named = |name: &str| {
                let is = described.and_then(|it| it.meaning(name));
                matches!(is, Some(Meaning::Secret | Meaning::Token))
            };
            // What every creation says alike is taken or not: that does not come and go.
            let tossed = |it: &&mut Complaint| !it.certain && (!creates || named(&it.parameter));
            for complaint in turn.complaints.iter_mut().filter(tossed) {
                complaint.certain = emulator.rng.u8(..4) == 0;
            }
        }),
    ),
    liberty(
        "names-come-again",
        "a name that the service makes follows from what the secret stands for: one at a time has it",
        Seam::Weigh(|emulator, turn| {
            let Some(op) = turn.op.as_mut().filter(|op| op.names_itself) else { return };
            let kind = emulator.vendor.kind(op.kind).and_then(|(_, kind)| kind.generated_name.as_ref());
            if let Some(template) = kind {
                op.names_itself = false;
                op.secret = template.replace("{fresh}", "rotaprobe").into();
            }
        }),
    ),
    liberty(
        "stages-limited",
        "more stages are refused than documents surely allow",
        Seam::Paper(|vendor| {
            vendor.law.stages_at_most = vendor.law.stages_at_most.or(vendor.law.stages_may_be_at_most);
        }),
    ),
    liberty(
        "all-is-meant",
        "what no document gives a meaning to is given one",
        Seam::Weigh(|emulator, turn| {
            let given: Vec<(&str, &str)> =
                turn.params.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            let read = crate::spec::interpret(&emulator.vendor, &turn.operation, &given, turn.account);
            if let (Some(also), Some(op)) = (read.and_then(|reading| reading.also), &mut turn.op) {
                *op = Op { project: op.project.take(), ..also };
            }
        }),
    ),
    liberty(
        "chance-decides",
        "where documents allow several outcomes, chance decides",
        Seam::Decide(|emulator, turn| {
            // A task that has ended does not begin again.
            let Some(op) = turn.op.as_ref().filter(|op| op.role != Role::Task) else { return };
            let law = &emulator.vendor.law;
            let mut possible = crate::model::outcomes(law, &emulator.world, op, When::at(turn.now));
            // A database that a secret needs is there or it is not: it does not come and go.
            let unavailable = Answer::Refused(Condition::Unavailable);
            possible.retain(|outcome| {
                !outcome.change.unknown && (op.role != Role::Create || outcome.answer != unavailable)
            });
            if emulator.rng.u8(..4) == 0 && !possible.is_empty() {
                turn.outcome = Some(possible.swap_remove(emulator.rng.usize(..possible.len())));
            }
        }),
    ),
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
        "one-kind-only",
        "secrets can be made of one kind that rotates, and of no other",
        Seam::Decide(|emulator, turn| {
            let kinds = &emulator.vendor.law.kinds;
            let first = kinds.iter().position(|kind| kind.rotates);
            let other = turn.op.as_ref().is_some_and(|op| {
                op.role == Role::Create && kinds[op.kind].rotates && Some(op.kind) != first
            });
            if let (true, Some(outcome)) = (other, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Invalid);
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
        "replays-count",
        "a replayed rotation counts for the limit",
        Seam::Keep(|emulator, turn| {
            if replayed(turn) && turn.succeeds() {
                emulator.world.spend(turn.account, When::at(turn.now), true);
            }
        }),
    ),
    liberty(
        "refused-count",
        "a refused rotation counts for the limit",
        Seam::Keep(|emulator, turn| {
            if turn.role() == Some(Role::Rotate) && !turn.succeeds() {
                emulator.world.spend(turn.account, When::at(turn.now), true);
            }
        }),
    ),
    liberty(
        "limit-before-replay",
        "a replay is refused too when the limit is used up",
        Seam::Decide(|emulator, turn| {
            let Some(rate) = emulator.vendor.law.rate else { return };
            let spent =
                emulator.world.spent.get(&turn.account).map_or(0, |spent| {
                    spent.iter().filter(|(when, _)| when.lo > turn.now - rate.per).count()
                });
            if let (true, Some(outcome)) = (replayed(turn) && spent >= rate.calls, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Throttled);
            }
        }),
    ),
    liberty(
        "leaving-refuses-all",
        "a secret in its deletion window refuses whatever documents do not allow",
        Seam::Paper(|vendor| {
            let allowed = vendor.law.leaving_allows.clone();
            let all = [Role::Rotate, Role::SetPolicy, Role::Read, Role::Versions, Role::Put, Role::MoveStage];
            vendor.law.leaving_refuses.extend(all.into_iter().filter(|role| !allowed.contains(role)));
        }),
    ),
    liberty(
        "leaving-allows-all",
        "a secret in its deletion window does whatever documents do not refuse",
        Seam::Paper(|vendor| {
            let all = [Role::Rotate, Role::SetPolicy, Role::Read, Role::Versions, Role::Put, Role::MoveStage];
            let refused = &vendor.law.leaving_refuses;
            vendor.law.leaving_allows.extend(all.into_iter().filter(|role| !refused.contains(role)));
        }),
    ),
    liberty(
        "base-is-policy",
        "the schedule of a secret that was never rotated begins with its policy",
        Seam::Keep(|emulator, turn| {
            let now = turn.now;
            let dated = turn.op.as_ref().is_some_and(|op| op.begins.is_some());
            if did(turn, Role::SetPolicy) && !dated {
                super::tools::edit(emulator, turn, |secret, _| {
                    if let (None, Some(every), true) = (secret.last, secret.policy.every, secret.policy.on) {
                        secret.next = Some(When::at(now + every));
                    }
                });
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
        "dates-refused",
        "nobody may name the date on which automatic rotation begins",
        Seam::Decide(|_, turn| {
            let named = turn.op.as_ref().is_some_and(|op| op.begins.is_some() && op.enable == Some(true));
            if let (true, Some(outcome)) = (named, &mut turn.outcome) {
                outcome.answer = Answer::Refused(Condition::Invalid);
            }
        }),
    ),
    liberty(
        "dates-count-intervals",
        "automatic rotation begins an interval after the date that is named",
        Seam::Weigh(|_, turn| {
            if let Some(op) = &mut turn.op {
                let every = op.interval.unwrap_or_default();
                op.begins = op.begins.map(|begins| begins.plus(every));
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
        "previous-stays-put",
        "the previous stage does not follow when the current one is moved by hand",
        Seam::Decide(|emulator, turn| {
            let op = turn.op.clone().filter(|op| {
                op.role == Role::MoveStage && op.stage.as_ref() == Some(&emulator.vendor.law.current)
            });
            if let (Some(op), Some(outcome)) = (op, &mut turn.outcome) {
                let possible =
                    crate::model::outcomes(&emulator.vendor.law, &emulator.world, &op, When::at(turn.now));
                if let Some(last) = possible.into_iter().next_back() {
                    *outcome = last;
                }
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
        "both-deletions-refused",
        "a window given together with force is refused",
        Seam::Paper(|vendor| {
            vendor.spec.operations.values_mut().flat_map(|it| it.parameters.values_mut()).for_each(
                |parameter| {
                    parameter.open.retain(|open| *open != crate::spec::Constraint::Excludes);
                },
            );
        }),
    ),
    liberty(
        "mismatch-of-stage-refused",
        "a read whose version and stage do not match shows the version",
        Seam::Decide(|emulator, turn| {
            if refuses(turn, Role::Read, Condition::UnknownVersion) {
                let Some(op) = turn.op.clone() else { return };
                let possible =
                    crate::model::outcomes(&emulator.vendor.law, &emulator.world, &op, When::at(turn.now));
                if let (true, Some(second)) = (possible.len() > 1, possible.into_iter().nth(1)) {
                    turn.outcome = Some(second);
                }
            }
        }),
    ),
    liberty(
        "identifier-unknown",
        "a full identifier reaches nothing, as on older pages",
        Seam::Weigh(|emulator, turn| {
            let open = emulator.vendor.law.identifier_open;
            if let Some(op) = turn.op.as_mut().filter(|op| open && op.secret.contains(':')) {
                op.secret = format!("{}?", op.secret).into();
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
