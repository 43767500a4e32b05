//! Signing schemes: each form signs and verifies side by side, from the bytes that travel. What is
//! particular to a vendor are constants, and constants are spec data.
//!
//! What the two directions share cannot judge itself; `specs/vectors/` holds signatures that the
//! vendors' own signers produced.

mod canonical;
mod parameters;
mod time;
mod token;

pub use canonical::{CanonicalRequest, UnsignedBody};
pub use parameters::{Hash, Others, Parameters};
pub use time::DateForm;
pub use token::Token;

use crate::wire::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;

/// The access key of one account. Its secret parts are never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Access key secret.
    pub secret: String,
    /// Session token, for temporary keys.
    pub token: Option<String>,
    /// Token that says who calls, for schemes without a signature.
    pub bearer: Option<String>,
    /// Account number or project id, where calls name it.
    pub project: Option<String>,
    /// Region, where signatures name it.
    pub region: Option<String>,
}

impl Credentials {
    /// A pair of access key id and secret.
    pub fn pair(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned(), ..Self::default() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials({}, redacted)", self.id)
    }
}

/// The form of a scheme, with its constants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// HMAC-SHA256 over the hash of a canonical request, in the `Authorization` header.
    CanonicalRequest(CanonicalRequest),
    /// HMAC over all parameters; the signature and the operation are parameters.
    Parameters(Parameters),
    /// No signature: a token in a header.
    Token(Token),
}

/// A signing scheme of a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its name in the spec.
    pub name: String,
    /// Its form, with its constants.
    pub form: Form,
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// What a signature is made with, beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Whose signature it is.
    pub credentials: &'a Credentials,
    /// Its time stamp, Unix seconds.
    pub now: i64,
    /// Its nonce: hex digits.
    pub nonce: &'a str,
}

/// What a request claims about its signer, before anything is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// Access key id; the token itself where there is no other.
    pub key_id: String,
    /// Time stamp, Unix seconds, where the scheme has one.
    pub at: Option<i64>,
    /// Nonce.
    pub nonce: Option<String>,
    /// Names of the headers that are signed, in lower case.
    pub signed_headers: Vec<String>,
    /// Parts of the credential scope.
    pub scope: Vec<String>,
    /// The signature as it came.
    pub signature: String,
}

impl fmt::Debug for Claim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Claim(at {:?}, redacted)", self.at)
    }
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("the request carries no signature")]
    Unsigned,
    /// It cannot be read.
    #[error("the signature is malformed: {0}")]
    Malformed(String),
    /// Something that belongs to it is not there.
    #[error("the signature needs {0}")]
    Missing(String),
    /// Its time stamp cannot be read.
    #[error("the time stamp cannot be read")]
    BadTimestamp,
    /// It names another algorithm.
    #[error("the algorithm is not that of the scheme")]
    WrongMethod,
    /// It is made for another day, region or service.
    #[error("the credential scope is another")]
    WrongScope,
    /// It is not the signature of what was received.
    #[error("the signature does not match")]
    Mismatch {
        /// What the signature should have covered.
        string_to_sign: String,
    },
    /// The body is not the one whose hash is signed.
    #[error("the body does not match its signed hash")]
    BodyHash,
}

impl Scheme {
    /// The parameter that names the operation, where operation and API version are parameters.
    pub fn operation_parameter(&self) -> Option<&str> {
        match &self.form {
            Form::Parameters(it) => Some(&it.operation),
            _ => None,
        }
    }

    /// The parameter that holds the signature, if a parameter does.
    pub fn signature_parameter(&self) -> Option<&str> {
        match &self.form {
            Form::Parameters(it) => Some(&it.signature),
            _ => None,
        }
    }

    /// The parameter that names the algorithm, if a parameter does.
    pub fn algorithm_parameter(&self) -> Option<&str> {
        match &self.form {
            Form::Parameters(it) => Some(&it.method),
            _ => None,
        }
    }

    /// Whether a signature is made at all.
    pub const fn signs(&self) -> bool {
        !matches!(self.form, Form::Token(_))
    }

