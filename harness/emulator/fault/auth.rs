//! Faults of authentication and secrecy.

use super::tools::{add_field, did, given, subject, value_at};
use super::{Fault, Seam};
use crate::codec;
use crate::emulator::Turn;
use crate::model::{Condition, Meaning, Role, Value};
use crate::sign::{Credentials, Refusal, Scheme};
use crate::wire::{Request, percent};
use std::sync::Arc;

const fn fault(name: &'static str, does: &'static str, rules: &'static [&'static str], seam: Seam) -> Fault {
    Fault { name, does, rules, seam }
}

pub(super) const FAULTS: &[Fault] = &[
    fault(
        "unsigned-accepted",
        "a request without a signature is served",
        &["AUTH-1"],
        Seam::Verify(|checks, _, _| checks.unsigned_passes = true),
    ),
    fault(
        "any-signature",
        "with a known access key any signature passes",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| checks.forgive = Some(|_, _, _, _| true)),
    ),
    fault(
        "any-key",
        "any access key passes",
        &["AUTH-3"],
        Seam::Verify(|checks, _, _| checks.any_key = true),
    ),
    fault(
        "prefix-compare",
        "only the first four characters of a signature are compared",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, key| {
                resembles(scheme, request, key, |expected, given| {
                    given.len() >= 4 && expected.as_bytes().get(..4) == given.as_bytes().get(..4)
                })
            });
        }),
    ),
    fault(
        "short-signature",
        "a signature that is cut short passes",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, key| {
                resembles(scheme, request, key, |expected, given| expected.starts_with(given))
            });
        }),
    ),
    fault(
        "body-unsigned",
        "the body may differ from its signed hash",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|refusal, _, _, _| *refusal == Refusal::BodyHash);
        }),
    ),
    fault(
        "header-unsigned",
        "the header that names the operation is not covered",
        &["AUTH-2"],
        Seam::Verify(|checks, emulator, turn| {
            let (vendor, key) = (emulator.vendor.clone(), &emulator.accounts[0].credentials);
            let named = vendor.spec.protocol.operation.header.clone();
            let fits = |scheme: &Arc<Scheme>, header: &str, name: &String| {
                let mut other = turn.request.clone();
                let prefix = &vendor.spec.protocol.operation.prefix;
                other.headers.set(header, format!("{prefix}{name}"));
                scheme.announces(&other) && scheme.verify(&other, key).is_ok()
            };
            checks.signature_passes = named.is_some_and(|header| {
                vendor
                    .schemes
                    .iter()
                    .filter(|scheme| scheme.canonical().is_some())
                    .any(|scheme| vendor.spec.operations.keys().any(|name| fits(scheme, &header, name)))
            });
        }),
    ),
    fault(
        "query-unsigned",
        "a parameter added at the end of the query is not covered",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, key| {
                let mut shorter = request.clone();
                let cut = shorter.target.rfind('&').map(|at| shorter.target.truncate(at));
                cut.is_some() && scheme.verify(&shorter, key).is_ok()
            });
        }),
    ),
    fault(
        "method-unsigned",
        "the HTTP method is not covered",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, key| {
                ["POST", "GET"].iter().any(|method| {
                    let mut other = request.clone();
                    other.method = (*method).to_owned();
                    scheme.verify(&other, key).is_ok()
                })
            });
        }),
    ),
    fault(
        "auth-after-effect",
        "a request with a wrong signature is carried out, then refused",
        &["AUTH-2"],
        Seam::Verify(|checks, emulator, turn| {
            emulator.memory.remove("late");
            let key = &emulator.accounts[0].credentials;
            let scheme = emulator.vendor.schemes.iter().find(|scheme| scheme.announces(turn.request));
            if scheme.is_some_and(|scheme| {
                matches!(scheme.verify(turn.request, key), Err(Refusal::Mismatch { .. }))
            }) {
                checks.everything_passes = true;
                emulator.memory.insert("late".into(), String::new());
            }
        }),
    ),
    fault(
        "stale-accepted",
        "old time stamps pass",
        &["AUTH-4"],
        Seam::Verify(|checks, _, _| checks.stale_passes = true),
    ),
    fault(
        "future-accepted",
        "time stamps of the future pass",
        &["AUTH-4"],
        Seam::Verify(|checks, _, _| checks.future_passes = true),
    ),
    fault(
        "window-too-narrow",
        "time stamps five minutes off are refused",
        &["AUTH-4"],
        Seam::Paper(|vendor| vendor.spec.signing.accepted_within = 240),
    ),
    fault(
        "nonce-replayed",
        "a nonce may be used again",
        &["AUTH-5"],
        Seam::Verify(|checks, _, _| checks.nonces_repeat = true),
    ),
    fault(
        "algorithm-downgrade",
        "a request that names an unknown algorithm is not verified",
        &["AUTH-6"],
        Seam::Verify(|checks, emulator, turn| {
            let mut named = percent::pairs(turn.request.query());
            if codec::is_form(turn.request) {
                named.extend(percent::pairs(&String::from_utf8_lossy(&turn.request.body)));
            }
            let known = |scheme: &&Arc<Scheme>, given: &str| match (scheme.parameters(), scheme.canonical()) {
                (Some(it), _) => it.algorithm == given,
                (_, Some(it)) => it.algorithm == given,
                _ => false,
            };
            let unknown = |given: &str| !emulator.vendor.schemes.iter().any(|scheme| known(&scheme, given));
            let by_parameter = emulator
                .vendor
                .schemes
                .iter()
                .filter_map(|it| it.algorithm_parameter())
                .any(|parameter| named.iter().any(|(name, value)| name == parameter && unknown(value)));
            let header =
                turn.request.headers.text("authorization").map(|it| it.split(' ').next().unwrap_or(it));
            let by_header = header.is_some_and(unknown);
            checks.everything_passes = by_parameter || by_header;
            checks.unsigned_passes = by_header;
        }),
    ),
    fault(
        "scope-ignored",
        "a signature for another day, region or service passes",
        &["AUTH-6"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|refusal, _, _, _| *refusal == Refusal::WrongScope);
        }),
    ),
    fault(
        "scheme-refused",
        "the older of the documented signing schemes is refused",
        &["AUTH-7"],
        Seam::Verify(|checks, emulator, _| {
            checks.refused_scheme = last(emulator);
        }),
    ),
    fault(
        "plus-is-plus",
        "in the older scheme a blank is lost from what is signed",
        &["AUTH-7"],
        Seam::Verify(|checks, emulator, turn| {
            let blank = turn.request.query().contains("%20")
                || turn.request.body.windows(3).any(|window| window == b"%20");
            checks.refused_scheme = last(emulator).filter(|_| blank);
        }),
    ),
    fault(
        "wrong-key-code",
        "an unknown access key is refused like a wrong signature",
        &["AUTH-3", "ROT-ERR-3"],
        Seam::Phrase(|emulator, turn| {
            if turn.condition == Some(Condition::UnknownKey) {
                emulator.refuse(turn, Condition::Mismatch, "");
            }
        }),
    ),
    fault(
        "value-in-error",
        "the refusal of a value quotes it",
        &["LEAK-1"],
        Seam::Phrase(|emulator, turn| {
            let value = given(emulator, turn, Meaning::Value);
            if let (Some(refusal), Some(value)) = (&mut turn.refusal, value) {
                refusal.message.push_str(&value);
            }
        }),
    ),
    fault(
        "value-in-describe",
        "a description has the current value in a field of its own",
        &["LEAK-1"],
        Seam::Send(|emulator, turn| show_in(emulator, turn, Role::Describe)),
    ),
    fault(
        "value-in-rotate",
        "the reply to a rotation has the new value in a field of its own",
        &["LEAK-1"],
        Seam::Send(|emulator, turn| show_in(emulator, turn, Role::Rotate)),
    ),
    fault(
        "value-in-header",
        "a header of a description has the current value",
        &["LEAK-1"],
        Seam::Send(|emulator, turn| {
            let current = emulator.vendor.law.current.clone();
            if let (true, Some(value)) = (did(turn, Role::Describe), value_at(emulator, turn, &current)) {
                turn.response.headers.add("x-debug", value);
            }
        }),
    ),
    fault(
        "value-in-list",
        "a list of versions has the values of all of them",
        &["LEAK-1"],
        Seam::Send(|emulator, turn| {
            let (true, Some((_, secret))) = (did(turn, Role::Versions), subject(emulator, turn)) else {
                return;
            };
            let known = secret.versions.iter().filter_map(|version| match version.value {
                Value::Known(digest) => emulator.values.get(&digest).map(ToString::to_string),
                _ => None,
            });
            let all: Vec<String> = known.collect();
            add_field(turn, "Debug", &all.join(" "));
        }),
    ),
    fault(
        "credential-echo",
        "refusals quote the caller's secret key",
        &["LEAK-2"],
        Seam::Phrase(|emulator, turn| {
            let secret = emulator.accounts[turn.account].credentials.secret.clone();
            if let Some(refusal) = &mut turn.refusal {
                refusal.message.push_str(&secret);
            }
        }),
    ),
];

