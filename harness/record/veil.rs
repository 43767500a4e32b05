//! Takes secrets out of what is written: it learns every value of a history first, and then replaces each
//! one by its pseudonym, where it belongs and wherever else it stands.

use super::names::{Kind, Names};
use super::needles::{LEAST, Needles};
use super::pseudonym::Key;
use super::tokens::{Token, is_structure, rewritten};
use crate::codec::{Place, is_form};
use crate::history::{Exchange, History, canary};
use crate::sign::Credentials;
use crate::spec::Vendor;
use crate::wire::{Headers, Request, Response, percent};
use regex::bytes::{Captures, Regex};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

/// What stands for keys, tokens and signatures.
const REDACTED: &str = "(redacted)";

/// Pseudonyms that are tried before two values have the same one: that happens to texts of a letter or two.
const TRIES: u32 = 64;

/// What is known of secrets so far.
#[derive(Debug)]
pub(super) struct Veil {
    names: Names,
    key: Key,
    /// What stands for each value.
    known: HashMap<String, String>,
    /// Everything that stands for something.
    issued: HashSet<String>,
    needles: Needles,
    /// Elements of XML that hold values.
    elements: Option<Regex>,
    /// Names of secrets, versions and stages.
    named: HashSet<String>,
    /// What generated passwords were to leave out.
    excluded: Vec<String>,
}

impl Veil {
    pub(super) fn new(vendor: &Vendor, credentials: &[Credentials], key: Key) -> Self {
        let names = Names::new(vendor);
        let holding: Vec<String> = names.holding().map(|(name, _)| regex::escape(name)).collect();
        let pattern =
            format!("(?s)<({})(?:\\s[^>]*)?>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</", holding.join("|"));
        let mut needles = Needles::default();
        for own in credentials {
            for secret in [Some(&own.secret), own.token.as_ref(), own.bearer.as_ref()].into_iter().flatten() {
                needles.add(secret, REDACTED);
            }
        }
        Self {
            names,
            key,
            known: HashMap::new(),
            issued: HashSet::new(),
            needles,
            elements: Regex::new(&pattern).ok(),
            named: HashSet::new(),
            excluded: Vec::new(),
        }
    }

    /// Learns every value of a history.
    pub(super) fn learn(&mut self, history: &History) {
        for (_, exchange) in history.calls() {
            for param in &exchange.call.params {
                if self.names.excluding.contains(&param.name) && !self.excluded.contains(&param.value) {
                    self.excluded.push(param.value.clone());
                }
                if self.names.naming.contains(&param.name) && self.named.insert(param.value.clone()) {
                    self.needles.forget_in(&param.value, REDACTED);
                }
            }
        }
        for (_, exchange) in history.calls() {
            for param in &exchange.call.params {
                let _ = self.param(&param.name, &param.value, param.place);
            }
            if let Ok((response, _)) = &exchange.result {
                let _ = self.placed(&response.body);
            }
            let _ = self.placed(&exchange.request.body);
            let _ = self.pairs(exchange.request.query());
            self.signatures(exchange);
        }
    }

    /// What was signed with stays out of replies that repeat it, too.
    fn signatures(&mut self, exchange: &Exchange) {
        for (name, value) in exchange.request.headers.iter() {
            if self.names.is_confidential(name) {
                let text = String::from_utf8_lossy(value).into_owned();
                // A date and the name of an algorithm are shorter than any signature.
                text.split([' ', ',', '='])
                    .filter(|part| part.len() >= 40)
                    .for_each(|part| self.needles.add(part, REDACTED));
            }
        }
    }

