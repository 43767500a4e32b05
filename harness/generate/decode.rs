//! Bytes to a plan.

use super::choices::{Choices, Of};
use super::mishaps::{manners, tampers};
use super::small::{ADVANCE, ANY, CALL};
use super::values::{About, odd, valid};
use super::{Argument, Ask, Called, Choice, Class, Given, Plan, Planted, Step};
use crate::history::Leave;
use crate::model::{Meaning, Role};
use crate::spec::{Operation, Parameter, Type, Vendor};

/// Steps of a plan at most.
pub(super) const STEPS: usize = 32;
/// Styles of a call that differ: as usual, with an odd parameter, with a mishap, travelling unusually,
/// with any parameters. Of the other choices that there are, most are usual.
const STYLES: usize = ANY + 1;

impl Plan {
    /// The plan that bytes mean for a vendor. Any bytes mean one.
    pub fn decode(vendor: &Vendor, bytes: &[u8]) -> Self {
        Self::choices(vendor, bytes).0
    }

    /// As [`Self::decode`], with the choices that were made.
    pub fn choices(vendor: &Vendor, bytes: &[u8]) -> (Self, Vec<Choice>) {
        let mut operations: Vec<_> =
            vendor.spec.operations.iter().map(|(name, operation)| (name.as_str(), operation)).collect();
        operations.sort_by_key(|(_, operation)| weight(operation.role));
        let more: Vec<_> =
            operations.iter().flat_map(|it| std::iter::repeat_n(*it, odds(it.1.role))).collect();
        operations.extend(more);
        operations.truncate(256);
        let (choices, plan, focus) = (Choices::new(bytes), Self::default(), Vec::new());
        let mut maker = Maker { vendor, operations, focus, choices, plan };
        maker.make();
        (maker.plan, maker.choices.made)
    }
}

/// Makes a plan of choices.
pub(super) struct Maker<'v, 'b> {
    pub(super) vendor: &'v Vendor,
    /// What may be called: each operation once, then some of them again, for the odds.
    pub(super) operations: Vec<(&'v str, &'v Operation)>,
    /// Operations that the plan keeps to, by their places; none if any may be called.
    pub(super) focus: Vec<usize>,
    pub(super) choices: Choices<'b>,
    pub(super) plan: Plan,
}

