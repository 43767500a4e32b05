//! `rotaprobe check`.

use super::recording::Recording;
use super::vendors::Chosen;
use super::{CheckArgs, Failure, care, interrupt, reports, target, vendors};
use crate::campaign::{self, Event, Interrupt, Outcome, Plan, RuleResult, Summary, Totals};
use crate::client::Now;
use crate::model::RULES;
use crate::report::console::{self, Style};
use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Exit code of a run that was asked to end before it was done.
const UNFINISHED: u8 = 3;

pub(super) fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let vendors = vendors::chosen(&args.vendors)?;
    let rules = campaign::select(&args.rules).map_err(Failure::usage)?;
    if args.list {
        list(&vendors, &rules);
        return Ok(0);
    }
    if args.target.endpoint.is_some() && vendors.len() != 1 {
        return Err(Failure::usage(anyhow!(
            "--endpoint is one vendor's: say which with --vendor NAME or --spec FILE"
        )));
    }
    if args.history.as_ref().is_some_and(|path| path.is_dir()) {
        return Err(Failure::usage(anyhow!("--history: this is a directory; name a file in it")));
    }
    if args.history.is_some() && vendors.len() != 1 {
        return Err(Failure::usage(anyhow!(
            "--history is one vendor's: say which with --vendor NAME or --spec FILE"
        )));
    }
    let style = style();
    let seed = args.seed.unwrap_or_else(|| wall_clock().unsigned_abs() & 0xFFFF);
    let begun = reports::begin(&args.reports)?;
    let plan = Plan { rules, seed, deadline: Duration::from_secs(args.deadline) };
    let stop = Interrupt::default();
    interrupt::listen(&stop)?;
    let (mut outcomes, mut recorded) = (Vec::new(), Ok(()));
    for vendor in &vendors {
        outcomes.push(one(args, vendor, &plan, style, &stop, &mut recorded)?);
    }
    let outcome = joined(outcomes, seed);
    println!("\n{}", console::summary(&outcome, style));
    reports::finish(begun, &outcome)?;
    recorded?;
    Ok(if stop.requested() { UNFINISHED } else { outcome.exit_code() })
}

fn one(
    args: &CheckArgs,
    chosen: &Chosen,
    plan: &Plan,
    style: Style,
    stop: &Interrupt,
    recorded: &mut Result<(), Failure>,
) -> Result<Outcome, Failure> {
    let (fixtures, chosen) = target::with_fixtures(&args.target, chosen)?;
    let vendor = &chosen.vendor;
    let (endpoint, now) = match &args.target.endpoint {
        None => target::reference(vendor, plan.seed, stop),
        Some(url) => {
            let now: Now = Arc::new(wall_clock);
            let mut endpoint = target::remote(&args.target, &chosen, url, stop, fixtures)?;
            campaign::preflight(vendor, &mut endpoint, &now, plan.seed).map_err(Failure::unfinished)?;
            (endpoint, now)
        }
    };
    let name = endpoint.transport.name();
    println!(
        "rotaprobe {} · {} · {name} · seed {}\n",
        env!("CARGO_PKG_VERSION"),
        vendor.spec.vendor,
        plan.seed
    );
    let mut progress = Progress::new();
    let mut kept = None;
    let record = |path: &PathBuf| Recording::new(path, vendor, &endpoint.credentials, plan.seed);
    let mut recording = args.history.as_ref().map(record);
    let outcome = campaign::run(vendor, &endpoint, plan, now, &mut |event| {
        progress.hear(&event);
        recording.iter_mut().for_each(|recording| recording.hear(&event));
        if let Event::Kept { journal, left } = event {
            kept = Some((care::command(&args.target, journal), left));
        }
    });
    print!("{}", console::results(&outcome.results, &again(args, &chosen, plan.seed), style));
    outcome.coverage.iter().for_each(|one| println!("\n{}", console::coverage(one)));
    if let Some((command, left)) = kept {
        eprintln!("{left} secrets may be left at {name}; remove them with: {command}");
    }
    // What a run found is told and reported all the same.
    *recorded = recording.map_or(Ok(()), Recording::finish);
    Ok(outcome)
}

