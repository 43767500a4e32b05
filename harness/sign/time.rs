//! How time stamps of signatures are written.

use crate::wire::time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a time stamp is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DateForm {
    /// `2024-01-02T03:04:05Z`.
    #[default]
    Extended,
    /// `20240102T030405Z`.
    Basic,
    /// Seconds since 1970.
    Unix,
}

impl DateForm {
    /// Writes Unix seconds.
    pub fn write(self, seconds: i64) -> String {
        let extended = || time::write(seconds).unwrap_or_default();
        match self {
            Self::Extended => extended(),
            Self::Basic => extended().replace(['-', ':'], ""),
            Self::Unix => seconds.to_string(),
        }
    }

    /// Reads a time stamp of exactly this form.
    pub fn read(self, text: &str) -> Option<i64> {
        let exact = |text: &str| {
            let whole = text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
            whole.then(|| time::read(text)).flatten()
        };
        match self {
            Self::Extended => exact(text),
            Self::Basic => {
                let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
                let mut extended = *b"0000-00-00T00:00:00Z";
                for (into, from) in
                    [(0..4, 0..4), (5..7, 4..6), (8..13, 6..11), (14..16, 11..13), (17..20, 13..16)]
                {
                    extended[into].copy_from_slice(&bytes[from]);
                }
                exact(std::str::from_utf8(&extended).ok()?)
            }
            Self::Unix => {
                let plain = !text.is_empty() && text.len() < 12 && text.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| text.parse().ok())?
            }
        }
    }

    /// The UTC day of a time stamp in Unix seconds, as scopes name it: `2024-01-02` for Unix stamps,
    /// `20240102` for the others.
    pub(super) fn day(self, seconds: i64) -> String {
        let extended = Self::Extended.write(seconds);
        let day = extended.split('T').next().unwrap_or_default();
        if self == Self::Unix { day.to_owned() } else { day.replace('-', "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        for form in [DateForm::Extended, DateForm::Basic, DateForm::Unix] {
            assert_eq!(form.read(&form.write(1_704_164_645)), Some(1_704_164_645));
            for bad in ["", "x", "2024-01-02", "20240102T030405", "20240102 030405Z", "-1", "٣", "1e9"] {
                assert_eq!(form.read(bad), None, "{form:?} {bad}");
            }
        }
        assert_eq!(DateForm::Basic.write(1_704_164_645), "20240102T030405Z");
        assert_eq!(DateForm::Unix.day(1_704_164_645), "2024-01-02");
        assert_eq!(DateForm::Basic.day(1_704_164_645), "20240102");
    }
}
