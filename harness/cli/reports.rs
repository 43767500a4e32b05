//! Report files: asked for on the command line, written whole or not at all.

use super::Failure;
use crate::campaign::Outcome;
use crate::report::{json, junit};
use anyhow::{Context, anyhow};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tempfile::NamedTempFile;

/// Formats of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
}

/// A report that is wanted: `json=FILE` or `junit=FILE`.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    format: Format,
    path: PathBuf,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').unwrap_or((text, ""));
        let format = match format {
            "json" => Format::Json,
            "junit" => Format::Junit,
            other => {
                return Err(format!(
                    "there is no report format `{other}`; known: json, junit (write json=FILE)"
                ));
            }
        };
        match path {
            "" => Err(format!("`{text}` names no file; write {text}=FILE")),
            path => Ok(Self { format, path: path.into() }),
        }
    }
}

/// A report file that can be written: begun beside its place, and moved there when it is whole.
pub(super) struct Begun {
    wanted: Wanted,
    file: NamedTempFile,
}

/// Begins every report before the run, so that a path that cannot be written is told at once.
pub(super) fn begin(wanted: &[Wanted]) -> Result<Vec<Begun>, Failure> {
    let one = |wanted: &Wanted| -> anyhow::Result<Begun> {
        if wanted.path.is_dir() {
            return Err(anyhow!("this is a directory; name a file in it"));
        }
        let folder =
            wanted.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file =
            NamedTempFile::with_prefix_in(".rotaprobe-report-", folder).context("cannot write there")?;
        Ok(Begun { wanted: wanted.clone(), file })
    };
    wanted
        .iter()
        .map(|wanted| {
            one(wanted).with_context(|| format!("--report {}", wanted.path.display())).map_err(Failure::usage)
        })
        .collect()
}

/// Writes every report and moves it to its place.
pub(super) fn finish(begun: Vec<Begun>, outcome: &Outcome) -> Result<(), Failure> {
    for Begun { wanted, mut file } in begun {
        let write = || -> anyhow::Result<()> {
            let text = match wanted.format {
                Format::Json => json::report(outcome),
                Format::Junit => junit::report(outcome).map_err(|error| anyhow!(error))?,
            };
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
            }
            file.persist(&wanted.path)?;
            Ok(())
        };
        write()
            .with_context(|| format!("--report {}", wanted.path.display()))
            .map_err(Failure::unfinished)?;
    }
    Ok(())
}
