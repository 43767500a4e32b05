//! What was sent and what came back: all that judges ever see.
//!
//! A history is a list of calls with the bytes that travelled, and of what was done to the clock
//! between them. Who made it does not matter.

use crate::codec::{Call, Reply};
use crate::model::{Condition, Secret, When};
use crate::spec::Spec;
use crate::wire::{Request, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every value that the harness stores begins like this, and goes on with 32 hex digits.
pub const CANARY: &str = "canary-";

/// The part of a value that the harness made to be recognised.
pub fn canary(text: &str) -> Option<&str> {
    let at = text.find(CANARY)?;
    text.get(at..at + CANARY.len() + 32)
}

/// What is wrong with the signature of a call, on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tamper {
    /// It carries no signature at all.
    Unsigned,
    /// It is signed with another secret key.
    OtherSecret,
    /// It names an access key that nobody has.
    UnknownKey,
    /// This header's value is changed after signing.
    Header(String),
    /// This parameter's value is changed after signing.
    Param(String),
    /// A byte is added to the body after signing.
    Body,
    /// A parameter is added to the query after signing: name and value.
    Extra(String, String),
    /// The HTTP method is changed after signing.
    Method(String),
    /// The last characters of the signature are cut off.
    CutSignature,
    /// One character in the middle of the signature is another.
    OneCharacter,
    /// The signature is empty.
    EmptySignature,
    /// This header is neither signed nor named among the signed ones.
    LeftOut(String),
    /// The time stamp is that many seconds off.
    Skew(i64),
    /// The bytes of the call before are sent again.
    Again,
    /// Another algorithm is named.
    Algorithm(String),
    /// This part of the credential scope is another, and the signature is made for it.
    Scope(String),
}

/// No whole reply came back: nobody knows whether the call took effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Lost {
    /// Nobody listens.
    #[error("the connection is refused: {0}")]
    Refused(String),
    /// Nothing, or not all, came in time.
    #[error("no whole reply within the time limit")]
    Timeout,
    /// The connection ended before a whole reply.
    #[error("the connection ended before a whole reply: {0}")]
    Reset(String),
    /// The reply is larger than any documented one.
    #[error("the reply is larger than {limit} bytes")]
    TooLarge {
        /// Bytes that are read at most.
        limit: usize,
    },
    /// The client let go of it on purpose.
    #[error("the client dropped the connection")]
    Dropped,
    /// What came is no HTTP.
    #[error("the reply is no HTTP: {0}")]
    NotHttp(String),
    /// The target may not be called.
    #[error("{0}")]
    Guard(String),
}

/// When the client lets go of a call on purpose, as a network would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leave {
    /// As soon as the request has left: nobody knows whether it arrived.
    AtOnce,
    /// When the reply is there: it is thrown away unread.
    AfterReply,
}

/// A call that is about to be made, and what is to go wrong with it on purpose.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What is asked for.
    pub call: &'a Call,
    /// What is wrong with its signature.
    pub tamper: Option<&'a Tamper>,
    /// When its connection is dropped.
    pub leave: Option<Leave>,
}

impl<'a> Attempt<'a> {
    /// A call with which nothing is wrong.
    pub const fn new(call: &'a Call) -> Self {
        Self { call, tamper: None, leave: None }
    }
}

/// When a call ran, in microseconds since its caller began: it tells which calls overlapped. This is the
/// observer's stopwatch; the endpoint's clock is another matter ([`When`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// When its first byte may have left.
    pub began: u64,
    /// When its last byte had come, or the wait for it ended.
    pub ended: u64,
}

impl Span {
    /// Whether neither call ended before the other began.
    pub const fn overlaps(self, other: Self) -> bool {
        self.began < other.ended && other.began < self.ended
    }

    /// Microseconds that it took.
    pub const fn took(self) -> u64 {
        self.ended.saturating_sub(self.began)
    }
}

/// One call and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked for.
    pub call: Call,
    /// What is wrong with its signature, on purpose.
    pub tamper: Option<Tamper>,
    /// The bytes that were sent.
    pub request: Request,
    /// The endpoint's time while it ran, as far as it can be told.
    pub when: When,
    /// When it ran, by the observer's stopwatch.
    pub span: Span,
    /// The bytes that came back, and what they say.
    pub result: Result<(Response, Reply), Lost>,
    /// Whether the caller's secret key stands in the reply.
    pub key_shown: bool,
}

impl Exchange {
    /// What the reply says, if one came.
    pub fn reply(&self) -> Option<&Reply> {
        self.result.as_ref().ok().map(|(_, reply)| reply)
    }

    /// The error code of the reply, if one came that says one.
    pub fn code(&self) -> Option<&str> {
        self.reply().and_then(Reply::code)
    }

    /// True if it succeeded.
    pub fn done(&self) -> bool {
        self.reply().is_some_and(Reply::done)
    }

    /// True if it was answered with an error that says which one it is.
    pub fn refused(&self) -> bool {
        self.code().is_some()
    }

    /// Whether it was refused with a code that documents have for a condition, at its operation.
    pub fn says(&self, spec: &Spec, condition: Condition) -> bool {
        let (codes, _) = spec.answers(condition, &self.call.operation);
        let code = self.reply().and_then(Reply::code);
        code.is_some_and(|code| codes.iter().any(|known| known == code))
    }

    /// What came back in a few words, without any value.
    pub fn summary(&self) -> String {
        match &self.result {
            Err(lost) => lost.to_string(),
            Ok((response, reply)) => match &reply.body {
                crate::codec::Body::Done { .. } => format!("{}", response.status),
                crate::codec::Body::Refused { code, .. } => format!("{} {}", response.status, clipped(code)),
                crate::codec::Body::Unreadable(why) => format!("{}, and {why}", response.status),
            },
        }
    }
}

/// An error code as it may be printed: a hostile endpoint puts anything there.
pub fn clipped(text: &str) -> String {
    let clean: String = text.chars().filter(|character| !character.is_control()).take(80).collect();
    if clean.len() < text.len() { format!("{clean}…") } else { clean }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A call was made.
    Call(Box<Exchange>),
    /// The endpoint's clock was advanced by that many seconds.
    Advanced(i64),
    /// A secret that was there already is used: what it showed is taken for granted.
    Adopted {
        /// Index of the account that it belongs to.
        account: usize,
        /// Its name.
        name: String,
        /// What it showed.
        secret: Box<Secret>,
    },
    /// Schedules had time to act: what is due must have happened, and what went on must have ended.
    Settled,
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

impl History {
    /// The calls, with their place in the history.
    pub fn calls(&self) -> impl Iterator<Item = (usize, &Exchange)> {
        self.entries.iter().enumerate().filter_map(|(at, entry)| match entry {
            Entry::Call(exchange) => Some((at, &**exchange)),
            _ => None,
        })
    }

    /// The call at a place.
    pub fn call(&self, at: usize) -> Option<&Exchange> {
        match self.entries.get(at) {
            Some(Entry::Call(exchange)) => Some(exchange),
            _ => None,
        }
    }
}
