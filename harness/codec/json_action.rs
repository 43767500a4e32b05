//! The `json-action` family: one path, the operation a header (or a parameter), parameters in a JSON
//! body. With GET, and under schemes that sign parameters, they travel flattened in query or form.

use super::naming::{Named, heard, is_common, named};
use super::rpc_query::append;
use super::{Call, FORM, Inbound, is_form, members};
use crate::model::Condition;
use crate::sign::Scheme;
use crate::spec::{Format, Vendor};
use crate::wire::{Headers, Request, percent};

pub(super) fn encode_call(vendor: &Vendor, call: &Call, scheme: &Scheme, host: &str) -> Request {
    let protocol = &vendor.spec.protocol;
    let method =
        call.how.method.clone().unwrap_or_else(|| protocol.methods.first().cloned().unwrap_or_default());
    let mut headers = Headers::new();
    headers.add("host", host);
    let Named { in_headers, in_params } = named(vendor, call, scheme);
    in_headers.into_iter().for_each(|(name, value)| headers.add(name, value));
    for (name, value) in &protocol.headers {
        headers.add(name.as_str(), value.replace("{region}", &protocol.region));
    }
    let by_parameters = scheme.operation_parameter().is_some();
    let (mut query, mut body) = (String::new(), String::new());
    let form = by_parameters && method != "GET";
    let common_in_query = !form || protocol.operation.in_query;
    for (name, value) in &in_params {
        append(if common_in_query { &mut query } else { &mut body }, name, value);
    }
    let described = vendor.spec.operations.get(&call.operation);
    if method == "GET" || by_parameters {
        let flat = call.params.iter().flat_map(|param| members::flattened(described, param));
        for (name, value) in flat {
            append(if form { &mut body } else { &mut query }, &name, &value);
        }
    } else {
        body = members::write(described, call.params.iter());
    }
    let demanded = scheme.canonical().is_some_and(|it| it.needs.iter().any(|name| name == "content-type"));
    match method == "GET" {
        true if demanded => headers.add("content-type", FORM),
        true => {}
        false => headers.add("content-type", if form { FORM } else { &protocol.content_type }),
    }
    let path = call.how.path.as_deref().unwrap_or(&protocol.path);
    let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    Request { method, target, headers, body: body.into_bytes() }
}

pub(super) fn decode_call(
    vendor: &Vendor,
    request: &Request,
    scheme: &Scheme,
) -> Result<Inbound, (Condition, Format)> {
    let spec = &vendor.spec;
    let refuse = |condition| Err((condition, Format::Json));
    if request.path() != spec.protocol.path {
        return refuse(Condition::UnknownPath);
    }
    if !spec.protocol.methods.contains(&request.method) {
        return refuse(Condition::BadMethod);
    }
    let flat = request.method == "GET" || is_form(request);
    let mut pairs = percent::pairs(request.query());
    if is_form(request) {
        pairs.extend(percent::pairs(&String::from_utf8_lossy(&request.body)));
    }
    let operation = heard(&spec.protocol.operation, request, &pairs, scheme);
    let described = operation.as_ref().and_then(|operation| spec.operations.get(operation));
    let (Some(operation), Some(described)) = (operation, described) else {
        return refuse(Condition::UnknownOperation);
    };
    let version = heard(&spec.protocol.version, request, &pairs, scheme);
    let needs_version = spec.protocol.version.header.is_some() || spec.protocol.version.parameter.is_some();
    if needs_version && version.as_ref() != Some(&spec.version) {
        return refuse(Condition::UnknownApiVersion);
    }
    let (params, mistyped) = match flat {
        true => {
            pairs.retain(|(name, _)| !is_common(vendor, scheme, name));
            (members::unflattened(described, pairs), Vec::new())
        }
        false => match members::read(described, &request.body) {
            Some(read) => read,
            None => return refuse(Condition::BadBody),
        },
    };
    Ok(Inbound { operation, params, format: Format::Json, mistyped })
}
