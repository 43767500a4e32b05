//! A call as a line of text and as a `curl` command. Secret values, keys and signatures never stand in either.

use crate::codec::is_form;
use crate::history::{Exchange, Tamper, clipped};
use crate::model::Meaning;
use crate::spec::Vendor;
use crate::wire::percent;

/// What stands in place of a secret value.
const VALUE: &str = "<value>";
/// What stands in place of a signature or a token.
const SIGN: &str = "<sign anew>";
/// Bytes of a parameter that nobody reads any more.
const LONG: usize = 400;
/// Bytes of a value that cannot stand in a body by chance.
const TELLING: usize = 8;

/// A call in a line: its place, what it asked for, and what came.
pub(super) fn line(vendor: &Vendor, at: usize, exchange: &Exchange) -> String {
    let secret = secret_parameter(vendor, exchange);
    let params: Vec<String> = exchange
        .call
        .params
        .iter()
        .map(|param| {
            let value =
                if Some(param.name.as_str()) == secret { VALUE.to_owned() } else { clipped(&param.value) };
            format!("{}={value}", param.name)
        })
        .collect();
    let tamper = exchange.tamper.as_ref().map(|tamper| format!(" ({})", spoiled(tamper))).unwrap_or_default();
    let how = [
        exchange.call.how.scheme.as_ref().map(|scheme| format!("signed {scheme}")),
        exchange.call.how.method.as_ref().map(|method| format!("by {}", clipped(method))),
        exchange.call.how.format.as_ref().map(|format| format!("as {}", clipped(format))),
        exchange.call.how.version.as_ref().map(|version| format!("version {}", clipped(version))),
    ];
    let how: Vec<String> = how.into_iter().flatten().collect();
    let how = if how.is_empty() { String::new() } else { format!(" [{}]", how.join(", ")) };
    format!(
        "#{at} {} {}{how}{tamper} -> {}",
        clipped(&exchange.call.operation),
        params.join(" "),
        exchange.summary()
    )
}

/// What was done to a signature, in words.
fn spoiled(tamper: &Tamper) -> String {
    match tamper {
        Tamper::Unsigned => "without a signature".into(),
        Tamper::OtherSecret => "signed with another secret key".into(),
        Tamper::UnknownKey => "signed with an access key that nobody has".into(),
        Tamper::Header(name) => format!("header {name} changed after signing"),
        Tamper::Param(name) => format!("parameter {name} changed after signing"),
        Tamper::Body => "body changed after signing".into(),
        Tamper::Extra(name, _) => format!("parameter {name} added after signing"),
        Tamper::Method(method) => format!("method changed to {method} after signing"),
        Tamper::CutSignature => "signature cut short".into(),
        Tamper::OneCharacter => "one character of the signature changed".into(),
        Tamper::EmptySignature => "signature empty".into(),
        Tamper::LeftOut(name) => format!("header {name} not signed"),
        Tamper::Skew(seconds) => format!("time stamp {seconds} s off"),
        Tamper::Again => "the same bytes again".into(),
        Tamper::Scope(part) => format!("signed for another {}", part.trim_matches(['{', '}'])),
        Tamper::Algorithm(name) => format!("algorithm named {name}"),
    }
}

/// A call as a `curl` command, to be signed anew by whoever runs it.
pub(super) fn command(vendor: &Vendor, endpoint: &str, exchange: &Exchange) -> String {
    let secret = secret_parameter(vendor, exchange);
    let hidden = credentials(vendor);
    let request = &exchange.request;
    let base = if endpoint.starts_with("http") { endpoint.trim_end_matches('/') } else { "http://ENDPOINT" };
    let mut target = request.path().to_owned();
    if !request.query().is_empty() {
        target = format!("{target}?{}", redacted(request.query(), secret, &hidden));
    }
    let mut command =
        format!("curl -sS -X {} {}", quoted(&request.method), quoted(&format!("{base}{target}")));
    for (name, value) in request.headers.iter() {
        let shown = match name.to_ascii_lowercase().as_str() {
            "host" | "content-length" => continue,
            name if hidden.contains(&name.to_owned()) => SIGN.to_owned(),
            _ => String::from_utf8_lossy(value).into_owned(),
        };
        command.push_str(&format!(" -H {}", quoted(&format!("{name}: {shown}"))));
    }
    if !request.body.is_empty() {
        let text = String::from_utf8_lossy(&request.body);
        let shown = match is_form(request) {
            true => redacted(&text, secret, &hidden),
            false => without_values(text.into_owned(), exchange, secret),
        };
        command.push_str(&format!(" --data {}", quoted(&shown)));
    }
    command
}

