//! Facts and JSON fields: what a reply's field means, in both directions.

use super::tree::Tree;
use crate::model::{Fact, Facts, Meaning, State, Text, VersionFact, digest};
use crate::spec::interval::{Ruling, Unit};
use crate::spec::{Field, Table, TimeForm, Type, Vendor, setting};
use std::borrow::Cow;

/// Writes facts as the fields that a reply documents.
pub(super) fn write<'a>(
    vendor: &Vendor,
    fields: &'a Table<String, Field>,
    facts: &'a [(Meaning, Fact)],
) -> Tree<'a> {
    let mut object = Tree::Object(Vec::with_capacity(fields.len() + 1));
    for (name, field) in fields {
        let fact = facts.iter().find(|(meaning, _)| *meaning == field.is).map(|(_, fact)| fact);
        let tree = fact.and_then(|fact| to_json(vendor, field, fact));
        if let Some(tree) = tree.or_else(|| field.gives.as_ref().map(Tree::from)) {
            object.put(name.as_str(), tree);
        }
    }
    object
}

fn to_json<'a>(vendor: &Vendor, field: &'a Field, fact: &'a Fact) -> Option<Tree<'a>> {
    Some(match fact {
        Fact::Text(text) if field.is == Meaning::Tags => wrapped(field, serde_json::from_str(text).ok()?),
        Fact::Text(text) => spelled(field, text),
        Fact::Flag(flag) => match (field.kind, field.values.as_slice()) {
            // By convention the first value of such a field means on, the second off.
            (Type::Text, [on, off, ..]) => Tree::from(if *flag { on.as_str() } else { off.as_str() }),
            (Type::Text, _) => Tree::from(flag.to_string()),
            (Type::Integer, _) => Tree::from(i64::from(*flag)),
            _ => Tree::from(*flag),
        },
        Fact::Count(number) if field.is == Meaning::Interval => match (field.unit, field.kind) {
            (Some(unit), Type::Integer) => Tree::from(number / unit.seconds()),
            _ => Tree::from(vendor.spec.interval.write(*number)),
        },
        Fact::Count(number) => match field.kind {
            Type::Text => Tree::from(number.to_string()),
            _ => Tree::from(*number),
        },
        Fact::State(state) => {
            let name = field.states.iter().find(|(_, meant)| *meant == state)?.0;
            spelled(field, name)
        }
        Fact::Time(at) | Fact::Around(at) => time_to_json(field.form, *at)?,
        // Where a field has room for one stage, it shows one, or nothing.
        Fact::Stages(stages) if field.kind == Type::Text && field.item.is_none() => {
            Tree::from(stages.first().map_or("", |stage| stage))
        }
        Fact::Stages(stages) => wrapped(field, list_of(stages)),
        Fact::Names(names) => {
            let entry = |name: &Text| {
                let facts = [(Meaning::Secret, Fact::Text(name.clone()))];
                write(vendor, &field.of, &facts).into_owned()
            };
            wrapped(field, Tree::List(names.iter().map(entry).collect()))
        }
        Fact::Versions(versions) => versions_to_json(vendor, field, versions),
        Fact::Value(_) => return None,
    })
}
fn versions_to_json<'a>(vendor: &Vendor, field: &'a Field, versions: &'a [VersionFact]) -> Tree<'a> {
    let stages = |version: &'a VersionFact| version.stages.as_deref().unwrap_or_default();
    if field.kind == Type::Map {
        let entry = |version: &'a VersionFact| (Cow::Borrowed(&*version.id), list_of(stages(version)));
        return Tree::Object(versions.iter().map(entry).collect());
    }
    if field.of.is_empty() && field.item.is_none() {
        return Tree::List(versions.iter().map(|version| Tree::from(&*version.id)).collect());
    }
    let entry = |version: &'a VersionFact| {
        let mut facts = vec![
            (Meaning::Version, Fact::Text(version.id.clone())),
            (Meaning::Stages, Fact::Stages(stages(version).to_vec())),
        ];
        facts.extend(version.created.map(|at| (Meaning::Created, Fact::Time(at))));
        write(vendor, &field.of, &facts).into_owned()
    };
    wrapped(field, Tree::List(versions.iter().map(entry).collect()))
}

fn list_of(texts: &[Text]) -> Tree<'_> {
    Tree::List(texts.iter().map(|text| Tree::from(&**text)).collect())
}

