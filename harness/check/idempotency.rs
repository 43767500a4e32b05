//! Idempotency: the same token, again, elsewhere, later.

use super::calls::DAY;
use super::{Check, Drive, Halt, Step, check};
use crate::spec::IdempotencyFamily;

pub(super) const CHECKS: &[Check] = &[
    check("ROT-IDEMP-1", "rotates with the same version id three times, with looks between", same_token),
    check("ROT-IDEMP-3", "uses one version id at two secrets, and again days later", scope).covers(&[
        "ROT-NEW-1",
        "ROT-IDEMP-1",
        "ROT-IDEMP-5",
    ]),
    check("ROT-IDEMP-4", "makes five rotations with five version ids, and counts versions", each_counts)
        .covers(&["ROT-NEW-1"]),
    check("ROT-IDEMP-5", "replays the ids of versions that are not current any more", older_token),
];

fn need_tokens(drive: &Drive<'_>) -> Step {
    match drive.vendor.spec.idempotency.family {
        IdempotencyFamily::VersionId => Ok(()),
        IdempotencyFamily::None => Err(Halt::Missing("the API has no idempotency token".into())),
    }
}

fn same_token(drive: &mut Drive<'_>) -> Step {
    need_tokens(drive)?;
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    let (at, token) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    for _ in 0..2 {
        drive.rotate_with(&secret, &token)?;
        drive.look_back(&secret)?;
    }
    let (at, token) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.rotate_with(&secret, &token)?;
    drive.look_back(&secret)
}

fn scope(drive: &mut Drive<'_>) -> Step {
    need_tokens(drive)?;
    let (one, other) = (drive.rotatable()?, drive.rotatable()?);
    let (at, token) = drive.rotate(&one)?;
    drive.need(at, "rotation")?;
    drive.rotate_with(&other, &token)?;
    drive.look_back(&other)?;
    drive.look_back(&one)?;
    // The id of another secret's first version is no version of this one either.
    drive.rotate_with(&one, &other.first)?;
    drive.look_back(&one)?;
    if drive.need_clock().is_ok() {
        drive.advance(3 * DAY)?;
        drive.rotate_with(&one, &token)?;
        drive.look_back(&one)?;
    }
    Ok(())
}

fn each_counts(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    let stem = drive.token();
    // Ids that resemble each other are different ids all the same.
    for end in ["", "0", "00", "a", "A"] {
        let at = drive.rotate_with(&secret, &format!("{stem}{end}"))?;
        drive.need(at, "rotation")?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn older_token(drive: &mut Drive<'_>) -> Step {
    need_tokens(drive)?;
    let secret = drive.rotatable()?;
    let (at, first) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    for token in [first, secret.first.clone()] {
        drive.rotate_with(&secret, &token)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}
