//! Spoils a signed request in one place, so that its signature does not fit any more.

use crate::codec::is_form;
use crate::history::Tamper;
use crate::model::Role;
use crate::sign::{Claim, Credentials, Form, Scheme, Signing};
use crate::spec::Vendor;
use crate::wire::{Request, percent};

/// Spoils what was signed. Ways that are applied before signing are not handled here.
pub(super) fn apply(
    vendor: &Vendor,
    scheme: &Scheme,
    request: &mut Request,
    tamper: &Tamper,
    credentials: &Credentials,
    now: i64,
) {
    match tamper {
        Tamper::Header(name) => {
            if let Some(value) = request.headers.text(name).map(|value| other(vendor, value)) {
                request.headers.set(name, value);
            }
        }
        Tamper::Param(name) => {
            change_parameter(request, name, |value| other(vendor, value));
            change_segment(vendor, request, name);
        }
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
        Tamper::Scope(part) => scope(scheme, request, part, credentials, now),
        _ => {}
    }
}

fn algorithm(scheme: &Scheme, request: &mut Request, name: &str, credentials: &Credentials) {
    let Some(parameter) = scheme.algorithm_parameter() else {
        let value = request.headers.text("authorization").unwrap_or_default();
        let rest = value.split_once(' ').map_or("", |(_, rest)| rest);
        let value = format!("{name} {rest}");
        request.headers.set("authorization", value);
        return;
    };
    change_parameter(request, parameter, |_| name.to_owned());
    let claim = Claim {
        key_id: String::new(),
        at: None,
        nonce: None,
        signed_headers: vec![],
        scope: vec![],
        signature: String::new(),
    };
    // Signed anew, so that nothing but the algorithm's name is wrong.
    let again = scheme.expected(request, &claim, credentials).unwrap_or_default();
    if let (Some((signature, _)), Some(parameter)) = (again.first(), scheme.signature_parameter()) {
        change_parameter(request, parameter, |_| signature.clone());
    }
}

/// Signs anew for another day, region or service: nothing but the scope is wrong.
fn scope(scheme: &Scheme, request: &mut Request, part: &str, credentials: &Credentials, now: i64) {
    let mut other = scheme.clone();
    let Form::CanonicalRequest(canonical) = &mut other.form else { return };
    let day = canonical.date_form;
    for place in &mut canonical.scope {
        if place == part {
            *place = match part {
                "{date}" if day == crate::sign::DateForm::Unix => "2001-01-01".into(),
                "{date}" => "20010101".into(),
                _ => "rotaprobe".into(),
            };
        }
    }
    request.headers.remove("authorization");
    other.sign(request, &Signing { credentials, now, nonce: "0123456789abcdef" });
}

fn change_signature(scheme: &Scheme, request: &mut Request, change: impl Fn(&str) -> String) {
    if let Some(parameter) = scheme.signature_parameter() {
        return change_parameter(request, parameter, change);
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
    let is_form = is_form(request);
    match std::str::from_utf8(&request.body) {
        Ok(body) if is_form => request.body = changed(body).into_bytes(),
        // In JSON the first text that follows the name is changed.
        Ok(body) => {
            let quoted = format!("\"{}\":\"", name.rsplit('.').next().unwrap_or(name));
            if let Some((before, rest)) = body.split_once(&quoted)
                && let Some((value, after)) = rest.split_once('"')
            {
                request.body = format!("{before}{quoted}{}\"{after}", change(value)).into_bytes();
            }
        }
        Err(_) => {}
    }
}

/// Changes the segment of the path that a parameter stands in.
fn change_segment(vendor: &Vendor, request: &mut Request, name: &str) {
    let braced = format!("{{{name}}}");
    let (path, rest) = match request.target.split_once('?') {
        Some((path, query)) => (path.to_owned(), format!("?{query}")),
        None => (request.target.clone(), String::new()),
    };
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.split('/').collect();
        let alike = wanted.len() == segments.len()
            && wanted.iter().zip(&segments).all(|(wanted, given)| wanted.starts_with('{') || wanted == given);
        wanted.iter().position(|it| *it == braced).filter(|_| alike)
    };
    let templates = vendor.spec.operations.values().filter_map(|operation| operation.path.as_deref());
    let Some(at) = templates.into_iter().find_map(fits) else { return };
    let changed = percent::encode(&other(vendor, &percent::decode(segments[at])));
    let mut segments: Vec<String> = segments.into_iter().map(str::to_owned).collect();
    segments[at] = changed;
    request.target = format!("{}{rest}", segments.join("/"));
}

/// Another value of the same sort: what is wrong is the signature, not the value.
fn other(vendor: &Vendor, value: &str) -> String {
    if let Some(at) = crate::sign::DateForm::Basic.read(value) {
        return crate::sign::DateForm::Basic.write(at + 1);
    }
    if let Ok(at) = value.parse::<jiff::Timestamp>() {
        return jiff::Timestamp::from_second(at.as_second() + 1)
            .map_or_else(|_| value.to_owned(), |at| at.to_string());
    }
    let prefix = &vendor.spec.protocol.operation.prefix;
    if value.strip_prefix(prefix).is_some_and(|name| vendor.spec.operations.contains_key(name)) {
        let describe = vendor.spec.operation_for(Role::Describe);
        return describe.map_or_else(|| value.to_owned(), |(name, _)| format!("{prefix}{name}"));
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
