//! What the parameters of a call mean together.

use super::super::{Constraint, Kind, Type};
use super::{Reader, bounds_rule, truth};
use crate::model::{Condition, Meaning, Role};

impl Reader<'_> {
    /// What parameters mean together.
    pub(super) fn whole(&mut self) {
        for (name, parameter) in &self.operation.parameters {
            let Some(other) = &parameter.excludes else { continue };
            let given = match parameter.kind {
                Type::Boolean => self.get(name).and_then(truth) == Some(true),
                _ => self.get(name).is_some(),
            };
            if given && self.get(other).is_some() {
                let policy = matches!(parameter.is, Meaning::Interval | Meaning::Schedule);
                let rule = if policy { "ROT-POL-6" } else { bounds_rule(parameter) };
                // What is empty may count as not given.
                let said = |name: &str| self.get(name).is_some_and(|text| !text.is_empty());
                let certain = !parameter.open.contains(&Constraint::Excludes) && said(name) && said(other);
                let why = format!("{other} must not be given with {name}");
                self.complain(other, Condition::Invalid, rule, certain, why);
            }
        }
        for (name, parameter) in &self.operation.parameters {
            let alone =
                !parameter.beside.is_empty() && parameter.beside.iter().all(|it| self.get(it).is_none());
            if alone && self.get(name).is_some() {
                let why = format!("{name} says nothing without {}", parameter.beside.join(" or "));
                self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
            }
            let other = parameter.unsettles.as_ref().filter(|_| self.get(name).is_some());
            if let Some(other) = other.and_then(|other| self.operation.parameters.get(other)) {
                self.op.settings.retain(|(meaning, _)| *meaning != other.is);
            }
        }
        if self.op.role == Role::MoveStage
            && self.op.move_to.is_some()
            && self.op.move_to == self.op.remove_from
            && let Some((name, _)) = self.by_meaning(Meaning::RemoveFrom)
        {
            let why = format!("{name} names the version that the stage is to move to");
            self.complain(name, Condition::Invalid, "STAGE-1", false, why);
        }
        if self.op.role == Role::MoveStage
            && self.op.move_to.is_none()
            && self.op.remove_from.is_none()
            && let Some((name, _)) = self.by_meaning(Meaning::MoveTo)
        {
            let why = format!("neither {name} nor a version to take the stage from is given");
            self.complain(name, Condition::Missing, "STAGE-1", false, why);
        }
        if self.op.role == Role::Password {
            self.password();
        }
        if self.op.role == Role::Create {
            let vendor = self.vendor;
            if let Some(kind) = vendor.spec.kinds.get_index(self.op.kind).map(|(_, kind)| kind) {
                self.creation(kind);
            }
        }
    }

    /// A password for which too few characters are left is none.
    fn password(&mut self) {
        let flag = |is| self.by_meaning(is).and_then(|(_, text)| text).and_then(truth) == Some(true);
        let classes = [Meaning::NoLower, Meaning::NoUpper, Meaning::NoDigits, Meaning::NoPunctuation];
        let left = classes.into_iter().filter(|is| !flag(*is)).count();
        let given = |is| self.by_meaning(is).and_then(|(_, text)| text).unwrap_or_default();
        let short = given(Meaning::Length).parse().is_ok_and(|length: usize| length < left);
        let least = given(Meaning::Exclude).chars().count() / 10 + 1;
        if left < least || short && flag(Meaning::EachClass) {
            let name = classes.into_iter().find_map(|is| self.by_meaning(is)).map_or("", |(name, _)| name);
            let why = "hardly a character is left for the password".to_owned();
            self.complain(name, Condition::Invalid, "WIRE-REQ-2", false, why);
        }
    }

    fn creation(&mut self, kind: &Kind) {
        self.op.names_itself = kind.literal_name.is_some();
        if let Some((name, Some(text))) = self.by_meaning(Meaning::Secret) {
            if let Some(pattern) = &kind.name_pattern
                && !self.vendor.matches(pattern, text)
            {
                let why = format!("{name} is not a name for this kind of secret");
                self.complain(name, Condition::Invalid, "WIRE-REQ-2", true, why);
            }
            let stands_for_one = |it: &Kind| it.literal_name.as_deref() == Some(text);
            if kind.literal_name.is_none() && self.vendor.spec.kinds.values().any(stands_for_one) {
                let why = format!("{name} stands for a name at other kinds of secret");
                // Where it is a name like any other, it is no run's own: one called so may be there.
                for condition in [Condition::Invalid, Condition::Exists, Condition::InDeletion] {
                    self.complain(name, condition, "WIRE-REQ-2", false, why.clone());
                    self.unclear();
                }
            }
            if kind.literal_name.as_deref().is_some_and(|literal| literal != text) {
                self.complain(
                    name,
                    Condition::Invalid,
                    "WIRE-REQ-2",
                    true,
                    format!("{name} is made by the service"),
                );
            }
        }
        let Some((name, config)) = self.by_meaning(Meaning::Config) else { return };
        if !kind.rotates {
            self.op.settings.retain(|(meaning, _)| *meaning != Meaning::Config);
            return;
        }
        let config = config.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let Some(serde_json::Value::Object(config)) = config else {
            let needed = !kind.config_required.is_empty();
            if needed && !self.complaints.iter().any(|complaint| complaint.parameter == name) {
                self.complain(name, Condition::Missing, "WIRE-REQ-1", true, format!("{name} is required"));
            }
            return;
        };
        for key in &kind.config_required {
            if config.get(key).and_then(serde_json::Value::as_str).is_none_or(str::is_empty) {
                self.complain(name, Condition::Missing, "WIRE-REQ-1", true, format!("{name} has no {key}"));
            }
        }
        for (key, values) in &kind.config_values {
            let given = config.get(key).and_then(serde_json::Value::as_str);
            if given.is_some_and(|given| !given.is_empty() && !values.iter().any(|value| value == given)) {
                let why = format!("{name}.{key} is none of {}", values.join(", "));
                self.complain(name, Condition::Invalid, "WIRE-REQ-2", true, why);
            }
        }
    }
}
