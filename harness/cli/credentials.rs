//! Access keys: from a file, from the vendor's environment variables, or the reference's own.

use super::Failure;
use crate::emulator::Emulator;
use crate::sign::Credentials;
use crate::spec::Spec;
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
        let keys = file.accounts.into_iter();
        Ok(keys.map(|key| Credentials { id: key.key, secret: key.secret, token: key.token }).collect())
    };
    read().with_context(|| format!("--credentials {}", path.display())).map_err(Failure::usage)
}

/// Access keys from the environment variables that the spec names. On loopback, where none is set, the
/// reference's own keys are used.
pub(super) fn from_environment(spec: &Spec, loopback: bool) -> Result<Vec<Credentials>, Failure> {
    let names = &spec.credentials;
    let get = |name: &str, suffix: &str| {
        std::env::var(format!("{name}{suffix}")).ok().filter(|text| !text.is_empty())
    };
    let mut found = Vec::new();
    for suffix in ["", names.second.as_str()] {
        match (get(&names.key, suffix), get(&names.secret, suffix)) {
            (Some(id), Some(secret)) => {
                let token = names.token.as_ref().and_then(|name| get(name, suffix));
                found.push(Credentials { id, secret, token });
            }
            (None, None) => {}
            (given, _) => {
                let missing = if given.is_some() { &names.secret } else { &names.key };
                return Err(Failure::usage(anyhow!(
                    "the environment variable {missing}{suffix} is not set, but its partner is"
                )));
            }
        }
    }
    match (found.is_empty(), loopback) {
        (false, _) => Ok(found),
        (true, true) => {
            Ok(Emulator::default_accounts().into_iter().map(|account| account.credentials).collect())
        }
        (true, false) => Err(Failure::usage(anyhow!(
            "there are no access keys: set {} and {} (and the same with suffix {} for a second account), or give --credentials FILE",
            names.key,
            names.secret,
            names.second
        ))),
    }
}
