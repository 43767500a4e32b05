//! Who may rotate: kinds, states and owners.

use super::{Check, Drive, Step, check};
use crate::model::{Meaning, Role};

pub(super) const CHECKS: &[Check] = &[
    check(
        "ROT-KIND-1",
        "rotates every kind that cannot rotate, and looks whether anything moved",
        kinds_refused,
    ),
    check("ROT-KIND-2", "sets a policy on every kind that cannot rotate", kinds_policy),
    check("ROT-STATE-1", "rotates a secret in its deletion window", deleted),
    check("ROT-STATE-2", "rotates a secret that never existed and one in its deletion window", deleted),
    check("ROT-STATE-3", "rotates a secret that was deleted and restored", restored)
        .covers(&["LIFE-3", "ROT-NEW-1"]),
    check(
        "ROT-OWN-1",
        "rotates, reads and deletes another account's secret by name and full identifier",
        foreign,
    ),
];

fn plain_kinds(drive: &Drive<'_>) -> Vec<String> {
    drive.vendor.spec.kinds.iter().filter(|(_, kind)| !kind.rotates).map(|(name, _)| name.clone()).collect()
}

fn kinds_refused(drive: &mut Drive<'_>) -> Step {
    for kind in plain_kinds(drive) {
        let secret = drive.create(&kind, 0, 0)?;
        drive.look(&secret)?;
        drive.rotate(&secret)?;
        drive.look(&secret)?;
        let (token, value) = (drive.token(), drive.value());
        drive.put(&secret, &token, &value, None)?;
        drive.rotate(&secret)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn kinds_policy(drive: &mut Drive<'_>) -> Step {
    for kind in plain_kinds(drive) {
        let secret = drive.create(&kind, 0, 0)?;
        drive.look(&secret)?;
        let interval = drive.legal_interval(23);
        drive.set_policy(&secret, true, Some(&interval))?;
        drive.look(&secret)?;
        drive.set_policy(&secret, false, None)?;
        drive.look(&secret)?;
    }
    Ok(())
}

fn deleted(drive: &mut Drive<'_>) -> Step {
    let mut nobody = drive.rotatable()?;
    let secret = nobody.clone();
    nobody.name = drive.name();
    drive.rotate(&nobody)?;
    let days = drive.window();
    let at = drive.delete(&secret, Some(days))?;
    drive.need(at, "deletion")?;
    drive.rotate(&secret)?;
    Ok(())
}

fn restored(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let days = drive.window();
    let at = drive.delete(&secret, Some(days))?;
    drive.need(at, "deletion")?;
    let at = drive.restore(&secret)?;
    drive.need(at, "restoring")?;
    drive.look(&secret)?;
    let (at, _) = drive.rotate(&secret)?;
    if drive.done(at) {
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn foreign(drive: &mut Drive<'_>) -> Step {
    drive.need_second_account()?;
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    let mut thief = secret.clone();
    thief.account = 1;
    let names: Vec<String> = std::iter::once(secret.name.clone()).chain(secret.arn.clone()).collect();
    for name in names {
        thief.name = name;
        drive.rotate(&thief)?;
        drive.look(&secret)?;
        let interval = drive.legal_interval(23);
        drive.set_policy(&thief, true, Some(&interval))?;
        drive.read(&thief, None)?;
        drive.describe(&thief)?;
        drive.versions(&thief)?;
        drive.delete(&thief, Some(drive.window()))?;
        drive.look(&secret)?;
    }
    // A name is the account's own: the same name in another account is another secret.
    let kind = drive.kind(true)?;
    let (mut call, mut twin) = drive.creation(kind, 0, 1)?;
    drive.set(&mut call, Meaning::Secret, secret.name.clone());
    twin.name = secret.name.clone();
    let twin = drive.create_by(&call, twin)?;
    drive.operation(Role::Rotate)?;
    let (at, _) = drive.rotate(&twin)?;
    drive.need(at, "rotation")?;
    drive.look_back(&twin)?;
    drive.look(&secret)
}
