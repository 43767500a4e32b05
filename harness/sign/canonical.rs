//! HMAC-SHA256 over the hash of a canonical request, in the `Authorization` header.
//!
//! The canonical request is method, path, query, the headers that `SignedHeaders` names, that list,
//! and the hash of the body. Vendors differ in a handful of constants, which are spec data: the
//! algorithm's name, the header of the date, the credential scope from which a key is derived, and
//! which headers must be signed. A verifier goes by the request's own list of headers (official SDKs
//! sign different sets) and by the raw body.

use super::{Claim, Credentials, DateForm, Refusal, Signing};
use crate::wire::{Request, hex, percent};
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::cell::RefCell;

/// The text that stands for the hash of a body that is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Constants of a scheme that signs a canonical request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CanonicalRequest {
    /// First word of the header and first line of the string to sign, for example `TC3-HMAC-SHA256`.
    pub algorithm: String,
    /// What the header calls the access key id.
    #[serde(default = "credential")]
    pub key_id: String,
    /// What separates the parts of the header.
    #[serde(default = "comma_blank")]
    pub separator: String,
    /// Header of the time stamp.
    pub date: String,
    /// How the time stamp is written.
    pub date_form: DateForm,
    /// Whether the time stamp is a line of the string to sign.
    #[serde(default = "yes")]
    pub signs_date: bool,
    /// Parts of the credential scope: `{date}`, `{region}`, `{service}`, or words that stand for
    /// themselves. A key is derived along them; without any, the secret key itself signs.
    #[serde(default)]
    pub scope: Vec<String>,
    /// What `{service}` stands for.
    #[serde(default)]
    pub service: String,
    /// What `{region}` stands for, where the credentials do not say.
    #[serde(default)]
    pub region: String,
    /// Parts of the scope in which official SDKs, or local endpoints, put something else.
    #[serde(default)]
    pub open_scope: Vec<String>,
    /// What stands before the secret key where a key is derived.
    #[serde(default)]
    pub key_prefix: String,
    /// Headers that a client signs when they are there; `x-acs-*` stands for all that begin so.
    pub signs: Vec<String>,
    /// Headers that must be signed when they are there.
    pub demands: Vec<String>,
    /// Headers that must be there and signed.
    pub needs: Vec<String>,
    /// Header that carries the hash of the body.
    #[serde(default)]
    pub hash: Option<String>,
    /// Whether a client always sends that header.
    #[serde(default)]
    pub sends_hash: bool,
    /// What an unsigned body is hashed as, where that is allowed.
    #[serde(default)]
    pub unsigned_body: UnsignedBody,
    /// Header of the nonce.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Header of the session token.
    #[serde(default)]
    pub token: Option<String>,
    /// Header that repeats the access key id beside a session token.
    #[serde(default)]
    pub token_key_id: Option<String>,
    /// Whether the path gets a slash at its end before it is signed.
    #[serde(default)]
    pub slash: bool,
    /// Whether the query is signed as it was sent, neither sorted nor encoded anew.
    #[serde(default)]
    pub raw_query: bool,
    /// Whether an official SDK signs the host without its port.
    #[serde(default)]
    pub host_without_port: bool,
    /// Whether documents sign header values in lower case, however they travel.
    #[serde(default)]
    pub lower_values: bool,
}

/// What an unsigned body is hashed as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnsignedBody {
    /// Every body is signed.
    #[default]
    Refused,
    /// The words `UNSIGNED-PAYLOAD` stand in place of the hash.
    Literal,
    /// The hash of the words `UNSIGNED-PAYLOAD`.
    Hashed,
}

fn credential() -> String {
    "Credential".into()
}

fn comma_blank() -> String {
    ", ".into()
}

const fn yes() -> bool {
    true
}

fn listed(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| match entry.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => entry == name,
    })
}

impl CanonicalRequest {
    /// Whether a header must be signed that is there before the scheme adds its own.
    pub fn demands_before_signing(&self, name: &str) -> bool {
        let own = [Some(&self.date), self.nonce.as_ref(), self.hash.as_ref(), self.token.as_ref()];
        let added = own.into_iter().flatten().any(|it| it.eq_ignore_ascii_case(name));
        !added && (listed(&self.demands, name) || listed(&self.needs, name))
    }

    /// Whether a header is signed where it is there.
    pub fn covers(&self, name: &str) -> bool {
        listed(&self.signs, &name.to_ascii_lowercase())
    }

