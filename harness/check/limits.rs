//! The documented limit on rotations. These checks use it up, so they come last.

use super::{Check, Drive, Halt, Step, check};

pub(super) const CHECKS: &[Check] = &[
    check(
        "ROT-THR-1",
        "uses up the documented number of rotations, asks for one more, and again after the window",
        recovers,
    )
    .thirsty(2),
    check("ROT-THR-2", "looks at two secrets after a rotation was refused for the limit", changes_nothing)
        .thirsty(2),
    check(
        "ROT-THR-3",
        "uses up one account's limit, then rotates another secret and another account's",
        scope,
    )
    .covers(&["ROT-THR-1", "ROT-NEW-1"])
    .thirsty(2),
];

/// Windows shorter than this, in seconds, cannot be told from the slack between two clocks.
const SHORTEST: i64 = 30;

/// Starts a fresh window that the clock does not cut for a while, and gives its number of calls.
fn fresh_window(drive: &mut Drive<'_>) -> Step<(usize, i64)> {
    let Some(rate) = drive.vendor.law.rate else {
        return Err(Halt::Missing("no document limits the number of rotations".into()));
    };
    drive.need_clock()?;
    if rate.per < SHORTEST {
        return Err(Halt::Missing("the window is shorter than two clocks can be told apart".into()));
    }
    drive.advance(rate.per + 120)?;
    let into = drive.now().rem_euclid(rate.per);
    // A window may be cut by the clock: begin early in one.
    if into > rate.per / 2 || into < 60 {
        drive.advance(rate.per - into + 120)?;
    }
    Ok((rate.calls, rate.per))
}

/// Uses up the limit of an account on two secrets; looks from time to time.
fn use_up(drive: &mut Drive<'_>, calls: usize, account: usize) -> Step<[super::Made; 2]> {
    let kind = drive.kind(true)?;
    let secrets = [drive.create(kind, 0, account)?, drive.create(kind, 0, account)?];
    for round in 0..calls {
        drive.rotate(&secrets[round % 2])?;
    }
    Ok(secrets)
}

fn recovers(drive: &mut Drive<'_>) -> Step {
    let (calls, per) = fresh_window(drive)?;
    drive.uncounted(0, |drive| {
        let secrets = use_up(drive, calls, 0)?;
        over(drive, &secrets)?;
        drive.advance(per + 120)?;
        drive.uncounted(0, |drive| {
            for secret in &secrets {
                let (at, _) = drive.rotate(secret)?;
                if drive.done(at) {
                    drive.look(secret)?;
                }
            }
            Ok(())
        })
    })
}

/// One more than allowed, with the harness's own budget out of the way.
fn over(drive: &mut Drive<'_>, secrets: &[super::Made]) -> Step {
    drive.uncounted(0, |drive| {
        for secret in secrets {
            drive.look(secret)?;
            drive.rotate(secret)?;
            drive.look_back(secret)?;
        }
        Ok(())
    })
}

fn changes_nothing(drive: &mut Drive<'_>) -> Step {
    let (calls, _) = fresh_window(drive)?;
    drive.uncounted(0, |drive| {
        let secrets = use_up(drive, calls, 0)?;
        over(drive, &secrets)?;
        over(drive, &secrets)
    })
}

fn scope(drive: &mut Drive<'_>) -> Step {
    let (calls, _) = fresh_window(drive)?;
    drive.need_second_account()?;
    drive.uncounted(0, |drive| {
        let secrets = use_up(drive, calls, 0)?;
        let kind = drive.kind(true)?;
        let third = drive.create(kind, 0, 0)?;
        over(drive, &[third])?;
        let other = drive.create(kind, 0, 1)?;
        drive.uncounted(1, |drive| {
            for _ in 0..2 {
                let (at, _) = drive.rotate(&other)?;
                if drive.done(at) {
                    drive.look_back(&other)?;
                }
            }
            Ok(())
        })?;
        drive.look(&secrets[0])
    })
}
