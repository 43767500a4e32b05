//! What an observer may believe: every world that explains all replies so far.
//!
//! A reply that no world explains is a [`Gap`]. A lost reply leaves more worlds. What a reply reveals
//! (values, ids that the service made, exact times) narrows the worlds that remain.

use super::{
    Answer, Condition, Expect, Fact, Facts, Id, Key, Law, Life, Meaning, Op, Outcome, Role, Secret, State,
    Task, Text, Value, Version, VersionFact, When, World, outcomes, schedule, tick,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Seconds by which a time may be off whose zone nobody states.
const ZONES: i64 = 14 * 3_600;

/// Worlds that are kept at most; more than that are never needed to explain documented behaviour.
const WORLDS: usize = 64;

/// What was observed of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It succeeded and said this.
    Done(Facts),
    /// It was refused.
    Refused,
    /// Nobody knows: no whole reply came back.
    Lost,
}

/// A reply that no legal world explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule that decides what should have come.
    pub rule: &'static str,
    /// What should have come.
    pub expected: Answer,
    /// Facts that differ, when the call rightly succeeded: expected and observed.
    pub facts: Vec<(Meaning, Expect, Option<Fact>)>,
}

/// The set of worlds that explain what was seen.
#[derive(Clone, Debug)]
pub struct Belief {
    worlds: Vec<World>,
    forgotten: BTreeSet<Key>,
}

impl Default for Belief {
    fn default() -> Self {
        Self { worlds: vec![World::default()], forgotten: BTreeSet::new() }
    }
}

impl Belief {
    /// The worlds, the most likely first; never empty.
    pub fn worlds(&self) -> &[World] {
        &self.worlds
    }

    /// Stops predicting anything about a secret, because its state cannot be known any more.
    pub fn forget(&mut self, account: usize, name: &str) {
        let key = self.key(account, name).unwrap_or((account, name.into()));
        for world in &mut self.worlds {
            world.secrets.remove(&key);
        }
        self.forgotten.insert(key);
    }

    /// Takes a secret for granted that was there before.
    pub fn adopt(&mut self, account: usize, name: &str, secret: &Secret) {
        let key: Key = (account, name.into());
        self.forgotten.remove(&key);
        for world in &mut self.worlds {
            world.secrets.insert(key.clone(), Arc::new(secret.clone()));
        }
    }

    /// Account and name of the secret that a call names, where some world knows it.
    pub fn key(&self, account: usize, name: &str) -> Option<Key> {
        self.worlds.iter().find_map(|world| world.find(account, name).map(|(key, _)| key))
    }

    /// Whether anything can be predicted about the secret that a call names.
    pub fn tracks(&self, account: usize, name: &str) -> bool {
        !self.forgotten.iter().any(|key| (key.0 == account && &*key.1 == name) || name.ends_with(&*key.1))
    }

    /// A rotation or refusal that may count for the account's limit, seen outside any world.
    pub fn spend(&mut self, account: usize, when: When) {
        for world in &mut self.worlds {
            world.spent.entry(account).or_default().push((when, false));
        }
    }

    /// Everything that may come of a call now, with the world it comes from. `grace`: a schedule may
    /// still be about to act.
    pub fn possible(&self, law: &Law, op: &Op, now: When, grace: bool) -> Vec<(World, Outcome)> {
        let mut possible = Vec::new();
        for world in &self.worlds {
            for world in ticked(law, world, op, now, grace) {
                possible.extend(
                    outcomes(law, &world, op, now).into_iter().map(|outcome| (world.clone(), outcome)),
                );
            }
        }
        // What has had its time goes on no more.
        let running = |outcome: &Outcome| {
            matches!(&outcome.answer, Answer::Done(facts)
                if facts.contains(&(Meaning::TaskState, Expect::Is(Fact::State(State::Running)))))
        };
        if !grace && possible.iter().any(|(_, outcome)| !running(outcome)) {
            possible.retain(|(_, outcome)| !running(outcome));
        }
        possible
    }

