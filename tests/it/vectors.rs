//! Signature vectors: the judges of code that both ends share. Valid ones were made by the vendors' own
//! signers; invalid ones differ from a valid one in one thing.

use rotaprobe::sign::{Credentials, Refusal, Scheme, Signing};
use rotaprobe::wire::{Headers, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// A file of vectors for one scheme.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rotaprobe signature vectors")]
pub(crate) struct File {
    /// The scheme, by its name in the vendor's spec.
    scheme: String,
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
    /// Secret key of a made-up account; the token, where a scheme has no signature.
    secret: String,
    /// Region of the account, where signatures name one.
    #[serde(default)]
    region: Option<String>,
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
        Refusal::WrongScope => "WrongScope",
        Refusal::Mismatch { .. } => "Mismatch",
        Refusal::BodyHash => "BodyHash",
    }
}

/// The schemes of all vendors, also of those that are not in the binary.
fn schemes() -> Vec<Arc<Scheme>> {
    crate::spec::vendors().iter().flat_map(|vendor| vendor.schemes.clone()).collect()
}

impl File {
    fn scheme(&self) -> Arc<Scheme> {
        schemes()
            .into_iter()
            .find(|scheme| scheme.name == self.scheme)
            .unwrap_or_else(|| panic!("no {}", self.scheme))
    }
}

impl Vector {
    fn credentials(&self, id: &str) -> Credentials {
        let (bearer, region) = (Some(self.secret.clone()), self.region.clone());
        Credentials { bearer, region, ..Credentials::pair(id, &self.secret) }
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
    let schemes: BTreeSet<String> = schemes().into_iter().map(|scheme| scheme.name.clone()).collect();
    assert_eq!(files.iter().map(|file| file.scheme.clone()).collect::<BTreeSet<_>>(), schemes);
    for file in files {
        let scheme = file.scheme();
        let mut used = BTreeSet::new();
        for vector in &file.vectors {
            used.extend(vector.flags.iter().cloned());
            assert!(!vector.comment.is_empty() && !vector.origin.is_empty(), "{}", vector.id);
            let verified = scheme.verify(&request(&vector.request), &vector.credentials(""));
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
        let least = if scheme.signs() { 15 } else { 2 };
        assert!(file.vectors.iter().filter(|it| it.result == Verdict::Invalid).count() >= least);
    }
}

#[test]
fn what_is_signed_is_what_the_official_signers_sign() {
    for file in files() {
        let scheme = file.scheme();
        for vector in file.vectors.iter().filter(|vector| vector.result == Verdict::Valid) {
            let request = request(&vector.request);
            let claim = scheme.claim(&request).unwrap();
            let ways = scheme.expected(&request, &claim, &vector.credentials(&claim.key_id)).unwrap();
            let fitting = ways.iter().find(|(signature, _)| *signature == claim.signature);
            let (_, string_to_sign) = fitting.unwrap_or_else(|| panic!("{}", vector.id));
            if let Some(wanted) = &vector.string_to_sign {
                assert_eq!(string_to_sign, wanted, "{}", vector.id);
            }
        }
    }
}

#[test]
fn the_signer_makes_the_official_signature_anew() {
    for file in files() {
        let scheme = file.scheme();
        for vector in file
            .vectors
            .iter()
            .filter(|vector| vector.result == Verdict::Valid && vector.request.body.is_empty())
        {
            let official = request(&vector.request);
            let claim = scheme.claim(&official).unwrap();
            let mut bare = official.clone();
            bare.headers.remove("authorization");
            let mut credentials = vector.credentials(&claim.key_id);
            if let (Some(own), Some((path, query))) = (scheme.parameters(), official.target.split_once('?')) {
                let kept = query.split('&').filter(|pair| {
                    let (name, value) = pair.split_once('=').unwrap();
                    if own.token == name {
                        credentials.token = Some(value.to_owned());
                    }
                    !own.is_own(name)
                });
                bare.target = format!("{path}?{}", kept.collect::<Vec<_>>().join("&"));
            }
            let canonical = scheme.canonical();
            if let Some(name) = canonical.and_then(|it| it.token.as_ref()) {
                credentials.token = official.headers.text(name).map(str::to_owned);
            }
            let numeric = scheme.parameters().is_some_and(|it| it.numeric_nonce);
            let nonce = claim.nonce.clone().unwrap_or_default();
            let nonce = if numeric { format!("{:015x}", nonce.parse::<u64>().unwrap()) } else { nonce };
            let mut signed = bare;
            let now = claim.at.unwrap_or(0);
            scheme.sign(&mut signed, &Signing { credentials: &credentials, now, nonce: &nonce });
            let own = scheme.claim(&signed).unwrap();
            // Which other headers are signed, and for which service, is the signer's choice.
            let ways = scheme.expected(&signed, &own, &credentials).unwrap();
            if own.signed_headers == claim.signed_headers && own.scope == claim.scope {
                let fits = ways.iter().any(|(signature, _)| *signature == claim.signature);
                assert!(fits, "{}", vector.id);
            }
            assert_eq!(scheme.verify(&signed, &credentials), Ok(()), "{}", vector.id);
        }
    }
}