fn secret_parameter<'a>(vendor: &'a Vendor, exchange: &Exchange) -> Option<&'a str> {
    let operation = vendor.spec.operations.get(&exchange.call.operation)?;
    operation.parameter(Meaning::Value).map(|(name, _)| name)
}

/// Names, in lower case, of headers and parameters that carry a signature or a token.
fn credentials(vendor: &Vendor) -> Vec<String> {
    let names = vendor.schemes.iter().flat_map(|scheme| scheme.confidential());
    names.map(str::to_ascii_lowercase).collect()
}

/// Query or form text without secret values and signatures, and not longer than anyone reads.
fn redacted(text: &str, secret: Option<&str>, hidden: &[String]) -> String {
    let pairs: Vec<String> = text
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match percent::decode(name) {
                decoded if Some(decoded.as_str()) == secret => format!("{name}={VALUE}"),
                decoded if hidden.contains(&decoded.to_ascii_lowercase()) => format!("{name}={SIGN}"),
                _ if value.len() > LONG => format!("{name}=<{} characters>", value.len()),
                _ => pair.to_owned(),
            }
        })
        .collect();
    pairs.join("&")
}

/// A JSON body without secret values: the whole body is left out where one shows in some other way.
fn without_values(mut text: String, exchange: &Exchange, secret: Option<&str>) -> String {
    let Some(secret) = secret else { return text };
    let member = secret.rsplit('.').next().unwrap_or(secret);
    for param in exchange.call.params.iter().filter(|param| param.name == secret) {
        let written = serde_json::Value::from(param.value.as_str()).to_string();
        for value in [written.as_str(), param.value.as_str()] {
            text = text.replace(&format!("\"{member}\":{value}"), &format!("\"{member}\":\"{VALUE}\""));
        }
        let bare = written.trim_matches('"');
        if bare.len() >= TELLING && text.contains(bare) {
            return "<a body with a secret value>".to_owned();
        }
    }
    text
}

/// Quoted for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_signatures_are_left_out() {
        let text = redacted(
            "SecretName=a&SecretData=hunter2&Signature=abc%3D",
            Some("SecretData"),
            &["signature".to_owned()],
        );
        assert_eq!(text, "SecretName=a&SecretData=<value>&Signature=<sign anew>");
    }

    #[test]
    fn values_and_tokens_are_left_out_whatever_the_protocol() {
        for name in crate::spec::embedded_names() {
            let vendor = std::sync::Arc::new(crate::spec::embedded(&name).unwrap());
            let reference = std::sync::Arc::new(crate::campaign::Reference::new(vendor.clone(), 7));
            let endpoint = crate::campaign::Endpoint::in_process(reference);
            for scheme in &vendor.schemes {
                let mut caller =
                    endpoint.caller(&vendor, &(std::sync::Arc::new(|| 0_i64) as crate::client::Now), 7);
                let (operation, described) = vendor.spec.operation_for(crate::model::Role::Put).unwrap();
                let (parameter, _) = described.parameter(Meaning::Value).unwrap();
                for value in ["hunter2-and-more", "a \"b\" \\ é", "7"] {
                    let mut call = crate::codec::Call::new(operation).with(parameter, value);
                    call.how.scheme = Some(scheme.clone());
                    let exchange = caller.call(&call, None);
                    let shown = command(&vendor, "http://127.0.0.1:1", &exchange);
                    assert!(shown.contains(VALUE) && shown.contains(SIGN), "{name}: {shown}");
                    assert!(!shown.contains("hunter2") && !shown.contains("é"), "{name}: {shown}");
                    let keys = &endpoint.credentials[0];
                    let token = keys.token.as_deref().filter(|token| !token.is_empty());
                    assert!(token.is_none_or(|token| !shown.contains(token)), "{name}: {shown}");
                }
            }
        }
    }

    #[test]
    fn quotes_survive_a_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