/// A text in the JSON type of its field.
fn spelled<'a>(field: &Field, text: &'a str) -> Tree<'a> {
    match (field.kind, text.parse::<i64>()) {
        (Type::Integer, Ok(number)) => Tree::from(number),
        _ => Tree::from(text),
    }
}

fn time_to_json(form: TimeForm, at: i64) -> Option<Tree<'static>> {
    Some(match form {
        TimeForm::Iso | TimeForm::Local => Tree::from(form.write(at)?),
        TimeForm::Seconds => Tree::from(at),
        TimeForm::Millis => Tree::from(at.checked_mul(1_000)?),
    })
}

fn wrapped<'a>(field: &'a Field, list: Tree<'a>) -> Tree<'a> {
    match &field.item {
        Some(item) => Tree::Object(vec![(Cow::Borrowed(item.as_str()), list)]),
        None => list,
    }
}

/// Reads the facts that the fields of a reply state. A field that cannot be read as its type is kept
/// as text, so that it differs from whatever is expected.
pub(super) fn read(vendor: &Vendor, fields: &Table<String, Field>, object: &Tree<'_>) -> Facts {
    // Names that are paths mostly lead into the same object, one after another.
    let mut inner: Option<(&str, Option<&Tree<'_>>)> = None;
    fields
        .iter()
        .filter_map(|(name, field)| {
            let value = match name.rsplit_once('.') {
                None => object.member(name),
                Some((parent, leaf)) => {
                    let known = inner.filter(|(path, _)| *path == parent).map(|(_, value)| value);
                    let value = known.unwrap_or_else(|| object.member(parent));
                    inner = Some((parent, value));
                    value.and_then(|value| value.member(leaf))
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

fn from_json(vendor: &Vendor, field: &Field, value: &Tree<'_>) -> Fact {
    let as_text = || match value {
        Tree::Text(text) => Fact::Text(Text::from(&**text)),
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
            let array = Tree::List(list.to_vec());
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
fn unsaid(field: &Field, value: &Tree<'_>) -> bool {
    let place = field.values.iter().position(|known| Some(known.as_str()) == value.as_str());
    place.is_some_and(|place| place > 1)
}

fn automatic(field: &Field, value: &Tree<'_>) -> Option<Fact> {
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
fn state(field: &Field, value: &Tree<'_>) -> Option<State> {
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

fn time(form: TimeForm, value: &Tree<'_>) -> Option<Fact> {
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds is far below the bounds of i64")]
    let whole = |number: f64| number.floor() as i64;
    match form {
        TimeForm::Iso => form.read(value.as_str()?).map(Fact::Time),
        TimeForm::Seconds => value.as_f64().map(|at| Fact::Time(whole(at))),
        TimeForm::Millis => value.as_f64().map(|at| Fact::Time(whole(at / 1_000.0))),
        TimeForm::Local => form.read(value.as_str()?).map(Fact::Around),
    }
}

fn list<'a, 't>(field: &Field, value: &'a Tree<'t>) -> Option<&'a [Tree<'t>]> {
    let inner = field.item.as_ref().and_then(|item| value.get(item)).unwrap_or(value);
    inner.as_list()
}

fn texts(list: &[Tree<'_>]) -> Vec<Text> {
    list.iter().map(|value| value.as_str().map_or_else(|| value.to_string().into(), Text::from)).collect()
}

fn versions(vendor: &Vendor, field: &Field, value: &Tree<'_>) -> Option<Vec<VersionFact>> {
    if let (Type::Map, Some(map)) = (field.kind, value.as_object()) {
        let entry = |(id, stages): &(Cow<'_, str>, Tree<'_>)| VersionFact {
            id: Text::from(&**id),
            stages: Some(texts(stages.as_list().unwrap_or_default())),
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
    let entry = |entry: &Tree<'_>| {
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
    Some(list.iter().filter(|value| value.as_object().is_some()).map(entry).collect())
}

fn names(vendor: &Vendor, field: &Field, list: &[Tree<'_>]) -> Vec<Text> {
    list.iter()
        .filter(|value| value.as_object().is_some())
        .filter_map(|entry| {
            read(vendor, &field.of, entry).into_iter().find_map(|(meaning, fact)| match (meaning, fact) {
                (Meaning::Secret, Fact::Text(name)) => Some(name),
                _ => None,
            })
        })
        .collect()
}
