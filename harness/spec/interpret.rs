//! What a call asks for, as the spec reads its parameters: an [`Op`], and complaints.
//!
//! The emulator refuses on the first complaint; a judge knows from a complaint's `certain` whether
//! documents demand the refusal or leave it open.

use super::{Bounds, Constraint, Family, Operation, Parameter, Type, Vendor};
use crate::model::{Condition, Fact, Meaning, Op, Role, Text, digest, rule};
use std::hash::{DefaultHasher, Hash, Hasher};

mod timing;
mod whole;

/// Something wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The parameter.
    pub parameter: String,
    /// What is wrong: missing or invalid.
    pub condition: Condition,
    /// The rule that refuses it.
    pub rule: &'static str,
    /// True where documents demand the refusal; false where they leave it open.
    pub certain: bool,
    /// Whether nobody can tell what the parameter means to an endpoint that takes it all the same.
    pub unclear: bool,
    /// In words.
    pub why: String,
}

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The operation asked for, as far as its parameters can be read.
    pub op: Op,
    /// The same where what documents leave open is taken to be meant, if that is another.
    pub also: Option<Op>,
    /// What is wrong with them, in the order of the spec.
    pub complaints: Vec<Complaint>,
}

/// Reads the parameters of a call. `None`: the spec has no such operation.
///
/// `parameters` are decoded texts by the name that travels; of a parameter given twice the first counts.
pub fn interpret(
    vendor: &Vendor,
    operation: &str,
    parameters: &[(&str, &str)],
    account: usize,
) -> Option<Reading> {
    let described = vendor.spec.operations.get(operation)?;
    let read = |generous| {
        let mut reader = Reader {
            vendor,
            operation: described,
            given: parameters,
            complaints: Vec::new(),
            generous,
            open: false,
            op: Op {
                force: described.forced,
                // Where a call cannot ask for tags, they are shown unasked.
                with_tags: described.parameter(Meaning::WithTags).is_none(),
                states: stated(described, parameters),
                ..Op::new(described.role, account, Text::from(""))
            },
        };
        reader.kind();
        for (name, parameter) in &described.parameters {
            reader.parameter(name, parameter);
        }
        reader.whole();
        reader
    };
    let Reader { op, complaints, open, .. } = read(false);
    let also = open.then(|| read(true).op).filter(|also| *also != op);
    Some(Reading { op, also, complaints })
}

/// Digest of what a rotation states beside the secret and the token.
fn stated(operation: &Operation, given: &[(&str, &str)]) -> u64 {
    let mut digest = DefaultHasher::new();
    let rotates = operation.role == Role::Rotate;
    for (name, parameter) in operation.parameters.iter().filter(|_| rotates) {
        if !matches!(parameter.is, Meaning::Secret | Meaning::Token) {
            given.iter().find(|(given, _)| given == name).hash(&mut digest);
        }
    }
    digest.finish()
}

struct Reader<'a> {
    vendor: &'a Vendor,
    operation: &'a Operation,
    given: &'a [(&'a str, &'a str)],
    complaints: Vec<Complaint>,
    /// Whether what need not mean anything is taken to be meant.
    generous: bool,
    /// Whether there was any such thing.
    open: bool,
    op: Op,
}

