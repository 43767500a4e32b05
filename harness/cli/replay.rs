//! `rotaprobe replay`.

use super::target::{self, TargetArgs};
use super::{Failure, check, interrupt, vendors};
use crate::campaign::fuzz::{Runner, Target, read_finding};
use crate::campaign::{self, Interrupt};
use crate::emulator::fault;
use anyhow::anyhow;
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a finding is tried.
const TIMES: u32 = 5;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The finding
    finding: PathBuf,
    /// Spec of the vendor, where it is not one of those in the binary
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

/// Exit code 1: it still happens; 0: it does not; 3: nobody can tell.
pub(super) fn run(args: &ReplayArgs) -> Result<u8, Failure> {
    let finding = read_finding(&args.finding).map_err(Failure::usage)?;
    let wanted = vendors::Wanted::one(&finding.vendor, args.spec.as_ref());
    let chosen = vendors::chosen(&wanted)?.pop();
    let Some(chosen) = chosen else { return Err(Failure::usage(anyhow!("no vendor {}", finding.vendor))) };
    let stop = Interrupt::default();
    interrupt::listen(&stop)?;
    let (fixtures, chosen) = target::with_fixtures(&args.target, &chosen)?;
    let target = match &args.target.endpoint {
        Some(url) => {
            let now: crate::client::Now = std::sync::Arc::new(check::wall_clock);
            let mut endpoint = target::remote(&args.target, &chosen, url, &stop, fixtures)?;
            campaign::preflight(&chosen.vendor, &mut endpoint, &now, finding.seed)
                .map_err(Failure::unfinished)?;
            Target { endpoint, now, reference: None }
        }
        None => {
            let faults = finding.faults.iter().map(|name| {
                fault::find(name).ok_or_else(|| {
                    Failure::usage(anyhow!("{}: there is no fault `{name}`", args.finding.display()))
                })
            });
            let mut target =
                Target::reference(&chosen.vendor, faults.collect::<Result<_, _>>()?, finding.seed);
            target.endpoint.care.interrupt = stop.clone();
            target
        }
    };
    let name = target.endpoint.transport.name();
    println!("rotaprobe {} · replay · {} · {name}\n", env!("CARGO_PKG_VERSION"), chosen.vendor.spec.vendor);
    println!(
        "{}  {}\n    expected  {}\n    observed  {}\n",
        finding.rule, finding.claim, finding.expected, finding.observed
    );
    let deadline = Instant::now() + PATIENCE;
    let mut runner = Runner::new(&chosen.vendor, target, finding.seed, deadline)
        .map_err(|why| Failure::unfinished(anyhow!(why)))?;
    let replayed = runner.replay(&finding, TIMES);
    let why = runner.exhausted();
    if let Some((journal, left)) = runner.close() {
        let command = super::care::command(&args.target, &journal);
        eprintln!("{left} secrets may be left at {name}; remove them with: {command}");
    }
    Ok(match (replayed.happened, replayed.tried) {
        (happened @ 1.., tried) => {
            println!("still fails: {happened} of {tried} times");
            1
        }
        (0, tried @ TIMES) => {
            println!("fixed: it did not happen in {tried} tries");
            0
        }
        _ => {
            println!(
                "could not tell: {}",
                why.or(replayed.halted.map(|halt| halt.to_string()))
                    .unwrap_or_else(|| "the plan could not be performed to its end".into())
            );
            3
        }
    })
}
