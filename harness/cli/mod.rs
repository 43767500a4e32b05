//! The hands: arguments to a plan, a plan to a command. The only place that prints or reads the environment.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where the program speaks")]

mod care;
mod check;
mod cleanup;
mod credentials;
mod emulate;
mod explain;
mod fixtures;
mod fuzz;
mod interrupt;
mod judge;
mod recording;
mod replay;
mod reports;
mod specs;
mod target;
mod vendors;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A conformance test harness and fuzzer for secret-rotation APIs.
#[derive(Debug, Parser)]
#[command(name = "rotaprobe", version, about, long_about = None, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 conforms, 1 violations, 2 usage or spec error, 3 the harness could not finish."
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check an endpoint against its vendor's documents; without --endpoint, the embedded reference
    Check(CheckArgs),
    /// Remove what a run left behind, as its journal tells
    Cleanup(cleanup::CleanupArgs),
    /// Run the reference emulator, of every vendor unless --vendor or --spec says which
    Emulate(EmulateArgs),
    /// Say what a rule claims, who documents it, and how it is exercised
    Explain {
        /// Id of the rule, for example ROT-IDEMP-1
        rule: String,
        #[command(flatten)]
        vendors: vendors::Wanted,
    },
    /// Fuzz an endpoint, or the embedded reference: plans of calls, races, lost replies
    Fuzz(fuzz::FuzzArgs),
    /// Judge recorded histories, without any endpoint
    Judge(judge::JudgeArgs),
    /// Tell whether a finding still happens
    Replay(replay::ReplayArgs),
    /// List, show and lint specs, and tell how much of them a run reaches
    #[command(subcommand)]
    Specs(specs::SpecsCommand),
}

/// Arguments of `check`.
#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    vendors: vendors::Wanted,
    #[command(flatten)]
    target: target::TargetArgs,
    /// Rules to check, by pattern, for example 'ROT-POL-*' (default: all)
    #[arg(long = "rule", value_name = "GLOB")]
    rules: Vec<String>,
    /// Seed of everything random (default: from the clock; printed)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Seconds for one vendor's whole run
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    deadline: u64,
    /// Write a report: json=FILE or junit=FILE; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE")]
    reports: Vec<reports::Wanted>,
    /// Record what happens in a file that `rotaprobe judge` reads; no secret stands in it
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// List the rules and their levels, and check nothing
    #[arg(long)]
    list: bool,
}

/// Arguments of `emulate`.
#[derive(Debug, Args)]
struct EmulateArgs {
    #[command(flatten)]
    vendors: vendors::Wanted,
    /// Address to listen on; port 0 takes any free port, one for each vendor
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: std::net::SocketAddr,
    /// Address of the control port: reads and advances the clock, switches faults, resets
    #[arg(long, value_name = "ADDRESS")]
    control: Option<std::net::SocketAddr>,
    /// Fault to switch on; may be given several times; `--fault list` names them
    #[arg(long = "fault", value_name = "NAME")]
    faults: Vec<String>,
    /// Access keys in a YAML file (default: testid/testsecret and testid2/testsecret2)
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// Why a command could not do its work: the exit code tells which kind of reason it is.
#[derive(Debug)]
struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    /// The command line, a spec or a file is wrong.
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 2, error: error.into() }
    }

    /// The harness could not finish.
    fn unfinished(error: impl Into<anyhow::Error>) -> Self {
        Self { code: 3, error: error.into() }
    }
}

/// Parses the command line, runs the command, and gives the exit code.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let done = match &line.command {
        Command::Check(args) => check::run(args),
        Command::Cleanup(args) => cleanup::run(args),
        Command::Emulate(args) => emulate::run(args),
        Command::Explain { rule, vendors } => explain::run(rule, vendors),
        Command::Fuzz(args) => fuzz::run(args),
        Command::Judge(args) => judge::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Specs(command) => specs::run(command),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("error: {:#}", failure.error);
            ExitCode::from(failure.code)
        }
    }
}
