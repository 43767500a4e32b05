//! Errors: that they change nothing, say what is documented, and come instead of a breakdown.

use super::link::Made;
use super::{Check, Drive, Step, check};
use crate::generate::texts::{hostile_texts, outside};
use crate::model::{Meaning, Role};

pub(super) const CHECKS: &[Check] = &[
    check(
        "ROT-ERR-1",
        "makes calls that are refused for many reasons, and looks after each; rotates often",
        refused_calls,
    ),
    check(
        "ROT-ERR-2",
        "adds one bad parameter to calls that would have an effect, and looks",
        bad_among_good,
    )
    .thirsty(1),
    check("ROT-ERR-3", "brings about each documented error condition", conditions),
    check("ROT-ERR-4", "collects the error codes of every condition", conditions),
    check("ROT-ERR-5", "sends hostile texts in every parameter of every operation", hostile).thirsty(1),
];

fn refused_calls(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    let (token, value) = (drive.token(), drive.value());
    drive.put(&secret, &token, &value, None)?;
    drive.look(&secret)?;
    drive.restore(&secret)?;
    drive.look(&secret)?;
    let kind = drive.kind(true)?;
    let (again, _) = drive.creation_as(kind, 0, &secret.name)?;
    drive.send(&again)?;
    drive.look(&secret)?;
    // Rotations that fail by the endpoint's own fault must not have happened either.
    for _ in 0..6 {
        let (at, _) = drive.rotate(&secret)?;
        drive.look(&secret)?;
        if !drive.done(at) {
            break;
        }
    }
    let plain = drive.plain()?;
    drive.look(&plain)?;
    let other = drive.value();
    drive.put(&plain, &plain.first.clone(), &other, None)?;
    drive.look(&plain)
}

fn bad_among_good(drive: &mut Drive<'_>) -> Step {
    let names: Vec<String> = drive.vendor.spec.operations.keys().cloned().collect();
    for name in names {
        let role = drive.vendor.spec.operations[&name].role;
        if !role.writes() || matches!(role, Role::Create | Role::Restore) {
            continue;
        }
        let parameters: Vec<(String, String)> = drive.vendor.spec.operations[&name]
            .parameters
            .iter()
            .filter(|(_, parameter)| !matches!(parameter.is, Meaning::Secret))
            .flat_map(|(name, parameter)| {
                bad_values(drive, parameter).into_iter().map(move |bad| (name.clone(), bad))
            })
            .collect();
        for (parameter, bad) in parameters {
            let (call, secret) = drive.valid_call(&name)?;
            let Some(secret) = secret else { continue };
            drive.look(&secret)?;
            drive.send(&call.with(&parameter, bad))?;
            drive.look(&secret)?;
        }
    }
    Ok(())
}

fn bad_values(drive: &Drive<'_>, parameter: &crate::spec::Parameter) -> Vec<String> {
    let mut bad: Vec<String> = outside(parameter).into_iter().map(|(_, text)| text).take(1).collect();
    match parameter.is {
        Meaning::Interval => bad.push(format!("{}s", drive.vendor.spec.interval.least() - 1)),
        Meaning::Stages => bad.push("[not json".into()),
        Meaning::MoveTo => bad.push("rotaprobe-no-such-version".into()),
        _ => {}
    }
    bad
}

fn conditions(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let plain = drive.plain()?;
    for role in [
        Role::Rotate,
        Role::SetPolicy,
        Role::Put,
        Role::Describe,
        Role::Read,
        Role::Versions,
        Role::MoveStage,
        Role::Delete,
        Role::Restore,
    ] {
        let Ok((name, _)) = drive.operation(role) else { continue };
        let (mut call, _) = drive.valid_call(name)?;
        let nobody = drive.name();
        drive.set(&mut call, Meaning::Secret, nobody);
        drive.send(&call)?;
    }
    for made in [&secret, &plain] {
        taken_then_deleted(drive, made)?;
    }
    Ok(())
}

fn taken_then_deleted(drive: &mut Drive<'_>, secret: &Made) -> Step {
    drive.restore(secret)?;
    let kind = secret.kind.clone();
    let (again, _) = drive.creation_as(&kind, 0, &secret.name)?;
    drive.send(&again)?;
    drive.look(secret)?;
    let days = drive.window();
    drive.delete(secret, Some(days))?;
    drive.delete(secret, Some(days))?;
    drive.send(&again)?;
    drive.restore(secret)?;
    drive.look(secret)
}

fn hostile(drive: &mut Drive<'_>) -> Step {
    let names: Vec<String> = drive.vendor.spec.operations.keys().cloned().collect();
    for name in names {
        let role = drive.vendor.spec.operations[&name].role;
        let documented = &drive.vendor.spec.operations[&name].parameters;
        let (base, _) = drive.valid_call(&name)?;
        let parameters: Vec<String> =
            drive.vendor.spec.operations[&name].parameters.keys().cloned().collect();
        for parameter in parameters {
            for text in hostile_texts() {
                let mut call = base.clone();
                // Names stay the run's own: no hostile text must be the name of somebody's secret.
                let named =
                    documented.get(&parameter).is_some_and(|it| it.is == Meaning::Secret) && !text.is_empty();
                call.set(&parameter, if named { format!("{}{text}", drive.prefix()) } else { text });
                if role == Role::Rotate
                    && drive.vendor.law.rate.is_some_and(|rate| drive.spent_in_window(0) + 2 > rate.calls)
                {
                    drive.advance(drive.vendor.law.rate.map_or(0, |rate| rate.per) + 120)?;
                }
                drive.send(&call)?;
            }
        }
    }
    Ok(())
}
