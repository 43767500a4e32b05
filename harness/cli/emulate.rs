//! `rotaprobe emulate`.

use super::interrupt::Signals;
use super::{EmulateArgs, Failure, credentials, vendors};
use crate::emulator::server::{self, Service};
use crate::emulator::service::{ControlService, Served};
use crate::emulator::{Account, Emulator, fault};
use crate::spec::Vendor;
use anyhow::{Context, anyhow};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(super) fn run(args: &EmulateArgs) -> Result<u8, Failure> {
    if args.faults.iter().any(|name| name == "list") {
        fault::all().chain(fault::deep()).for_each(|fault| println!("{:<32} {}", fault.name, fault.does));
        return Ok(0);
    }
    let chosen = vendors::chosen(&args.vendors)?;
    let fixed = [("--listen", Some(args.listen)), ("--control", args.control)];
    let fixed = fixed.into_iter().find(|(_, address)| address.is_some_and(|address| address.port() != 0));
    if let (Some((flag, Some(address))), true) = (fixed, chosen.len() > 1) {
        return Err(Failure::usage(anyhow!(
            "{flag} {address}: {} vendors cannot share one port; say which with --vendor NAME or --spec FILE, or give port 0",
            chosen.len()
        )));
    }
    let all: Vec<(String, Arc<Served>)> =
        chosen.into_iter().map(|chosen| served(args, chosen.vendor)).collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the server")
        .map_err(Failure::unfinished)?;
    runtime.block_on(serve(args, all))
}

/// A vendor's emulator, by the vendor's name.
fn served(args: &EmulateArgs, vendor: Arc<Vendor>) -> Result<(String, Arc<Served>), Failure> {
    let name = vendor.spec.vendor.clone();
    let accounts = match &args.credentials {
        None => Emulator::default_accounts(&vendor),
        Some(path) => credentials::from_file(path)?
            .into_iter()
            .enumerate()
            .map(|(at, credentials)| Account {
                credentials,
                number: format!("{}", 1_540_355_698_840_001_u64 + at as u64),
            })
            .collect(),
    };
    let served = Arc::new(Served::new(Emulator::new(vendor, accounts, args.seed)));
    served.switch(&args.faults).map_err(|why| Failure::usage(anyhow!("--fault: {why}")))?;
    Ok((name, served))
}

/// Serves each emulator, and tells where: URLs first, then control ports; with the vendors' names where
/// there are several.
async fn serve(args: &EmulateArgs, all: Vec<(String, Arc<Served>)>) -> Result<u8, Failure> {
    let (stop, stopped) = watch::channel(false);
    let mut running = tokio::task::JoinSet::new();
    let (mut urls, mut controls) = (Vec::new(), Vec::new());
    let several = all.len() > 1;
    for (name, served) in all {
        let name = if several { format!("{name} ") } else { String::new() };
        let main = listen("--listen", args.listen).await?;
        urls.push(format!("{name}http://{}", address(&main)?));
        let service: Arc<dyn Service> = served.clone();
        running.spawn(server::serve(main, service, stopped.clone()));
        if let Some(control) = args.control {
            let control = listen("--control", control).await?;
            controls.push(format!("{name}control http://{}", address(&control)?));
            running.spawn(server::serve(control, Arc::new(ControlService(served)), stopped.clone()));
        }
    }
    urls.extend(controls);
    // Listens before it speaks: whoever reads the lines may end it at once.
    let mut signals = Signals::new().context("cannot listen for Ctrl-C").map_err(Failure::unfinished)?;
    // The reader may close the pipe after the first line; that is no reason to stop.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{}", urls.join("\n")).and_then(|()| out.flush());
    signals.next().await;
    let _ = stop.send(true);
    while running.join_next().await.is_some() {}
    Ok(0)
}

async fn listen(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{flag} {address}: cannot listen there"))
        .map_err(Failure::usage)
}

fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().context("the listener has no address").map_err(Failure::unfinished)
}
