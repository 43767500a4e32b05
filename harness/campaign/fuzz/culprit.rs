//! Who did it. Where a secret is not as it should be, the write just before need not be to blame: the same may be
//! there without it, or a call before that may have been answered with an error, and have had its effect all the
//! same.

use super::finding::{Likeness, likeness};
use super::runner::Runner;
use crate::check::Expectation;
use crate::generate::{Argument, Ask, Class, Given, Plan, Step};
use crate::model::{Meaning, Role};
use crate::spec::{Operation, Vendor};

/// Rules that say that a refused call changes nothing.
const REFUSED: [&str; 4] = ["ROT-ERR-1", "ROT-ERR-2", "ROT-THR-2", "ROT-POL-8"];

/// A plan that shows better who did what a small plan shows, and what it shows of it. None where who is blamed
/// last of all of these cannot be told better, or would be blamed again.
pub(super) fn blamed_better(
    runner: &mut Runner,
    plan: &Plan,
    seed: u64,
    taken_for: &[Likeness],
) -> Option<(Plan, Likeness)> {
    let wanted = taken_for.last()?;
    without_innocents(runner, plan, seed, wanted)
        .or_else(|| culprit(runner, plan, seed, wanted))
        .filter(|(_, shows)| !taken_for.contains(shows))
}

/// A plan that shows the same without a call that is blamed for it, and what it shows: whoever was not there
/// did not do it. None where each call that is blamed has to be there.
fn without_innocents(
    runner: &mut Runner,
    plan: &Plan,
    seed: u64,
    wanted: &Likeness,
) -> Option<(Plan, Likeness)> {
    let trial = runner.trial(plan, seed);
    let held = trial.violations.iter().find(|it| likeness(&trial, it) == *wanted)?;
    let (_, blamed) = held.calls.split_last()?;
    let own = |at: &usize| trial.performed.asked.iter().find(|(place, _)| place == at);
    let asks: Vec<&Ask> = blamed.iter().rev().filter_map(own).map(|(_, ask)| *ask).collect();
    let is = |step: &Step, blamed: &Ask| matches!(step, Step::Call(ask) if std::ptr::eq(ask, blamed));
    let places: Vec<usize> =
        asks.iter().filter_map(|ask| plan.steps.iter().position(|step| is(step, ask))).collect();
    drop(trial);
    places.into_iter().find_map(|place| {
        let mut fewer = plan.clone();
        fewer.steps.remove(place);
        let trial = runner.trial(&fewer, seed);
        let mut shows = trial.violations.iter().map(|it| likeness(&trial, it));
        let same = shows.find(|it| (&it.1, &it.2, &it.3) == (&wanted.1, &wanted.2, &wanted.3))?;
        drop(trial);
        Some((fewer, same))
    })
}

/// A plan that shows which refused call brought about what a small plan shows, and what it shows of it. None where
/// no call of it was refused, or where looking after each step shows nothing earlier.
fn culprit(runner: &mut Runner, plan: &Plan, seed: u64, wanted: &Likeness) -> Option<(Plan, Likeness)> {
    if REFUSED.contains(&wanted.0.as_str()) {
        return None;
    }
    let vendor = runner.vendor().clone();
    let trial = runner.trial(plan, seed);
    let end = trial.violations.iter().find(|it| likeness(&trial, it) == *wanted).map(last)?;
    let refused = trial.performed.history.calls().any(|(at, exchange)| {
        let operation = vendor.spec.operations.get(&exchange.call.operation);
        at < end && exchange.refused() && operation.is_some_and(|operation| operation.role.writes())
    });
    if !refused {
        return None;
    }
    let watched = watched(&vendor, plan);
    let trial = runner.trial(&watched, seed);
    let same = |it: &&Expectation| REFUSED.contains(&it.rule) && about(&it.expected) == about(&wanted.2);
    let first = trial.violations.iter().filter(same).min_by_key(|it| last(it))?;
    let shows = likeness(&trial, first);
    drop(trial);
    Some((watched, shows))
}

fn last(expectation: &Expectation) -> usize {
    expectation.calls.last().copied().unwrap_or(0)
}

/// What a text of what should be is about: its first word.
fn about(text: &str) -> Option<&str> {
    text.split(' ').find(|word| *word != "no")
}

/// The plan, with a look at the secret after each call.
fn watched(vendor: &Vendor, plan: &Plan) -> Plan {
    let mut steps = Vec::new();
    for step in &plan.steps {
        steps.push(step.clone());
        let secret = match step {
            Step::Call(ask) | Step::Often(ask, _) => ask.secret,
            Step::Together(asks) => asks.first().map_or(0, |ask| ask.secret),
            Step::Advance(_) | Step::Pages(_) => continue,
        };
        let kind = plan.secrets.get(secret).map_or("", |planted| planted.kind.as_str());
        let looks = vendor.spec.operations.iter().filter(|(_, operation)| {
            matches!(operation.role, Role::Describe | Role::Versions) && operation.serves(kind)
        });
        steps.extend(looks.map(|(name, operation)| Step::Call(look(name, operation, secret))));
    }
    Plan { steps, ..plan.clone() }
}

