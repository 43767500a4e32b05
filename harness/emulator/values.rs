//! New secret values in the documented shape of each kind, and random passwords.

use crate::spec::{Kind, Sample};
use serde_json::Value;

const CLASSES: [&str; 4] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
];

/// How the values of one secret are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Making {
    /// What a read returns; none where the value is free.
    reads: Option<String>,
    /// Accounts behind the secret.
    accounts: Vec<String>,
    /// True where two accounts take turns.
    alternates: bool,
    /// Which account is current.
    turn: usize,
    /// The part of the given value that is the secret itself.
    given: Option<String>,
}

impl Making {
    /// Finds the sample that a creation matches, and what it says of accounts and shape.
    pub(super) fn new<'a>(
        kind: &Kind,
        config: &str,
        value: &str,
        parameter: impl Fn(&str) -> Option<&'a str>,
    ) -> Self {
        let config: Value = serde_json::from_str(config).unwrap_or(Value::Null);
        let value: Value = serde_json::from_str(value).unwrap_or(Value::Null);
        let matches = |sample: &&Sample| {
            sample.when.iter().all(|(key, wanted)| config.get(key).and_then(Value::as_str) == Some(wanted))
        };
        let Some(sample) = kind.samples.values().find(matches).or_else(|| kind.samples.values().next())
        else {
            return Self::default();
        };
        let account = |place: &String| match (place.strip_prefix("parameter:"), place.strip_prefix("config:"))
        {
            (Some(name), _) => parameter(name),
            (None, Some(pointer)) => config.pointer(pointer).and_then(Value::as_str),
            (None, None) => value.pointer(place).and_then(Value::as_str),
        };
        let mut accounts: Vec<String> =
            sample.accounts.iter().filter_map(account).map(str::to_owned).collect();
        if accounts.is_empty() {
            accounts.push("account".to_owned());
        }
        if sample.alternates && accounts.len() == 1 {
            // The second account is made when it is needed first.
            accounts.push(format!("{}_clone", accounts[0]));
        }
        let place =
            serde_json::from_str(&sample.value).ok().and_then(|shape: Value| pointer_to_fresh(&shape, ""));
        let given = place.and_then(|place| value.pointer(&place).and_then(Value::as_str).map(str::to_owned));
        Self { reads: sample.reads.clone(), accounts, alternates: sample.alternates, turn: 0, given }
    }

    /// Stays with the first account from now on: a fault does that.
    pub(crate) fn stay(&mut self) {
        self.alternates = false;
    }

    /// The first version, where it reads back otherwise than it was given.
    pub(super) fn first_value(&self, rng: &mut fastrand::Rng, now: i64) -> Option<String> {
        let template = self.reads.as_ref()?;
        let secret = self.given.clone().unwrap_or_else(|| random(rng));
        Some(self.render(template, &secret, now))
    }

    /// The next version's value.
    pub(super) fn next_value(&mut self, rng: &mut fastrand::Rng, now: i64) -> String {
        if self.alternates {
            self.turn = 1 - self.turn.min(1);
        }
        let secret = random(rng);
        match &self.reads {
            Some(template) => self.render(template, &secret, now),
            None => secret,
        }
    }

    fn render(&self, template: &str, secret: &str, now: i64) -> String {
        let account = self.accounts.get(self.turn).map_or("account", String::as_str);
        let time = jiff::Timestamp::from_second(now).map(|at| at.to_string()).unwrap_or_default();
        let quoted = |text: &str| {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        template
            .replace("{account}", &quoted(account))
            .replace("{fresh}", &quoted(secret))
            .replace("{time}", &time)
    }
}

/// Where in a sample value the text `{fresh}` stands.
fn pointer_to_fresh(shape: &Value, at: &str) -> Option<String> {
    match shape {
        Value::String(text) if text == "{fresh}" => Some(at.to_owned()),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, entry)| pointer_to_fresh(entry, &format!("{at}/{index}"))),
        Value::Object(map) => {
            map.iter().find_map(|(key, entry)| pointer_to_fresh(entry, &format!("{at}/{key}")))
        }
        _ => None,
    }
}

fn random(rng: &mut fastrand::Rng) -> String {
    password(rng, 32, [false, false, false, true], "", true)
}

/// A random password: lower, upper, digits, punctuation unless switched off in `without`.
pub(super) fn password(
    rng: &mut fastrand::Rng,
    length: usize,
    without: [bool; 4],
    exclude: &str,
    each: bool,
) -> String {
    let classes: Vec<Vec<char>> = CLASSES
        .iter()
        .zip(without)
        .filter(|(_, without)| !without)
        .map(|(class, _)| {
            let allowed = |character: &char| exclude.is_empty() || !exclude.contains(*character);
            class.chars().filter(allowed).collect::<Vec<_>>()
        })
        .filter(|class| !class.is_empty())
        .collect();
    let all: Vec<char> = classes.concat();
    if all.is_empty() {
        return String::new();
    }
    let mut letters: Vec<char> = (0..length).map(|_| all[rng.usize(..all.len())]).collect();
    if each {
        for (slot, class) in letters.iter_mut().zip(&classes) {
            *slot = class[rng.usize(..class.len())];
        }
        rng.shuffle(&mut letters);
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_have_what_is_asked_for() {
        let mut rng = fastrand::Rng::with_seed(1);
        for length in [8, 32, 128] {
            let text = password(&mut rng, length, [false; 4], "abc", true);
            assert_eq!(text.chars().count(), length);
            assert!(CLASSES.iter().all(|class| text.chars().any(|c| class.contains(c))), "{length}");
            assert!(!text.contains(['a', 'b', 'c']));
        }
        assert!(
            password(&mut rng, 20, [true, true, false, true], "", false).chars().all(|c| c.is_ascii_digit())
        );
    }

    #[test]
    fn the_place_of_the_secret_is_found_in_the_sample() {
        let shape = serde_json::json!({ "Accounts": [{ "Name": "a", "Word": "{fresh}" }] });
        assert_eq!(pointer_to_fresh(&shape, "").as_deref(), Some("/Accounts/0/Word"));
    }
}
