//! What rotation and its settings may come to.

use super::outcomes::Case;
use super::schedule::{
    add_version, completed, date, failed, first_date, going_on, may_count_anew, version_shown,
};
use super::{
    Change, Condition, Expect, Fact, Id, Key, Life, Meaning, Op, Outcome, Pending, Policy, SOMETIME, Secret,
    State, Task, Text, Value, Version, When, read,
};

/// Rotations of a secret of which it is known what they asked for.
const REMEMBERED: usize = 32;

pub(super) fn rotate(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    let mut possible = Vec::new();
    let rotates = law.kinds[secret.kind].rotates;
    if !rotates {
        possible.push(Outcome::refused("ROT-KIND-1", Condition::KindCannotRotate));
    }
    if law.needs_function && op.function.is_none() && secret.function.is_none() {
        return vec![Outcome::refused("ROT-STATE-1", Condition::NoFunction)];
    }
    let token = op.token.as_ref().filter(|_| law.replays);
    let known = token.and_then(|token| secret.version(token));
    let (may_pass, _) = within_limit(case, key.0);
    let busy = busy(case, secret);
    if let Some(version) = known {
        let going_on = busy && version.stages.as_slice() != [law.current.clone()];
        possible.push(replay(case, key, secret, version));
        let alike = |(token, asked): &(Text, u64)| op.token.as_ref() == Some(token) && *asked == op.states;
        if !secret.asked.iter().any(alike) {
            possible.extend(unlike(case));
        }
        if going_on {
            possible.push(Outcome::refused("ROT-CONC-2", Condition::Busy));
        }
        if version.stages.is_empty() && law.may_vanish(secret) {
            possible.extend(fresh(case, key, &secret.without(&version.id)));
        }
    } else if busy && rotates {
        possible.push(Outcome::refused("ROT-CONC-2", Condition::Busy));
        if !law.binds("ROT-CONC-2") {
            possible.extend(joined(case, key, secret));
        }
    } else if rotates || !law.binds("ROT-KIND-1") {
        if !may_pass {
            possible.push(Outcome::refused("ROT-THR-1", Condition::Throttled));
        }
        if may_pass || !law.binds("ROT-THR-1") {
            possible.extend(fresh(case, key, secret));
        }
        // An id that retention dropped is open: a replay, a refusal, or an id like any other.
        if token.is_some_and(|token| secret.dropped.contains(token)) {
            possible.push(Outcome::refused("ROT-MONO-1", Condition::VersionExists));
            possible.push(echo(case, "ROT-IDEMP-1", key, secret));
            possible.extend(unlike(case));
        }
    }
    let full = law.kinds[secret.kind].at_most.is_some_and(|most| secret.versions.len() >= most);
    if full && rotates {
        // Whether rotation shares the limit on versions is open.
        possible.push(Outcome::refused("ROT-HIST-1", Condition::QuotaExceeded));
    }
    if law.may_be_unavailable && rotates {
        possible.push(Outcome::refused("ROT-NEW-1", Condition::Unavailable));
    }
    possible
}

/// Refusals of a known token beside other settings, where documents promise nothing of it.
fn unlike(case: &Case<'_>) -> impl Iterator<Item = Outcome> {
    let reasons = [Condition::VersionExists, Condition::Invalid, Condition::Busy];
    let refused = reasons.map(|reason| Outcome::refused("ROT-IDEMP-1", reason));
    refused.into_iter().filter(|_| case.law.replays_alike)
}

/// Whether a rotation goes on, as far as the stages or the call before tell.
fn busy(case: &Case<'_>, secret: &Secret) -> bool {
    let staged = case.law.pending.as_ref().and_then(|stage| secret.staged(stage));
    secret.pending.is_some() || staged.is_some_and(|version| !version.stages.contains(&case.law.current))
}

/// A rotation that is taken while another goes on: the first one ends, and the second begins, then or later.
fn joined(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let Some(pending) = &secret.pending else { return fresh(case, key, secret) };
    let after = completed(case.law, secret, pending, case.now);
    let mut possible: Vec<Outcome> = after.iter().flat_map(|secret| fresh(case, key, secret)).collect();
    let mut next = secret.clone();
    let id = next.id_for(case.law, case.op.token.as_ref());
    if let Some(last) = next.pending.as_mut().map(Pending::last) {
        last.then = Some(Box::new(rotation(case, id.clone(), last.due)));
        possible.push(begun(case, key, &id, next));
    }
    // Or it is taken for the one that goes on.
    possible.push(echo(case, "ROT-CONC-2", key, secret));
    possible
}

