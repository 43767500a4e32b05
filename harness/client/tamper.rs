//! Spoils a signed request in one place, so that its signature does not fit any more.

use crate::history::Tamper;
use crate::model::Role;
use crate::sign::{Claim, Credentials, Scheme};
use crate::spec::Vendor;
use crate::wire::{Request, percent};

/// Spoils what was signed. Ways that are applied before signing are not handled here.
pub(super) fn apply(
    vendor: &Vendor,
    scheme: Scheme,
    request: &mut Request,
    tamper: &Tamper,
    credentials: &Credentials,
) {
    match tamper {
        Tamper::Header(name) => {
            if let Some(value) = request.headers.text(name).map(|value| other(vendor, value)) {
                request.headers.set(name, value);
            }
        }
        Tamper::Param(name) => change_parameter(request, name, |value| other(vendor, value)),
        Tamper::Body if !request.body.is_empty() => {
            request.body.push(b'x');
        }
        Tamper::Extra(name, value) => {
            request.target.push(if request.target.contains('?') { '&' } else { '?' });
            percent::encode_into(name, &mut request.target);
            request.target.push('=');
            percent::encode_into(value, &mut request.target);
        }
        Tamper::Method(method) => request.method.clone_from(method),
        Tamper::CutSignature => {
            change_signature(scheme, request, |text| text[..text.len().saturating_sub(4)].to_owned())
        }
        Tamper::OneCharacter => change_signature(scheme, request, |text| {
            let at = text.len() / 2;
            let other = if text[at..].starts_with('a') { 'b' } else { 'a' };
            let after = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            format!("{}{other}{}", &text[..at], &text[after..])
        }),
        Tamper::EmptySignature => change_signature(scheme, request, |_| String::new()),
        Tamper::Algorithm(name) => algorithm(scheme, request, name, credentials),
        _ => {}
    }
}

fn algorithm(scheme: Scheme, request: &mut Request, name: &str, credentials: &Credentials) {
    if scheme.operation_in_headers() {
        let value = request.headers.text("authorization").unwrap_or_default();
        let rest = value.split_once(' ').map_or("", |(_, rest)| rest);
        let value = format!("{name} {rest}");
        request.headers.set("authorization", value);
        return;
    }
    change_parameter(request, "SignatureMethod", |_| name.to_owned());
    let claim = Claim {
        key_id: String::new(),
        at: None,
        nonce: None,
        signed_headers: vec![],
        signature: String::new(),
    };
    // Signed anew, so that nothing but the algorithm's name is wrong.
    if let Ok((signature, _)) = scheme.expected(request, &claim, &credentials.secret) {
        change_parameter(request, "Signature", |_| signature.clone());
    }
}

fn change_signature(scheme: Scheme, request: &mut Request, change: impl Fn(&str) -> String) {
    if !scheme.operation_in_headers() {
        return change_parameter(request, "Signature", change);
    }
    let value = request.headers.text("authorization").unwrap_or_default().to_owned();
    if let Some((before, signature)) = value.split_once("Signature=") {
        request.headers.set("authorization", format!("{before}Signature={}", change(signature)));
    }
}

/// Changes the value of a parameter, wherever it travels.
fn change_parameter(request: &mut Request, name: &str, change: impl Fn(&str) -> String) {
    let changed = |text: &str| {
        let pairs: Vec<String> = text
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) if percent::decode(key) == name => {
                    format!("{key}={}", percent::encode(&change(&percent::decode(value))))
                }
                _ => pair.to_owned(),
            })
            .collect();
        pairs.join("&")
    };
    if let Some((path, query)) = request.target.split_once('?') {
        request.target = format!("{path}?{}", changed(query));
    }
    if let Ok(body) = std::str::from_utf8(&request.body)
        && body.contains('=')
    {
        request.body = changed(body).into_bytes();
    }
}

/// Another value of the same sort: what is wrong is the signature, not the value.
fn other(vendor: &Vendor, value: &str) -> String {
    if let Ok(at) = value.parse::<jiff::Timestamp>() {
        return jiff::Timestamp::from_second(at.as_second() + 1)
            .map_or_else(|_| value.to_owned(), |at| at.to_string());
    }
    if vendor.spec.operations.contains_key(value) {
        return vendor
            .spec
            .operation_for(Role::Describe)
            .map_or_else(|| value.to_owned(), |(name, _)| name.to_owned());
    }
    let Some((at, last)) = value.char_indices().rev().find(|(_, c)| c.is_ascii_alphanumeric()) else {
        return format!("{value}x");
    };
    let new = match last {
        '0' => '1',
        'a' => 'b',
        digit if digit.is_ascii_digit() => '0',
        _ => 'a',
    };
    format!("{}{new}{}", &value[..at], &value[at + 1..])
}
