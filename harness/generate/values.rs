//! Values for parameters: right, at the bounds, outside them, hostile; all drawn from the spec.

use super::choices::{Choices, Of};
use super::texts::{around, bare, hostile_texts, inside, malformed_texts, outside};
use super::{Class, Given};
use crate::model::{Meaning, Role, Text};
use crate::spec::{Kind, Operation, Parameter, Type, Vendor};

/// A text with every character that some encoder gets wrong.
const ODD: &str = "a b+c%20d&e=f~g*h\"i<j>k\u{e9}";
/// Idempotency tokens that a plan draws from: few, so that they come again.
const TOKENS: usize = 4;

/// A value as documented. The first choice is the plainest.
pub(super) fn valid(
    vendor: &Vendor,
    creates: bool,
    parameter: &Parameter,
    kind: (&str, Option<&Kind>),
    choices: &mut Choices<'_>,
) -> Given {
    if parameter.is == Meaning::Token {
        return Given::Token(choices.one(Of::Token, TOKENS));
    }
    let mut number = |among| choices.one(Of::Value, among);
    match parameter.is {
        // What is created may be new, or there already.
        Meaning::Secret if creates => [Given::NameWith("n".into()), Given::Name][number(2)].clone(),
        Meaning::Secret => Given::Name,
        Meaning::Value => Given::Value(number(3)),
        Meaning::Version | Meaning::MoveTo | Meaning::RemoveFrom => version(vendor, parameter, number(4)),
        Meaning::Task => Given::Task(number(2)),
        Meaning::Marker => Given::Marker,
        Meaning::Project => Given::Project,
        Meaning::Stage => {
            let known = documented(vendor);
            let chosen = number(known.len() + 1);
            known.get(chosen).map_or(Given::OwnStage, |stage| Given::Text(stage.to_string()))
        }
        Meaning::Description => Given::Text(["sample", ODD][number(2)].to_owned()),
        Meaning::Stages => {
            let all = stages(vendor);
            let one = number(all.len());
            Given::Text(serde_json::json!([all[one]]).to_string())
        }
        Meaning::Interval => {
            let all = intervals(vendor, parameter);
            let chosen = number(all.len() + 2);
            let days = if chosen >= all.len() { Some(number(256)) } else { None };
            Given::Text(days.map_or_else(|| all[chosen].clone(), |days| any_days(vendor, parameter, days)))
        }
        Meaning::Kind => Given::Text(vendor.word_of(kind.0).to_owned()),
        Meaning::Config => Given::Text(config(kind.1).unwrap_or_default()),
        _ => plain(parameter, &mut number),
    }
}

fn config(kind: Option<&Kind>) -> Option<String> {
    kind?.samples.values().find_map(|sample| sample.config.clone())
}

fn version(vendor: &Vendor, parameter: &Parameter, number: usize) -> Given {
    match (&vendor.law.alias, number) {
        (Some(alias), 0) if parameter.is == Meaning::Version => Given::Text(alias.to_string()),
        _ => Given::Version(number),
    }
}

fn documented(vendor: &Vendor) -> Vec<&Text> {
    let law = &vendor.law;
    [Some(&law.current), law.previous.as_ref(), law.pending.as_ref()].into_iter().flatten().collect()
}

fn stages(vendor: &Vendor) -> Vec<String> {
    let known = documented(vendor).into_iter().map(ToString::to_string);
    known.chain(["rotaprobe-stage".to_owned()]).collect()
}

/// Legal intervals, as the parameter writes them: one in the middle first, then the bounds, then odd ones.
fn intervals(vendor: &Vendor, parameter: &Parameter) -> Vec<String> {
    let interval = &vendor.spec.interval;
    let days = (interval.min.0 + 86_399) / 86_400;
    if let Some(unit) = parameter.unit.filter(|_| parameter.kind == Type::Integer) {
        let seconds = [(days + 23) * 86_400, interval.min.0, interval.max.0, (days + 4) * 86_400];
        return seconds.map(|seconds| (seconds / unit.seconds()).to_string()).to_vec();
    }
    let mut all = Vec::new();
    for seconds in
        [(days + 23) * 86_400, interval.min.0, interval.max.0, (days + 4) * 86_400, days * 86_400 + 3_600]
    {
        for unit in interval.units.iter().filter(|unit| seconds % unit.seconds() == 0) {
            all.push(format!("{}{}", seconds / unit.seconds(), unit.letter()));
        }
    }
    if all.is_empty() {
        all.push(interval.write((days + 23) * 86_400));
    }
    all
}

