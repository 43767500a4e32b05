//! `rotaprobe emulate`.

use super::{EmulateArgs, Failure, credentials};
use crate::emulator::server::{self, Service};
use crate::emulator::service::{ControlService, Served};
use crate::emulator::{Account, Emulator, fault};
use crate::spec;
use anyhow::Context;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub(super) fn run(args: &EmulateArgs) -> Result<u8, Failure> {
    if args.faults.iter().any(|name| name == "list") {
        fault::all().for_each(|fault| println!("{:<32} {}", fault.name, fault.does));
        return Ok(0);
    }
    let vendor = Arc::new(spec::embedded(&args.vendor).map_err(Failure::usage)?);
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
    served.switch(&args.faults).map_err(|why| Failure::usage(anyhow::anyhow!("--fault: {why}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the server")
        .map_err(Failure::unfinished)?;
    runtime.block_on(serve(args, served))
}

async fn serve(args: &EmulateArgs, served: Arc<Served>) -> Result<u8, Failure> {
    let (stop, stopped) = watch::channel(false);
    let main = listen("--listen", args.listen).await?;
    let mut lines = vec![format!("http://{}", address(&main)?)];
    let mut running = tokio::task::JoinSet::new();
    let service: Arc<dyn Service> = served.clone();
    running.spawn(server::serve(main, service, stopped.clone()));
    if let Some(control) = args.control {
        let control = listen("--control", control).await?;
        lines.push(format!("control http://{}", address(&control)?));
        running.spawn(server::serve(control, Arc::new(ControlService(served)), stopped));
    }
    // Whoever reads this may close the pipe after the first line; that is no reason to stop.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{}", lines.join("\n")).and_then(|()| out.flush());
    interrupted().await;
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

/// Waits for Ctrl-C, or for the polite signal that ends services.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
