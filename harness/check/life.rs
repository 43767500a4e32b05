//! The life of a secret: creation, deletion windows, restoring, and names.

use super::calls::DAY;
use super::link::Made;
use super::{Check, Drive, Step, check};
use crate::model::{Facts, Meaning, Role};

pub(super) const CHECKS: &[Check] = &[
    check("LIFE-1", "creates names that are taken, and names in their deletion window", taken),
    check("LIFE-2", "makes every call at a secret in its deletion window", leaving),
    check("LIFE-3", "deletes and restores secrets with versions, stages and a policy", restored),
    check(
        "LIFE-4",
        "deletes with windows at and outside the bounds, by force, and creates the name anew",
        windows,
    )
    .covers(&["LIFE-1", "ROT-PAGE-1"]),
    check("LIFE-5", "asks for names that differ by a prefix, by case, by a blank or by normalisation", names)
        .covers(&["ROT-POL-5", "ROT-ERR-3", "ROT-NEW-1", "ROT-RYW-1"]),
];

fn taken(drive: &mut Drive<'_>) -> Step {
    for rotates in [false, true] {
        let kind = drive.kind(rotates)?;
        let secret = drive.create(kind, 0, 0)?;
        drive.look(&secret)?;
        for other in [false, true] {
            let kind = drive.kind(other)?;
            let (again, _) = drive.creation_as(kind, 0, &secret.name)?;
            drive.send(&again)?;
            drive.look(&secret)?;
            let days = drive.window();
            drive.delete(&secret, Some(days))?;
            drive.send(&again)?;
            drive.restore(&secret)?;
            drive.look(&secret)?;
        }
    }
    Ok(())
}

fn leaving(drive: &mut Drive<'_>) -> Step {
    for rotates in [true, false] {
        let kind = drive.kind(rotates)?;
        let secret = drive.create(kind, 0, 0)?;
        drive.look(&secret)?;
        let days = drive.window();
        let at = drive.delete(&secret, Some(days))?;
        drive.need(at, "deletion")?;
        drive.describe(&secret)?;
        for days in [days, 7, 30] {
            drive.delete(&secret, Some(days))?;
            drive.describe(&secret)?;
        }
        let (again, _) = drive.creation_as(kind, 0, &secret.name)?;
        drive.send(&again)?;
        drive.describe(&secret)?;
        // What documents do not speak of is only noted.
        drive.read(&secret, None)?;
        drive.versions(&secret)?;
        let interval = drive.legal_interval(23);
        drive.set_policy(&secret, true, Some(&interval))?;
    }
    Ok(())
}

