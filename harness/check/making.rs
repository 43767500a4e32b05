//! Makes secrets for exercises, and well-formed calls at them, from the samples of a spec.

use super::drive::Drive;
use super::link::{Halt, Made, Step};
use crate::codec::{Call, Param, Place};
use crate::model::{Fact, Meaning, Role, State};
use crate::spec::{Sample, Type};

/// When automatic rotation begins, in seconds from now, where a call has to name a date. Consoles offer a day
/// at least.
const SOON: i64 = 2 * 86_400;

impl<'a> Drive<'a> {
    /// The first kind of secret that can rotate, or one that takes values: one that cannot rotate,
    /// where there is one.
    pub fn kind(&self, rotates: bool) -> Step<&'a str> {
        let kinds = || self.vendor.spec.kinds.iter();
        let fitting = match rotates {
            true => kinds().find(|(_, kind)| kind.rotates),
            false => kinds()
                .find(|(_, kind)| !kind.rotates && kind.takes_values)
                .or_else(|| kinds().find(|(_, kind)| kind.takes_values)),
        };
        fitting
            .map(|(name, _)| name.as_str())
            .ok_or_else(|| Halt::Missing("the API documents no such kind of secret".into()))
    }

    /// A fresh secret that can rotate.
    pub fn rotatable(&mut self) -> Step<Made> {
        let kind = self.kind(true)?;
        self.create(kind, 0, 0)
    }

    /// A fresh secret that cannot rotate.
    pub fn plain(&mut self) -> Step<Made> {
        let kind = self.kind(false)?;
        self.create(kind, 0, 0)
    }

    /// A call that creates a secret of a kind in the way of its n-th sample.
    pub fn creation(&mut self, kind: &str, sample: usize, account: usize) -> Step<(Call, Made)> {
        let (operation, described) = self.operation_at(Role::Create, kind)?;
        let spec =
            self.vendor.spec.kinds.get(kind).ok_or_else(|| Halt::Missing(format!("no kind {kind}")))?;
        let (_, sample): (_, &Sample) = spec
            .samples
            .get_index(sample)
            .ok_or_else(|| Halt::Missing(format!("{kind} has no such sample")))?;
        let fresh = self.value();
        let given =
            spec.literal_name.clone().unwrap_or_else(|| format!("{}{}", sample.name_prefix, self.name()));
        let mut made =
            Made { account, name: given.clone(), kind: kind.to_owned(), arn: None, first: self.token() };
        self.settings().kinds.insert(given.clone(), kind.to_owned());
        let mut call = Call::new(operation);
        call.account = account;
        for (name, parameter) in &described.parameters {
            let value = match parameter.is {
                Meaning::Secret => Some(given.clone()),
                Meaning::Token => Some(made.first.clone()),
                Meaning::Value => Some(sample.value_with(&fresh)),
                Meaning::Kind => Some(self.vendor.word_of(kind).to_owned()),
                Meaning::Project => None,
                Meaning::Config => sample.config.clone(),
                _ if parameter.only_if.is_some() => None,
                _ => parameter
                    .given()
                    .then(|| parameter.example.clone().unwrap_or_else(|| Self::sample_of(parameter))),
            };
            if let Some(value) = value {
                call.set(name, value);
            }
        }
        made.name = given;
        Ok((call, made))
    }

    /// The same in the way of the first sample, under a name that is given.
    pub fn creation_as(&mut self, kind: &str, account: usize, name: &str) -> Step<(Call, Made)> {
        let (mut call, made) = self.creation(kind, 0, account)?;
        self.set(&mut call, Meaning::Secret, name);
        Ok((call, Made { name: name.to_owned(), ..made }))
    }

    pub(super) fn sample_of(parameter: &crate::spec::Parameter) -> String {
        match parameter.kind {
            Type::Integer => parameter.min.unwrap_or(1).to_string(),
            Type::Boolean => "true".into(),
            _ => parameter.values.first().cloned().unwrap_or_else(|| "sample".into()),
        }
    }

    /// Creates a secret of a kind; ends the exercise if the endpoint will not.
    pub fn create(&mut self, kind: &str, sample: usize, account: usize) -> Step<Made> {
        if let Some(made) = self.adopted(kind, account)? {
            return Ok(made);
        }
        let (call, made) = self.creation(kind, sample, account)?;
        self.create_by(&call, made)
    }

    /// Makes a creating call; ends the exercise if the endpoint will not.
    pub fn create_by(&mut self, call: &Call, mut made: Made) -> Step<Made> {
        let at = self.send(call)?;
        if !self.done(at) {
            let why =
                format!("a secret of kind {} could not be created: {}", made.kind, self.at(at)?.summary());
            return Err(Halt::Missing(why));
        }
        let names_version = |(name, _): (&str, _)| call.get(name).is_some();
        let operation = self.vendor.spec.operations.get(&call.operation);
        let mut known = operation.and_then(|it| it.parameter(Meaning::Token)).is_some_and(names_version);
        for (meaning, fact) in self.facts(at) {
            match (meaning, fact) {
                (Meaning::Arn, Fact::Text(arn)) => made.arn = Some(arn.to_string()),
                (Meaning::Secret, Fact::Text(name)) => made.name = name.to_string(),
                (Meaning::Version, Fact::Text(id)) => (made.first, known) = (id.to_string(), true),
                _ => {}
            }
        }
        if let Some(task) = self.task_of(at) {
            self.await_creation(&task, made.account)?;
        }
        if !known {
            let at = self.read(&made, None)?;
            made.first = self.written(at, &made.first);
        }
        Ok(made)
    }

    /// Lets a call that creates a secret, or sets its policy, switch automatic rotation on.
    pub fn switch_on(&self, call: &mut Call, interval: Option<&str>) {
        self.set(call, Meaning::Enable, "true");
        if let Some(interval) = interval {
            self.set_interval(call, interval);
        }
        let operation = self.vendor.spec.operations.get(&call.operation);
        let date = operation.and_then(|operation| operation.parameter(Meaning::FirstRotation));
        if let Some((name, parameter)) = date.filter(|(_, parameter)| parameter.required)
            && let Some(soon) = parameter.form.write(self.now() + SOON)
        {
            call.set(name, soon);
        }
    }

    /// Some secrets are there only after the task of their creation ended.
    fn await_creation(&mut self, task: &str, account: usize) -> Step {
        for round in 0..6 {
            if self.ask(task, account)? != Some(State::Running) {
                break;
            }
            let waits = if self.has_clock() { self.advance(5).is_ok() } else { self.wait(round) };
            if !waits {
                break;
            }
        }
        Ok(())
    }

    /// Brings a secret into the state in which a call of a role succeeds; gives a task, where one is asked for.
    fn prepare(&mut self, role: Role, secret: Option<&Made>) -> Step<Option<String>> {
        let Some(secret) = secret else { return Ok(None) };
        match role {
            Role::Restore => {
                self.delete(secret, Some(self.window()))?;
            }
            Role::Delete if self.vendor.law.needs_disabled => {
                self.switch(secret, false)?;
            }
            Role::Enable => {
                self.switch(secret, false)?;
            }
            Role::RemoveStage | Role::ReadStage => {
                let mut call = self.call_of(Role::MoveStage, secret)?;
                self.set(&mut call, Meaning::Stage, "rotaprobe-stage");
                self.set(&mut call, Meaning::MoveTo, secret.first.clone());
                self.send(&call)?;
            }
            Role::Task => {
                let (at, _) = self.rotate(secret)?;
                let task = self.task_of(at);
                return task.map(Some).ok_or_else(|| Halt::Missing("no rotation answered a task".into()));
            }
            _ => {}
        }
        Ok(None)
    }

    /// A well-formed call of any operation, at a secret that fits it; parameters that are not
    /// required are left out.
    pub fn valid_call(&mut self, operation: &str) -> Step<(Call, Option<Made>)> {
        let Some(described) = self.vendor.spec.operations.get(operation) else {
            return Err(Halt::Missing(format!("no operation {operation}")));
        };
        let serves = |kind: &&str| described.serves(kind);
        let own =
            |rotates| self.kind(rotates).ok().filter(serves).or(described.kinds.first().map(String::as_str));
        let (plain, rotating) = (own(false), own(true));
        let none = || Halt::Missing("the API documents no such kind of secret".into());
        if described.role == Role::Create {
            let (call, made) = self.creation(plain.ok_or_else(none)?, 0, 0)?;
            return Ok((call, Some(made)));
        }
        let at_a_secret = described.parameter(Meaning::Secret).is_some();
        let kind = match described.role {
            Role::Rotate | Role::SetPolicy | Role::Cancel | Role::Task => rotating,
            _ => plain,
        };
        let mut secret = match at_a_secret || described.role == Role::Task {
            true => Some(self.create(kind.ok_or_else(none)?, 0, 0)?),
            false => None,
        };
        let task = self.prepare(described.role, secret.as_ref())?;
        if described.role == Role::Task {
            secret = None;
        }
        let mut call = Call::new(operation);
        for (name, parameter) in &described.parameters {
            let value = match (parameter.is, &secret) {
                (Meaning::Secret, Some(secret)) => Some(secret.name.clone()),
                (Meaning::Token, _) => Some(self.token()),
                (Meaning::Value, _) => Some(self.value()),
                (Meaning::Enable, _) => Some("true".into()),
                (Meaning::Interval, _) if parameter.unit.is_some() => {
                    Some(self.legal_interval(23).trim_end_matches('d').to_owned())
                }
                (Meaning::Interval, _) => Some(self.legal_interval(23)),
                (Meaning::Project, _) => None,
                (Meaning::Task, _) => task.clone(),
                (Meaning::Version, Some(secret)) if parameter.required => Some(self.current_id(secret)),
                (Meaning::MoveTo, Some(secret)) => Some(secret.first.clone()),
                (Meaning::Stage, _) if parameter.required => Some("rotaprobe-stage".into()),
                _ => parameter
                    .given()
                    .then(|| parameter.example.clone().unwrap_or_else(|| Self::sample_of(parameter))),
            };
            if let Some(value) = value {
                call.params.push(Param { name: name.clone(), value, place: Place::Documented });
            }
        }
        Ok((call, secret))
    }
}
