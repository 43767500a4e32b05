//! Percent-encoding as signatures need it (RFC 3986: only `A-Z a-z 0-9 - _ . ~` stay as they are),
//! and the decoding of queries and form bodies.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes every byte outside the unreserved set as `%XX`, upper-case hex.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    encode_into(text, &mut out);
    out
}

/// As [`encode`], appended to `out`.
pub fn encode_into(text: &str, out: &mut String) {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if text.bytes().all(stays) {
        return out.push_str(text);
    }
    out.extend(utf8_percent_encode(text, RESERVED));
}

/// Decodes `%XX`; a `+` stays a plus. Bytes that are not UTF-8 become U+FFFD.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pairs of a query or of a form body, decoded, in the order they came, duplicates included.
///
/// A `+` is a space, as in `application/x-www-form-urlencoded`. A pair without `=` has an empty value.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    each_pair(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// As [`pairs`], one after another, and without a copy of what stands there as it is.
pub fn each_pair(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    })
}

fn plain(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        true => decode(&text.replace('+', " ")).into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_unreserved_stay() {
        assert_eq!(encode("a b*c~d+e/f=g@h凭'(!)\""), "a%20b%2Ac~d%2Be%2Ff%3Dg%40h%E5%87%AD%27%28%21%29%22");
    }

    #[test]
    fn pairs_keep_order_and_duplicates() {
        assert_eq!(
            pairs("b=1&a=x+y%2B&b=&c"),
            [("b", "1"), ("a", "x y+"), ("b", ""), ("c", "")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
    }
}
