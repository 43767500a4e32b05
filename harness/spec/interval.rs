//! Rotation intervals: a whole number and a unit, `30d`.
//!
//! [`Interval::read`] tells what documents say of a text: legal, illegal, or open because they
//! contradict each other or are silent. Arithmetic is exact, so nothing wraps around.

use super::Interval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A unit of time that follows a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// Days.
    #[serde(rename = "d")]
    Day,
    /// Hours.
    #[serde(rename = "h")]
    Hour,
    /// Minutes.
    #[serde(rename = "m")]
    Minute,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
}

impl Unit {
    /// The letter that stands for it.
    pub const fn letter(self) -> char {
        match self {
            Self::Day => 'd',
            Self::Hour => 'h',
            Self::Minute => 'm',
            Self::Second => 's',
        }
    }

    /// How many seconds it has.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Day => 86_400,
            Self::Hour => 3_600,
            Self::Minute => 60,
            Self::Second => 1,
        }
    }

    fn of(letter: char) -> Option<Self> {
        [Self::Day, Self::Hour, Self::Minute, Self::Second].into_iter().find(|unit| unit.letter() == letter)
    }
}

/// A length of time in whole seconds, written in specs as `168h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Length(pub i64);

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no length of time; write a whole number and d, h, m or s, such as 168h");
        let unit = text.chars().last().and_then(Unit::of).ok_or_else(wrong)?;
        let number: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        number.checked_mul(unit.seconds()).filter(|_| number >= 0).map(Self).ok_or_else(wrong)
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = [Unit::Hour, Unit::Minute].into_iter().find(|unit| self.0 % unit.seconds() == 0);
        let unit = unit.unwrap_or(Unit::Second);
        write!(out, "{}{}", self.0 / unit.seconds(), unit.letter())
    }
}

/// Spellings on which documents may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// `007d`.
    LeadingZeros,
    /// `7D`.
    UpperCaseUnit,
    /// `1d12h`.
    MixedUnits,
}

/// What documents say of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Legal; its length in seconds.
    Legal(i64),
    /// Nobody can say whether it is legal; its length in seconds if it is.
    Open(i64),
    /// No number and unit.
    Malformed,
    /// A number and unit, but too short or too long.
    Outside,
}

