//! The words a rotation API speaks, whatever it calls them: what an operation does ([`Role`]), what a
//! parameter or reply field means ([`Meaning`]), and why a call is refused ([`Condition`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an operation of a vendor's API is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Makes a secret with its first version.
    Create,
    /// Writes a version whose value the caller gives.
    Put,
    /// Rotates now.
    Rotate,
    /// Switches automatic rotation on or off, or changes its interval.
    SetPolicy,
    /// Reads everything about a secret except values.
    Describe,
    /// Reads the value of one version.
    Read,
    /// Lists the versions of a secret.
    Versions,
    /// Moves, sets or removes a stage.
    MoveStage,
    /// Deletes a secret, now or after a window.
    Delete,
    /// Takes a secret back out of its deletion window.
    Restore,
    /// Removes a stage.
    RemoveStage,
    /// Tells which version has a stage.
    ReadStage,
    /// Switches a secret off, so that nobody reads it.
    Disable,
    /// Switches a secret on again.
    Enable,
    /// Switches automatic rotation off, and ends a rotation that is going on.
    Cancel,
    /// Tells what became of something that goes on after its call was answered.
    Task,
    /// Lists secrets.
    List,
    /// Makes a random password; touches no secret.
    Password,
}

impl Role {
    /// True where replies to such a call may show its secret as a description does.
    pub const fn shows_secret(self) -> bool {
        matches!(self, Self::Create | Self::SetPolicy | Self::Delete | Self::Restore)
    }

    /// True where a call of this role, when it succeeds, may change what is stored.
    pub const fn writes(self) -> bool {
        !matches!(
            self,
            Self::Describe
                | Self::Read
                | Self::Versions
                | Self::List
                | Self::Password
                | Self::ReadStage
                | Self::Task
        )
    }
}

/// What a parameter of a request or a field of a reply means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// The name of a secret, or its full identifier.
    Secret,
    /// The full identifier of a secret.
    Arn,
    /// In a request: the version id to make, which is also the idempotency token.
    Token,
    /// A version id: the one asked for, or the one answered.
    Version,
    /// One stage label.
    Stage,
    /// Several stage labels.
    Stages,
    /// The list of a secret's versions.
    Versions,
    /// A secret value.
    Value,
    /// How a secret value is to be read (text, binary).
    ValueType,
    /// The kind of secret.
    Kind,
    /// The configuration that a kind needs, as JSON text.
    Config,
    /// In a request: whether automatic rotation is wanted.
    Enable,
    /// In a reply: the state of automatic rotation.
    Automatic,
    /// The interval of automatic rotation.
    Interval,
    /// In a request: when automatic rotation begins.
    FirstRotation,
    /// When the secret was rotated last.
    LastRotation,
    /// When it will be rotated next.
    NextRotation,
    /// When the secret or version was made.
    Created,
    /// When the secret was changed last.
    Updated,
    /// When a deleted secret will be gone.
    DeleteAt,
    /// When a secret was deleted or when it will be gone: documents need not say which. Absent of a
    /// secret that is not deleted.
    Deleted,
    /// Free text about a secret.
    Description,
    /// The key that encrypts the secret.
    Key,
    /// The tags of a secret.
    Tags,
    /// Page number, from 1.
    Page,
    /// Entries in a page.
    PageSize,
    /// Entries in this page.
    Shown,
    /// Entries in all pages.
    Total,
    /// The list of secrets.
    Secrets,
    /// Conditions that a list is narrowed by.
    Filters,
    /// Whether a version list shows versions without a stage too.
    IncludeDeprecated,
    /// Whether a read shows the configuration too.
    WithConfig,
    /// Whether a description shows tags too.
    WithTags,
    /// Whether the call is only tried out.
    DryRun,
    /// Version that a stage moves to.
    MoveTo,
    /// Version that a stage is taken from.
    RemoveFrom,
    /// Whether deletion is final at once.
    Force,
    /// Days until a deletion is final.
    Window,
    /// A random password.
    Password,
    /// Length of a random password.
    Length,
    /// The id of something that goes on after its call was answered.
    Task,
    /// What became of it.
    TaskState,
    /// Whether a secret is in use, switched off, or in its deletion window.
    State,
    /// Whether a rotation is wanted at once; otherwise only its settings are stored.
    Immediately,
    /// When automatic rotation happens, as an expression.
    Schedule,
    /// The function that rotates a secret.
    Function,
    /// The account or project that a path names.
    Project,
    /// Where the next page of a list begins.
    Marker,
    /// How many entries a list skips.
    Offset,
    /// Characters that a random password must not have.
    Exclude,
    /// Whether a random password goes without lower-case letters.
    NoLower,
    /// Whether a random password goes without upper-case letters.
    NoUpper,
    /// Whether a random password goes without digits.
    NoDigits,
    /// Whether a random password goes without punctuation.
    NoPunctuation,
    /// Whether a random password has every character class that is not excluded.
    EachClass,
    /// The request id.
    RequestId,
    /// An error code.
    Code,
    /// An error message.
    Message,
    /// The HTTP status, repeated in a body.
    Status,
    /// Documented, but no part of what rotation means.
    Other,
}

