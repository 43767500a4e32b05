//! HMAC over all parameters of query and form body; the signature is a parameter itself.
//!
//! String to sign, percent-encoded form: method, the encoded path `/`, and the encoded form of the
//! sorted, encoded parameters. Raw form: method, host, path, `?`, and the sorted parameters as they are.

use super::{Claim, Credentials, DateForm, Refusal, Signing};
use crate::wire::{Request, percent};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

const FORM: &str = "application/x-www-form-urlencoded";

/// Constants of a scheme that signs parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Parameters {
    /// Hash under the HMAC.
    pub digest: Hash,
    /// Parameter of the access key id.
    pub key_id: String,
    /// Parameter of the time stamp.
    pub timestamp: String,
    /// How the time stamp is written.
    pub date_form: DateForm,
    /// Parameter of the nonce.
    pub nonce: String,
    /// Whether nonces are whole numbers.
    #[serde(default)]
    pub numeric_nonce: bool,
    /// Parameter of the session token.
    pub token: String,
    /// Parameter of the signature.
    pub signature: String,
    /// Parameter that names the algorithm.
    pub method: String,
    /// The algorithm's name.
    pub algorithm: String,
    /// What becomes of calls that name another algorithm, or none.
    pub others: Others,
    /// Parameters that always have the same value.
    #[serde(default)]
    pub constants: IndexMap<String, String>,
    /// What stands after the secret key.
    #[serde(default)]
    pub key_suffix: String,
    /// Parameter that names the operation.
    pub operation: String,
    /// Whether the string to sign has the parameters as they are, and the host.
    #[serde(default)]
    pub raw: bool,
}

/// Hashes under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// What becomes of calls that name another algorithm, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// They belong to another scheme.
    Pass,
    /// They are refused.
    Refused,
    /// They are verified as if they named this one.
    Taken,
}

impl Parameters {
    /// Whether a parameter belongs to the signature and not to the operation.
    pub fn is_own(&self, name: &str) -> bool {
        let own = [&self.key_id, &self.timestamp, &self.nonce, &self.token, &self.signature, &self.method];
        own.iter().any(|it| *it == name) || self.constants.contains_key(name)
    }

    pub(super) fn announces(&self, request: &Request) -> bool {
        let all = parameters(request);
        let has = |name: &str| all.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        has(&self.signature).is_some()
            && (self.others != Others::Pass || has(&self.method) == Some(self.algorithm.as_str()))
    }

    pub(super) fn sign(&self, request: &mut Request, with: &Signing<'_>) {
        let nonce = match self.numeric_nonce {
            true => {
                u64::from_str_radix(with.nonce.get(..15).unwrap_or(with.nonce), 16).unwrap_or(1).to_string()
            }
            false => with.nonce.to_owned(),
        };
        let mut common =
            vec![(self.key_id.as_str(), with.credentials.id.clone()), (&self.method, self.algorithm.clone())];
        common.extend(self.constants.iter().map(|(name, value)| (name.as_str(), value.clone())));
        common.push((&self.nonce, nonce));
        common.push((&self.timestamp, self.date_form.write(with.now)));
        common.extend(with.credentials.token.clone().map(|token| (self.token.as_str(), token)));
        // Where the operation is in the body, everything is.
        let names = |text: &str| text.split('&').any(|pair| pair.split('=').next() == Some(&self.operation));
        let in_body = !names(request.query()) && names(&String::from_utf8_lossy(&request.body));
        for (name, value) in common {
            append(request, in_body, name, &value);
        }
        let (signature, _) = self.expected(request, with.credentials);
        append(request, in_body, &self.signature, &signature);
    }

    pub(super) fn claim(&self, request: &Request) -> Result<Claim, Refusal> {
        let all = parameters(request);
        let get = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let missing = |name: &str| Refusal::Missing(name.to_owned());
        let signature = get(&self.signature).ok_or(Refusal::Unsigned)?;
        if signature.is_empty() {
            return Err(missing(&self.signature));
        }
        let fits = |(name, value): (&String, &String)| get(name) == Some(value.as_str());
        let named = self.others == Others::Taken || fits((&self.method, &self.algorithm));
        if !named || !self.constants.iter().all(fits) {
            return Err(Refusal::WrongMethod);
        }
        let key_id = get(&self.key_id).filter(|id| !id.is_empty()).ok_or_else(|| missing(&self.key_id))?;
        let date = get(&self.timestamp).ok_or_else(|| missing(&self.timestamp))?;
        let at = self.date_form.read(date).ok_or(Refusal::BadTimestamp)?;
        Ok(Claim {
            key_id: key_id.to_owned(),
            at: Some(at),
            nonce: get(&self.nonce).map(str::to_owned),
            signed_headers: Vec::new(),
            scope: Vec::new(),
            signature: signature.to_owned(),
        })
    }

    pub(super) fn expected(&self, request: &Request, credentials: &Credentials) -> (String, String) {
        let mut all = parameters(request);
        all.retain(|(name, _)| *name != self.signature);
        all.sort();
        let text = if self.raw { raw(request, &all) } else { encoded(request, &all) };
        let key = format!("{}{}", credentials.secret, self.key_suffix);
        // HMAC takes keys of any length; an error cannot happen, and would match nothing.
        let signature = match self.digest {
            Hash::Sha1 => Hmac::<Sha1>::new_from_slice(key.as_bytes()).map(|mut mac| {
                mac.update(text.as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }),
            Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key.as_bytes()).map(|mut mac| {
                mac.update(text.as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }),
        };
        (signature.unwrap_or_default(), text)
    }
}

fn encoded(request: &Request, all: &[(String, String)]) -> String {
    let mut canonical = String::with_capacity(512);
    for (name, value) in all {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        percent::encode_into(name, &mut canonical);
        canonical.push('=');
        percent::encode_into(value, &mut canonical);
    }
    let mut text = String::with_capacity(canonical.len() * 2);
    text.push_str(&request.method);
    text.push_str("&%2F&");
    percent::encode_into(&canonical, &mut text);
    text
}

fn raw(request: &Request, all: &[(String, String)]) -> String {
    let joined: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let host = request.headers.text("host").unwrap_or_default();
    format!("{}{host}{}?{}", request.method, request.path(), joined.join("&"))
}

fn append(request: &mut Request, in_body: bool, name: &str, value: &str) {
    let mut pair = String::new();
    percent::encode_into(name, &mut pair);
    pair.push('=');
    percent::encode_into(value, &mut pair);
    if in_body {
        if !request.body.is_empty() {
            request.body.push(b'&');
        }
        request.body.extend_from_slice(pair.as_bytes());
    } else {
        request.target.push(if request.target.contains('?') { '&' } else { '?' });
        request.target.push_str(&pair);
    }
}

/// Every parameter of query and form body, decoded.
fn parameters(request: &Request) -> Vec<(String, String)> {
    let mut all = percent::pairs(request.query());
    let content_type = request.headers.text("content-type").unwrap_or_default();
    if content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM)) {
        all.extend(percent::pairs(&String::from_utf8_lossy(&request.body)));
    }
    all
}
