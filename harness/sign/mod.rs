//! Signing schemes: each file signs and verifies one, side by side, from the bytes that travel.
//!
//! What the two directions share cannot judge itself; `specs/vectors/` holds signatures that the
//! vendors' own signers produced.

mod acs3_hmac_sha256;
mod acs_hmac_sha1;

use crate::wire::Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;

/// The access key of one account. Its secret parts are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub id: String,
    /// Access key secret.
    pub secret: String,
    /// Session token, for temporary keys.
    pub token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials({}, redacted)", self.id)
    }
}

/// A signing scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// HMAC-SHA256 over a canonical request, in the `Authorization` header; the operation is a header.
    Acs3HmacSha256,
    /// HMAC-SHA1 over all parameters, in the parameter `Signature`; the operation is a parameter.
    AcsHmacSha1,
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Acs3HmacSha256 => "acs3-hmac-sha256",
            Self::AcsHmacSha1 => "acs-hmac-sha1",
        })
    }
}

/// What a signature is made with, beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Whose signature it is.
    pub credentials: &'a Credentials,
    /// Its time stamp, Unix seconds.
    pub now: i64,
    /// Its nonce.
    pub nonce: &'a str,
}

/// What a request claims about its signer, before anything is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Access key id.
    pub key_id: String,
    /// Time stamp, Unix seconds, where it can be read.
    pub at: Option<i64>,
    /// Nonce.
    pub nonce: Option<String>,
    /// Names of the headers that are signed, in lower case.
    pub signed_headers: Vec<String>,
    /// The signature as it came.
    pub signature: String,
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
    Missing(&'static str),
    /// Its time stamp cannot be read.
    #[error("the time stamp cannot be read")]
    BadTimestamp,
    /// It names another algorithm.
    #[error("the algorithm is not that of the scheme")]
    WrongMethod,
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
    /// Whether the operation and API version are headers; otherwise they are parameters.
    pub const fn operation_in_headers(self) -> bool {
        matches!(self, Self::Acs3HmacSha256)
    }

    /// Headers that the scheme adds and signs.
    pub const fn signed_headers(self) -> &'static [&'static str] {
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::HEADERS,
            Self::AcsHmacSha1 => &[],
        }
    }

    /// Headers that the scheme signs and that the request has before signing.
    pub const fn headers_before_signing(self) -> &'static [&'static str] {
        match self {
            Self::Acs3HmacSha256 => &["host", "x-acs-action"],
            Self::AcsHmacSha1 => &[],
        }
    }

    /// Adds what the scheme wants, and signs. The request has its `host` and names its operation.
    pub fn sign(self, request: &mut Request, with: &Signing<'_>) {
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::sign(request, with),
            Self::AcsHmacSha1 => acs_hmac_sha1::sign(request, with),
        }
    }

    /// Whether the request announces a signature of this scheme.
    pub fn announces(self, request: &Request) -> bool {
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::announces(request),
            Self::AcsHmacSha1 => acs_hmac_sha1::announces(request),
        }
    }

    /// What the request claims about its signer.
    ///
    /// # Errors
    /// If there is no signature, or it cannot be read.
    pub fn claim(self, request: &Request) -> Result<Claim, Refusal> {
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::claim(request),
            Self::AcsHmacSha1 => acs_hmac_sha1::claim(request),
        }
    }

    /// Verifies the signature from the bytes received, in constant time.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify(self, request: &Request, secret: &str) -> Result<(), Refusal> {
        let claim = self.claim(request)?;
        let (expected, string_to_sign) = self.expected(request, &claim, secret)?;
        if !bool::from(expected.as_bytes().ct_eq(claim.signature.as_bytes())) {
            return Err(Refusal::Mismatch { string_to_sign });
        }
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::check_body(request),
            Self::AcsHmacSha1 => Ok(()),
        }
    }

    /// The signature that the request should carry, and what it covers.
    ///
    /// # Errors
    /// If the request lacks what belongs to a signature.
    pub fn expected(
        self,
        request: &Request,
        claim: &Claim,
        secret: &str,
    ) -> Result<(String, String), Refusal> {
        match self {
            Self::Acs3HmacSha256 => acs3_hmac_sha256::expected(request, claim, secret),
            Self::AcsHmacSha1 => Ok(acs_hmac_sha1::expected(request, secret)),
        }
    }
}

/// Formats Unix seconds as the schemes' time stamps: `2024-01-02T03:04:05Z`.
fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
}

/// Reads a time stamp of exactly that form.
fn read_timestamp(text: &str) -> Option<i64> {
    let exact = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    exact.then(|| text.parse::<jiff::Timestamp>().ok()).flatten().map(jiff::Timestamp::as_second)
}
