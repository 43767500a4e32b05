//! A quick look at a reply, made from its JSON Schema: it says for certain that the reply fits, or
//! nothing. Nearly every reply fits, and a validator takes many times longer to say so.

use super::tree::Tree;
use regex::Regex;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What fits for certain.
#[derive(Debug)]
pub(super) enum Shape {
    /// An object with these members and maybe others: name, whether it must be there, its own shape.
    Object(Vec<(String, bool, Shape)>),
    List(Box<Shape>),
    /// One of these texts, or any text where there are none.
    Text(Vec<String>),
    /// A text with these digits and signs: `0` stands for any digit.
    Digits(&'static [u8]),
    /// A text of printable ASCII that matches: of such texts all kinds of regular expressions say the same.
    Matching(Regex),
    Integer,
    Boolean,
    /// A number, or null.
    Number,
    Anything,
    /// Nobody can tell but a validator.
    Unclear,
}

impl Shape {
    /// The shape that a schema describes, as far as it does so in plain words.
    pub(super) fn of(schema: &Value) -> Self {
        let Some(schema) = schema.as_object() else { return Self::Unclear };
        let only = |known: &[&str]| schema.keys().all(|key| known.contains(&key.as_str()));
        match &schema.get("type") {
            None if schema.is_empty() => Self::Anything,
            Some(Value::String(kind)) => match kind.as_str() {
                "object" if only(&["type", "properties", "required"]) => Self::object(schema),
                "array" if only(&["type", "items"]) => {
                    Self::List(Box::new(schema.get("items").map_or(Self::Anything, Self::of)))
                }
                "string" if only(&["type", "enum"]) => Self::text(schema),
                "string" if only(&["type", "pattern"]) => Self::pattern(schema),
                "integer" if only(&["type"]) => Self::Integer,
                "boolean" if only(&["type"]) => Self::Boolean,
                _ => Self::Unclear,
            },
            Some(kinds) if only(&["type"]) && **kinds == serde_json::json!(["number", "null"]) => {
                Self::Number
            }
            _ => Self::Unclear,
        }
    }

    fn object(schema: &Map<String, Value>) -> Self {
        let named = |key| schema.get(key).and_then(Value::as_object).into_iter().flatten();
        let needed = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let members: Vec<(String, bool, Self)> = named("properties")
            .map(|(name, inner)| (name.clone(), needed.contains(&name.as_str().into()), Self::of(inner)))
            .collect();
        let described = members.iter().filter(|(_, needed, _)| *needed).count();
        if described == needed.len() { Self::Object(members) } else { Self::Unclear }
    }

    fn text(schema: &Map<String, Value>) -> Self {
        let values = schema.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().map_or(Self::Unclear, Self::Text)
    }

    fn pattern(schema: &Map<String, Value>) -> Self {
        match schema.get("pattern").and_then(Value::as_str) {
            Some(super::schema::ISO) => Self::Digits(b"0000-00-00T00:00:00Z"),
            Some(super::schema::LOCAL) => Self::Digits(b"0000-00-00 00:00:00"),
            Some(pattern) => Regex::new(pattern).map_or(Self::Unclear, Self::Matching),
            None => Self::Unclear,
        }
    }

    /// Whether a value fits for certain.
    pub(super) fn fits(&self, tree: &Tree<'_>) -> bool {
        match (self, tree) {
            (Self::Anything, _)
            | (Self::Boolean, Tree::Flag(_))
            | (Self::Number, Tree::Number(_) | Tree::Null) => true,
            (Self::Object(members), Tree::Object(given)) => has(members, given),
            (Self::List(entry), Tree::List(list)) => list.iter().all(|tree| entry.fits(tree)),
            (Self::Text(among), Tree::Text(text)) => among.is_empty() || among.iter().any(|it| it == text),
            (Self::Digits(form), Tree::Text(text)) => {
                let same = |(byte, form): (u8, &u8)| match form {
                    b'0' => byte.is_ascii_digit(),
                    sign => byte == *sign,
                };
                text.len() == form.len() && text.bytes().zip(*form).all(same)
            }
            (Self::Matching(regex), Tree::Text(text)) => {
                text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && regex.is_match(text)
            }
            (Self::Integer, Tree::Number(number)) => number.is_i64() || number.is_u64(),
            _ => false,
        }
    }
}

/// Members mostly come in the order in which they are described: each is looked for after the one before.
fn has(members: &[(String, bool, Shape)], given: &[(Cow<'_, str>, Tree<'_>)]) -> bool {
    let mut missing = members.iter().filter(|(_, needed, _)| *needed).count();
    let (mut next, mut seen) = (0, 0_u128);
    for (name, tree) in given {
        let (before, after) = members.split_at(next.min(members.len()));
        let place = after.iter().chain(before).position(|(known, _, _)| known == name);
        let Some(place) = place.map(|place| (place + before.len()) % members.len()) else { continue };
        let (_, needed, shape) = &members[place];
        // Of members that come twice, or too many to be told apart here, a validator has to say.
        let Some(bit) = 1_u128.checked_shl(u32::try_from(place).unwrap_or(u32::MAX)) else { return false };
        if seen & bit != 0 || !shape.fits(tree) {
            return false;
        }
        seen |= bit;
        missing -= usize::from(*needed);
        next = place + 1;
    }
    missing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_comes_twice_is_left_to_a_validator() {
        let schema = super::super::schema_of(
            &crate::spec::embedded("alibaba").unwrap().spec.operations["RotateSecret"].reply,
        );
        let shape = Shape::of(&schema);
        let twice: Tree<'static> =
            serde_json::from_str(r#"{"RequestId":"a","RequestId":"b","RequestId":"c"}"#).unwrap();
        assert!(!shape.fits(&twice));
    }
}
