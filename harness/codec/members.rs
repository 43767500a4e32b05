//! Parameters as members of a JSON object, both directions; flattened where they travel as pairs.
//!
//! A name with dots is a path: `RotationRules.Duration` is the member `Duration` of the member
//! `RotationRules`. Members that come twice are kept, because what they mean is a question of its own.

use super::{Param, Place};
use crate::spec::{Operation, Type};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// JSON in which members may come twice.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Object(Vec<(String, Node)>),
    /// Anything else, and whatever it holds.
    Leaf(Value),
    /// A token that is written as it stands.
    Raw(String),
}

fn type_of(operation: Option<&Operation>, name: &str) -> Type {
    operation.and_then(|it| it.parameters.get(name)).map_or(Type::Text, |parameter| parameter.kind)
}

/// The JSON value that a text travels as: of its documented type, if it can be read so.
fn value_of(kind: Type, text: &str) -> Value {
    let parsed = match kind {
        Type::Integer => text.parse::<i64>().ok().filter(|it| it.to_string() == text).map(Value::from),
        Type::Boolean => match text {
            "true" => Some(Value::from(true)),
            "false" => Some(Value::from(false)),
            _ => None,
        },
        Type::List | Type::Map => serde_json::from_str(text).ok(),
        Type::Text | Type::Time | Type::Json => None,
    };
    parsed.unwrap_or_else(|| Value::from(text))
}

/// Writes parameters as a JSON object.
pub(super) fn write<'p>(
    operation: Option<&Operation>,
    params: impl IntoIterator<Item = &'p Param>,
) -> String {
    let mut root: Vec<(String, Node)> = Vec::new();
    for param in params {
        let node = match param.place {
            Place::Raw => Node::Raw(param.value.clone()),
            _ => Node::Leaf(value_of(type_of(operation, &param.name), &param.value)),
        };
        insert(&mut root, &param.name, node);
    }
    let mut out = String::with_capacity(256);
    print(&Node::Object(root), &mut out);
    out
}

fn insert(object: &mut Vec<(String, Node)>, path: &str, node: Node) {
    let Some((head, rest)) = path.split_once('.') else {
        return object.push((path.to_owned(), node));
    };
    let inner = object.iter_mut().find_map(|(name, node)| match node {
        Node::Object(inner) if name == head => Some(inner),
        _ => None,
    });
    match inner {
        Some(inner) => insert(inner, rest, node),
        None => {
            let mut inner = Vec::new();
            insert(&mut inner, rest, node);
            object.push((head.to_owned(), Node::Object(inner)));
        }
    }
}

fn print(node: &Node, out: &mut String) {
    match node {
        Node::Leaf(Value::String(text)) => quote(text, out),
        Node::Leaf(value) => out.push_str(&value.to_string()),
        Node::Raw(token) => out.push_str(token),
        Node::Object(members) => {
            out.push('{');
            for (at, (name, node)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                print(node, out);
            }
            out.push('}');
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

/// Parameters by name, as texts, and the names of those whose JSON type is not the documented one.
pub(super) type Read = (Vec<(String, String)>, Vec<String>);

/// Reads the parameters of a JSON object; nothing if there is no such object.
pub(super) fn read(operation: &Operation, body: &[u8]) -> Option<Read> {
    let Ok(Node::Object(members)) = serde_json::from_slice(body) else { return None };
    let mut read = (Vec::new(), Vec::new());
    gather(operation, "", members, &mut read);
    Some(read)
}

fn gather(operation: &Operation, prefix: &str, members: Vec<(String, Node)>, read: &mut Read) {
    for (name, node) in members {
        let path = if prefix.is_empty() { name } else { format!("{prefix}{name}") };
        let within = |name: &String| name.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        let nested = operation.parameters.keys().any(within);
        match node {
            Node::Object(members) if nested => gather(operation, &format!("{path}."), members, read),
            node => {
                let value = plain(node);
                if value.is_null() {
                    continue;
                }
                if operation.parameters.get(&path).is_some_and(|it| !fits(it.kind, &value)) || nested {
                    read.1.push(path.clone());
                }
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                read.0.push((path, text));
            }
        }
    }
}

/// Whether a JSON value has the documented type.
pub(super) fn fits(kind: Type, value: &Value) -> bool {
    match kind {
        Type::Text | Type::Time | Type::Json => value.is_string(),
        Type::Integer => value.is_i64() || value.is_u64(),
        Type::Boolean => value.is_boolean(),
        Type::List => value.is_array(),
        Type::Map => value.is_object(),
    }
}

fn plain(node: Node) -> Value {
    match node {
        Node::Leaf(value) => value,
        Node::Raw(token) => Value::from(token),
        Node::Object(members) => {
            Value::Object(members.into_iter().map(|(name, node)| (name, plain(node))).collect())
        }
    }
}

/// A parameter as pairs: entries of lists and maps get names of their own, `Tags.0.TagKey`.
pub(super) fn flattened(operation: Option<&Operation>, param: &Param) -> Vec<(String, String)> {
    let kind = type_of(operation, &param.name);
    let parsed = match kind {
        Type::List | Type::Map => serde_json::from_str::<Value>(&param.value).ok(),
        _ => None,
    };
    let mut pairs = Vec::new();
    match parsed {
        Some(value) => flatten(&param.name, &value, &mut pairs),
        None => pairs.push((param.name.clone(), param.value.clone())),
    }
    pairs
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, entry)| flatten(&format!("{name}.{at}"), entry, pairs));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, entry)| flatten(&format!("{name}.{key}"), entry, pairs));
        }
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        other => pairs.push((name.to_owned(), other.to_string())),
    }
}

