//! The lines of a file, as they are written. What can be told from the rest may be left out.

use crate::history::{Lost, Span, Tamper};
use crate::model::When;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The first line: where the histories are from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of rotaprobe whose form the file has.
    pub rotaprobe: String,
    /// Name of the vendor.
    pub vendor: String,
    /// Version of the vendor's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// The endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Seed of everything random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Operations that the endpoint does not know: nothing is held against it for lacking them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// Any line but the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// A new history begins: nothing of the one before counts for it.
    Begins(Begins),
    /// A call was made.
    Call(Box<CallLine>),
    /// The endpoint's clock was advanced by that many seconds.
    Advanced(i64),
    /// A secret that was there already is used: what it showed is taken for granted.
    Adopted(Box<Adopted>),
    /// Schedules had time to act: what is due must have happened, and what went on must have ended.
    Settled {},
}

/// What a history is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Begins {
    /// The rule that it exercises, where it was made for one: its own judge is asked too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When each account made rotations before that may count for a limit, Unix seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spent: Vec<Vec<i64>>,
    /// Why it ended before all was shown that was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Why a history ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cut {
    /// To spare the account: what holds so far is not enough.
    Spared(String),
    /// Something was lacking; what was shown before counts.
    Short(String),
    /// The harness could not do its job.
    Broken(String),
}

/// One call and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallLine {
    /// The operation, by the name that travels.
    pub operation: String,
    /// Parameters in order; the same name may stand twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<ParamLine>,
    /// Index of the account that signed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account: usize,
    /// How it travelled, where that is not as the spec says.
    #[serde(default, skip_serializing_if = "HowLine::is_usual")]
    pub how: HowLine,
    /// What was wrong with its signature, on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tamper: Option<Tamper>,
    /// The endpoint's time while it ran; the `Date` of the reply, give or take two seconds, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Period>,
    /// When it ran by the observer's stopwatch, in microseconds; after the one before it, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The bytes that were sent; only reports need them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Sent>,
    /// What came back.
    pub result: Came,
    /// Whether the caller's secret key stood in the reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub key_shown: bool,
}

const fn is_zero(number: &usize) -> bool {
    *number == 0
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// One parameter, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParamLine {
    /// The name that travels.
    pub name: String,
    /// Its value, before any encoding.
    pub value: String,
    /// Where it travelled.
    #[serde(default, skip_serializing_if = "PlaceName::is_documented")]
    pub place: PlaceName,
}

/// Where a parameter travelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceName {
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

impl PlaceName {
    fn is_documented(&self) -> bool {
        *self == Self::Documented
    }
}

/// How a call travelled. What is left out is as the spec says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HowLine {
    /// Signing scheme, by its name in the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Reply format that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// API version that was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Path that it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where all parameters travelled.
    #[serde(default, skip_serializing_if = "PlaceName::is_documented")]
    pub place: PlaceName,
}

impl HowLine {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A span of time in Unix seconds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Not before.
    pub from: i64,
    /// Not after.
    pub to: i64,
}

impl From<When> for Period {
    fn from(when: When) -> Self {
        Self { from: when.lo, to: when.hi }
    }
}

/// A request as it travelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// HTTP method.
    pub method: String,
    /// Path and query, as on the request line.
    pub target: String,
    /// Header lines in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// The body, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Came {
    /// A whole reply.
    Response(Answer),
    /// None, or not all of it.
    Lost(Lost),
}

/// A reply as it travelled. Of `body`, `json` and `base64`, one at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header lines in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// The body, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body as JSON, for those who write by hand and care for no space in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<serde_json::Value>,
    /// The body in base64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// A header line. One of `value` and `base64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, where it is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its value in base64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// A secret that was there already, as it showed itself. Its values are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adopted {
    /// Index of the account that it belongs to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub account: usize,
    /// Its name.
    pub name: String,
    /// Its kind, by its name in the spec; the spec's first if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Full identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Its versions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Version>,
    /// Whether automatic rotation is on.
    #[serde(default, skip_serializing_if = "is_false")]
    pub automatic: bool,
    /// Interval of automatic rotation in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<i64>,
    /// When it was made; unknown if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Period>,
    /// When it was rotated last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Period>,
    /// When it will be rotated next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Period>,
    /// How many ids the service has made for it; as many as it has versions, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<u32>,
    /// Function that rotates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// When automatic rotation happens, as an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// A version of a secret that was there already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its id.
    pub id: String,
    /// When it was made; unknown if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Period>,
    /// Its stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<String>,
}
