//! `rotaprobe cleanup JOURNAL`.

use super::Failure;
use super::credentials::{self, Keys};
use crate::campaign::{self, Care, Endpoint, Head, Removal, cleanup, read_journal};
use crate::client::Now;
use crate::client::http::{HttpTransport, Limits};
use crate::spec::{self, Vendor};
use anyhow::{Context, anyhow};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Time for the whole of it.
const DEADLINE: Duration = Duration::from_secs(600);

/// Arguments of `cleanup`.
#[derive(Debug, Args)]
pub(super) struct CleanupArgs {
    /// Journal that `rotaprobe check` left behind
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// File of the vendor's spec (default: what the journal names)
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Endpoint (default: the one that the journal names)
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Access keys in a YAML file (default: the vendor's environment variables)
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Host, other than loopback, that may be called
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// Milliseconds for one call
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    timeout: u64,
}

pub(super) fn run(args: &CleanupArgs) -> Result<u8, Failure> {
    let recorded = read_journal(&args.journal).map_err(Failure::usage)?;
    let vendor = Arc::new(vendor(args, &recorded.head)?);
    let remains = recorded.remains(&vendor);
    if recorded.torn {
        eprintln!(
            "the last line of {} was cut off; what it was to announce had not begun",
            args.journal.display()
        );
    }
    let mut counts = [0_usize; 2];
    let mut left = remains.strange.len() + remains.nameless.len();
    if !remains.own.is_empty() {
        let mut endpoint = endpoint(args, &recorded.head, &vendor)?;
        let now: Now = Arc::new(super::check::wall_clock);
        campaign::preflight(&vendor, &mut endpoint, &now, fastrand::u64(..)).map_err(Failure::unfinished)?;
        left = cleanup(&vendor, &endpoint, &now, &remains, DEADLINE, &mut |account, name, removal| {
            counts[0] += usize::from(matches!(removal, Removal::Removed | Removal::Leaving));
            counts[1] += usize::from(*removal == Removal::NotThere);
            told(account, name, removal);
        });
    }
    for (account, name) in &remains.strange {
        let why = "no run with this prefix makes such a name, so it is left alone; delete its line";
        told(*account, name, &Removal::Failed(why.into()));
    }
    for account in &remains.nameless {
        let why = "the service chose its name, and the run did not hear it; look for it by hand, then delete the journal";
        told(*account, "(a secret)", &Removal::Failed(why.into()));
    }
    let [removed, absent] = counts;
    let file = args.journal.display();
    if left > 0 {
        println!("{removed} removed, {absent} not there, {left} perhaps left; {file} is kept");
        return Ok(3);
    }
    std::fs::remove_file(&args.journal)
        .with_context(|| format!("all is removed, but {file} is not: delete it"))
        .map_err(Failure::unfinished)?;
    println!("{removed} removed, {absent} not there, none left; {file} is removed too");
    Ok(0)
}

fn vendor(args: &CleanupArgs, head: &Head) -> Result<Vendor, Failure> {
    let file = args.spec.as_ref().or(head.spec.as_ref());
    let journal = args.journal.display();
    let found = match file {
        Some(path) => spec::from_file(path),
        None => spec::embedded(&head.vendor),
    };
    let fix = match (&args.spec, &head.spec) {
        (Some(_), _) => "",
        (None, Some(_)) => ", line 1: give the file of the spec with --spec FILE",
        (None, None) => ", line 1: mend the name of the vendor",
    };
    let vendor = found.with_context(|| format!("journal {journal}{fix}")).map_err(Failure::usage)?;
    // Names and calls of another vendor would not fit what the run made.
    match file.filter(|_| vendor.spec.vendor != head.vendor) {
        Some(file) => Err(Failure::usage(anyhow!(
            "journal {journal} is of {}, and {} is the spec of {}; give the right one with --spec FILE",
            head.vendor,
            file.display(),
            vendor.spec.vendor
        ))),
        None => Ok(vendor),
    }
}

fn endpoint(args: &CleanupArgs, head: &Head, vendor: &Vendor) -> Result<Endpoint, Failure> {
    let url = args.endpoint.as_deref().unwrap_or(&head.endpoint);
    let transport = HttpTransport::new(url, Limits::default(), &args.allow_host).map_err(Failure::usage)?;
    let Keys { credentials, presumed } =
        credentials::of(args.credentials.as_deref(), vendor, transport.is_loopback())?;
    if credentials.is_empty() {
        return Err(Failure::usage(anyhow!("there are no access keys: give --credentials FILE")));
    }
    Ok(Endpoint {
        host: transport.host().to_owned(),
        transport: Arc::new(transport),
        credentials,
        presumed,
        clock: None,
        timeout: Duration::from_millis(args.timeout),
        waits: false,
        fixtures: Vec::new(),
        in_process: false,
        care: Care::default(),
    })
}

/// One line for a secret. A service that makes names puts anything into them.
fn told(account: usize, name: &str, removal: &Removal) {
    let which = if account == 0 { String::new() } else { format!(" (account {})", account + 1) };
    let name = name.escape_debug();
    match removal {
        Removal::Removed => println!("  removed        {name}{which}"),
        Removal::Leaving => {
            println!("  is leaving     {name}{which}: it goes at the end of its deletion window")
        }
        Removal::NotThere => println!("  was not there  {name}{which}"),
        Removal::Failed(why) => println!("  NOT removed    {name}{which}: {why}"),
    }
}
