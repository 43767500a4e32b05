//! Writes histories line by line, without the secrets in them.

use super::line::{
    Adopted, Answer, Begins, CallLine, Came, Head, Header, HowLine, Line, ParamLine, Period, PlaceName, Sent,
    Version,
};
use super::pseudonym::Key;
use super::veil::Veil;
use crate::codec::{How, Place};
use crate::history::{Entry, Exchange, History, Lost};
use crate::model::{Id, SOMETIME, Secret, When};
use crate::sign::Credentials;
use crate::spec::Vendor;
use crate::wire::{Headers, Request, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::io::{self, Write};
use std::sync::Arc;

/// Writes a file of histories: each is on its way to the disk before the next one begins.
pub struct Recorder {
    vendor: Arc<Vendor>,
    veil: Veil,
    out: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Recorder({})", self.vendor.spec.vendor)
    }
}

impl Recorder {
    /// Begins a file with its head. Nothing of these credentials but the ids of keys is written, nor can values be
    /// told from what is written without the key.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(
        vendor: &Arc<Vendor>,
        credentials: &[Credentials],
        head: &Head,
        key: Key,
        out: Box<dyn Write + Send>,
    ) -> io::Result<Self> {
        let mut recorder = Self { vendor: vendor.clone(), veil: Veil::new(vendor, credentials, key), out };
        recorder.line(head)?;
        recorder.out.flush()?;
        Ok(recorder)
    }

    /// A history begins.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&mut self, begins: &Begins) -> io::Result<()> {
        self.line(&Line::Begins(begins.clone()))
    }

    /// What happened in the history that began last.
    ///
    /// # Errors
    /// What the system says.
    pub fn entries(&mut self, history: &History) -> io::Result<()> {
        self.veil.learn(history);
        for entry in &history.entries {
            let line = match entry {
                Entry::Call(exchange) => Line::Call(Box::new(self.call(exchange))),
                Entry::Advanced(seconds) => Line::Advanced(*seconds),
                Entry::Adopted { account, name, secret } => {
                    Line::Adopted(Box::new(self.adopted(*account, name, secret)))
                }
                Entry::Settled => Line::Settled {},
            };
            self.line(&line)?;
        }
        self.out.flush()
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        // One write for a line: a process that is killed leaves whole lines, or the start of one.
        self.out.write_all(&bytes)
    }

    fn call(&mut self, exchange: &Exchange) -> CallLine {
        let call = &exchange.call;
        let params = call.params.iter().map(|param| ParamLine {
            name: param.name.clone(),
            value: self.veil.param(&param.name, &param.value, param.place),
            place: param.place.into(),
        });
        CallLine {
            operation: call.operation.clone(),
            params: params.collect(),
            account: call.account,
            how: how(&call.how),
            tamper: exchange.tamper.clone(),
            when: Some(exchange.when.into()),
            span: Some(exchange.span),
            request: Some(sent(self.veil.request(&exchange.request))),
            result: match &exchange.result {
                Ok((response, _)) => Came::Response(answer(self.veil.response(response))),
                Err(lost) => Came::Lost(self.lost(lost)),
            },
            key_shown: exchange.key_shown,
        }
    }

    /// What came instead of a reply may be quoted in why it is none.
    fn lost(&self, lost: &Lost) -> Lost {
        match lost {
            Lost::Refused(why) => Lost::Refused(self.veil.text(why)),
            Lost::Reset(why) => Lost::Reset(self.veil.text(why)),
            Lost::NotHttp(why) => Lost::NotHttp(self.veil.text(why)),
            Lost::Guard(why) => Lost::Guard(self.veil.text(why)),
            Lost::Timeout | Lost::TooLarge { .. } | Lost::Dropped => lost.clone(),
        }
    }

    fn adopted(&self, account: usize, name: &str, secret: &Secret) -> Adopted {
        let text = |text: &str| self.veil.text(text);
        let known = |when: When| (when.hi < SOMETIME).then(|| Period::from(when));
        let version = |version: &crate::model::Version| Version {
            id: match &version.id {
                Id::Known(id) => text(id),
                Id::Made(_) => String::new(),
            },
            created: known(version.created),
            stages: version.stages.iter().map(|stage| stage.to_string()).collect(),
        };
        Adopted {
            account,
            name: text(name),
            kind: self.vendor.kind(secret.kind).map(|(name, _)| name.to_owned()),
            arn: secret.arn.as_deref().map(text),
            versions: secret.versions.iter().map(version).collect(),
            automatic: secret.policy.on,
            every: secret.policy.every,
            created: known(secret.created),
            last: secret.last.map(Period::from),
            next: secret.next.map(Period::from),
            made: Some(secret.made),
            function: secret.function.as_deref().map(text),
            schedule: secret.schedule.as_deref().map(text),
        }
    }
}

impl From<Place> for PlaceName {
    fn from(place: Place) -> Self {
        match place {
            Place::Documented => Self::Documented,
            Place::Query => Self::Query,
            Place::Body => Self::Body,
            Place::Raw => Self::Raw,
        }
    }
}

fn how(how: &How) -> HowLine {
    let How { scheme, method, format, version, path, place } = how.clone();
    let scheme = scheme.map(|scheme| scheme.name.clone());
    HowLine { scheme, method, format, version, path, place: place.into() }
}

fn sent(request: Request) -> Sent {
    let Request { method, target, headers, body } = request;
    let (body, base64) = either(body);
    Sent { method, target, headers: lines(&headers), body, base64 }
}

fn answer(response: Response) -> Answer {
    let Response { status, headers, body } = response;
    let (body, base64) = either(body);
    Answer { status, headers: lines(&headers), body, json: None, base64 }
}

fn lines(headers: &Headers) -> Vec<Header> {
    let line = |(name, value): (&str, &[u8])| {
        let value = value.to_vec();
        let (value, base64) = match String::from_utf8(value) {
            Ok(text) => (Some(text), None),
            Err(other) => (None, Some(STANDARD.encode(other.into_bytes()))),
        };
        Header { name: name.to_owned(), value, base64 }
    };
    headers.iter().map(line).collect()
}

/// Bytes as text, or in base64 where they are none.
fn either(bytes: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(bytes) {
        Ok(text) => ((!text.is_empty()).then_some(text), None),
        Err(other) => (None, Some(STANDARD.encode(other.into_bytes()))),
    }
}
