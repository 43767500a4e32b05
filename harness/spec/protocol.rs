//! The protocol: its family, and what is particular to a vendor's requests and replies.

use super::Sources;
use super::Table;
use crate::model::Meaning;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Protocol family and its particulars.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protocol {
    /// Which codec speaks it.
    pub family: Family,
    /// The one path of the API; operations of `rest-json` have paths of their own.
    #[serde(default = "root")]
    pub path: String,
    /// HTTP methods that are documented; the first is used by default.
    pub methods: Vec<String>,
    /// Operations of the API beside those that the spec describes, as method and path: `PUT /v1/{project}/names/{name}`.
    #[serde(default)]
    pub others: Vec<String>,
    /// Reply formats that can be asked for; the first is the default.
    #[serde(default = "json_alone")]
    pub formats: Vec<Format>,
    /// Where a request names its operation.
    #[serde(default)]
    pub operation: Naming,
    /// Where a request names the API version.
    #[serde(default)]
    pub version: Naming,
    /// Further headers, or parameters where headers are not signed: `{region}` stands for the region.
    #[serde(default)]
    pub also: Vec<Naming>,
    /// Headers that official clients send beside the signature: `{region}` and `{project}` stand for those.
    #[serde(default)]
    pub headers: Table<String, String>,
    /// HTTP statuses of a success, the usual one first; none where documents do not name them.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Content type of requests whose body is JSON.
    #[serde(default = "plain_json")]
    pub content_type: String,
    /// Content type of replies in JSON.
    #[serde(default = "plain_json")]
    pub reply_content_type: String,
    /// Member that holds what every success reply says.
    #[serde(default)]
    pub wrapper: Option<String>,
    /// Member that holds what every error says, where it is another.
    #[serde(default)]
    pub error_wrapper: Option<String>,
    /// Header of the request id, where replies carry it there.
    #[serde(default)]
    pub request_id_header: Option<String>,
    /// Whether a code may stand behind a namespace and `#`, or before `:` and an address.
    #[serde(default)]
    pub qualified_codes: bool,
    /// Whether a code may be answered by the part of it before the first dot.
    #[serde(default)]
    pub parent_codes: bool,
    /// Shapes of a reply that says no.
    pub error_envelopes: Vec<ErrorEnvelope>,
    /// Root elements of XML replies; `{operation}` stands for the operation's name.
    #[serde(default)]
    pub xml_roots: Vec<String>,
    /// Root elements of XML errors.
    #[serde(default)]
    pub xml_error_roots: Vec<String>,
    /// Identifier of a secret, with `{region}`, `{account}`, `{secret}` and `{random}`.
    #[serde(default)]
    pub identifier: String,
    /// Whether older pages speak of names alone, so that a full identifier may reach nothing.
    #[serde(default)]
    pub identifier_open: bool,
    /// Region that samples use.
    pub region: String,
    /// Numbers, or project ids, of the reference's two accounts.
    pub accounts: Vec<String>,
    /// Where this is documented.
    pub source: Sources,
}

/// Where a request names something: in a header, or in a parameter where the signature covers those.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Naming {
    /// The header.
    #[serde(default)]
    pub header: Option<String>,
    /// What stands before the name in the header.
    #[serde(default)]
    pub prefix: String,
    /// The parameter.
    #[serde(default)]
    pub parameter: Option<String>,
    /// True where the parameter stands in the query even though the signature is a header.
    #[serde(default)]
    pub in_query: bool,
    /// What is named, where it is always the same.
    #[serde(default)]
    pub value: Option<String>,
}

impl Naming {
    /// Whether a request names it at all.
    pub const fn named(&self) -> bool {
        self.header.is_some() || self.parameter.is_some()
    }
}

fn root() -> String {
    "/".into()
}

fn plain_json() -> String {
    "application/json".into()
}

fn json_alone() -> Vec<Format> {
    vec![Format::Json]
}

/// Protocol families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Parameters in query and form body; the operation is a parameter or a header.
    RpcQuery,
    /// Parameters in a JSON body; the operation is a header.
    JsonAction,
    /// Parameters in path, query and a JSON body; method and path are the operation.
    RestJson,
}

/// Reply formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// Shape of an error body: field names by meaning.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorEnvelope {
    /// Fields that are always there, by the name that travels.
    pub required: Table<String, Meaning>,
    /// Fields that may be there.
    #[serde(default)]
    pub optional: Table<String, Meaning>,
    /// Operations whose errors have this shape; the others have shapes without such a list.
    #[serde(default)]
    pub at: Vec<String>,
    /// Where this is documented.
    pub source: Sources,
}
