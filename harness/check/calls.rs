//! The calls that exercises make, in the words of no vendor.

use super::drive::Drive;
use super::link::{Halt, Made, Step};
use crate::codec::Call;
use crate::history::Exchange;
use crate::model::{Fact, Facts, Meaning, Restored, Role, State, Text, VersionFact};
use crate::spec::{Type, truth};

/// Seconds by which the clock is advanced while something goes on.
const TICK: i64 = 5;
/// Looks at something that goes on before it counts as endless.
const LOOKS: u32 = 9;
/// Seconds of a day, which is enough for whatever goes on.
pub(super) const DAY: i64 = 86_400;

impl<'a> Drive<'a> {
    /// Waits until the rotations that calls began are done, as far as that can be seen: they may queue.
    pub(super) fn finish(&mut self, places: &[usize]) -> Step {
        let mut unseen = Vec::new();
        for at in places {
            if !self.sees_end(*at)? {
                unseen.push(*at);
            }
        }
        // How long a rotation may take is not documented: one that was not seen to end has ended where a clock can
        // move on, as a day is enough for any.
        let given_up = |drive: &mut Self| drive.settings().in_vain > 3 || drive.advance(DAY).is_ok();
        let over = unseen.is_empty() || self.has_clock() && given_up(self);
        if !over {
            return Ok(());
        }
        self.settled();
        for at in unseen {
            if let Some(task) = self.task_of(at) {
                let account = self.at(at)?.call.account;
                self.ask(&task, account)?;
            }
        }
        Ok(())
    }

    /// Waits until the rotation that a call began is done, and tells whether that could be seen.
    fn sees_end(&mut self, at: usize) -> Step<bool> {
        let call = self.at(at)?.call.clone();
        let named = |drive: &Self, is| {
            let operation = drive.vendor.spec.operations.get(&call.operation)?;
            call.get(operation.parameter(is)?.0).map(str::to_owned)
        };
        let name = named(self, Meaning::Secret).unwrap_or_default();
        let secret = self.known(call.account, &name);
        let task = self.task_of(at);
        let mut ended = false;
        for round in 0..LOOKS {
            let going_on = match &task {
                Some(task) => self.ask(task, call.account)? == Some(State::Running),
                None => self.shows_pending(&secret, at, round)?,
            };
            if !going_on {
                ended = true;
                break;
            }
            if round + 1 == LOOKS && going_on {
                self.settings().in_vain += 1;
            }
            let waits = match self.has_clock() {
                true => self.advance(TICK).is_ok(),
                false => self.settings().in_vain < 3 && self.wait(round),
            };
            if !waits {
                break;
            }
        }
        Ok(ended)
    }

    /// What was refused must not happen later either: gives it time.
    pub(super) fn let_pass(&mut self) -> Step {
        match self.has_clock() {
            true => self.advance(TICK),
            false => {
                self.wait(0);
                Ok(())
            }
        }
    }

    /// The task that the call at a place answered.
    pub(super) fn task_of(&self, at: usize) -> Option<String> {
        self.vendor.spec.operation_for(Role::Task)?;
        match self.fact(at, Meaning::Task) {
            Some(Fact::Text(id)) if !id.is_empty() && &*id != "0" => Some(id.to_string()),
            _ => None,
        }
    }

    /// Asks what became of a task.
    pub(super) fn ask(&mut self, task: &str, account: usize) -> Step<Option<State>> {
        let (name, _) = self.operation(Role::Task)?;
        let mut call = Call::new(name);
        call.account = account;
        self.set(&mut call, Meaning::Task, task);
        let at = self.send(&call)?;
        Ok(match self.fact(at, Meaning::TaskState) {
            Some(Fact::State(state)) => Some(state),
            _ => None,
        })
    }

