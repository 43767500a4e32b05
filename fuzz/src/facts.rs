//! Facts for the reply of an operation, and what they come out as after the reply was written and read.

use arbitrary::{Result, Unstructured};
use rotaprobe::model::{Fact, Meaning, Text, VersionFact, digest};
use rotaprobe::spec::{Field, Format, Operation, TimeForm, Type, Vendor};

/// The last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// Facts that a reply can state, from bytes.
///
/// # Errors
/// Where the bytes do not suffice.
pub fn make(
    vendor: &Vendor,
    operation: &Operation,
    format: Format,
    bytes: &mut Unstructured<'_>,
) -> Result<Vec<(Meaning, Fact)>> {
    let mut facts: Vec<(Meaning, Fact)> = Vec::new();
    for field in operation.reply.values() {
        if facts.iter().any(|(is, _)| *is == field.is) || bytes.ratio(1, 8)? {
            continue;
        }
        if let Some(fact) = fact(vendor, field, format, bytes)? {
            facts.push((field.is, fact));
        }
    }
    Ok(facts)
}

/// A fact that this field can state; nothing where it states none, or not what it was told.
fn fact(
    vendor: &Vendor,
    field: &Field,
    format: Format,
    bytes: &mut Unstructured<'_>,
) -> Result<Option<Fact>> {
    Ok(Some(match field.is {
        // These are the reply's own, or have no meaning.
        Meaning::Other | Meaning::RequestId | Meaning::Code | Meaning::Message | Meaning::Status => {
            return Ok(None);
        }
        // These are put in order on the way; `Tags` and `Config` are compared by themselves.
        Meaning::Tags | Meaning::Config => return Ok(None),
        Meaning::Automatic => Fact::Flag(bytes.arbitrary()?),
        Meaning::State | Meaning::TaskState => {
            if field.states.is_empty() {
                return Ok(None);
            }
            let at = bytes.choose_index(field.states.len())?;
            Fact::State(field.states[at])
        }
        Meaning::Interval => Fact::Count(interval(vendor, field, bytes)?),
        Meaning::Stages if field.kind == Type::Text && field.item.is_none() => {
            let stage = word(format, bytes)?.replace(' ', "_");
            Fact::Stages(if stage.is_empty() { vec![] } else { vec![stage.into()] })
        }
        Meaning::Stages => Fact::Stages(words(format, bytes)?),
        Meaning::Versions => Fact::Versions(versions(vendor, field, format, bytes)?),
        Meaning::Secrets => Fact::Names(words(format, bytes)?),
        Meaning::Kind | Meaning::Task | Meaning::Value => Fact::Text(word(format, bytes)?.into()),
        _ => match field.kind {
            Type::Text | Type::Json => Fact::Text(word(format, bytes)?.into()),
            Type::Integer => Fact::Count(bytes.arbitrary()?),
            Type::Boolean => Fact::Flag(bytes.arbitrary()?),
            Type::Time => Fact::Time(bytes.int_in_range(1..=LAST)?),
            Type::List | Type::Map => return Ok(None),
        },
    }))
}

/// A length of time that reads back as it was: whole numbers of the unit it is written in.
fn interval(vendor: &Vendor, field: &Field, bytes: &mut Unstructured<'_>) -> Result<i64> {
    let interval = &vendor.spec.interval;
    if let (Some(unit), Type::Integer) = (field.unit, field.kind) {
        return Ok(bytes.int_in_range(1..=i64::MAX / unit.seconds())? * unit.seconds());
    }
    let smallest = interval.units.iter().copied().min_by_key(|unit| unit.seconds());
    let each = interval.canonical.or(smallest).map_or(1, |unit| unit.seconds());
    Ok(bytes.int_in_range(interval.min.0 / each + 1..=interval.max.0 / each)? * each)
}

