//! Performs a plan: makes its secrets, does what it says, and looks at what is left.

use crate::check::{Drive, Halt, Link, Made, Settings, Step as Done};
use crate::codec::{Call, Param, Place};
use crate::generate::{Ask, Beside, Called, Given, Manner, Plan, Planted, Step};
use crate::history::{Attempt, Entry, History, Tamper};
use crate::model::{Fact, Meaning, Role, VersionFact};
use crate::spec::Vendor;
use std::collections::BTreeMap;

/// Seconds after which a rotation that goes on may have ended, and no schedule need have acted.
const MOMENT: i64 = 50;

/// Tokens, values and repetitions of a plan at most: a file may say any number.
const MANY: usize = 1_000;

/// Seconds after which every rotation that was begun is taken for ended.
const ENOUGH: i64 = 60;

/// Pages of a list that are asked for at most.
const PAGES: usize = 12;

/// Characters that some encoder gets wrong; all of them may stand in a JSON text.
const ODD: &str = "a b*c~d+e/f=g@h\u{51ed}'(!)<i>&amp;%20";

/// What came of a plan.
#[derive(Debug)]
pub struct Performed<'p> {
    /// What happened.
    pub history: History,
    /// Places of the plan's own calls, and what was asked there.
    pub asked: Vec<(usize, &'p Ask)>,
    /// Why it ended early, if it did.
    pub halted: Option<Halt>,
}

/// A secret of the plan, as far as its calls have shown it.
struct Known {
    made: Made,
    versions: Vec<String>,
    /// Which version has which stage.
    holders: BTreeMap<String, String>,
    tasks: Vec<String>,
}

impl Known {
    fn new(made: Made) -> Self {
        Self { versions: vec![made.first.clone()], holders: BTreeMap::new(), tasks: Vec::new(), made }
    }

    /// Remembers what versions a reply shows, with their stages.
    fn show(&mut self, versions: &[VersionFact]) {
        for version in versions {
            note(&mut self.versions, &version.id);
            for stage in version.stages.iter().flatten() {
                self.holders.insert(stage.to_string(), version.id.to_string());
            }
        }
    }
}

struct Stage<'a, 'p> {
    drive: Drive<'a>,
    secrets: Vec<Option<Known>>,
    tokens: Vec<String>,
    values: Vec<String>,
    marker: Option<String>,
    /// How many times a call that is made often was made already.
    round: usize,
    asked: Vec<(usize, &'p Ask)>,
}

/// Performs a plan on fresh secrets.
pub fn perform<'p>(
    plan: &'p Plan,
    vendor: &Vendor,
    link: &mut dyn Link,
    settings: &mut Settings,
) -> Performed<'p> {
    let mut drive = Drive::new(link, vendor, settings);
    drive.leave_unfinished(true);
    let (tokens, values, marker) = (Vec::new(), Vec::new(), None);
    let mut stage = Stage { drive, secrets: Vec::new(), tokens, values, marker, round: 0, asked: Vec::new() };
    let halted = stage.play(plan).err();
    Performed { history: std::mem::take(&mut stage.drive.history), asked: stage.asked, halted }
}