    /// Takes in a reply. `extra` are outcomes that the caller knows to be possible too.
    ///
    /// # Errors
    /// The gap, if no world explains the reply; the belief then stays as it was.
    pub fn observe(
        &mut self,
        law: &Law,
        op: &Op,
        possible: Vec<(World, Outcome)>,
        seen: &Seen,
        now: When,
    ) -> Result<(), Gap> {
        let mut next: Vec<World> = Vec::new();
        let mut nearest: Option<Gap> = None;
        for (world, outcome) in possible {
            let merged = match (&outcome.answer, seen) {
                (_, Seen::Lost) => {
                    keep(&mut next, world.clone());
                    Some(applied(law, world, &outcome, now))
                }
                (Answer::Refused(_), Seen::Refused) => Some(refused(law, world, op, now)),
                (Answer::Done(expected), Seen::Done(facts)) => {
                    let before = world.find(op.account, &op.secret).map(|(_, secret)| secret.clone());
                    let after = applied(law, world, &outcome, now);
                    let subject = after.find(op.account, &op.secret).map(|(_, s)| s.clone()).or(before);
                    let differing = differences(expected, facts, subject.as_deref());
                    if differing.is_empty() {
                        Some(learned(law, after, op, facts))
                    } else {
                        consider(
                            &mut nearest,
                            Gap { rule: outcome.rule, expected: outcome.answer, facts: differing },
                        );
                        None
                    }
                }
                _ => {
                    consider(
                        &mut nearest,
                        Gap { rule: outcome.rule, expected: outcome.answer, facts: Vec::new() },
                    );
                    None
                }
            };
            if let Some(world) = merged {
                keep(&mut next, world);
            }
        }
        if !next.is_empty() {
            self.worlds = next;
            return Ok(());
        }
        Err(nearest.unwrap_or(Gap {
            rule: "ROT-ERR-1",
            expected: Answer::Refused(Condition::Internal),
            facts: Vec::new(),
        }))
    }
}

fn ticked(law: &Law, world: &World, op: &Op, now: When, grace: bool) -> Vec<World> {
    // Asking for a task settles the task itself; time does not settle it before.
    let found = world.subject(op).filter(|_| op.role != Role::Task);
    let Some((key, secret)) = found else { return vec![world.clone()] };
    if !schedule::restless(&secret, now) {
        return vec![world.clone()];
    }
    let secrets = tick(law, &secret, now, grace);
    let with = |secret: Option<Secret>| {
        let mut world = world.clone();
        match secret {
            Some(secret) => world.secrets.insert(key.clone(), Arc::new(secret)),
            None => world.secrets.remove(&key),
        };
        world
    };
    let gone = matches!(secret.life, Life::Leaving(gone) if gone.lo <= now.hi);
    secrets.into_iter().map(|secret| with(Some(secret))).chain(gone.then(|| with(None))).collect()
}

fn keep(worlds: &mut Vec<World>, world: World) {
    if worlds.len() < WORLDS && !worlds.contains(&world) {
        worlds.push(world);
    }
}

/// Keeps the gap that says most: a wrong fact is nearer than a wrong outcome; among equals the first.
fn consider(nearest: &mut Option<Gap>, gap: Gap) {
    let weight = |gap: &Gap| if gap.facts.is_empty() { usize::MAX } else { gap.facts.len() };
    if nearest.as_ref().is_none_or(|best| weight(&gap) < weight(best)) {
        *nearest = Some(gap);
    }
}

fn applied(law: &Law, mut world: World, outcome: &Outcome, now: When) -> World {
    world.apply(outcome.change.clone());
    lapsed(law, world, now)
}

/// Documents do not say whether a refused rotation counts for the limit.
fn refused(law: &Law, mut world: World, op: &Op, now: When) -> World {
    if op.role == Role::Rotate {
        world.spent.entry(op.account).or_default().push((now, false));
    }
    lapsed(law, world, now)
}

