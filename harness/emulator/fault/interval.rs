//! Faults of reading intervals.

use super::tools::rewrite;
use super::{Fault, Seam};
use crate::emulator::{Emulator, Turn};
use crate::model::Meaning;

const fn hears(
    name: &'static str,
    does: &'static str,
    rules: &'static [&'static str],
    twist: fn(&mut Emulator, &mut Turn<'_>),
) -> Fault {
    Fault { name, does, rules, seam: Seam::Hear(twist) }
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "interval-min-off-by-one",
        does: "the least interval itself is refused",
        rules: &["ROT-POL-1", "ROT-POL-2"],
        seam: Seam::Paper(|vendor| vendor.spec.interval.min.0 += 1),
    },
    Fault {
        name: "interval-max-off-by-one",
        does: "a day above the greatest interval is taken",
        rules: &["ROT-POL-1"],
        seam: Seam::Paper(|vendor| vendor.spec.interval.max.0 += 86_400),
    },
    Fault {
        name: "interval-min-minus",
        does: "an hour below the least interval that any document gives is taken",
        rules: &["ROT-POL-1"],
        seam: Seam::Paper(|vendor| {
            let interval = &mut vendor.spec.interval;
            match interval.disputed.first_mut() {
                Some(range) => range.from.0 -= 3_600,
                None => interval.min.0 -= 3_600,
            }
        }),
    },
    Fault {
        name: "interval-max-minus",
        does: "the greatest interval itself is refused",
        rules: &["ROT-POL-1", "ROT-POL-2"],
        seam: Seam::Paper(|vendor| vendor.spec.interval.max.0 -= 1),
    },
    hears(
        "interval-unit-confusion",
        "hours are taken for days",
        &["ROT-POL-2", "ROT-POL-1"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                text.strip_suffix('h').map(|number| format!("{number}d"))
            });
        },
    ),
    hears(
        "interval-overflow-wraps",
        "32-bit arithmetic wraps a huge number to a legal one",
        &["ROT-POL-7"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                let unit = match text.chars().last()? {
                    'd' => 86_400_u128,
                    'h' => 3_600,
                    'm' => 60,
                    's' => 1,
                    _ => return None,
                };
                let number: u128 = text[..text.len() - 1].parse().ok()?;
                Some(format!("{}s", number.wrapping_mul(unit) & 0xFFFF_FFFF))
            });
        },
    ),
    hears("interval-trims", "blanks around an interval are dropped", &["ROT-POL-7"], |emulator, turn| {
        rewrite(emulator, turn, Meaning::Interval, |text| Some(text.trim().to_owned()));
    }),
    hears(
        "interval-inner-blank",
        "a blank between number and unit is dropped",
        &["ROT-POL-7"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| Some(text.replace(' ', "")));
        },
    ),
    hears(
        "interval-uppercase",
        "an upper-case M is taken for months",
        &["ROT-POL-7", "ROT-POL-1"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                let months: u64 = text.strip_suffix('M')?.parse().ok()?;
                Some(format!("{}d", months.saturating_mul(30)))
            });
        },
    ),
    hears(
        "interval-fraction",
        "what follows a decimal point is dropped",
        &["ROT-POL-7"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                let (whole, fraction) = text.split_once('.')?;
                fraction.chars().last().map(|unit| format!("{whole}{unit}"))
            });
        },
    ),
    hears(
        "interval-sign",
        "a sign before the number is dropped",
        &["ROT-POL-7", "ROT-POL-1"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                text.strip_prefix(['+', '-']).map(str::to_owned)
            });
        },
    ),
    hears("interval-default-unit", "a bare number is taken for days", &["ROT-POL-7"], |emulator, turn| {
        let described = emulator.vendor.spec.operations.get(&turn.operation);
        let bare =
            described.and_then(|it| it.parameter(Meaning::Interval)).is_some_and(|(_, it)| it.unit.is_some());
        rewrite(emulator, turn, Meaning::Interval, |text| {
            let digits = !bare && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| format!("{text}d"))
        });
    }),
    hears(
        "interval-non-ascii",
        "digits of other scripts are read as digits",
        &["ROT-POL-7"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                let digit = |c: char| match c {
                    '\u{0660}'..='\u{0669}' => char::from_digit(c as u32 - 0x0660, 10).unwrap_or(c),
                    '\u{ff10}'..='\u{ff19}' => char::from_digit(c as u32 - 0xff10, 10).unwrap_or(c),
                    other => other,
                };
                Some(text.chars().map(digit).collect())
            });
        },
    ),
    hears("interval-weeks", "w is taken for weeks", &["ROT-POL-7"], |emulator, turn| {
        rewrite(emulator, turn, Meaning::Interval, |text| {
            let weeks: u64 = text.strip_suffix('w')?.parse().ok()?;
            Some(format!("{}d", weeks.saturating_mul(7)))
        });
    }),
    hears(
        "interval-trailing-garbage",
        "what follows the unit is ignored",
        &["ROT-POL-7"],
        |emulator, turn| {
            rewrite(emulator, turn, Meaning::Interval, |text| {
                let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
                let unit = text[end..].chars().next().filter(|unit| "dhms".contains(*unit))?;
                Some(format!("{}{unit}", &text[..end]))
            });
        },
    ),
];
