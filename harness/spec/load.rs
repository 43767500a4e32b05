//! Reading specs: from the binary, from a file, from text; compiled and checked as a whole.

use super::{Kind, Operation, Spec, law, place};
use crate::model::{Law, Meaning, Role, rule};
use crate::sign::{Form, Scheme};
use foldhash::{HashMap, HashMapExt};
use regex::Regex;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Name and text of each spec in the binary, in the order of names: `build.rs` writes the list.
const SPECS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/specs.rs"));

/// Bytes that a file may have: an endless one must not be read for ever.
const LONGEST: u64 = 16 << 20;

/// Why a spec cannot be used: file, line where known, path, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// No such vendor in the binary.
    #[error("there is no vendor `{name}`; known: {known}{hint}; others are given as a file with --spec FILE")]
    UnknownVendor {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
        /// The nearest name, as a suggestion.
        hint: String,
    },
    /// The file cannot be read.
    #[error("cannot read the spec {file}: {why}; give the path of a readable YAML file")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// The text does not have the form of a spec.
    #[error("{file}: at `{path}`: {why}")]
    Form {
        /// The file.
        file: String,
        /// Path within the document.
        path: String,
        /// What is wrong, with line and column.
        why: String,
    },
    /// The spec contradicts itself.
    #[error("{file}: at `{path}`{line}: {why}")]
    Sense {
        /// The file.
        file: String,
        /// Where in the file, in words.
        line: String,
        /// Path within the document.
        path: String,
        /// What is wrong and how to mend it.
        why: String,
    },
}

/// A spec ready for use: checked, with its law and its patterns compiled.
#[derive(Clone, Debug)]
pub struct Vendor {
    /// What is documented.
    pub spec: Spec,
    /// What the model needs of it.
    pub law: Law,
    /// Signing schemes, in the order of the spec.
    pub schemes: Vec<Arc<Scheme>>,
    patterns: HashMap<String, Regex>,
}

impl Vendor {
    /// Does the whole text match a pattern of this spec? A pattern that starts with `!` must not match.
    pub fn matches(&self, pattern: &str, text: &str) -> bool {
        let (positive, bare) = pattern.strip_prefix('!').map_or((true, pattern), |bare| (false, bare));
        self.patterns.get(bare).is_none_or(|regex| regex.is_match(text) == positive)
    }

    /// A kind of secret by its index in the law.
    pub fn kind(&self, index: usize) -> Option<(&str, &Kind)> {
        self.spec.kinds.get_index(index).map(|(name, kind)| (name.as_str(), kind))
    }

    /// Index of the kind that requests and replies call by this word.
    pub fn kind_called(&self, word: &str) -> Option<usize> {
        let fits = |(name, kind): (&String, &Kind)| match &kind.shown {
            Some(shown) => shown == word,
            None => name == word,
        };
        self.spec.kinds.iter().position(fits)
    }

    /// The kind that a call of an operation names, by its index; `given` is the word for it, if there is one.
    pub fn kind_asked(&self, operation: &Operation, given: Option<&str>) -> Option<usize> {
        let named = operation.parameter(Meaning::Kind);
        match (given.or(named.and_then(|(_, parameter)| parameter.default.as_deref())), &*operation.kinds) {
            (Some(word), _) => self.kind_called(word),
            (None, [only]) => self.spec.kinds.get_index_of(only),
            (None, _) => None,
        }
    }

    /// The word by which requests call a kind.
    pub fn word_of<'a>(&'a self, kind: &'a str) -> &'a str {
        self.spec.kinds.get(kind).and_then(|kind| kind.shown.as_deref()).unwrap_or(kind)
    }

    /// The signing scheme that is used by default.
    pub fn scheme(&self) -> Option<&Arc<Scheme>> {
        self.schemes.first()
    }

    /// A vendor whose spec is part of a sound one.
    ///
    /// # Errors
    /// If a pattern is none, which a sound spec does not have.
    pub fn of(spec: Spec) -> Result<Self, SpecError> {
        let file = spec.vendor.clone();
        Self::new(spec).map_err(|(path, why)| SpecError::Sense { file, line: String::new(), path, why })
    }

    /// Builds a vendor from a spec that has been checked.
    pub(crate) fn new(spec: Spec) -> Result<Self, (String, String)> {
        let mut patterns = HashMap::new();
        for (path, pattern) in all_patterns(&spec) {
            let bare = pattern.strip_prefix('!').unwrap_or(&pattern);
            let regex = Regex::new(&format!("^(?:{bare})$")).map_err(|error| (path, error.to_string()))?;
            patterns.insert(bare.to_owned(), regex);
        }
        let scheme =
            |(name, form): (&String, &Form)| Arc::new(Scheme { name: name.clone(), form: form.clone() });
        let schemes = spec.signing.schemes.iter().map(scheme).collect();
        Ok(Self { law: law::law(&spec), spec, schemes, patterns })
    }
}

