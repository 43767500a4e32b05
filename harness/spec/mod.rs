//! A vendor is a file: the typed form of `specs/*.yaml`.
//!
//! The same file drives client, emulator, judges, generator, `explain` and the docs. Each fact names
//! its source; what documents leave open or contradict is written down as such (`open`, `disputed`,
//! `settled: false`) and never becomes an accusation.

mod interpret;
pub mod interval;
mod kind;
mod law;
mod lint;
mod load;
mod operation;
mod place;
mod protocol;
mod rotation;

pub use interpret::{Complaint, Reading, interpret};
pub(crate) use interpret::{setting, truth};
pub use kind::{Kind, Sample, ValueShape};
pub use lint::{Warning, lint};
pub use load::{SpecError, Vendor, embedded, embedded_names, from_file, from_text};
pub use operation::{Bounds, Constraint, Field, Location, OnlyIf, Operation, Parameter, TimeForm, Type};
pub use protocol::{ErrorEnvelope, Family, Format, Naming, Protocol};
pub use rotation::{Deletion, Disputed, Idempotency, IdempotencyFamily, Interval, Rotation, Stages};

use crate::model::{Condition, Role};
use crate::sign::Form;
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries in the order of the file. Every call looks names up, and nobody chooses them against us: so they
/// are hashed fast.
pub type Table<K, V> = IndexMap<K, V, FixedState>;

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
    pub sources: Table<String, Source>,
    /// Operations by the name that travels.
    pub operations: Table<String, Operation>,
    /// Every documented error code.
    pub errors: Table<String, ErrorCode>,
    /// Codes that answer each refusal; the first one is what the reference emulator gives.
    pub conditions: Table<Condition, Answers>,
    /// Kinds of secret; the first one is the default.
    pub kinds: Table<String, Kind>,
    /// How a repeated rotation is recognised.
    pub idempotency: Idempotency,
    /// How rotation goes.
    #[serde(default)]
    pub rotation: Rotation,
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
    pub requirements: Table<String, Requirement>,
}

/// Signing schemes and the window of time stamps.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signing {
    /// Schemes that the endpoint must take, by name, with their constants; the first is used by default.
    pub schemes: Table<String, Form>,
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
    /// Environment variable of a token that says who calls, for schemes without a signature.
    #[serde(default)]
    pub bearer: Option<String>,
    /// Environment variable of the account number or project id.
    #[serde(default)]
    pub project: Option<String>,
    /// Environment variable of the region.
    #[serde(default)]
    pub region: Option<String>,
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
    pub at: Table<String, Vec<String>>,
    /// Where this is documented.
    pub source: Sources,
    /// Why it is open.
    #[serde(default)]
    pub why: Option<String>,
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
    /// No document says.
    Open,
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
    /// Whether another operation has this operation's path and this method.
    pub fn is_another(&self, operation: &str, method: &str) -> bool {
        let shape = |path: &str| -> Vec<String> {
            let segments = path.split('/');
            segments.map(|it| if it.starts_with('{') { String::new() } else { it.to_owned() }).collect()
        };
        let path = |operation: &Operation| operation.path.as_deref().map(shape);
        let Some(own) = self.operations.get(operation).and_then(path) else { return false };
        let described = self.operations.values().filter(|it| it.method.as_deref() == Some(method));
        let others = self.protocol.others.iter().filter_map(|other| other.split_once(' '));
        described.filter_map(path).any(|it| it == own)
            || others.into_iter().any(|(known, path)| known == method && shape(path) == own)
    }

    /// The name of the operation that has this role, and the operation.
    pub fn operation_for(&self, role: Role) -> Option<(&str, &Operation)> {
        self.operations
            .iter()
            .find(|(_, operation)| operation.role == role)
            .map(|(name, op)| (name.as_str(), op))
    }

    /// Every operation that has this role, in the order of the spec.
    pub fn operations_for(&self, role: Role) -> impl Iterator<Item = (&str, &Operation)> {
        self.operations.iter().filter(move |(_, it)| it.role == role).map(|(name, it)| (name.as_str(), it))
    }

    /// The operation of this role for a kind of secret.
    pub fn operation_at(&self, role: Role, kind: &str) -> Option<(&str, &Operation)> {
        self.operations_for(role).find(|(_, it)| it.serves(kind))
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
            // What has no entry of its own is answered like its nearest relative, and never settled.
            None => match condition {
                Condition::WrongScope => (self.answers(Condition::Mismatch, operation).0, false),
                Condition::StageMismatch => (self.answers(Condition::UnknownVersion, operation).0, false),
                Condition::BuiltInStage => (self.answers(Condition::Missing, operation).0, false),
                Condition::Busy | Condition::NoFunction => {
                    (self.answers(Condition::KindCannotRotate, operation).0, false)
                }
                Condition::Invalid | Condition::Internal => (&[], false),
                _ => (self.answers(Condition::Invalid, operation).0, false),
            },
        }
    }

    /// HTTP statuses that a success of an operation may have, the usual one first; none where documents name none.
    pub fn successes(&self, operation: &str) -> &[u16] {
        let own = self.operations.get(operation).map(|operation| operation.status.as_slice());
        own.filter(|own| !own.is_empty()).unwrap_or(&self.protocol.status)
    }

    /// The usual HTTP status of an operation's success; 200 where documents name none.
    pub fn usual_success(&self, operation: &str) -> u16 {
        self.successes(operation).first().copied().unwrap_or(200)
    }

    /// Does a code answer for one of these documented ones?
    pub fn any_fits(&self, templates: &[String], code: &str) -> bool {
        templates.iter().any(|template| self.code_fits(template, code))
    }

    /// Does a code answer for a documented one? `{parameter}` in it stands for a parameter's name, and
    /// where the vendor's codes are families, the family answers for its members.
    pub fn code_fits(&self, template: &str, code: &str) -> bool {
        match template.split_once("{parameter}") {
            None => {
                let parent = template.split('.').next().filter(|_| self.protocol.parent_codes);
                template == code || parent == Some(code)
            }
            Some((before, after)) => {
                let middle = code.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                middle.is_some_and(|name| {
                    !name.is_empty()
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                        && name.starts_with(|c: char| c.is_ascii_uppercase())
                })
            }
        }
    }
}