/// A text that the format can say.
///
/// # Errors
/// Where the bytes do not suffice.
pub fn word(format: Format, bytes: &mut Unstructured<'_>) -> Result<String> {
    let text: String = bytes.arbitrary()?;
    // XML cannot say every character, however it is escaped.
    let sayable = |letter: &char| match format {
        Format::Json => true,
        Format::Xml => {
            matches!(*letter, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
        }
    };
    Ok(text.chars().filter(sayable).collect())
}

fn words(format: Format, bytes: &mut Unstructured<'_>) -> Result<Vec<Text>> {
    let count = bytes.int_in_range(0..=3_u8)?;
    (0..count).map(|_| Ok(Text::from(word(format, bytes)?))).collect()
}

fn versions(
    vendor: &Vendor,
    field: &Field,
    format: Format,
    bytes: &mut Unstructured<'_>,
) -> Result<Vec<VersionFact>> {
    let plain = field.kind != Type::Map && field.of.is_empty() && field.item.is_none();
    let shows = |is| field.of.values().any(|field| field.is == is);
    let staged = field.kind == Type::Map || shows(Meaning::Stages);
    let one_stage =
        field.of.values().any(|it| it.is == Meaning::Stages && it.kind == Type::Text && it.item.is_none());
    let mut made: Vec<VersionFact> = Vec::new();
    for _ in 0..bytes.int_in_range(0..=3_u8)? {
        let id: Text = word(format, bytes)?.into();
        let mut stages = words(format, bytes)?;
        if one_stage {
            stages.truncate(1);
            stages.iter_mut().for_each(|stage| *stage = stage.replace(' ', "_").into());
            stages.retain(|stage| !stage.is_empty());
        }
        let created = bytes.int_in_range(1..=LAST)?;
        let taken = made.iter().any(|version| version.id == id);
        // The word for the current version is no version, and a map has each key once.
        if taken || plain && vendor.law.alias.as_ref() == Some(&id) {
            continue;
        }
        made.push(VersionFact {
            id,
            stages: staged.then_some(stages),
            created: shows(Meaning::Created).then_some(created),
        });
    }
    Ok(made)
}

/// What a fact comes out as of a field; nothing where it does not come out.
fn arrival(field: &Field, fact: &Fact) -> Option<Fact> {
    let number = |number: i64| match field.kind {
        Type::Text | Type::Json => Fact::Text(number.to_string().into()),
        _ => Fact::Count(number),
    };
    Some(match (field.is, fact) {
        (Meaning::Value, Fact::Text(text)) => Fact::Value(digest(text)),
        (Meaning::Interval, Fact::Count(_)) => fact.clone(),
        (_, Fact::Count(count)) => number(*count),
        (Meaning::Automatic, Fact::Flag(_)) => fact.clone(),
        (_, Fact::Flag(_)) if field.kind != Type::Boolean => return None,
        (_, Fact::Time(at)) if field.form == TimeForm::Local => Fact::Around(*at),
        (_, Fact::Time(_)) if field.kind != Type::Time => return None,
        (_, Fact::Text(_)) if field.kind != Type::Text && field.kind != Type::Json => return None,
        _ => fact.clone(),
    })
}

/// Holds the facts that were read against those that were written.
pub fn compare(operation: &Operation, written: &[(Meaning, Fact)], read: &[(Meaning, Fact)]) {
    for (is, fact) in written {
        let fields: Vec<&Field> = operation.reply.values().filter(|field| field.is == *is).collect();
        // Several fields of one meaning may be of several types; then only the first is certain.
        let alike = fields
            .iter()
            .all(|it| it.kind == fields[0].kind && it.form == fields[0].form && it.unit == fields[0].unit);
        let Some(wanted) = arrival(fields[0], fact) else { continue };
        let came: Vec<&Fact> =
            read.iter().filter(|(meaning, _)| meaning == is).map(|(_, fact)| fact).collect();
        if alike {
            assert_eq!(came, vec![&wanted; fields.len()], "{is:?}");
        } else {
            assert_eq!(came.first(), Some(&&wanted), "{is:?}");
        }
    }
}
