//! What a run makes at an endpoint that lives on, written down before it is made.
//!
//! A file of JSON lines: a head that says which run this is, then `{"making": …}` before each creating call
//! leaves, `{"made": …}` where the service chose the name, `{"gone": …}` once the secret is known not to be
//! there. A run that is killed leaves the file behind, and `rotaprobe cleanup` does what was left to do. It
//! holds names, and neither values nor credentials.

use crate::spec::Vendor;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// How the names of every run begin.
pub(super) const BRAND: &str = "rotaprobe-";

/// Which run a journal is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version of the harness that wrote it.
    pub rotaprobe: String,
    /// Name of the vendor.
    pub vendor: String,
    /// File of the vendor's spec, where it is not one of those in the binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<PathBuf>,
    /// URL of the endpoint.
    pub endpoint: String,
    /// How every name of the run begins.
    pub prefix: String,
}

/// A secret, as a call names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Index of the account.
    account: usize,
    name: String,
}

/// A secret whose name the service chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    /// Index of the account.
    account: usize,
    /// What the call gave as name.
    asked: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Making(Named),
    Made(Chosen),
    Gone(Named),
}

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A journal of another run is in the way.
    #[error(
        "journal {file}: there is such a file already: run `rotaprobe cleanup {file}` if a run left it, or choose another with --journal FILE"
    )]
    Exists {
        /// The file.
        file: String,
    },
    /// It cannot be written.
    #[error("journal {file} cannot be written: {why}; choose a file on a writable disk with --journal FILE")]
    Unwritable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// It cannot be read.
    #[error("journal {file} cannot be read: {why}; give the file that `rotaprobe check` named")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// A line is not what `rotaprobe check` writes.
    #[error("journal {file}, line {line}: {why}")]
    Line {
        /// The file.
        file: String,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong and how to mend it.
        why: String,
    },
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins a journal in a new file.
    ///
    /// # Errors
    /// If there is such a file, or it cannot be written.
    pub fn begin(path: &Path, head: &Head) -> Result<Self, JournalError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
            let file = path.display().to_string();
            match error.kind() {
                ErrorKind::AlreadyExists => JournalError::Exists { file },
                _ => JournalError::Unwritable { file, why: error.to_string() },
            }
        })?;
        let mut journal = Self { path: path.to_owned(), file };
        journal.write(head)?;
        journal.sync()?;
        // The name of the file has to last as well. Not every system lets a directory be synced.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(journal)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A secret is about to be made.
    ///
    /// # Errors
    /// If that is not on disk; then the call must not leave.
    pub fn making(&mut self, account: usize, name: &str) -> Result<(), JournalError> {
        self.write(&Line::Making(Named { account, name: name.to_owned() }))?;
        self.sync()
    }

    /// A secret was made, and the service chose its name.
    ///
    /// # Errors
    /// If that is not on disk.
    pub fn made(&mut self, account: usize, asked: &str, name: &str) -> Result<(), JournalError> {
        self.write(&Line::Made(Chosen { account, asked: asked.to_owned(), name: name.to_owned() }))?;
        self.sync()
    }

    /// A secret is not there: it was deleted, or its creation was refused. Where this line gets lost, the
    /// secret is looked for in vain, and no harm is done; so the disk is not waited for.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn gone(&mut self, account: usize, name: &str) -> Result<(), JournalError> {
        self.write(&Line::Gone(Named { account, name: name.to_owned() }))
    }

    /// Removes the file: nothing is left to do.
    ///
    /// # Errors
    /// What the system says.
    pub fn discard(self) -> std::io::Result<()> {
        drop(self.file);
        std::fs::remove_file(self.path)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        // One write for a line: a process that is killed leaves whole lines, or the start of one.
        self.file.write_all(&bytes).map_err(|error| self.unwritable(&error))
    }

    fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &std::io::Error) -> JournalError {
        JournalError::Unwritable { file: self.path.display().to_string(), why: error.to_string() }
    }
}

/// A journal that was read.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Which run it is of.
    pub head: Head,
    /// Whether the last line was cut off, as by a crash: nothing happened that it was to announce.
    pub torn: bool,
    lines: Vec<Line>,
}

/// What a journal leaves to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Secrets that may be there and are the run's own: account and name.
    pub own: Vec<(usize, String)>,
    /// Names that the run cannot have made; they are not touched.
    pub strange: Vec<(usize, String)>,
    /// Accounts with a secret whose name the service chose and nobody heard, once for each.
    pub nameless: Vec<usize>,
}

