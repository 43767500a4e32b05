//! The schedule: when automatic rotation happens, and what moves it. Needs a clock.

use super::calls::DAY;
use super::link::Made;
use super::{Check, Drive, Step, check};
use crate::model::{Facts, Meaning, Role};

pub(super) const CHECKS: &[Check] = &[
    check("ROT-SCHED-1", "advances the clock to just before and just after the next rotation, twice", fires),
    check("ROT-SCHED-2", "rotates by hand half-way to the next rotation", manual)
        .covers(&["ROT-NEW-1", "ROT-SCHED-1"]),
    check("ROT-SCHED-3", "changes the interval to a longer and a shorter one", changed)
        .covers(&["ROT-POL-1", "ROT-SCHED-1"]),
    check(
        "ROT-SCHED-4",
        "reads in every way, days apart, and compares the date of the next rotation",
        reading,
    )
    .covers(&["ROT-POL-5", "ROT-RYW-1"]),
    check("ROT-SCHED-5", "switches automatic rotation off and lets its date pass", off)
        .covers(&["ROT-POL-4", "ROT-POL-5"]),
];

/// Seconds kept from a date on either side: the clocks of two machines never quite agree.
const MARGIN: i64 = 600;

fn last(facts: &Facts) -> Option<crate::model::Fact> {
    facts.iter().find(|(meaning, _)| *meaning == Meaning::LastRotation).map(|(_, fact)| fact.clone())
}

/// A secret that was rotated once, so that the base of its schedule is known, and then scheduled.
fn scheduled(drive: &mut Drive<'_>, days: i64) -> Step<Made> {
    drive.need_clock()?;
    let secret = drive.rotatable()?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.describe(&secret)?;
    let interval = drive.legal_interval(days + slack_days(drive));
    let at = drive.set_policy(&secret, true, Some(&interval))?;
    drive.need(at, "switching automatic rotation on")?;
    drive.describe(&secret)?;
    Ok(secret)
}

/// Days by which intervals are longer where a schedule need not keep to the minute.
const fn slack_days(drive: &Drive<'_>) -> i64 {
    4 * drive.vendor.law.slack / DAY
}

fn span(drive: &Drive<'_>, days: i64) -> i64 {
    ((drive.vendor.spec.interval.min.0 + DAY - 1) / DAY + days + slack_days(drive)) * DAY
}

fn pass_date(drive: &mut Drive<'_>, secret: &Made) -> Step {
    let at = drive.describe(secret)?;
    let before = last(&drive.facts(at));
    drive.advance(2 * MARGIN)?;
    drive.settle(secret, |facts| last(facts) != before)?;
    drive.look_back(secret)
}

fn fires(drive: &mut Drive<'_>) -> Step {
    let secret = scheduled(drive, 0)?;
    let seconds = span(drive, 0);
    for _ in 0..2 {
        drive.advance(seconds / 2)?;
        drive.look(&secret)?;
        drive.advance(seconds - seconds / 2 - MARGIN - 60)?;
        drive.linger(&secret)?;
        drive.look(&secret)?;
        pass_date(drive, &secret)?;
    }
    // A policy that is given at creation counts too.
    let kind = drive.kind(true)?;
    let (mut call, made) = drive.creation(kind, 0, 0)?;
    let interval = drive.legal_interval(slack_days(drive));
    drive.switch_on(&mut call, Some(&interval));
    let made = drive.create_by(&call, made)?;
    drive.look(&made)?;
    drive.advance(seconds - MARGIN)?;
    drive.look(&made)?;
    pass_date(drive, &made)?;
    dated(drive)
}

/// A policy that names its first date keeps to it.
fn dated(drive: &mut Drive<'_>) -> Step {
    let operation = drive.operation(Role::SetPolicy).ok().map(|(_, operation)| operation);
    let date = operation.and_then(|operation| operation.parameter(Meaning::FirstRotation));
    let Some((name, parameter)) = date else { return Ok(()) };
    let (seconds, slack) = (span(drive, 0), drive.vendor.law.slack);
    let secret = drive.rotatable()?;
    // An interval would be over long before.
    let wait = seconds + 2 * slack + DAY;
    let mut call = drive.policy_call(&secret, true)?;
    let interval = drive.legal_interval(slack_days(drive));
    drive.set_interval(&mut call, &interval);
    if let Some(date) = parameter.form.write(drive.now() + wait) {
        call.set(name, date);
    }
    let at = drive.send(&call)?;
    if !drive.done(at) {
        return Ok(());
    }
    drive.look(&secret)?;
    drive.advance(wait - slack - MARGIN)?;
    drive.linger(&secret)?;
    drive.look(&secret)?;
    drive.advance(seconds + 2 * slack)?;
    pass_date(drive, &secret)
}

fn manual(drive: &mut Drive<'_>) -> Step {
    let secret = scheduled(drive, 3)?;
    let seconds = span(drive, 3);
    drive.advance(seconds / 2)?;
    drive.describe(&secret)?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look(&secret)?;
    drive.advance(seconds / 2 + MARGIN)?;
    drive.linger(&secret)?;
    drive.look(&secret)?;
    drive.advance(seconds / 2 - 2 * MARGIN)?;
    pass_date(drive, &secret)
}

fn changed(drive: &mut Drive<'_>) -> Step {
    let secret = scheduled(drive, 3)?;
    for days in [20, 1] {
        let interval = drive.legal_interval(days + slack_days(drive));
        let at = drive.set_policy(&secret, true, Some(&interval))?;
        drive.need(at, "changing the interval")?;
        drive.look(&secret)?;
    }
    let seconds = span(drive, 1);
    drive.advance(seconds - MARGIN)?;
    drive.look(&secret)?;
    pass_date(drive, &secret)
}

fn reading(drive: &mut Drive<'_>) -> Step {
    let secret = scheduled(drive, 3)?;
    for _ in 0..3 {
        drive.look_back(&secret)?;
        drive.look_back(&secret)?;
        drive.advance(2 * DAY)?;
    }
    drive.look_back(&secret)
}

fn off(drive: &mut Drive<'_>) -> Step {
    let secret = scheduled(drive, 0)?;
    let at = drive.set_policy(&secret, false, None)?;
    drive.need(at, "switching automatic rotation off")?;
    // What was begun before has ended long before the date.
    drive.advance(MARGIN)?;
    drive.linger(&secret)?;
    drive.look(&secret)?;
    let seconds = span(drive, 0);
    drive.advance(seconds + 2 * MARGIN)?;
    drive.linger(&secret)?;
    drive.look_back(&secret)?;
    // One that was never on does not fire either.
    let never = drive.rotatable()?;
    drive.look(&never)?;
    drive.advance(seconds + 2 * MARGIN)?;
    drive.look(&never)
}