/// Drops what counts for no limit any more, so that a world does not grow with each rotation. Twice
/// the window stays: an endpoint's clock may be off.
fn lapsed(law: &Law, mut world: World, now: When) -> World {
    match law.rate {
        Some(rate) => {
            let since = now.lo.saturating_sub(rate.per.saturating_mul(2));
            world.spent.values_mut().for_each(|spent| spent.retain(|(when, _)| when.hi > since));
        }
        None => world.spent.clear(),
    }
    world
}

/// The facts that differ from what is expected.
pub(super) fn differences(
    expected: &[(Meaning, Expect)],
    facts: &Facts,
    secret: Option<&Secret>,
) -> Vec<(Meaning, Expect, Option<Fact>)> {
    expected
        .iter()
        .filter_map(|(meaning, expect)| {
            let observed = facts.iter().find(|(m, _)| m == meaning).map(|(_, fact)| fact);
            let holds = match (meaning, expect, observed) {
                (Meaning::Config, Expect::Is(Fact::Text(given)), Some(Fact::Text(shown))) => {
                    includes(shown, given)
                }
                _ => fits(expect, observed, secret),
            };
            (!holds).then(|| (*meaning, expect.clone(), observed.cloned()))
        })
        .collect()
}

/// A service may add defaults to a configuration; what was given must still be there.
fn includes(shown: &str, given: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok();
    match (parse(shown), parse(given)) {
        (Some(shown), Some(given)) => {
            let empty = |value: &serde_json::Value| value.as_object().is_some_and(serde_json::Map::is_empty);
            given.iter().all(|(key, value)| empty(value) || shown.get(key) == Some(value))
        }
        _ => shown == given,
    }
}

fn fits(expect: &Expect, observed: Option<&Fact>, secret: Option<&Secret>) -> bool {
    match (expect, observed) {
        (Expect::Open(_), _) | (Expect::Absent, None) | (Expect::IfShown(_), None) => true,
        (Expect::IfShown(inner), observed) => fits(inner, observed, secret),
        // A null or empty text stands for nothing.
        (Expect::Absent, Some(Fact::Text(text))) => text.is_empty(),
        (Expect::Absent, Some(_)) | (_, None) => false,
        (Expect::Is(fact), Some(observed)) => fact == observed,
        (Expect::Within(when), Some(Fact::Time(time))) => when.holds(*time),
        (Expect::Within(when), Some(Fact::Around(time))) => {
            When { lo: when.lo - ZONES, hi: when.hi.saturating_add(ZONES) }.holds(*time)
        }
        (Expect::Value(value), Some(Fact::Value(observed))) => value_fits(*value, *observed, secret),
        (Expect::Version(id), Some(Fact::Text(observed))) => id_fits(id, observed, secret),
        (Expect::Stages(stages), Some(Fact::Stages(observed))) => same_stages(stages, observed),
        (Expect::Versions { all, page, size, lax }, Some(Fact::Versions(observed))) => {
            versions_fit(all, *page, *size, *lax, observed, secret)
        }
        _ => false,
    }
}

fn value_fits(value: Value, observed: u64, secret: Option<&Secret>) -> bool {
    match value {
        Value::Known(known) => known == observed,
        Value::Unseen => true,
        Value::Sealed => {
            !secret.is_some_and(|secret| secret.versions.iter().any(|v| v.value == Value::Known(observed)))
        }
    }
}

fn id_fits(id: &Id, observed: &Text, secret: Option<&Secret>) -> bool {
    match id {
        Id::Known(known) => known == observed,
        Id::Made(_) => {
            !observed.is_empty()
                && secret.is_none_or(|secret| {
                    secret.version(observed).is_none() && !secret.dropped.contains(observed)
                })
        }
    }
}

fn same_stages(expected: &[Text], observed: &[Text]) -> bool {
    expected.len() == observed.len() && expected.iter().all(|stage| observed.contains(stage))
}

