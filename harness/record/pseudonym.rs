//! What stands for a secret value in a file: equal for equal values, and nothing else can be told from it but
//! its kind.
//!
//! Judges compare values, look for them in replies, and look at a few things in them: those stay. They tell
//! what the harness made ([`CANARY`]), shapes of JSON, the letters that a password may have, lengths near
//! a documented limit, and texts that are too short to be looked for.

use super::tokens::{is_structure, rewritten};
use crate::history::{CANARY, canary};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Texts shorter than this are not looked for in replies, as they could be anything.
const SHORT: usize = 16;
/// Length of what stands for a value that is longer than [`SHORT`] and no longer than this.
const USUAL: usize = CANARY.len() + 32;

/// The key of a file's pseudonyms. It is forgotten when the file is written, so that nobody can tell which value
/// was which, or try values out.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(redacted)")
    }
}

impl Key {
    /// A key that nobody can guess.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// A key that is known, so that the same histories make the same file.
    pub const fn known(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn bytes(&self, use_: &str, text: &str, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length + 32);
        let mut block = 0_u64;
        while out.len() < length {
            // HMAC takes keys of any length; an error cannot happen.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { break };
            for part in [use_.as_bytes(), &[0], &block.to_be_bytes(), text.as_bytes()] {
                mac.update(part);
            }
            out.extend_from_slice(&mac.finalize().into_bytes());
            block += 1;
        }
        out.resize(length, 0);
        out
    }

    fn hex(&self, use_: &str, text: &str, digits: usize) -> String {
        let mut hex = hex::encode(self.bytes(use_, text, digits.div_ceil(2)));
        hex.truncate(digits);
        hex
    }

    /// What stands for a canary.
    pub(super) fn canary(&self, canary: &str) -> String {
        format!("{CANARY}{}", self.hex("canary", canary, 32))
    }

    /// What stands for a value; `salt` makes another one.
    pub(super) fn value(&self, text: &str, salt: u32) -> String {
        let own = if salt == 0 { text.to_owned() } else { format!("{salt}\0{text}") };
        match canary(text) {
            _ if text.is_empty() => String::new(),
            Some(whole) if whole == text => self.canary(whole),
            _ if is_structure(text) => {
                let mut shape = self.structure(text);
                // Spaces after JSON change nothing but the text.
                shape.extend(std::iter::repeat_n(' ', salt as usize));
                shape
            }
            Some(part) => filled(self.canary(part), &self.hex("around", &own, 16), text),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => self.digits(&own, text.len()),
            None if text.len() < SHORT => {
                let control = text.chars().any(char::is_control);
                let hex = self.hex("short", &own, if control { 10 } else { 11 });
                format!("hid-{hex}{}", if control { "\n" } else { "" })
            }
            None => filled(format!("hidden-{}", self.hex("value", &own, 32)), "", text),
        }
    }

    /// Digits stand for digits: a number stays one wherever it is written.
    fn digits(&self, text: &str, length: usize) -> String {
        let digit = |(at, byte): (usize, u8)| match at {
            0 => char::from(b'1' + byte % 9),
            _ => char::from(b'0' + byte % 10),
        };
        self.bytes("digits", text, length).into_iter().enumerate().map(digit).collect()
    }