/// So many days more than the least interval, as far as the greatest.
fn any_days(vendor: &Vendor, parameter: &Parameter, more: usize) -> String {
    let (interval, day) = (&vendor.spec.interval, 86_400);
    let least = (interval.min.0 + day - 1) / day;
    let span = (interval.max.0 / day - least).max(0) + 1;
    let seconds = (least + i64::try_from(more).unwrap_or(0) % span) * day;
    match parameter.unit.filter(|_| parameter.kind == Type::Integer) {
        Some(unit) => (seconds / unit.seconds()).to_string(),
        None => interval.write(seconds),
    }
}

fn plain(parameter: &Parameter, number: &mut dyn FnMut(usize) -> usize) -> Given {
    let text = match parameter.kind {
        Type::Boolean => ["true", "false"][number(2)].to_owned(),
        Type::Integer => {
            let (min, max) = (parameter.min.unwrap_or(1), parameter.max.unwrap_or(100));
            let example = parameter.example.as_ref().and_then(|example| example.parse().ok());
            [example.unwrap_or(min), min, max, (min + max) / 2][number(4)].to_string()
        }
        _ if !parameter.values.is_empty() => parameter.values[number(parameter.values.len())].clone(),
        Type::List => parameter.example.clone().unwrap_or_else(|| "[]".to_owned()),
        Type::Json | Type::Map => parameter.example.clone().unwrap_or_else(|| "{}".to_owned()),
        _ => parameter.example.clone().unwrap_or_else(|| "sample".to_owned()),
    };
    Given::Text(text)
}

/// A value that is odd, and in what way; none for the parameter left out.
pub(super) fn odd(
    vendor: &Vendor,
    operation: &Operation,
    parameter: &Parameter,
    choices: &mut Choices<'_>,
) -> (Class, Option<Given>) {
    let (class, texts) = match choices.weighted(Of::Oddity, 6, 4) {
        0 | 4 => (Class::Invalid, beyond(vendor, parameter)),
        1 | 5 => (Class::Boundary, at_the_bounds(vendor, parameter)),
        2 => (Class::Absent, Vec::new()),
        _ => (Class::Malformed, hostile_texts()),
    };
    if class == Class::Absent {
        return (class, None);
    }
    if parameter.is == Meaning::Secret && class != Class::Malformed {
        let mut like = vec![
            Given::NameShorter,
            Given::NameInOtherCase,
            Given::NameAfterBlank,
            Given::Text(String::new()),
        ];
        if operation.role != Role::Create {
            like.push(Given::Identifier);
        }
        // Whatever is named must be the run's own.
        like.extend(texts.into_iter().filter(|text| !text.is_empty()).map(Given::NameWith));
        return (class, choices.pick(Of::Odd, &like).cloned());
    }
    let texts = if texts.is_empty() { hostile_texts() } else { texts };
    let text = choices.pick(Of::Odd, &texts).cloned().unwrap_or_default();
    let given = match parameter.is {
        Meaning::Secret if !text.is_empty() => Given::NameWith(text),
        _ => Given::Text(text),
    };
    (class, Some(given))
}

fn at_the_bounds(vendor: &Vendor, parameter: &Parameter) -> Vec<String> {
    match parameter.is {
        Meaning::Interval if bare(vendor) => Vec::new(),
        Meaning::Interval => {
            vendor.spec.interval.units.iter().flat_map(|unit| around(vendor, *unit)).collect()
        }
        _ => inside(parameter),
    }
}

fn beyond(vendor: &Vendor, parameter: &Parameter) -> Vec<String> {
    match parameter.is {
        Meaning::Interval => malformed_texts(vendor),
        Meaning::Config => configs(vendor),
        _ => {
            [String::new()].into_iter().chain(outside(parameter).into_iter().map(|(_, text)| text)).collect()
        }
    }
}

/// Configurations of every kind that lack something they must have, or have a value that is not listed.
fn configs(vendor: &Vendor) -> Vec<String> {
    let mut all = vec![String::new(), "{".to_owned(), "not json".to_owned(), "[]".to_owned()];
    for kind in vendor.spec.kinds.values() {
        let text = config(Some(kind)).unwrap_or_default();
        let Ok(serde_json::Value::Object(whole)) = serde_json::from_str(&text) else { continue };
        let without = kind.config_required.iter().map(|key| {
            let mut config = whole.clone();
            config.shift_remove(key);
            config
        });
        let other = kind.config_values.keys().map(|key| {
            let mut config = whole.clone();
            config.insert(key.clone(), "rotaprobe".into());
            config
        });
        all.extend(without.chain(other).map(|config| serde_json::Value::Object(config).to_string()));
    }
    all
}
