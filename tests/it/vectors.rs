//! Signature vectors: the judges of code that both ends share. Valid ones were made by the vendors' own
//! signers; invalid ones differ from a valid one in one thing.

use rotaprobe::sign::{Credentials, Refusal, Scheme, Signing};
use rotaprobe::wire::{Headers, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A file of vectors for one scheme.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rotaprobe signature vectors")]
pub(crate) struct File {
    /// The scheme.
    scheme: Scheme,
    /// What to know about the file.
    #[expect(dead_code, reason = "for readers")]
    notes: String,
    /// What each flag means: the kind of defect that its vectors find.
    flags: BTreeMap<String, Flag>,
    /// The vectors.
    vectors: Vec<Vector>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Flag {
    /// The defect.
    #[expect(dead_code, reason = "for readers")]
    bug: String,
    /// In a sentence.
    #[expect(dead_code, reason = "for readers")]
    description: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    comment: String,
    /// Who made it.
    origin: String,
    flags: Vec<String>,
    /// Secret key of a made-up account.
    secret: String,
    request: Bytes,
    result: Verdict,
    /// Kind of refusal of an invalid vector.
    refusal: Option<String>,
    string_to_sign: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bytes {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Valid,
    Invalid,
}

fn request(bytes: &Bytes) -> Request {
    let mut headers = Headers::new();
    bytes.headers.iter().for_each(|(name, value)| headers.add(name.as_str(), value.as_str()));
    let (method, target, body) =
        (bytes.method.clone(), bytes.target.clone(), bytes.body.clone().into_bytes());
    Request { method, target, headers, body }
}

fn kind(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unsigned => "Unsigned",
        Refusal::Malformed(_) => "Malformed",
        Refusal::Missing(_) => "Missing",
        Refusal::BadTimestamp => "BadTimestamp",
        Refusal::WrongMethod => "WrongMethod",
        Refusal::Mismatch { .. } => "Mismatch",
        Refusal::BodyHash => "BodyHash",
    }
}

fn files() -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/vectors");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        files.push(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    files
}

#[test]
fn valid_vectors_verify_and_invalid_ones_are_refused_for_their_reason() {
    let files = files();
    assert_eq!(files.len(), 2, "one file for each scheme");
    for file in files {
        let mut used = BTreeSet::new();
        for vector in &file.vectors {
            used.extend(vector.flags.iter().cloned());
            assert!(!vector.comment.is_empty() && !vector.origin.is_empty(), "{}", vector.id);
            let verified = file.scheme.verify(&request(&vector.request), &vector.secret);
            match (&vector.result, verified) {
                (Verdict::Valid, Ok(())) => {}
                (Verdict::Invalid, Err(refusal)) => {
                    assert_eq!(
                        Some(kind(&refusal)),
                        vector.refusal.as_deref(),
                        "{}: {}",
                        vector.id,
                        vector.comment
                    );
                }
                (_, other) => panic!("{}: {}: {other:?}", vector.id, vector.comment),
            }
        }
        assert_eq!(used, file.flags.keys().cloned().collect(), "flags of {}", file.scheme);
        assert!(file.vectors.iter().filter(|it| it.result == Verdict::Invalid).count() >= 15);
    }
}

#[test]
fn what_is_signed_is_what_the_official_signers_sign() {
    for file in files() {
        for vector in file.vectors.iter().filter(|vector| vector.result == Verdict::Valid) {
            let request = request(&vector.request);
            let claim = file.scheme.claim(&request).unwrap();
            let (signature, string_to_sign) = file.scheme.expected(&request, &claim, &vector.secret).unwrap();
            assert_eq!(signature, claim.signature, "{}", vector.id);
            if let Some(wanted) = &vector.string_to_sign {
                assert_eq!(&string_to_sign, wanted, "{}", vector.id);
            }
        }
    }
}

#[test]
fn the_signer_makes_the_official_signature_anew() {
    for file in files() {
        for vector in file
            .vectors
            .iter()
            .filter(|vector| vector.result == Verdict::Valid && vector.request.body.is_empty())
        {
            let official = request(&vector.request);
            let claim = file.scheme.claim(&official).unwrap();
            let mut bare = official.clone();
            bare.headers.remove("authorization");
            let added = [
                "AccessKeyId",
                "Signature",
                "SignatureMethod",
                "SignatureVersion",
                "SignatureNonce",
                "Timestamp",
            ];
            if let Some((path, query)) =
                official.target.split_once('?').filter(|_| !file.scheme.operation_in_headers())
            {
                let kept = query.split('&').filter(|pair| !added.contains(&pair.split('=').next().unwrap()));
                bare.target = format!("{path}?{}", kept.collect::<Vec<_>>().join("&"));
            }
            let credentials =
                Credentials { id: claim.key_id.clone(), secret: vector.secret.clone(), token: None };
            let nonce = claim.nonce.clone().unwrap();
            let mut signed = bare;
            file.scheme.sign(
                &mut signed,
                &Signing { credentials: &credentials, now: claim.at.unwrap(), nonce: &nonce },
            );
            let own = file.scheme.claim(&signed).unwrap();
            // Which other headers are signed is the signer's choice.
            if own.signed_headers == claim.signed_headers {
                assert_eq!(own.signature, claim.signature, "{}", vector.id);
            }
            assert_eq!(file.scheme.verify(&signed, &vector.secret), Ok(()), "{}", vector.id);
        }
    }
}