/// Reads a journal.
///
/// # Errors
/// If it cannot be read, or a line other than one that was cut off is not as it should be.
pub fn read(path: &Path) -> Result<Recorded, JournalError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| JournalError::Unreadable { file: file.clone(), why: error.to_string() })?;
    let bad = |line: usize, why: String| JournalError::Line { file: file.clone(), line, why };
    let mut texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // What follows the last end of line is nothing, or a line that was cut off.
    let rest = texts.pop().unwrap_or_default();
    let mut texts = texts.into_iter();
    let Some(first) = texts.next() else {
        return Err(bad(
            1,
            "there is no head; if `rotaprobe check` wrote this, it ended before it made anything: delete the file".into(),
        ));
    };
    let head: Head = serde_json::from_slice(first).map_err(|error| {
        bad(1, format!("this is no head of a journal ({error}); give the file that `rotaprobe check` named"))
    })?;
    if !head.prefix.starts_with(BRAND) || head.prefix.len() < BRAND.len() + 4 {
        let why = format!(
            "the prefix {:?} is no run's: put back the one that `rotaprobe check` wrote, {BRAND} and eight digits",
            head.prefix
        );
        return Err(bad(1, why));
    }
    let mut lines = Vec::new();
    for (at, text) in texts.enumerate() {
        let line = serde_json::from_slice(text).map_err(|error| {
            bad(at + 2, format!("this is no entry of a journal ({error}); mend the line, or delete it and look for its secret by hand"))
        })?;
        lines.push(line);
    }
    let last = serde_json::from_slice(rest);
    let torn = !rest.is_empty() && last.is_err();
    lines.extend(last);
    Ok(Recorded { head, torn, lines })
}

impl Recorded {
    /// What is left to do.
    pub fn remains(&self, vendor: &Vendor) -> Remains {
        // What may be there, and whether it is the run's own; names that the service was asked for.
        let mut there: IndexMap<Named, bool> = IndexMap::new();
        let mut asked_for: IndexMap<Named, usize> = IndexMap::new();
        for line in &self.lines {
            match line {
                Line::Making(named) if named_by_service(vendor, &named.name) => {
                    *asked_for.entry(named.clone()).or_default() += 1;
                }
                Line::Making(named) => {
                    *there.entry(named.clone()).or_default() |= self.is_own(vendor, &named.name);
                }
                Line::Made(Chosen { account, asked, name }) => {
                    let asked = Named { account: *account, name: asked.clone() };
                    let waiting = asked_for.get_mut(&asked).filter(|count| **count > 0);
                    let own = waiting.is_some() || self.is_own(vendor, name);
                    waiting.into_iter().for_each(|count| *count -= 1);
                    *there.entry(Named { account: *account, name: name.clone() }).or_default() |= own;
                }
                Line::Gone(named) => {
                    if there.shift_remove(named).is_none() {
                        let asked = asked_for.get_mut(named);
                        asked.into_iter().for_each(|count| *count = count.saturating_sub(1));
                    }
                }
            }
        }
        let mut remains = Remains::default();
        for (Named { account, name }, own) in there {
            if own { &mut remains.own } else { &mut remains.strange }.push((account, name));
        }
        remains.nameless = asked_for.iter().flat_map(|(named, count)| vec![named.account; *count]).collect();
        remains
    }

    fn is_own(&self, vendor: &Vendor, name: &str) -> bool {
        is_own(vendor, &self.head.prefix, name)
    }
}

/// Whether the service makes the name where a call gives this one.
pub(super) fn named_by_service(vendor: &Vendor, name: &str) -> bool {
    name.is_empty() || vendor.spec.kinds.values().any(|kind| kind.literal_name.as_deref() == Some(name))
}

