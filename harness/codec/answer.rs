//! Replies, both directions: success and refusal, in JSON or XML, inside whatever wraps them.

use super::tree::Tree;
use super::{Body, Refusal, Reply, fields, xml};
use crate::model::{Fact, Facts, Meaning};
use crate::spec::{ErrorEnvelope, Field, Format, Operation, Table, Vendor};
use crate::wire::{Headers, Response};
use std::borrow::Cow;

fn documented<'a>(vendor: &'a Vendor, operation: &str) -> Option<&'a Operation> {
    vendor.spec.operations.get(operation)
}

fn respond(vendor: &Vendor, status: u16, format: Format, root: &str, body: &Tree<'_>, id: &str) -> Response {
    let protocol = &vendor.spec.protocol;
    let mut headers = Headers::new();
    let mut text = String::with_capacity(256);
    let kind = match format {
        Format::Xml => {
            xml::write_document(root, body, &mut text);
            "application/xml"
        }
        Format::Json => {
            body.print(&mut text);
            protocol.reply_content_type.as_str()
        }
    };
    headers.add("content-type", kind);
    if let Some(name) = &protocol.request_id_header {
        headers.add(name.as_str(), id);
    }
    let body = if status == 204 { Vec::new() } else { text.into_bytes() };
    Response { status, headers, body }
}

pub(super) fn encode_done(
    vendor: &Vendor,
    operation: &str,
    format: Format,
    facts: &[(Meaning, Fact)],
    request_id: &str,
) -> Response {
    let protocol = &vendor.spec.protocol;
    let empty = Table::default();
    let described = documented(vendor, operation);
    let reply = described.map_or(&empty, |operation| &operation.reply);
    let mut object = fields::write(vendor, reply, facts);
    for (name, _) in reply.iter().filter(|(_, field)| field.is == Meaning::RequestId) {
        object.put(name.as_str(), Tree::from(request_id));
    }
    if let Some(wrapper) = &protocol.wrapper {
        let mut outer = Tree::default();
        // What stands outside the wrapper is named by the envelopes.
        for envelope in protocol.error_envelopes.iter().filter(|_| protocol.error_wrapper.is_none()) {
            for (path, _) in envelope.required.iter().filter(|(_, is)| **is == Meaning::RequestId) {
                outer.put(path.as_str(), Tree::from(request_id));
            }
        }
        outer.put(wrapper.as_str(), object);
        object = outer;
    }
    let root = protocol.xml_roots.first().map_or("Response", String::as_str);
    let status = vendor.spec.usual_success(operation);
    respond(vendor, status, format, &root.replace("{operation}", operation), &object, request_id)
}

/// The envelopes that an operation's errors have.
fn envelopes<'a>(vendor: &'a Vendor, operation: &str) -> Vec<&'a ErrorEnvelope> {
    let all = &vendor.spec.protocol.error_envelopes;
    let own: Vec<_> = all.iter().filter(|it| it.at.iter().any(|name| name == operation)).collect();
    if own.is_empty() { all.iter().filter(|it| it.at.is_empty()).collect() } else { own }
}

pub(super) fn encode_refusal(
    vendor: &Vendor,
    operation: &str,
    format: Format,
    refusal: &Refusal,
    request_id: &str,
) -> Response {
    let protocol = &vendor.spec.protocol;
    let mut object = Tree::Object(Vec::new());
    // A superset of the documented envelopes satisfies every client.
    for envelope in envelopes(vendor, operation) {
        for (name, meaning) in envelope.required.iter().chain(&envelope.optional) {
            let value = match meaning {
                Meaning::Code => Tree::from(refusal.code.as_str()),
                Meaning::Message => Tree::from(refusal.message.as_str()),
                Meaning::RequestId => Tree::from(request_id),
                Meaning::Status => Tree::from(i64::from(refusal.status)),
                _ => continue,
            };
            object.put(name.as_str(), value);
        }
    }
    if let Some(wrapper) = &protocol.error_wrapper {
        object = Tree::Object(vec![(Cow::Borrowed(wrapper.as_str()), object)]);
    }
    let root = protocol.xml_error_roots.first().map_or("Error", String::as_str);
    respond(vendor, refusal.status, format, root, &object, request_id)
}

pub(super) fn decode_reply(vendor: &Vendor, operation: &str, response: &Response) -> Reply {
    let unreadable = |why: &str| Body::Unreadable(why.to_owned());
    let mut reply = Reply { status: response.status, format: None, request_id: None, body: unreadable("") };
    let protocol = &vendor.spec.protocol;
    let in_header = protocol.request_id_header.as_ref().and_then(|name| response.headers.text(name));
    reply.request_id = in_header.filter(|id| !id.is_empty()).map(str::to_owned);
    let coding = response.headers.text("content-encoding");
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        reply.body = unreadable("the body is compressed, though nobody asked for that");
        return reply;
    }
    let empty = Table::default();
    let described = documented(vendor, operation);
    let fields = described.map_or(&empty, |operation| &operation.reply);
    if says_nothing(response) && described.is_some() && fields.is_empty() {
        reply.format = Some(Format::Json);
        reply.body = Body::Done { facts: Facts::new(), json: Tree::Object(Vec::new()) };
        return reply;
    }
    let (format, object) = match parse(vendor, operation, fields, &response.body) {
        Ok(read) => read,
        Err(why) => {
            reply.body = Body::Unreadable(why);
            return reply;
        }
    };
    reply.format = Some(format);
    let (said, failed) = (inner(&object, &protocol.wrapper), inner(&object, &protocol.error_wrapper));
    reply.request_id = reply.request_id.or_else(|| request_id(vendor, fields, said, failed));
    let code = failed.and_then(|failed| code_of(vendor, failed));
    let errs = failed.is_some_and(|failed| has_error(vendor, failed));
    reply.body = match (response.status, code, said) {
        (200..=299, None, Some(said)) if !errs => {
            let facts = fields::read(vendor, fields, said);
            Body::Done { facts, json: into_inner(object, &protocol.wrapper) }
        }
        // Where no reply is documented, the wrapper may be missing too.
        (200..=299, None, None) if fields.is_empty() => {
            Body::Done { facts: Facts::new(), json: Tree::Object(Vec::new()) }
        }
        (200..=299, None, None) => unreadable("it lacks the member that holds what a reply says"),
        (300..=399, _, _) => unreadable("it redirects, which no document speaks of"),
        (_, Some(code), _) => {
            Body::Refused { code, misfit: failed.map_or_else(String::new, |failed| misfit(vendor, failed)) }
        }
        (_, None, _) => unreadable("it has no error code"),
    };
    reply
}

