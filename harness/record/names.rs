//! Where a vendor's messages hold secrets, by the names of parameters, members and headers.

use crate::model::Meaning;
use crate::spec::{Field, Table, Vendor};
use std::collections::BTreeSet;

/// Headers that tell a secret, whatever the vendor.
const HEADERS: [&str; 7] = [
    "authorization",
    "content-digest",
    "content-md5",
    "cookie",
    "digest",
    "proxy-authorization",
    "set-cookie",
];

/// What parameters mean that name something.
const NAMING: [Meaning; 5] =
    [Meaning::Secret, Meaning::Token, Meaning::Version, Meaning::Stage, Meaning::Stages];

/// What a name says of the text under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A secret value.
    Value,
    /// A secret value that is given as bytes.
    Binary,
    /// A generated password.
    Password,
    /// A signature or a token.
    Signature,
}

/// Names of parameters, members and headers that hold secrets.
#[derive(Debug, Default)]
pub(super) struct Names {
    kinds: Table<String, Kind>,
    headers: BTreeSet<String>,
    /// Members whose own members are the caller's, whatever they are called.
    tags: BTreeSet<String>,
    /// Parameters that name secrets, versions and stages: what stands in a name is no secret.
    pub(super) naming: BTreeSet<String>,
    /// Parameters that say which letters a password leaves out.
    pub(super) excluding: BTreeSet<String>,
    /// Values that stand for none.
    pub(super) literals: BTreeSet<String>,
    /// Every word of the spec: what stands in it is no secret.
    spec: String,
}

impl Names {
    pub(super) fn new(vendor: &Vendor) -> Self {
        let mut names = Self::default();
        for operation in vendor.spec.operations.values() {
            for (name, parameter) in &operation.parameters {
                if parameter.is == Meaning::Value {
                    names.add(name, Kind::Value);
                    // What excludes a value is the same value in another form.
                    parameter.excludes.iter().for_each(|other| names.add(other, Kind::Binary));
                }
                if parameter.is == Meaning::Tags {
                    names.tags.insert(last(name).to_owned());
                }
                if NAMING.contains(&parameter.is) {
                    names.naming.insert(name.clone());
                }
                if parameter.is == Meaning::Exclude {
                    names.excluding.insert(name.clone());
                }
            }
            names.fields(&operation.reply);
        }
        for scheme in &vendor.schemes {
            for name in scheme.confidential() {
                names.headers.insert(name.to_ascii_lowercase());
                names.add(name, Kind::Signature);
            }
        }
        names.headers.extend(HEADERS.map(str::to_owned));
        names.literals = vendor.spec.kinds.values().filter_map(|kind| kind.literal_value.clone()).collect();
        names.spec = serde_json::to_string(&vendor.spec).unwrap_or_default();
        names
    }

    fn fields(&mut self, fields: &Table<String, Field>) {
        for (name, field) in fields {
            match field.is {
                Meaning::Value => self.add(name, Kind::Value),
                Meaning::Password => self.add(name, Kind::Password),
                Meaning::Tags => drop(self.tags.insert(last(name).to_owned())),
                _ => self.fields(&field.of),
            }
        }
    }

    /// A name with dots is a path: its last part tells.
    fn add(&mut self, path: &str, kind: Kind) {
        self.kinds.entry(last(path).to_owned()).or_insert(kind);
    }

    /// What a name says of the text under it.
    pub(super) fn kind(&self, path: &str) -> Option<Kind> {
        self.kinds.get(last(path)).copied()
    }

    /// What the names of the members around a text say of it.
    pub(super) fn kind_within(&self, names: &mut dyn Iterator<Item = &str>) -> Option<Kind> {
        let mut kind = None;
        for name in names {
            if self.tags.contains(name) {
                return None;
            }
            kind = self.kind(name).or(kind);
        }
        kind
    }

    /// Names of members that hold values and passwords.
    pub(super) fn holding(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.kinds.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// Whether a header tells a key, a token or a signature.
    pub(super) fn is_confidential(&self, header: &str) -> bool {
        let name = header.to_ascii_lowercase();
        self.headers.contains(&name) || name.ends_with("security-token")
    }

    /// Whether a text is one that everybody knows: a name, a code, a sample.
    pub(super) fn is_public(&self, text: &str) -> bool {
        memchr::memmem::find(self.spec.as_bytes(), text.as_bytes()).is_some() || "rotaprobe".contains(text)
    }
}

/// The last part of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
