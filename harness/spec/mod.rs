//! A vendor is a file: the typed form of `specs/*.yaml`.
//!
//! The same file drives client, emulator, judges, generator, `explain` and the docs. Each fact names
//! its source; what documents leave open or contradict is written down as such (`open`, `disputed`,
//! `settled: false`) and never becomes an accusation.

mod interpret;
pub mod interval;
mod kind;
mod law;
mod load;
mod operation;

pub use interpret::{Complaint, Reading, interpret};
pub(crate) use interpret::{setting, truth};
pub use kind::{Kind, Sample, ValueShape};
pub use load::{SpecError, Vendor, embedded, embedded_names, from_file, from_text};
pub use operation::{Constraint, Field, OnlyIf, Operation, Parameter, Type};

use crate::model::{Condition, Meaning, Role};
use crate::sign::Scheme;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names of entries in [`Spec::sources`].
pub type Sources = Vec<String>;

/// Everything a vendor documents about rotation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    /// Short name: `--vendor` takes it.
    pub vendor: String,
    /// What the vendor calls the product.
    pub title: String,
    /// API version as it travels, for example `2016-01-20`.
    pub version: String,
    /// Protocol family and what it leaves open.
    pub protocol: Protocol,
    /// Signing schemes and the window of time stamps.
    pub signing: Signing,
    /// Where the command line finds access keys.
    pub credentials: CredentialNames,
    /// The documents that facts are taken from.
    pub sources: IndexMap<String, Source>,
    /// Operations by the name that travels.
    pub operations: IndexMap<String, Operation>,
    /// Every documented error code.
    pub errors: IndexMap<String, ErrorCode>,
    /// Codes that answer each refusal; the first one is what the reference emulator gives.
    pub conditions: IndexMap<Condition, Answers>,
    /// Kinds of secret; the first one is the default.
    pub kinds: IndexMap<String, Kind>,
    /// How a repeated rotation is recognised.
    pub idempotency: Idempotency,
    /// Interval of automatic rotation.
    pub interval: Interval,
    /// Names of the built-in stages and limits on others.
    pub stages: Stages,
    /// Deletion windows.
    pub deletion: Deletion,
    /// Documented limits on the number of calls.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Level of each rule for this vendor.
    pub requirements: IndexMap<String, Requirement>,
}

/// Protocol family and its particulars.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Protocol {
    /// Which codec speaks it.
    pub family: Family,
    /// The one path of the API.
    pub path: String,
    /// HTTP methods that are documented; the first is used by default.
    pub methods: Vec<String>,
    /// Reply formats that can be asked for; the first is the default.
    pub formats: Vec<Format>,
    /// Shapes of a reply that says no.
    pub error_envelopes: Vec<ErrorEnvelope>,
    /// Root elements of XML replies; `{operation}` stands for the operation's name.
    pub xml_roots: Vec<String>,
    /// Root elements of XML errors.
    pub xml_error_roots: Vec<String>,
    /// Identifier of a secret, with `{region}`, `{account}` and `{secret}`.
    pub identifier: String,
    /// Region that samples use.
    pub region: String,
    /// Where this is documented.
    pub source: Sources,
}

/// Protocol families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Parameters in query and form body; the operation is the parameter `Action` or a header.
    RpcQuery,
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
    pub required: IndexMap<String, Meaning>,
    /// Fields that may be there.
    #[serde(default)]
    pub optional: IndexMap<String, Meaning>,
    /// Where this is documented.
    pub source: Sources,
}

/// Signing schemes and the window of time stamps.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signing {
    /// Schemes that the endpoint must take; the first is used by default.
    pub schemes: Vec<Scheme>,
    /// Seconds that a time stamp may differ from the endpoint's clock, for certain.
    pub accepted_within: i64,
    /// Seconds of difference that are refused, for certain. What lies between is open.
    pub refused_beyond: i64,
    /// Where this is documented.
    pub source: Sources,
}

/// Where the command line finds access keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CredentialNames {
    /// Environment variable of the access key id.
    pub key: String,
    /// Environment variable of the access key secret.
    pub secret: String,
    /// Environment variable of a session token.
    #[serde(default)]
    pub token: Option<String>,
    /// Suffix of the second account's variables.
    pub second: String,
    /// Where the names come from.
    pub source: Sources,
}

/// A document that facts are taken from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// Title of the page or package.
    pub title: String,
    /// Date of the edition, where it is known.
    #[serde(default)]
    pub dated: Option<String>,
    /// What to know about it.
    #[serde(default)]
    pub note: Option<String>,
}

/// A documented error code.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorCode {
    /// HTTP statuses that documents print for it; the first is what the reference emulator gives.
    pub status: Vec<u16>,
    /// What the reference emulator says; `{parameter}` stands for the parameter's name. Never compared.
    #[serde(default)]
    pub message: Option<String>,
    /// Where this is documented.
    pub source: Sources,
}