fn versions_fit(
    all: &[Version],
    page: i64,
    size: Option<i64>,
    lax: bool,
    observed: &[VersionFact],
    secret: Option<&Secret>,
) -> bool {
    let Some(pairs) = pair(all, observed, secret) else { return false };
    if page == 0 {
        // Only the endpoint knows which entries belong on this page.
        return size.is_none_or(|size| i64::try_from(observed.len()).is_ok_and(|count| count <= size));
    }
    if lax {
        let missing = all.iter().filter(|version| !pairs.iter().any(|(taken, _)| taken.id == version.id));
        return missing.into_iter().all(|version| version.stages.is_empty());
    }
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let whole = page == 1 && size.is_none_or(|size| total <= size) && total <= 10;
    let fitting = match size {
        // Order is open, so each page is only known by how many entries it has.
        Some(size) => {
            i64::try_from(pairs.len())
                == Ok(total.saturating_sub(page.saturating_sub(1).saturating_mul(size)).clamp(0, size.max(0)))
        }
        None => !whole || pairs.len() == all.len(),
    };
    fitting && (!whole || pairs.len() == all.len())
}

/// Pairs each observed version with the one it must be; nothing, if one is too many or differs.
fn pair<'a>(
    all: &'a [Version],
    observed: &'a [VersionFact],
    secret: Option<&Secret>,
) -> Option<Vec<(&'a Version, &'a VersionFact)>> {
    let mut pairs: Vec<(&Version, &VersionFact)> = Vec::new();
    let (known, made): (Vec<_>, Vec<_>) = observed
        .iter()
        .partition(|seen| all.iter().any(|v| matches!(&v.id, Id::Known(id) if *id == seen.id)));
    for seen in known {
        let version = all.iter().find(|v| matches!(&v.id, Id::Known(id) if *id == seen.id))?;
        let twice = pairs.iter().any(|(taken, _)| taken.id == version.id);
        if twice || !entry_fits(version, seen) {
            return None;
        }
        pairs.push((version, seen));
    }
    for seen in made {
        let free = |version: &&Version| {
            matches!(version.id, Id::Made(_))
                && !pairs.iter().any(|(taken, _)| taken.id == version.id)
                && id_fits(&version.id, &seen.id, secret)
                && entry_fits(version, seen)
        };
        let version = all.iter().find(free)?;
        pairs.push((version, seen));
    }
    Some(pairs)
}

fn entry_fits(version: &Version, seen: &VersionFact) -> bool {
    seen.stages.as_ref().is_none_or(|stages| same_stages(&version.stages, stages))
        && seen.created.is_none_or(|at| version.created.holds(at))
}

/// Narrows what is known of a secret by what a reply said about it.
fn learned(law: &Law, mut world: World, op: &Op, facts: &Facts) -> World {
    let Some((mut key, secret)) = world.subject(op) else { return world };
    let mut secret: Secret = (*secret).clone();
    let mut read: Option<(Option<Text>, Option<u64>)> = None;
    for (meaning, fact) in facts {
        match (meaning, fact) {
            (Meaning::Arn, Fact::Text(arn)) => secret.arn = Some(arn.clone()),
            (Meaning::Task, Fact::Text(id)) if op.role != Role::Task => {
                if let Some(pending) = &mut secret.pending {
                    pending.task = Some(id.clone());
                }
                if world.tasks.get(id).is_none() {
                    world.tasks.insert(id.clone(), Task { key: key.clone(), state: State::Running });
                }
            }
            (Meaning::LastRotation, Fact::Time(at)) if secret.last.is_some() => {
                secret.last = Some(When::at(*at))
            }
            (Meaning::NextRotation, Fact::Time(at)) if secret.policy.on => {
                let exact = law.slack == 0 && !law.first_open;
                let lo = if exact { *at } else { secret.next.map_or(*at, |due| due.lo.min(*at)) };
                secret.next = Some(When { lo, hi: *at });
            }
            (Meaning::Created, Fact::Time(at)) if secret.created.holds(*at) => secret.created = When::at(*at),
            (Meaning::DeleteAt, Fact::Time(at)) => {
                if let Life::Leaving(_) = secret.life {
                    secret.life = Life::Leaving(When::at(*at));
                }
            }
            (Meaning::Version, Fact::Text(id)) if law.alias.as_ref() != Some(id) => {
                read = Some((Some(id.clone()), read.and_then(|(_, value)| value)));
            }
            (Meaning::Value, Fact::Value(value)) => read = Some((read.and_then(|(id, _)| id), Some(*value))),
            (Meaning::Versions, Fact::Versions(seen)) => learn_versions(&mut secret, seen),
            _ => {}
        }
    }
    if let Some((id, value)) = read {
        learn_version(law, &mut secret, op, id.as_ref(), facts, value);
    }
    if op.names_itself {
        world.secrets.remove(&key);
        if let Some(name) = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
            (Meaning::Secret, Fact::Text(name)) => Some(name.clone()),
            _ => None,
        }) {
            key.1 = name;
        }
    }
    world.secrets.insert(key, Arc::new(secret));
    world
}

