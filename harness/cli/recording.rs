//! The file of `--history`: there with its head at once, and longer with each history.

use super::Failure;
use crate::campaign::Event;
use crate::history::History;
use crate::record::{Begins, Head, Key, Recorder};
use crate::sign::Credentials;
use crate::spec::Vendor;
use anyhow::Context;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Listens to a run, and records its histories.
pub(super) struct Recording {
    path: PathBuf,
    vendor: Arc<Vendor>,
    credentials: Vec<Credentials>,
    head: Head,
    recorder: Option<Recorder>,
    /// Why nothing more can be written.
    broken: Option<anyhow::Error>,
}

impl Recording {
    /// A recording of a run at an endpoint. The file that may be there is not touched before the run begins.
    pub(super) fn new(path: &Path, vendor: &Arc<Vendor>, credentials: &[Credentials], seed: u64) -> Self {
        let head = Head {
            rotaprobe: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: vendor.spec.vendor.clone(),
            spec: Some(vendor.spec.version.clone()),
            endpoint: None,
            seed: Some(seed),
            lacks: Vec::new(),
        };
        Self {
            path: path.to_owned(),
            vendor: vendor.clone(),
            credentials: credentials.to_vec(),
            head,
            recorder: None,
            broken: None,
        }
    }

    /// Writes down what is told.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        if self.broken.is_some() {
            return;
        }
        let written = match event {
            Event::Begins { endpoint, .. } => {
                self.head.endpoint = Some((*endpoint).to_owned());
                Ok(())
            }
            Event::Lacks { operations } => {
                self.head.lacks = operations.iter().map(|name| (*name).to_owned()).collect();
                self.begin()
            }
            Event::History { begins, history } => self.write(begins, history),
            _ => Ok(()),
        };
        self.broken = written.err();
    }

    /// The file appears with its head in it, in place of what was there.
    fn begin(&mut self) -> anyhow::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::with_prefix_in(".rotaprobe-history-", folder.unwrap_or(Path::new(".")))
            .context("cannot write there")?;
        let out: Box<dyn Write + Send> = Box::new(file.as_file().try_clone()?);
        let recorder = Recorder::new(&self.vendor, &self.credentials, &self.head, Key::random()?, out)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        let _: File = file.persist(&self.path)?;
        self.recorder = Some(recorder);
        Ok(())
    }

    fn write(&mut self, begins: &Begins, history: &History) -> anyhow::Result<()> {
        if let Some(recorder) = &mut self.recorder {
            recorder.begin(begins)?;
            recorder.entries(history)?;
        }
        Ok(())
    }

    /// Whether everything was written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.broken {
            None => Ok(()),
            Some(error) => Err(Failure::unfinished(
                error.context(format!("--history {}: what was written is not all", self.path.display())),
            )),
        }
    }
}
