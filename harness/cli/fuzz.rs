//! `rotaprobe fuzz`.

use super::recording::Recording;
use super::target::{self, TargetArgs};
use super::vendors::Chosen;
use super::{Failure, check, interrupt, vendors};
use crate::campaign::fuzz::{Budget, Finding, Happens, Heard, Hunt, Listener, Store, Summary, Target, hunt};
use crate::campaign::{self, Event, Interrupt};
use crate::emulator::fault::{self, Fault};
use crate::history::History;
use crate::record::Begins;
use anyhow::anyhow;
use clap::Args;
use indicatif::ProgressBar;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Seconds between two lines of status where nobody watches.
const QUIET: Duration = Duration::from_secs(10);

/// Arguments of `fuzz`.
#[derive(Debug, Args)]
pub(super) struct FuzzArgs {
    #[command(flatten)]
    vendors: vendors::Wanted,
    #[command(flatten)]
    target: TargetArgs,
    /// How long to fuzz, for example 90s, 10m or 8h (default: until Ctrl-C)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// Calls to make at most
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// Plans that are tried at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Seed of everything random (default: from the clock; printed)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Directory of inputs that showed something new; a campaign goes on where it was
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Directory where findings are written, a JSON file each
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
    /// Calls in a second at most
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<f64>,
    /// End after so many findings
    #[arg(long, value_name = "N")]
    max_findings: Option<usize>,
    /// Record what happens in a file that `rotaprobe judge` reads; no secret stands in it
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Fault of the embedded reference to switch on; may be given several times
    #[arg(long = "fault", value_name = "NAME", conflicts_with = "endpoint")]
    faults: Vec<String>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("write it as 90s, 10m, 8h or 2d".into()),
    };
    let number: u64 = number.parse().map_err(|_| "write it as 90s, 10m, 8h or 2d".to_owned())?;
    match number.checked_mul(seconds).filter(|seconds| (1..=366 * 86_400).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err("between a second and a year".into()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches("/s").parse().map_err(|_| "write it as 20 or 20/s".to_owned())?;
    if number.is_finite() && number > 0.0 { Ok(number) } else { Err("more than none".into()) }
}

pub(super) fn run(args: &FuzzArgs) -> Result<u8, Failure> {
    let mut chosen = vendors::chosen(&args.vendors)?;
    let (Some(chosen), true) = (chosen.pop(), chosen.is_empty()) else {
        return Err(Failure::usage(anyhow!(
            "a campaign is one vendor's: say which with --vendor NAME or --spec FILE"
        )));
    };
    let stop = Interrupt::default();
    interrupt::listen(&stop)?;
    let seed = args.seed.unwrap_or_else(|| check::wall_clock().unsigned_abs() & 0xFFFF);
    let faults = faults(&args.faults)?;
    let (targets, chosen) = targets(args, &chosen, &faults, seed, &stop)?;
    let store = Store::open(args.corpus.as_deref(), args.findings.as_deref()).map_err(Failure::usage)?;
    let name = targets.first().map_or_else(String::new, |target| target.endpoint.transport.name());
    println!(
        "rotaprobe {} · fuzz · {} · {name} · seed {seed}\n",
        env!("CARGO_PKG_VERSION"),
        chosen.vendor.spec.vendor
    );
    let budget =
        Budget { time: args.time, calls: args.calls, rate: args.rate, findings: args.max_findings, seed };
    let mut status = Status::new();
    let heard = &mut |heard: Heard<'_>| match heard {
        Heard::Status(summary) => status.show(&summary),
        Heard::Found(finding, path) => status.above(&found(finding, path.as_deref())),
        Heard::Left(journal, left) => {
            let command = super::care::command(&args.target, &journal);
            status.above(&format!("{left} secrets may be left at {name}; remove them with: {command}"));
        }
    };
    let recording = args.history.as_ref().map(|path| {
        let keys = targets.first().map_or(&[][..], |target| target.endpoint.credentials.as_slice());
        let mut recording = Recording::new(path, &chosen.vendor, keys, seed);
        recording.hear(&Event::Begins { vendor: &chosen.vendor.spec.vendor, endpoint: &name, checks: 0 });
        recording.hear(&Event::Lacks { operations: &[] });
        Mutex::new(recording)
    });
    let listen = |spent: &[Vec<i64>], history: &History| {
        let begins = Begins { of: None, spent: spent.to_vec(), cut: None };
        if let Some(mut recording) = recording.as_ref().and_then(|it| it.lock().ok()) {
            recording.hear(&Event::History { begins: &begins, history });
        }
    };
    let listener: Option<Listener<'_>> = args.history.as_ref().map(|_| &listen as Listener<'_>);
    let all = Hunt {
        vendor: &chosen.vendor,
        faults: &args.faults,
        budget: &budget,
        store: &store,
        interrupt: &stop,
        listener,
    };
    let summary = hunt(&all, targets, heard).map_err(Failure::unfinished)?;
    status.end();
    if let Some(recording) = recording.and_then(|it| it.into_inner().ok()) {
        recording.finish()?;
    }
    println!("{}", line(&summary));
    summary.notes.iter().for_each(|note| println!("note: {note}"));
    if let Some(why) = &summary.stopped {
        eprintln!("the campaign ended early: {why}");
    }
    Ok(match () {
        () if summary.findings > 0 => 1,
        () if summary.stopped.is_some() || summary.plans == 0 => 3,
        () => 0,
    })
}

