//! Ctrl-C and the polite signal that ends services: the first asks a run to end in good order, the second
//! ends it at once.

use super::Failure;
use crate::campaign::Interrupt;
use anyhow::Context;

/// Exit code of a process that Ctrl-C ended.
const ENDED: i32 = 130;

/// Listens from now on, on a thread of its own: a run blocks its own.
pub(super) fn listen(interrupt: &Interrupt) -> Result<(), Failure> {
    let interrupt = interrupt.clone();
    let start = || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::new()?
        };
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            runtime.block_on(async {
                signals.next().await;
                interrupt.request();
                eprintln!("interrupted: removing what was made; interrupt again to end at once");
                signals.next().await;
                eprintln!("ended at once: what may be left is in the journal, for `rotaprobe cleanup`");
                std::process::exit(ENDED);
            });
        })?;
        Ok(())
    };
    start().context("cannot listen for Ctrl-C").map_err(Failure::unfinished)
}

/// Ctrl-C and the polite signal, heard from the moment that this is made, within a runtime.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as where signals have to be asked for")]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