/// A set of meanings: asking whether one is in it costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meanings(u128);

impl Meanings {
    /// Whether it has this meaning.
    pub const fn has(self, meaning: Meaning) -> bool {
        self.0 >> meaning as u32 & 1 == 1
    }
}

impl FromIterator<Meaning> for Meanings {
    fn from_iter<T: IntoIterator<Item = Meaning>>(meanings: T) -> Self {
        Self(meanings.into_iter().fold(0, |all, meaning| all | 1 << meaning as u32))
    }
}

/// What a state that a reply names means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A secret is in use.
    Active,
    /// A secret is switched off.
    Disabled,
    /// A secret is in its deletion window.
    Leaving,
    /// Something goes on.
    Running,
    /// Something ended well.
    Succeeded,
    /// Something ended badly.
    Failed,
}

/// Why a call is refused, in the words of no vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A required parameter is absent or empty.
    Missing,
    /// A parameter is outside its type, length, pattern or allowed values.
    Invalid,
    /// No such secret.
    UnknownSecret,
    /// No such version or stage in the secret.
    UnknownVersion,
    /// The name is taken.
    Exists,
    /// The version id is taken, with another value.
    VersionExists,
    /// The secret is in its deletion window.
    InDeletion,
    /// The secret is not in a deletion window.
    NotInDeletion,
    /// The secret is switched off.
    Disabled,
    /// The secret must be switched off first.
    NotDisabled,
    /// A rotation of the secret goes on.
    Busy,
    /// No function rotates the secret.
    NoFunction,
    /// No such task.
    UnknownTask,
    /// The body is no JSON, or a value in it has the wrong JSON type.
    BadBody,
    /// A stage is to be taken from a version that does not have it.
    WrongSource,
    /// The version does not have the stage that is named with it.
    StageMismatch,
    /// A built-in stage cannot be removed.
    BuiltInStage,
    /// The kind of secret cannot rotate.
    KindCannotRotate,
    /// The kind of secret takes new values from rotation alone.
    KindOnlyRotates,
    /// The rotation limit is used up.
    Throttled,
    /// A quota on stored things is used up.
    QuotaExceeded,
    /// The secret belongs to another account.
    Foreign,
    /// The call was only tried out.
    DryRun,
    /// The request carries no signature.
    Unsigned,
    /// The signature is malformed or incomplete.
    Malformed,
    /// The signature does not match what was received.
    Mismatch,
    /// No such access key.
    UnknownKey,
    /// The time stamp is too far from the endpoint's clock.
    Expired,
    /// The time stamp cannot be read.
    BadTimestamp,
    /// The nonce was used before.
    NonceUsed,
    /// The signing algorithm is not one of those documented.
    BadAlgorithm,
    /// The signature is made for another day, region or service.
    WrongScope,
    /// No such operation.
    UnknownOperation,
    /// No such API version.
    UnknownApiVersion,
    /// The HTTP method is not one of those documented.
    BadMethod,
    /// The reply format asked for is not one of those documented.
    BadFormat,
    /// No such path.
    UnknownPath,
    /// The endpoint cannot make such a secret here: what would be behind it is not there.
    Unavailable,
    /// The endpoint failed by its own fault.
    Internal,
}

impl Condition {
    /// Whether it depends on what is stored, and may be otherwise a moment later.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::UnknownSecret
                | Self::UnknownVersion
                | Self::Exists
                | Self::VersionExists
                | Self::InDeletion
                | Self::NotInDeletion
                | Self::Disabled
                | Self::NotDisabled
                | Self::Busy
                | Self::NoFunction
                | Self::WrongSource
                | Self::StageMismatch
                | Self::Throttled
                | Self::QuotaExceeded
        )
    }
}
