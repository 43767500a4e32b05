//! The older scheme: HMAC-SHA1 over all parameters of query and form body.
//!
//! String to sign: method, the encoded path `/`, and the encoded form of the sorted, encoded
//! parameters without `Signature`. The key is the access key secret followed by `&`.

use super::{Claim, Refusal, Signing, read_timestamp, timestamp};
use crate::wire::{Request, percent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn announces(request: &Request) -> bool {
    parameters(request).iter().any(|(name, _)| name == "Signature")
}

pub(super) fn sign(request: &mut Request, with: &Signing<'_>) {
    let mut common = vec![
        ("AccessKeyId", with.credentials.id.clone()),
        ("SignatureMethod", "HMAC-SHA1".to_owned()),
        ("SignatureVersion", "1.0".to_owned()),
        ("SignatureNonce", with.nonce.to_owned()),
        ("Timestamp", timestamp(with.now)),
    ];
    common.extend(with.credentials.token.clone().map(|token| ("SecurityToken", token)));
    // Where the operation is in the body, everything is.
    let in_body = !request.query().split('&').any(|pair| pair.starts_with("Action="))
        && String::from_utf8_lossy(&request.body).split('&').any(|pair| pair.starts_with("Action="));
    for (name, value) in common {
        append(request, in_body, name, &value);
    }
    let (signature, _) = expected(request, &with.credentials.secret);
    append(request, in_body, "Signature", &signature);
}

fn append(request: &mut Request, in_body: bool, name: &str, value: &str) {
    let mut pair = String::new();
    percent::encode_into(name, &mut pair);
    pair.push('=');
    percent::encode_into(value, &mut pair);
    if in_body {
        if !request.body.is_empty() {
            request.body.push(b'&');
        }
        request.body.extend_from_slice(pair.as_bytes());
    } else {
        request.target.push(if request.target.contains('?') { '&' } else { '?' });
        request.target.push_str(&pair);
    }
}

/// Every parameter of query and form body, decoded.
fn parameters(request: &Request) -> Vec<(String, String)> {
    let mut all = percent::pairs(request.query());
    let content_type = request.headers.text("content-type").unwrap_or_default();
    if content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM)) {
        all.extend(percent::pairs(&String::from_utf8_lossy(&request.body)));
    }
    all
}

pub(super) fn claim(request: &Request) -> Result<Claim, Refusal> {
    let all = parameters(request);
    let get = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let signature = get("Signature").ok_or(Refusal::Unsigned)?;
    if signature.is_empty() {
        return Err(Refusal::Missing("Signature"));
    }
    if get("SignatureMethod") != Some("HMAC-SHA1") || get("SignatureVersion") != Some("1.0") {
        return Err(Refusal::WrongMethod);
    }
    let key_id = get("AccessKeyId").filter(|id| !id.is_empty()).ok_or(Refusal::Missing("AccessKeyId"))?;
    let date = get("Timestamp").ok_or(Refusal::Missing("Timestamp"))?;
    let at = read_timestamp(date).ok_or(Refusal::BadTimestamp)?;
    Ok(Claim {
        key_id: key_id.to_owned(),
        at: Some(at),
        nonce: get("SignatureNonce").map(str::to_owned),
        signed_headers: Vec::new(),
        signature: signature.to_owned(),
    })
}

pub(super) fn expected(request: &Request, secret: &str) -> (String, String) {
    let mut all = parameters(request);
    all.retain(|(name, _)| name != "Signature");
    all.sort();
    let mut canonical = String::with_capacity(512);
    for (name, value) in &all {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        percent::encode_into(name, &mut canonical);
        canonical.push('=');
        percent::encode_into(value, &mut canonical);
    }
    let mut string_to_sign = String::with_capacity(canonical.len() * 2);
    string_to_sign.push_str(&request.method);
    string_to_sign.push_str("&%2F&");
    percent::encode_into(&canonical, &mut string_to_sign);
    let mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).map(|mut mac| {
        mac.update(string_to_sign.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    });
    (mac.unwrap_or_default(), string_to_sign)
}
