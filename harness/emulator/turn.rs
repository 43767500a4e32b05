//! One turn: a request on its way through the emulator.

use super::fault::Seam;
use super::pages::{known, page_after, page_of};
use super::{Emulator, values};
use crate::codec::Refusal;
use crate::model::{
    Answer, Change, Condition, EVERYTHING, Expect, FIRST, Fact, Facts, Id, Key, LATER, Life, Meaning, Op,
    Outcome, Pending, Role, Secret, State, Text, Value, When, outcomes, tick,
};
use crate::sign::Scheme;
use crate::spec::{self, Complaint, Constraint, Format};
use crate::wire::{Request, Response};
use std::sync::Arc;

/// A request on its way through the emulator. Faults twist its fields at their seams.
#[derive(Debug)]
pub struct Turn<'a> {
    pub(crate) request: &'a Request,
    pub(crate) now: i64,
    pub(crate) request_id: String,
    pub(crate) scheme: Option<Arc<Scheme>>,
    pub(crate) account: usize,
    pub(crate) string_to_sign: String,
    pub(crate) operation: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) mistyped: Vec<String>,
    pub(crate) format: Format,
    pub(crate) op: Option<Op>,
    pub(crate) complaints: Vec<Complaint>,
    /// The secret as it was before.
    pub(crate) before: Option<(Key, Arc<Secret>)>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) condition: Option<Condition>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) facts: Facts,
    /// True while a rotation that an earlier call began is being finished.
    pub(crate) finishing: bool,
    /// The task that tells what becomes of the call.
    pub(crate) task: Option<Text>,
    pub(crate) response: Response,
}

impl<'a> Turn<'a> {
    pub(super) fn new(request: &'a Request, now: i64, request_id: String) -> Self {
        Self {
            request,
            now,
            request_id,
            scheme: None,
            account: 0,
            string_to_sign: String::new(),
            operation: String::new(),
            params: Vec::new(),
            mistyped: Vec::new(),
            format: Format::Json,
            op: None,
            complaints: Vec::new(),
            before: None,
            outcome: None,
            condition: None,
            refusal: None,
            facts: Facts::new(),
            finishing: false,
            task: None,
            response: Response::default(),
        }
    }

    /// The first value of a parameter.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// What the operation is for, once it has been read.
    pub(crate) fn role(&self) -> Option<Role> {
        self.op.as_ref().map(|op| op.role)
    }

    /// True if the call succeeds.
    pub(crate) const fn succeeds(&self) -> bool {
        self.refusal.is_none()
    }
}

impl Emulator {
    pub(super) fn serve(&mut self, turn: &mut Turn<'_>) {
        self.seam(turn, |seam| if let Seam::Hear(twist) = seam { Some(*twist) } else { None });
        if let Some(name) = repeated(&turn.params) {
            let name = name.to_owned();
            return self.refuse(turn, Condition::Invalid, &name);
        }
        let pairs: Vec<(&str, &str)> =
            turn.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let Some(reading) = spec::interpret(&self.vendor, &turn.operation, &pairs, turn.account) else {
            return self.refuse(turn, Condition::UnknownOperation, "");
        };
        turn.op = Some(reading.op);
        turn.complaints = reading.complaints;
        self.heed_types(turn);
        self.heed_project(turn);
        self.wake(turn);
        self.seam(turn, |seam| if let Seam::Weigh(twist) = seam { Some(*twist) } else { None });
        // What documents leave open, this emulator lets pass.
        turn.complaints.retain(|complaint| complaint.certain);
        if turn.refusal.is_some() {
            return;
        }
        if let Some(complaint) = turn.complaints.first().cloned() {
            self.refuse(turn, complaint.condition, &complaint.parameter);
        } else {
            self.decide(turn);
        }
        self.seam(turn, |seam| if let Seam::Keep(twist) = seam { Some(*twist) } else { None });
    }