/// Pairs as parameters: entries of lists and maps are gathered again.
pub(super) fn unflattened(operation: &Operation, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut gathered: Vec<(String, Value)> = Vec::new();
    for (name, value) in pairs {
        let head = name.split('.').next().unwrap_or_default();
        let within = operation.parameters.get(head).map(|it| it.kind);
        match (within, name.split_once('.')) {
            (Some(kind @ (Type::List | Type::Map)), Some((head, rest))) => {
                let at = gathered.iter().position(|(known, _)| known == head).unwrap_or_else(|| {
                    let empty = if kind == Type::List {
                        Value::Array(vec![])
                    } else {
                        Value::Object(Default::default())
                    };
                    gathered.push((head.to_owned(), empty));
                    gathered.len() - 1
                });
                place(&mut gathered[at].1, rest, value);
            }
            _ => params.push((name, value)),
        }
    }
    params.extend(gathered.into_iter().map(|(name, value)| (name, value.to_string())));
    params
}

fn place(into: &mut Value, path: &str, text: String) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let next = |rest: &str| match rest.split('.').next().is_some_and(|it| it.parse::<usize>().is_ok()) {
        true => Value::Array(vec![]),
        false => Value::Object(Default::default()),
    };
    let slot = match (into, head.parse::<usize>()) {
        (Value::Array(list), Ok(at)) if at <= list.len() && at < 1_000 => {
            if at == list.len() {
                list.push(Value::Null);
            }
            &mut list[at]
        }
        (Value::Object(map), _) => map.entry(head).or_insert(Value::Null),
        _ => return,
    };
    match rest {
        None => *slot = Value::from(text),
        Some(rest) => {
            if slot.is_null() {
                *slot = next(rest);
            }
            place(slot, rest, text);
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Nodes;
        impl<'de> Visitor<'de> for Nodes {
            type Value = Node;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, Node>()? {
                    members.push(member);
                }
                Ok(Node::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(entry) = seq.next_element::<Value>()? {
                    list.push(entry);
                }
                Ok(Node::Leaf(Value::Array(list)))
            }

            fn visit_bool<E>(self, it: bool) -> Result<Node, E> {
                Ok(Node::Leaf(it.into()))
            }

            fn visit_i64<E>(self, it: i64) -> Result<Node, E> {
                Ok(Node::Leaf(it.into()))
            }

            fn visit_u64<E>(self, it: u64) -> Result<Node, E> {
                Ok(Node::Leaf(it.into()))
            }

            fn visit_f64<E>(self, it: f64) -> Result<Node, E> {
                Ok(Node::Leaf(it.into()))
            }

            fn visit_str<E>(self, it: &str) -> Result<Node, E> {
                Ok(Node::Leaf(it.into()))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf(Value::Null))
            }
        }
        from.deserialize_any(Nodes)
    }
}

/// The member at a path of names and indices.
pub fn member<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let (Value::Object(map), false) = (value, path.contains('.')) {
        return map.get(path);
    }
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// Puts a value at a path of names and indices.
pub(super) fn put(into: &mut Value, path: &str, value: Value) {
    if let (Value::Object(map), false) = (&mut *into, path.contains('.')) {
        map.insert(path.to_owned(), value);
        return;
    }
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    if into.is_null() {
        *into = if head.parse::<usize>().is_ok() {
            Value::Array(vec![])
        } else {
            Value::Object(Default::default())
        };
    }
    let slot = match (into, head.parse::<usize>()) {
        (Value::Array(list), Ok(at)) => {
            while list.len() <= at.min(64) {
                list.push(Value::Null);
            }
            &mut list[at.min(64)]
        }
        (Value::Object(map), _) => map.entry(head).or_insert(Value::Null),
        _ => return,
    };
    match rest {
        None => *slot = value,
        Some(rest) => put(slot, rest, value),
    }
}
