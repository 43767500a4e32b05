//! Texts that are replaced wherever they stand, in whichever usual form: many at once, the longest first.

use crate::wire::percent;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;

/// Texts shorter than this stand in too many words by chance.
pub(super) const LEAST: usize = 8;

/// One text in one form, and what stands for it.
#[derive(Debug)]
struct Needle {
    text: Vec<u8>,
    other: Vec<u8>,
    /// It is digits alone: a part of a longer number is no place of it.
    digits: bool,
}

/// Texts to replace.
#[derive(Debug, Default)]
pub(super) struct Needles {
    /// By the first bytes; the longest of each first.
    by_start: HashMap<[u8; LEAST], Vec<Needle>>,
}

impl Needles {
    /// Replaces a text from now on, in every form.
    pub(super) fn add(&mut self, text: &str, other: &str) {
        for (text, other) in forms(text).into_iter().zip(forms(other)) {
            self.add_form(text.into_bytes(), other.into_bytes());
        }
    }

    /// Replaces a text from now on, where it stands as it is.
    pub(super) fn add_plain(&mut self, text: &str, other: &str) {
        self.add_form(text.to_owned().into_bytes(), other.to_owned().into_bytes());
    }

    fn add_form(&mut self, text: Vec<u8>, other: Vec<u8>) {
        let Some(start) = text.first_chunk::<LEAST>() else { return };
        let alike = self.by_start.entry(*start).or_default();
        if alike.iter().any(|known| known.text == text) {
            return;
        }
        let place = alike.partition_point(|known| known.text.len() > text.len());
        let digits = text.iter().all(u8::is_ascii_digit);
        alike.insert(place, Needle { text, other, digits });
    }

    /// Replaces no text any more that stands in this one, but those for which `kept` stands.
    pub(super) fn forget_in(&mut self, text: &str, kept: &str) {
        let bytes = text.as_bytes();
        for (at, start) in bytes.windows(LEAST).enumerate() {
            let Some(all) = start.first_chunk::<LEAST>().and_then(|start| self.by_start.get_mut(start))
            else {
                continue;
            };
            all.retain(|needle| needle.other == kept.as_bytes() || !needle.stands(bytes, at));
        }
    }

    /// The bytes with every text replaced.
    pub(super) fn replaced(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let rest = &bytes[at..];
            let found = rest.first_chunk::<LEAST>().and_then(|start| self.by_start.get(start));
            let found = found.and_then(|all| all.iter().find(|needle| needle.stands(bytes, at)));
            match found {
                Some(needle) => {
                    out.extend_from_slice(&needle.other);
                    at += needle.text.len();
                }
                None => {
                    out.push(*byte);
                    at += 1;
                }
            }
        }
        out
    }
}

impl Needle {
    fn stands(&self, bytes: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        let digit = |place: Option<usize>| place.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        bytes[at..].starts_with(&self.text)
            && !(self.digits && (digit(at.checked_sub(1)) || digit(Some(end))))
    }
}

/// A text in every form in which it usually travels, always in the same order.
fn forms(text: &str) -> Vec<String> {
    let json = inner(&Value::from(text).to_string());
    let slashed = json.replace('/', "\\/");
    let ascii = escaped(&json, false);
    let upper = escaped(&json, true);
    let xml = quick_xml::escape::escape(text).into_owned();
    let partial = quick_xml::escape::partial_escape(text).into_owned();
    let encoded = percent::encode(text);
    let twice = inner(&Value::from(json.as_str()).to_string());
    vec![
        text.to_owned(),
        twice,
        percent::encode(&json),
        quick_xml::escape::escape(json.as_str()).into_owned(),
        percent::encode(&encoded),
        encoded.to_lowercase(),
        encoded.replace("%20", "+"),
        encoded,
        slashed,
        ascii,
        upper,
        json,
        xml,
        partial,
        STANDARD.encode(text),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        percent::encode(&STANDARD.encode(text)),
        hex::encode(text),
        hex::encode_upper(text),
    ]
}

fn inner(quoted: &str) -> String {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// JSON text with everything beyond ASCII written as `\u` and four digits.
fn escaped(json: &str, upper: bool) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = if upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced_in_every_form_and_the_longest_first() {
        let mut needles = Needles::default();
        needles.add("pass\"wörd", "hid-1234");
        needles.add("pass\"wörd and more", "hid-5678");
        for text in [
            "a pass\"wörd.",
            r#"{"a":"pass\"wörd"}"#,
            r#"{"a":"pass\"w\u00f6rd"}"#,
            r#"{"a":"pass\"w\u00F6rd"}"#,
            r#"{"a":"{\"b\":\"pass\\\"wörd\"}"}"#,
            "a=pass%22w%C3%B6rd&b",
            "a=pass%22w%c3%b6rd&b",
            "a%3Dpass%2522w%25C3%25B6rd",
            "<A>pass&quot;wörd</A>",
            "cGFzcyJ3w7ZyZA==",
            "706173732277c3b67264",
        ] {
            let other = String::from_utf8(needles.replaced(text.as_bytes())).unwrap();
            assert!(other != text && !other.contains("rd"), "{text} {other}");
        }
        assert_eq!(needles.replaced("pass\"wörd and more".as_bytes()), b"hid-5678");
    }

    #[test]
    fn a_part_of_a_number_is_no_number() {
        let mut needles = Needles::default();
        needles.add("12345678", "87654321");
        assert_eq!(needles.replaced(b"12345678 123456780 012345678"), b"87654321 123456780 012345678");
    }
}
