//! Makes secrets for exercises, and well-formed calls at them, from the samples of a spec.

use super::drive::{Drive, Halt, Made, Step};
use crate::codec::{Call, Param, Place};
use crate::model::{Fact, Meaning, Role};
use crate::spec::{Sample, Type};

impl<'a> Drive<'a> {
    /// The first kind of secret that can, or cannot, rotate.
    pub fn kind(&self, rotates: bool) -> Step<&'a str> {
        let mut kinds = self.vendor.spec.kinds.iter();
        kinds
            .find(|(_, kind)| kind.rotates == rotates)
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
        let (operation, described) = self.operation(Role::Create)?;
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
        let mut call = Call::new(operation);
        call.account = account;
        for (name, parameter) in &described.parameters {
            let value = match parameter.is {
                Meaning::Secret => Some(given.clone()),
                Meaning::Token => Some(made.first.clone()),
                Meaning::Value => Some(sample.value.replace("{fresh}", &fresh)),
                Meaning::Kind => Some(kind.to_owned()),
                Meaning::Config => sample.config.clone(),
                _ if parameter.only_if.is_some() => None,
                _ => parameter
                    .required
                    .then(|| parameter.example.clone().unwrap_or_else(|| self.sample_of(parameter))),
            };
            if let Some(value) = value {
                call.set(name, value);
            }
        }
        made.name = given;
        Ok((call, made))
    }

    fn sample_of(&self, parameter: &crate::spec::Parameter) -> String {
        match parameter.kind {
            Type::Integer => parameter.min.unwrap_or(1).to_string(),
            Type::Boolean => "true".into(),
            _ => parameter.values.first().cloned().unwrap_or_else(|| "sample".into()),
        }
    }

    /// Creates a secret of a kind; ends the exercise if the endpoint will not.
    pub fn create(&mut self, kind: &str, sample: usize, account: usize) -> Step<Made> {
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
        for (meaning, fact) in self.facts(at) {
            match (meaning, fact) {
                (Meaning::Arn, Fact::Text(arn)) => made.arn = Some(arn.to_string()),
                (Meaning::Secret, Fact::Text(name)) => made.name = name.to_string(),
                _ => {}
            }
        }
        Ok(made)
    }

    /// A well-formed call of any operation, at a secret that fits it; parameters that are not
    /// required are left out.
    pub fn valid_call(&mut self, operation: &str) -> Step<(Call, Option<Made>)> {
        let Some(described) = self.vendor.spec.operations.get(operation) else {
            return Err(Halt::Missing(format!("no operation {operation}")));
        };
        if described.role == Role::Create {
            let kind = self.kind(false)?;
            let (call, made) = self.creation(kind, 0, 0)?;
            return Ok((call, Some(made)));
        }
        let at_a_secret = described.parameter(Meaning::Secret).is_some();
        let secret = match described.role {
            _ if !at_a_secret => None,
            Role::Rotate | Role::SetPolicy => Some(self.rotatable()?),
            _ => Some(self.plain()?),
        };
        if let (Role::Restore, Some(secret)) = (described.role, &secret) {
            self.delete(secret, Some(self.vendor.spec.deletion.default_days))?;
        }
        let mut call = Call::new(operation);
        for (name, parameter) in &described.parameters {
            let value = match (parameter.is, &secret) {
                (Meaning::Secret, Some(secret)) => Some(secret.name.clone()),
                (Meaning::Token, _) => Some(self.token()),
                (Meaning::Value, _) => Some(self.value()),
                (Meaning::Enable, _) => Some("true".into()),
                (Meaning::Interval, _) => Some(self.legal_interval(23)),
                (Meaning::MoveTo, Some(secret)) => Some(secret.first.clone()),
                (Meaning::Stage, _) if parameter.required => Some("rotaprobe-stage".into()),
                _ => parameter
                    .required
                    .then(|| parameter.example.clone().unwrap_or_else(|| self.sample_of(parameter))),
            };
            if let Some(value) = value {
                call.params.push(Param { name: name.clone(), value, place: Place::Documented });
            }
        }
        Ok((call, secret))
    }
}
