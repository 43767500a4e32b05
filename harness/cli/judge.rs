//! `rotaprobe judge HISTORY`.

use super::care::quoted;
use super::{Failure, check, fixtures, reports};
use crate::campaign::{self, Outcome};
use crate::record::Reader;
use crate::report::console;
use crate::spec::{self, Vendor};
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `judge`.
#[derive(Debug, Args)]
pub(super) struct JudgeArgs {
    /// Histories that `rotaprobe check --history FILE` recorded, or anybody else
    #[arg(value_name = "HISTORY")]
    history: PathBuf,
    /// Vendor in the binary (default: the one that the file names)
    #[arg(long, value_name = "NAME")]
    vendor: Option<String>,
    /// Vendor that is not in the binary, by the file of its spec
    #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
    spec: Option<PathBuf>,
    /// Rules to judge by, by pattern, for example 'ROT-POL-*' (default: all)
    #[arg(long = "rule", value_name = "GLOB")]
    rules: Vec<String>,
    /// Write a report: json=FILE or junit=FILE; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<reports::Wanted>,
    /// The fixtures of the recorded run, where it had some
    #[arg(long, value_name = "FILE")]
    fixtures: Option<PathBuf>,
}

pub(super) fn run(args: &JudgeArgs) -> Result<u8, Failure> {
    let rules = campaign::select(&args.rules).map_err(Failure::usage)?;
    let mut reader = Reader::open(&args.history).map_err(Failure::usage)?;
    let head = reader.head().clone();
    let vendor = vendor(args, &head.vendor)?;
    if let Some(version) = head.spec.as_ref().filter(|version| **version != vendor.spec.version) {
        eprintln!(
            "{} is of version {version} of the API, and judged by the spec of {}",
            args.history.display(),
            vendor.spec.version
        );
    }
    let begun = reports::begin(&args.reports)?;
    let mut count = 0;
    let histories = std::iter::from_fn(|| {
        let told = reader.history(&vendor).transpose();
        count += usize::from(matches!(told, Some(Ok(_))));
        told
    });
    let outcome = campaign::judge_recorded(&vendor, &head, &rules, histories).map_err(Failure::usage)?;
    if reader.torn() {
        eprintln!("the last line of {} was cut off; what it told is not judged", args.history.display());
    }
    print(args, &vendor, &outcome, count);
    reports::finish(begun, &outcome)?;
    Ok(outcome.exit_code())
}

fn print(args: &JudgeArgs, vendor: &Vendor, outcome: &Outcome, histories: usize) {
    let style = check::style();
    let endpoint = outcome.endpoints.join(", ");
    let (version, name) = (&outcome.rotaprobe, &vendor.spec.vendor);
    println!("rotaprobe {version} · {name} · {endpoint} · {histories} recorded histories\n");
    let mut again = format!("rotaprobe judge {}", quoted(&args.history.to_string_lossy()));
    match (&args.vendor, &args.spec) {
        (Some(name), _) => again.push_str(&format!(" --vendor {name}")),
        (_, Some(file)) => again.push_str(&format!(" --spec {}", quoted(&file.to_string_lossy()))),
        _ => {}
    }
    print!("{}", console::results(&outcome.results, &again, style));
    outcome.coverage.iter().for_each(|one| println!("\n{}", console::coverage(one)));
    println!("\n{}", console::summary(outcome, style));
}

fn vendor(args: &JudgeArgs, named: &str) -> Result<Arc<Vendor>, Failure> {
    let vendor = match (&args.spec, &args.vendor) {
        (Some(file), _) => spec::from_file(file).map_err(Failure::usage)?,
        (None, Some(name)) => spec::embedded(name).map_err(Failure::usage)?,
        (None, None) => spec::embedded(named)
            .with_context(|| {
                let file = args.history.display();
                format!(
                    "history {file}, line 1, at `vendor`: mend the name, or give --vendor NAME or --spec FILE"
                )
            })
            .map_err(Failure::usage)?,
    };
    Ok(Arc::new(match &args.fixtures {
        Some(path) => fixtures::from_file(path, &vendor)?.1,
        None => vendor,
    }))
}
