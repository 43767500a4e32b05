//! Facts and JSON fields: what a reply's field means, in both directions.

use super::members::{member, put};
use crate::model::{Fact, Facts, Meaning, State, Text, VersionFact, digest};
use crate::spec::interval::{Ruling, Unit};
use crate::spec::{Field, Table, TimeForm, Type, Vendor, setting};
use serde_json::{Map, Value};

/// Writes facts as the fields that a reply documents.
pub(super) fn write(vendor: &Vendor, fields: &Table<String, Field>, facts: &[(Meaning, Fact)]) -> Value {
    let mut object = Value::Object(Map::with_capacity(fields.len()));
    for (name, field) in fields {
        let fact = facts.iter().find(|(meaning, _)| *meaning == field.is).map(|(_, fact)| fact);
        let value = fact.and_then(|fact| to_json(vendor, field, fact)).or_else(|| field.gives.clone());
        if let Some(value) = value {
            put(&mut object, name, value);
        }
    }
    object
}

fn to_json(vendor: &Vendor, field: &Field, fact: &Fact) -> Option<Value> {
    Some(match fact {
        Fact::Text(text) if field.is == Meaning::Tags => wrapped(field, serde_json::from_str(text).ok()?),
        Fact::Text(text) => spelled(field, text),
        Fact::Flag(flag) => match (field.kind, field.values.as_slice()) {
            // By convention the first value of such a field means on, the second off.
            (Type::Text, [on, off, ..]) => Value::from(if *flag { on.as_str() } else { off.as_str() }),
            (Type::Text, _) => Value::from(flag.to_string()),
            (Type::Integer, _) => Value::from(i64::from(*flag)),
            _ => Value::from(*flag),
        },
        Fact::Count(number) if field.is == Meaning::Interval => match (field.unit, field.kind) {
            (Some(unit), Type::Integer) => Value::from(number / unit.seconds()),
            _ => Value::from(vendor.spec.interval.write(*number)),
        },
        Fact::Count(number) => match field.kind {
            Type::Text => Value::from(number.to_string()),
            _ => Value::from(*number),
        },
        Fact::State(state) => {
            let name = field.states.iter().find(|(_, meant)| *meant == state)?.0;
            spelled(field, name)
        }
        Fact::Time(at) | Fact::Around(at) => time_to_json(field.form, *at)?,
        // Where a field has room for one stage, it shows one, or nothing.
        Fact::Stages(stages) if field.kind == Type::Text && field.item.is_none() => {
            Value::from(stages.first().map_or("", |stage| stage))
        }
        Fact::Stages(stages) => wrapped(field, stages.iter().map(|stage| Value::from(&**stage)).collect()),
        Fact::Names(names) => {
            let entry =
                |name: &Text| write(vendor, &field.of, &[(Meaning::Secret, Fact::Text(name.clone()))]);
            wrapped(field, names.iter().map(entry).collect())
        }
        Fact::Versions(versions) => versions_to_json(vendor, field, versions),
        Fact::Value(_) => return None,
    })
}

fn versions_to_json(vendor: &Vendor, field: &Field, versions: &[VersionFact]) -> Value {
    let stages = |version: &VersionFact| version.stages.clone().unwrap_or_default();
    if field.kind == Type::Map {
        let entry = |version: &VersionFact| {
            let stages = stages(version).iter().map(|stage| Value::from(&**stage)).collect();
            (version.id.to_string(), stages)
        };
        return Value::Object(versions.iter().map(entry).collect());
    }
    if field.of.is_empty() && field.item.is_none() {
        return versions.iter().map(|version| Value::from(&*version.id)).collect();
    }
    let entry = |version: &VersionFact| {
        let mut facts = vec![
            (Meaning::Version, Fact::Text(version.id.clone())),
            (Meaning::Stages, Fact::Stages(stages(version))),
        ];
        facts.extend(version.created.map(|at| (Meaning::Created, Fact::Time(at))));
        write(vendor, &field.of, &facts)
    };
    wrapped(field, versions.iter().map(entry).collect())
}

/// A text in the JSON type of its field.
fn spelled(field: &Field, text: &str) -> Value {
    match (field.kind, text.parse::<i64>()) {
        (Type::Integer, Ok(number)) => Value::from(number),
        _ => Value::from(text),
    }
}

