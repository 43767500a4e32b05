//! `ACS3-HMAC-SHA256`: HMAC-SHA256 over the hash of a canonical request.
//!
//! The canonical request is method, path, sorted query, the headers that `SignedHeaders` names, that
//! list, and the hash of the body. All `x-acs-*` headers, `host` and `content-type` take part; more
//! may. A verifier goes by the request's own list (official SDKs sign different sets) and by the raw
//! body.

use super::{Claim, Refusal, Signing, read_timestamp, timestamp};
use crate::wire::{Request, percent};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const DATE: &str = "x-acs-date";
const NONCE: &str = "x-acs-signature-nonce";
const HASH: &str = "x-acs-content-sha256";
pub(super) const HEADERS: &[&str] = &["host", "x-acs-action", DATE, NONCE, HASH];

pub(super) fn announces(request: &Request) -> bool {
    request.headers.text("authorization").is_some_and(|value| value.starts_with("ACS3-"))
}

pub(super) fn sign(request: &mut Request, with: &Signing<'_>) {
    request.headers.set(DATE, timestamp(with.now));
    request.headers.set(NONCE, with.nonce);
    request.headers.set(HASH, hex::encode(Sha256::digest(&request.body)));
    if let Some(token) = &with.credentials.token {
        request.headers.set("x-acs-accesskey-id", with.credentials.id.as_str());
        request.headers.set("x-acs-security-token", token.as_str());
    }
    let mut signed: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| takes_part(name))
        .collect();
    signed.sort();
    signed.dedup();
    let (signature, _) = compute(request, &signed, &with.credentials.secret);
    let value = format!(
        "{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}",
        with.credentials.id,
        signed.join(";")
    );
    request.headers.set("authorization", value);
}

/// Headers that must be signed when they are there.
fn takes_part(name: &str) -> bool {
    name == "host" || name == "content-type" || name.starts_with("x-acs-")
}

pub(super) fn claim(request: &Request) -> Result<Claim, Refusal> {
    let value = request.headers.text("authorization").ok_or(Refusal::Unsigned)?;
    let (algorithm, rest) = value.split_once(' ').unwrap_or((value, ""));
    if algorithm != ALGORITHM {
        return Err(if algorithm.starts_with("ACS3") { Refusal::WrongMethod } else { Refusal::Unsigned });
    }
    let part = |wanted: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(wanted)?.strip_prefix('='))
            .filter(|text| !text.is_empty())
    };
    let signed_headers: Vec<String> = part("SignedHeaders")
        .ok_or(Refusal::Missing("SignedHeaders"))?
        .split(';')
        .map(str::to_owned)
        .collect();
    let key_id = part("Credential").ok_or(Refusal::Missing("Credential"))?.to_owned();
    let signature = part("Signature").ok_or(Refusal::Missing("Signature"))?.to_owned();
    let unsigned = request
        .headers
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .find(|name| takes_part(name) && !signed_headers.contains(name));
    if let Some(name) = unsigned {
        return Err(Refusal::Malformed(format!("the header {name} is not among SignedHeaders")));
    }
    for needed in ["host", DATE, HASH] {
        if !signed_headers.iter().any(|name| name == needed) {
            return Err(Refusal::Malformed(format!("the header {needed} is not among SignedHeaders")));
        }
    }
    let date = request.headers.text(DATE).ok_or(Refusal::Missing(DATE))?;
    let at = read_timestamp(date).ok_or(Refusal::BadTimestamp)?;
    let nonce = request.headers.text(NONCE).map(str::to_owned);
    Ok(Claim { key_id, at: Some(at), nonce, signed_headers, signature })
}

pub(super) fn expected(request: &Request, claim: &Claim, secret: &str) -> Result<(String, String), Refusal> {
    request.headers.get(HASH).ok_or(Refusal::Missing(HASH))?;
    Ok(compute(request, &claim.signed_headers, secret))
}

/// The body is covered through its hash alone.
pub(super) fn check_body(request: &Request) -> Result<(), Refusal> {
    let fits = request.headers.text(HASH) == Some(hex::encode(Sha256::digest(&request.body)).as_str());
    if fits { Ok(()) } else { Err(Refusal::BodyHash) }
}

fn compute(request: &Request, signed: &[String], secret: &str) -> (String, String) {
    let canonical = canonical_request(request, signed);
    let string_to_sign = format!("{ALGORITHM}\n{}", hex::encode(Sha256::digest(&canonical)));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(string_to_sign.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    // HMAC takes keys of any length; an error cannot happen, and would match nothing.
    (mac.unwrap_or_default(), string_to_sign)
}

fn canonical_request(request: &Request, signed: &[String]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(768 + request.target.len());
    let mut line = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        out.push(b'\n');
    };
    line(request.method.as_bytes());
    line(request.path().as_bytes());
    line(canonical_query(request.query()).as_bytes());
    for name in signed {
        let mut header = name.clone().into_bytes();
        header.push(b':');
        for (at, value) in request.headers.all(name).enumerate() {
            if at > 0 {
                header.push(b',');
            }
            header.extend_from_slice(value.trim_ascii());
        }
        line(&header);
    }
    line(b"");
    line(signed.join(";").as_bytes());
    out.extend_from_slice(request.headers.get(HASH).unwrap_or_default());
    out
}

fn canonical_query(query: &str) -> String {
    // A blank travels as `%20` or, from one official SDK, as `+`; it is signed as `%20`.
    let mut pairs = percent::pairs(query);
    pairs.sort();
    let mut out = String::with_capacity(query.len() + 8);
    for (name, value) in &pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent::encode_into(name, &mut out);
        out.push('=');
        percent::encode_into(value, &mut out);
    }
    out
}
