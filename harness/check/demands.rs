//! What a call demands by itself, whatever is stored: the refusal it was made to get, the ways to read
//! it, and what came of it.

use crate::codec::Body;
use crate::history::{Exchange, Tamper};
use crate::model::{Answer, Condition, Expect, Meaning, Meanings, Outcome, Role, Seen, World};
use crate::spec::{Complaint, Family, Format, Reading, Vendor, interpret};

/// A refusal that is due whatever the secret's state: its rule, its condition, and whether it is certain.
pub(super) type Due = (&'static str, Condition, bool);

/// Every way to read a call: one, unless a parameter stands twice with different values.
pub(super) fn readings(vendor: &Vendor, exchange: &Exchange) -> Vec<Reading> {
    let call = &exchange.call;
    let pairs = call.pairs();
    let read = |pairs: &[(&str, &str)]| interpret(vendor, &call.operation, pairs, call.account);
    let mut all: Vec<Reading> = read(&pairs).into_iter().collect();
    let twice = pairs.iter().enumerate().rev().find(|(at, (name, value))| {
        pairs[..*at].iter().any(|(before, other)| before == name && other != value)
    });
    if let Some((at, (name, _))) = twice {
        let mut other = pairs.clone();
        other.retain(|(before, _)| before != name);
        other.push(pairs[at]);
        all.extend(read(&other));
    }
    let again = pairs.iter().enumerate().find(|(at, pair)| pairs[..*at].contains(*pair));
    if let (Some((_, (name, _))), None) = (again, twice) {
        // It says the same twice: whether it may do so is open.
        for reading in &mut all {
            reading.complaints.push(Complaint {
                parameter: (*name).to_owned(),
                condition: Condition::Invalid,
                rule: "WIRE-REQ-4",
                certain: false,
                unclear: false,
                why: format!("{name} stands twice"),
            });
        }
    }
    all
}

/// The refusal that is due whatever the secret's state, if the call was made to get one.
pub(super) fn due(vendor: &Vendor, exchange: &Exchange) -> Option<Due> {
    let (spec, call) = (&vendor.spec, &exchange.call);
    let how = &call.how;
    if let Some(tamper) = &exchange.tamper {
        return tampered(vendor, tamper);
    }
    if !spec.operations.contains_key(&call.operation) {
        return Some(("WIRE-REQ-3", Condition::UnknownOperation, true));
    }
    let differs = |wanted: &Option<String>, documented: bool| wanted.is_some() && !documented;
    if differs(&how.version, how.version.as_ref() == Some(&spec.version)) {
        return Some(("WIRE-REQ-3", Condition::UnknownApiVersion, true));
    }
    let own = spec.operations.get(&call.operation).and_then(|operation| operation.method.as_ref());
    let known = |method: &String| match own {
        Some(own) if spec.protocol.family == Family::RestJson => own == method,
        _ => spec.protocol.methods.contains(method),
    };
    let another = |method: &String| spec.is_another(&call.operation, method);
    if differs(&how.method, how.method.as_ref().is_some_and(known)) {
        return Some(("WIRE-REQ-3", Condition::BadMethod, !how.method.as_ref().is_some_and(another)));
    }
    if differs(&how.path, how.path.as_ref() == Some(&spec.protocol.path)) {
        return Some(("WIRE-REQ-3", Condition::UnknownPath, false));
    }
    let known_format = how.format.as_ref().is_some_and(|format| {
        spec.protocol.formats.iter().any(|known| {
            format.eq_ignore_ascii_case(match known {
                Format::Json => "json",
                Format::Xml => "xml",
            })
        })
    });
    differs(&how.format, known_format).then_some(("WIRE-REQ-3", Condition::BadFormat, true))
}

fn tampered(vendor: &Vendor, tamper: &Tamper) -> Option<Due> {
    let signing = &vendor.spec.signing;
    Some(match tamper {
        Tamper::Unsigned => ("AUTH-1", Condition::Unsigned, true),
        Tamper::UnknownKey => ("AUTH-3", Condition::UnknownKey, true),
        Tamper::Scope(_) => ("AUTH-6", Condition::WrongScope, true),
        Tamper::Algorithm(_) => ("AUTH-6", Condition::BadAlgorithm, true),
        Tamper::Again => ("AUTH-5", Condition::NonceUsed, true),
        Tamper::EmptySignature => ("AUTH-2", Condition::Malformed, true),
        Tamper::LeftOut(_) => ("AUTH-2", Condition::Malformed, true),
        Tamper::Skew(seconds) if seconds.abs() <= signing.accepted_within => return None,
        Tamper::Skew(seconds) => ("AUTH-4", Condition::Expired, seconds.abs() > signing.refused_beyond),
        _ => ("AUTH-2", Condition::Mismatch, true),
    })
}

/// What a request says may be wrong by itself once it was changed after signing, or where what is sent again was
/// wrong before. Which of the two is looked at first is documented nowhere: a refusal may name either.
pub(super) fn tells_what_was_changed(vendor: &Vendor, exchange: &Exchange) -> bool {
    let changed = matches!(
        exchange.tamper,
        Some(
            Tamper::Header(_)
                | Tamper::Param(_)
                | Tamper::Body
                | Tamper::Extra(..)
                | Tamper::Method(_)
                | Tamper::Again
        )
    );
    let wrong = [
        Condition::UnknownOperation,
        Condition::UnknownApiVersion,
        Condition::UnknownPath,
        Condition::BadMethod,
        Condition::BadFormat,
        Condition::BadBody,
        Condition::Invalid,
        Condition::Missing,
        Condition::Expired,
    ];
    let Some(code) = exchange.code() else { return false };
    let fits = |condition: Condition| {
        let (codes, _) = vendor.spec.answers(condition, &exchange.call.operation);
        vendor.spec.any_fits(codes, code)
    };
    changed && wrong.into_iter().any(fits)
}

/// A refusal by HTTP itself: of a method or path that the API does not have, or of a request too large.
pub(super) fn turned_away_by_http(exchange: &Exchange) -> bool {
    let how = &exchange.call.how;
    let odd =
        how.path.is_some() || how.method.as_ref().is_some_and(|method| method != "GET" && method != "POST");
    let status = exchange.reply().map_or(0, |reply| reply.status);
    matches!(status, 413 | 414 | 431) || (odd && matches!(status, 400..=499 | 501))
}

/// A failure by the endpoint's own fault, or no whole reply at all.
pub(super) fn broke_down(vendor: &Vendor, exchange: &Exchange) -> bool {
    if turned_away_by_http(exchange) {
        return false;
    }
    exchange.result.as_ref().map_or(true, |(response, reply)| {
        response.status >= 500
            || internal(vendor, exchange)
            || (response.status < 400 && matches!(reply.body, Body::Unreadable(_)))
    })
}

/// A failure of the endpoint that says so by its code: some APIs answer everything with one status.
pub(super) fn internal(vendor: &Vendor, exchange: &Exchange) -> bool {
    let (_, settled) = vendor.spec.answers(Condition::Internal, &exchange.call.operation);
    settled && exchange.says(&vendor.spec, Condition::Internal)
}

/// Whether an endpoint, or what stands in front of it, had too many calls in too short a time: documents have
/// codes for that everywhere, and hardly ever say how many are too many. Where they do, of rotations, that limit
/// is judged by itself.
pub fn too_frequent(vendor: &Vendor, exchange: &Exchange) -> bool {
    let spec = &vendor.spec;
    let role = spec.operations.get(&exchange.call.operation).map(|operation| operation.role);
    let counted = role == Some(Role::Rotate) && vendor.law.rate.is_some();
    let named = spec.conditions.contains_key(&Condition::Throttled);
    if counted || !named || !exchange.says(spec, Condition::Throttled) {
        return false;
    }
    // A code that may say something else as well says nothing for certain.
    let otherwise =
        |condition: &Condition| *condition != Condition::Throttled && exchange.says(spec, *condition);
    !spec.conditions.keys().any(otherwise)
}

/// What a reply says came of its call. A success that cannot be read says as little as no reply.
pub(super) fn seen(exchange: &Exchange) -> Seen {
    match exchange.reply().map(|reply| (reply.status, &reply.body)) {
        Some((_, Body::Done { facts, .. })) => Seen::Done(facts.clone()),
        Some((..400, Body::Unreadable(_))) | None => Seen::Lost,
        Some(_) => Seen::Refused,
    }
}

/// Only what an operation's reply has a field for can be expected of it.
pub(super) fn stated_only(
    vendor: &Vendor,
    operation: &str,
    mut possible: Vec<(World, Outcome)>,
) -> Vec<(World, Outcome)> {
    if let Some(described) = vendor.spec.operations.get(operation) {
        let shown: Meanings = described.reply.values().map(|field| field.is).collect();
        let promised = described.reply.values().filter(|field| field.required);
        let promised: Meanings = promised.map(|field| field.is).collect();
        for (_, outcome) in &mut possible {
            if let Answer::Done(facts) = &mut outcome.answer {
                facts.retain(|(meaning, _)| shown.has(*meaning));
                // What names a secret need not be said again, unless it is promised.
                for (meaning, expect) in facts.iter_mut() {
                    let names = matches!(meaning, Meaning::Secret | Meaning::Arn | Meaning::Kind);
                    if names && !promised.has(*meaning) {
                        *expect = Expect::IfShown(Box::new(expect.clone()));
                    }
                }
            }
        }
    }
    possible
}

/// Why nobody can tell what came of a call that was taken: what one of its parameters meant to the endpoint is
/// documented nowhere.
pub(super) fn taken_unclear<'r>(reading: &'r Reading, seen: &Seen) -> Option<&'r Complaint> {
    let taken = matches!(seen, Seen::Done(_)) && reading.complaints.iter().all(|it| !it.certain);
    reading.complaints.iter().find(|complaint| taken && complaint.unclear)
}
