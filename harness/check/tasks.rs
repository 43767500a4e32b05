//! Rotations that go on after their call was answered: tasks, and what is turned away meanwhile.

use super::calls::DAY;
use super::link::Made;
use super::{Check, Drive, Halt, Step, check};
use crate::model::{Meaning, Role, State};

pub(super) const CHECKS: &[Check] = &[
    check("ROT-ASYNC-1", "asks for a task until it ends, and again, also after another rotation", ends),
    check("ROT-ASYNC-2", "looks at the secret as soon as its task succeeded", implies)
        .covers(&["ROT-NEW-1", "ROT-RYW-1"]),
    check("ROT-ASYNC-3", "looks at the secret if its task failed", implies),
    check(
        "ROT-CONC-2",
        "begins rotations at once, and while a pending stage shows that one goes on",
        turned_away,
    ),
];

/// Rotates without waiting, and gives the task.
fn begin(drive: &mut Drive<'_>, secret: &Made) -> Step<String> {
    drive.operation(Role::Task)?;
    drive.leaves_unfinished = true;
    let rotated = drive.rotate(secret);
    drive.leaves_unfinished = false;
    let (at, _) = rotated?;
    drive.need(at, "rotation")?;
    drive.task_of(at).ok_or_else(|| Halt::Missing("the rotation answered no task".into()))
}

fn wait_for(drive: &mut Drive<'_>, task: &str) -> Step {
    for round in 0..8 {
        if drive.ask(task, 0)? != Some(State::Running) {
            drive.settled();
            break;
        }
        let waits = if drive.has_clock() { drive.advance(2).is_ok() } else { drive.wait(round) };
        if !waits {
            break;
        }
    }
    Ok(())
}

fn ends(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let first = begin(drive, &secret)?;
    wait_for(drive, &first)?;
    for _ in 0..3 {
        drive.ask(&first, 0)?;
    }
    let second = begin(drive, &secret)?;
    drive.ask(&first, 0)?;
    wait_for(drive, &second)?;
    for task in [&first, &second, &first] {
        drive.ask(task, 0)?;
    }
    if drive.has_clock() {
        // No document says how long a rotation takes; a day is enough for any.
        drive.advance(DAY)?;
        drive.settled();
        drive.ask(&first, 0)?;
        drive.ask(&second, 0)?;
    }
    Ok(())
}

fn implies(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    for _ in 0..3 {
        let task = begin(drive, &secret)?;
        wait_for(drive, &task)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn turned_away(drive: &mut Drive<'_>) -> Step {
    super::races::rotations(drive)?;
    let Some(pending) = drive.vendor.law.pending.clone() else { return Ok(()) };
    let secret = drive.rotatable()?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    let (token, value) = (drive.token(), drive.value());
    let at = drive.put(&secret, &token, &value, Some(&format!(r#"["{pending}"]"#)))?;
    drive.need(at, "writing a version with the pending stage")?;
    drive.look(&secret)?;
    for _ in 0..2 {
        drive.rotate(&secret)?;
        drive.look_back(&secret)?;
    }
    // Once the stage is gone, nothing stands in the way.
    let mut call = drive.call_of(Role::MoveStage, &secret)?;
    drive.set(&mut call, Meaning::Stage, &*pending);
    drive.set(&mut call, Meaning::RemoveFrom, token);
    let at = drive.send(&call)?;
    drive.need(at, "removing the pending stage")?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)
}