/// The command that repeats the run for one rule.
fn again(args: &CheckArgs, chosen: &Chosen, seed: u64) -> String {
    let mut command = format!("rotaprobe check {} --seed {seed}", chosen.option());
    let options = [
        ("--endpoint", args.target.endpoint.as_deref()),
        ("--control", args.target.control.as_deref()),
        ("--clock-cmd", args.target.clock_cmd.as_deref()),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            command.push_str(&format!(" {name} {}", care::quoted(value)));
        }
    }
    command
}

pub(super) fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Several vendors' runs as one.
fn joined(outcomes: Vec<Outcome>, seed: u64) -> Outcome {
    let summary =
        Summary { rules: Totals::default(), expectations: 0, calls: 0, seconds: 0.0, left_behind: 0 };
    let rotaprobe = env!("CARGO_PKG_VERSION").to_owned();
    let empty = Outcome {
        rotaprobe,
        seed,
        endpoints: Vec::new(),
        results: Vec::new(),
        coverage: Vec::new(),
        summary,
    };
    outcomes.into_iter().fold(empty, |mut all, one| {
        all.endpoints.extend(one.endpoints);
        all.results.extend(one.results);
        all.coverage.extend(one.coverage);
        let (sum, more) = (&mut all.summary, one.summary);
        sum.rules.holds += more.rules.holds;
        sum.rules.violated += more.rules.violated;
        sum.rules.not_exercised += more.rules.not_exercised;
        sum.rules.unknown += more.rules.unknown;
        sum.rules.broken += more.rules.broken;
        sum.expectations += more.expectations;
        sum.calls += more.calls;
        sum.seconds += more.seconds;
        sum.left_behind += more.left_behind;
        all
    })
}

fn list(vendors: &[Chosen], rules: &[&str]) {
    for rule in RULES.iter().filter(|rule| rules.contains(&rule.id)) {
        let levels: Vec<String> = vendors
            .iter()
            .map(|chosen| &chosen.vendor)
            .filter(|vendor| vendor.spec.requirements.contains_key(rule.id))
            .map(|vendor| {
                format!(
                    "{} {}",
                    vendor.spec.vendor,
                    format!("{:?}", vendor.spec.level(rule.id)).to_lowercase()
                )
            })
            .collect();
        let levels = if levels.is_empty() { "applies to no vendor".to_owned() } else { levels.join(", ") };
        println!("{:<12} {}  [{levels}]", rule.id, rule.claim);
    }
}

/// Colours on a terminal, unless the environment asks for none.
pub(super) fn style() -> Style {
    Style { colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
}

/// How long nothing is said of a run that is not watched.
const QUIET: Duration = Duration::from_secs(5);

/// Progress for whoever waits: a bar on a terminal; elsewhere a plain line now and then, and none of a short run.
struct Progress {
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Progress {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, told: Instant::now() }
    }

    fn hear(&mut self, event: &Event<'_>) {
        match (event, &self.bar) {
            (Event::Begins { checks, .. }, Some(bar)) => bar.set_length(*checks as u64),
            (Event::Check { rule }, Some(bar)) => bar.set_message(*rule),
            (Event::Checked { .. }, Some(bar)) => bar.inc(1),
            (Event::Checked { rule, calls, violated }, None) if self.told.elapsed() >= QUIET => {
                self.told = Instant::now();
                eprintln!("  checked {rule} ({calls} calls so far, {violated} rules violated)");
            }
            (Event::Ends { results }, Some(bar)) => {
                let _: &&[RuleResult] = results;
                bar.finish_and_clear();
            }
            _ => {}
        }
    }
}