impl<'a> Reader<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    fn by_meaning(&self, is: Meaning) -> Option<(&'a str, Option<&'a str>)> {
        self.operation.parameter(is).map(|(name, _)| (name, self.get(name)))
    }

    fn complain(&mut self, name: &str, condition: Condition, rule: &'static str, certain: bool, why: String) {
        let (parameter, unclear) = (name.to_owned(), false);
        self.complaints.push(Complaint { parameter, condition, rule, certain, unclear, why });
    }

    /// Whoever takes what was complained of last makes of it nobody knows what.
    fn unclear(&mut self) {
        if let Some(last) = self.complaints.last_mut() {
            last.unclear = true;
        }
    }

    /// The kind of secret comes first: what other parameters mean depends on it.
    fn kind(&mut self) {
        let given = self.by_meaning(Meaning::Kind).and_then(|(_, text)| text);
        self.op.kind = self.vendor.kind_asked(self.operation, given).unwrap_or(0);
    }

    fn parameter(&mut self, name: &str, parameter: &Parameter) {
        let mut value = self.get(name);
        let open = |constraint| parameter.open.contains(&constraint);
        let in_json = self.vendor.spec.protocol.family != Family::RpcQuery;
        if in_json && value == Some("null") && matches!(parameter.kind, Type::Json | Type::List | Type::Map) {
            // In JSON this is no text, but nothing; whether that is the same as none at all is said nowhere.
            let why = format!("{name} is null");
            self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
            self.unclear();
            value = None;
        }
        if value.is_some_and(|text| text.contains('\0')) {
            // Many a stack refuses this character wherever it stands; no document speaks of it.
            self.complain(
                name,
                Condition::Invalid,
                bounds_rule(parameter),
                false,
                format!("{name} has a NUL"),
            );
        }
        // Whoever signs fills in the own account's project.
        let filled_in = parameter.is == Meaning::Project;
        let mut required_by = (parameter.required && !filled_in).then_some("WIRE-REQ-1");
        let mut certain = !open(Constraint::Required);
        if let Some(only_if) = &parameter.only_if {
            let default =
                self.operation.parameters.get(&only_if.parameter).and_then(|p| p.default.as_deref());
            let holds = self.get(&only_if.parameter).or(default).and_then(truth) == Some(only_if.is);
            if !holds {
                if value.is_some() && !self.vendor.law.binds(&only_if.rule) {
                    let why = format!("{name} stands beside what it does not count for");
                    self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
                }
                // Where nothing is said of what it counts for, that may be as it was: on.
                let unsaid = self.get(&only_if.parameter).is_none();
                if let Some(text) = value.filter(|text| unsaid && !text.is_empty()) {
                    self.may_mean(name, parameter, text);
                }
                return;
            }
            required_by = rule(&only_if.required_by).map(|rule| rule.id);
            // A kind that cannot rotate has no use for the setting: whether it is looked at is open.
            certain &= self.op.role != Role::Create || self.rotates();
        }
        match (value, parameter.is, &parameter.default) {
            (None, Meaning::ValueType, Some(default)) => {
                self.op.value_type = Some(Text::from(default.as_str()));
            }
            (None, Meaning::Enable, Some(default)) => self.op.enable = truth(default),
            (None | Some(""), Meaning::Token, Some(default)) => {
                self.op.token = Some(Text::from(default.as_str()));
            }
            _ => {}
        }
        match value {
            None => {
                if let Some(rule) = required_by {
                    self.complain(name, Condition::Missing, rule, certain, format!("{name} is required"));
                }
            }
            Some("") if required_by.is_some() => {
                let certain = certain && !open(Constraint::Empty);
                let rule = required_by.unwrap_or("WIRE-REQ-1");
                // In JSON an empty text in place of a number or a list is of the wrong type as well.
                let text = matches!(parameter.kind, Type::Text | Type::Time | Type::Json);
                let condition = if in_json && !text { Condition::BadBody } else { Condition::Missing };
                self.complain(name, condition, rule, certain, format!("{name} is empty"));
            }
            // Nobody documents what an empty optional parameter means: left out, or wrong.
            Some("") => {
                if self.in_path(name) {
                    // A path without this segment may lead elsewhere, or nowhere.
                    for condition in [Condition::UnknownOperation, Condition::Invalid] {
                        let why = format!("{name} is empty");
                        self.complain(name, condition, bounds_rule(parameter), false, why);
                    }
                }
                let least = parameter.kind == Type::Text && parameter.min.is_some_and(|min| min > 0);
                let certain = least && !open(Constraint::Min) && !open(Constraint::Empty);
                let why = format!("{name} is empty");
                self.complain(name, Condition::Invalid, bounds_rule(parameter), certain, why);
                // It may also say that what was stored is to be cleared.
                if matches!(parameter.is, Meaning::Description | Meaning::Function) {
                    self.may_mean(name, parameter, "");
                }
            }
            Some(text) => {
                if parameter.kind == Type::Boolean
                    && in_json
                    && truth(text).is_some()
                    && !matches!(text, "true" | "false")
                {
                    // In JSON this is a text, and not the truth value that is documented.
                    let why = format!("{name} is neither true nor false");
                    self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
                    self.unclear();
                }
                if let Some((constraint, why)) = self.constraint(parameter, text) {
                    // Another JSON type is wrong before anybody asks what it is for.
                    let typed = constraint == Constraint::Type && in_json;
                    let heeded = self.counts(parameter) || typed && parameter.kind == Type::Integer;
                    let certain = !open(constraint) && heeded;
                    let why = format!("{name} {why}");
                    let number = parameter.is == Meaning::Interval && constraint == Constraint::Type;
                    let rule = if number { "ROT-POL-7" } else { bounds_rule(parameter) };
                    let condition = if typed { Condition::BadBody } else { Condition::Invalid };
                    if parameter.kind == Type::List && constraint == Constraint::Max {
                        // More than a list may have is more than a secret may have, too.
                        self.complain(name, Condition::QuotaExceeded, rule, false, why.clone());
                    }
                    self.complain(name, condition, rule, certain, why);
                    if !heeded {
                        return;
                    }
                    if constraint == Constraint::Type {
                        self.unclear();
                    }
                } else if parameter.values.is_empty()
                    && parameter.pattern.is_none()
                    && doubtful(parameter, text)
                {
                    let why = format!("{name} has a form of which documents say nothing");
                    self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
                }
                self.take(name, parameter, text);
            }
        }
    }

    /// What no document says that it means, and what an endpoint may well take it for.
    fn may_mean(&mut self, name: &str, parameter: &Parameter, text: &str) {
        self.open = true;
        if self.generous {
            self.take(name, parameter, text);
        }
    }

    /// Whether a call has a use for a parameter: what is said of rotation while it is switched off, and the
    /// configuration of a kind of secret that has none, need not be looked at.
    fn counts(&self, parameter: &Parameter) -> bool {
        match parameter.is {
            Meaning::Interval | Meaning::Schedule | Meaning::FirstRotation => {
                let enable = self.by_meaning(Meaning::Enable).and_then(|(_, text)| text);
                enable.and_then(truth) != Some(false)
            }
            Meaning::Config if self.op.role == Role::Create => {
                let kind = self.vendor.spec.kinds.get_index(self.op.kind);
                kind.is_none_or(|(_, kind)| kind.samples.values().any(|sample| sample.config.is_some()))
            }
            _ => true,
        }
    }

    fn in_path(&self, name: &str) -> bool {
        let path = self.operation.path.as_deref().unwrap_or_default();
        path.contains(&format!("{{{name}}}"))
    }

    fn rotates(&self) -> bool {
        self.vendor.law.kinds.get(self.op.kind).is_some_and(|kind| kind.rotates)
    }

    /// The constraint that a text breaks, and how.
    fn constraint(&self, parameter: &Parameter, text: &str) -> Option<(Constraint, String)> {
        let bounds = Bounds { min: parameter.min, max: parameter.max };
        let length = || count(if parameter.bytes { text.len() } else { text.chars().count() });
        let broken = match parameter.kind {
            Type::Integer => match text.parse::<i64>() {
                Ok(number) if !text.starts_with('+') => bounds.broken_by(number, "value"),
                _ => return Some((Constraint::Type, "is no whole number".into())),
            },
            Type::Boolean => match truth(text) {
                Some(_) => return None,
                None => return Some((Constraint::Type, "is neither true nor false".into())),
            },
            Type::Json | Type::List | Type::Map => match serde_json::from_str::<serde_json::Value>(text) {
                Err(_) => return Some((Constraint::Type, "is no JSON".into())),
                Ok(serde_json::Value::Array(entries)) if parameter.kind == Type::List => {
                    let mut texts = entries.iter().filter_map(|entry| entry.as_str());
                    let each = |entry: &str| {
                        parameter.each.broken_by(count(entry.chars().count()), "an entry of length")
                    };
                    let broken = bounds.broken_by(count(entries.len()), "a number of entries of");
                    broken.or_else(|| texts.find_map(each))
                }
                Ok(_) => bounds.broken_by(length(), "length"),
            },
            Type::Text | Type::Time => bounds.broken_by(length(), "length"),
        };
        if broken.is_some() {
            return broken;
        }
        if !parameter.values.is_empty() && !parameter.values.iter().any(|value| value == text) {
            return Some((Constraint::Values, format!("is none of {}", parameter.values.join(", "))));
        }
        let pattern = parameter.pattern.as_ref()?;
        (!self.vendor.matches(pattern, text))
            .then(|| (Constraint::Pattern, format!("does not match {pattern}")))
    }

    /// Takes the value into the op; complains where its meaning has a grammar of its own.
    fn take(&mut self, name: &str, parameter: &Parameter, text: &str) {
        let shared = || Some(Text::from(text));
        match parameter.is {
            Meaning::Secret => self.op.secret = Text::from(text),
            Meaning::Token => self.op.token = shared(),
            Meaning::Version => self.op.version = shared(),
            Meaning::Stage => self.op.stage = shared(),
            Meaning::MoveTo => self.op.move_to = shared(),
            Meaning::RemoveFrom => self.op.remove_from = shared(),
            Meaning::Value => self.op.value = Some(digest(text)),
            Meaning::Enable => self.op.enable = truth(text),
            Meaning::Force => self.op.force = truth(text) == Some(true),
            Meaning::DryRun => self.op.dry_run = truth(text) == Some(true),
            Meaning::IncludeDeprecated => self.op.deprecated = truth(text) == Some(true),
            Meaning::WithConfig => self.op.with_config = truth(text) == Some(true),
            Meaning::WithTags => self.op.with_tags = truth(text) == Some(true),
            Meaning::Window => self.op.window = text.parse().ok(),
            Meaning::Page => self.op.page = text.parse().ok(),
            Meaning::PageSize => self.op.size = text.parse().ok().filter(|size| *size > 0),
            Meaning::Stages => self.stages(name, text),
            Meaning::Interval => self.interval(name, parameter, text),
            Meaning::FirstRotation => self.first_rotation(name, parameter, text),
            Meaning::Immediately => self.op.immediately = truth(text),
            Meaning::Function => self.op.function = shared(),
            Meaning::Schedule => self.schedule(name, parameter, text),
            Meaning::Task => self.op.task = shared(),
            Meaning::Project => self.op.project = shared(),
            Meaning::Marker => {
                self.op.marker = shared();
                if parameter.absent.as_deref() == Some(text) {
                    let certain = !parameter.open.contains(&Constraint::Values);
                    self.complain(
                        name,
                        Condition::Invalid,
                        "LIST-1",
                        certain,
                        format!("{name} names no page"),
                    );
                }
            }
            Meaning::Offset => self.op.offset = text.parse().ok(),
            Meaning::Kind if self.vendor.kind_called(text).is_none() => {
                let why = format!("{name} is no kind of secret");
                let certain = !parameter.values.iter().any(|value| value == text)
                    && !parameter.open.contains(&Constraint::Values);
                self.complain(name, Condition::Invalid, "WIRE-REQ-2", certain, why);
            }
            Meaning::ValueType => self.op.value_type = shared(),
            // Whoever takes tags that are no list keeps nobody knows what.
            Meaning::Tags if serde_json::from_str::<Vec<serde_json::Value>>(text).is_err() => {}
            Meaning::Description | Meaning::Key | Meaning::Tags | Meaning::Config => {
                self.op.settings.push((parameter.is, Fact::Text(setting(parameter.is, text))));
            }
            _ => {}
        }
    }

    fn stages(&mut self, name: &str, text: &str) {
        let parsed: Option<Vec<String>> =
            serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| {
                let list = match value {
                    serde_json::Value::Object(map) if map.len() == 1 => {
                        map.into_iter().next().map(|(_, list)| list)?
                    }
                    other => other,
                };
                serde_json::from_value(list).ok()
            });
        match parsed {
            Some(stages) if !stages.is_empty() && stages.iter().all(|stage| !stage.is_empty()) => {
                let previous = self.vendor.law.previous.as_deref();
                if stages.iter().any(|stage| Some(stage.as_str()) == previous) {
                    // What a rotation gives to the version before it need not be there for the asking.
                    let why = format!("{name} names a stage that follows from others");
                    self.complain(name, Condition::Invalid, "STAGE-1", false, why);
                }
                self.op.stages = Some(stages.iter().map(|stage| Text::from(stage.as_str())).collect());
            }
            Some(_) => {
                self.complain(name, Condition::Invalid, "STAGE-3", false, format!("{name} names no stage"));
                self.unclear();
            }
            None => self.complain(
                name,
                Condition::Invalid,
                "STAGE-3",
                true,
                format!("{name} is no list of stages"),
            ),
        }
    }
}

