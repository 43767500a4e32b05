//! Faults of authentication and secrecy.

use super::tools::{add_field, did, given, subject, value_at};
use super::{Fault, Seam};
use crate::emulator::Turn;
use crate::model::{Condition, Meaning, Role, Value};
use crate::sign::{Refusal, Scheme};
use crate::wire::{Request, percent};

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
            checks.forgive = Some(|_, scheme, request, secret| {
                let expected = scheme.claim(request).ok().and_then(|claim| {
                    Some((scheme.expected(request, &claim, secret).ok()?.0, claim.signature))
                });
                expected.is_some_and(|(expected, given)| {
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
            checks.forgive = Some(|_, scheme, request, secret| {
                let expected = scheme.claim(request).ok().and_then(|claim| {
                    Some((scheme.expected(request, &claim, secret).ok()?.0, claim.signature))
                });
                expected.is_some_and(|(expected, given)| expected.starts_with(&given))
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
            let names: Vec<String> = emulator.vendor.spec.operations.keys().cloned().collect();
            checks.everything_passes = other_operation_fits(
                emulator.vendor.spec.signing.schemes.as_slice(),
                turn.request,
                &names,
                &emulator.accounts[0].credentials.secret,
            );
        }),
    ),
    fault(
        "query-unsigned",
        "a parameter added at the end of the query is not covered",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, secret| {
                let mut shorter = request.clone();
                let cut = shorter.target.rfind('&').map(|at| shorter.target.truncate(at));
                cut.is_some() && scheme.verify(&shorter, secret).is_ok()
            });
        }),
    ),
    fault(
        "method-unsigned",
        "the HTTP method is not covered",
        &["AUTH-2"],
        Seam::Verify(|checks, _, _| {
            checks.forgive = Some(|_, scheme, request, secret| {
                ["POST", "GET"].iter().any(|method| {
                    let mut other = request.clone();
                    other.method = (*method).to_owned();
                    scheme.verify(&other, secret).is_ok()
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
            let secret = &emulator.accounts[0].credentials.secret;
            let scheme =
                emulator.vendor.spec.signing.schemes.iter().find(|scheme| scheme.announces(turn.request));
            if scheme.is_some_and(|scheme| {
                matches!(scheme.verify(turn.request, secret), Err(Refusal::Mismatch { .. }))
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
        Seam::Verify(|checks, _, turn| {
            let by_parameter = percent::pairs(turn.request.query())
                .iter()
                .any(|(name, value)| name == "SignatureMethod" && value != "HMAC-SHA1");
            let by_header = turn
                .request
                .headers
                .text("authorization")
                .is_some_and(|value| !value.starts_with("ACS3-HMAC-SHA256 "));
            checks.everything_passes = by_parameter || by_header;
            checks.unsigned_passes = by_header;
        }),
    ),
    fault(
        "scheme-refused",
        "the older of the documented signing schemes is refused",
        &["AUTH-7"],
        Seam::Verify(|checks, emulator, _| {
            checks.refused_scheme = emulator.vendor.spec.signing.schemes.last().copied();
        }),
    ),
    fault(
        "plus-is-plus",
        "in the older scheme a blank is lost from what is signed",
        &["AUTH-7"],
        Seam::Verify(|checks, emulator, turn| {
            let blank = turn.request.query().contains("%20")
                || turn.request.body.windows(3).any(|window| window == b"%20");
            checks.refused_scheme = emulator.vendor.spec.signing.schemes.last().copied().filter(|_| blank);
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

fn other_operation_fits(schemes: &[Scheme], request: &Request, names: &[String], secret: &str) -> bool {
    schemes.iter().filter(|scheme| scheme.operation_in_headers() && scheme.announces(request)).any(|scheme| {
        names.iter().any(|name| {
            let mut other = request.clone();
            other.headers.set(scheme.headers_before_signing()[1], name.as_str());
            scheme.verify(&other, secret).is_ok()
        })
    })
}

/// Refuses at last what was carried out with a wrong signature.
pub(super) fn refuse_late(emulator: &mut crate::emulator::Emulator, turn: &mut Turn<'_>) {
    if emulator.memory.remove("late").is_some() {
        emulator.refuse(turn, Condition::Mismatch, "");
    }
}
