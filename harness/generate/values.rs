//! Values for parameters: right, at the bounds, outside them, hostile; all drawn from the spec.

use super::choices::{Choices, Of};
use super::texts::{around, bare, hostile_texts, inside, malformed_texts, outside};
use super::{Class, Given};
use crate::model::{Meaning, Role, Text};
use crate::spec::{Kind, Operation, Parameter, Sample, Type, Vendor};

/// A text with every character that some encoder gets wrong.
const ODD: &str = "a b+c%20d&e=f~g*h\"i<j>k\u{e9}";
/// Idempotency tokens that a plan draws from: few, so that they come again.
const TOKENS: usize = 4;

/// What the values of a call depend on.
pub(super) struct About<'s> {
    /// Whether it makes a secret.
    pub creates: bool,
    /// The kind of its secret, by the spec's name; empty where it is about none.
    pub kind: &'s str,
    /// The kind.
    pub described: Option<&'s Kind>,
    /// Which of the kind's samples the secret is made by.
    pub sample: usize,
}

impl About<'_> {
    fn made_by(&self) -> Option<&Sample> {
        self.described?.samples.get_index(self.sample).map(|(_, sample)| sample)
    }

    /// Whether a creation of the kind does not go without a parameter, though others do.
    pub(super) fn needs(&self, parameter: &Parameter) -> bool {
        let configured = || self.made_by().is_some_and(|sample| sample.config.is_some());
        match parameter.is {
            Meaning::Kind => self.creates,
            Meaning::Config => self.creates && configured(),
            _ => false,
        }
    }

    /// A name for what is created: new, or there already.
    fn name(&self, number: usize) -> Given {
        match self.described.and_then(|kind| kind.literal_name.as_ref()) {
            Some(literal) => Given::Text(literal.clone()),
            None => [Given::name_with("n"), Given::Name][number].clone(),
        }
    }

    /// The value of what is created.
    fn value(&self, value: usize) -> Given {
        match self.made_by() {
            Some(sample) if !sample.takes_any() => {
                Given::Sampled { kind: self.kind.to_owned(), sample: self.sample, value }
            }
            _ => Given::Value(value),
        }
    }
}

/// A value as documented. The first choice is the plainest.
pub(super) fn valid(
    vendor: &Vendor,
    parameter: &Parameter,
    about: &About<'_>,
    choices: &mut Choices<'_>,
) -> Given {
    if parameter.is == Meaning::Token {
        return Given::Token(choices.one(Of::Token, TOKENS));
    }
    let mut number = |among| choices.one(Of::Value, among);
    match parameter.is {
        Meaning::Secret if about.creates => about.name(number(2)),
        Meaning::Secret => Given::Name,
        Meaning::Value if about.creates => about.value(number(3)),
        Meaning::Value => Given::Value(number(3)),
        Meaning::RemoveFrom => match number(8) {
            0 | 5.. => Given::Holder,
            more => Given::Version(more - 1),
        },
        Meaning::Version | Meaning::MoveTo => version(vendor, parameter, number(4)),
        Meaning::Task => Given::Task(number(2)),
        Meaning::Marker => Given::Marker,
        Meaning::Project => Given::Project,
        Meaning::Stage => {
            let known = documented(vendor);
            let chosen = number(2 * known.len());
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
        Meaning::Kind => Given::Text(vendor.word_of(about.kind).to_owned()),
        Meaning::Config => Given::Text(about.made_by().and_then(|it| it.config.clone()).unwrap_or_default()),
        _ => plain(parameter, &mut number),
    }
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
            let few = min.max(1).min(max);
            [example.unwrap_or(min), few, min, max, (min + max) / 2][number(5)].to_string()
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
    // What a parameter names may be taken for something like it.
    let near = match parameter.is {
        Meaning::Secret => Some(Given::Name),
        Meaning::Token => Some(Given::Token(0)),
        Meaning::Version | Meaning::MoveTo | Meaning::RemoveFrom => Some(Given::Version(0)),
        _ => None,
    };
    let mut all = near.filter(|_| class != Class::Malformed).map_or_else(Vec::new, |near| near.twisted());
    if parameter.is == Meaning::Secret && operation.role != Role::Create && !all.is_empty() {
        all.push(Given::Identifier);
    }
    let texts = if texts.is_empty() && all.is_empty() { hostile_texts() } else { texts };
    all.extend(texts.into_iter().map(|text| match parameter.is {
        // Whatever is named must be the run's own.
        Meaning::Secret if !text.is_empty() => Given::name_with(text),
        _ => Given::Text(text),
    }));
    (class, choices.pick(Of::Odd, &all).cloned())
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
        let Some(text) = kind.samples.values().find_map(|sample| sample.config.as_ref()) else { continue };
        let Ok(serde_json::Value::Object(whole)) = serde_json::from_str(text) else { continue };
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
