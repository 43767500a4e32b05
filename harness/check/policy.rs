//! The rotation policy: what it needs, what it ignores, and what is read back.

use super::link::Made;
use super::{Check, Drive, Halt, Step, check};
use crate::model::{Meaning, Role};
use crate::spec::Family;

pub(super) const CHECKS: &[Check] = &[
    check(
        "ROT-POL-3",
        "switches automatic rotation on without an interval, before and after one was set",
        needs_interval,
    ),
    check(
        "ROT-POL-4",
        "switches automatic rotation off with intervals of every kind, malformed ones too",
        off_ignores,
    ),
    check("ROT-POL-5", "sets, changes and switches off policies, and reads each back", reads_back),
    check("ROT-POL-6", "sets fields that exclude each other one after the other, and together", exclusive),
    check(
        "ROT-POL-8",
        "has policies refused, while on and while off, and reads back the old one",
        refused_leaves,
    ),
];

fn needs_interval(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.set_policy(&secret, true, None)?;
    drive.describe(&secret)?;
    let interval = drive.legal_interval(23);
    drive.set_policy(&secret, true, Some(&interval))?;
    drive.set_policy(&secret, true, None)?;
    drive.describe(&secret)?;
    drive.set_policy(&secret, false, None)?;
    drive.set_policy(&secret, true, None)?;
    drive.describe(&secret)?;
    let kind = drive.kind(true)?;
    let (mut call, _) = drive.creation(kind, 0, 0)?;
    drive.switch_on(&mut call, None);
    drive.send(&call).map(|_| ())
}

fn off_ignores(drive: &mut Drive<'_>) -> Step {
    let mut texts = crate::generate::texts::malformed_texts(drive.vendor);
    texts.extend([String::new(), "garbage".into(), "1s".into(), "9999d".into(), drive.legal_interval(1)]);
    let interval = drive.legal_interval(23);
    // A secret for a few of them: what a trial of rotation leaves open must not add up.
    for some in texts.chunks(8) {
        let secret = drive.rotatable()?;
        drive.set_policy(&secret, true, Some(&interval))?;
        drive.describe(&secret)?;
        for text in some {
            drive.set_policy(&secret, false, Some(text))?;
            drive.describe(&secret)?;
        }
    }
    Ok(())
}

fn set_schedule(drive: &mut Drive<'_>, secret: &Made, text: &str) -> Step {
    let mut call = drive.policy_call(secret, true)?;
    drive.set(&mut call, Meaning::Schedule, text);
    if call.params.iter().all(|param| param.value != text) {
        return Err(Halt::Missing("no fields of a policy exclude each other".into()));
    }
    drive.send(&call)?;
    drive.describe(secret).map(|_| ())
}

fn exclusive(drive: &mut Drive<'_>) -> Step {
    // One that acts within hours may have acted more often than anybody can tell.
    for texts in [["rate(3 hours)", "rate(999 days)"], ["rate(0 days)", "rate(4 hours)"]] {
        let secret = drive.rotatable()?;
        texts.iter().try_for_each(|text| set_schedule(drive, &secret, text))?;
    }
    let secret = drive.rotatable()?;
    set_schedule(drive, &secret, "rate(10 days)")?;
    let interval = drive.legal_interval(23);
    drive.set_policy(&secret, true, Some(&interval))?;
    drive.describe(&secret)?;
    let mut both = drive.policy_call(&secret, true)?;
    drive.set(&mut both, Meaning::Schedule, "rate(11 days)");
    drive.set_interval(&mut both, &interval);
    drive.send(&both)?;
    drive.describe(&secret)?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look(&secret)
}

fn reads_back(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.describe(&secret)?;
    for extra in [23, 5, 60] {
        let interval = drive.legal_interval(extra);
        drive.set_policy(&secret, true, Some(&interval))?;
        drive.describe(&secret)?;
        drive.read(&secret, None)?;
    }
    for on in [true, false] {
        let mut call = drive.policy_call(&secret, on)?;
        let shown = if on { ["True", "TRUE", "true"] } else { ["False", "FALSE", "false"] };
        // Official SDKs of several languages write booleans in several ways, where they are texts.
        let texts = drive.vendor.spec.protocol.family == Family::RpcQuery;
        for word in shown.into_iter().filter(|word| texts || matches!(*word, "true" | "false")) {
            drive.set(&mut call, Meaning::Enable, word);
            if on {
                let interval = drive.legal_interval(9);
                drive.set_interval(&mut call, &interval);
                let token = drive.token();
                drive.set(&mut call, Meaning::Token, token);
            }
            drive.send(&call)?;
            drive.describe(&secret)?;
        }
    }
    let interval = drive.legal_interval(11);
    drive.set_policy(&secret, true, Some(&interval))?;
    drive.look(&secret)?;
    let kind = drive.kind(true)?;
    let (mut call, made) = drive.creation(kind, 0, 0)?;
    let interval = drive.legal_interval(13);
    drive.switch_on(&mut call, Some(&interval));
    let created = drive.create_by(&call, made);
    if let Ok(made) = &created {
        drive.look(made)?;
    }
    // What stands behind such a secret is there: another one can be made.
    drive.create(kind, 0, 0)?;
    created.map(|_| ())
}

fn refused_leaves(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let interval = drive.legal_interval(23);
    let least = drive.vendor.spec.interval.least();
    let bad = ["9999d".to_owned(), "garbage".into(), format!("{}s", least - 1), "-1d".into(), "7x".into()];
    for on in [false, true] {
        drive.set_policy(&secret, on, on.then_some(interval.as_str()))?;
        drive.look(&secret)?;
        for text in &bad {
            drive.set_policy(&secret, true, Some(text))?;
            drive.describe(&secret)?;
        }
        drive.set_policy(&secret, true, None)?;
        drive.describe(&secret)?;
        if drive.operation(Role::SetPolicy).is_ok() {
            let mut call = drive.policy_call(&secret, true)?;
            drive.set(&mut call, Meaning::Enable, "perhaps");
            drive.set_interval(&mut call, &interval);
            drive.send(&call)?;
        }
        drive.look(&secret)?;
    }
    Ok(())
}