    /// Whether a description shows a version that a rotation is making, or nothing of it yet.
    fn shows_pending(&mut self, secret: &Made, rotation: usize, round: u32) -> Step<bool> {
        // Without a task and a stage nothing shows: the clock has to do.
        let Some(pending) = self.vendor.law.pending.clone() else {
            return Ok(round == 0 || !self.has_clock());
        };
        let at = self.describe(secret)?;
        let Some(Fact::Versions(versions)) = self.fact(at, Meaning::Versions) else { return Ok(false) };
        let current = &self.vendor.law.current;
        let going_on = versions.iter().any(|version| {
            version.stages.as_ref().is_some_and(|it| it.contains(&pending) && !it.contains(current))
        });
        // A function that makes the version may not have begun. One that does not in all this time never will.
        let late = !self.shows_begun(secret, rotation, &versions, round) && self.settings().in_vain < 3;
        if late && round + 1 == LOOKS {
            self.settings().in_vain += 1;
        }
        Ok(going_on || late && round + 1 < LOOKS)
    }

    /// Whether a description shows the version that a rotation makes, if it makes one at once.
    fn shows_begun(&self, secret: &Made, rotation: usize, versions: &[VersionFact], round: u32) -> bool {
        let (Some(exchange), Some(Fact::Text(made))) =
            (self.history.call(rotation), self.fact(rotation, Meaning::Version))
        else {
            return true;
        };
        let operation = self.vendor.spec.operations.get(&exchange.call.operation);
        let immediately = operation.and_then(|it| it.parameter(Meaning::Immediately)).map(|(name, _)| name);
        if immediately.and_then(|name| exchange.call.get(name)).and_then(truth) == Some(false) {
            // A trial of what rotates may begin late as well, and leaves nothing behind.
            return round > 0;
        }
        // Unless another call at this secret may have made it before.
        let says = |call: &Call, is: &dyn Fn(&str) -> bool| call.pairs().iter().any(|(_, text)| is(text));
        let may_have_made = |it: &Exchange| {
            it.call.account == secret.account
                && !it.refused()
                && says(&it.call, &|text| text.contains(&secret.name))
                && says(&it.call, &|text| *text == *made)
        };
        let again = || self.history.calls().any(|(at, it)| at < rotation && may_have_made(it));
        versions.iter().any(|version| version.id == made) || again()
    }

    /// Rotates with a token of the caller's.
    pub fn rotate_with(&mut self, secret: &Made, token: &str) -> Step<usize> {
        let mut call = self.call_of(Role::Rotate, secret)?;
        self.set(&mut call, Meaning::Token, token);
        self.send(&call)
    }

    /// Rotates with a fresh token, and says which.
    pub fn rotate(&mut self, secret: &Made) -> Step<(usize, String)> {
        let token = self.token();
        Ok((self.rotate_with(secret, &token)?, token))
    }

    /// Sets the rotation policy; where rotation carries it, without rotating at once.
    pub fn set_policy(&mut self, secret: &Made, enable: bool, interval: Option<&str>) -> Step<usize> {
        let mut call = self.policy_call(secret, enable)?;
        if let Some(interval) = interval {
            self.set_interval(&mut call, interval);
        }
        self.send(&call)
    }

    /// A call that switches automatic rotation on or off, without an interval.
    pub fn policy_call(&mut self, secret: &Made, enable: bool) -> Step<Call> {
        if self.operation(Role::SetPolicy).is_ok() {
            let mut call = self.call_of(Role::SetPolicy, secret)?;
            self.set(&mut call, Meaning::Enable, enable.to_string());
            return Ok(call);
        }
        if !enable {
            return self.call_of(Role::Cancel, secret);
        }
        let mut call = self.call_of(Role::Rotate, secret)?;
        let (_, operation) = self.operation(Role::Rotate)?;
        let Some((name, _)) = operation.parameter(Meaning::Immediately) else {
            return Err(Halt::Missing("the API documents no way to set a rotation policy".into()));
        };
        call.set(name, "false");
        let token = self.token();
        self.set(&mut call, Meaning::Token, token);
        if let Some((name, _)) = operation.parameter(Meaning::Interval) {
            call = call.without(name);
        }
        Ok(call)
    }

