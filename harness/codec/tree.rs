//! JSON as it travels: members keep their order, and may come twice. What is decoded and read once needs no
//! map for each object.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::borrow::Cow;

/// Entries of a list that a path may name.
const ENTRIES: usize = 1_000;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Tree<'a> {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Tree<'a>>),
    /// Members by name, in the order in which they travel.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
    /// A token that is written as it stands.
    Token(Cow<'a, str>),
}

impl<'a> Tree<'a> {
    /// The member of an object; the last of those that have this name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().rev().find(|(known, _)| known == name).map(|(_, it)| it),
            _ => None,
        }
    }

    /// The member at a path of names and indices.
    pub fn member(&self, path: &str) -> Option<&Self> {
        if !path.contains('.') {
            return self.get(path);
        }
        path.split('.').try_fold(self, |tree, part| match tree {
            Self::List(list) => list.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    }

    /// Puts a value at a path of names and indices; makes what is missing on the way, and replaces what is there.
    pub fn put(&mut self, path: impl Into<Cow<'a, str>>, value: Self) {
        let path = path.into();
        match path {
            Cow::Borrowed(path) => match path.split_once('.') {
                Some((head, rest)) => self.slot(Cow::Borrowed(head)).map(|slot| slot.put(rest, value)),
                None => self.slot(Cow::Borrowed(path)).map(|slot| *slot = value),
            },
            Cow::Owned(path) => match path.split_once('.') {
                Some((head, rest)) => {
                    let slot = self.slot(Cow::Owned(head.to_owned()));
                    slot.map(|slot| slot.put(rest.to_owned(), value))
                }
                None => self.slot(Cow::Owned(path)).map(|slot| *slot = value),
            },
        };
    }

    /// Where a member or an entry is, or will be: nothing becomes a list or an object.
    fn slot(&mut self, name: Cow<'a, str>) -> Option<&mut Self> {
        let index = name.parse::<usize>().ok();
        if *self == Self::Null {
            *self = if index.is_some() { Self::List(Vec::new()) } else { Self::Object(Vec::new()) };
        }
        match (self, index) {
            (Self::List(list), Some(at)) if at <= list.len() && at < ENTRIES => {
                if at == list.len() {
                    list.push(Self::Null);
                }
                list.get_mut(at)
            }
            (Self::Object(members), _) => {
                let at = members.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                    members.push((name, Self::Null));
                    members.len() - 1
                });
                members.get_mut(at).map(|(_, it)| it)
            }
            _ => None,
        }
    }

    /// The text of a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// True or false.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The entries of a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Whether there is nothing.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A text, whatever it is: texts as they are, anything else as JSON.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text.into_owned(),
            other => other.to_string(),
        }
    }

    /// The same, of texts of its own.
    pub fn into_owned(self) -> Tree<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Tree::Null,
            Self::Flag(flag) => Tree::Flag(flag),
            Self::Number(number) => Tree::Number(number),
            Self::Text(text) => Tree::Text(own(text)),
            Self::Token(token) => Tree::Token(own(token)),
            Self::List(list) => Tree::List(list.into_iter().map(Self::into_owned).collect()),
            Self::Object(members) => {
                let members = members.into_iter().map(|(name, tree)| (own(name), tree.into_owned()));
                Tree::Object(members.collect())
            }
        }
    }

    /// Takes out members that are null: they stand for what is not there.
    pub(super) fn without_nulls(&mut self) {
        match self {
            Self::Object(members) => {
                members.retain(|(_, tree)| !tree.is_null());
                members.iter_mut().for_each(|(_, tree)| tree.without_nulls());
            }
            Self::List(list) => list.iter_mut().for_each(Self::without_nulls),
            _ => {}
        }
    }

    /// Appends it as JSON.
    pub(super) fn print(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => quote(text, out),
            Self::Token(token) => out.push_str(token),
            Self::List(list) => {
                out.push('[');
                for (at, entry) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    entry.print(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, tree)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(name, out);
                    out.push(':');
                    tree.print(out);
                }
                out.push('}');
            }
        }
    }
}

/// A text as a JSON token: mostly there is nothing in it to be escaped.
fn quote(text: &str, out: &mut String) {
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..b' ' | 0x7F)) {
        return out.push_str(&Value::from(text).to_string());
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
}

impl std::fmt::Display for Tree<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.print(&mut text);
        out.write_str(&text)
    }
}

impl From<bool> for Tree<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Tree<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number.into())
    }
}

impl<'a> From<&'a str> for Tree<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Tree<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a Value> for Tree<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::from(text.as_str()),
            Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            Value::Object(map) => {
                let members = map.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.into()));
                Self::Object(members.collect())
            }
        }
    }
}

impl From<&Tree<'_>> for Value {
    fn from(tree: &Tree<'_>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Flag(flag) => Self::Bool(*flag),
            Tree::Number(number) => Self::Number(number.clone()),
            Tree::Text(text) | Tree::Token(text) => Self::from(&**text),
            Tree::List(list) => list.iter().map(Self::from).collect(),
            Tree::Object(members) => {
                members.iter().map(|(name, tree)| (name.to_string(), Self::from(tree))).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree<'static> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Trees;
        impl<'de> Visitor<'de> for Trees {
            type Value = Tree<'static>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((name, tree)) = map.next_entry::<String, Tree<'static>>()? {
                    members.push((Cow::Owned(name), tree));
                }
                Ok(Tree::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    list.push(entry);
                }
                Ok(Tree::List(list))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
                Ok(Tree::Flag(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Tree::Number(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Tree::Number(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Number::from_f64(number).map_or(Tree::Null, Tree::Number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Tree::from(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Tree::from(text))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Tree::Null)
            }
        }
        from.deserialize_any(Trees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_in_order_and_twice() {
        let text = r#"{"b":1,"a":{"c":[null,true,-2.5,"x\"y\u0007"]},"b":"é"}"#;
        let tree: Tree<'static> = serde_json::from_str(text).unwrap();
        assert_eq!(tree.to_string(), text);
        assert_eq!(tree.get("b").and_then(Tree::as_str), Some("é"), "the last one counts");
        assert_eq!(tree.member("a.c.1"), Some(&Tree::Flag(true)));
        assert_eq!(tree.member("a.c.9"), None);
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::from(&tree), value);
        assert_eq!(Tree::from(&value).to_string(), value.to_string());
    }

    #[test]
    fn a_path_makes_its_way() {
        let mut tree = Tree::default();
        tree.put("a.b", Tree::from(1));
        tree.put("a.c".to_owned(), Tree::from(2));
        tree.put("a.b", Tree::from("x"));
        tree.put("d.0.e", Tree::from(true));
        tree.put("d.1.e", Tree::from(false));
        tree.put("d.7.e", Tree::from(false));
        tree.put("a.b.c", Tree::from(3));
        assert_eq!(tree.to_string(), r#"{"a":{"b":"x","c":2},"d":[{"e":true},{"e":false}]}"#);
    }
}
