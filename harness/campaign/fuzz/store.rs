//! The directories of a campaign: corpus and findings. Every file is whole or not there.

use super::finding::Finding;
use crate::generate::Small;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a campaign is, beside its inputs.
const STATE: &str = "campaign.json";

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct StoreError {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl StoreError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self { path, why: error.to_string() }
    }
}

/// What a campaign has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Vendor that the inputs are for: the same bytes mean other plans elsewhere.
    pub(super) vendor: String,
    /// Calls in the short plans that are being enumerated.
    pub(super) small: usize,
    /// Bytes of the next short plan, in hex; none when all were there.
    pub(super) next: Option<String>,
    /// Plans that were tried.
    pub(super) plans: u64,
    /// Calls that were made.
    pub(super) calls: u64,
}

impl Progress {
    pub(super) fn of(vendor: &str, small: &Small, plans: u64, calls: u64) -> Self {
        let (length, next) = small.place();
        Self { vendor: vendor.to_owned(), small: length, next: next.map(hex::encode), plans, calls }
    }
}

/// Corpus and findings on disk, where they are wanted.
#[derive(Clone, Debug, Default)]
pub struct Store {
    corpus: Option<PathBuf>,
    findings: Option<PathBuf>,
}

impl Store {
    /// Opens the directories; makes them where they are not there.
    ///
    /// # Errors
    /// The directory that cannot be made or written.
    pub fn open(corpus: Option<&Path>, findings: Option<&Path>) -> Result<Self, StoreError> {
        for folder in [corpus, findings].into_iter().flatten() {
            fs::create_dir_all(folder).map_err(StoreError::at(folder))?;
            let probe = folder.join(".writable");
            fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(StoreError::at(folder))?;
        }
        Ok(Self { corpus: corpus.map(Path::to_owned), findings: findings.map(Path::to_owned) })
    }

    /// Every input of the corpus, by name: what is no input of ours is left alone.
    pub(super) fn inputs(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(folder) = &self.corpus else { return Ok(Vec::new()) };
        let mut files: Vec<PathBuf> = fs::read_dir(folder)
            .map_err(StoreError::at(folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.is_file() && path.extension().is_none())
            .collect();
        files.sort();
        files.iter().map(|path| fs::read(path).map_err(StoreError::at(path))).collect()
    }

    /// Where the campaign was when it ended or was killed.
    pub(super) fn progress(&self, vendor: &str) -> Result<Option<Progress>, StoreError> {
        let Some(path) = self.corpus.as_ref().map(|folder| folder.join(STATE)) else { return Ok(None) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::at(&path)(error)),
        };
        let read: Progress = serde_json::from_str(&text).map_err(|error| StoreError {
            path: path.clone(),
            why: format!("{error}; remove it to begin the campaign anew"),
        })?;
        if read.vendor != vendor {
            let why = format!("the corpus belongs to a campaign at {}: give another directory", read.vendor);
            return Err(StoreError { path, why });
        }
        Ok(Some(read))
    }

    /// The findings that are there already.
    pub(super) fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let Some(folder) = &self.findings else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(StoreError::at(folder))?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                found.push(read_finding(&path)?);
            }
        }
        Ok(found)
    }

    pub(super) fn keep_input(&self, bytes: &[u8]) -> Result<(), StoreError> {
        match &self.corpus {
            Some(folder) => write_whole(&folder.join(hex::encode(Sha1::digest(bytes))), bytes),
            None => Ok(()),
        }
    }

    pub(super) fn keep_progress(&self, progress: &Progress) -> Result<(), StoreError> {
        let Some(folder) = &self.corpus else { return Ok(()) };
        let text = serde_json::to_string_pretty(progress).unwrap_or_default();
        write_whole(&folder.join(STATE), text.as_bytes())
    }

    pub(super) fn keep_finding(&self, finding: &Finding) -> Result<Option<PathBuf>, StoreError> {
        let Some(folder) = &self.findings else { return Ok(None) };
        let path = folder.join(finding.file_name());
        let text = serde_json::to_string_pretty(finding).unwrap_or_default() + "\n";
        write_whole(&path, text.as_bytes())?;
        Ok(Some(path))
    }

    /// Takes a finding back, by the name of its file, that turned out to be another one.
    pub(super) fn drop_finding(&self, file_name: &str) -> Result<(), StoreError> {
        let Some(folder) = &self.findings else { return Ok(()) };
        let path = folder.join(file_name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::at(&path)(error)),
            _ => Ok(()),
        }
    }
}

/// Reads a finding.
///
/// # Errors
/// What is wrong with the file, and where.
pub fn read_finding(path: &Path) -> Result<Finding, StoreError> {
    let text = fs::read_to_string(path).map_err(StoreError::at(path))?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| StoreError {
        path: path.to_owned(),
        why: format!("{}: {}; it is no finding of this version", error.path(), error.inner()),
    })
}

/// Writes beside the file, then puts it in its place: whoever looks, whenever, sees all of it or nothing.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&beside, bytes).map_err(StoreError::at(&beside))?;
    fs::rename(&beside, path).map_err(StoreError::at(path))
}