fn show_in(emulator: &crate::emulator::Emulator, turn: &mut Turn<'_>, role: Role) {
    let current = emulator.vendor.law.current.clone();
    if let (true, Some(value)) = (did(turn, role), value_at(emulator, turn, &current)) {
        add_field(turn, "Debug", &value);
    }
}

/// The scheme that the spec names last: the oldest of several.
fn last(emulator: &crate::emulator::Emulator) -> Option<String> {
    emulator.vendor.schemes.last().filter(|_| emulator.vendor.schemes.len() > 1).map(|it| it.name.clone())
}

/// Whether the signature that came resembles one that would fit.
fn resembles(
    scheme: &Scheme,
    request: &Request,
    key: &Credentials,
    alike: impl Fn(&str, &str) -> bool,
) -> bool {
    let Ok(claim) = scheme.claim(request) else { return false };
    let fitting = scheme.expected(request, &claim, key).unwrap_or_default();
    fitting.iter().any(|(expected, _)| alike(expected, &claim.signature))
}

/// Refuses at last what was carried out with a wrong signature.
pub(super) fn refuse_late(emulator: &mut crate::emulator::Emulator, turn: &mut Turn<'_>) {
    if emulator.memory.remove("late").is_some() {
        emulator.refuse(turn, Condition::Mismatch, "");
    }
}
