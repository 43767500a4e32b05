//! Steps of more than one call: pages of a list, what is taken back, what is done again, calls at once.

use super::decode::{Maker, STEPS};
use super::values::valid;
use super::{Argument, Ask, Class, Given, Of, Step};
use crate::model::{Meaning, Role};
use crate::spec::Operation;

/// Times that a call is made again and again, at most.
const OFTEN: usize = 64;
/// What takes back what another operation does.
const TURNS: [(Role, Role); 5] = [
    (Role::Delete, Role::Restore),
    (Role::Delete, Role::Create),
    (Role::Disable, Role::Enable),
    (Role::MoveStage, Role::MoveStage),
    (Role::SetPolicy, Role::SetPolicy),
];

impl Maker<'_, '_> {
    /// A list in pages, smaller than what it may hold.
    pub(super) fn pages(&mut self) -> Option<Step> {
        let lists = |operation: &Operation| {
            let places = [Meaning::Page, Meaning::Offset, Meaning::Marker];
            operation.parameter(Meaning::PageSize).is_some()
                && places.into_iter().any(|is| operation.parameter(is).is_some())
        };
        let vendor = self.vendor;
        let all: Vec<_> = vendor.spec.operations.iter().filter(|(_, operation)| lists(operation)).collect();
        let (name, operation) = *self.choices.pick(Of::Operation, &all)?;
        let secret = self.choices.one(Of::Secret, self.plan.secrets.len());
        let mut with: Vec<Argument> = Vec::new();
        for (name, parameter) in &operation.parameters {
            let value = match parameter.is {
                Meaning::PageSize => Given::Text((1 + self.choices.one(Of::Value, 4)).to_string()),
                Meaning::IncludeDeprecated => Given::Text("true".to_owned()),
                Meaning::Secret => Given::Name,
                _ => continue,
            };
            with.push(Argument { name: name.clone(), value, class: Class::Valid });
        }
        Some(Step::Pages(Ask { operation: name.clone(), secret, with, ..Ask::default() }))
    }

    /// Something is done and taken back, once or several times, perhaps with another such thing between: all
    /// is then as it was, or should be.
    pub(super) fn back_and_forth(&mut self, secret: usize, nests: bool) -> Vec<Step> {
        let spec = &self.vendor.spec;
        let kind = self.plan.secrets.get(secret).map_or("", |planted| planted.kind.as_str());
        let named = |role| spec.operation_at(role, kind).map(|(name, _)| name);
        let all = TURNS.iter().filter_map(|(to, fro)| Some((named(*to)?, named(*fro)?)));
        let all: Vec<(&str, &str)> = all.collect();
        let Some((to, fro)) = self.choices.pick(Of::Operation, &all).copied() else { return Vec::new() };
        let there = self.like(to, secret);
        let back = match to == fro {
            true => self.otherwise(there.clone()),
            false => self.like(fro, secret),
        };
        let between = match self.choices.one(Of::Step, 4) {
            1 => vec![Step::Call(self.ask(Some(secret)))],
            2 => vec![Step::Advance(self.seconds())],
            3 if nests => self.back_and_forth(secret, false),
            _ => Vec::new(),
        };
        let once = [vec![Step::Call(there)], between, vec![Step::Call(back)]].concat();
        let times = [1, 2, 3, 1][self.choices.one(Of::Times, 4)];
        std::iter::repeat_n(once, times).flatten().collect()
    }

    /// The same call with another value for one of its parameters, or for two.
    fn otherwise(&mut self, mut ask: Ask) -> Ask {
        let Some(operation) = self.vendor.spec.operations.get(&ask.operation) else { return ask };
        let drawn = |it: &Argument| !matches!(it.value, Given::Name | Given::Holder | Given::Project);
        let places: Vec<usize> = (0..ask.with.len()).filter(|at| drawn(&ask.with[*at])).collect();
        let about = self.about(operation, ask.secret);
        for _ in 0..=self.choices.one(Of::Times, 2) {
            let argument = self.choices.pick(Of::Oddity, &places).map(|place| &mut ask.with[*place]);
            if let Some(argument) = argument
                && let Some(parameter) = operation.parameters.get(&argument.name)
            {
                let value = valid(self.vendor, parameter, &about, &mut self.choices);
                *argument = Argument { value, class: Class::Valid, name: argument.name.clone() };
            }
        }
        ask
    }

    /// What was done is done again: the last steps, or one of those before them, or a call a little otherwise.
    pub(super) fn again(&mut self) {
        let steps = &self.plan.steps;
        let from = steps.len() - self.choices.one(Of::Again, 8).min(steps.len());
        let count = self.choices.one(Of::Again, 6);
        let mut again: Vec<Step> = steps[from..].iter().take([1, 2, 3, 4, 1, 1][count]).cloned().collect();
        if let (4.., [Step::Call(ask)]) = (count, again.as_mut_slice()) {
            *ask = self.otherwise(std::mem::take(ask));
        }
        self.plan.steps.extend(again);
        self.plan.steps.truncate(STEPS);
    }

    /// How often: around every number that documents limit anything to that such a call does.
    pub(super) fn often(&mut self, operation: &str) -> usize {
        let law = &self.vendor.law;
        let kept = law.kinds.iter().filter_map(|kind| kind.keeps).max();
        let role = self.vendor.spec.operations.get(operation).map(|it| it.role);
        let limits = match role {
            Some(Role::Rotate) => [law.rate.map(|rate| rate.calls), kept],
            Some(Role::Put) => [kept, law.stages_at_most],
            Some(Role::MoveStage) => [law.stages_at_most, None],
            _ => [None, None],
        };
        let mut all: Vec<usize> = vec![3, 5];
        all.extend(limits.into_iter().flatten().flat_map(|most| [most + 1, most, most.saturating_sub(1)]));
        all.retain(|times| (2..=OFTEN).contains(times));
        self.choices.pick(Of::Times, &all).copied().unwrap_or(3)
    }

    /// How far the clock goes: around what documents count by.
    pub(super) fn seconds(&mut self) -> i64 {
        let (interval, day) = (&self.vendor.spec.interval, 86_400);
        let usual = (interval.min.0 + day - 1) / day * day + 23 * day;
        let mut all = vec![60, usual, 5, 1, 3_700, day, interval.min.0, interval.max.0, 31 * day, 2 * usual];
        if let Some(rate) = self.vendor.law.rate {
            all.extend([rate.per + 1, rate.per - 1, rate.per / 2]);
            all.retain(|seconds| *seconds > 0);
        }
        self.choices.pick(Of::Seconds, &all).copied().unwrap_or(60)
    }

    /// Calls at once about one secret: often the same one, or one operation with other values.
    pub(super) fn crowd(&mut self) -> Vec<Ask> {
        let count = 2 + self.choices.one(Of::Crowd, 7);
        let secret = self.choices.one(Of::Secret, self.plan.secrets.len());
        let first = self.ask(Some(secret));
        let mut asks = vec![first];
        while asks.len() < count {
            let ask = match self.choices.one(Of::Crowd, 4) {
                0 => asks[0].clone(),
                1 => self.ask(Some(secret)),
                2 => self.like(&asks[0].operation, secret),
                _ => self.otherwise(asks[0].clone()),
            };
            asks.push(ask);
        }
        asks
    }

    /// A call of an operation.
    fn like(&mut self, operation: &str, secret: usize) -> Ask {
        let only = self.operations.iter().position(|(name, _)| *name == operation).into_iter().collect();
        let focus = std::mem::replace(&mut self.focus, only);
        let ask = self.ask(Some(secret));
        self.focus = focus;
        ask
    }
}
