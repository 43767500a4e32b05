//! Texts for parameters: at the bounds, outside them, and hostile ones. All but the hostile ones are made
//! from the spec.

use crate::model::{Meaning, Role};
use crate::spec::interval::Unit;
use crate::spec::{Parameter, Type, Vendor};
use serde_json::json;

/// Values outside a parameter's constraints, each with what is wrong with it.
pub(crate) fn outside(parameter: &Parameter) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    let text = |length: i64| "x".repeat(usize::try_from(length).unwrap_or(0));
    match parameter.kind {
        Type::Integer => {
            values.extend(parameter.min.map(|min| ("below", (min - 1).to_string())));
            values.extend(parameter.max.map(|max| ("above", (max + 1).to_string())));
            values.extend(["abc", "1.5", "0x10", "99999999999999999999"].map(|bad| ("type", bad.to_owned())));
        }
        Type::Boolean => values.extend(["yes", "1", "maybe", "truee"].map(|bad| ("type", bad.to_owned()))),
        Type::List => {
            values.push(("type", "rotaprobe".to_owned()));
            values.extend(parameter.max.map(|max| ("entries", entries(max + 1))));
            values.extend(parameter.min.filter(|min| *min > 0).map(|min| ("entries", entries(min - 1))));
            let bounds = [parameter.each.min.map(|min| min - 1), parameter.each.max.map(|max| max + 1)];
            values.extend(bounds.into_iter().flatten().map(|it| ("entry", json!([text(it)]).to_string())));
        }
        Type::Map => values.push(("type", "rotaprobe".to_owned())),
        Type::Json => values.extend(["{", "not json"].map(|bad| ("type", bad.to_owned()))),
        _ => {
            let fitting = |length| if parameter.values.is_empty() { text(length) } else { String::new() };
            values.extend(parameter.min.filter(|min| *min > 1).map(|min| ("short", fitting(min - 1))));
            values.extend(parameter.max.map(|max| ("long", fitting(max + 1))));
            values.extend(
                parameter
                    .max
                    .filter(|_| parameter.bytes)
                    .map(|max| ("bytes", "é".repeat(usize::try_from(max / 2 + 1).unwrap_or(0)))),
            );
        }
    }
    if parameter.pattern.is_some() {
        values.extend(["a b", "a*b", "名", "a\u{0}b", "a\nb"].map(|bad| ("pattern", bad.to_owned())));
    }
    if let Some(first) = parameter.values.first() {
        let other =
            if first.chars().any(char::is_lowercase) { first.to_uppercase() } else { first.to_lowercase() };
        values.extend([("value", "rotaprobe".to_owned()), ("value", format!("{first}x"))]);
        if !parameter.values.contains(&other) && parameter.kind == Type::Text {
            values.push(("value", other));
        }
    }
    values.retain(|(_, value)| !value.is_empty());
    values
}

/// A list of so many entries that differ.
fn entries(count: i64) -> String {
    json!((0..count).map(|number| format!("rotaprobe-{number}")).collect::<Vec<_>>()).to_string()
}

/// Values exactly at a parameter's bounds.
pub(crate) fn inside(parameter: &Parameter) -> Vec<String> {
    let text = |length: i64| "x".repeat(usize::try_from(length).unwrap_or(0));
    match parameter.kind {
        Type::Integer => {
            [parameter.min, parameter.max].into_iter().flatten().map(|bound| bound.to_string()).collect()
        }
        Type::Text if !parameter.values.is_empty() => parameter.values.clone(),
        Type::Text => {
            [parameter.min.filter(|min| *min > 0), parameter.max].into_iter().flatten().map(text).collect()
        }
        Type::List => {
            let longest = parameter.each.max.map(|max| json!([text(max)]).to_string());
            parameter.max.map(entries).into_iter().chain(longest).collect()
        }
        _ => Vec::new(),
    }
}

/// The bounds in a unit, one unit inside and outside; of the least, the disputed one too.
pub(crate) fn around(vendor: &Vendor, unit: Unit) -> Vec<String> {
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

/// Whether intervals are bare numbers.
pub(crate) fn bare(vendor: &Vendor) -> bool {
    let roles = [Role::SetPolicy, Role::Rotate];
    roles.into_iter().filter_map(|role| vendor.spec.operation_for(role)).any(|(_, operation)| {
        operation.parameter(Meaning::Interval).is_some_and(|(_, it)| it.kind == Type::Integer)
    })
}

/// Texts that no grammar of a number and a unit takes, and numbers that only wrap-around makes legal.
pub(crate) fn malformed_texts(vendor: &Vendor) -> Vec<String> {
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

/// Texts that break naive parsers, encoders, storage and logs.
pub(crate) fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "\u{0}",
        "\r\n",
        "\u{7f}\u{1b}[31m",
        "'\"`;--",
        "<a>&amp;</a>]]>",
        "{\"a\":[",
        "[]",
        "{}",
        "null",
        "true",
        "-1",
        "0",
        "1e400",
        "9223372036854775808",
        "-9223372036854775809",
        "%00%ff%zz",
        "../../../../etc/passwd",
        "${jndi:x}{{7*7}}%n%s",
        "凭据名称",
        "e\u{301}\u{202e}\u{feff}\u{1f511}",
        "\u{fffd}\u{ffff}",
        "a=b&c=d+e%20f",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push("x".repeat(300));
    texts.push("[".repeat(5_000));
    texts.push("é".repeat(3_000));
    texts
}
