//! Secrets that are there already, from a file.

use super::Failure;
use crate::check::Fixture;
use crate::model::{Meaning, Role};
use crate::spec::Vendor;
use anyhow::{Context, anyhow};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The function that rotates secrets, where the API needs one.
    #[serde(default)]
    function: Option<String>,
    #[serde(default)]
    secrets: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    name: String,
    /// 1 for the first account, 2 for the second.
    #[serde(default = "first")]
    account: usize,
}

const fn first() -> usize {
    1
}

/// Reads `function: ARN` and `secrets: [{ kind: …, name: …, account: 1 }, …]`; the vendor is the same,
/// with the function in place of the spec's sample.
pub(super) fn from_file(path: &Path, vendor: &Vendor) -> Result<(Vec<Fixture>, Vendor), Failure> {
    let read = || -> anyhow::Result<(Vec<Fixture>, Vendor)> {
        let text = std::fs::read_to_string(path).context("it cannot be read")?;
        let file: File = serde_saphyr::from_str(&text)?;
        let fixture = |entry: Entry| {
            let known: Vec<&str> = vendor.spec.kinds.keys().map(String::as_str).collect();
            if !known.contains(&entry.kind.as_str()) {
                let known = known.join(", ");
                return Err(anyhow!("`{}` is no kind of secret here; the kinds are {known}", entry.kind));
            }
            let account = entry.account.checked_sub(1).filter(|account| *account < 2);
            let account = account.ok_or_else(|| anyhow!("`account` is 1 or 2, not {}", entry.account))?;
            Ok(Fixture { account, kind: entry.kind, name: entry.name })
        };
        let fixtures = file.secrets.into_iter().map(fixture).collect::<anyhow::Result<_>>()?;
        let mut vendor = vendor.clone();
        for operation in vendor.spec.operations.values_mut().filter(|it| it.role == Role::Rotate) {
            let named = operation.parameters.values_mut().filter(|it| it.is == Meaning::Function);
            named
                .for_each(|parameter| parameter.example = file.function.clone().or(parameter.example.take()));
        }
        Ok((fixtures, vendor))
    };
    read().with_context(|| format!("--fixtures {}", path.display())).map_err(Failure::usage)
}