    /// A value of the wrong JSON type is refused, where documents do not leave that open.
    fn heed_types(&self, turn: &mut Turn<'_>) {
        let described = self.vendor.spec.operations.get(&turn.operation);
        for name in &turn.mistyped {
            let parameter = described.and_then(|it| it.parameters.get(name));
            let open = parameter.is_some_and(|it| it.open.contains(&Constraint::Type));
            turn.complaints.push(Complaint {
                parameter: name.clone(),
                condition: Condition::BadBody,
                rule: "WIRE-REQ-2",
                certain: parameter.is_some() && !open,
                unclear: true,
                why: format!("{name} has another JSON type"),
            });
        }
    }

    /// Only another account's project is worth a word.
    fn heed_project(&self, turn: &mut Turn<'_>) {
        let own = self.accounts.get(turn.account).map(|account| account.number.as_str());
        if let Some(op) = &mut turn.op
            && op.project.as_deref() == own
        {
            op.project = None;
        }
    }

    fn decide(&mut self, turn: &mut Turn<'_>) {
        let Some(op) = &turn.op else { return };
        if self.is_not_for(&turn.operation, op) {
            return self.refuse(turn, Condition::KindCannotRotate, "");
        }
        let mut possible = outcomes(&self.vendor.law, &self.world, op, When::at(turn.now));
        if possible.is_empty() {
            return self.refuse(turn, Condition::Internal, "");
        }
        turn.outcome = Some(possible.swap_remove(0));
        self.seam(turn, |seam| if let Seam::Decide(twist) = seam { Some(*twist) } else { None });
        if self.stale.is_some() {
            self.seam(turn, |seam| if let Seam::Race(twist) = seam { Some(*twist) } else { None });
        }
        let Some(op) = turn.op.take() else { return };
        self.carry_out(turn, &op);
        turn.op = Some(op);
    }

    /// What a read answers about a kind that it is not for is documented nowhere; here it is refused.
    fn is_not_for(&self, operation: &str, op: &Op) -> bool {
        let Some(described) = self.vendor.spec.operations.get(operation) else { return false };
        let kind = self.world.subject(op).and_then(|(_, secret)| self.vendor.kind(secret.kind));
        !op.role.writes() && kind.is_some_and(|(kind, _)| !described.serves(kind))
    }

