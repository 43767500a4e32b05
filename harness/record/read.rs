//! Reads files of histories, one history at a time: whatever stands in a file, what is wrong with it is told by
//! file, line, place in the line, and what to do.

use super::line::{Begins, Head, Line};
use super::restore::{self, Wrong};
use crate::history::{Entry, History};
use crate::spec::Vendor;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Bytes that a line may have: an endless one must not be read for ever.
const LONGEST: u64 = 64 << 20;
/// Seconds by which a clock may be advanced at once: a hundred years.
const FARTHEST: i64 = 100 * 366 * 86_400;

/// Why a file of histories cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The system does not give it.
    #[error("history {file} cannot be read: {why}; give a file that `rotaprobe check --history FILE` wrote")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// A line is not as it should be.
    #[error("history {file}, line {line}{path}: {why}")]
    Line {
        /// The file.
        file: String,
        /// Number of the line, from 1.
        line: usize,
        /// Where in the line, in words.
        path: String,
        /// What is wrong and how to mend it.
        why: String,
    },
}

/// A history that was told, and what it is of.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What it is of, and what was before it.
    pub begins: Begins,
    /// What happened.
    pub history: History,
}

/// Reads histories, one after the other.
pub struct Reader<R = BufReader<File>> {
    file: String,
    from: R,
    head: Head,
    /// Number of the line that was read last.
    line: usize,
    /// The beginning of the next history, already read.
    next: Option<Begins>,
    torn: bool,
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Reader({}, line {})", self.file, self.line)
    }
}

impl Reader {
    /// Opens a file and reads its head.
    ///
    /// # Errors
    /// If it cannot be read, or has no head.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let name = path.display().to_string();
        let file = File::open(path)
            .map_err(|error| RecordError::Unreadable { file: name.clone(), why: error.to_string() })?;
        Self::new(&name, BufReader::new(file))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the head of a file from anywhere; `file` is what errors call it.
    ///
    /// # Errors
    /// If it cannot be read, or has no head.
    pub fn new(file: &str, from: R) -> Result<Self, RecordError> {
        let file = file.to_owned();
        let head = Head::default();
        let mut reader = Self { file, from, head, line: 0, next: None, torn: false };
        match reader
            .parsed("no head of a history: begin with {\"rotaprobe\":\"0.1.0\",\"vendor\":\"NAME\"}")?
        {
            Some(head) => reader.head = head,
            None => {
                reader.line = 1;
                return Err(reader.wrong(
                    "",
                    "there is no head; begin with {\"rotaprobe\":\"0.1.0\",\"vendor\":\"NAME\"}",
                ));
            }
        }
        Ok(reader)
    }

    /// Where the histories are from.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Whether the last line was cut off, as by a crash. Known at the end.
    pub const fn torn(&self) -> bool {
        self.torn
    }

    /// The next history; none at the end.
    ///
    /// # Errors
    /// If a line is not as it should be; one that was cut off at the end is none.
    pub fn history(&mut self, vendor: &Vendor) -> Result<Option<Told>, RecordError> {
        let mut told: Option<Told> = self.next.take().map(|begins| Told { begins, ..Told::default() });
        let mut after = 0;
        while let Some(line) =
            self.parsed::<Line>("no line of a history: mend it as specs/schema/history.json has it")?
        {
            let line = match (line, &mut told) {
                (Line::Begins(begins), told) => {
                    self.check(&begins).map_err(|(path, why)| self.wrong(path, why))?;
                    if told.is_some() {
                        self.next = Some(begins);
                        break;
                    }
                    *told = Some(Told { begins, ..Told::default() });
                    continue;
                }
                (_, None) => {
                    return Err(self.wrong("", "no history has begun: put {\"begins\":{}} before it"));
                }
                (line, Some(told)) => self.entry(vendor, line, after).map(|entry| (entry, told)),
            };
            let (entry, told) = line?;
            if let Entry::Call(exchange) = &entry {
                after = after.max(exchange.span.ended);
            }
            told.history.entries.push(entry);
        }
        Ok(told)
    }

    fn check(&self, begins: &Begins) -> Result<(), Wrong> {
        if begins.spent.len() > 1 {
            restore::account("begins.spent", begins.spent.len() - 1)?;
        }
        begins.spent.iter().flatten().try_for_each(|at| restore::time("begins.spent", *at).map(drop))
    }

    fn entry(&self, vendor: &Vendor, line: Line, after: u64) -> Result<Entry, RecordError> {
        let entry = match line {
            Line::Call(call) => restore::call(vendor, *call, after),
            Line::Adopted(adopted) => restore::adopted(vendor, *adopted),
            Line::Advanced(seconds) if (0..=FARTHEST).contains(&seconds) => Ok(Entry::Advanced(seconds)),
            Line::Advanced(seconds) => {
                Err(("advanced", format!("a clock does not move by {seconds} seconds: give 0 to {FARTHEST}")))
            }
            Line::Settled {} | Line::Begins(_) => Ok(Entry::Settled),
        };
        entry.map_err(|(path, why)| self.wrong(path, why))
    }

    /// The next line that is not empty; none at the end, or where the last line was cut off.
    fn parsed<T: DeserializeOwned>(&mut self, what: &str) -> Result<Option<T>, RecordError> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let unreadable = |error: std::io::Error| RecordError::Unreadable {
                file: self.file.clone(),
                why: error.to_string(),
            };
            let read = (&mut self.from).take(LONGEST).read_until(b'\n', &mut bytes).map_err(unreadable)?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if read as u64 == LONGEST {
                return Err(self.wrong("", format!("it is longer than {LONGEST} bytes: cut what is in it")));
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let parsed = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| (error.path().to_string(), error.into_inner()))
            .and_then(|line| json.end().map(|()| line).map_err(|error| (String::new(), error)));
        match parsed {
            Ok(line) => Ok(Some(line)),
            // A line that does not end, and means nothing as it is, was cut off.
            Err((_, error)) if !bytes.ends_with(b"\n") && error.is_eof() && self.line > 1 => {
                self.torn = true;
                Ok(None)
            }
            Err((path, error)) => {
                let path = if path == "." { "" } else { path.as_str() };
                // The number of the line within a line says nothing.
                let why = error.to_string().replace("line 1 column", "column");
                Err(self.wrong(path, format!("this is {what} ({why})")))
            }
        }
    }

    fn wrong(&self, path: &str, why: impl Into<String>) -> RecordError {
        let path = if path.is_empty() { String::new() } else { format!(", at `{path}`") };
        RecordError::Line { file: self.file.clone(), line: self.line, path, why: why.into() }
    }
}
