//! What the fuzz targets share: the vendors, how bytes become calls, and what must hold
//! of whatever comes out. What is expected is worked out here anew, never asked of the code under test.

pub mod calls;
pub mod facts;
pub mod http;
pub mod intervals;
pub mod plans;
pub mod replies;
pub mod signed;

use rotaprobe::codec::ReplySchemas;
use rotaprobe::emulator::Emulator;
use rotaprobe::sign::{Credentials, Scheme};
use rotaprobe::spec::{self, Vendor};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

/// The time of everything that is signed, Unix seconds: in 2024, as the clock of a reference begins.
pub const NOW: i64 = 1_704_164_645;

/// A vendor and what is made of its spec once.
pub struct Stage {
    /// The vendor.
    pub vendor: Arc<Vendor>,
    /// Schemas of its success replies.
    pub schemas: ReplySchemas,
    /// The access key of the reference's first account.
    pub credentials: Credentials,
}

static STAGES: LazyLock<Vec<Stage>> = LazyLock::new(|| {
    let stage = |file: PathBuf| {
        let vendor = Arc::new(spec::from_file(&file).expect("the specs are sound"));
        let schemas = ReplySchemas::new(&vendor).expect("the specs have schemas");
        let credentials = Emulator::default_accounts(&vendor).swap_remove(0).credentials;
        Stage { vendor, schemas, credentials }
    };
    spec_files().into_iter().map(stage).collect()
});

/// The specs of every vendor, in the order of names; also of those that the library does not embed.
pub fn spec_files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs");
    let entries = std::fs::read_dir(folder).expect("the specs are beside this package");
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

/// Every vendor, in the order of names.
pub fn stages() -> &'static [Stage] {
    &STAGES
}

/// The vendor that a byte stands for.
pub fn stage(byte: u8) -> &'static Stage {
    &STAGES[usize::from(byte) % STAGES.len()]
}

impl Stage {
    /// The scheme that a byte stands for; nothing where it stands for none.
    pub fn scheme(&self, byte: u8) -> Option<&Arc<Scheme>> {
        self.vendor.schemes.get(usize::from(byte) % (self.vendor.schemes.len() + 1))
    }

    /// An emulator with nothing in it.
    pub fn emulator(&self) -> Emulator {
        Emulator::new(self.vendor.clone(), Emulator::default_accounts(&self.vendor), 7)
    }
}
