//! How many calls a campaign makes until it finds each fault, and whether what it found can be replayed: the
//! tables in `docs/fuzzing.md`.
//!
//! `cargo run --release --example campaigns [FAULTS [SEEDS [CALLS [VENDOR…]]]]`: `deep` faults, that no directed
//! check finds, `shallow` ones, that some check does, `liberties`, that nothing may find, or one by its name (deep);
//! seeds per fault (10), calls after which a campaign gives up (100000), vendors (every one).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks")]

use rotaprobe::campaign::Interrupt;
use rotaprobe::campaign::fuzz::{Budget, Heard, Hunt, Runner, Store, Target, hunt};
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::spec::{self, Vendor};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let faults: Vec<&'static Fault> = match arguments.next().as_deref() {
        None | Some("deep") => fault::deep().collect(),
        Some("shallow") => fault::all().collect(),
        Some("liberties") => fault::liberties().collect(),
        Some(name) => vec![fault::find(name).ok_or_else(|| format!("there is no fault {name}"))?],
    };
    let seeds: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let most: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let named: Vec<String> = arguments.collect();
    let names = if named.is_empty() { spec::embedded_names() } else { named };
    let vendors: Vec<Arc<Vendor>> =
        names.iter().map(|name| Ok(Arc::new(spec::embedded(name)?))).collect::<Result<_, Failure>>()?;
    let jobs: Vec<(usize, usize)> =
        (0..faults.len()).flat_map(|fault| (0..vendors.len()).map(move |vendor| (fault, vendor))).collect();
    let next = AtomicUsize::new(0);
    let cells = Mutex::new(vec![vec![String::new(); vendors.len()]; faults.len()]);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((fault, vendor)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cell = until_found(&vendors[*vendor], faults[*fault], seeds, most);
                    eprintln!("{} at {}: {cell}", faults[*fault].name, names[*vendor]);
                    if let Ok(mut cells) = cells.lock() {
                        cells[*fault][*vendor] = cell;
                    }
                }
            });
        }
    });
    println!("| fault | {} |", names.join(" | "));
    println!("|---{}|", "|---:".repeat(names.len()));
    if let Ok(cells) = cells.lock() {
        for (fault, row) in faults.iter().zip(cells.iter()) {
            println!("| `{}` | {} |", fault.name, row.join(" | "));
        }
    }
    Ok(())
}

/// The median of the calls until something is found; where fewer than half of the campaigns found
/// something, how many did; a dash where none did. Then how many of what they found could not be replayed,
/// if any: it must happen again with the fault on, and not without.
fn until_found(vendor: &Arc<Vendor>, fault: &'static Fault, seeds: u64, most: u64) -> String {
    let mut found: Vec<u64> = Vec::new();
    let mut not_replayed = 0;
    for seed in 1..=seeds {
        let targets = vec![Target::reference(vendor, vec![fault], seed)];
        let budget = Budget { time: None, calls: Some(most), rate: None, findings: Some(1), seed };
        let mut after = None;
        let mut hear = |heard: Heard<'_>| {
            if let Heard::Found(finding, _) = heard {
                after = after.or(Some(finding.after as u64));
                let happens = |faults| {
                    let target = Target::reference(vendor, faults, seed);
                    let forever = Instant::now() + Duration::from_secs(86_400);
                    Runner::new(vendor, target, seed, forever).map(|mut it| it.replay(finding, 5).happened)
                };
                let told_apart = matches!((happens(vec![fault]), happens(Vec::new())), (Ok(1..), Ok(0)));
                not_replayed += usize::from(!told_apart);
            }
        };
        let (store, interrupt) = (Store::default(), Interrupt::default());
        let all = Hunt {
            vendor,
            faults: &[],
            budget: &budget,
            store: &store,
            interrupt: &interrupt,
            listener: None,
        };
        let ended = hunt(&all, targets, &mut hear);
        found.extend(ended.ok().and(after));
        // What one campaign in three does not find is not worth seven more.
        if seed == 3.min(seeds) && found.is_empty() {
            return "–".to_owned();
        }
    }
    found.sort_unstable();
    let median = match found.get(usize::try_from(seeds / 2).unwrap_or(0)) {
        Some(median) => median.to_string(),
        None => format!("{} of {seeds}", found.len()),
    };
    if not_replayed == 0 { median } else { format!("{median} ({not_replayed} not replayed)") }
}
