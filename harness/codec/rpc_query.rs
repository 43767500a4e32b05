//! The `rpc-query` family: one path, parameters in query and form body, the operation a parameter or
//! a header as the signing scheme wants it, replies in JSON or XML.

use super::{Body, Call, Inbound, Place, Refusal, Reply, fields, xml};
use crate::model::{Condition, Fact, Facts, Meaning};
use crate::sign::Scheme;
use crate::spec::{Format, Vendor};
use crate::wire::{Headers, Request, Response, percent};
use indexmap::IndexMap;
use serde_json::{Map, Value};

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn encode_call(vendor: &Vendor, call: &Call, scheme: Scheme, host: &str) -> Request {
    let spec = &vendor.spec;
    let method =
        call.how.method.clone().unwrap_or_else(|| spec.protocol.methods.first().cloned().unwrap_or_default());
    let version = call.how.version.as_deref().unwrap_or(&spec.version);
    let mut headers = Headers::new();
    headers.add("host", host);
    headers.add("accept", "application/json");
    let mut common: Vec<(&str, &str)> = Vec::new();
    if scheme.operation_in_headers() {
        headers.add("x-acs-action", call.operation.as_str());
        headers.add("x-acs-version", version);
    } else {
        common.extend([("Action", call.operation.as_str()), ("Version", version)]);
    }
    let format = call.how.format.as_deref();
    // Where the operation is a header, JSON is implied by `accept`.
    match format {
        Some(format) => common.push(("Format", format)),
        None if !scheme.operation_in_headers() => common.push(("Format", "JSON")),
        None => {}
    }
    let documented = spec.operations.get(&call.operation);
    let in_body = |name: &str, place: Place| match (place, call.how.place) {
        _ if method == "GET" => false,
        (Place::Body, _) | (Place::Documented, Place::Body) => true,
        (Place::Query, _) | (Place::Documented, Place::Query) => false,
        _ => documented
            .and_then(|operation| operation.parameters.get(name))
            .is_some_and(|parameter| parameter.in_body),
    };
    let (mut query, mut body) = (String::new(), String::new());
    for (name, value) in common {
        append(
            if call.how.place == Place::Body && method != "GET" { &mut body } else { &mut query },
            name,
            value,
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

fn append(out: &mut String, name: &str, value: &str) {
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
    scheme: Scheme,
) -> Result<Inbound, (Condition, Format)> {
    let spec = &vendor.spec;
    let mut params = percent::pairs(request.query());
    let content_type = request.headers.text("content-type").unwrap_or_default();
    if content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM)) {
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
    let named = |header: &str, parameter: &str| match scheme.operation_in_headers() {
        true => request.headers.text(header).map(str::to_owned),
        false => get(parameter).map(str::to_owned),
    };
    let Some(operation) =
        named("x-acs-action", "Action").filter(|operation| spec.operations.contains_key(operation))
    else {
        return refuse(Condition::UnknownOperation);
    };
    if named("x-acs-version", "Version").as_deref() != Some(&spec.version) {
        return refuse(Condition::UnknownApiVersion);
    }
    Ok(Inbound { operation, params, format })
}

fn respond(status: u16, format: Format, root: &str, object: Map<String, Value>) -> Response {
    let mut headers = Headers::new();
    let (kind, body) = match format {
        Format::Json => ("application/json", Value::Object(object).to_string()),
        Format::Xml => ("application/xml", xml::from_json(root, &object)),
    };
    headers.add("content-type", kind);
    Response { status, headers, body: body.into_bytes() }
}

pub(super) fn encode_done(
    vendor: &Vendor,
    operation: &str,
    format: Format,
    facts: &[(Meaning, Fact)],
    request_id: &str,
) -> Response {
    let empty = IndexMap::new();
    let documented = vendor.spec.operations.get(operation).map_or(&empty, |operation| &operation.reply);
    let mut object = fields::write(vendor, documented, facts);
    for (name, _) in documented.iter().filter(|(_, field)| field.is == Meaning::RequestId) {
        object.insert(name.clone(), Value::from(request_id));
    }
    let root = vendor.spec.protocol.xml_roots.first().map_or("Response", String::as_str);
    respond(200, format, &root.replace("{operation}", operation), object)
}

pub(super) fn encode_refusal(
    vendor: &Vendor,
    format: Format,
    refusal: &Refusal,
    request_id: &str,
) -> Response {
    let mut object = Map::new();
    // A superset of the documented envelopes satisfies every client.
    for envelope in &vendor.spec.protocol.error_envelopes {
        for (name, meaning) in envelope.required.iter().chain(&envelope.optional) {
            let value = match meaning {
                Meaning::Code => Value::from(refusal.code.as_str()),
                Meaning::Message => Value::from(refusal.message.as_str()),
                Meaning::RequestId => Value::from(request_id),
                Meaning::Status => Value::from(refusal.status),
                _ => continue,
            };
            object.insert(name.clone(), value);
        }
    }
    let root = vendor.spec.protocol.xml_error_roots.first().map_or("Error", String::as_str);
    respond(refusal.status, format, root, object)
}

pub(super) fn decode_reply(vendor: &Vendor, operation: &str, response: &Response) -> Reply {
    let mut reply = Reply {
        status: response.status,
        format: None,
        request_id: None,
        body: Body::Unreadable(String::new()),
    };
    if response
        .headers
        .text("content-encoding")
        .is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"))
    {
        reply.body = Body::Unreadable("the body is compressed, though nobody asked for that".into());
        return reply;
    }
    let empty = IndexMap::new();
    let documented = vendor.spec.operations.get(operation).map_or(&empty, |operation| &operation.reply);
    let object = match first_byte(&response.body) {
        Some(b'{') => serde_json::from_slice::<Map<String, Value>>(&response.body)
            .map(|object| (Format::Json, object))
            .map_err(|error| {
                format!("the JSON is malformed at line {}, column {}", error.line(), error.column())
            }),
        Some(b'<') => xml::parse(&response.body).and_then(|root| {
            let known = expected_roots(vendor, operation).any(|expected| expected == root.name);
            match known {
                true => Ok((Format::Xml, xml::to_json(&root, documented))),
                false => Err("the root element is none of those documented".into()),
            }
        }),
        Some(_) => Err("the body is neither JSON nor XML".into()),
        None => Err("the body is empty".into()),
    };
    let (format, mut object) = match object {
        Ok(read) => read,
        Err(why) => {
            reply.body = Body::Unreadable(why);
            return reply;
        }
    };
    object.retain(|_, value| !value.is_null());
    reply.format = Some(format);
    reply.request_id = request_id(vendor, documented, &object);
    let says_no = code_of(vendor, &object);
    reply.body = match (response.status, says_no) {
        (200..=299, None) => {
            let facts: Facts = fields::read(vendor, documented, &object);
            Body::Done { facts, json: Value::Object(object) }
        }
        (300..=399, _) => Body::Unreadable("it redirects, which no document speaks of".into()),
        (_, Some(code)) => Body::Refused { code, misfit: misfit(vendor, &object) },
        (_, None) => Body::Unreadable("it has no error code".into()),
    };
    reply
}

fn first_byte(body: &[u8]) -> Option<u8> {
    body.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn expected_roots<'a>(vendor: &'a Vendor, operation: &'a str) -> impl Iterator<Item = String> + 'a {
    let protocol = &vendor.spec.protocol;
    protocol
        .xml_roots
        .iter()
        .chain(&protocol.xml_error_roots)
        .map(|root| root.replace("{operation}", operation))
}

fn field_of<'a>(vendor: &Vendor, object: &'a Map<String, Value>, is: Meaning) -> Option<&'a Value> {
    vendor.spec.protocol.error_envelopes.iter().find_map(|envelope| {
        let name = envelope.required.iter().chain(&envelope.optional).find(|(_, meaning)| **meaning == is)?.0;
        object.get(name)
    })
}

fn code_of(vendor: &Vendor, object: &Map<String, Value>) -> Option<String> {
    field_of(vendor, object, Meaning::Code)?.as_str().map(str::to_owned)
}

fn request_id(
    vendor: &Vendor,
    documented: &IndexMap<String, crate::spec::Field>,
    object: &Map<String, Value>,
) -> Option<String> {
    let by_field = documented
        .iter()
        .find(|(_, field)| field.is == Meaning::RequestId)
        .and_then(|(name, _)| object.get(name));
    let id = by_field.or_else(|| field_of(vendor, object, Meaning::RequestId))?;
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// What keeps an error body from fitting any documented envelope; empty if it fits one.
fn misfit(vendor: &Vendor, object: &Map<String, Value>) -> String {
    let mut nearest: Option<Vec<&str>> = None;
    for envelope in &vendor.spec.protocol.error_envelopes {
        let missing: Vec<&str> = envelope
            .required
            .iter()
            .filter(|(name, meaning)| {
                // The request id has a rule of its own.
                **meaning != Meaning::RequestId
                    && !object.get(*name).is_some_and(|value| value.is_string() || value.is_number())
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if missing.is_empty() {
            return String::new();
        }
        if nearest.as_ref().is_none_or(|best| missing.len() < best.len()) {
            nearest = Some(missing);
        }
    }
    format!("it has no {}", nearest.unwrap_or_default().join(", "))
}