    fn seam(&mut self, turn: &mut Turn<'_>, pick: impl Fn(&Seam) -> Option<fn(&mut Self, &mut Turn<'_>)>) {
        for at in 0..self.faults.len() {
            if let Some(twist) = self.faults.get(at).and_then(|fault| pick(&fault.seam)) {
                twist(self, turn);
            }
        }
    }

    /// Brings the secret that the call names up to the present.
    fn wake(&mut self, turn: &mut Turn<'_>) {
        let Some(op) = &turn.op else { return };
        let Some((key, secret)) = self.world.subject(op) else { return };
        let due = secret.next.is_some_and(|due| due.lo <= turn.now)
            || matches!(secret.life, Life::Leaving(_))
            || secret.pending.is_some();
        if due {
            match tick(&self.vendor.law, &secret, When::at(turn.now), EVERYTHING).into_iter().next() {
                Some(mut ticked) => {
                    if ticked.versions.len() != secret.versions.len() || ticked.last != secret.last {
                        self.make_real(&key, &mut ticked);
                    }
                    let finished = secret.pending.is_some() && ticked.pending.is_none();
                    let ticked = Arc::new(ticked);
                    // Time alone changed it: every call that overlaps with this one sees that.
                    if let Some(stale) =
                        self.stale.as_mut().filter(|it| it.secrets.get(&key) == Some(&secret))
                    {
                        stale.secrets.insert(key.clone(), ticked.clone());
                    }
                    self.world.secrets.insert(key.clone(), ticked);
                    if finished {
                        // What faults do to rotations, they do when those are done.
                        turn.before = Some((key.clone(), secret.clone()));
                        turn.finishing = true;
                        self.seam(
                            turn,
                            |seam| if let Seam::Keep(twist) = seam { Some(*twist) } else { None },
                        );
                        turn.finishing = false;
                    }
                }
                None => {
                    self.world.secrets.remove(&key);
                    self.making.remove(&key);
                }
            }
        }
        turn.before = self.world.secrets.get(&key).map(|secret| (key, secret.clone()));
    }

    fn carry_out(&mut self, turn: &mut Turn<'_>, op: &Op) {
        let Some(outcome) = turn.outcome.take() else { return };
        self.carry_out_one(turn, op, &outcome);
        turn.outcome = Some(outcome);
    }

    fn carry_out_one(&mut self, turn: &mut Turn<'_>, op: &Op, outcome: &Outcome) {
        let mut change = outcome.change.clone();
        let stated = match &outcome.answer {
            Answer::Refused(condition) => {
                let target = self
                    .vendor
                    .spec
                    .operations
                    .get(&turn.operation)
                    .and_then(|it| it.parameter(Meaning::MoveTo));
                let name = target.map_or_else(String::new, |(name, _)| name.to_owned());
                return self.refuse(turn, *condition, &name);
            }
            Answer::Done(stated) => stated,
        };
        self.keep_given_value(turn, op);
        if let Some((key, Some(secret))) = &mut change.secret {
            let mut real = (**secret).clone();
            if op.role == Role::Create {
                self.name(op, key, &mut real);
                self.begin(turn, key, &mut real);
                self.begin_task(turn, key, State::Succeeded);
            }
            if op.role == Role::Rotate
                && let Some(last) = real.pending.as_mut().map(Pending::last)
                && last.task.is_none()
            {
                last.task = self.begin_task(turn, key, State::Running);
            }
            self.make_real(key, &mut real);
            *secret = Arc::new(real);
        }
        if let Some((account, when, true)) = change.spent {
            let per = self.vendor.law.rate.map_or(0, |rate| rate.per);
            let spent = self.world.spent.entry(account).or_default();
            spent.retain(|(at, _)| at.hi > turn.now - per);
            spent.push((when, true));
        }
        // Only performed rotations count here; what else may count is open.
        change.spent = None;
        let after = change.secret.clone();
        self.world.apply(change);
        let subject = after.and_then(|(key, secret)| Some((key, secret?))).or_else(|| turn.before.clone());
        turn.facts = self.facts(turn, op, stated, subject.as_ref());
        if op.role == Role::Delete && subject.is_none() {
            // Nothing was there; the reply has what its schema demands all the same.
            let made_up = if op.secret.contains(':') {
                Some(op.secret.clone())
            } else {
                self.identifier(&(op.account, op.secret.clone()))
            };
            turn.facts.extend(made_up.map(|arn| (Meaning::Arn, Fact::Text(arn))));
        }
        if op.role.shows_secret() {
            self.describe_rest(turn, subject.as_ref());
        }
    }

    /// Where such a reply shows more of a secret than its outcome states, it shows what a description
    /// would.
    fn describe_rest(&mut self, turn: &mut Turn<'_>, subject: Option<&(Key, Arc<Secret>)>) {
        let Some((key, _)) = subject else { return };
        let describe = Op::new(Role::Describe, key.0, key.1.clone());
        let possible = outcomes(&self.vendor.law, &self.world, &describe, When::at(turn.now));
        let Some(Outcome { answer: Answer::Done(stated), .. }) = possible.into_iter().next() else { return };
        for (meaning, fact) in self.facts(turn, &describe, &stated, subject) {
            if !turn.facts.iter().any(|(said, _)| *said == meaning) {
                turn.facts.push((meaning, fact));
            }
        }
    }

    fn keep_given_value(&mut self, turn: &Turn<'_>, op: &Op) {
        if op.value.is_some() {
            let name =
                self.vendor.spec.operations.get(&turn.operation).and_then(|it| it.parameter(Meaning::Value));
            let given = name.and_then(|(name, _)| turn.param(name)).map(str::to_owned);
            if let Some(given) = given {
                self.keep(&given);
            }
        }
    }

    /// The service makes some names itself, and every full identifier.
    fn name(&mut self, op: &Op, key: &mut Key, secret: &mut Secret) {
        let vendor = self.vendor.clone();
        let template = vendor.kind(secret.kind).and_then(|(_, kind)| kind.generated_name.as_ref());
        if let Some(template) = template.filter(|_| op.names_itself) {
            key.1 = Text::from(template.replace("{fresh}", &format!("{:012x}", self.rng.u64(..) >> 16)));
        }
        secret.arn = self.identifier(key);
    }

    /// A full identifier for a secret, where the vendor has such.
    fn identifier(&mut self, key: &Key) -> Option<Text> {
        let protocol = &self.vendor.spec.protocol;
        let number = self.accounts.get(key.0).map_or("", |account| account.number.as_str());
        let random: String = (0..6).map(|_| self.rng.alphanumeric()).collect();
        let arn = protocol.identifier.replace("{region}", &protocol.region).replace("{account}", number);
        let arn = arn.replace("{random}", &random);
        (!arn.is_empty()).then(|| Text::from(arn.replace("{secret}", &key.1)))
    }

    /// The first version of a managed kind reads back in another shape than it was given.
    fn begin(&mut self, turn: &Turn<'_>, key: &Key, secret: &mut Secret) {
        let vendor = self.vendor.clone();
        let Some((_, kind)) = vendor.kind(secret.kind) else { return };
        let create = vendor.spec.operations.get(&turn.operation);
        let given =
            |is| create.and_then(|it| it.parameter(is)).and_then(|(name, _)| turn.param(name)).unwrap_or("");
        let (config, value) = (given(Meaning::Config), given(Meaning::Value));
        let making = values::Making::new(kind, config, value, |name| turn.param(name));
        if let Some(first) = making.first_value(&mut self.rng, secret.created.lo)
            && let Some(version) = secret.versions.first_mut()
        {
            version.value = Value::Known(self.keep(&first));
        }
        self.making.insert(key.clone(), making);
    }

    pub(crate) fn next_value(&mut self, key: &Key, now: i64) -> String {
        let making = self.making.entry(key.clone()).or_default();
        making.next_value(&mut self.rng, now)
    }

    /// Makes stated facts concrete.
    fn facts(
        &mut self,
        turn: &Turn<'_>,
        op: &Op,
        stated: &[(Meaning, Expect)],
        subject: Option<&(Key, Arc<Secret>)>,
    ) -> Facts {
        let mut facts = Facts::new();
        for (meaning, expect) in stated {
            let expect = if let Expect::IfShown(inner) = expect { inner } else { expect };
            let fact = match expect {
                Expect::IfShown(_) => None,
                Expect::Is(fact) => Some(fact.clone()),
                Expect::Absent => None,
                Expect::Open(None) if *meaning == Meaning::Task => {
                    let pending = subject.and_then(|(_, secret)| secret.pending.as_ref());
                    let running = || pending.and_then(|pending| pending.task.clone());
                    turn.task.clone().or_else(running).map(Fact::Text)
                }
                Expect::Open(fact) => fact.clone(),
                Expect::Within(when) => Some(Fact::Time(when.lo)),
                Expect::Value(Value::Known(digest)) => self.values.get(digest).cloned().map(Fact::Text),
                Expect::Value(_) => None,
                Expect::Version(Id::Known(id)) => Some(Fact::Text(id.clone())),
                Expect::Version(Id::Made(_)) => subject
                    .and_then(|(_, secret)| secret.versions.last())
                    .map(|version| Fact::Text(known(&version.id))),
                Expect::Stages(stages) => Some(Fact::Stages(stages.clone())),
                Expect::Versions { all, page: FIRST | LATER, size, .. } => {
                    let (entries, marker) = page_after(all, op.marker.as_deref(), size.unwrap_or(50));
                    facts.extend(marker.map(|marker| (Meaning::Marker, Fact::Text(marker))));
                    Some(Fact::Versions(entries))
                }
                Expect::Versions { all, page, size, .. } => {
                    Some(Fact::Versions(page_of(all, *page, size.unwrap_or(20))))
                }
            };
            facts.extend(fact.map(|fact| (*meaning, fact)));
        }
        if let Some((key, secret)) = subject {
            replace(&mut facts, Meaning::Arn, secret.arn.clone().map(Fact::Text));
            if op.names_itself {
                facts.push((Meaning::Secret, Fact::Text(key.1.clone())));
                replace(&mut facts, Meaning::Arn, secret.arn.clone().map(Fact::Text));
            }
        }
        match op.role {
            Role::List => self.list(turn, op, &mut facts),
            Role::Password => facts.push((Meaning::Password, Fact::Text(self.password(turn).into()))),
            Role::Versions if !facts.iter().any(|(meaning, _)| *meaning == Meaning::PageSize) => {
                facts.push((Meaning::PageSize, Fact::Count(20)));
            }
            _ => {}
        }
        let shown = facts.iter().find_map(|(_, fact)| match fact {
            Fact::Versions(versions) => Some(versions.len()),
            Fact::Names(names) => Some(names.len()),
            _ => None,
        });
        facts.extend(shown.and_then(|shown| Some((Meaning::Shown, Fact::Count(i64::try_from(shown).ok()?)))));
        facts
    }

    fn list(&self, turn: &Turn<'_>, op: &Op, facts: &mut Facts) {
        let operation = self.vendor.spec.operations.get(&turn.operation);
        let by_kind = operation.is_some_and(|it| it.parameter(Meaning::Kind).is_some());
        let alive = |secret: &Secret| !matches!(secret.life, Life::Leaving(gone) if gone.lo <= turn.now);
        let names: Vec<Text> = self
            .world
            .secrets
            .iter()
            .filter(|(key, secret)| key.0 == op.account && alive(secret))
            .filter(|(_, secret)| !by_kind || secret.kind == op.kind)
            .map(|(key, _)| key.1.clone())
            .collect();
        let size = usize::try_from(op.size.unwrap_or(10)).unwrap_or(usize::MAX);
        let page = usize::try_from(op.page.unwrap_or(1)).unwrap_or(1).max(1);
        let skipped = usize::try_from(op.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let skipped = skipped.saturating_add((page - 1).saturating_mul(size));
        let shown = names.iter().skip(skipped).take(size).cloned().collect();
        facts.push((Meaning::Secrets, Fact::Names(shown)));
        facts.push((Meaning::Total, Fact::Count(i64::try_from(names.len()).unwrap_or(i64::MAX))));
        if !facts.iter().any(|(meaning, _)| *meaning == Meaning::PageSize) {
            facts.push((Meaning::PageSize, Fact::Count(10)));
        }
    }

    fn password(&mut self, turn: &Turn<'_>) -> String {
        let operation = self.vendor.spec.operations.get(&turn.operation);
        let given = |is| operation.and_then(|it| it.parameter(is)).and_then(|(name, _)| turn.param(name));
        let flag = |is| given(is).and_then(spec::truth) == Some(true);
        let without = [
            flag(Meaning::NoLower),
            flag(Meaning::NoUpper),
            flag(Meaning::NoDigits),
            flag(Meaning::NoPunctuation),
        ];
        let length = given(Meaning::Length).and_then(|text| text.parse().ok());
        let length = length.unwrap_or(self.vendor.law.password_default);
        let exclude = given(Meaning::Exclude).unwrap_or("").to_owned();
        let each = flag(Meaning::EachClass);
        values::password(&mut self.rng, usize::try_from(length).unwrap_or(32), without, &exclude, each)
    }

    /// Stores a secret as a fault wants it.
    pub(crate) fn overwrite(&mut self, key: &Key, secret: Secret) {
        self.world.apply(Change::store(key.clone(), secret));
    }
}

fn replace(facts: &mut Facts, is: Meaning, by: Option<Fact>) {
    if let (Some(slot), Some(fact)) = (facts.iter_mut().find(|(meaning, _)| *meaning == is), by.clone()) {
        slot.1 = fact;
    } else if is == Meaning::Arn && facts.iter().any(|(meaning, _)| *meaning == Meaning::Secret) {
        facts.extend(by.map(|fact| (is, fact)));
    }
}

fn repeated(params: &[(String, String)]) -> Option<&str> {
    params
        .iter()
        .enumerate()
        .find(|(at, (name, _))| params[..*at].iter().any(|(before, _)| before == name))
        .map(|(_, (name, _))| name.as_str())
}