impl<'p> Stage<'_, 'p> {
    fn play(&mut self, plan: &'p Plan) -> Done {
        for planted in &plan.secrets {
            let account = if self.drive.need_second_account().is_ok() { planted.account } else { 0 };
            let made = match self.plant(planted, account) {
                Ok(made) => Some(made),
                // What cannot be made here is left out; the judges have seen the attempt.
                Err(Halt::Missing(_)) => None,
                Err(halt) => return Err(halt),
            };
            self.secrets.push(made.map(Known::new));
        }
        for step in &plan.steps {
            match step {
                Step::Call(ask) => self.call(ask)?,
                Step::Together(asks) => self.together(asks)?,
                Step::Advance(seconds) => self.advance(*seconds)?,
                Step::Often(ask, times) => self.often(ask, *times)?,
                Step::Pages(ask) => self.pages(ask)?,
            }
        }
        self.look()?;
        if self.drive.vendor.law.takes.is_some() && self.drive.need_clock().is_ok() {
            self.drive.advance(MOMENT)?;
            self.look()?;
        }
        Ok(())
    }

    /// Makes a call again and again; what would name the same each time names something new. Beyond the
    /// documented limit only where time can pass as quickly as it is used up; there each rotation ends before
    /// the next one begins, too.
    fn often(&mut self, ask: &'p Ask, times: usize) -> Done {
        let beyond = self.drive.need_clock().is_ok();
        self.drive.go_beyond_limits(beyond);
        let vendor = self.drive.vendor;
        let rotates = vendor.spec.operations.get(&ask.operation).is_some_and(|it| it.role == Role::Rotate);
        let finishes = rotates && vendor.law.takes.is_some() && beyond;
        if finishes {
            // Whoever waits for one rotation takes all that were begun before for ended.
            self.advance(ENOUGH)?;
            self.drive.leave_unfinished(false);
        }
        for round in 0..times.min(MANY) {
            self.tokens.clear();
            self.round = round;
            self.call(ask)?;
        }
        self.round = 0;
        self.drive.leave_unfinished(true);
        self.drive.go_beyond_limits(false);
        Ok(())
    }

    /// Asks for page after page, to one that is empty or says that it is the last.
    fn pages(&mut self, ask: &'p Ask) -> Done {
        let Some(operation) = self.drive.vendor.spec.operations.get(&ask.operation) else { return Ok(()) };
        let named = |is| operation.parameter(is).map(|(name, _)| name.to_owned());
        let (page, offset, marker) = (named(Meaning::Page), named(Meaning::Offset), named(Meaning::Marker));
        let mut shown = 0;
        for number in 1..=PAGES {
            let Some(mut call) = self.resolve(ask) else { return Ok(()) };
            match (&page, &offset, &marker, self.marker.take()) {
                (Some(page), ..) => call.set(page, number.to_string()),
                (_, Some(offset), ..) => call.set(offset, shown.to_string()),
                (.., Some(name), Some(marker)) if number > 1 => call.set(name, marker),
                _ if number > 1 => break,
                _ => {}
            }
            let at = self.drive.send(&call)?;
            self.learn(at, ask);
            let entries = |(_, fact): &(Meaning, Fact)| match fact {
                Fact::Names(names) => names.len(),
                Fact::Versions(versions) => versions.len(),
                _ => 0,
            };
            let more: usize = self.drive.facts(at).iter().map(entries).sum();
            if more == 0 {
                break;
            }
            shown += more;
        }
        Ok(())
    }

    /// Makes a secret. Where its value is free, it is the plan's first one, so that it can come again.
    fn plant(&mut self, planted: &Planted, account: usize) -> Done<Made> {
        let first = self.secrets.first().and_then(Option::as_ref).map(|known| known.made.name.clone());
        let name = match (planted.called, first) {
            (Called::AsTheFirst, Some(name)) if self.drive.need_second_account().is_ok() => Some(name),
            (Called::AfterTheFirst, Some(name)) => Some(format!("{name}c")),
            _ => None,
        };
        let kind = self.drive.vendor.spec.kinds.get(&planted.kind);
        let free = kind
            .and_then(|kind| kind.samples.get_index(planted.sample))
            .is_some_and(|(_, it)| it.takes_any());
        let named = kind.is_some_and(|kind| kind.literal_name.is_none());
        if name.is_none()
            && let Some(made) = self.drive.adopted(&planted.kind, account)?
        {
            return Ok(made);
        }
        let (mut call, mut made) = self.drive.creation(&planted.kind, planted.sample, account)?;
        if named {
            // Its end is there in two cases, and can be left out.
            let name = name.unwrap_or_else(|| format!("{}Ab", made.name));
            self.drive.set(&mut call, Meaning::Secret, name.clone());
            made.name = name;
        }
        for argument in &planted.with {
            if let Given::Text(text) = &argument.value {
                call.set(&argument.name, text.clone());
            }
        }
        if free {
            let value = self.value(0);
            self.drive.set(&mut call, Meaning::Value, value);
        }
        self.drive.create_by(&call, made)
    }

    /// The n-th value of the plan. The third ones have every character that some encoder gets wrong.
    fn value(&mut self, number: usize) -> String {
        let number = number.min(MANY);
        while self.values.len() <= number {
            let odd = if self.values.len() % 3 == 2 { ODD } else { "" };
            let value = format!("{odd}{}", self.drive.value());
            self.values.push(value);
        }
        self.values[number].clone()
    }

    fn call(&mut self, ask: &'p Ask) -> Done {
        let call = match ask.tamper {
            Some(Tamper::Again) => self.last(),
            _ => self.resolve(ask),
        };
        let Some(call) = call else { return Ok(()) };
        let attempt = Attempt { call: &call, tamper: ask.tamper.as_ref(), leave: ask.leave };
        let at = self.drive.attempt(attempt)?;
        self.learn(at, ask);
        Ok(())
    }

    /// The call just before, if it was answered and nothing was wrong with it: its bytes can be sent again.
    /// Of calls at once nobody knows which was the last.
    fn last(&self) -> Option<Call> {
        let entries = &self.drive.history.entries;
        let [.., before, Entry::Call(last)] = entries.as_slice() else { return None };
        let alone = match before {
            Entry::Call(before) => !before.span.overlaps(last.span),
            _ => true,
        };
        (alone && last.result.is_ok() && last.tamper.is_none()).then(|| last.call.clone())
    }

    fn together(&mut self, asks: &'p [Ask]) -> Done {
        let own = asks.iter().filter(|ask| ask.tamper != Some(Tamper::Again));
        let calls: Vec<(Call, &Ask)> = own.filter_map(|ask| Some((self.resolve(ask)?, ask))).collect();
        let attempts: Vec<Attempt<'_>> = calls
            .iter()
            .map(|(call, ask)| Attempt { call, tamper: ask.tamper.as_ref(), leave: ask.leave })
            .collect();
        let places = self.drive.send_together(&attempts)?;
        for (at, (_, ask)) in places.into_iter().zip(&calls) {
            self.learn(at, ask);
        }
        Ok(())
    }

    /// Without a clock that can be moved, time goes by as it does.
    fn advance(&mut self, seconds: i64) -> Done {
        if self.drive.need_clock().is_err() {
            return Ok(());
        }
        self.drive.advance(seconds)?;
        if seconds >= ENOUGH {
            let first = self.secrets.iter().flatten().next().map(|known| known.made.clone());
            match first {
                Some(secret) => self.drive.settle(&secret, |_| false)?,
                None => self.drive.settled(),
            }
        }
        Ok(())
    }

    fn look(&mut self) -> Done {
        let made: Vec<Made> = self.secrets.iter().flatten().map(|known| known.made.clone()).collect();
        made.iter().try_for_each(|secret| self.drive.look_back(secret))
    }

    /// The call that an ask means here and now; none if its secret could not be made.
    fn resolve(&mut self, ask: &Ask) -> Option<Call> {
        let own = self.secrets.get(ask.secret)?.as_ref()?.made.account;
        let mut call = Call::new(&ask.operation);
        call.account = if ask.foreign { 1 - own.min(1) } else { own };
        if self.drive.need_second_account().is_err() {
            call.account = 0;
        }
        if let Some(name) = &ask.scheme {
            let scheme = self.drive.schemes().into_iter().find(|scheme| scheme.name == *name)?;
            call.how.scheme = Some(scheme);
        }
        for argument in &ask.with {
            let text = self.text(ask, &argument.value);
            // What nothing is known of yet is left out.
            if let Some(text) = text {
                call.set(&argument.name, text);
            }
        }
        if let Some(manner) = &ask.manner {
            self.travel(&mut call, ask, manner);
        }
        Some(call)
    }

    /// Sends a call on its way as it does not usually travel.
    fn travel(&mut self, call: &mut Call, ask: &Ask, manner: &Manner) {
        match manner {
            Manner::Method(method) => call.how.method = Some(method.clone()),
            Manner::Format(format) => call.how.format = Some(format.clone()),
            Manner::Version(version) => call.how.version = Some(version.clone()),
            Manner::Operation(operation) => call.operation.clone_from(operation),
            Manner::Path(path) => call.how.path = Some(path.clone()),
            Manner::InBody => call.how.place = Place::Body,
            Manner::Twice(name, other, beside) => {
                let places = match beside {
                    Beside::Documented => [Place::Documented; 2],
                    Beside::InQuery => [Place::Query; 2],
                    Beside::QueryAndBody => [Place::Query, Place::Body],
                    Beside::BodyAndQuery => [Place::Body, Place::Query],
                };
                let Some(value) = self.text(ask, other) else { return };
                if let Some(first) = call.params.iter_mut().find(|param| param.name == *name) {
                    first.place = places[0];
                    call.params.push(Param { name: name.clone(), value, place: places[1] });
                }
            }
        }
    }

    fn text(&mut self, ask: &Ask, given: &Given) -> Option<String> {
        let known = self.secrets.get(ask.secret)?.as_ref()?;
        Some(match given {
            Given::Text(text) => text.clone(),
            Given::Name => known.made.name.clone(),
            Given::Identifier => known.made.arn.clone().unwrap_or_else(|| known.made.name.clone()),
            Given::Version(number) => known.versions.get(*number).or(known.versions.last())?.clone(),
            Given::Task(number) => known.tasks.iter().rev().nth(*number).or(known.tasks.last())?.clone(),
            Given::Marker => self.marker.clone()?,
            Given::OwnStage => format!("rotaprobe-{}", self.round),
            Given::Project => return None,
            Given::Like(given, twist) => twist.of(&self.text(ask, given)?),
            Given::Token(number) => {
                let number = (*number).min(MANY);
                while self.tokens.len() <= number {
                    let token = self.drive.token();
                    self.tokens.push(token);
                }
                self.tokens[number].clone()
            }
            Given::Holder => {
                let operation = self.drive.vendor.spec.operations.get(&ask.operation)?;
                let (name, _) = operation.parameter(Meaning::Stage)?;
                let given = &ask.with.iter().find(|it| it.name == name)?.value;
                // A plan in a file may name a stage by whom it is held by, which is nobody.
                let plain = Some(given).filter(|it| matches!(it, Given::Text(_) | Given::OwnStage))?;
                let stage = self.text(ask, plain)?;
                self.secrets.get(ask.secret)?.as_ref()?.holders.get(&stage)?.clone()
            }
            Given::Value(number) => self.value(*number),
            Given::Sampled { kind, sample, value } => {
                let fresh = self.value(*value);
                let kind = self.drive.vendor.spec.kinds.get(kind)?;
                kind.samples.get_index(*sample)?.1.value_with(&fresh)
            }
        })
    }

    fn learn(&mut self, at: usize, ask: &'p Ask) {
        self.asked.push((at, ask));
        let facts = self.drive.facts(at);
        let operation = self.drive.vendor.spec.operations.get(&ask.operation);
        let names =
            operation.filter(|it| it.role == Role::Create).and_then(|it| it.parameter(Meaning::Secret));
        let call = self.drive.history.call(at).map(|exchange| exchange.call.clone());
        let created = names.and_then(|(name, _)| call.as_ref()?.get(name));
        let said = |is| call.as_ref()?.get(operation?.parameter(is)?.0);
        let moved = operation.is_some_and(|it| it.role == Role::MoveStage) && self.drive.done(at);
        let Some(Some(known)) = self.secrets.get_mut(ask.secret) else { return };
        if let (true, Some(stage), Some(to)) = (moved, said(Meaning::Stage), said(Meaning::MoveTo)) {
            known.holders.insert(stage.to_owned(), to.to_owned());
        }
        for (meaning, fact) in facts {
            match (meaning, fact) {
                (Meaning::Version, Fact::Text(id)) => note(&mut known.versions, &id),
                (Meaning::Versions, Fact::Versions(all)) => known.show(&all),
                (Meaning::Task, Fact::Text(id)) => note(&mut known.tasks, &id),
                (Meaning::Marker, Fact::Text(marker)) => self.marker = Some(marker.to_string()),
                (Meaning::Arn, Fact::Text(arn)) if created == Some(known.made.name.as_str()) => {
                    known.made.arn = Some(arn.to_string());
                }
                _ => {}
            }
        }
    }
}

fn note(all: &mut Vec<String>, id: &str) {
    if !id.is_empty() && !all.iter().any(|known| known == id) {
        all.push(id.to_owned());
    }
}
