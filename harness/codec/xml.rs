//! XML replies as JSON, led by the fields that a reply documents, and back.

use super::tree::Tree;
use crate::spec::{Field, Table, Type};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use std::borrow::Cow;

/// Elements nested deeper than this are no reply of any documented API.
const DEPTH: usize = 16;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: String,
    /// Its text, entities resolved.
    pub(super) text: String,
    /// Elements within.
    pub(super) children: Vec<Element>,
}

/// Parses a document.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the XML is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let event = reader.read_event().map_err(|error| format!("the XML is malformed: {error}"))?;
        match event {
            Event::Start(tag) => {
                if open.len() >= DEPTH {
                    return Err("the XML is nested too deep".into());
                }
                open.push(Element { name: tag.name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(tag) => {
                let element = Element { name: tag.name().as_ref().to_owned(), ..Element::default() };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::End(_) => {
                let Some(element) = open.pop() else {
                    return Err("the XML closes what it did not open".into());
                };
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    push_lines(&mut element.text, &text);
                }
            }
            Event::CData(text) => {
                if let Some(element) = open.last_mut() {
                    push_lines(&mut element.text, &text);
                }
            }
            Event::GeneralRef(entity) => {
                let resolved = match entity.resolve_char_ref() {
                    Ok(Some(character)) => Some(character.to_string()),
                    _ => quick_xml::escape::resolve_predefined_entity(&entity).map(str::to_owned),
                };
                let Some(resolved) = resolved else {
                    return Err("the XML uses an entity that it does not define".into());
                };
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&resolved);
                }
            }
            Event::Eof => return Err("the XML ends before its root element does".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// Appends a text as XML has it: however its lines end, they end with LF (XML 1.0, 2.11).
fn push_lines(out: &mut String, text: &str) {
    match text.contains('\r') {
        true => out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n")),
        false => out.push_str(text),
    }
}

/// The children of an element as a JSON object with the documented types.
pub(super) fn to_json(element: &Element, fields: &Table<String, Field>) -> Tree<'static> {
    let member = |child: &Element| {
        let tree = match fields.get(&child.name) {
            Some(field) => tree_of(child, field),
            None => Tree::from(child.text.clone()),
        };
        (Cow::Owned(child.name.clone()), tree)
    };
    Tree::Object(element.children.iter().map(member).collect())
}

fn tree_of(element: &Element, field: &Field) -> Tree<'static> {
    let text = || Tree::from(element.text.clone());
    if let Some(item) = &field.item {
        let entries = element.children.iter().filter(|child| child.name == *item).map(|child| {
            match field.of.is_empty() {
                true => Tree::from(child.text.clone()),
                false => to_json(child, &field.of),
            }
        });
        return Tree::Object(vec![(Cow::Owned(item.clone()), Tree::List(entries.collect()))]);
    }
    match field.kind {
        Type::Integer => element.text.trim().parse::<i64>().map_or_else(|_| text(), Tree::from),
        Type::Boolean => crate::spec::truth(element.text.trim()).map_or_else(text, Tree::from),
        _ => text(),
    }
}

/// Appends a JSON object as a document: the children of a root element.
pub(super) fn write_document(root: &str, object: &Tree<'_>, out: &mut String) {
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write(out, root, object);
}

fn write(out: &mut String, name: &str, tree: &Tree<'_>) {
    match tree {
        Tree::List(list) => list.iter().for_each(|entry| write(out, name, entry)),
        Tree::Object(members) => {
            out.push_str(&format!("<{name}>"));
            members.iter().for_each(|(name, tree)| write(out, name, tree));
            out.push_str(&format!("</{name}>"));
        }
        Tree::Null => {}
        // A CR that is written as it is would be read as LF.
        Tree::Text(text) => {
            let text = escape(&**text).replace('\r', "&#13;");
            out.push_str(&format!("<{name}>{text}</{name}>"));
        }
        other => out.push_str(&format!("<{name}>{other}</{name}>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_read_as_xml_has_them_and_written_so_that_they_stay() {
        let element = parse(b"<a>1\r\n2\r3&#13;4<![CDATA[\r]]></a>").unwrap();
        assert_eq!(element.text, "1\n2\n3\r4\n");
        let object = serde_json::json!({ "a": "1\r\n2\r" });
        let mut written = String::new();
        write_document("root", &Tree::from(&object), &mut written);
        assert!(!written.contains('\r'), "{written}");
        assert_eq!(parse(written.as_bytes()).unwrap().children[0].text, "1\r\n2\r");
    }
}
