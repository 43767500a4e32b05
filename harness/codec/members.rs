//! Parameters as members of a JSON object, both directions; flattened where they travel as pairs.
//!
//! A name with dots is a path: `RotationRules.Duration` is the member `Duration` of the member
//! `RotationRules`. Members that come twice are kept, because what they mean is a question of its own.

use super::tree::Tree;
use super::{Param, Place};
use crate::spec::{Operation, Type};
use std::borrow::Cow;

fn type_of(operation: Option<&Operation>, name: &str) -> Type {
    operation.and_then(|it| it.parameters.get(name)).map_or(Type::Text, |parameter| parameter.kind)
}

/// The JSON that a text travels as: of its documented type, if it can be read so.
fn tree_of(kind: Type, text: &str) -> Tree<'_> {
    let parsed = match kind {
        Type::Integer => text.parse::<i64>().ok().filter(|it| it.to_string() == text).map(Tree::from),
        Type::Boolean => match text {
            "true" => Some(Tree::from(true)),
            "false" => Some(Tree::from(false)),
            _ => None,
        },
        Type::List | Type::Map => serde_json::from_str(text).ok(),
        Type::Text | Type::Time | Type::Json => None,
    };
    parsed.unwrap_or_else(|| Tree::from(text))
}

/// Writes parameters as a JSON object.
pub(super) fn write<'p>(
    operation: Option<&Operation>,
    params: impl IntoIterator<Item = &'p Param>,
) -> String {
    let mut root = Vec::new();
    for param in params {
        let tree = match param.place {
            Place::Raw => Tree::Token(Cow::Borrowed(&param.value)),
            _ => tree_of(type_of(operation, &param.name), &param.value),
        };
        insert(&mut root, &param.name, tree);
    }
    let mut out = String::with_capacity(256);
    Tree::Object(root).print(&mut out);
    out
}

/// Puts a value behind those that are there, even under its own name.
fn insert<'p>(object: &mut Vec<(Cow<'p, str>, Tree<'p>)>, path: &'p str, tree: Tree<'p>) {
    let Some((head, rest)) = path.split_once('.') else {
        return object.push((Cow::Borrowed(path), tree));
    };
    let inner = object.iter_mut().find_map(|(name, tree)| match tree {
        Tree::Object(inner) if name == head => Some(inner),
        _ => None,
    });
    match inner {
        Some(inner) => insert(inner, rest, tree),
        None => {
            let mut inner = Vec::new();
            insert(&mut inner, rest, tree);
            object.push((Cow::Borrowed(head), Tree::Object(inner)));
        }
    }
}

/// Parameters by name, as texts, and the names of those whose JSON type is not the documented one.
pub(super) type Read = (Vec<(String, String)>, Vec<String>);

/// Reads the parameters of a JSON object; nothing if there is no such object.
pub(super) fn read(operation: &Operation, body: &[u8]) -> Option<Read> {
    let Ok(Tree::Object(members)) = serde_json::from_slice(body) else { return None };
    let mut read = (Vec::new(), Vec::new());
    gather(operation, "", members, &mut read);
    Some(read)
}

fn gather(
    operation: &Operation,
    prefix: &str,
    members: Vec<(Cow<'static, str>, Tree<'static>)>,
    read: &mut Read,
) {
    for (name, tree) in members {
        let path = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}{name}") };
        let within = |name: &String| name.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        let nested = operation.parameters.keys().any(within);
        match tree {
            Tree::Object(members) if nested => gather(operation, &format!("{path}."), members, read),
            Tree::Null => {}
            tree => {
                if operation.parameters.get(&path).is_some_and(|it| !fits(it.kind, &tree)) || nested {
                    read.1.push(path.clone());
                }
                read.0.push((path, tree.into_text()));
            }
        }
    }
}

/// Whether a JSON value has the documented type.
pub(super) fn fits(kind: Type, tree: &Tree<'_>) -> bool {
    match (kind, tree) {
        (Type::Text | Type::Time | Type::Json, Tree::Text(_))
        | (Type::Boolean, Tree::Flag(_))
        | (Type::List, Tree::List(_))
        | (Type::Map, Tree::Object(_)) => true,
        (Type::Integer, Tree::Number(number)) => number.is_i64() || number.is_u64(),
        _ => false,
    }
}

/// A parameter as pairs: entries of lists and maps get names of their own, `Tags.0.TagKey`.
pub(super) fn flattened(operation: Option<&Operation>, param: &Param) -> Vec<(String, String)> {
    let parsed = match type_of(operation, &param.name) {
        Type::List | Type::Map => serde_json::from_str(&param.value).ok(),
        _ => None,
    };
    let mut pairs = Vec::new();
    match parsed {
        Some(tree) => flatten(param.name.clone(), tree, &mut pairs),
        None => pairs.push((param.name.clone(), param.value.clone())),
    }
    pairs
}

fn flatten(name: String, tree: Tree<'static>, pairs: &mut Vec<(String, String)>) {
    match tree {
        Tree::List(list) => {
            let entries = list.into_iter().enumerate();
            entries.for_each(|(at, entry)| flatten(format!("{name}.{at}"), entry, pairs));
        }
        Tree::Object(members) => {
            members.into_iter().for_each(|(key, entry)| flatten(format!("{name}.{key}"), entry, pairs));
        }
        other => pairs.push((name, other.into_text())),
    }
}

/// Pairs as parameters: entries of lists and maps are gathered again.
pub(super) fn unflattened(operation: &Operation, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::new();
    let mut gathered: Vec<(String, Tree<'static>)> = Vec::new();
    for (name, value) in pairs {
        let head = name.split('.').next().unwrap_or_default();
        let within = operation.parameters.get(head).map(|it| it.kind);
        match (within, name.split_once('.')) {
            (Some(kind @ (Type::List | Type::Map)), Some((head, rest))) => {
                let at = gathered.iter().position(|(known, _)| known == head).unwrap_or_else(|| {
                    let empty = if kind == Type::List { Tree::List(vec![]) } else { Tree::Object(vec![]) };
                    gathered.push((head.to_owned(), empty));
                    gathered.len() - 1
                });
                gathered[at].1.put(rest.to_owned(), Tree::from(value));
            }
            _ => params.push((name, value)),
        }
    }
    params.extend(gathered.into_iter().map(|(name, tree)| (name, tree.to_string())));
    params
}
