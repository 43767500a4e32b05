//! Signing schemes: each file signs and verifies one, side by side, from the bytes that travel.
//!
//! What the two directions share cannot judge itself; `specs/vectors/` holds signatures that the
//! vendors' own signers produced.

/// A signing scheme.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// V3
    Acs3HmacSha256,
    /// V1
    AcsHmacSha1,
}
impl Scheme {
    /// Whether the operation is named in headers.
    pub const fn operation_in_headers(self) -> bool {
        matches!(self, Self::Acs3HmacSha256)
    }
}
/// stub
#[derive(Clone, Debug)]
pub struct Credentials {
    /// x
    pub id: String,
    /// x
    pub secret: String,
    /// x
    pub token: Option<String>,
}
/// stub
#[derive(Clone, Debug)]
pub enum Refusal {
    /// x
    Unsigned,
    /// x
    Malformed(String),
    /// x
    Missing(&'static str),
    /// x
    BadTimestamp,
    /// x
    WrongMethod,
    /// x
    Mismatch {
        /// x
        string_to_sign: String,
    },
    /// x
    BodyHash,
}
/// stub
#[derive(Clone, Debug)]
pub struct Claim {
    /// x
    pub key_id: String,
    /// x
    pub at: Option<i64>,
    /// x
    pub nonce: Option<String>,
}
impl Scheme {
    /// stub
    pub fn announces(self, _: &crate::wire::Request) -> bool {
        true
    }
    /// stub
    pub fn claim(self, _: &crate::wire::Request) -> Result<Claim, Refusal> {
        Err(Refusal::Unsigned)
    }
    /// stub
    pub fn verify(self, _: &crate::wire::Request, _: &str) -> Result<(), Refusal> {
        Ok(())
    }
}