impl<'v> Maker<'v, '_> {
    fn make(&mut self) {
        let secrets = [1, 2, 3, 1, 1, 1][self.choices.one(Of::Secrets, 6)];
        for _ in 0..secrets {
            let planted = self.planted();
            self.plan.secrets.extend(planted);
        }
        // A few operations that meet again and again show what many that hardly meet do not.
        if self.choices.odds(Of::Focus, 1, 5) {
            self.focus = match self.choices.one(Of::Focus, 4) {
                0 => self.of_life(),
                few => (0..=few).map(|_| self.choices.one(Of::Focus, self.operations.len())).collect(),
            };
        }
        while self.plan.steps.len() < STEPS {
            match self.choices.one(Of::Step, 30) as u8 {
                0 => break,
                ADVANCE => {
                    let seconds = self.seconds();
                    self.plan.steps.push(Step::Advance(seconds));
                }
                2 | 26 => {
                    let crowd = self.crowd();
                    self.plan.steps.push(Step::Together(crowd));
                }
                CALL..22 => {
                    let ask = self.ask(None);
                    self.plan.steps.push(Step::Call(ask));
                }
                22 => {
                    let pages = self.pages();
                    self.plan.steps.extend(pages);
                }
                23 => {
                    let ask = self.ask(None);
                    let often = self.often(&ask.operation);
                    self.plan.steps.push(Step::Often(ask, often));
                }
                24 | 25 => {
                    let secret = self.choices.one(Of::Secret, self.plan.secrets.len());
                    let turns = self.back_and_forth(secret, true);
                    self.plan.steps.extend(turns);
                    self.plan.steps.truncate(STEPS);
                }
                _ => self.again(),
            }
        }
    }

    /// Places of the operations that switch things off and on again.
    fn of_life(&self) -> Vec<usize> {
        let distinct = self.operations.iter().take(self.vendor.spec.operations.len()).enumerate();
        let turns = |role| {
            matches!(
                role,
                Role::SetPolicy
                    | Role::Cancel
                    | Role::Disable
                    | Role::Enable
                    | Role::Delete
                    | Role::Restore
                    | Role::Rotate
            )
        };
        distinct.filter(|(_, (_, operation))| turns(operation.role)).map(|(at, _)| at).collect()
    }

    /// Secrets that can rotate come first: they are what this is about. Those that callers write are there for
    /// all the operations on versions and stages.
    fn planted(&mut self) -> Option<Planted> {
        let all = &self.vendor.spec.kinds;
        let mut kinds: Vec<_> = all.iter().collect();
        kinds.sort_by_key(|(_, kind)| !kind.rotates);
        let distinct = kinds.len();
        kinds.extend(all.iter().filter(|(_, kind)| kind.takes_values).cycle().take(distinct / 2));
        let chosen = self.choices.weighted(Of::Kind, kinds.len(), distinct);
        let (kind, described) = *kinds.get(chosen)?;
        let sample = self.choices.one(Of::Kind, described.samples.len());
        let first = self.plan.secrets.first().map(|first| first.account);
        let called = match first.map(|_| self.choices.one(Of::Owner, 4)) {
            Some(1) => Called::AsTheFirst,
            Some(2) => Called::AfterTheFirst,
            _ => Called::Anew,
        };
        let account = match (called, first) {
            (Called::AsTheFirst, Some(account)) => 1 - account.min(1),
            (Called::AfterTheFirst, Some(account)) => account,
            _ => usize::from(self.choices.odds(Of::Owner, 1, 8)),
        };
        let more = self.choices.odds(Of::Presence, 1, 4);
        let with = if more {
            self.more(About { creates: true, kind, described: Some(described), sample })
        } else {
            Vec::new()
        };
        Some(Planted { kind: kind.clone(), sample, account, called, with })
    }

    /// What a creation may say beside what it must.
    fn more(&mut self, about: About<'_>) -> Vec<Argument> {
        let vendor = self.vendor;
        let creates = vendor
            .spec
            .operations
            .values()
            .find(|operation| operation.role == Role::Create && operation.serves(about.kind));
        let Some(operation) = creates else { return Vec::new() };
        let mut with = Vec::new();
        for (name, parameter) in &operation.parameters {
            let settled = parameter.given() || parameter.is == Meaning::Project;
            if !settled && self.choices.one(Of::Presence, 3) == 1 {
                let value = valid(vendor, parameter, &about, &mut self.choices);
                with.push(Argument { name: name.clone(), value, class: Class::Valid });
            }
        }
        with
    }

    pub(super) fn ask(&mut self, secret: Option<usize>) -> Ask {
        let vendor = self.vendor;
        let secret = secret.unwrap_or_else(|| self.choices.one(Of::Secret, self.plan.secrets.len()));
        let chosen = match self.choices.pick(Of::Operation, &self.focus) {
            Some(chosen) => *chosen,
            None => {
                let distinct = vendor.spec.operations.len();
                self.choices.weighted(Of::Operation, self.operations.len(), distinct)
            }
        };
        let (name, operation) = self.operations[chosen];
        let mut ask = Ask { operation: name.to_owned(), secret, ..Ask::default() };
        let style = match self.focus.is_empty() {
            true => self.style(),
            false => self.choices.pick(Of::Style, &[0, 0, ANY, 1]).copied().unwrap_or(0),
        };
        let oddity = (style == 1).then(|| self.choices.one(Of::Oddity, operation.parameters.len()));
        let about = self.about(operation, secret);
        let swap = self.instead(operation);
        for (at, (name, parameter)) in operation.parameters.iter().enumerate() {
            let argument = match oddity {
                Some(odd) if odd == at => self.oddity(operation, name, parameter),
                _ => self.argument(&about, (name, parameter), style == ANY, swap),
            };
            ask.with.extend(argument);
        }
        if self.choices.odds(Of::Way, 1, 8) {
            let scheme = self.choices.pick(Of::Way, &vendor.schemes);
            ask.scheme = scheme.map(|scheme| scheme.name.clone());
        }
        match style {
            2 => self.mishap(&mut ask, operation),
            3 => {
                let manners = manners(vendor, operation, &ask);
                if let Some((manner, scheme)) = self.choices.pick(Of::Mishap, &manners).cloned() {
                    (ask.manner, ask.scheme) = (Some(manner), scheme.or(ask.scheme));
                }
            }
            _ => {}
        }
        ask
    }

    /// As usual, odd, with a mishap, travelling unusually, any parameters; then what is usual again.
    fn style(&mut self) -> usize {
        match self.choices.weighted(Of::Style, 22, STYLES) {
            style @ 0..STYLES => style,
            5..9 => 1,
            9 | 10 => 2,
            11 => 3,
            12..16 => ANY,
            _ => 0,
        }
    }

    /// What a call's values depend on: creations are like those of the plan's secrets.
    pub(super) fn about(&self, operation: &Operation, secret: usize) -> About<'v> {
        let (kinds, creates) = (&self.vendor.spec.kinds, operation.role == Role::Create);
        let planted = self.plan.secrets.get(secret);
        let own = planted.and_then(|it| Some((kinds.get_key_value(&it.kind)?, it.sample)));
        let other = || Some((kinds.get_key_value(operation.kinds.first()?)?, 0));
        let found = own.filter(|((kind, _), _)| operation.serves(kind)).or_else(other);
        match found {
            Some(((kind, described), sample)) => About { creates, kind, described: Some(described), sample },
            None => About { creates, kind: "", described: None, sample: 0 },
        }
    }

    fn argument(
        &mut self,
        about: &About<'_>,
        (name, parameter): (&str, &Parameter),
        free: bool,
        swap: Option<(&str, &str)>,
    ) -> Option<Argument> {
        let (rare, left_out) = swap.unzip();
        let usual = is_usual(parameter) || about.needs(parameter) || rare == Some(name);
        let given = match (free, parameter.kind) {
            _ if parameter.required => true,
            (true, _) => self.choices.odds(Of::Presence, 1, 2),
            // A switch makes another call of it.
            (false, Type::Boolean) if !usual => self.choices.odds(Of::Presence, 1, 3),
            (false, _) => usual && left_out != Some(name),
        };
        // Whoever signs fills in the own account's project.
        if !given || parameter.is == Meaning::Project {
            return None;
        }
        let value = valid(self.vendor, parameter, about, &mut self.choices);
        Some(Argument { name: name.to_owned(), value, class: Class::Valid })
    }

    /// Two parameters of which one goes without the other: the one that is given now and then, and the one
    /// that is left out for it.
    fn instead(&mut self, operation: &'v Operation) -> Option<(&'v str, &'v str)> {
        let own = |(name, it): (&'v String, &'v Parameter)| Some((name.as_str(), it.excludes.as_deref()?));
        let known = |name: &str| operation.parameters.get(name);
        let pair = operation.parameters.iter().filter_map(own).find(|(rare, usual)| {
            known(usual).is_some_and(|it| is_usual(it) && !it.required) && !known(rare).is_some_and(is_usual)
        })?;
        self.choices.odds(Of::Presence, 1, 3).then_some(pair)
    }

    fn oddity(&mut self, operation: &Operation, name: &str, parameter: &Parameter) -> Option<Argument> {
        let (class, value) = odd(self.vendor, operation, parameter, &mut self.choices);
        Some(Argument { name: name.to_owned(), value: value?, class })
    }

    /// A signature that is wrong, another account, another way to sign, a lost reply.
    fn mishap(&mut self, ask: &mut Ask, operation: &Operation) {
        let schemes: Vec<_> = self.vendor.schemes.iter().filter(|scheme| scheme.signs()).collect();
        match self.choices.weighted(Of::Mishap, 8, 4) {
            0 | 4 => {
                let scheme = self.choices.pick(Of::Scheme, &schemes).map(|scheme| (*scheme).clone());
                let Some(scheme) = scheme else { return };
                let tampers = tampers(self.vendor, &scheme, ask);
                ask.tamper = self.choices.pick(Of::Mishap, &tampers).cloned();
                ask.scheme = Some(scheme.name.clone());
            }
            1 | 5 => {
                ask.foreign = true;
                let by_name = operation.role == Role::Create || self.choices.one(Of::Mishap, 2) == 0;
                for argument in ask.with.iter_mut().filter(|it| it.value == Given::Name && !by_name) {
                    argument.value = Given::Identifier;
                }
            }
            2 => ask.scheme = self.choices.pick(Of::Scheme, &schemes).map(|scheme| scheme.name.clone()),
            3 | 6 => ask.leave = Some(Leave::AfterReply),
            _ => ask.leave = Some(Leave::AtOnce),
        }
    }
}

