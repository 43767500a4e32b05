//! Strings and numbers in JSON text, found without reading it as a whole: what is malformed or cut short
//! is walked through as far as it goes, and every byte between them stays as it is.

use serde_json::Value;

/// A string or another scalar that is no name of a member.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// The bytes, quotes included.
    pub(super) raw: &'a [u8],
    /// The text of a string; what cannot be decoded is taken as it stands.
    pub(super) text: Option<String>,
    /// Whether a string lacks its closing quote.
    pub(super) open: bool,
}

impl Token<'_> {
    /// Another text in place of this one, written as JSON.
    pub(super) fn with(&self, text: &str) -> Vec<u8> {
        let mut quoted = Value::from(text).to_string();
        if self.open {
            quoted.pop();
        }
        quoted.into_bytes()
    }
}

/// One object or list that is open.
struct Frame {
    /// The name of the member that is being read; in a list the name of the list.
    name: Option<String>,
    is_object: bool,
    /// Whether a name is what a string is now.
    naming: bool,
}

/// What stands in place of a token, if something does: from the names of the members around it, the outermost
/// first, and the token.
pub(super) type Choose<'c> = dyn FnMut(&mut dyn Iterator<Item = &str>, &Token<'_>) -> Option<Vec<u8>> + 'c;

/// Copies JSON text, with each token replaced for which there is something else.
pub(super) fn rewritten(json: &[u8], choose: &mut Choose<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        let end = match byte {
            b'"' => string_end(json, at),
            b'0'..=b'9' | b'-' => scalar_end(json, at),
            _ => at + 1,
        };
        let raw = &json[at..end];
        at = end;
        match byte {
            b'{' | b'[' => {
                let is_object = *byte == b'{';
                frames.push(Frame { name: None, is_object, naming: is_object });
            }
            b'}' | b']' => drop(frames.pop()),
            b',' | b':' => {
                if let Some(frame) = frames.last_mut().filter(|frame| frame.is_object) {
                    frame.naming = *byte == b',';
                }
            }
            b'"' | b'0'..=b'9' | b'-' => {
                let open = *byte == b'"' && !closed(raw);
                let text = (*byte == b'"').then(|| decoded(raw, open));
                let naming = frames.last_mut().filter(|frame| frame.naming && text.is_some());
                if let Some(frame) = naming {
                    frame.name = text;
                    frame.naming = false;
                } else {
                    let mut names = frames.iter().filter_map(|frame| frame.name.as_deref());
                    if let Some(other) = choose(&mut names, &Token { raw, text, open }) {
                        out.extend(other);
                        continue;
                    }
                }
            }
            _ => {}
        }
        out.extend_from_slice(raw);
    }
    out
}

/// The first byte after a string that begins here.
fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

fn scalar_end(json: &[u8], start: usize) -> usize {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    json[start..].iter().position(|byte| !inside(byte)).map_or(json.len(), |length| start + length)
}

fn closed(raw: &[u8]) -> bool {
    string_end(raw, 0) == raw.len() && raw.len() > 1 && raw.ends_with(b"\"") && {
        // A quote after an odd number of backslashes closes nothing.
        let escapes = raw[..raw.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count();
        escapes % 2 == 0
    }
}

fn decoded(raw: &[u8], open: bool) -> String {
    let end = if open { raw.len() } else { raw.len() - 1 };
    let inner = raw.get(1..end).unwrap_or_default();
    let whole = [b"\"", inner, b"\""].concat();
    serde_json::from_slice(&whole).unwrap_or_else(|_| String::from_utf8_lossy(inner).into_owned())
}

/// Whether a text is a JSON object or list.
pub(super) fn is_structure(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object() || value.is_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(json: &str) -> Vec<String> {
        let mut seen = Vec::new();
        let same = rewritten(json.as_bytes(), &mut |names, token| {
            let path: Vec<&str> = names.collect();
            let text = token.text.clone().unwrap_or_else(|| String::from_utf8_lossy(token.raw).into_owned());
            seen.push(format!("{}={text}{}", path.join("."), if token.open { "…" } else { "" }));
            None
        });
        assert_eq!(same, json.as_bytes());
        seen
    }

    #[test]
    fn tokens_have_the_names_around_them() {
        let json = r#"{"a": "x", "b": {"c": [1, "y\"z", {"d": true, "e": -2.5e3}]}, "f": "\u00e9"}"#;
        assert_eq!(seen(json), ["a=x", "b.c=1", "b.c=y\"z", "b.c.e=-2.5e3", "f=é"]);
        assert_eq!(seen("[\"a\",[\"b\"]]"), ["=a", "=b"]);
    }

    #[test]
    fn what_is_cut_or_malformed_is_walked_through() {
        for (json, tokens) in [
            (r#"{"a": "cut of"#, vec!["a=cut of…"]),
            (r#"{"a": "cut of\"#, vec!["a=cut of\\…"]),
            (r#"{"a": "cut of\""#, vec!["a=cut of\"…"]),
            (r#"{"a": ""#, vec!["a=…"]),
            (r##"{"a": ""}"##, vec!["a="]),
            (r#"}]"x"]{"y"#, vec!["=x"]),
            (r#"{"a" "b" 1"#, vec!["a=b", "a=1"]),
            (r#"{"a": "\ud800"}"#, vec!["a=\\ud800"]),
            ("\"", vec!["=…"]),
        ] {
            assert_eq!(seen(json), tokens, "{json}");
        }
    }

    #[test]
    fn tokens_are_replaced_in_their_place() {
        let json = br#"{ "k" : "v" , "k":"cut"#;
        let other = rewritten(json, &mut |_, token| Some(token.with("a\"b")));
        assert_eq!(other, br#"{ "k" : "a\"b" , "k":"a\"b"#);
    }
}
