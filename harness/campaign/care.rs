//! What a run owes to the account it is made with: to be stopped, to clean up, and to use little of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a run to end early: what was made is removed, and reports are finished.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks for it.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Where a run writes down what it makes.
#[derive(Clone, Debug, Default)]
pub struct Journalled {
    /// The file; one named after the run, in the current directory, where it is left out.
    pub path: Option<PathBuf>,
    /// File of the vendor's spec, where it is not one of those in the binary.
    pub spec: Option<PathBuf>,
}

/// What a run owes to the account it is made with. By default nothing, as in this process.
#[derive(Clone, Debug, Default)]
pub struct Care {
    /// Writes down what is made, so that it can be removed after a crash too.
    pub journal: Option<Journalled>,
    /// Secrets that may be there at a time.
    pub max_secrets: Option<usize>,
    /// Rotations that may be asked for in each account, in the whole run.
    pub rotations: Option<usize>,
    /// Ends the run early.
    pub interrupt: Interrupt,
}
