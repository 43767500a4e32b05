//! Operations: their parameters, the fields of their replies, and what documents leave open of both.

use super::Sources;
use super::Table;
use super::interval::{Length, Unit};
use crate::model::{Meaning, Role, State};
use crate::wire::time as iso;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One operation of the API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    /// What it is for.
    pub role: Role,
    /// HTTP method, where it has one of its own.
    #[serde(default)]
    pub method: Option<String>,
    /// Path, where it has one of its own: `{name}` stands for the parameter of that name.
    #[serde(default)]
    pub path: Option<String>,
    /// HTTP statuses of a success, where they are not those of the protocol.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Kinds of secret that it is for; empty: all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Whether a deletion by it is final at once.
    #[serde(default)]
    pub forced: bool,
    /// Parameters by the name that travels.
    pub parameters: Table<String, Parameter>,
    /// Fields of a success reply.
    pub reply: Table<String, Field>,
    /// Codes that the operation's own page names.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Where this is documented.
    pub source: Sources,
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// In the query.
    Query,
    /// In the body.
    Body,
    /// In the path.
    Path,
}

/// How a point in time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeForm {
    /// ISO 8601 in UTC.
    #[default]
    Iso,
    /// Seconds since 1970, as a number that may have a fraction.
    Seconds,
    /// Milliseconds since 1970, as a number.
    Millis,
    /// `2024-01-02 03:04:05`, in a zone that no document states.
    Local,
}

impl TimeForm {
    /// A point in time, in seconds since 1970, as a text of this form; nothing beyond the calendar.
    pub fn write(self, at: i64) -> Option<String> {
        Some(match self {
            Self::Iso => iso::write(at)?,
            Self::Seconds => at.to_string(),
            Self::Millis => at.checked_mul(1_000)?.to_string(),
            Self::Local => iso::write(at)?.replace('T', " ").trim_end_matches('Z').to_owned(),
        })
    }

    /// The point in time that a text of this form is, in seconds since 1970; as if it were in UTC where the
    /// form states no zone.
    pub fn read(self, text: &str) -> Option<i64> {
        match self {
            Self::Iso => iso::read(text),
            Self::Seconds => text.parse().ok(),
            Self::Millis => text.parse::<i64>().ok().map(|at| at.div_euclid(1_000)),
            Self::Local => iso::read(&format!("{}Z", text.replacen(' ', "T", 1))),
        }
    }
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
    /// A point in time.
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
    /// Least length in characters (text), least value (integer), or least number of entries (list).
    #[serde(default)]
    pub min: Option<i64>,
    /// Greatest length in characters (text), greatest value (integer), or greatest number of entries (list).
    #[serde(default)]
    pub max: Option<i64>,
    /// Bounds of each entry of a list.
    #[serde(default)]
    pub each: Bounds,
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
    /// A parameter that must not be given together with this one; where this one is a truth value, with it set to true.
    #[serde(default)]
    pub excludes: Option<String>,
    /// Parameters beside one of which it counts; what it does without them is said nowhere.
    #[serde(default)]
    pub beside: Vec<String>,
    /// A parameter of which nobody says what comes of it where this one is given.
    #[serde(default)]
    pub unsettles: Option<String>,
    /// A value that fits; where it is left out, one is made from the meaning.
    #[serde(default)]
    pub example: Option<String>,
    /// Constraints that documents leave open here: breaking them is neither right nor wrong.
    #[serde(default)]
    pub open: Vec<Constraint>,
    /// Where it travels, where the family does not say or this is another place.
    #[serde(default, rename = "in")]
    pub place: Option<Location>,
    /// Whether calls give it though it is not required.
    #[serde(default)]
    pub sent: bool,
    /// A value that fits and names nothing that there is.
    #[serde(default)]
    pub absent: Option<String>,
    /// How a point in time is written.
    #[serde(default)]
    pub form: TimeForm,
    /// Unit of an interval that is a bare number.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// Least period of a schedule expression.
    #[serde(default)]
    pub least: Option<Length>,
    /// Greatest period of a schedule expression.
    #[serde(default)]
    pub greatest: Option<Length>,
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

/// Bounds of a length in characters, a value, or a number of entries.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bounds {
    /// The least.
    #[serde(default)]
    pub min: Option<i64>,
    /// The greatest.
    #[serde(default)]
    pub max: Option<i64>,
}

impl Bounds {
    /// The constraint that a size breaks, and how; `what` is what has the size.
    pub fn broken_by(self, size: i64, what: &str) -> Option<(Constraint, String)> {
        if let Some(min) = self.min.filter(|min| size < *min) {
            return Some((Constraint::Min, format!("has {what} {size}, and the least is {min}")));
        }
        let max = self.max.filter(|max| size > *max)?;
        Some((Constraint::Max, format!("has {what} {size}, and the greatest is {max}")))
    }
}

impl Parameter {
    /// Whether normal calls give it.
    pub const fn given(&self) -> bool {
        self.required || self.sent
    }

    /// The constraints that documents state, whether they are open or not.
    pub fn constraints(&self) -> Vec<Constraint> {
        let text = matches!(self.kind, Type::Text | Type::Time);
        // Whoever signs fills in the own account's project.
        let needed = (self.required || self.only_if.is_some()) && self.is != Meaning::Project;
        let demands_something = needed && !self.open.contains(&Constraint::Required);
        let all = [
            (Constraint::Empty, demands_something),
            (Constraint::Min, self.min.is_some_and(|min| !text || min > 0)),
            (Constraint::Max, self.max.is_some()),
            (Constraint::Pattern, self.pattern.is_some()),
            (Constraint::Values, !self.values.is_empty()),
            (Constraint::Type, !text),
            (Constraint::Excludes, self.excludes.is_some()),
        ];
        all.into_iter().filter(|(_, stated)| *stated).map(|(constraint, _)| constraint).collect()
    }
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
    /// How a time is written.
    #[serde(default)]
    pub form: TimeForm,
    /// Unit of an interval that is a bare number.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// What the values of a state mean.
    #[serde(default)]
    pub states: Table<String, State>,
    /// What the reference gives where it knows nothing better.
    #[serde(default)]
    pub gives: Option<serde_json::Value>,
    /// Name of the entries of a list: `{"VersionStage": [...]}` has `VersionStage`.
    #[serde(default)]
    pub item: Option<String>,
    /// Fields of each entry, where entries are objects.
    #[serde(default)]
    pub of: Table<String, Field>,
    /// Where this is documented, where it is not the operation's own page.
    #[serde(default)]
    pub source: Sources,
    /// What documents say beyond the fields above.
    #[serde(default)]
    pub note: Option<String>,
}

impl Operation {
    /// Whether it is for a kind of secret.
    pub fn serves(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|it| it == kind)
    }

    /// What a parameter means.
    pub fn meaning(&self, name: &str) -> Option<Meaning> {
        self.parameters.get(name).map(|parameter| parameter.is)
    }

    /// The parameter with this meaning.
    pub fn parameter(&self, is: Meaning) -> Option<(&str, &Parameter)> {
        self.parameters.iter().find(|(_, parameter)| parameter.is == is).map(|(name, p)| (name.as_str(), p))
    }
}
