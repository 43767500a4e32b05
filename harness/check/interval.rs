//! Intervals: bounds in every unit, equal durations, and texts that are none. All cases are made from
//! the spec.

use super::{Check, Drive, Step, check};
use crate::generate::texts::{around, bare, malformed_texts};

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

fn malformed(drive: &mut Drive<'_>) -> Step {
    let mut texts = malformed_texts(drive.vendor);
    let extra = drive.below(1_000_000) + 1_000;
    texts.push(if bare(drive.vendor) { extra.to_string() } else { format!("{extra}d") });
    try_all(drive, &texts)
}
