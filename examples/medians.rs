//! How many calls a campaign makes until it finds each fault that no directed check finds: the table in
//! `docs/fuzzing.md`.
//!
//! `cargo run --release --example medians [SEEDS [CALLS [VENDOR…]]]`: seeds per fault (10), calls after which
//! a campaign gives up (100000), vendors (every one).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks")]

use rotaprobe::campaign::Interrupt;
use rotaprobe::campaign::fuzz::{Budget, Heard, Hunt, Store, Target, hunt};
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::spec::{self, Vendor};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let seeds: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let most: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let named: Vec<String> = arguments.collect();
    let names = if named.is_empty() { spec::embedded_names() } else { named };
    let vendors: Vec<Arc<Vendor>> =
        names.iter().map(|name| Ok(Arc::new(spec::embedded(name)?))).collect::<Result<_, Failure>>()?;
    let faults: Vec<&'static Fault> = fault::deep().collect();
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
/// something, how many did; a dash where none did.
fn until_found(vendor: &Arc<Vendor>, fault: &'static Fault, seeds: u64, most: u64) -> String {
    let mut found: Vec<u64> = Vec::new();
    for seed in 1..=seeds {
        let targets = vec![Target::reference(vendor, vec![fault], seed)];
        let budget = Budget { time: None, calls: Some(most), rate: None, findings: Some(1), seed };
        let mut after = None;
        let mut hear = |heard: Heard<'_>| {
            if let Heard::Found(finding, _) = heard {
                after = after.or(Some(finding.after as u64));
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
        if seed == 3 && found.is_empty() {
            return "–".to_owned();
        }
    }
    found.sort_unstable();
    match found.get(usize::try_from(seeds / 2).unwrap_or(0)) {
        Some(median) => median.to_string(),
        None => format!("{} of {seeds}", found.len()),
    }
}