    pub(super) fn announces(&self, request: &Request) -> bool {
        // A relative of the algorithm announces this scheme too, so that it is refused as what it is.
        let stem = self.algorithm.split('-').next().unwrap_or_default();
        request.headers.text("authorization").is_some_and(|value| {
            value.starts_with(&self.algorithm) || value.split(['-', ' ']).next() == Some(stem)
        })
    }

    pub(super) fn sign(&self, request: &mut Request, with: &Signing<'_>) {
        request.headers.set(&self.date, self.date_form.write(with.now));
        if let Some(nonce) = &self.nonce {
            request.headers.set(nonce, with.nonce);
        }
        if let (Some(hash), true) = (&self.hash, self.sends_hash) {
            request.headers.set(hash, hex(&Sha256::digest(&request.body)));
        }
        if let (Some(header), Some(token)) = (&self.token, &with.credentials.token) {
            if let Some(key_id) = &self.token_key_id {
                request.headers.set(key_id, with.credentials.id.as_str());
            }
            request.headers.set(header, token.as_str());
        }
        let names = request.headers.iter().map(|(name, _)| lower(name));
        let mut signed: Vec<Cow<'_, str>> = names.filter(|name| listed(&self.signs, name)).collect();
        signed.sort();
        signed.dedup();
        let scope = self.scope_of(with.credentials, with.now);
        let secret = &with.credentials.secret;
        let (signature, _) = self.compute(request, &signed, &scope, secret, Host::Whole);
        let mut value = String::with_capacity(384);
        value.extend([&self.algorithm, " ", &self.key_id, "=", &with.credentials.id]);
        scope.iter().for_each(|part| value.extend(["/", part]));
        value.extend([&self.separator, "SignedHeaders="]);
        joined(&signed, ";", &mut value);
        value.extend([&self.separator, "Signature=", &signature]);
        request.headers.set("authorization", value);
    }