/// Codes that answer a refusal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answers {
    /// Codes, `{parameter}` standing for a parameter's name; the first is what the reference emulator gives.
    pub codes: Vec<String>,
    /// True where documents settle the code; false where they only suggest candidates, so that
    /// another code is worth a note and no more.
    pub settled: bool,
    /// Codes that answer it at some operations instead.
    #[serde(default)]
    pub at: IndexMap<String, Vec<String>>,
    /// Where this is documented.
    pub source: Sources,
    /// Why it is open.
    #[serde(default)]
    pub why: Option<String>,
}

/// How a repeated rotation is recognised.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Idempotency {
    /// What identifies it.
    pub family: IdempotencyFamily,
    /// Where this is documented.
    pub source: Sources,
}

/// What identifies a repeated rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdempotencyFamily {
    /// The version id that the caller chooses.
    VersionId,
    /// Nothing: each call rotates.
    None,
}

/// Interval of automatic rotation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Interval {
    /// Units that follow the number.
    pub units: Vec<interval::Unit>,
    /// Least interval, inclusive.
    pub min: interval::Length,
    /// Greatest interval, inclusive.
    pub max: interval::Length,
    /// Ranges in which documents contradict each other.
    #[serde(default)]
    pub disputed: Vec<Disputed>,
    /// Spellings on which documents are silent.
    #[serde(default)]
    pub open: Vec<interval::Spelling>,
    /// Unit in which it is read back.
    pub canonical: interval::Unit,
    /// Where this is documented.
    pub source: Sources,
}

/// A range of intervals in which documents contradict each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Disputed {
    /// First disputed interval.
    pub from: interval::Length,
    /// First interval that is not disputed any more.
    pub below: interval::Length,
    /// Who says what.
    pub why: String,
    /// The documents that disagree.
    pub source: Sources,
}

/// Built-in stages and limits on others.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stages {
    /// The stage of the version that is read by default.
    pub current: String,
    /// The stage of the version that was current before.
    pub previous: String,
    /// Stages that a secret has at most, built-in ones included.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// Where this is documented.
    pub source: Sources,
}

/// Deletion windows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deletion {
    /// Days until a deletion is final, where the call does not say.
    pub default_days: i64,
    /// Roles that a secret in its window refuses, as documents say. The others are open.
    pub refuses: Vec<Role>,
    /// Roles that work on a secret in its window, as documents say.
    pub allows: Vec<Role>,
    /// Where this is documented.
    pub source: Sources,
}

/// A documented limit on the number of calls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// What is limited.
    pub role: Role,
    /// Calls in a window.
    pub calls: u32,
    /// Length of a window.
    pub per: interval::Length,
    /// Who shares the limit.
    pub scope: Scope,
    /// Where this is documented.
    pub source: Sources,
    /// What is open about it.
    #[serde(default)]
    pub note: Option<String>,
}

/// Who shares a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All secrets of an account together.
    Account,
}

/// How much a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// No document says: what is seen is recorded, and never a failure.
    Unspecified,
    /// Documents imply it or recommend it.
    Should,
    /// A document states it.
    Must,
}

/// A rule's level for this vendor, with its reason.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requirement {
    /// How much it binds.
    pub level: Level,
    /// What the documents say, in our words.
    pub why: String,
    /// Where this is documented; empty where no document states it.
    #[serde(default)]
    pub source: Sources,
}

impl Spec {
    /// The name of the operation that has this role, and the operation.
    pub fn operation_for(&self, role: Role) -> Option<(&str, &Operation)> {
        self.operations
            .iter()
            .find(|(_, operation)| operation.role == role)
            .map(|(name, op)| (name.as_str(), op))
    }

    /// Level of a rule here; unspecified where the spec does not name it.
    pub fn level(&self, rule: &str) -> Level {
        self.requirements.get(rule).map_or(Level::Unspecified, |requirement| requirement.level)
    }

    /// Titles and dates of sources, for people.
    pub fn cite(&self, names: &[String]) -> String {
        let cited: Vec<String> = names
            .iter()
            .filter_map(|name| self.sources.get(name))
            .map(|source| match &source.dated {
                Some(dated) => format!("{}, {dated}", source.title),
                None => source.title.clone(),
            })
            .collect();
        cited.join("; ")
    }

    /// Codes that answer a condition at an operation, and whether documents settle them.
    pub fn answers(&self, condition: Condition, operation: &str) -> (&[String], bool) {
        match self.conditions.get(&condition) {
            Some(answers) => match answers.at.get(operation) {
                Some(codes) => (codes, true),
                None => (&answers.codes, answers.settled),
            },
            None => (&[], false),
        }
    }
}