fn restored(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    let interval = drive.legal_interval(23);
    drive.set_policy(&secret, true, Some(&interval))?;
    let plain = drive.plain()?;
    for stages in [None, Some(r#"["rotaprobe-a"]"#)] {
        let (token, value) = (drive.token(), drive.value());
        drive.put(&plain, &token, &value, stages)?;
    }
    for made in [&secret, &plain] {
        drive.restore(made)?;
        drive.look_back(made)?;
        let days = drive.window();
        let at = drive.delete(made, Some(days))?;
        drive.need(at, "deletion")?;
        drive.describe(made)?;
        let at = drive.restore(made)?;
        drive.need(at, "restoring")?;
        drive.look_back(made)?;
        drive.restore(made)?;
        drive.look_back(made)?;
    }
    Ok(())
}

fn windows(drive: &mut Drive<'_>) -> Step {
    let (name, operation) = drive.operation(Role::Delete)?;
    let bounds = operation
        .parameter(Meaning::Window)
        .map(|(name, parameter)| (name.to_owned(), parameter.min, parameter.max));
    if let Some((window, Some(min), Some(max))) = bounds {
        for days in [min - 1, max + 1, 0, -1, min, max, min + 1] {
            let (call, secret) = drive.valid_call(name)?;
            let Some(secret) = secret else { continue };
            drive.look(&secret)?;
            let at = drive.send(&call.with(&window, days.to_string()))?;
            drive.describe(&secret)?;
            if !drive.done(at) {
                drive.look(&secret)?;
            }
        }
    }
    for rotates in [true, false] {
        let kind = drive.kind(rotates)?;
        let secret = drive.create(kind, 0, 0)?;
        if rotates {
            drive.rotate(&secret)?;
        } else {
            let (token, value) = (drive.token(), drive.value());
            drive.put(&secret, &token, &value, Some(r#"["rotaprobe-a"]"#))?;
        }
        let at = drive.delete(&secret, None)?;
        drive.need(at, "forced deletion")?;
        drive.describe(&secret)?;
        drive.restore(&secret)?;
        drive.read(&secret, None)?;
        drive.rotate(&secret)?;
        let (anew, made) = drive.creation_as(kind, 0, &secret.name)?;
        let made = drive.create_by(&anew, made)?;
        drive.look(&made)?;
        if rotates {
            drive.rotate(&made)?;
            drive.look_back(&made)?;
        }
    }
    expiry(drive)
}

/// A window that ends takes the secret with it.
fn expiry(drive: &mut Drive<'_>) -> Step {
    if drive.need_clock().is_err() {
        return Ok(());
    }
    let (_, operation) = drive.operation(Role::Delete)?;
    let days =
        operation.parameter(Meaning::Window).and_then(|(_, parameter)| parameter.min.filter(|it| *it > 0));
    let days = days.unwrap_or(drive.window());
    let secret = drive.plain()?;
    let at = drive.delete(&secret, Some(days))?;
    drive.need(at, "deletion")?;
    drive.advance(days * DAY - 3_600)?;
    drive.describe(&secret)?;
    let at = drive.restore(&secret)?;
    drive.need(at, "restoring")?;
    drive.look(&secret)?;
    let at = drive.delete(&secret, Some(days))?;
    drive.need(at, "deletion")?;
    drive.advance((days + 2) * DAY)?;
    drive.settle(&secret, Facts::is_empty)?;
    drive.describe(&secret)?;
    drive.restore(&secret)?;
    let (anew, made) = drive.creation_as(&secret.kind, 0, &secret.name)?;
    let made = drive.create_by(&anew, made)?;
    drive.look(&made)
}

fn names(drive: &mut Drive<'_>) -> Step {
    let kind = drive.kind(true)?;
    let stem = drive.name();
    let mut made = Vec::new();
    for name in [format!("{stem}Ab"), format!("{stem}Abc"), format!("{stem}aB")] {
        let (call, secret) = drive.creation_as(kind, 0, &name)?;
        made.push(drive.create_by(&call, secret)?);
    }
    let (at, _) = drive.rotate(&made[0])?;
    drive.need(at, "rotation")?;
    for secret in &made {
        drive.look(secret)?;
    }
    for name in [
        format!("{stem}A"),
        stem.clone(),
        format!("{stem}AB"),
        format!("{stem}ab"),
        format!("{stem}Abcd"),
        format!("{stem}Ab "),
        format!(" {stem}Ab"),
        format!("{stem}Ab/"),
        format!("{stem}%41b"),
        format!("{stem}A*"),
        format!("{stem}\u{ff21}b"),
        format!("{stem}Ab\u{0}"),
    ] {
        let mut other = made[0].clone();
        other.name = name;
        drive.describe(&other)?;
        drive.rotate(&other)?;
    }
    for secret in &made {
        drive.look_back(secret)?;
    }
    by_identifier(drive, &made[0])
}

/// The full identifier that creation answered reaches the same secret, where it reaches one at all.
fn by_identifier(drive: &mut Drive<'_>, secret: &Made) -> Step {
    let Some(arn) = secret.arn.clone() else { return Ok(()) };
    let mut full = secret.clone();
    full.name = arn;
    drive.describe(&full)?;
    drive.rotate(&full)?;
    drive.look_back(secret)
}