/// Whether calls give a parameter unless there is a reason not to.
fn is_usual(parameter: &Parameter) -> bool {
    let wanted = matches!(
        parameter.is,
        Meaning::Token
            | Meaning::Enable
            | Meaning::Interval
            | Meaning::Window
            | Meaning::MoveTo
            | Meaning::RemoveFrom
    );
    parameter.given() || (wanted && parameter.excludes.is_none())
}

/// What changes a secret comes first: the first operations are those that a small scope begins with.
const fn weight(role: Role) -> u8 {
    match role {
        Role::Rotate => 0,
        Role::SetPolicy | Role::Put | Role::MoveStage | Role::Delete | Role::Restore => 1,
        Role::Disable | Role::Enable | Role::Cancel | Role::RemoveStage => 2,
        Role::Create => 3,
        Role::Describe | Role::Read | Role::Versions | Role::ReadStage | Role::Task => 4,
        Role::List | Role::Password => 5,
    }
}

/// How much more often than others an operation is called: what rotation is about most of all.
const fn odds(role: Role) -> usize {
    match role {
        Role::Rotate => 7,
        Role::SetPolicy | Role::Put => 4,
        Role::MoveStage | Role::Delete | Role::Restore => 2,
        Role::Create => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Small;
    use std::collections::BTreeSet;

    #[test]
    fn no_bytes_are_the_simplest_plan_and_any_bytes_are_one() {
        for name in crate::spec::embedded_names() {
            let vendor = crate::spec::embedded(&name).unwrap();
            let plan = Plan::decode(&vendor, &[]);
            assert_eq!((plan.secrets.len(), plan.steps.len()), (1, 0), "{name}");
            let mut rng = fastrand::Rng::with_seed(7);
            for _ in 0..500 {
                let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(200).collect();
                let plan = Plan::decode(&vendor, &bytes);
                let text = serde_json::to_string(&plan).unwrap();
                assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
            }
        }
    }

    #[test]
    fn a_small_scope_holds_every_sequence_of_operations_once() {
        let vendor = crate::spec::embedded("alibaba").unwrap();
        let (mut small, mut seen, mut pairs) = (Small::up_to(2), BTreeSet::new(), BTreeSet::new());
        while let Some(bytes) = small.next(&vendor) {
            assert!(seen.insert(bytes.clone()), "{bytes:?} came twice");
            let plan = Plan::decode(&vendor, &bytes);
            assert!((1..=2).contains(&plan.steps.len()), "{plan:?}");
            if let [Step::Call(one), Step::Call(two)] = plan.steps.as_slice() {
                pairs.insert((one.operation.clone(), two.operation.clone()));
            }
        }
        assert_eq!(pairs.len(), vendor.spec.operations.len().pow(2));
    }
}
