//! From meaning to bytes and back: one file per protocol family, both directions in it.
//!
//! Client and emulator share this code, so it cannot judge itself: official SDKs and transcripts
//! written by hand from the documents do.

mod answer;
mod fields;
mod json_action;
mod members;
mod naming;
mod reply;
mod rest_json;
mod rpc_query;
mod schema;
mod shape;
mod tree;
mod xml;

pub use reply::{Body, Reply};
pub use schema::{ReplySchemas, schema_of};
pub use tree::Tree;

use crate::model::{Condition, Fact, Meaning};
use crate::sign::Scheme;
use crate::spec::{Family, Format, Vendor};
use crate::wire::{Request, Response};
use std::sync::Arc;

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// Where the spec says.
    #[default]
    Documented,
    /// In the query.
    Query,
    /// In the form body.
    Body,
    /// In a JSON body, as the JSON token that its text is.
    Raw,
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Whether the body of a request is a form.
pub(crate) fn is_form(request: &Request) -> bool {
    let kind = request.headers.text("content-type").unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

/// One parameter of a call, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name that travels.
    pub name: String,
    /// Its value, before any encoding.
    pub value: String,
    /// Where it travels.
    pub place: Place,
}

/// How a call travels. What is `None` is as the spec says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// Signing scheme.
    pub scheme: Option<Arc<Scheme>>,
    /// HTTP method.
    pub method: Option<String>,
    /// Reply format to ask for.
    pub format: Option<String>,
    /// API version to name.
    pub version: Option<String>,
    /// Path to send to.
    pub path: Option<String>,
    /// Where all parameters travel.
    pub place: Place,
}

/// A call before it is bytes: the vendor's words, nobody's signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The operation, by the name that travels.
    pub operation: String,
    /// Parameters in order; the same name may stand twice.
    pub params: Vec<Param>,
    /// Index of the account that signs.
    pub account: usize,
    /// How it travels.
    pub how: How,
}

impl Call {
    /// A call of an operation without parameters.
    pub fn new(operation: &str) -> Self {
        Self { operation: operation.to_owned(), ..Self::default() }
    }

    /// Adds or replaces a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds or replaces a parameter.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        match self.params.iter_mut().find(|param| param.name == name) {
            Some(param) => param.value = value.into(),
            None => self.params.push(Param {
                name: name.to_owned(),
                value: value.into(),
                place: Place::Documented,
            }),
        }
    }

    /// Removes a parameter.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|param| param.name != name);
        self
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|param| param.name == name).map(|param| param.value.as_str())
    }

    /// Names and values.
    pub fn pairs(&self) -> Vec<(&str, &str)> {
        self.params.iter().map(|param| (param.name.as_str(), param.value.as_str())).collect()
    }
}

/// A request as the emulator reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// The operation asked for.
    pub operation: String,
    /// Decoded parameters in the order they came.
    pub params: Vec<(String, String)>,
    /// Reply format asked for.
    pub format: Format,
    /// Parameters whose JSON type is not the documented one.
    pub mistyped: Vec<String>,
}

/// What the emulator says when it says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Error code.
    pub code: String,
    /// Message for people.
    pub message: String,
}

/// Encodes a call, unsigned.
pub fn encode_call(vendor: &Vendor, call: &Call, scheme: &Scheme, host: &str) -> Request {
    match vendor.spec.protocol.family {
        Family::RpcQuery => rpc_query::encode_call(vendor, call, scheme, host),
        Family::JsonAction => json_action::encode_call(vendor, call, scheme, host),
        Family::RestJson => rest_json::encode_call(vendor, call, host),
    }
}

/// Decodes a request.
///
/// # Errors
/// Why the request names no operation of this API.
pub fn decode_call(
    vendor: &Vendor,
    request: &Request,
    scheme: &Scheme,
) -> Result<Inbound, (Condition, Format)> {
    match vendor.spec.protocol.family {
        Family::RpcQuery => rpc_query::decode_call(vendor, request, scheme),
        Family::JsonAction => json_action::decode_call(vendor, request, scheme),
        Family::RestJson => rest_json::decode_call(vendor, request),
    }
}

/// Encodes a success reply from facts by meaning.
pub fn encode_done(
    vendor: &Vendor,
    operation: &str,
    format: Format,
    facts: &[(Meaning, Fact)],
    request_id: &str,
) -> Response {
    answer::encode_done(vendor, operation, format, facts, request_id)
}

/// Encodes a refusal of an operation.
pub fn encode_refusal(
    vendor: &Vendor,
    operation: &str,
    format: Format,
    refusal: &Refusal,
    request_id: &str,
) -> Response {
    answer::encode_refusal(vendor, operation, format, refusal, request_id)
}

/// Decodes a reply.
pub fn decode_reply(vendor: &Vendor, operation: &str, response: &Response) -> Reply {
    answer::decode_reply(vendor, operation, response)
}

/// Whether a JSON token has the type that a parameter documents.
pub fn fits_type(parameter: &crate::spec::Parameter, token: &str) -> bool {
    serde_json::from_str(token).is_ok_and(|tree| members::fits(parameter.kind, &tree))
}
