//! The `rpc-query` family: one path, parameters in query and form body, the operation a parameter or
//! a header as the signing scheme wants it, replies in JSON or XML.

use super::naming::{Named, heard, named};
use super::{Call, FORM, Inbound, Place, is_form};
use crate::model::Condition;
use crate::sign::Scheme;
use crate::spec::{Format, Location, Vendor};
use crate::wire::{Headers, Request, percent};

pub(super) fn encode_call(vendor: &Vendor, call: &Call, scheme: &Scheme, host: &str) -> Request {
    let spec = &vendor.spec;
    let method =
        call.how.method.clone().unwrap_or_else(|| spec.protocol.methods.first().cloned().unwrap_or_default());
    let mut headers = Headers::new();
    headers.add("host", host);
    headers.add("accept", "application/json");
    let Named { in_headers, in_params: mut common } = named(vendor, call, scheme);
    let by_header = !in_headers.is_empty();
    in_headers.into_iter().for_each(|(name, value)| headers.add(name, value));
    let format = call.how.format.as_deref();
    // Where the operation is a header, JSON is implied by `accept`.
    match format {
        Some(format) => common.push(("Format".into(), format.to_owned())),
        None if !by_header => common.push(("Format".into(), "JSON".into())),
        None => {}
    }
    let documented = spec.operations.get(&call.operation);
    let in_body = |name: &str, place: Place| match (place, call.how.place) {
        _ if method == "GET" => false,
        (Place::Body, _) | (Place::Documented, Place::Body) => true,
        (Place::Query, _) | (Place::Documented, Place::Query) => false,
        _ => documented
            .and_then(|operation| operation.parameters.get(name))
            .is_some_and(|parameter| parameter.place == Some(Location::Body)),
    };
    let (mut query, mut body) = (String::new(), String::new());
    for (name, value) in common {
        append(
            if call.how.place == Place::Body && method != "GET" { &mut body } else { &mut query },
            &name,
            &value,
        );
    }
    for param in &call.params {
        append(
            if in_body(&param.name, param.place) { &mut body } else { &mut query },
            &param.name,
            &param.value,
        );
    }
    if !body.is_empty() {
        headers.add("content-type", FORM);
    }
    let path = call.how.path.as_deref().unwrap_or(&spec.protocol.path);
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    Request { method, target, headers, body: body.into_bytes() }
}

pub(super) fn append(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    percent::encode_into(name, out);
    out.push('=');
    percent::encode_into(value, out);
}

pub(super) fn decode_call(
    vendor: &Vendor,
    request: &Request,
    scheme: &Scheme,
) -> Result<Inbound, (Condition, Format)> {
    let spec = &vendor.spec;
    let mut params = percent::pairs(request.query());
    if is_form(request) {
        params.extend(percent::pairs(&String::from_utf8_lossy(&request.body)));
    }
    let get = |name: &str| params.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let format = match get("Format") {
        None | Some("") => spec.protocol.formats.first().copied().unwrap_or(Format::Json),
        Some(text) if text.eq_ignore_ascii_case("json") => Format::Json,
        Some(text) if text.eq_ignore_ascii_case("xml") => Format::Xml,
        Some(_) => return Err((Condition::BadFormat, Format::Json)),
    };
    let refuse = |condition| Err((condition, format));
    if request.path() != spec.protocol.path {
        return refuse(Condition::UnknownPath);
    }
    if !spec.protocol.methods.contains(&request.method) {
        return refuse(Condition::BadMethod);
    }
    let operation = heard(&spec.protocol.operation, request, &params, scheme);
    let Some(operation) = operation.filter(|operation| spec.operations.contains_key(operation)) else {
        return refuse(Condition::UnknownOperation);
    };
    if heard(&spec.protocol.version, request, &params, scheme).as_ref() != Some(&spec.version) {
        return refuse(Condition::UnknownApiVersion);
    }
    Ok(Inbound { operation, params, format, mistyped: Vec::new() })
}