/// Whether documents allow one more rotation in this window, and whether they promise it.
pub(super) fn within_limit(case: &Case<'_>, account: usize) -> (bool, bool) {
    let Some(rate) = case.law.rate else { return (true, true) };
    let now = case.now;
    let spent = case.world.spent.get(&account).map_or(&[][..], Vec::as_slice);
    let possible = spent.iter().filter(|(when, _)| when.hi > now.lo - rate.per).count();
    // A window may slide or be cut by the clock: only what lies in both for certain is certain.
    let sure = |when: &When| {
        when.lo > now.hi - rate.per && when.lo.div_euclid(rate.per) == now.hi.div_euclid(rate.per)
    };
    let certain = spent.iter().filter(|(when, certain)| *certain && sure(when)).count();
    (certain < rate.calls, possible < rate.calls)
}

fn replay(case: &Case<'_>, key: &Key, secret: &Secret, version: &Version) -> Outcome {
    let current = version.stages.contains(&case.law.current);
    echo(case, if current { "ROT-IDEMP-1" } else { "ROT-IDEMP-5" }, key, secret)
}

fn echo(case: &Case<'_>, rule: &'static str, key: &Key, secret: &Secret) -> Outcome {
    let mut facts = read::identity(key, secret);
    let token = case.op.token.clone();
    facts.extend(token.map(|token| (Meaning::Version, version_shown(case.law, &Id::Known(token)))));
    facts.push((Meaning::Task, Expect::Open(None)));
    Outcome::done(rule, Change { spent: Some((key.0, case.now, false)), ..Change::default() }, facts)
}

fn fresh(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut next = secret.clone();
    configure(case, &mut next);
    let on = switched_on(case, secret, &next);
    let each = std::iter::once(next).chain(on);
    each.flat_map(|next| rotated(case, key, secret, next)).collect()
}

/// The secret, if a rotation that names nothing that rotates, but can rely on what is stored, switches automatic
/// rotation on again: whether it does is not settled.
fn switched_on(case: &Case<'_>, secret: &Secret, next: &Secret) -> Option<Secret> {
    let open = case.law.needs_function && !next.policy.on && !case.exact();
    let mut on = open.then(|| next.clone())?;
    on.policy.on = true;
    on.next = next_date(case, secret, &on);
    Some(on)
}

/// A rotation of the secret that has these settings now.
fn rotated(case: &Case<'_>, key: &Key, secret: &Secret, mut next: Secret) -> Vec<Outcome> {
    let (law, op, now) = (case.law, case.op, case.now);
    if op.immediately == Some(false) {
        return stored_only(case, key, secret, next);
    }
    let id = next.id_for(law, op.token.as_ref());
    let outcome = |next: Secret| begun(case, key, &id, next);
    if law.takes.is_some() {
        // The next one counts from now, if not only once this one has ended.
        may_count_anew(case, &mut next);
        return going_on(law, next, rotation(case, id.clone(), now)).into_iter().map(outcome).collect();
    }
    add_version(law, &mut next, id.clone(), Value::Sealed, now);
    next.last = Some(now);
    let restarted =
        next.policy.every.filter(|_| next.policy.on).map(|every| date(law, now, every, case.exact()));
    next.next = match restarted {
        // Whether a rotation by hand restarts the clock is a rule of its own.
        Some(_) if law.binds("ROT-SCHED-2") => restarted,
        Some(restarted) => Some(secret.next.map_or(now, |due| due.join(now)).join(restarted)),
        None => None,
    };
    vec![outcome(next)]
}

/// A rotation was accepted: it makes, or will make, the version with this id.
fn begun(case: &Case<'_>, key: &Key, id: &Id, mut next: Secret) -> Outcome {
    if case.law.replays_alike {
        next.asked.extend(case.op.token.clone().map(|token| (token, case.op.states)));
        // A secret must not grow with each rotation: what is forgotten is open.
        let old = next.asked.len().saturating_sub(REMEMBERED);
        next.asked.drain(..old);
    }
    let mut facts = read::identity(key, &next);
    facts.push((Meaning::Version, version_shown(case.law, id)));
    facts.push((Meaning::Task, Expect::Open(None)));
    let rule = if case.op.token.is_some() && case.law.replays { "ROT-NEW-1" } else { "ROT-IDEMP-4" };
    let mut change = Change::store(key.clone(), next);
    change.spent = Some((key.0, case.now, true));
    Outcome::done(rule, change, facts)
}