    /// The constants, where a canonical request is signed.
    pub const fn canonical(&self) -> Option<&CanonicalRequest> {
        match &self.form {
            Form::CanonicalRequest(it) => Some(it),
            _ => None,
        }
    }

    /// The constants, where parameters are signed.
    pub const fn parameters(&self) -> Option<&Parameters> {
        match &self.form {
            Form::Parameters(it) => Some(it),
            _ => None,
        }
    }

    /// Headers and parameters of this scheme that tell a token or a key, and must not be printed.
    pub fn confidential(&self) -> Vec<&str> {
        match &self.form {
            Form::CanonicalRequest(it) => ["authorization"].into_iter().chain(it.token.as_deref()).collect(),
            Form::Parameters(it) => vec![&it.signature, &it.token],
            Form::Token(it) => vec![&it.header],
        }
    }

    /// Adds what the scheme wants, and signs. The request has its `host` and names its operation.
    pub fn sign(&self, request: &mut Request, with: &Signing<'_>) {
        match &self.form {
            Form::CanonicalRequest(it) => it.sign(request, with),
            Form::Parameters(it) => it.sign(request, with),
            Form::Token(it) => it.sign(request, with.credentials),
        }
    }

    /// Whether the request announces a signature of this scheme.
    pub fn announces(&self, request: &Request) -> bool {
        match &self.form {
            Form::CanonicalRequest(it) => it.announces(request),
            Form::Parameters(it) => it.announces(request),
            Form::Token(it) => it.announces(request),
        }
    }

    /// What the request claims about its signer.
    ///
    /// # Errors
    /// If there is no signature, or it cannot be read.
    pub fn claim(&self, request: &Request) -> Result<Claim, Refusal> {
        match &self.form {
            Form::CanonicalRequest(it) => it.claim(request),
            Form::Parameters(it) => it.claim(request),
            Form::Token(it) => it.claim(request),
        }
    }

    /// Whether these are the credentials that a claim names.
    pub fn names(&self, claim: &Claim, credentials: &Credentials) -> bool {
        match &self.form {
            Form::Token(_) => credentials.bearer.as_deref() == Some(&claim.key_id),
            _ => credentials.id == claim.key_id,
        }
    }

    /// Verifies the signature from the bytes received, in constant time.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify(&self, request: &Request, credentials: &Credentials) -> Result<(), Refusal> {
        self.verify_claim(request, &self.claim(request)?, credentials)
    }

    /// As [`Self::verify`], where the claim of the request was read already.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify_claim(
        &self,
        request: &Request,
        claim: &Claim,
        credentials: &Credentials,
    ) -> Result<(), Refusal> {
        let mut usual = None;
        let fits = self.ways(request, claim, credentials)?.any(|(expected, text)| {
            usual.get_or_insert(text);
            bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes()))
        });
        if !fits {
            return Err(Refusal::Mismatch { string_to_sign: usual.unwrap_or_default() });
        }
        match &self.form {
            Form::CanonicalRequest(it) => it.check_body(request),
            _ => Ok(()),
        }
    }

    /// The signatures that the request may carry, and what each covers; the usual one first.
    ///
    /// # Errors
    /// If the request lacks what belongs to a signature, or is signed for another scope.
    pub fn expected(
        &self,
        request: &Request,
        claim: &Claim,
        credentials: &Credentials,
    ) -> Result<Vec<(String, String)>, Refusal> {
        self.ways(request, claim, credentials).map(Iterator::collect)
    }

    /// As [`Self::expected`], one after another: mostly the first one fits.
    fn ways<'a>(
        &'a self,
        request: &'a Request,
        claim: &'a Claim,
        credentials: &'a Credentials,
    ) -> Result<Box<dyn Iterator<Item = (String, String)> + 'a>, Refusal> {
        Ok(match &self.form {
            Form::CanonicalRequest(it) => Box::new(it.expected(request, claim, credentials)?),
            Form::Parameters(it) => Box::new(std::iter::once(it.expected(request, credentials))),
            Form::Token(_) => {
                Box::new(std::iter::once((credentials.bearer.clone().unwrap_or_default(), String::new())))
            }
        })
    }
}