fn faults(names: &[String]) -> Result<Vec<&'static Fault>, Failure> {
    let known = |name: &String| {
        fault::find(name).ok_or_else(|| {
            Failure::usage(anyhow!(
                "there is no fault `{name}` (`rotaprobe emulate --fault list` names all faults)"
            ))
        })
    };
    names.iter().map(known).collect()
}

/// An endpoint for each job; references of their own, where there is no other.
fn targets(
    args: &FuzzArgs,
    chosen: &Chosen,
    faults: &[&'static Fault],
    seed: u64,
    stop: &Interrupt,
) -> Result<(Vec<Target>, Chosen), Failure> {
    let (fixtures, chosen) = target::with_fixtures(&args.target, chosen)?;
    let jobs = 0..u64::from(args.jobs);
    let Some(url) = &args.target.endpoint else {
        let one = |job: u64| {
            let mut target = Target::reference(&chosen.vendor, faults.to_vec(), seed ^ job);
            target.endpoint.care.interrupt = stop.clone();
            target
        };
        return Ok((jobs.map(one).collect(), chosen));
    };
    let moved = args.target.control.is_some() || args.target.clock_cmd.is_some();
    if args.jobs > 1 && (moved || chosen.vendor.law.rate.is_some()) {
        let what = if moved { "its clock" } else { "its documented quota" };
        return Err(Failure::usage(anyhow!(
            "--jobs {}: plans at one endpoint share {what}; leave --jobs out",
            args.jobs
        )));
    }
    let now: crate::client::Now = std::sync::Arc::new(check::wall_clock);
    let mut endpoint = target::remote(&args.target, &chosen, url, stop, fixtures)?;
    campaign::preflight(&chosen.vendor, &mut endpoint, &now, seed).map_err(Failure::unfinished)?;
    let one = |job: u64| {
        let mut endpoint = endpoint.clone();
        // Each job writes down what it makes in a file of its own.
        if let (Some(path), true) = (endpoint.care.journal.as_mut().and_then(|it| it.path.as_mut()), job > 0)
        {
            path.as_mut_os_string().push(format!(".{job}"));
        }
        Target { endpoint, now: now.clone(), reference: None }
    };
    Ok((jobs.map(one).collect(), chosen))
}

/// A finding, as somebody reads it who waits for it.
fn found(finding: &Finding, path: Option<&Path>) -> String {
    let happens = match finding.happens {
        Happens::Untried => "not tried again".to_owned(),
        Happens::Always => "always".to_owned(),
        Happens::Sometimes { times: 0, of } => format!("once, and not again in {of} tries"),
        Happens::Sometimes { times, of } => format!("sometimes, {times} of {of} times"),
    };
    let calls =
        finding.history.iter().filter(|line| line.shows).map(|line| format!("    call      {}\n", line.call));
    let again =
        path.map_or_else(String::new, |path| format!("\n    again     rotaprobe replay {}", path.display()));
    format!(
        "x {}  {}  {}\n{}    expected  {}\n    observed  {}\n    happens   {happens}; found after {} calls, shrunk to {}\n    says      {}{again}\n",
        finding.rule,
        finding.claim,
        format!("{:?}", finding.level).to_uppercase(),
        calls.collect::<String>(),
        finding.expected,
        finding.observed,
        finding.after,
        finding.plan.calls(),
        finding.source,
    )
}

fn line(summary: &Summary) -> String {
    let seconds = summary.lasted.as_secs_f64().max(0.001);
    format!(
        "{} calls in {} plans, {:.0} calls/s, {} features, {} inputs, {} findings, nothing new for {} s",
        summary.calls,
        summary.plans,
        summary.calls as f64 / seconds,
        summary.features,
        summary.corpus,
        summary.findings,
        summary.since_new.as_secs(),
    )
}

/// The line that tells where the campaign is; on a terminal it stays where it is.
struct Status {
    bar: Option<ProgressBar>,
    last: Instant,
}

impl Status {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(ProgressBar::new_spinner);
        Self { bar, last: Instant::now() }
    }

    fn show(&mut self, summary: &Summary) {
        match &self.bar {
            Some(bar) => bar.set_message(line(summary)),
            None if self.last.elapsed() >= QUIET => {
                eprintln!("  {}", line(summary));
                self.last = Instant::now();
            }
            None => {}
        }
    }

    fn above(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| println!("{text}")),
            None => println!("{text}"),
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_are_read_as_they_are_written() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert!(duration("0s").is_err() && duration("-1s").is_err() && duration("9999999999999d").is_err());
        assert_eq!(rate("20/s"), Ok(20.0));
        assert!(rate("0").is_err() && rate("fast").is_err() && rate("inf").is_err());
    }
}
