//! Kinds of secret, and how to make one of each.

use super::Sources;
use super::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// Can it rotate?
    pub rotates: bool,
    /// Does it take values from the caller after creation?
    pub takes_values: bool,
    /// Whether it is left open that a kind which cannot take values refuses them.
    #[serde(default)]
    pub values_open: bool,
    /// Versions that are kept; open where it is left out.
    #[serde(default)]
    pub keeps: Option<usize>,
    /// Versions that there can be; one more is refused.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// Whether it can be deleted at once alone, and with no window.
    #[serde(default)]
    pub windowless: bool,
    /// Whether no version of it has a stage, so that each is read by its id.
    #[serde(default)]
    pub unstaged: bool,
    /// Whether it is read by stage alone, so that a version id is ignored.
    #[serde(default)]
    pub by_stage: bool,
    /// Ids of versions that were current, where they are the service's own and shown in a history:
    /// `{time}` stands for when.
    #[serde(default)]
    pub renames: Option<String>,
    /// What replies call it, where that is not its name.
    #[serde(default)]
    pub shown: Option<String>,
    /// Pattern of names, beside the parameter's own.
    #[serde(default)]
    pub name_pattern: Option<String>,
    /// The name that creation takes instead of a real one, where the service makes the name.
    #[serde(default)]
    pub literal_name: Option<String>,
    /// What the service makes of it: `{fresh}` is new for each secret.
    #[serde(default)]
    pub generated_name: Option<String>,
    /// The value that creation takes instead of a real one, where the service makes the value.
    #[serde(default)]
    pub literal_value: Option<String>,
    /// Keys of the configuration that must be there.
    #[serde(default)]
    pub config_required: Vec<String>,
    /// Allowed values of configuration keys.
    #[serde(default)]
    pub config_values: Table<String, Vec<String>>,
    /// Keys of the JSON object that a read returns as value; empty where the value is free.
    #[serde(default)]
    pub value_keys: Vec<ValueShape>,
    /// Ways to create one; the first is used by default.
    pub samples: Table<String, Sample>,
    /// Where this is documented.
    pub source: Sources,
    /// What documents say beyond the fields above.
    #[serde(default)]
    pub note: Option<String>,
}

/// One documented shape of a value: a JSON object with these keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ValueShape {
    /// Keys that are there.
    pub keys: Vec<String>,
}

/// One way to create a secret of a kind.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sample {
    /// Start of the name: the rest is the run's own.
    #[serde(default)]
    pub name_prefix: String,
    /// Value given at creation; `{fresh}` is new each time.
    pub value: String,
    /// Configuration given at creation.
    #[serde(default)]
    pub config: Option<String>,
    /// Configuration key and value by which the emulator recognises this sample among the kind's.
    #[serde(default)]
    pub when: Table<String, String>,
    /// What a read returns: `{account}` is the account's name, `{fresh}` is new with each version, `{time}` a time stamp.
    #[serde(default)]
    pub reads: Option<String>,
    /// Where the account names are: JSON pointers into the value given, into the configuration with
    /// `config:` before them, or `parameter:` and the name of a parameter of the creation.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// True where two accounts take turns.
    #[serde(default)]
    pub alternates: bool,
}

/// What stands for a part of a sample's value that is new each time.
const FRESH: &str = "{fresh}";

impl Sample {
    /// Whether any text is a value like it.
    pub fn takes_any(&self) -> bool {
        self.value == FRESH
    }

    /// Its value with something new.
    pub fn value_with(&self, fresh: &str) -> String {
        self.value.replace(FRESH, fresh)
    }
}