    /// The parts of the scope at a time.
    fn scope_of<'a>(&'a self, credentials: &'a Credentials, now: i64) -> Vec<Cow<'a, str>> {
        let part = |part: &'a String| match part.as_str() {
            "{date}" => self.date_form.day(now).into(),
            "{region}" => credentials.region.as_ref().unwrap_or(&self.region).into(),
            "{service}" => self.service.as_str().into(),
            word => word.into(),
        };
        self.scope.iter().map(part).collect()
    }

    pub(super) fn claim(&self, request: &Request) -> Result<Claim, Refusal> {
        let value = request.headers.text("authorization").ok_or(Refusal::Unsigned)?;
        let (algorithm, rest) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != self.algorithm {
            return Err(if self.announces(request) { Refusal::WrongMethod } else { Refusal::Unsigned });
        }
        let part = |wanted: &str| {
            rest.split(',')
                .find_map(|part| part.trim().strip_prefix(wanted)?.strip_prefix('='))
                .filter(|text| !text.is_empty())
                .ok_or_else(|| Refusal::Missing(wanted.to_owned()))
        };
        let signed_headers: Vec<String> = part("SignedHeaders")?.split(';').map(str::to_owned).collect();
        let credential = part(&self.key_id)?;
        let signature = part("Signature")?.to_owned();
        let mut parts: Vec<&str> = credential.split('/').collect();
        if parts.len() <= self.scope.len() {
            return Err(Refusal::Malformed("the credential has no whole scope".into()));
        }
        let scope = parts.split_off(parts.len() - self.scope.len());
        let key_id = parts.join("/");
        let unsigned = request
            .headers
            .iter()
            .map(|(name, _)| lower(name))
            .find(|name| listed(&self.demands, name) && !signed_headers.iter().any(|it| it == name));
        if let Some(name) = unsigned
            .map(Cow::into_owned)
            .or_else(|| self.needs.iter().find(|it| !signed_headers.contains(it)).cloned())
        {
            return Err(Refusal::Malformed(format!("the header {name} is not among SignedHeaders")));
        }
        let date = request.headers.text(&self.date).ok_or_else(|| Refusal::Missing(self.date.clone()))?;
        let at = self.date_form.read(date).ok_or(Refusal::BadTimestamp)?;
        let nonce = self.nonce.as_ref().and_then(|name| request.headers.text(name)).map(str::to_owned);
        let scope = scope.into_iter().map(str::to_owned).collect();
        Ok(Claim { key_id, at: Some(at), nonce, signed_headers, scope, signature })
    }

    /// Signatures that fit the request: one, or one for each way in which official SDKs sign the host.
    pub(super) fn expected<'a>(
        &'a self,
        request: &'a Request,
        claim: &'a Claim,
        credentials: &'a Credentials,
    ) -> Result<impl Iterator<Item = (String, String)> + 'a, Refusal> {
        for name in &self.needs {
            request.headers.get(name).ok_or_else(|| Refusal::Missing(name.clone()))?;
        }
        let mut scope = self.scope_of(credentials, claim.at.unwrap_or(0));
        for (at, name) in self.scope.iter().enumerate() {
            if listed(&self.open_scope, name) {
                scope[at] = claim.scope[at].as_str().into();
            }
        }
        if !scope.iter().eq(&claim.scope) {
            return Err(Refusal::WrongScope);
        }
        let ways = [
            Some(Host::Whole),
            self.host_without_port.then_some(Host::NameOnly),
            self.lower_values.then_some(Host::Lower),
        ];
        let signed = &claim.signed_headers;
        Ok(ways
            .into_iter()
            .flatten()
            .map(move |host| self.compute(request, signed, &scope, &credentials.secret, host)))
    }

    /// Where the body is covered through a header alone, that header must tell the truth.
    pub(super) fn check_body(&self, request: &Request) -> Result<(), Refusal> {
        let Some(stated) = self.hash.as_ref().and_then(|name| request.headers.text(name)) else {
            return Ok(());
        };
        let free = self.unsigned_body != UnsignedBody::Refused && stated == UNSIGNED;
        match free || stated == hex(&Sha256::digest(&request.body)) {
            true => Ok(()),
            false => Err(Refusal::BodyHash),
        }
    }

    fn compute(
        &self,
        request: &Request,
        signed: &[impl AsRef<str>],
        scope: &[Cow<'_, str>],
        secret: &str,
        host: Host,
    ) -> (String, String) {
        let canonical = self.canonical_request(request, signed, host);
        let mut string_to_sign = String::with_capacity(192);
        string_to_sign.push_str(&self.algorithm);
        string_to_sign.push('\n');
        if self.signs_date {
            string_to_sign.push_str(request.headers.text(&self.date).unwrap_or_default());
            string_to_sign.push('\n');
        }
        if !scope.is_empty() {
            joined(scope, "/", &mut string_to_sign);
            string_to_sign.push('\n');
        }
        string_to_sign.push_str(&hex(&Sha256::digest(&canonical)));
        // HMAC takes keys of any length; an error cannot happen, and would match nothing.
        let signature = self.keyed(scope, secret).map(|mut mac| {
            mac.update(string_to_sign.as_bytes());
            hex(&mac.finalize().into_bytes())
        });
        (signature.unwrap_or_default(), string_to_sign)
    }

    /// An HMAC with the key that is derived from a secret along a scope.
    fn keyed(&self, scope: &[Cow<'_, str>], secret: &str) -> Option<Hmac<Sha256>> {
        thread_local! {
            /// What came of it last: one key signs many calls, and their verifier derives the same.
            static LAST: RefCell<Option<Derived>> = const { RefCell::new(None) };
        }
        LAST.with_borrow_mut(|last| {
            let same =
                |it: &&Derived| it.secret == secret && it.scope == scope && it.prefix == self.key_prefix;
            if let Some(last) = last.as_ref().filter(same) {
                return Some(last.mac.clone());
            }
            let mut key = secret.as_bytes().to_vec();
            if !scope.is_empty() {
                key.splice(0..0, self.key_prefix.bytes());
            }
            for part in scope {
                let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
                mac.update(part.as_bytes());
                key = mac.finalize().into_bytes().to_vec();
            }
            let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
            let (prefix, secret) = (self.key_prefix.clone(), secret.to_owned());
            let scope = scope.iter().map(|part| part.clone().into_owned()).collect();
            *last = Some(Derived { prefix, secret, scope, mac: mac.clone() });
            Some(mac)
        })
    }

    fn canonical_request(&self, request: &Request, signed: &[impl AsRef<str>], host: Host) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::with_capacity(768 + request.target.len());
        let put = |out: &mut Vec<u8>, bytes: &[u8]| out.extend_from_slice(bytes);
        put(&mut out, request.method.as_bytes());
        put(&mut out, b"\n");
        put(&mut out, request.path().as_bytes());
        put(&mut out, if self.slash && !request.path().ends_with('/') { b"/\n" } else { b"\n" });
        match self.raw_query {
            true => put(&mut out, request.query().as_bytes()),
            false => put(&mut out, canonical_query(request.query()).as_bytes()),
        }
        put(&mut out, b"\n");
        for name in signed.iter().map(AsRef::as_ref) {
            let mut values = request.headers.all(name).map(|value| host.of(name, value.trim_ascii()));
            // A header on the list that is not there has no line: one that is empty could vanish otherwise.
            let Some(first) = values.next() else { continue };
            put(&mut out, name.as_bytes());
            put(&mut out, b":");
            put(&mut out, &first);
            for value in values {
                put(&mut out, b",");
                put(&mut out, &value);
            }
            put(&mut out, b"\n");
        }
        put(&mut out, b"\n");
        for (at, name) in signed.iter().enumerate() {
            put(&mut out, if at > 0 { b";" } else { b"" });
            put(&mut out, name.as_ref().as_bytes());
        }
        put(&mut out, b"\n");
        put(&mut out, &self.body_hash(request));
        out
    }

    fn body_hash<'a>(&self, request: &'a Request) -> Cow<'a, [u8]> {
        match self.hash.as_ref().and_then(|name| request.headers.get(name)) {
            Some(stated) if self.unsigned_body == UnsignedBody::Hashed && stated == UNSIGNED.as_bytes() => {
                hex(&Sha256::digest(UNSIGNED)).into_bytes().into()
            }
            Some(stated) => stated.into(),
            None => hex(&Sha256::digest(&request.body)).into_bytes().into(),
        }
    }
}

