//! How a run treats the account behind an endpoint: the journal, and how much it may use.

use super::Failure;
use super::target::TargetArgs;
use super::vendors::Chosen;
use crate::campaign::{Care, Interrupt, Journalled};
use crate::spec::Vendor;
use anyhow::Context;
use clap::Args;
use std::path::{Path, PathBuf};

/// A documented limit with a shorter window is a rate, and recovers while the run goes on.
const QUOTA_SECONDS: i64 = 60;

/// Arguments about the account behind the endpoint.
#[derive(Debug, Args)]
pub(super) struct CareArgs {
    /// Where to write down what is made, for `rotaprobe cleanup` (default: rotaprobe-<RUN>.journal here); removed
    /// when all of it was deleted
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    journal: Option<PathBuf>,
    /// Secrets that may be there at a time
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    max_secrets: u32,
    /// Rotations that may be asked for in each account (default: the documented quota; no limit on loopback)
    #[arg(long, value_name = "N", requires = "endpoint")]
    rotations_per_account: Option<u32>,
}

/// What a run owes to the account behind an endpoint.
pub(super) fn of(
    args: &CareArgs,
    chosen: &Chosen,
    loopback: bool,
    interrupt: &Interrupt,
) -> Result<Care, Failure> {
    // A journal is read wherever somebody cleans up.
    let absolute = |file: &PathBuf| {
        std::path::absolute(file)
            .with_context(|| format!("--spec {}", file.display()))
            .map_err(Failure::usage)
    };
    let spec = chosen.file.as_ref().map(absolute).transpose()?;
    Ok(Care {
        journal: Some(Journalled { path: args.journal.clone(), spec }),
        max_secrets: usize::try_from(args.max_secrets).ok(),
        rotations: budget(args.rotations_per_account, &chosen.vendor, loopback),
        interrupt: interrupt.clone(),
    })
}

fn budget(wanted: Option<u32>, vendor: &Vendor, loopback: bool) -> Option<usize> {
    let documented =
        vendor.law.rate.filter(|rate| !loopback && rate.per >= QUOTA_SECONDS).map(|rate| rate.calls);
    wanted.and_then(|most| usize::try_from(most).ok()).or(documented)
}

/// The command that removes what a run left.
pub(super) fn command(args: &TargetArgs, journal: &Path) -> String {
    let mut command = format!("rotaprobe cleanup {}", quoted(&journal.to_string_lossy()));
    if let Some(path) = &args.credentials {
        command.push_str(&format!(" --credentials {}", quoted(&path.to_string_lossy())));
    }
    for host in &args.allow_host {
        command.push_str(&format!(" --allow-host {}", quoted(host)));
    }
    command
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/:.-_[]".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_the_documented_quota_away_from_loopback() {
        let mut vendor = crate::spec::embedded("alibaba").unwrap();
        assert_eq!(budget(None, &vendor, true), None);
        assert_eq!(budget(None, &vendor, false), Some(50));
        assert_eq!(budget(Some(7), &vendor, false), Some(7));
        assert_eq!(budget(Some(0), &vendor, true), Some(0));
        vendor.law.rate = vendor.law.rate.map(|rate| crate::model::RateLaw { per: 1, ..rate });
        assert_eq!(budget(None, &vendor, false), None, "so many in a second is no quota");
        vendor.law.rate = None;
        assert_eq!(budget(None, &vendor, false), None);
    }

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        assert_eq!(quoted("/tmp/a-b.journal"), "/tmp/a-b.journal");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
        assert_eq!(quoted(""), "''");
    }
}
