//! Intervals: bounds in every unit, equal durations, and texts that are none. All cases are made from
//! the spec.

use super::{Check, Drive, Step, check};
use crate::model::{Meaning, Role};
use crate::spec::interval::Unit;
use crate::spec::{Type, Vendor};

pub(super) const CHECKS: &[Check] = &[
    check("ROT-POL-1", "sets the least and greatest interval in every unit, and one unit outside", bounds),
    check("ROT-POL-2", "sets the same interval in every unit that can express it", equals)
        .covers(&["ROT-POL-1", "ROT-POL-5"]),
    check(
        "ROT-POL-7",
        "sets intervals with signs, spaces, fractions, wrong units, and numbers that overflow",
        malformed,
    ),
];

/// The bounds in a unit, one unit inside and outside; of the least, the disputed one too.
fn around(vendor: &Vendor, unit: Unit) -> Vec<String> {
    let interval = &vendor.spec.interval;
    let mut values = Vec::new();
    for bound in [interval.least(), interval.min.0, interval.max.0] {
        let exact = bound / unit.seconds();
        values.extend([exact - 1, exact, exact + 1]);
    }
    values.retain(|value| *value >= 0);
    values.sort_unstable();
    values.dedup();
    values.into_iter().map(|value| format!("{value}{}", unit.letter())).collect()
}

fn try_all(drive: &mut Drive<'_>, texts: &[String]) -> Step {
    let secret = drive.rotatable()?;
    let usual = drive.legal_interval(23);
    let at = drive.set_policy(&secret, true, Some(&usual))?;
    drive.need(at, "switching automatic rotation on")?;
    drive.describe(&secret)?;
    for text in texts {
        drive.set_policy(&secret, true, Some(text))?;
        drive.describe(&secret)?;
    }
    Ok(())
}

fn bounds(drive: &mut Drive<'_>) -> Step {
    let texts: Vec<String> =
        drive.vendor.spec.interval.units.iter().flat_map(|unit| around(drive.vendor, *unit)).collect();
    try_all(drive, &texts)
}

fn equals(drive: &mut Drive<'_>) -> Step {
    let interval = &drive.vendor.spec.interval;
    let days = [interval.min.0, interval.min.0 + 23 * 86_400, interval.max.0];
    let mut texts = Vec::new();
    for seconds in days {
        for unit in interval.units.iter().filter(|unit| seconds % unit.seconds() == 0) {
            texts.push(format!("{}{}", seconds / unit.seconds(), unit.letter()));
        }
    }
    try_all(drive, &texts)
}

/// Whether intervals are bare numbers.
fn bare(vendor: &Vendor) -> bool {
    let roles = [Role::SetPolicy, Role::Rotate];
    roles.into_iter().filter_map(|role| vendor.spec.operation_for(role)).any(|(_, operation)| {
        operation.parameter(Meaning::Interval).is_some_and(|(_, it)| it.kind == Type::Integer)
    })
}

/// Texts that no grammar of a number and a unit takes, and numbers that only wrap-around makes legal.
pub(super) fn malformed_texts(vendor: &Vendor) -> Vec<String> {
    let interval = &vendor.spec.interval;
    let day = interval.min.0 / 86_400 + 3;
    if bare(vendor) {
        let odd = ["-", "+", " ", "0x", "1e0"].map(|before| format!("{before}{day}"));
        let wrapped =
            [31_u32, 32, 63, 64].map(|bits| ((1_u128 << bits) + day.unsigned_abs() as u128).to_string());
        let after = ["d", ".5", ".0", "e0", " "].map(|after| format!("{day}{after}"));
        let other: String = day
            .to_string()
            .bytes()
            .filter_map(|digit| char::from_u32(0x0660 + u32::from(digit - b'0')))
            .collect();
        let none = ["abc", "null", "0", "-1", other.as_str(), "NaN"].map(str::to_owned);
        return [&odd[..], &wrapped, &after, &none].concat();
    }
    let mut texts: Vec<String> = [
        format!("{day}"),
        format!("-{day}d"),
        format!("+{day}d"),
        format!(" {day}d"),
        format!("{day}d "),
        format!("{day} d"),
        format!("\t{day}d"),
        format!("{day}d\n"),
        format!("{day}.0d"),
        format!("{day}.5d"),
        format!("{day},0d"),
        format!("{day}w"),
        format!("{day}y"),
        format!("{day}dd"),
        format!("{day}days"),
        format!("d{day}"),
        format!("{day}d;"),
        format!("0x{day}d"),
        format!("{day}e0d"),
        format!("1e{}s", 6),
        format!("P{day}D"),
        "d".into(),
        "0d".into(),
        "0s".into(),
        "null".into(),
        "NaNd".into(),
        "\u{0661}\u{0665}d".into(),
        "\u{ff11}\u{ff15}d".into(),
        format!("{day}\u{217e}"),
        // Upper-case units that are outside the bounds however the unit is read.
        "12M".into(),
        "2H".into(),
    ]
    .into();
    for unit in &interval.units {
        let seconds = unit.seconds();
        let legal = interval.min.0 / seconds + 1;
        for bits in [31_u32, 32, 63, 64] {
            // The number itself wraps; the product with the unit wraps.
            let modulus = 1_u128 << bits;
            let twos = seconds.unsigned_abs().trailing_zeros().min(bits);
            for step in [modulus, modulus >> twos] {
                let number = step + u128::from(legal.unsigned_abs());
                texts.push(format!("{number}{}", unit.letter()));
            }
            texts.push(format!("{modulus}{}", unit.letter()));
            texts.push(format!("-{}{}", modulus - u128::from(legal.unsigned_abs()), unit.letter()));
        }
    }
    texts
}

fn malformed(drive: &mut Drive<'_>) -> Step {
    let mut texts = malformed_texts(drive.vendor);
    let extra = drive.below(1_000_000) + 1_000;
    texts.push(if bare(drive.vendor) { extra.to_string() } else { format!("{extra}d") });
    try_all(drive, &texts)
}
