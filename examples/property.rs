//! For whoever maintains an emulator in Rust: a property test of it, from a vendor's documents.
//!
//! The emulator here is rotaprobe's own, behind a socket; put yours in its place. Run it with
//! `cargo run --release --example property --features strategies`.

#![expect(clippy::print_stdout, reason = "an example speaks")]

use proptest::prelude::*;
use rotaprobe::campaign::fuzz::{Runner, Target};
use rotaprobe::emulator::service::Served;
use rotaprobe::emulator::{Emulator, server};
use rotaprobe::generate::strategies;
use rotaprobe::spec;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let vendor = Arc::new(spec::embedded("alibaba")?);
    let accounts = Emulator::default_accounts(&vendor);
    let keys = accounts.iter().map(|account| account.credentials.clone()).collect();

    // Your emulator, on a port of its own.
    let served = Arc::new(Served::new(Emulator::new(vendor.clone(), accounts, 7)));
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    runtime.spawn(server::serve(listener, served, stopped));

    let target = Target::over_http(&url, keys, &[])?;

    let deadline = Instant::now() + Duration::from_secs(60);
    let runner = Mutex::new(Runner::new(&vendor, target, 7, deadline)?);
    proptest!(ProptestConfig::with_cases(40), |(plan in strategies::plans(&vendor))| {
        let mut runner = runner.lock().map_err(|_| TestCaseError::fail("a case before this one ended badly"))?;
        let trial = runner.trial(&plan, 7);
        prop_assert!(trial.violations.is_empty(), "{:#?}", trial.violations);
    });
    println!("40 plans, nothing to say against them");
    Ok(())
}