fn look(name: &str, operation: &Operation, secret: usize) -> Ask {
    let given = operation.parameters.iter().filter_map(|(name, parameter)| {
        let value = match parameter.is {
            Meaning::Secret => Given::Name,
            Meaning::IncludeDeprecated => Given::Text("true".to_owned()),
            _ => return None,
        };
        Some(Argument { name: name.clone(), value, class: Class::Valid })
    });
    Ask { operation: name.to_owned(), secret, with: given.collect(), ..Ask::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fuzz::Target;
    use crate::emulator::fault;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn put(number: usize, tamper: Option<&str>) -> serde_json::Value {
        let valid = |name: &str, value| serde_json::json!({ "name": name, "value": value, "class": "valid" });
        let mut ask = serde_json::json!({ "operation": "PutSecretValue", "secret": 0, "with": [
            valid("SecretName", serde_json::json!("name")),
            valid("VersionId", serde_json::json!({ "token": number })),
            valid("SecretData", serde_json::json!({ "value": number })),
        ] });
        if let Some(tamper) = tamper {
            ask["tamper"] = tamper.into();
        }
        serde_json::json!({ "call": ask })
    }

    fn runner(vendor: &Arc<Vendor>, fault: &str) -> Runner {
        let target = Target::reference(vendor, vec![fault::find(fault).unwrap()], 3);
        let forever = Instant::now() + Duration::from_secs(3_600);
        Runner::new(vendor, target, 3, forever).unwrap()
    }

    #[test]
    fn who_was_not_there_did_not_do_it() {
        let vendor = Arc::new(crate::spec::embedded("tencent").unwrap());
        let call = |operation: &str, more: &[(&str, &str)]| {
            let mut with =
                vec![serde_json::json!({ "name": "SecretName", "value": "name", "class": "valid" })];
            with.extend(more.iter().map(
                |(name, text)| serde_json::json!({ "name": name, "value": { "text": text }, "class": "valid" }),
            ));
            serde_json::json!({ "call": { "operation": operation, "secret": 0, "with": with } })
        };
        let plan = serde_json::json!({
            "secrets": [{ "kind": "product", "sample": 0, "account": 0, "called": "anew" }],
            "steps": [
                call("UpdateRotationStatus", &[("EnableRotation", "true")]),
                call("DisableSecret", &[]),
                call("DeleteSecret", &[("RecoveryWindowInDays", "30")]),
                call("RestoreSecret", &[]),
                call("EnableSecret", &[]),
                call("RestoreSecret", &[]),
                call("CreateSecret", &[("SecretString", "taken")]),
            ],
        });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let mut runner = runner(&vendor, "restore-loses-policy");
        let trial = runner.trial(&plan, 3);
        let held = trial.violations.iter().find(|it| it.expected.starts_with("Automatic")).unwrap();
        assert!(REFUSED.contains(&held.rule) || held.rule == "LIFE-1", "the refused creation is blamed");
        let mut taken_for = vec![likeness(&trial, held)];
        drop(trial);
        let mut small = plan.clone();
        while let Some((fewer, shows)) = blamed_better(&mut runner, &small, 3, &taken_for) {
            small = fewer;
            taken_for.push(shows);
        }
        let last = &taken_for[taken_for.len() - 1];
        assert_eq!(last.0, "LIFE-3", "{taken_for:?}");
        assert!(small.steps.len() < plan.steps.len(), "{small:?}");
    }

    #[test]
    fn what_a_refused_call_did_is_not_held_against_the_next_one() {
        let vendor = Arc::new(crate::spec::embedded("alibaba").unwrap());
        let plan = serde_json::json!({
            "secrets": [{ "kind": "Generic", "sample": 0, "account": 0, "called": "anew" }],
            "steps": [put(0, Some("one-character")), put(1, None)],
        });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let mut runner = runner(&vendor, "auth-after-effect");
        let trial = runner.trial(&plan, 3);
        let held = trial.violations.iter().find(|it| it.rule == "PUT-1").expect("the last write is blamed");
        let wanted = likeness(&trial, held);
        drop(trial);
        let (_, shows) = culprit(&mut runner, &plan, 3, &wanted).unwrap();
        assert_eq!(shows.0, "ROT-ERR-1", "{shows:?}");
        let innocent: Plan = Plan { steps: plan.steps[1..].to_vec(), ..plan };
        assert!(culprit(&mut runner, &innocent, 3, &wanted).is_none(), "nothing was refused");
    }
}