impl Interval {
    /// What documents say of a text.
    pub fn read(&self, text: &str) -> Ruling {
        let mut rest = text;
        let mut seconds: u128 = 0;
        let mut parts = 0;
        let mut open = false;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            let Some(letter) = after.chars().next().filter(|_| digits > 0) else { return Ruling::Malformed };
            let unit = Unit::of(letter.to_ascii_lowercase()).filter(|unit| self.units.contains(unit));
            let Some(unit) = unit else { return Ruling::Malformed };
            if letter.is_ascii_uppercase() {
                open = true;
                if !self.open.contains(&Spelling::UpperCaseUnit) {
                    return Ruling::Malformed;
                }
            }
            if number.len() > 1 && number.starts_with('0') {
                open = true;
                if !self.open.contains(&Spelling::LeadingZeros) {
                    return Ruling::Malformed;
                }
            }
            // A number too long for u128 is far outside every bound, whatever its unit.
            let number = number.parse::<u128>().unwrap_or(u128::MAX);
            seconds = seconds.saturating_add(number.saturating_mul(unit.seconds().unsigned_abs().into()));
            parts += 1;
            rest = &after[1..];
        }
        match parts {
            0 => return Ruling::Malformed,
            1 => {}
            _ if self.open.contains(&Spelling::MixedUnits) => open = true,
            _ => return Ruling::Malformed,
        }
        match i64::try_from(seconds) {
            Ok(seconds) => self.judge(seconds, open),
            Err(_) => Ruling::Outside,
        }
    }

    fn judge(&self, seconds: i64, open: bool) -> Ruling {
        let disputed = self.disputed.iter().any(|range| (range.from.0..range.below.0).contains(&seconds));
        if disputed {
            Ruling::Open(seconds)
        } else if !(self.min.0..=self.max.0).contains(&seconds) {
            Ruling::Outside
        } else if open {
            Ruling::Open(seconds)
        } else {
            Ruling::Legal(seconds)
        }
    }

    /// The shortest interval that some document allows, in seconds.
    pub fn least(&self) -> i64 {
        self.disputed.iter().map(|range| range.from.0).chain([self.min.0]).min().unwrap_or(self.min.0)
    }

    /// How an interval is read back.
    pub fn write(&self, seconds: i64) -> String {
        // Where any unit will do, the smallest says everything.
        let smallest = self.units.iter().copied().min_by_key(|unit| unit.seconds());
        let unit = self.canonical.or(smallest).unwrap_or(Unit::Second);
        format!("{}{}", seconds / unit.seconds(), unit.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Disputed;
    use proptest::prelude::*;

    fn documented() -> Interval {
        Interval {
            units: vec![Unit::Day, Unit::Hour, Unit::Minute, Unit::Second],
            min: Length(604_800),
            max: Length(31_536_000),
            disputed: vec![Disputed {
                from: Length(21_600),
                below: Length(604_800),
                why: String::new(),
                source: vec![],
            }],
            open: vec![Spelling::LeadingZeros, Spelling::UpperCaseUnit, Spelling::MixedUnits],
            canonical: Some(Unit::Second),
            source: vec![],
        }
    }

    #[test]
    fn bounds_are_inclusive_in_every_unit() {
        let interval = documented();
        for (text, ruling) in [
            ("7d", Ruling::Legal(604_800)),
            ("604800s", Ruling::Legal(604_800)),
            ("10079m", Ruling::Open(604_740)),
            ("6h", Ruling::Open(21_600)),
            ("21599s", Ruling::Outside),
            ("8760h", Ruling::Legal(31_536_000)),
            ("8761h", Ruling::Outside),
            ("31536001s", Ruling::Outside),
            ("18446744073709551623d", Ruling::Outside),
            ("340282366920938463463374607431768211463d", Ruling::Outside),
        ] {
            assert_eq!(interval.read(text), ruling, "{text}");
        }
    }

    #[test]
    fn anything_but_digits_and_a_unit_is_malformed() {
        for text in
            ["", "d", "7", "-7d", "+7d", " 7d", "7d ", "7 d", "7.5d", "1w", "7days", "٧d", "7d\u{0}", "0x7d"]
        {
            assert_eq!(documented().read(text), Ruling::Malformed, "{text:?}");
        }
    }

    #[test]
    fn an_open_spelling_of_an_illegal_interval_is_still_illegal() {
        assert_eq!(documented().read("7D"), Ruling::Open(604_800));
        assert_eq!(documented().read("12M"), Ruling::Outside);
        let mut strict = documented();
        strict.open.clear();
        assert_eq!(strict.read("7D"), Ruling::Malformed);
        assert_eq!(strict.read("1d12h"), Ruling::Malformed);
    }

    proptest! {
        /// An oracle of another make: a regular expression and arithmetic on decimal strings.
        #[test]
        fn agrees_with_an_independent_oracle(text in "[0-9]{0,22}[dhmswDHMS .+-]{0,2}") {
            let form = regex::Regex::new("^([0-9]+)([dhmsDHMS])$").unwrap();
            let expected = match form.captures(&text) {
                None => Ruling::Malformed,
                Some(parts) => {
                    let digits = parts[1].trim_start_matches('0');
                    let factor = match parts[2].to_lowercase().as_str() { "d" => 86_400, "h" => 3_600, "m" => 60, _ => 1 };
                    // More than nine digits exceed 31536000 s in every unit.
                    let seconds = if digits.len() > 9 { i64::MAX } else { digits.parse::<i64>().unwrap_or(0) * factor };
                    let odd = parts[2] != parts[2].to_lowercase() || (parts[1].len() > 1 && parts[1].starts_with('0'));
                    match seconds {
                        21_600..604_800 => Ruling::Open(seconds),
                        604_800..=31_536_000 if odd => Ruling::Open(seconds),
                        604_800..=31_536_000 => Ruling::Legal(seconds),
                        _ => Ruling::Outside,
                    }
                }
            };
            prop_assert_eq!(documented().read(&text), expected);
        }

        #[test]
        fn what_is_written_reads_back(seconds in 604_800_i64..=31_536_000) {
            let interval = documented();
            prop_assert_eq!(interval.read(&interval.write(seconds)), Ruling::Legal(seconds));
        }
    }
}
