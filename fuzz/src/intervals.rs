//! What documents say of an interval, worked out from the facts of a spec with arithmetic of another make.

use rotaprobe::spec::Disputed;
use rotaprobe::spec::Interval;
use rotaprobe::spec::interval::{Length, Ruling, Spelling, Unit};

/// What a spec's facts say of a text.
pub fn ruling(interval: &Interval, text: &str) -> Ruling {
    let Some(parts) = parts(text) else { return Ruling::Malformed };
    let mut open = parts.len() > 1;
    if open && !interval.open.contains(&Spelling::MixedUnits) {
        return Ruling::Malformed;
    }
    let mut total = Some(0_i64);
    for (digits, letter) in parts {
        let known = interval.units.iter().find(|unit| unit_letters(**unit).contains(letter));
        let Some(unit) = known else { return Ruling::Malformed };
        for (odd, spelling) in [
            (letter.is_ascii_uppercase(), Spelling::UpperCaseUnit),
            (digits.len() > 1 && digits.starts_with('0'), Spelling::LeadingZeros),
        ] {
            if odd && !interval.open.contains(&spelling) {
                return Ruling::Malformed;
            }
            open |= odd;
        }
        let part = seconds(digits, *unit);
        total = total.zip(part).and_then(|(total, part)| total.checked_add(part));
    }
    let Some(total) = total else { return Ruling::Outside };
    if interval.disputed.iter().any(|range| range.from.0 <= total && total < range.below.0) {
        return Ruling::Open(total);
    }
    match total {
        _ if total < interval.min.0 || total > interval.max.0 => Ruling::Outside,
        _ if open => Ruling::Open(total),
        _ => Ruling::Legal(total),
    }
}

/// Runs of digits, each with the letter behind it; nothing unless the text is made of these alone.
fn parts(text: &str) -> Option<Vec<(&str, char)>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, letter) in text.char_indices().filter(|(_, letter)| !letter.is_ascii_digit()) {
        if at == start {
            return None;
        }
        parts.push((&text[start..at], letter));
        start = at + letter.len_utf8();
    }
    (start == text.len() && !parts.is_empty()).then_some(parts)
}

const fn unit_letters(unit: Unit) -> &'static str {
    match unit {
        Unit::Day => "dD",
        Unit::Hour => "hH",
        Unit::Minute => "mM",
        Unit::Second => "sS",
    }
}

/// The seconds of a number and a unit, added digit by digit; nothing where they are too many.
fn seconds(digits: &str, unit: Unit) -> Option<i64> {
    let each: i64 = match unit {
        Unit::Day => 24 * 60 * 60,
        Unit::Hour => 60 * 60,
        Unit::Minute => 60,
        Unit::Second => 1,
    };
    digits.bytes().try_fold(0_i64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(i64::from(digit - b'0').checked_mul(each)?)
    })
}

/// An interval of nobody's documents, from the first bytes, and the bytes behind them.
pub fn made_up(bytes: &[u8]) -> Option<(Interval, &[u8])> {
    let (head, rest) = bytes.split_at_checked(18)?;
    let number = |at: usize| {
        let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
        Length(i64::from(u32::from_le_bytes(bytes)))
    };
    let some = |bits: u8, all: &[Unit]| -> Vec<Unit> {
        all.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, unit)| *unit).collect()
    };
    let spellings = [Spelling::LeadingZeros, Spelling::UpperCaseUnit, Spelling::MixedUnits];
    let open = spellings.into_iter().enumerate().filter(|(at, _)| head[1] >> at & 1 == 1);
    let interval = Interval {
        units: some(head[0], &[Unit::Day, Unit::Hour, Unit::Minute, Unit::Second]),
        min: number(2),
        max: number(6),
        disputed: vec![Disputed { from: number(10), below: number(14), why: String::new(), source: vec![] }],
        open: open.map(|(_, spelling)| spelling).collect(),
        canonical: some(head[0] >> 4, &[Unit::Day, Unit::Hour, Unit::Minute, Unit::Second]).pop(),
        source: vec![],
    };
    Some((interval, rest))
}
