//! Facts and JSON fields: what a reply's field means, in both directions.

use crate::model::{Fact, Facts, Meaning, Text, VersionFact, digest};
use crate::spec::interval::{Ruling, Unit};
use crate::spec::{Field, Type, Vendor, setting};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Writes facts as the fields that a reply documents.
pub(super) fn write(
    vendor: &Vendor,
    fields: &IndexMap<String, Field>,
    facts: &[(Meaning, Fact)],
) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, field) in fields {
        let fact = facts.iter().find(|(meaning, _)| *meaning == field.is).map(|(_, fact)| fact);
        if let Some(value) = fact.and_then(|fact| to_json(vendor, field, fact)) {
            object.insert(name.clone(), value);
        }
    }
    object
}

fn to_json(vendor: &Vendor, field: &Field, fact: &Fact) -> Option<Value> {
    Some(match fact {
        Fact::Text(text) if field.is == Meaning::Tags => wrapped(field, serde_json::from_str(text).ok()?),
        Fact::Text(text) => Value::from(&**text),
        Fact::Flag(flag) => match (field.kind, field.values.as_slice()) {
            // By convention the first value of such a field means on, the second off.
            (Type::Text, [on, off, ..]) => Value::from(if *flag { on.as_str() } else { off.as_str() }),
            (Type::Text, _) => Value::from(flag.to_string()),
            _ => Value::from(*flag),
        },
        Fact::Count(number) if field.is == Meaning::Interval => {
            Value::from(vendor.spec.interval.write(*number))
        }
        Fact::Count(number) => match field.kind {
            Type::Text => Value::from(number.to_string()),
            _ => Value::from(*number),
        },
        Fact::Time(at) => Value::from(jiff::Timestamp::from_second(*at).ok()?.to_string()),
        Fact::Stages(stages) => wrapped(field, stages.iter().map(|stage| Value::from(&**stage)).collect()),
        Fact::Names(names) => {
            let entry = |name: &Text| {
                Value::Object(write(vendor, &field.of, &[(Meaning::Secret, Fact::Text(name.clone()))]))
            };
            wrapped(field, names.iter().map(entry).collect())
        }
        Fact::Versions(versions) => {
            let entry = |version: &VersionFact| {
                let mut facts = vec![
                    (Meaning::Version, Fact::Text(version.id.clone())),
                    (Meaning::Stages, Fact::Stages(version.stages.clone())),
                ];
                facts.extend(version.created.map(|at| (Meaning::Created, Fact::Time(at))));
                Value::Object(write(vendor, &field.of, &facts))
            };
            wrapped(field, versions.iter().map(entry).collect())
        }
        Fact::Value(_) => return None,
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
pub(super) fn read(vendor: &Vendor, fields: &IndexMap<String, Field>, object: &Map<String, Value>) -> Facts {
    fields
        .iter()
        .filter_map(|(name, field)| {
            let value = object.get(name).filter(|value| !value.is_null())?;
            Some((field.is, from_json(vendor, field, value)))
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
        Meaning::Automatic => {
            text.and_then(|text| match field.values.iter().position(|value| value == text) {
                Some(0) => Some(Fact::Flag(true)),
                Some(1) => Some(Fact::Flag(false)),
                _ => None,
            })
        }
        Meaning::Interval => text.and_then(|text| canonical_interval(vendor, text)),
        Meaning::Stages => list(field, value).map(|list| Fact::Stages(texts(list))),
        Meaning::Versions => list(field, value).map(|list| Fact::Versions(versions(vendor, field, list))),
        Meaning::Secrets => list(field, value).map(|list| Fact::Names(names(vendor, field, list))),
        Meaning::Tags => list(field, value).map(|list| {
            let array = Value::Array(list.to_vec());
            Fact::Text(setting(Meaning::Tags, &array.to_string()))
        }),
        Meaning::Config => text.map(|text| Fact::Text(setting(Meaning::Config, text))),
        _ => match field.kind {
            Type::Integer => value.as_i64().or_else(|| text?.parse().ok()).map(Fact::Count),
            Type::Boolean => value.as_bool().or_else(|| text.and_then(crate::spec::truth)).map(Fact::Flag),
            Type::Time => text.and_then(time),
            _ => None,
        },
    };
    fact.unwrap_or_else(as_text)
}

/// A length of time in the unit that replies are documented to use; another unit is not canonical.
fn canonical_interval(vendor: &Vendor, text: &str) -> Option<Fact> {
    let interval = &vendor.spec.interval;
    let unit: Unit = interval.canonical;
    let number = text.strip_suffix(unit.letter())?;
    let canonical = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match interval.read(text) {
        Ruling::Legal(seconds) | Ruling::Open(seconds) if canonical => Some(Fact::Count(seconds)),
        _ => None,
    }
}

fn time(text: &str) -> Option<Fact> {
    text.parse::<jiff::Timestamp>().ok().map(|at| Fact::Time(at.as_second()))
}

fn list<'a>(field: &Field, value: &'a Value) -> Option<&'a [Value]> {
    let inner = field.item.as_ref().and_then(|item| value.get(item)).unwrap_or(value);
    inner.as_array().map(Vec::as_slice)
}

fn texts(list: &[Value]) -> Vec<Text> {
    list.iter().map(|value| value.as_str().map_or_else(|| value.to_string().into(), Text::from)).collect()
}

fn versions(vendor: &Vendor, field: &Field, list: &[Value]) -> Vec<VersionFact> {
    list.iter()
        .filter_map(Value::as_object)
        .map(|entry| {
            let mut version = VersionFact { id: "".into(), stages: Vec::new(), created: None };
            for (meaning, fact) in read(vendor, &field.of, entry) {
                match (meaning, fact) {
                    (Meaning::Version, Fact::Text(id)) => version.id = id,
                    (Meaning::Stages, Fact::Stages(stages)) => version.stages = stages,
                    (Meaning::Created, Fact::Time(at)) => version.created = Some(at),
                    _ => {}
                }
            }
            version
        })
        .collect()
}

fn names(vendor: &Vendor, field: &Field, list: &[Value]) -> Vec<Text> {
    list.iter()
        .filter_map(Value::as_object)
        .filter_map(|entry| {
            read(vendor, &field.of, entry).into_iter().find_map(|(meaning, fact)| match (meaning, fact) {
                (Meaning::Secret, Fact::Text(name)) => Some(name),
                _ => None,
            })
        })
        .collect()
}