/// Whether a text is one that a careful endpoint may refuse though no document says so: no document
/// gives the characters and lengths of such parameters.
fn doubtful(parameter: &Parameter, text: &str) -> bool {
    let odd = |text: &str| {
        text.chars().count() > 64
            || !text.chars().all(|c| c.is_ascii_alphanumeric() || "_/+=.@:-".contains(c))
    };
    let control = text.chars().any(char::is_control);
    match parameter.is {
        Meaning::Token | Meaning::Version | Meaning::Stage | Meaning::MoveTo | Meaning::RemoveFrom => {
            odd(text)
        }
        Meaning::Stages => {
            serde_json::from_str::<Vec<String>>(text).map_or(true, |stages| stages.iter().any(|it| odd(it)))
        }
        Meaning::Value => control,
        Meaning::Description => control || text.chars().count() > 256,
        Meaning::Interval | Meaning::Enable | Meaning::Kind | Meaning::Project | Meaning::Task => false,
        // What cannot be read has been complained of.
        Meaning::FirstRotation => false,
        // What an endpoint answered, or a spec gives as an example, is as good as documented.
        Meaning::Marker | Meaning::Schedule => false,
        _ if parameter.example.as_deref() == Some(text) => false,
        _ => match parameter.kind {
            // Nobody says what a number below zero is that no bound forbids.
            Type::Integer => text.parse::<i32>().map_or(true, |number| number < 0),
            Type::Boolean => false,
            // Keys, instances, tags, filters: whether what they name is there is another question.
            _ => true,
        },
    }
}

fn bounds_rule(parameter: &Parameter) -> &'static str {
    let usual = if parameter.is == Meaning::Interval { "ROT-POL-1" } else { "WIRE-REQ-2" };
    parameter.rule.as_deref().and_then(rule).map_or(usual, |rule| rule.id)
}

fn count(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// True or false in any case, as official SDKs of several languages write it.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(true),
        () if text.eq_ignore_ascii_case("false") => Some(false),
        () => None,
    }
}

/// A setting as it is stored: JSON in canonical form, so that spelling does not matter.
pub(crate) fn setting(is: Meaning, text: &str) -> Text {
    let canonical = match is {
        Meaning::Config | Meaning::Tags => serde_json::from_str::<serde_json::Value>(text).ok(),
        _ => None,
    };
    canonical.map_or_else(|| Text::from(text), |value| Text::from(sorted(value).to_string()))
}

fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            serde_json::Value::Object(pairs.into_iter().collect())
        }
        serde_json::Value::Array(list) => serde_json::Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