/// What a reply about one version tells of its id and value.
fn learn_version(
    law: &Law,
    secret: &mut Secret,
    op: &Op,
    id: Option<&Text>,
    facts: &Facts,
    value: Option<u64>,
) {
    let stages = facts.iter().find_map(|(_, fact)| match fact {
        Fact::Stages(stages) => Some(stages),
        _ => None,
    });
    let fits = |version: &Version| stages.is_none_or(|stages| same_stages(&version.stages, stages));
    let place = |wanted: &dyn Fn(&Version) -> bool| secret.versions.iter().position(wanted);
    let known = id.and_then(|id| place(&|v| matches!(&v.id, Id::Known(known) if known == id)));
    let asked = op.version.as_ref().filter(|asked| law.alias.as_ref() != Some(asked));
    let stage = op.stage.as_ref().unwrap_or(&law.current);
    let place = known.or_else(|| match (op.role, asked) {
        (Role::Read, Some(asked)) => place(&|v| matches!(&v.id, Id::Known(known) if known == asked)),
        (Role::Read | Role::ReadStage, None) => place(&|v| v.stages.contains(stage) && fits(v)),
        _ => place(&|v| secret.pending.as_ref().is_some_and(|it| it.id == v.id))
            .or_else(|| secret.versions.len().checked_sub(1).filter(|_| secret.pending.is_none())),
    });
    let renamed = law.kinds[secret.kind].renames;
    if let Some(version) = place.and_then(|at| secret.versions.get_mut(at)) {
        if let (Id::Made(_), Some(id), false) = (&version.id, id, renamed) {
            version.id = Id::Known(id.clone());
        }
        if let Some(value) = value {
            version.value = Value::Known(value);
        }
    }
}

fn learn_versions(secret: &mut Secret, seen: &[VersionFact]) {
    let all = secret.versions.clone();
    let listed: Vec<Version> = match seen.iter().all(|entry| entry.stages.is_none()) {
        // A history of ids alone speaks of versions that are not current.
        true => all.iter().filter(|version| version.stages.is_empty()).cloned().collect(),
        false => all,
    };
    let Some(pairs) = pair(&listed, seen, Some(secret)) else { return };
    let strangers = pairs.iter().filter(|(version, _)| matches!(version.id, Id::Made(_))).count();
    for (version, fact) in pairs {
        if let Some(mine) = secret.versions.iter_mut().find(|mine| mine.id == version.id) {
            if let (Id::Made(_), true) = (&mine.id, strangers > 1) {
                // Nobody can tell which of them is which.
                mine.value = Value::Unseen;
            }
            mine.id = Id::Known(fact.id.clone());
            if let Some(at) = fact.created {
                mine.created = When::at(at);
            }
        }
    }
}