    /// A text with every known value in it replaced.
    pub(super) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.needles.replaced(text.as_bytes())).into_owned()
    }

    /// A parameter as it may be written.
    pub(super) fn param(&mut self, name: &str, value: &str, place: Place) -> String {
        match self.names.kind(name) {
            Some(Kind::Signature) => REDACTED.to_owned(),
            Some(kind) if place == Place::Raw => {
                let bytes = rewritten(value.as_bytes(), &mut |_, token| self.token(kind, token));
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Some(kind) => self.stands_for(kind, value),
            None => self.text(value),
        }
    }

    /// A request as it may be written: method, target, headers and body.
    pub(super) fn request(&mut self, request: &Request) -> Request {
        let target = match request.target.split_once('?') {
            Some((path, query)) => format!("{path}?{}", self.pairs(query)),
            None => request.target.clone(),
        };
        let body = match is_form(request) {
            true => self.pairs(&String::from_utf8_lossy(&request.body)).into_bytes(),
            false => self.placed(&request.body),
        };
        let body = self.needles.replaced(&body);
        if body != request.body {
            // The hash of a body with a value in it lets whoever has it try values out.
            self.needles.add_plain(&hashed(&request.body), &hashed(&body));
        }
        Request {
            method: request.method.clone(),
            target: self.text(&target),
            headers: self.headers(&request.headers),
            body,
        }
    }

    /// A reply as it may be written.
    pub(super) fn response(&mut self, response: &Response) -> Response {
        let coding = response.headers.text("content-encoding");
        // Nobody looks into what is compressed, so nobody can take out what is in it.
        let body = match coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            true => REDACTED.as_bytes().to_vec(),
            false => self.placed(&response.body),
        };
        Response {
            status: response.status,
            headers: self.headers(&response.headers),
            body: self.needles.replaced(&body),
        }
    }

    fn headers(&self, headers: &Headers) -> Headers {
        let mut other = Headers::new();
        for (name, value) in headers.iter() {
            match self.names.is_confidential(name) {
                true => other.add(name, REDACTED),
                false => other.add(name, self.needles.replaced(value)),
            }
        }
        other
    }

    /// A body with other values where names tell that they are some.
    fn placed(&mut self, body: &[u8]) -> Vec<u8> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        match (first, self.elements.clone()) {
            (Some(b'<'), Some(elements)) => {
                elements.replace_all(body, |found: &Captures<'_>| self.element(found)).into_owned()
            }
            (Some(b'{' | b'['), _) => rewritten(body, &mut |names, token| {
                let kind = self.names.kind_within(names)?;
                self.token(kind, token)
            }),
            _ => match std::str::from_utf8(body) {
                Ok(text) if text.contains('=') => self.pairs(text).into_bytes(),
                _ => body.to_vec(),
            },
        }
    }

    fn element(&mut self, found: &Captures<'_>) -> Vec<u8> {
        let (whole, inner) = (&found[0], found.get(2).map(|it| it.range()).unwrap_or_default());
        let start = found.get(0).map_or(0, |it| it.start());
        let kind = std::str::from_utf8(&found[1]).ok().and_then(|name| self.names.kind(name));
        let text = String::from_utf8_lossy(&found[2]).into_owned();
        let plain = quick_xml::escape::unescape(&text).map_or_else(|_| text.clone(), |it| it.into_owned());
        let other = self.stands_for(kind.unwrap_or(Kind::Value), &plain);
        let other = quick_xml::escape::escape(other.as_str()).into_owned();
        [&whole[..inner.start - start], other.as_bytes(), &whole[inner.end - start..]].concat()
    }

    /// Pairs of a query or form with other values where names tell that they are some.
    fn pairs(&mut self, text: &str) -> String {
        let pairs: Vec<String> = text
            .split('&')
            .map(|pair| {
                let Some((name, value)) = pair.split_once('=') else { return pair.to_owned() };
                let Some(kind) = self.names.kind(&percent::decode(&name.replace('+', " "))) else {
                    return pair.to_owned();
                };
                let value = percent::decode(&value.replace('+', " "));
                format!("{name}={}", percent::encode(&self.stands_for(kind, &value)))
            })
            .collect();
        pairs.join("&")
    }

    fn token(&mut self, kind: Kind, token: &Token<'_>) -> Option<Vec<u8>> {
        match &token.text {
            Some(text) => Some(token.with(&self.stands_for(kind, text))),
            None => Some(self.key.structure(&String::from_utf8_lossy(token.raw)).into_bytes()),
        }
    }

    /// What stands for a value; the same for the same one.
    fn stands_for(&mut self, kind: Kind, text: &str) -> String {
        if kind == Kind::Signature {
            self.needles.add(text, REDACTED);
            return REDACTED.to_owned();
        }
        if text.is_empty() || self.issued.contains(text) || self.names.literals.contains(text) {
            return text.to_owned();
        }
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let candidates = (0..TRIES).map(|salt| match kind {
            Kind::Binary => self.key.binary(text, salt),
            Kind::Password => self.key.password(text, &self.excluded, salt),
            _ => self.key.value(text, salt),
        });
        let mut fresh = candidates.filter(|other| other != text && !self.issued.contains(other));
        let other = fresh.next().unwrap_or_else(|| format!("hid-{}", self.issued.len()));
        self.issued.insert(other.clone());
        self.known.insert(text.to_owned(), other.clone());
        self.everywhere(text, &other);
        other
    }

    /// Whether a text is a secret wherever it stands, and not only where values do.
    fn is_sought(&self, text: &str) -> bool {
        text.len() >= LEAST
            && !self.names.is_public(text)
            && (canary(text).is_some() || !self.named.iter().any(|name| name.contains(text)))
    }

    /// Replaces a value wherever it stands, and its parts that are looked for.
    fn everywhere(&mut self, text: &str, other: &str) {
        if self.is_sought(text) {
            self.needles.add(text, other);
        }
        if let Some(part) = canary(text).filter(|part| *part != text) {
            let other = self.key.canary(part);
            self.needles.add(part, &other);
            self.known.entry(part.to_owned()).or_insert(other);
        }
        if is_structure(text) {
            let mut leaves = Vec::new();
            rewritten(text.as_bytes(), &mut |_, token| {
                leaves.extend(token.text.clone().filter(|text| text.parse::<jiff::Timestamp>().is_err()));
                None
            });
            for leaf in leaves {
                // The leaves of a structure are made without regard to others.
                let other = self.key.value(&leaf, 0);
                self.issued.insert(other.clone());
                self.known.entry(leaf.clone()).or_insert_with(|| other.clone());
                if self.is_sought(&leaf) {
                    self.everywhere(&leaf, &other);
                }
            }
        }
    }
}

/// The hash of a body, as signed requests name it.
fn hashed(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}
