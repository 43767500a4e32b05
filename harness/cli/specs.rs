//! `rotaprobe specs`: what is in specs, whether they are sound, and how much of them a run reaches.

use super::target::reference;
use super::vendors::{self, Chosen};
use super::{Failure, interrupt};
use crate::campaign::{self, Interrupt, Plan};
use crate::report::coverage;
use crate::spec::{self, Level, Spec};
use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Commands about specs.
#[derive(Debug, Subcommand)]
pub(super) enum SpecsCommand {
    /// List the vendors: name, title, API version, operations, rules
    List {
        #[command(flatten)]
        vendors: vendors::Wanted,
    },
    /// Show a spec as a page: sources, operations, kinds, rules
    Show {
        /// Vendor in the binary
        #[arg(value_name = "VENDOR")]
        vendor: Option<String>,
        /// Vendor that is not in the binary, by the file of its spec
        #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
        spec: Option<PathBuf>,
    },
    /// Check files as every command does that reads them, and warn of what is odd
    Lint {
        /// Files of specs
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Check the embedded reference, and tell how much of the spec that reaches
    Coverage(CoverageArgs),
}

/// Arguments of `specs coverage`.
#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    vendors: vendors::Wanted,
    /// Print it as this format instead of as a table
    #[arg(long, value_name = "FORMAT")]
    report: Option<Format>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// How coverage is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A list, one entry for each vendor, as in JSON reports.
    Json,
}

pub(super) fn run(command: &SpecsCommand) -> Result<u8, Failure> {
    match command {
        SpecsCommand::List { vendors } => list(&vendors::chosen(vendors)?),
        SpecsCommand::Show { vendor, spec } => {
            let found = match (vendor, spec) {
                (_, Some(file)) => spec::from_file(file),
                (Some(name), None) => spec::embedded(name),
                (None, None) => {
                    return Err(Failure::usage(anyhow!(
                        "specs show: say which, by the name of a vendor or with --spec FILE"
                    )));
                }
            };
            print!("{}", page(&found.map_err(Failure::usage)?.spec));
            Ok(0)
        }
        SpecsCommand::Lint { files } => Ok(lint(files)),
        SpecsCommand::Coverage(args) => cover(args),
    }
}

fn list(chosen: &[Chosen]) -> Result<u8, Failure> {
    let specs = || chosen.iter().map(|chosen| &chosen.vendor.spec);
    let widest =
        |text: fn(&Spec) -> &str| specs().map(|spec| text(spec).chars().count()).max().unwrap_or_default();
    let (name, title) = (widest(|spec| &spec.vendor), widest(|spec| &spec.title));
    for spec in specs() {
        let binding = spec.requirements.values().filter(|it| it.level > Level::Unspecified).count();
        println!(
            "{:<name$}  {:<title$}  {:<10}  {:>2} operations  {:>2} rules, {binding} binding",
            spec.vendor,
            spec.title,
            spec.version,
            spec.operations.len(),
            spec.requirements.len()
        );
    }
    Ok(0)
}

/// A spec as a page for people.
fn page(spec: &Spec) -> String {
    let mut lines = vec![format!("{}  {}, version {}", spec.vendor, spec.title, spec.version)];
    lines.push("\nSources".into());
    for (name, source) in &spec.sources {
        let dated = source.dated.as_ref().map(|dated| format!(", {dated}")).unwrap_or_default();
        let note = source.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        lines.push(format!("  {name:<16} {}{dated}{note}", source.title));
    }
    lines.push("\nOperations".into());
    for (name, operation) in &spec.operations {
        let count = |required| operation.parameters.values().filter(|it| it.required == required).count();
        lines.push(format!(
            "  {name:<28} {:<12} {} required and {} optional parameters; {}",
            lower(&operation.role),
            count(true),
            count(false),
            spec.cite(&operation.source)
        ));
    }
    lines.push("\nKinds of secret".into());
    for (name, kind) in &spec.kinds {
        let rotates = if kind.rotates { "rotates" } else { "does not rotate" };
        let values = if kind.takes_values { "takes values" } else { "takes no values" };
        let keeps = kind.keeps.map(|keeps| format!(", keeps {keeps} versions")).unwrap_or_default();
        lines.push(format!("  {name:<28} {rotates}, {values}{keeps}; {}", spec.cite(&kind.source)));
    }
    lines.push("\nRules".into());
    for (name, requirement) in &spec.requirements {
        lines.push(format!("  {name:<12} {:<12} {}", lower(&requirement.level), requirement.why));
        let cited = spec.cite(&requirement.source);
        if !cited.is_empty() {
            lines.push(format!("  {:<25} says {cited}", ""));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A word of the model as specs write it.
fn lower(word: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Says of each file whether it can be used, and what is odd about it.
fn lint(files: &[PathBuf]) -> u8 {
    let mut bad = 0;
    for file in files {
        match spec::from_file(file) {
            Err(why) => {
                bad += 1;
                eprintln!("error: {why}");
            }
            Ok(vendor) => {
                let warnings = spec::lint(&vendor.spec);
                println!(
                    "{}: a sound spec of {}, {} warnings",
                    file.display(),
                    vendor.spec.vendor,
                    warnings.len()
                );
                warnings.iter().for_each(|it| println!("  at `{}`: {}", it.path, it.what));
            }
        }
    }
    if bad == 0 { 0 } else { 2 }
}

fn cover(args: &CoverageArgs) -> Result<u8, Failure> {
    let rules = campaign::select(&[]).map_err(Failure::usage)?;
    let plan = Plan { rules, seed: args.seed, deadline: Duration::from_secs(600) };
    let stop = Interrupt::default();
    interrupt::listen(&stop)?;
    let (mut covered, mut code) = (Vec::new(), 0);
    for Chosen { vendor, file: _ } in vendors::chosen(&args.vendors)? {
        let (endpoint, now) = reference(&vendor, plan.seed, &stop);
        let outcome = campaign::run(&vendor, &endpoint, &plan, now, &mut |_| {});
        if stop.requested() {
            return Err(Failure::unfinished(anyhow!("interrupted: run it again for the whole of it")));
        }
        code = code.max(outcome.exit_code());
        covered.extend(outcome.coverage);
    }
    match args.report {
        Some(Format::Json) => {
            let text = serde_json::to_string_pretty(&covered)
                .context("coverage cannot be written as JSON")
                .map_err(Failure::unfinished)?;
            println!("{text}");
        }
        None => {
            let tables: Vec<String> = covered.iter().map(coverage::table).collect();
            print!("{}", tables.join("\n"));
        }
    }
    Ok(code)
}