fn time_to_json(form: TimeForm, at: i64) -> Option<Value> {
    Some(match form {
        TimeForm::Iso | TimeForm::Local => Value::from(form.write(at)?),
        TimeForm::Seconds => Value::from(at),
        TimeForm::Millis => Value::from(at.checked_mul(1_000)?),
    })
}

fn wrapped(field: &Field, list: Value) -> Value {
    match &field.item {
        Some(item) => Value::Object(Map::from_iter([(item.clone(), list)])),
        None => list,
    }
}

/// Reads the facts that the fields of a reply state. A field that cannot be read as its type is kept
/// as text, so that it differs from whatever is expected.
pub(super) fn read(vendor: &Vendor, fields: &Table<String, Field>, object: &Value) -> Facts {
    // Names that are paths mostly lead into the same object, one after another.
    let mut inner: Option<(&str, Option<&Value>)> = None;
    fields
        .iter()
        .filter_map(|(name, field)| {
            let value = match name.rsplit_once('.') {
                None => member(object, name),
                Some((parent, leaf)) => {
                    let known = inner.filter(|(path, _)| *path == parent).map(|(_, value)| value);
                    let value = known.unwrap_or_else(|| member(object, parent));
                    inner = Some((parent, value));
                    value.and_then(|value| member(value, leaf))
                }
            };
            let value = value.filter(|value| !value.is_null())?;
            // Many an API writes a time that there is not as zero or nothing.
            let nothing = value.as_i64() == Some(0) || value.as_str() == Some("");
            let timeless = matches!(field.is, Meaning::Interval) && value.as_i64() == Some(0)
                || field.kind == Type::Time && nothing
                || field.is == Meaning::Automatic && unsaid(field, value);
            (!timeless).then(|| (field.is, from_json(vendor, field, value)))
        })
        .collect()
}

fn from_json(vendor: &Vendor, field: &Field, value: &Value) -> Fact {
    let as_text = || match value {
        Value::String(text) => Fact::Text(Text::from(text.as_str())),
        other => Fact::Text(Text::from(other.to_string())),
    };
    let text = value.as_str();
    let fact = match field.is {
        Meaning::Value => text.map(|text| Fact::Value(digest(text))),
        Meaning::Automatic => automatic(field, value),
        Meaning::State | Meaning::TaskState => state(field, value).map(Fact::State),
        Meaning::Kind | Meaning::Task => None,
        Meaning::Interval => match (field.unit, field.kind) {
            (Some(unit), Type::Integer) => {
                value.as_i64().and_then(|number| number.checked_mul(unit.seconds())).map(Fact::Count)
            }
            _ => text.and_then(|text| canonical_interval(vendor, text)),
        },
        Meaning::Stages if field.kind == Type::Text && field.item.is_none() => text
            .map(|text| Fact::Stages(text.split(' ').filter(|it| !it.is_empty()).map(Text::from).collect())),
        Meaning::Stages => list(field, value).map(|list| Fact::Stages(texts(list))),
        Meaning::Versions => versions(vendor, field, value).map(Fact::Versions),
        Meaning::Secrets => list(field, value).map(|list| Fact::Names(names(vendor, field, list))),
        Meaning::Tags => list(field, value).map(|list| {
            let array = Value::Array(list.to_vec());
            Fact::Text(setting(Meaning::Tags, &array.to_string()))
        }),
        Meaning::Config => text.map(|text| Fact::Text(setting(Meaning::Config, text))),
        _ => match field.kind {
            Type::Integer => value.as_i64().or_else(|| text?.parse().ok()).map(Fact::Count),
            Type::Boolean => value.as_bool().or_else(|| text.and_then(crate::spec::truth)).map(Fact::Flag),
            Type::Time => time(field.form, value),
            _ => None,
        },
    };
    fact.unwrap_or_else(as_text)
}

/// A state of automatic rotation that says neither on nor off.
fn unsaid(field: &Field, value: &Value) -> bool {
    let place = field.values.iter().position(|known| Some(known.as_str()) == value.as_str());
    place.is_some_and(|place| place > 1)
}

