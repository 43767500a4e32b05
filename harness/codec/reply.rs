//! A reply after decoding.

use super::Tree;
use crate::model::{Facts, Meaning};
use crate::spec::{Format, Operation};

/// A reply after decoding.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Format it came in, where it could be told.
    pub format: Option<Format>,
    /// Its request id.
    pub request_id: Option<String>,
    /// What it says.
    pub body: Body,
}

/// What a reply says.
#[derive(Clone, Debug)]
pub enum Body {
    /// The call succeeded.
    Done {
        /// What it states, by meaning.
        facts: Facts,
        /// The body as JSON, whatever format it came in. It may hold a secret value.
        json: Tree<'static>,
    },
    /// The call was refused.
    Refused {
        /// Error code.
        code: String,
        /// What does not fit a documented envelope; empty if it fits one.
        misfit: String,
    },
    /// It cannot be read.
    Unreadable(
        /// Why not.
        String,
    ),
}

impl Reply {
    /// True where the call succeeded.
    pub const fn done(&self) -> bool {
        matches!(self.body, Body::Done { .. })
    }

    /// The error code, where the call was refused.
    pub fn code(&self) -> Option<&str> {
        match &self.body {
            Body::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The secret value that a success shows. Nobody may be told it.
    pub fn value(&self, operation: &Operation) -> Option<&str> {
        let Body::Done { json, .. } = &self.body else { return None };
        let (name, _) = operation.reply.iter().find(|(_, field)| field.is == Meaning::Value)?;
        json.member(name)?.as_str()
    }

    /// The facts that a success states.
    pub fn facts(&self) -> Option<&Facts> {
        match &self.body {
            Body::Done { facts, .. } => Some(facts),
            _ => None,
        }
    }
}
