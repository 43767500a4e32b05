//! Embeds the specs: every `specs/*.yaml` but those that say in their first line that they are not to be.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// First line of a spec that stays out of the binary.
const FROM_DISK_ONLY: &str = "# From disk only: give it with --spec.";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=specs");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("specs");
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let text = fs::read_to_string(&path)?;
        if text.lines().next() != Some(FROM_DISK_ONLY) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string())?;
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("specs.rs"), list)?;
    Ok(())
}