/// Whether only the run with this prefix can have made such a name.
pub(super) fn is_own(vendor: &Vendor, prefix: &str, name: &str) -> bool {
    let samples = vendor.spec.kinds.values().flat_map(|kind| kind.samples.values());
    name.starts_with(prefix)
        || samples
            .filter_map(|sample| name.strip_prefix(&*sample.name_prefix))
            .any(|rest| rest.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "rotaprobe-0badcafe-";

    fn vendor() -> Vendor {
        crate::spec::embedded("alibaba").unwrap()
    }

    fn head(prefix: &str) -> Head {
        Head {
            rotaprobe: "0.1.0".into(),
            vendor: "alibaba".into(),
            spec: None,
            endpoint: "http://127.0.0.1:1".into(),
            prefix: prefix.into(),
        }
    }

    fn own(number: u32) -> String {
        format!("{PREFIX}{number}")
    }

    /// A journal with everything in it; the text of its file.
    fn written(folder: &Path) -> (PathBuf, String) {
        let path = folder.join("a.journal");
        let mut journal = Journal::begin(&path, &head(PREFIX)).unwrap();
        for number in 1..=3 {
            journal.making(0, &own(number)).unwrap();
        }
        journal.gone(0, &own(2)).unwrap();
        journal.making(1, &own(1)).unwrap();
        journal.making(0, "$Auto").unwrap();
        journal.made(0, "$Auto", "acs/ram/user/x\n1").unwrap();
        journal.making(0, "$Auto").unwrap();
        journal.gone(0, "$Auto").unwrap();
        journal.making(1, "$Auto").unwrap();
        journal.making(0, &format!("acs/ecs/{PREFIX}9")).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    }

    #[test]
    fn what_was_written_and_is_not_gone_remains() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = written(folder.path());
        assert_eq!(text.lines().count(), 12, "{text}");
        let recorded = read(&path).unwrap();
        assert_eq!((&recorded.head, recorded.torn), (&head(PREFIX), false));
        let remains = recorded.remains(&vendor());
        let named = [(0, own(1)), (0, own(3)), (1, own(1)), (0, "acs/ram/user/x\n1".into())];
        let sampled = (0, format!("acs/ecs/{PREFIX}9"));
        assert_eq!(remains.own, named.into_iter().chain([sampled]).collect::<Vec<_>>());
        assert_eq!((remains.strange, remains.nameless), (Vec::new(), vec![1]));
    }

    #[test]
    fn a_line_that_was_cut_off_is_no_error_wherever_it_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = written(folder.path());
        let start = text.trim_end().rfind('\n').unwrap() + 1;
        for end in start + 1..text.len() - 1 {
            std::fs::write(&path, &text[..end]).unwrap();
            let recorded = read(&path).unwrap();
            assert!(recorded.torn, "{end}");
            assert_eq!(recorded.remains(&vendor()).own.len(), 4, "{end}");
        }
        // Only the end of the line is missing: the entry counts.
        std::fs::write(&path, text.trim_end()).unwrap();
        let recorded = read(&path).unwrap();
        assert_eq!((recorded.torn, recorded.remains(&vendor()).own.len()), (false, 5));
    }

    #[test]
    fn names_that_the_run_cannot_have_made_are_strange() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.journal");
        let mut journal = Journal::begin(&path, &head(PREFIX)).unwrap();
        journal.making(0, "production-db").unwrap();
        journal.making(0, "rotaprobe-0badcaff-1").unwrap();
        journal.making(0, &format!("x{PREFIX}1")).unwrap();
        // Nobody asked the service for a name.
        journal.made(0, "$Auto", "acs/ram/user/somebody").unwrap();
        journal.making(0, &own(1)).unwrap();
        journal.made(0, &own(1), "production-api").unwrap();
        let remains = read(&path).unwrap().remains(&vendor());
        assert_eq!(remains.own, [(0, own(1))]);
        let strange: Vec<&str> = remains.strange.iter().map(|(_, name)| name.as_str()).collect();
        let other = format!("x{PREFIX}1");
        assert_eq!(
            strange,
            ["production-db", "rotaprobe-0badcaff-1", &other, "acs/ram/user/somebody", "production-api"]
        );
    }

    #[test]
    fn a_bad_journal_is_told_by_file_line_and_fix() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = written(folder.path());
        let bad = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let said = read(&path).unwrap_err().to_string();
            assert!(said.contains(&path.display().to_string()), "{said}");
            said
        };
        for (text, parts) in [
            ("", ["line 1", "delete the file"]),
            ("{\"rotaprobe\":\"0.1", ["line 1", "delete the file"]),
            ("hello\n", ["line 1", "no head"]),
            (&text.replacen("{\"making\":", "{\"make\":", 1), ["line 2", "mend the line"]),
            (&text.replacen("{\"gone\":", "", 1), ["line 5", "mend the line"]),
            (&text.replace(PREFIX, ""), ["line 1", "the prefix \"\" is no run's"]),
            (&text.replace(PREFIX, "rotaprobe-"), ["line 1", "is no run's"]),
            (&text.replace(PREFIX, "prod"), ["line 1", "is no run's"]),
        ] {
            let said = bad(text);
            assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} in {said}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let (path, text) = written(folder.path());
        let said = Journal::begin(&path, &head(PREFIX)).unwrap_err().to_string();
        assert!(said.contains("rotaprobe cleanup") && said.contains("--journal"), "{said}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        let nowhere = folder.path().join("no/such/a.journal");
        let said = Journal::begin(&nowhere, &head(PREFIX)).unwrap_err().to_string();
        assert!(said.contains("cannot be written"), "{said}");
    }
}
