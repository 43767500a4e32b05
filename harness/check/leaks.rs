//! Judges secrecy: no reply shows a value or a key that it is not documented to show.

use super::judge::Ruling;
use crate::history::{History, canary};
use crate::model::{Condition, Meaning, Role};
use crate::spec::Vendor;
use crate::wire::percent;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use foldhash::{HashMap, HashMapExt};

/// Bytes that every text has at least that is looked for.
const LEAST: usize = 16;

/// Values and keys in replies that are not documented to show them.
pub(super) fn judge_leaks(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    let canaries = canaries(vendor, history);
    let mut haystack: Vec<u8> = Vec::new();
    for (at, exchange) in history.calls() {
        let Ok((response, reply)) = &exchange.result else { continue };
        let role = vendor.spec.operations.get(&exchange.call.operation).map(|operation| operation.role);
        let may_show = reply.done() && matches!(role, Some(Role::Read | Role::Password));
        haystack.clear();
        for (name, value) in response.headers.iter() {
            haystack.extend_from_slice(name.as_bytes());
            haystack.extend_from_slice(value);
        }
        if !may_show {
            haystack.extend_from_slice(&response.body);
        }
        // A mismatch is documented to tell what was signed, and in some schemes every parameter is.
        let own = match reply
            .code()
            .is_some_and(|code| vendor.spec.answers(Condition::Mismatch, "").0.iter().any(|c| c == code))
        {
            true => exchange.call.params.iter().map(|param| param.value.as_bytes()).collect(),
            false => Vec::new(),
        };
        let known_to_caller = |canary: &[u8]| {
            own.iter().any(|value| {
                contains(value, canary)
                    || contains(&percent::encode(&String::from_utf8_lossy(value)).into_bytes(), canary)
            })
        };
        let shown = canaries.within(&haystack).any(|canary| !known_to_caller(canary));
        let told = || "the caller's secret key".to_owned();
        ruling.expect("LEAK-2", !exchange.key_shown, &[at], || "no credential of the caller".into(), told);
        ruling.expect(
            "LEAK-1",
            !shown,
            &[at],
            || "no secret value".into(),
            || "a secret value that was stored or read".into(),
        );
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && memchr::memmem::find(haystack, needle).is_some()
}

/// Texts that must not show: values given and read, their secret parts, and their usual encodings.
fn canaries(vendor: &Vendor, history: &History) -> Needles {
    let mut texts: Vec<String> = Vec::new();
    for (_, exchange) in history.calls() {
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { continue };
        let given = operation.parameter(Meaning::Value).and_then(|(name, _)| exchange.call.get(name));
        // Only values that the harness made can be told from everything else in a reply.
        texts.extend(given.and_then(canary).map(str::to_owned));
        let shown = exchange.reply().and_then(|reply| reply.value(operation));
        texts.extend(shown.map(str::to_owned));
    }
    let mut parts: Vec<String> = Vec::new();
    for text in texts {
        if let Some(canary) = canary(&text) {
            parts.push(canary.to_owned());
            continue;
        }
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
                secret_parts(&value, &mut parts)
            }
            _ => parts.push(text),
        }
    }
    parts.retain(|part| part.len() >= LEAST);
    parts.sort();
    parts.dedup();
    let encoded = |part: &String| {
        let mut all = vec![part.clone(), STANDARD.encode(part)];
        // What has no odd characters is the same in a query and in JSON.
        if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            all.push(percent::encode(part));
            all.push(serde_json::Value::from(part.as_str()).to_string().trim_matches('"').to_owned());
        }
        all
    };
    Needles::new(parts.iter().flat_map(encoded).map(String::into_bytes))
}

/// Many texts that are looked for at once, by their first bytes: how long that takes does not depend on
/// how many there are.
struct Needles {
    by_head: HashMap<[u8; LEAST], Vec<Vec<u8>>>,
    /// Marks of all heads: where there is none, no head needs to be looked up.
    marks: Vec<bool>,
}

impl Needles {
    fn new(needles: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut by_head: HashMap<[u8; LEAST], Vec<Vec<u8>>> = HashMap::new();
        for needle in needles {
            // No encoding makes a text shorter.
            let Some(head) = needle.first_chunk() else { continue };
            let alike = by_head.entry(*head).or_default();
            if !alike.contains(&needle) {
                alike.push(needle);
            }
        }
        let mut marks = vec![false; (16 * by_head.len()).next_power_of_two()];
        for head in by_head.keys() {
            let at = Self::mark(head, marks.len());
            marks[at] = true;
        }
        Self { by_head, marks }
    }

    fn mark(head: &[u8; LEAST], among: usize) -> usize {
        let (low, high) = head.split_at(LEAST / 2);
        let half = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let hash = (half(low) ^ half(high).rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash >> 32) as usize & (among - 1)
    }

    /// Those that stand in a text.
    fn within<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let heads = text.windows(LEAST).enumerate();
        let heads = heads.filter_map(|(at, window)| Some((at, window.first_chunk::<LEAST>()?)));
        let marked = heads.filter(|(_, head)| self.marks[Self::mark(head, self.marks.len())]);
        let alike = marked.filter_map(|(at, head)| Some((at, self.by_head.get(head)?)));
        alike.flat_map(move |(at, needles)| {
            let stands =
                move |needle: &&Vec<u8>| text[at..].starts_with(needle) && !goes_on(text, at, needle);
            needles.iter().filter(stands).map(Vec::as_slice)
        })
    }
}

/// Whether what stands here is one byte again and again, and a part of more of the same: it tells nothing.
fn goes_on(text: &[u8], at: usize, needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return false };
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let around = [before, text.get(at + needle.len())];
    around.contains(&Some(first)) && needle.iter().all(|byte| byte == first)
}

/// The long texts within a JSON value: account names and the like are shorter, or known to all.
fn secret_parts(value: &serde_json::Value, parts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if text.parse::<jiff::Timestamp>().is_err() => {
            parts.push(text.clone())
        }
        serde_json::Value::Array(list) => list.iter().for_each(|entry| secret_parts(entry, parts)),
        serde_json::Value::Object(map) => map.values().for_each(|entry| secret_parts(entry, parts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_found_wherever_they_stand() {
        let texts = ["canary-0123456789", "canary-0123456789-longer", "something quite else"];
        let needles = Needles::new(texts.iter().map(|text| text.as_bytes().to_vec()));
        let found = |text: &str| needles.within(text.as_bytes()).count();
        assert_eq!(found("canary-0123456789"), 1);
        assert_eq!(found("<<canary-0123456789-longer>>"), 2);
        let dull = Needles::new(std::iter::once(vec![b'x'; 20]));
        let found_dull = |count: usize| dull.within(&vec![b'x'; count]).count();
        assert_eq!((found_dull(19), found_dull(20), found_dull(21), found_dull(90)), (0, 1, 0, 0));
        assert_eq!(found("canary-012345678"), 0);
        assert_eq!(found("something quite ELSE and something quite else"), 1);
        assert_eq!(found(""), 0);
        assert_eq!(Needles::new(std::iter::empty()).within(b"something quite else").count(), 0);
    }
}
