//! Parameters that say when: intervals, expressions, the first date.

use super::super::interval::Ruling;
use super::super::{Parameter, Type};
use super::{Reader, bounds_rule};
use crate::model::{Condition, Role, SOMETIME, Text, When, rule};

impl Reader<'_> {
    /// `rate(4 hours)` or a cron expression: the first has a period.
    pub(super) fn schedule(&mut self, name: &str, parameter: &Parameter, text: &str) {
        self.op.schedule = Some(Text::from(text));
        let period = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
        let seconds = period.and_then(|period| period.split_once(' ')).and_then(|(number, unit)| {
            let unit = match unit.trim_end_matches('s') {
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            number.parse::<i64>().ok()?.checked_mul(unit)
        });
        let Some(seconds) = seconds else {
            if parameter.example.as_deref() != Some(text) {
                let why = format!("{name} is an expression that is read here no further");
                self.complain(name, Condition::Invalid, "ROT-POL-1", false, why);
            }
            return;
        };
        let least = parameter.least.is_some_and(|least| seconds < least.0);
        let greatest = parameter.greatest.is_some_and(|greatest| seconds > greatest.0);
        if least || greatest {
            let why = format!("{name}={text} is outside the bounds");
            self.complain(name, Condition::Invalid, "ROT-POL-1", self.counts(parameter), why);
        }
        self.op.interval = self.op.interval.or(Some(seconds));
    }

    pub(super) fn interval(&mut self, name: &str, parameter: &Parameter, text: &str) {
        if let Some(unit) = parameter.unit.filter(|_| parameter.kind == Type::Integer) {
            // Its bounds and its type are judged like those of any other number.
            self.op.interval = text.parse::<i64>().ok().and_then(|number| number.checked_mul(unit.seconds()));
            return;
        }
        let certain = self.counts(parameter) && (self.op.role != Role::Create || self.rotates());
        let rule = parameter.rule.as_deref().and_then(rule).map_or("ROT-POL-1", |rule| rule.id);
        match self.vendor.spec.interval.read(text) {
            Ruling::Legal(seconds) => self.op.interval = Some(seconds),
            Ruling::Open(seconds) => {
                self.op.interval = Some(seconds);
                let why =
                    format!("{name}={text} is one on which documents contradict each other or are silent");
                self.complain(name, Condition::Invalid, rule, false, why);
            }
            Ruling::Malformed => {
                let why = format!("{name} is no whole number with a unit");
                self.complain(name, Condition::Invalid, "ROT-POL-7", certain, why);
            }
            Ruling::Outside => {
                // Ten digits exceed every bound in every unit: such a number is there to overflow.
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                let rule = if digits >= 8 && !text.ends_with('s') || digits > 9 { "ROT-POL-7" } else { rule };
                self.complain(
                    name,
                    Condition::Invalid,
                    rule,
                    certain,
                    format!("{name}={text} is outside the bounds"),
                );
            }
        }
    }

    /// A date that cannot be read may be any.
    pub(super) fn first_rotation(&mut self, name: &str, parameter: &Parameter, text: &str) {
        let date = parameter.form.read(text).map(When::at);
        self.op.begins = Some(date.unwrap_or(When { lo: 0, hi: SOMETIME }));
        if date.is_none() {
            let why = format!("{name} is no date of the documented form");
            self.complain(name, Condition::Invalid, bounds_rule(parameter), false, why);
        }
    }
}
