//! Plans: what a campaign does, made from bytes.
//!
//! A campaign's input is bytes; [`Plan::decode`] makes a plan of them for a vendor's spec: a few secrets,
//! calls of every operation with parameters that are right, at their bounds, wrong or hostile, moves of
//! the clock, and groups of calls at once. The same bytes mean the same plan for the fuzzer, for
//! libFuzzer and in a corpus; whoever wants random plans makes random bytes, and no bytes at all are the
//! simplest plan. A plan names values by what they are ("the second token"), so that it can be made again
//! on fresh secrets.

mod choices;
mod decode;
mod mishaps;
mod small;
mod steps;
#[cfg(feature = "strategies")]
pub mod strategies;
pub(crate) mod texts;
mod values;

pub use choices::{Choice, Of};
pub use small::Small;

use crate::history::{Leave, Tamper};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A campaign's unit of work: secrets, and what is done to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Secrets that are made first.
    pub secrets: Vec<Planted>,
    /// What is done then, in order.
    pub steps: Vec<Step>,
}

/// A secret that a plan begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    /// Its kind, by the spec's name.
    pub kind: String,
    /// Which of the kind's samples makes it.
    #[serde(default)]
    pub sample: usize,
    /// Index of the account that it belongs to.
    #[serde(default)]
    pub account: usize,
    /// What it is called.
    #[serde(default)]
    pub called: Called,
    /// What its creation says beside what it must.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Argument>,
}

/// What a secret is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Called {
    /// As nothing else.
    #[default]
    Anew,
    /// As the plan's first secret, in another account.
    AsTheFirst,
    /// As the plan's first secret, with something after it.
    AfterTheFirst,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// A call is made.
    Call(Ask),
    /// Calls are made at the same time.
    Together(Vec<Ask>),
    /// The endpoint's clock is advanced by that many seconds.
    Advance(i64),
    /// A call is made so many times, each time with a new idempotency token.
    Often(Ask, usize),
    /// A list is asked for page by page, to its end.
    Pages(Ask),
}

/// A call of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The operation, by the name that travels.
    pub operation: String,
    /// Which of the plan's secrets it is about.
    #[serde(default)]
    pub secret: usize,
    /// Whether another account than the secret's own signs it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Argument>,
    /// Signing scheme, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// What is wrong with its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tamper: Option<Tamper>,
    /// How it travels, where that is not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manner: Option<Manner>,
    /// When its connection is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<Leave>,
}

/// How a call travels, where that is not as usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Manner {
    /// In this HTTP method.
    Method(String),
    /// It asks for replies in this format.
    Format(String),
    /// It names this version of the API.
    Version(String),
    /// It names this operation.
    Operation(String),
    /// It goes to this path.
    Path(String),
    /// Its parameters stand in a form body.
    InBody,
    /// A parameter stands twice, the second time with another value.
    Twice(String, Given, Beside),
}

/// Where a parameter stands that stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// Both times where documents say.
    Documented,
    /// Both times in the query.
    InQuery,
    /// In the query, then in a form body.
    QueryAndBody,
    /// In a form body, then in the query.
    BodyAndQuery,
}

/// One parameter of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What is given.
    pub value: Given,
    /// How that relates to what is documented.
    #[serde(default)]
    pub class: Class,
}

/// How a value relates to what is documented.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// As documented.
    #[default]
    Valid,
    /// At a documented bound.
    Boundary,
    /// Outside what is documented.
    Invalid,
    /// Nothing that any document thinks of.
    Malformed,
    /// Left out, though normal calls give it.
    Absent,
}

/// A value, by what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Given {
    /// This text.
    Text(String),
    /// The name of the call's secret.
    Name,
    /// The full identifier of the call's secret, where one is known.
    Identifier,
    /// Something like another value.
    Like(Box<Given>, Twist),
    /// The n-th idempotency token of the plan.
    Token(usize),
    /// The n-th secret value of the plan.
    Value(usize),
    /// The n-th secret value of the plan, in the form that a sample of a kind gives it.
    Sampled {
        /// The kind, by the spec's name.
        kind: String,
        /// Which of its samples.
        sample: usize,
        /// Which value.
        value: usize,
    },
    /// The n-th version that the secret is known to have, the first one being 0.
    Version(usize),
    /// The version that has the call's stage, as far as replies have shown it.
    Holder,
    /// The n-th task that was told of, the last one being 0.
    Task(usize),
    /// Where the last list said that it goes on.
    Marker,
    /// A stage that no document names; another one each time, where a call is made often.
    OwnStage,
    /// The project of the call's account.
    Project,
}

/// What makes a text another one that careless code may take for the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Twist {
    /// This stands after it.
    With(String),
    /// Its last character is missing.
    Shorter,
    /// Its last letters are in the other case.
    InOtherCase,
    /// A blank stands before it.
    AfterBlank,
}

impl Given {
    /// The name of the call's secret with something after it.
    pub fn name_with(more: impl Into<String>) -> Self {
        Self::Like(Box::new(Self::Name), Twist::With(more.into()))
    }

    /// This, in every way a little otherwise.
    pub fn twisted(&self) -> Vec<Self> {
        let twists = [Twist::Shorter, Twist::InOtherCase, Twist::AfterBlank, Twist::With("x".to_owned())];
        twists.map(|twist| Self::Like(Box::new(self.clone()), twist)).to_vec()
    }
}

impl Twist {
    /// The other text.
    pub fn of(&self, text: &str) -> String {
        let without_last = || text.char_indices().next_back().map_or("", |(at, _)| &text[..at]);
        match self {
            Self::With(more) => format!("{text}{more}"),
            Self::Shorter => without_last().to_owned(),
            Self::InOtherCase => {
                let other = |c: char| {
                    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
                };
                let last = text.char_indices().rev().filter(|(_, c)| c.is_ascii_alphabetic()).take(2).last();
                let (before, end) = text.split_at(last.map_or(text.len(), |(at, _)| at));
                format!("{before}{}", end.chars().map(other).collect::<String>())
            }
            Self::AfterBlank => format!(" {text}"),
        }
    }
}

impl Plan {
    /// Calls that the plan makes, those that make its secrets not counted.
    pub fn calls(&self) -> usize {
        self.steps
            .iter()
            .map(|step| match step {
                Step::Call(_) | Step::Pages(_) => 1,
                Step::Together(asks) => asks.len(),
                Step::Often(_, times) => *times,
                Step::Advance(_) => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twist_makes_another_text_of_every_text() {
        let twisted = |text: &str| {
            let all = Given::Name.twisted();
            let twists = all.iter().map(|given| match given {
                Given::Like(_, twist) => twist.of(text),
                _ => String::new(),
            });
            twists.collect::<Vec<_>>()
        };
        assert_eq!(twisted("rota-1Ab"), ["rota-1A", "rota-1aB", " rota-1Ab", "rota-1Abx"]);
        assert_eq!(twisted("v\u{e9}1"), ["v\u{e9}", "V\u{e9}1", " v\u{e9}1", "v\u{e9}1x"]);
        assert_eq!(twisted(""), ["", "", " ", "x"]);
    }
}