    /// Gives a call an interval, `30d`, in the form that its parameter has.
    pub fn set_interval(&self, call: &mut Call, text: &str) {
        let operation = self.vendor.spec.operations.get(&call.operation);
        let Some((name, parameter)) = operation.and_then(|it| it.parameter(Meaning::Interval)) else {
            return;
        };
        let bare = parameter.unit.filter(|_| parameter.kind == Type::Integer);
        let text = match bare {
            Some(unit) => text.strip_suffix(unit.letter()).unwrap_or(text),
            None => text,
        };
        call.set(name, text);
    }

    /// An interval in the middle of what is legal for certain, in days.
    pub fn legal_interval(&self, days_above_least: i64) -> String {
        format!("{}d", (self.vendor.spec.interval.min.0 + 86_399) / 86_400 + days_above_least)
    }

    /// Describes a secret, in every way that there is; the place of the first is returned.
    pub fn describe(&mut self, secret: &Made) -> Step<usize> {
        let calls = self.calls_at(Role::Describe, secret)?;
        let mut first = None;
        for call in calls {
            let at = self.send(&call)?;
            first = first.or(Some(at));
        }
        first.ok_or_else(|| Halt::Missing("the API documents no operation that would describe".into()))
    }

    /// Empty calls of every operation that has a role, at a secret that it serves.
    fn calls_at(&self, role: Role, secret: &Made) -> Step<Vec<Call>> {
        self.operation(role)?;
        let serving = self.vendor.spec.operations_for(role).filter(|(_, it)| it.serves(&secret.kind));
        Ok(serving.map(|(name, operation)| self.call_by(name, operation, secret)).collect())
    }

    /// Lists every version of a secret, those without a stage too.
    pub fn versions(&mut self, secret: &Made) -> Step<usize> {
        let mut last = self.history.entries.len().saturating_sub(1);
        for mut call in self.calls_at(Role::Versions, secret)? {
            self.set(&mut call, Meaning::IncludeDeprecated, "true");
            self.set(&mut call, Meaning::PageSize, "100");
            last = self.send(&call)?;
        }
        Ok(last)
    }

    /// Reads the value that has a stage; the current one if none is named.
    pub fn read(&mut self, secret: &Made, stage: Option<&Text>) -> Step<usize> {
        let mut call = self.call_of(Role::Read, secret)?;
        let operation = self.operation_at(Role::Read, &secret.kind)?.1;
        let by_stage = operation.parameter(Meaning::Stage).is_some();
        match stage {
            Some(stage) if by_stage => self.set(&mut call, Meaning::Stage, &**stage),
            Some(stage) => {
                let Some(id) = self.staged(secret, stage)? else { return Ok(self.history.entries.len() - 1) };
                self.set(&mut call, Meaning::Version, id);
            }
            None => {
                let needed = operation.parameter(Meaning::Version).is_some_and(|(_, it)| it.required);
                if needed {
                    self.set(&mut call, Meaning::Version, self.current_id(secret));
                }
            }
        }
        self.send(&call)
    }

    /// The id by which the current version is read, where reads name one.
    pub fn current_id(&self, secret: &Made) -> String {
        let unstaged = self.vendor.spec.kinds.get(&secret.kind).is_some_and(|kind| kind.unstaged);
        let alias = self.vendor.law.alias.as_ref().filter(|_| !unstaged);
        alias.map_or_else(|| secret.first.clone(), ToString::to_string)
    }

    /// The id of the version that has a stage, as the list of versions shows it.
    fn staged(&mut self, secret: &Made, stage: &Text) -> Step<Option<String>> {
        let at = self.versions(secret)?;
        let Some(Fact::Versions(versions)) = self.fact(at, Meaning::Versions) else { return Ok(None) };
        let holds = |stages: &Option<Vec<Text>>| stages.as_ref().is_some_and(|it| it.contains(stage));
        Ok(versions.iter().find(|version| holds(&version.stages)).map(|version| version.id.to_string()))
    }