/// How header values are signed, the host's above all.
#[derive(Clone, Copy)]
enum Host {
    Whole,
    NameOnly,
    /// As it is, and every header value in lower case.
    Lower,
}

impl Host {
    fn of<'a>(self, name: &str, value: &'a [u8]) -> Cow<'a, [u8]> {
        let port = value.iter().rposition(|byte| *byte == b':').filter(|_| name == "host");
        match (self, port) {
            (Self::NameOnly, Some(at)) => value[..at].into(),
            (Self::Lower, _) => value.to_ascii_lowercase().into(),
            _ => value.into(),
        }
    }
}

/// A key that was derived, and what it was derived from.
struct Derived {
    prefix: String,
    secret: String,
    scope: Vec<String>,
    mac: Hmac<Sha256>,
}

/// Texts one after another, with something between.
fn joined(texts: &[impl AsRef<str>], between: &str, out: &mut String) {
    for (at, text) in texts.iter().enumerate() {
        out.extend([if at > 0 { between } else { "" }, text.as_ref()]);
    }
}

/// A header's name in lower case, as most names are by themselves.
fn lower(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => name.to_ascii_lowercase().into(),
        false => name.into(),
    }
}

fn canonical_query(query: &str) -> String {
    if query.is_empty() {
        return String::new();
    }
    // A blank travels as `%20` or, from one official SDK, as `+`; it is signed as `%20`.
    let mut pairs: Vec<_> = percent::each_pair(query).collect();
    pairs.sort();
    let mut out = String::with_capacity(query.len() + 8);
    for (name, value) in &pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent::encode_into(name, &mut out);
        out.push('=');
        percent::encode_into(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::{Form, Scheme};

    #[test]
    fn a_signed_header_cannot_vanish_even_if_it_is_empty() {
        let constants = serde_json::json!({
            "algorithm": "X", "date": "x-date", "date-form": "unix",
            "signs": ["host", "x-empty"], "demands": ["host"], "needs": ["host"],
        });
        let form = Form::CanonicalRequest(serde_json::from_value(constants).unwrap());
        let scheme = Scheme { name: "x".into(), form };
        let credentials = Credentials::pair("testid", "testsecret");
        let mut request = Request { method: "GET".into(), target: "/".into(), ..Request::default() };
        request.headers.add("host", "localhost");
        request.headers.add("x-empty", "");
        scheme.sign(&mut request, &Signing { credentials: &credentials, now: 1_704_164_645, nonce: "0" });
        assert_eq!(scheme.verify(&request, &credentials), Ok(()));
        request.headers.remove("x-empty");
        let refused = scheme.verify(&request, &credentials);
        assert!(matches!(refused, Err(Refusal::Mismatch { .. })), "{refused:?}");
    }
}
