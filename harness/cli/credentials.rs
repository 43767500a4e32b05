//! Access keys: from a file, from the vendor's environment variables, or the reference's own.

use super::Failure;
use crate::emulator::Emulator;
use crate::sign::Credentials;
use crate::spec::Vendor;
use anyhow::{Context, anyhow};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    accounts: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
    secret: String,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    bearer: Option<String>,
    #[serde(default)]
    project: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

impl From<Key> for Credentials {
    fn from(key: Key) -> Self {
        let Key { key: id, secret, token, bearer, project, region } = key;
        Self { id, secret, token, bearer, project, region }
    }
}

/// Access keys, one for each account.
pub(super) struct Keys {
    pub(super) credentials: Vec<Credentials>,
    /// Nobody has given them: they are the reference's own.
    pub(super) presumed: bool,
}

/// Access keys from a file, where one is given; from the environment otherwise.
pub(super) fn of(file: Option<&Path>, vendor: &Vendor, loopback: bool) -> Result<Keys, Failure> {
    match file {
        Some(path) => Ok(Keys { credentials: from_file(path)?, presumed: false }),
        None => from_environment(vendor, loopback),
    }
}

/// Access keys from a YAML file: `accounts: [{ key: …, secret: … }, …]`.
pub(super) fn from_file(path: &Path) -> Result<Vec<Credentials>, Failure> {
    let read = || -> anyhow::Result<Vec<Credentials>> {
        let text = std::fs::read_to_string(path).context("it cannot be read")?;
        // An error of the parser may quote the text, and the text holds keys: only the place is told.
        let file: File = serde_saphyr::from_str(&text).map_err(|error| {
            let place = error.location().map(|at| format!(" at line {}, column {}", at.line(), at.column()));
            anyhow!("it has no list `accounts` of `key` and `secret`{}", place.unwrap_or_default())
        })?;
        if file.accounts.is_empty() {
            return Err(anyhow!("its list `accounts` is empty"));
        }
        Ok(file.accounts.into_iter().map(Credentials::from).collect())
    };
    read().with_context(|| format!("--credentials {}", path.display())).map_err(Failure::usage)
}

/// Access keys from the environment variables that the spec names. On loopback, where none is set, the
/// reference's own keys are used.
fn from_environment(vendor: &Vendor, loopback: bool) -> Result<Keys, Failure> {
    let names = &vendor.spec.credentials;
    let get = |name: &str, suffix: &str| {
        std::env::var(format!("{name}{suffix}")).ok().filter(|text| !text.is_empty())
    };
    let mut found = Vec::new();
    for suffix in ["", names.second.as_str()] {
        let optional = |name: &Option<String>| name.as_ref().and_then(|name| get(name, suffix));
        let bearer = optional(&names.bearer);
        match (get(&names.key, suffix), get(&names.secret, suffix)) {
            (None, None) if bearer.is_none() => {}
            (Some(_), None) | (None, Some(_)) => {
                let given = get(&names.key, suffix).is_some();
                let missing = if given { &names.secret } else { &names.key };
                return Err(Failure::usage(anyhow!(
                    "the environment variable {missing}{suffix} is not set, but its partner is"
                )));
            }
            (id, secret) => found.push(Credentials {
                id: id.unwrap_or_default(),
                secret: secret.unwrap_or_default(),
                token: optional(&names.token),
                bearer,
                project: optional(&names.project),
                region: names.region.as_ref().and_then(|name| get(name, suffix).or_else(|| get(name, ""))),
            }),
        }
    }
    match (found.is_empty(), loopback) {
        (false, _) => Ok(Keys { credentials: found, presumed: false }),
        (true, true) => {
            let accounts = Emulator::default_accounts(vendor).into_iter();
            Ok(Keys { credentials: accounts.map(|account| account.credentials).collect(), presumed: true })
        }
        (true, false) => Err(Failure::usage(anyhow!(
            "there are no access keys: set {} and {} (and the same with suffix {} for a second account), or give --credentials FILE",
            names.key,
            names.secret,
            names.second
        ))),
    }
}
