//! Which vendors a command is about: those in the binary, by name, or others, by the file of their spec.

use super::{Failure, care::quoted};
use crate::spec::{self, Vendor};
use anyhow::anyhow;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments that say which vendors a command is about.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// Vendor in the binary; may be given several times (default: every one)
    #[arg(long, value_name = "NAME")]
    vendor: Vec<String>,
    /// Vendor that is not in the binary, by the file of its spec; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "vendor")]
    spec: Vec<PathBuf>,
}

impl Wanted {
    /// One vendor: by the file of its spec where there is one, by its name otherwise.
    pub(super) fn one(name: &str, file: Option<&PathBuf>) -> Self {
        match file {
            Some(file) => Self { vendor: Vec::new(), spec: vec![file.clone()] },
            None => Self { vendor: vec![name.to_owned()], spec: Vec::new() },
        }
    }
}

/// A vendor, and where its spec is from.
pub(super) struct Chosen {
    pub(super) vendor: Arc<Vendor>,
    /// The file of its spec, if it is not the one in the binary.
    pub(super) file: Option<PathBuf>,
}

impl Chosen {
    /// The option that chooses it.
    pub(super) fn option(&self) -> String {
        match &self.file {
            Some(file) => format!("--spec {}", quoted(&file.to_string_lossy())),
            None => format!("--vendor {}", self.vendor.spec.vendor),
        }
    }
}

/// The vendors that are wanted, each once; every vendor in the binary if nothing says which.
pub(super) fn chosen(wanted: &Wanted) -> Result<Vec<Chosen>, Failure> {
    let all = spec::embedded_names();
    let nothing = wanted.vendor.is_empty() && wanted.spec.is_empty();
    let named = if nothing { &all } else { &wanted.vendor };
    let embedded = named.iter().map(|name| Ok((spec::embedded(name)?, None)));
    let read = wanted.spec.iter().map(|file| Ok((spec::from_file(file)?, Some(file.clone()))));
    let mut chosen: Vec<Chosen> = Vec::new();
    for vendor in embedded.chain(read) {
        let (vendor, file) = vendor.map_err(|why: spec::SpecError| Failure::usage(why))?;
        let name = &vendor.spec.vendor;
        if chosen.iter().any(|other| other.vendor.spec.vendor == *name) {
            let why = "results are told apart by it; give each once, or mend `vendor` in the file";
            return Err(Failure::usage(anyhow!("two vendors are called {name}: {why}")));
        }
        chosen.push(Chosen { vendor: Arc::new(vendor), file });
    }
    Ok(chosen)
}
