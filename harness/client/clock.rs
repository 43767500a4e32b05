//! The clock of an endpoint, as far as it can be moved.

use crate::history::Lost;

/// An endpoint's clock.
pub trait Clock: Send + Sync {
    /// Moves it forward and returns when it has moved.
    ///
    /// # Errors
    /// Who refused or failed to move it, and what was said.
    fn advance(&self, seconds: u64) -> Result<(), ClockError>;

    /// What it shows, Unix seconds, where it can be asked.
    fn now(&self) -> Option<i64> {
        None
    }

    /// How it is moved, for reports.
    fn how(&self) -> String;
}

/// A clock that did not move, or may not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The control port did not answer.
    #[error("control port {url} did not answer: {lost}")]
    Lost {
        /// The control port.
        url: String,
        /// How the answer was lost.
        lost: Lost,
    },
    /// The control port answered no.
    #[error("control port {url} answered {status}: {said}")]
    Refused {
        /// The control port.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its words.
        said: String,
    },
    /// The command could not be started or watched.
    #[error("clock command `{command}` could not run: {why}")]
    Start {
        /// The command.
        command: String,
        /// What the system said.
        why: String,
    },
    /// The command failed.
    #[error("clock command `{command}` ended with {status}: {said}")]
    Failed {
        /// The command.
        command: String,
        /// Its exit code or signal.
        status: String,
        /// What it wrote, standard error first.
        said: String,
    },
    /// The command took too long and was ended.
    #[error("clock command `{command}` was ended after {seconds} s: make it return when the clock has moved")]
    TooSlow {
        /// The command.
        command: String,
        /// The limit.
        seconds: u64,
    },
}