/// What stands in a wrapper; all there is, where nothing wraps it.
fn inner<'a>(object: &'a Tree<'static>, wrapper: &Option<String>) -> Option<&'a Tree<'static>> {
    match wrapper {
        Some(name) => object.get(name).filter(|inner| inner.as_object().is_some()),
        None => Some(object),
    }
}

fn into_inner(object: Tree<'static>, wrapper: &Option<String>) -> Tree<'static> {
    match (wrapper, object) {
        (Some(name), Tree::Object(members)) => {
            members.into_iter().rfind(|(known, _)| known == name).map_or(Tree::Null, |(_, inner)| inner)
        }
        (_, object) => object,
    }
}

/// Whether a reply has the member under which errors tell their code.
fn has_error(vendor: &Vendor, object: &Tree<'_>) -> bool {
    let mut envelopes = vendor.spec.protocol.error_envelopes.iter();
    envelopes.any(|envelope| {
        let code = envelope.required.iter().find(|(_, is)| **is == Meaning::Code);
        code.and_then(|(path, _)| path.rsplit_once('.'))
            .is_some_and(|(parent, _)| object.member(parent).is_some())
    })
}

fn says_nothing(response: &Response) -> bool {
    (200..=299).contains(&response.status) && response.body.iter().all(u8::is_ascii_whitespace)
}

fn parse(
    vendor: &Vendor,
    operation: &str,
    fields: &Table<String, Field>,
    body: &[u8],
) -> Result<(Format, Tree<'static>), String> {
    let first = body.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    let (format, mut object) = match first {
        Some(b'{') => match serde_json::from_slice::<Tree<'static>>(body) {
            Ok(object) => (Format::Json, object),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return Err(format!("the JSON is malformed at line {line}, column {column}"));
            }
        },
        Some(b'<') if vendor.spec.protocol.formats.contains(&Format::Xml) => {
            let root = xml::parse(body)?;
            if !expected_roots(vendor, operation).any(|expected| expected == root.name) {
                return Err("the root element is none of those documented".into());
            }
            (Format::Xml, xml::to_json(&root, fields))
        }
        Some(_) => return Err("the body is in no documented format".into()),
        None => return Err("the body is empty".into()),
    };
    // A null stands for what is not there.
    object.without_nulls();
    Ok((format, object))
}

fn expected_roots<'a>(vendor: &'a Vendor, operation: &'a str) -> impl Iterator<Item = String> + 'a {
    let protocol = &vendor.spec.protocol;
    protocol
        .xml_roots
        .iter()
        .chain(&protocol.xml_error_roots)
        .map(|root| root.replace("{operation}", operation))
}

fn field_of<'a>(vendor: &Vendor, object: &'a Tree<'static>, is: Meaning) -> Option<&'a Tree<'static>> {
    vendor.spec.protocol.error_envelopes.iter().find_map(|envelope| {
        let all = envelope.required.iter().chain(&envelope.optional);
        all.filter(|(_, meaning)| **meaning == is).find_map(|(name, _)| object.member(name))
    })
}

fn code_of(vendor: &Vendor, object: &Tree<'static>) -> Option<String> {
    let code = field_of(vendor, object, Meaning::Code)?.as_str()?;
    if !vendor.spec.protocol.qualified_codes {
        return Some(code.to_owned());
    }
    let bare = code.split(':').next().unwrap_or(code);
    Some(bare.rsplit('#').next().unwrap_or(bare).to_owned())
}

fn request_id(
    vendor: &Vendor,
    fields: &Table<String, Field>,
    said: Option<&Tree<'static>>,
    failed: Option<&Tree<'static>>,
) -> Option<String> {
    let own = fields.iter().find(|(_, field)| field.is == Meaning::RequestId);
    let by_field = own.and_then(|(name, _)| said?.member(name));
    let id = by_field.or_else(|| field_of(vendor, failed?, Meaning::RequestId))?;
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

/// What keeps an error body from fitting any documented envelope; empty if it fits one.
fn misfit(vendor: &Vendor, object: &Tree<'_>) -> String {
    let mut nearest: Option<Vec<&str>> = None;
    for envelope in &vendor.spec.protocol.error_envelopes {
        let there = |name: &str| matches!(object.member(name), Some(Tree::Text(_) | Tree::Number(_)));
        let missing: Vec<&str> = envelope
            .required
            .iter()
            // The request id has a rule of its own.
            .filter(|(name, meaning)| **meaning != Meaning::RequestId && !there(name))
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