    /// JSON with other texts and numbers in it; names of members, times and spaces stay.
    pub(super) fn structure(&self, text: &str) -> String {
        let bytes = rewritten(text.as_bytes(), &mut |_, token| match &token.text {
            Some(text) if text.parse::<jiff::Timestamp>().is_ok() => None,
            Some(text) => Some(token.with(&self.value(text, 0))),
            None => {
                let digits = token.raw.iter().filter(|byte| byte.is_ascii_digit()).count().min(9);
                let number = String::from_utf8_lossy(token.raw);
                Some(self.digits(&number, digits.max(1)).into_bytes())
            }
        });
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What stands for bytes that are written in base64; another text is taken as a value.
    pub(super) fn binary(&self, text: &str, salt: u32) -> String {
        match STANDARD.decode(text) {
            Ok(bytes) if !bytes.is_empty() => {
                STANDARD.encode(self.bytes("binary", &format!("{salt}\0{text}"), bytes.len()))
            }
            _ => self.value(text, salt),
        }
    }

    /// What stands for a generated password: each letter by one of the same class, on the same side of what
    /// was to be left out.
    pub(super) fn password(&self, text: &str, excluded: &[String], salt: u32) -> String {
        let sides = |letter: char| excluded.iter().map(move |set| set.contains(letter));
        let stream = self.bytes("password", &format!("{salt}\0{text}"), 2 * text.chars().count());
        let draws = stream.chunks(2).map(|pair| usize::from(pair[0]) << 8 | usize::from(pair[1]));
        text.chars()
            .zip(draws)
            .map(|(letter, draw)| {
                let alike: Vec<char> = (' '..='~')
                    .chain('\u{c0}'..='\u{ff}')
                    .filter(|other| class(*other) == class(letter) && sides(*other).eq(sides(letter)))
                    .collect();
                if alike.is_empty() { letter } else { alike[draw % alike.len()] }
            })
            .collect()
    }
}

/// Classes of letters that a generated password may have or not.
fn class(letter: char) -> u8 {
    match letter {
        'a'..='z' => 0,
        'A'..='Z' => 1,
        '0'..='9' => 2,
        _ if letter.is_ascii_punctuation() => 3,
        ' ' => 4,
        _ => 5,
    }
}

/// A pseudonym with the length of the value, where that is more than usual, and with a control character if the
/// value has one.
fn filled(mut head: String, more: &str, text: &str) -> String {
    head.push_str(more);
    if text.chars().any(char::is_control) {
        head.push('\n');
    }
    let (mut letters, bytes) = (text.chars().count(), text.len());
    if bytes <= USUAL.max(head.len()) || letters <= head.len() {
        return head;
    }
    letters -= head.len();
    let mut over = (bytes - head.len()).saturating_sub(letters);
    head.reserve(bytes);
    for _ in 0..letters {
        let (filler, more) = match over {
            0 => ('x', 0),
            1 => ('é', 1),
            2 => ('凭', 2),
            _ => ('𝄞', 3),
        };
        head.push(filler);
        over -= more;
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::known([7; 32]);

    #[test]
    fn kinds_and_lengths_stay() {
        let canary = format!("{CANARY}0123456789abcdef0123456789abcdef");
        let other = KEY.value(&canary, 0);
        assert!(other.starts_with(CANARY) && other.len() == canary.len() && other != canary);
        let around = KEY.value(&format!("a\"b {canary}!"), 0);
        assert!(around.starts_with(&other), "{around}");
        assert_eq!(KEY.value("", 0), "");
        for text in ["hunter2", "x", "凭凭"] {
            assert_eq!(KEY.value(text, 0).len(), 15, "{text}");
        }
        assert_eq!(KEY.value("correct horse battery", 0).len(), 39);
        for text in ["a".repeat(30_721), "凭".repeat(500), format!("{}é", "a凭".repeat(99))] {
            let other = KEY.value(&text, 0);
            assert_eq!((other.len(), other.chars().count()), (text.len(), text.chars().count()));
        }
        assert!(KEY.value("-----BEGIN KEY-----\nabc", 0).ends_with('\n'));
        let digits = KEY.value("0123456789", 0);
        assert!(digits.len() == 10 && digits.parse::<u64>().is_ok());
    }

    #[test]
    fn json_keeps_its_shape_and_its_times() {
        let text = r#"{"Name":"orders-db-administrator", "Word":"x" ,"At":"2024-01-01T00:00:00Z","Port":3306,"On":true}"#;
        let other = KEY.value(text, 0);
        let value: serde_json::Value = serde_json::from_str(&other).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["Name", "Word", "At", "Port", "On"]);
        assert_eq!(value["Name"].as_str(), Some(KEY.value("orders-db-administrator", 0).as_str()));
        assert_eq!((value["At"].as_str(), value["On"].as_bool()), (Some("2024-01-01T00:00:00Z"), Some(true)));
        assert!(value["Port"].is_u64() && value["Port"] != 3306);
        assert!(other.contains(" ,\"At\""));
        assert_ne!(KEY.value(text, 1), other);
    }

    #[test]
    fn passwords_keep_classes_and_what_is_left_out() {
        let excluded = ["abcXYZ089!?".to_owned()];
        let text = "defGHI567#$% aX0!é";
        let other = KEY.password(text, &excluded, 0);
        assert_ne!(other, text);
        for (one, two) in text.chars().zip(other.chars()) {
            assert_eq!(class(one), class(two));
            assert_eq!(excluded[0].contains(one), excluded[0].contains(two), "{one} {two}");
        }
    }

    #[test]
    fn keys_differ() {
        assert_ne!(KEY.value("hunter2", 0), Key::random().unwrap().value("hunter2", 0));
        assert_eq!(format!("{KEY:?}"), "Key(redacted)");
    }
}