/// Names of the vendors in the binary.
pub fn embedded_names() -> Vec<String> {
    SPECS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// The spec of a vendor in the binary.
///
/// # Errors
/// If there is no such vendor, with the nearest name as a suggestion.
pub fn embedded(name: &str) -> Result<Vendor, SpecError> {
    match SPECS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => from_text(&format!("specs/{name}.yaml"), text),
        None => {
            let known = embedded_names();
            let nearest = known.iter().find(|other| strsim::damerau_levenshtein(other, name) <= 3);
            let hint = nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
            Err(SpecError::UnknownVendor { name: name.to_owned(), known: known.join(", "), hint })
        }
    }
}

/// A spec from a file.
///
/// # Errors
/// If it cannot be read, or is no spec.
pub fn from_file(path: &Path) -> Result<Vendor, SpecError> {
    let file = path.display().to_string();
    let text =
        read(path).map_err(|error| SpecError::Unreadable { file: file.clone(), why: error.to_string() })?;
    from_text(&file, &text)
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    match text.len() as u64 {
        LONGEST => Err(std::io::Error::other(format!("it has {LONGEST} bytes or more, as no spec has"))),
        _ => Ok(text),
    }
}

/// A spec from YAML text; `file` is what errors call it.
///
/// # Errors
/// If it is no spec, with line and path.
pub fn from_text(file: &str, text: &str) -> Result<Vendor, SpecError> {
    let mut path = String::from(".");
    let parsed: Result<Spec, serde_saphyr::Error> = serde_saphyr::with_deserializer_from_str(text, |de| {
        serde_path_to_error::deserialize(de).map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    let spec = parsed.map_err(|error| SpecError::Form {
        file: file.to_owned(),
        path,
        why: error.without_snippet().to_string(),
    })?;
    let sense = |(path, why): (String, String)| {
        let line = place::line(text, &path).map(|line| format!(", line {line}")).unwrap_or_default();
        SpecError::Sense { file: file.to_owned(), line, path, why }
    };
    check(&spec).map_err(sense)?;
    Vendor::new(spec).map_err(|(path, why)| sense((path, format!("this is no regular expression: {why}"))))
}

fn all_patterns(spec: &Spec) -> Vec<(String, String)> {
    let mut patterns = Vec::new();
    for (name, operation) in &spec.operations {
        for (parameter, described) in &operation.parameters {
            let path = format!("operations.{name}.parameters.{parameter}.pattern");
            patterns.extend(described.pattern.clone().map(|pattern| (path, pattern)));
        }
    }
    for (name, kind) in &spec.kinds {
        patterns
            .extend(kind.name_pattern.clone().map(|pattern| (format!("kinds.{name}.name-pattern"), pattern)));
    }
    patterns
}

type Wrong = (String, String);

/// What the types cannot say: names that refer to something must refer to something that is there.
fn check(spec: &Spec) -> Result<(), Wrong> {
    let wrong = |path: &str, why: String| Err((path.to_owned(), why));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if spec.vendor.is_empty() || spec.vendor.len() > 40 || !spec.vendor.chars().all(plain) {
        return wrong("vendor", "a name has 1 to 40 lower-case letters, digits and `-`".into());
    }
    sources(spec)?;
    codes(spec)?;
    for name in spec.requirements.keys() {
        if rule(name).is_none() {
            return wrong(
                &format!("requirements.{name}"),
                "there is no such rule; `rotaprobe check --list` names them".into(),
            );
        }
    }
    for (name, requirement) in &spec.requirements {
        if requirement.level > super::Level::Unspecified && requirement.source.is_empty() {
            let why = "a rule that binds needs a `source`; without one its level is `unspecified`".to_owned();
            return wrong(&format!("requirements.{name}"), why);
        }
    }
    for (name, operation) in &spec.operations {
        for (parameter, described) in &operation.parameters {
            let path = format!("operations.{name}.parameters.{parameter}");
            let counts = described.only_if.as_ref().map(|only| &only.parameter);
            let mut named = counts
                .into_iter()
                .chain(&described.excludes)
                .chain(&described.unsettles)
                .chain(&described.beside);
            if let Some(other) = named.find(|other| !operation.parameters.contains_key(*other)) {
                return wrong(&path, format!("`{other}` is no parameter of {name}"));
            }
            let rules = described
                .only_if
                .iter()
                .flat_map(|only| [&only.rule, &only.required_by])
                .chain(&described.rule);
            if let Some(unknown) = rules.into_iter().find(|id| rule(id).is_none()) {
                return wrong(&path, format!("`{unknown}` is no rule"));
            }
        }
    }
    if spec.kinds.is_empty() || spec.kinds.values().any(|kind| kind.samples.is_empty()) {
        return wrong(
            "kinds",
            "there must be a kind of secret, and each kind needs a sample to create one".into(),
        );
    }
    for role in [Role::Create, Role::Rotate, Role::Describe] {
        if spec.operation_for(role).is_none() {
            return wrong(
                "operations",
                format!("no operation has the role {role:?}; rotation cannot be observed without it"),
            );
        }
    }
    let positive = spec.limits.iter().all(|limit| limit.calls > 0 && limit.per.0 > 0);
    if !positive {
        return wrong("limits", "`calls` and `per` must be greater than zero".into());
    }
    if spec.interval.min > spec.interval.max {
        return wrong("interval", "`min` is greater than `max`".into());
    }
    for (what, empty) in [
        ("protocol.methods", spec.protocol.methods.is_empty()),
        ("protocol.formats", spec.protocol.formats.is_empty()),
        ("protocol.error-envelopes", spec.protocol.error_envelopes.is_empty()),
        ("signing.schemes", spec.signing.schemes.is_empty()),
        ("interval.units", spec.interval.units.is_empty()),
    ] {
        if empty {
            return wrong(what, "this list must not be empty".into());
        }
    }
    Ok(())
}

fn sources(spec: &Spec) -> Result<(), Wrong> {
    let mut cited: Vec<(String, &[String])> = vec![
        ("protocol".into(), &spec.protocol.source),
        ("signing".into(), &spec.signing.source),
        ("credentials".into(), &spec.credentials.source),
        ("idempotency".into(), &spec.idempotency.source),
        ("interval".into(), &spec.interval.source),
        ("stages".into(), &spec.stages.source),
        ("deletion".into(), &spec.deletion.source),
    ];
    for (name, operation) in &spec.operations {
        cited.push((format!("operations.{name}"), &operation.source));
        for (field, described) in &operation.parameters {
            cited.push((format!("operations.{name}.parameters.{field}"), &described.source));
        }
        for (field, described) in &operation.reply {
            cited.push((format!("operations.{name}.reply.{field}"), &described.source));
        }
    }
    cited.extend(spec.errors.iter().map(|(name, it)| (format!("errors.{name}"), it.source.as_slice())));
    cited.extend(
        spec.conditions.iter().map(|(name, it)| (format!("conditions.{}", word(name)), it.source.as_slice())),
    );
    cited.extend(spec.kinds.iter().map(|(name, it)| (format!("kinds.{name}"), it.source.as_slice())));
    cited.extend(spec.limits.iter().map(|it| ("limits".to_owned(), it.source.as_slice())));
    cited.extend(
        spec.interval.disputed.iter().map(|it| ("interval.disputed".to_owned(), it.source.as_slice())),
    );
    cited.extend(
        spec.protocol
            .error_envelopes
            .iter()
            .map(|it| ("protocol.error-envelopes".to_owned(), it.source.as_slice())),
    );
    let binding: Vec<_> =
        cited.iter().filter(|(_, names)| names.is_empty()).map(|(path, _)| path.clone()).collect();
    let needed = binding.iter().find(|path| !path.contains(".parameters.") && !path.contains(".reply."));
    if let Some(path) = needed {
        return Err((
            path.clone(),
            "this needs a `source`: every fact names the document it is taken from".into(),
        ));
    }
    cited.extend(
        spec.requirements.iter().map(|(name, it)| (format!("requirements.{name}"), it.source.as_slice())),
    );
    let mut used = BTreeSet::new();
    for (path, names) in &cited {
        for name in *names {
            if !spec.sources.contains_key(name) {
                return Err((
                    path.clone(),
                    format!("`{name}` is not among `sources`; add it there with its title"),
                ));
            }
            used.insert(name);
        }
    }
    match spec.sources.keys().find(|name| !used.contains(name)) {
        Some(idle) => {
            Err((format!("sources.{idle}"), "no fact is taken from this source; cite it or remove it".into()))
        }
        None => Ok(()),
    }
}

fn codes(spec: &Spec) -> Result<(), Wrong> {
    let conditions = spec.conditions.iter().flat_map(|(name, answers)| {
        let all = answers.codes.iter().chain(answers.at.values().flatten());
        all.map(move |code| (format!("conditions.{}", word(name)), code))
    });
    let operations = spec.operations.iter().flat_map(|(name, operation)| {
        operation.errors.iter().map(move |code| (format!("operations.{name}.errors"), code))
    });
    for (path, code) in conditions.chain(operations) {
        if !spec.errors.contains_key(code) {
            return Err((path, format!("`{code}` is not among `errors`; add it there with its status")));
        }
    }
    Ok(())
}

/// A word as specs write it.
pub(super) fn word(name: &impl serde::Serialize) -> String {
    serde_json::to_value(name).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}