/// Where a rotation carries the settings of automatic rotation, they are stored with it.
fn configure(case: &Case<'_>, next: &mut Secret) {
    let op = case.op;
    if op.function.is_some() {
        next.function.clone_from(&op.function);
        next.policy.on = true;
    }
    if op.interval.is_some() || op.schedule.is_some() {
        next.policy = Policy { on: true, every: op.interval };
        next.schedule.clone_from(&op.schedule);
    }
}

/// The settings are stored, and the rotation waits for its date. What rotates may be tried out at once.
fn stored_only(case: &Case<'_>, key: &Key, secret: &Secret, mut next: Secret) -> Vec<Outcome> {
    next.next = next_date(case, secret, &next);
    let mut facts = read::identity(key, secret);
    facts.push((Meaning::Version, Expect::Open(case.op.token.clone().map(Fact::Text))));
    let mut possible = vec![next.clone()];
    if case.law.pending.is_some() {
        let id = next.id_for(case.law, case.op.token.as_ref());
        let trial = Pending { trial: true, ..rotation(case, id, case.now) };
        possible.extend(going_on(case.law, next, trial));
    }
    for next in &mut possible {
        next.dropped.extend(case.op.token.clone());
    }
    let done = |next| Outcome::done("ROT-POL-1", Change::store(key.clone(), next), facts.clone());
    possible.into_iter().map(done).collect()
}

/// A rotation that goes on, and begins at some time. An observer does not know how long it takes.
fn rotation(case: &Case<'_>, id: Id, begins: When) -> Pending {
    let takes = case.law.takes.unwrap_or_default();
    let due = if case.exact() { begins.plus(takes) } else { When { lo: case.now.lo, hi: SOMETIME } };
    Pending::new(id, due, case.now)
}

/// The date that follows from a changed policy.
fn next_date(case: &Case<'_>, secret: &Secret, next: &Secret) -> Option<When> {
    let law = case.law;
    let every = next.policy.every.filter(|_| next.policy.on)?;
    // The base of a secret that was never rotated is open: its creation, or this call.
    let base = secret.last.unwrap_or_else(|| secret.created.join(case.now));
    let again = secret.policy.on && secret.policy.every == Some(every) && !law.names_first_date;
    let mut due = match secret.next.filter(|_| again && !case.exact()) {
        // What goes on already has no first rotation; whether its interval begins anew is open.
        Some(old) => old.join(date(law, case.now, every, false)),
        None => first_date(case, base, every),
    };
    // A changed interval recomputes the date; where that does not bind, the old date may stay.
    if let (true, Some(old)) = (secret.policy.on, secret.next)
        && !law.binds("ROT-SCHED-3")
    {
        due = old.join(due);
    }
    // The reference counts from creation, and what is overdue is due at once.
    Some(match case.exact() {
        true => When::at(due.lo.max(case.now.lo)),
        false if due.lo <= case.now.hi => due.join(case.now),
        false => due,
    })
}

/// The secret, with what a call says of it beside its policy.
fn with_settings(secret: &Secret, op: &Op) -> Secret {
    let mut next = secret.clone();
    for (meaning, fact) in &op.settings {
        next.settings.retain(|(known, _)| known != meaning);
        next.settings.push((*meaning, fact.clone()));
    }
    next
}

pub(super) fn set_policy(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    let touches = op.enable.is_some() || op.interval.is_some();
    if !law.kinds[secret.kind].rotates && touches {
        let refused = Outcome::refused("ROT-KIND-2", Condition::KindCannotRotate);
        if law.binds("ROT-KIND-2") {
            return vec![refused];
        }
        // What else it says of the secret counts.
        let facts = vec![(Meaning::Secret, Expect::Is(Fact::Text(key.1.clone())))];
        let next = with_settings(secret, op);
        return vec![refused, Outcome::done("ROT-KIND-2", Change::store(key.clone(), next), facts)];
    }
    let on = op.enable.unwrap_or(secret.policy.on);
    let mut next = with_settings(secret, op);
    if op.function.is_some() {
        next.function.clone_from(&op.function);
    }
    if touches {
        // Documents do not say whether a policy that is switched off keeps its interval.
        let every = op.interval.or(if op.enable.is_none() { secret.policy.every } else { None });
        next.policy = Policy { on, every: if on { every } else { secret.policy.every } };
        next.next = next_date(case, secret, &next);
    }
    let mut facts = read::identity(key, secret);
    facts.retain(|(meaning, _)| *meaning == Meaning::Secret);
    facts.extend(read::policy_if_shown(case, &next));
    let rule = match (touches, on) {
        (false, _) => "CONF-1",
        (true, true) => "ROT-POL-1",
        (true, false) => "ROT-POL-4",
    };
    vec![Outcome::done(rule, Change::store(key.clone(), next), facts)]
}

