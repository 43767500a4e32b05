//! What a run is made against: the arguments, and the endpoint that they mean.

use super::credentials::{self, Keys};
use super::vendors::Chosen;
use super::{Failure, care, fixtures};
use crate::campaign::{Endpoint, Interrupt, Reference};
use crate::check::Fixture;
use crate::client::Now;
use crate::client::clock::Clock;
use crate::client::control::{ClockCommand, ControlPort};
use crate::client::http::{HttpTransport, Limits};
use crate::spec::Vendor;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Arguments about the endpoint.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// Endpoint to check, for example http://127.0.0.1:4701
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// Control port of a rotaprobe emulator, or of one that offers the same: advances its clock
    #[arg(long, value_name = "URL", requires = "endpoint", conflicts_with = "clock_cmd")]
    pub(super) control: Option<String>,
    /// Command that advances the endpoint's clock; the seconds are its last argument
    #[arg(long, value_name = "CMD", requires = "endpoint")]
    pub(super) clock_cmd: Option<String>,
    /// Milliseconds for one call
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pub(super) timeout: u64,
    /// Access keys in a YAML file (default: the vendor's environment variables)
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub(super) credentials: Option<PathBuf>,
    /// Host, other than loopback, that may be called
    #[arg(long, value_name = "HOST")]
    pub(super) allow_host: Vec<String>,
    /// Existing secrets, and the function that rotates, in a YAML file
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub(super) fixtures: Option<PathBuf>,
    #[command(flatten)]
    pub(super) care: care::CareArgs,
}

/// The embedded reference of a vendor, on a clock of its own.
pub(super) fn reference(vendor: &Arc<Vendor>, seed: u64, stop: &Interrupt) -> (Endpoint, Now) {
    let reference = Arc::new(Reference::new(vendor.clone(), seed));
    let clock = reference.clock().clone();
    let mut endpoint = Endpoint::in_process(reference);
    endpoint.care.interrupt = stop.clone();
    (endpoint, Arc::new(move || clock.now()))
}

/// Secrets that are there already, and the vendor with what it takes to rotate them.
pub(super) fn with_fixtures(args: &TargetArgs, chosen: &Chosen) -> Result<(Vec<Fixture>, Chosen), Failure> {
    let file = chosen.file.clone();
    let Some(path) = &args.fixtures else {
        return Ok((Vec::new(), Chosen { vendor: chosen.vendor.clone(), file }));
    };
    let (fixtures, vendor) = fixtures::from_file(path, &chosen.vendor)?;
    Ok((fixtures, Chosen { vendor: Arc::new(vendor), file }))
}

/// The endpoint at a URL.
pub(super) fn remote(
    args: &TargetArgs,
    chosen: &Chosen,
    url: &str,
    stop: &Interrupt,
    fixtures: Vec<Fixture>,
) -> Result<Endpoint, Failure> {
    let transport = HttpTransport::new(url, Limits::default(), &args.allow_host).map_err(Failure::usage)?;
    let Keys { credentials, presumed } =
        credentials::of(args.credentials.as_deref(), &chosen.vendor, transport.is_loopback())?;
    let clock: Option<Arc<dyn Clock>> = match (&args.control, &args.clock_cmd) {
        (Some(url), _) => Some(Arc::new(ControlPort::new(url, &args.allow_host).map_err(Failure::usage)?)),
        (None, Some(command)) => Some(Arc::new(ClockCommand::new(command))),
        (None, None) => None,
    };
    let care = care::of(&args.care, chosen, transport.is_loopback(), stop)?;
    Ok(Endpoint {
        host: transport.host().to_owned(),
        transport: Arc::new(transport),
        credentials,
        presumed,
        clock,
        timeout: Duration::from_millis(args.timeout),
        waits: args.clock_cmd.is_some(),
        fixtures,
        in_process: false,
        care,
    })
}
