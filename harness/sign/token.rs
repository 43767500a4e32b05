//! No signature at all: a token in a header says who calls.

use super::{Claim, Credentials, Refusal};
use crate::wire::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A scheme that sends a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Token {
    /// Header of the token.
    pub header: String,
}

impl Token {
    pub(super) fn announces(&self, request: &Request) -> bool {
        request.headers.get(&self.header).is_some()
    }

    pub(super) fn sign(&self, request: &mut Request, credentials: &Credentials) {
        request.headers.set(&self.header, credentials.bearer.as_deref().unwrap_or_default());
    }

    pub(super) fn claim(&self, request: &Request) -> Result<Claim, Refusal> {
        let token = request.headers.text(&self.header).ok_or(Refusal::Unsigned)?;
        if token.is_empty() {
            return Err(Refusal::Missing(self.header.clone()));
        }
        Ok(Claim {
            key_id: token.to_owned(),
            at: None,
            nonce: None,
            signed_headers: Vec::new(),
            scope: Vec::new(),
            signature: token.to_owned(),
        })
    }
}