    /// Writes a version.
    pub fn put(&mut self, secret: &Made, token: &str, value: &str, stages: Option<&str>) -> Step<usize> {
        let mut call = self.call_of(Role::Put, secret)?;
        self.set(&mut call, Meaning::Token, token);
        self.set(&mut call, Meaning::Value, value);
        if let Some(stages) = stages {
            self.set(&mut call, Meaning::Stages, stages);
        }
        self.send(&call)
    }

    /// The id of the version that a write made: its token, or what the reply says.
    pub fn written(&self, at: usize, token: &str) -> String {
        match self.fact(at, Meaning::Version) {
            Some(Fact::Text(id)) => id.to_string(),
            _ => token.to_owned(),
        }
    }

    /// Looks at everything that shows the state of a secret, for the general judge.
    pub fn look(&mut self, secret: &Made) -> Step {
        self.describe(secret)?;
        if self.operation(Role::Versions).is_ok() {
            self.versions(secret)?;
        }
        self.read(secret, None)?;
        Ok(())
    }

    /// As [`Self::look`], and at the previous version too.
    pub fn look_back(&mut self, secret: &Made) -> Step {
        self.look(secret)?;
        if let Some(previous) = self.vendor.law.previous.clone() {
            self.read(secret, Some(&previous))?;
        }
        Ok(())
    }

    /// Deletes a secret, at once or after a window of days. Where a secret must be switched off before,
    /// it is.
    pub fn delete(&mut self, secret: &Made, days: Option<i64>) -> Step<usize> {
        if self.vendor.law.needs_disabled {
            self.switch(secret, false)?;
        }
        let call = self.deletion(secret, days)?;
        self.send(&call)
    }

    /// A call that deletes a secret, at once or after a window of days.
    pub fn deletion(&self, secret: &Made, days: Option<i64>) -> Step<Call> {
        let mut ways = self.vendor.spec.operations_for(Role::Delete);
        let fitting = ways.find(|(_, it)| match days {
            Some(_) => it.parameter(Meaning::Window).is_some(),
            None => it.forced || it.parameter(Meaning::Force).is_some(),
        });
        let (name, operation) = match fitting {
            Some(found) => found,
            None => self.operation(Role::Delete)?,
        };
        let mut call = self.call_by(name, operation, secret);
        match days {
            Some(days) => self.set(&mut call, Meaning::Window, days.to_string()),
            None if operation.forced => {}
            None if operation.parameter(Meaning::Force).is_some() => {
                self.set(&mut call, Meaning::Force, "true");
            }
            None => self.set(&mut call, Meaning::Window, "0"),
        }
        Ok(call)
    }

    /// Days of a deletion window that is one.
    pub fn window(&self) -> i64 {
        let usual = self.vendor.spec.deletion.default_days;
        if usual > 0 {
            return usual;
        }
        let ways = self.vendor.spec.operations_for(Role::Delete);
        ways.filter_map(|(_, it)| it.parameter(Meaning::Window)?.1.max).next().unwrap_or(7)
    }

    /// Restores a secret from its deletion window, and switches it on where restoring does not.
    pub fn restore(&mut self, secret: &Made) -> Step<usize> {
        let call = self.call_of(Role::Restore, secret)?;
        let at = self.send(&call)?;
        if self.vendor.law.restores == Restored::Disabled {
            self.switch(secret, true)?;
        }
        Ok(at)
    }

    /// Switches a secret on or off.
    pub fn switch(&mut self, secret: &Made, on: bool) -> Step<usize> {
        let call = self.call_of(if on { Role::Enable } else { Role::Disable }, secret)?;
        self.send(&call)
    }

    /// A well-formed text for a parameter that names nothing that there is.
    pub fn nothing(&self, operation: &str, is: Meaning) -> String {
        let described = self.vendor.spec.operations.get(operation).and_then(|it| it.parameter(is));
        described.and_then(|(_, it)| it.absent.clone()).unwrap_or_else(|| "rotaprobe-none".into())
    }

    /// What facts say of when a secret was rotated last.
    pub fn last_rotation(facts: &Facts) -> Option<Fact> {
        facts.iter().find(|(meaning, _)| *meaning == Meaning::LastRotation).map(|(_, fact)| fact.clone())
    }
}