/// Automatic rotation is switched off; what a rotation had begun may stay behind.
pub(super) fn cancel(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut next = secret.clone();
    next.policy.on = false;
    next.next = None;
    let mut facts = read::identity(key, secret);
    facts.push((Meaning::Version, Expect::Open(None)));
    let done = |next: Secret| Outcome::done("ROT-POL-4", Change::store(key.clone(), next), facts.clone());
    let mut possible = vec![done(next.clone())];
    if let Some(pending) = &secret.pending {
        next.pending = None;
        // The version that it leaves behind may be one without a value.
        for version in next.versions.iter_mut().filter(|version| version.id == pending.id) {
            version.value = Value::Unseen;
        }
        possible.push(done(next.clone()));
        if let Some(stage) = &case.law.pending {
            next.set_stage(stage, None);
            possible.push(done(next));
        }
    }
    if !secret.policy.on && secret.pending.is_none() {
        possible.push(Outcome::refused("ROT-POL-4", Condition::NoFunction));
    }
    possible
}

pub(super) fn task(case: &Case<'_>) -> Vec<Outcome> {
    let world = case.world;
    let id = case.op.task.clone().unwrap_or_else(|| "".into());
    let own = |task: &&Task| task.key.0 == case.op.account;
    let Some(task) = world.tasks.get(&id).filter(own) else {
        return vec![
            Outcome::refused("ROT-ERR-3", Condition::UnknownTask),
            // It may belong to a secret of which nothing is known any more.
            Outcome::done("ROT-ERR-3", Change::default(), vec![(Meaning::TaskState, Expect::Open(None))]),
        ];
    };
    let told = |state, change| {
        let shown = |text: &Text| Expect::IfShown(Box::new(Expect::Is(Fact::Text(text.clone()))));
        let mut facts = vec![(Meaning::TaskState, Expect::Is(Fact::State(state)))];
        facts.extend([(Meaning::Task, shown(&id)), (Meaning::Secret, shown(&task.key.1))]);
        Outcome::done("ROT-ASYNC-1", change, facts)
    };
    if task.state != State::Running {
        return vec![told(task.state, Change::default())];
    }
    let ended = |state, secret: Option<Secret>| {
        let secret = secret.map(|secret| (task.key.clone(), Some(std::sync::Arc::new(secret))));
        let task = Some((id.clone(), Task { state, ..task.clone() }));
        Change { secret, task, ..Change::default() }
    };
    let secret = world.secrets.get(&task.key).filter(|_| !task.orphan);
    // What becomes of it where the secret was deleted or switched off meanwhile is documented nowhere; how
    // long a creation takes, neither.
    let goes_on = |secret: &Secret| secret.life == Life::Active && secret.making.as_ref() != Some(&id);
    let over = task.settled && secret.is_some_and(|secret| goes_on(secret));
    let running = (!over).then(|| told(State::Running, Change::default()));
    let is_its = |pending: &Pending| pending.each().any(|it| it.task.as_ref() == Some(&id));
    match secret.filter(|secret| secret.pending.as_ref().is_some_and(is_its)) {
        Some(secret) => {
            let after = ends(case, secret, &id).into_iter();
            running
                .into_iter()
                .chain(after.map(|(state, secret)| told(state, ended(state, Some(secret)))))
                .collect()
        }
        None => {
            let made = secret.filter(|secret| secret.making.as_ref() == Some(&id));
            let made = made.map(|secret| Secret { making: None, ..(**secret).clone() });
            let succeeded = told(State::Succeeded, ended(State::Succeeded, made));
            let mut possible: Vec<_> = std::iter::once(succeeded).chain(running).collect();
            if secret.is_none() {
                // What its secret was deleted under may have failed.
                possible.push(told(State::Failed, ended(State::Failed, None)));
            }
            possible
        }
    }
}

/// What a secret may be once the rotation of a task has ended, and those before it.
fn ends(case: &Case<'_>, secret: &Secret, task: &Text) -> Vec<(State, Secret)> {
    let Some(pending) = &secret.pending else { return Vec::new() };
    let done = completed(case.law, secret, pending, case.now).into_iter();
    let each = done
        .map(|done| (State::Succeeded, done))
        .chain(failed(case.law, secret).into_iter().map(|failed| (State::Failed, failed)));
    if pending.task.as_ref() == Some(task) {
        return each.collect();
    }
    each.flat_map(|(_, secret)| ends(case, &secret, task)).collect()
}
