//! A vendor is a file: the typed form of `specs/*.yaml`.
//!
//! The same file drives client, emulator, judges, generator, `explain` and the docs. Each fact names
//! its source; what documents leave open or contradict is written down as such (`open`, `disputed`,
//! `settled: false`) and never becomes an accusation.

mod interpret;
pub mod interval;
mod law;
mod load;

pub use interpret::{Complaint, Reading, interpret};
pub(crate) use interpret::{setting, truth};
pub use load::{SpecError, Vendor, embedded, embedded_names, from_file, from_text};

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

/// One operation of the API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    /// What it is for.
    pub role: Role,
    /// Parameters by the name that travels.
    pub parameters: IndexMap<String, Parameter>,
    /// Fields of a success reply.
    pub reply: IndexMap<String, Field>,
    /// Codes that the operation's own page names.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Where this is documented.
    pub source: Sources,
}

/// How a parameter or field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// Text.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`; a request may write it in any case.
    Boolean,
    /// A point in time, ISO 8601 in UTC.
    Time,
    /// Text that holds JSON.
    Json,
    /// A list.
    List,
    /// A map.
    Map,
}

/// One parameter of a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameter {
    /// What it means.
    pub is: Meaning,
    /// How it is written.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Must it be there?
    #[serde(default)]
    pub required: bool,
    /// It counts only under this condition, and is ignored otherwise.
    #[serde(default)]
    pub only_if: Option<OnlyIf>,
    /// Least length in characters (text), or least value (integer).
    #[serde(default)]
    pub min: Option<i64>,
    /// Greatest length in characters (text), or greatest value (integer).
    #[serde(default)]
    pub max: Option<i64>,
    /// True where `max` counts UTF-8 bytes.
    #[serde(default)]
    pub bytes: bool,
    /// Regular expression that the whole value matches.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Allowed values.
    #[serde(default)]
    pub values: Vec<String>,
    /// Value that counts when it is left out.
    #[serde(default)]
    pub default: Option<String>,
    /// A parameter that must not be given together with this one set to true.
    #[serde(default)]
    pub excludes: Option<String>,
    /// A value that fits; where it is left out, one is made from the meaning.
    #[serde(default)]
    pub example: Option<String>,
    /// Constraints that documents leave open here: breaking them is neither right nor wrong.
    #[serde(default)]
    pub open: Vec<Constraint>,
    /// Travels in the form body by default.
    #[serde(default)]
    pub in_body: bool,
    /// Where this is documented, where it is not the operation's own page.
    #[serde(default)]
    pub source: Sources,
    /// Rule that its bounds are judged under, where it is not the general one.
    #[serde(default)]
    pub rule: Option<String>,
    /// What documents say beyond the fields above.
    #[serde(default)]
    pub note: Option<String>,
}

/// Names of a parameter's constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Constraint {
    /// Whether it must be there.
    Required,
    /// Its least length or value.
    Min,
    /// Its greatest length or value.
    Max,
    /// Its pattern.
    Pattern,
    /// Its allowed values.
    Values,
    /// Its type.
    Type,
    /// What it excludes.
    Excludes,
    /// Whether an empty value counts as absent.
    Empty,
}

/// The condition under which a parameter counts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OnlyIf {
    /// Another parameter of the operation, of type boolean.
    pub parameter: String,
    /// The value it must have.
    pub is: bool,
    /// Rule that says so.
    pub rule: String,
    /// Rule that says that the parameter is required under the condition.
    pub required_by: String,
}

/// One field of a reply.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Field {
    /// What it means.
    pub is: Meaning,
    /// How it is written.
    #[serde(default, rename = "type")]
    pub kind: Type,
    /// Must every success reply have it?
    #[serde(default)]
    pub required: bool,
    /// Only replies about these kinds of secret have it; empty: all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Regular expression that the whole value matches.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Allowed values.
    #[serde(default)]
    pub values: Vec<String>,
    /// Name of the entries of a list: `{"VersionStage": [...]}` has `VersionStage`.
    #[serde(default)]
    pub item: Option<String>,
    /// Fields of each entry, where entries are objects.
    #[serde(default)]
    pub of: IndexMap<String, Field>,
    /// Where this is documented, where it is not the operation's own page.
    #[serde(default)]
    pub source: Sources,
    /// What documents say beyond the fields above.
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

/// A kind of secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// Can it rotate?
    pub rotates: bool,
    /// Does it take values from the caller after creation?
    pub takes_values: bool,
    /// Versions that are kept; open where it is left out.
    #[serde(default)]
    pub keeps: Option<usize>,
    /// Pattern of names, beside the parameter's own.
    #[serde(default)]
    pub name_pattern: Option<String>,
    /// The name that creation takes instead of a real one, where the service makes the name.
    #[serde(default)]
    pub literal_name: Option<String>,
    /// What the service makes of it: `{fresh}` is new for each secret.
    #[serde(default)]
    pub generated_name: Option<String>,
    /// The value that creation takes instead of a real one, where the service makes the value.
    #[serde(default)]
    pub literal_value: Option<String>,
    /// Keys of the configuration that must be there.
    #[serde(default)]
    pub config_required: Vec<String>,
    /// Allowed values of configuration keys.
    #[serde(default)]
    pub config_values: IndexMap<String, Vec<String>>,
    /// Keys of the JSON object that a read returns as value; empty where the value is free.
    #[serde(default)]
    pub value_keys: Vec<ValueShape>,
    /// Ways to create one; the first is used by default.
    pub samples: IndexMap<String, Sample>,
    /// Where this is documented.
    pub source: Sources,
    /// What documents say beyond the fields above.
    #[serde(default)]
    pub note: Option<String>,
}

/// One documented shape of a value: a JSON object with these keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ValueShape {
    /// Keys that are there.
    pub keys: Vec<String>,
}

/// One way to create a secret of a kind.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sample {
    /// Start of the name: the rest is the run's own.
    #[serde(default)]
    pub name_prefix: String,
    /// Value given at creation; `{fresh}` is new each time.
    pub value: String,
    /// Configuration given at creation.
    #[serde(default)]
    pub config: Option<String>,
    /// Configuration key and value by which the emulator recognises this sample among the kind's.
    #[serde(default)]
    pub when: IndexMap<String, String>,
    /// What a read returns: `{account}` is the account's name, `{fresh}` is new with each version, `{time}` a time stamp.
    #[serde(default)]
    pub reads: Option<String>,
    /// Where the account names are in the value given (JSON pointers), or in the configuration.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// True where two accounts take turns.
    #[serde(default)]
    pub alternates: bool,
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

impl Operation {
    /// The parameter with this meaning.
    pub fn parameter(&self, is: Meaning) -> Option<(&str, &Parameter)> {
        self.parameters.iter().find(|(_, parameter)| parameter.is == is).map(|(name, p)| (name.as_str(), p))
    }
}