fn automatic(field: &Field, value: &Value) -> Option<Fact> {
    if field.values.is_empty() {
        let number = || value.as_i64().map(|number| number != 0);
        let word = || value.as_str().and_then(crate::spec::truth);
        return value.as_bool().or_else(number).or_else(word).map(Fact::Flag);
    }
    match field.values.iter().position(|known| Some(known.as_str()) == value.as_str()) {
        Some(0) => Some(Fact::Flag(true)),
        Some(1) => Some(Fact::Flag(false)),
        _ => None,
    }
}

/// What a state means; of something that goes on, documents need not name every state in between.
fn state(field: &Field, value: &Value) -> Option<State> {
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let between = field.is == Meaning::TaskState && !name.is_empty() && field.kind == Type::Text;
    field.states.get(&name).copied().or(between.then_some(State::Running))
}

/// A length of time in the unit that replies are documented to use; another unit is not canonical.
fn canonical_interval(vendor: &Vendor, text: &str) -> Option<Fact> {
    let interval = &vendor.spec.interval;
    let canonical = match interval.canonical {
        Some(unit) => {
            let unit: Unit = unit;
            let number = text.strip_suffix(unit.letter())?;
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        None => true,
    };
    match interval.read(text) {
        Ruling::Legal(seconds) | Ruling::Open(seconds) if canonical => Some(Fact::Count(seconds)),
        _ => None,
    }
}

fn time(form: TimeForm, value: &Value) -> Option<Fact> {
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds is far below the bounds of i64")]
    let whole = |number: f64| number.floor() as i64;
    match form {
        TimeForm::Iso => form.read(value.as_str()?).map(Fact::Time),
        TimeForm::Seconds => value.as_f64().map(|at| Fact::Time(whole(at))),
        TimeForm::Millis => value.as_f64().map(|at| Fact::Time(whole(at / 1_000.0))),
        TimeForm::Local => form.read(value.as_str()?).map(Fact::Around),
    }
}

fn list<'a>(field: &Field, value: &'a Value) -> Option<&'a [Value]> {
    let inner = field.item.as_ref().and_then(|item| value.get(item)).unwrap_or(value);
    inner.as_array().map(Vec::as_slice)
}

fn texts(list: &[Value]) -> Vec<Text> {
    list.iter().map(|value| value.as_str().map_or_else(|| value.to_string().into(), Text::from)).collect()
}

fn versions(vendor: &Vendor, field: &Field, value: &Value) -> Option<Vec<VersionFact>> {
    if let (Type::Map, Some(map)) = (field.kind, value.as_object()) {
        let entry = |(id, stages): (&String, &Value)| VersionFact {
            id: id.as_str().into(),
            stages: Some(texts(stages.as_array().map_or(&[], Vec::as_slice))),
            created: None,
        };
        return Some(map.iter().map(entry).collect());
    }
    let list = list(field, value)?;
    if field.of.is_empty() && field.item.is_none() {
        // The word that stands for the current version is no version of its own.
        let alias = |id: &Text| vendor.law.alias.as_ref() == Some(id);
        let ids = texts(list).into_iter().filter(|id| !alias(id));
        return Some(ids.map(|id| VersionFact { id, stages: None, created: None }).collect());
    }
    let shows_stages = field.of.values().any(|field| field.is == Meaning::Stages);
    let entry = |entry: &Value| {
        let stages = shows_stages.then(Vec::new);
        let mut version = VersionFact { id: "".into(), stages, created: None };
        for (meaning, fact) in read(vendor, &field.of, entry) {
            match (meaning, fact) {
                (Meaning::Version, Fact::Text(id)) => version.id = id,
                (Meaning::Stages, Fact::Stages(stages)) => version.stages = Some(stages),
                (Meaning::Created, Fact::Time(at)) => version.created = Some(at),
                _ => {}
            }
        }
        version
    };
    Some(list.iter().filter(|value| value.is_object()).map(entry).collect())
}

fn names(vendor: &Vendor, field: &Field, list: &[Value]) -> Vec<Text> {
    list.iter()
        .filter(|value| value.is_object())
        .filter_map(|entry| {
            read(vendor, &field.of, entry).into_iter().find_map(|(meaning, fact)| match (meaning, fact) {
                (Meaning::Secret, Fact::Text(name)) => Some(name),
                _ => None,
            })
        })
        .collect()
}
