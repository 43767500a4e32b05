//! Calls at the same time, and calls whose replies are lost.

use super::link::Made;
use super::{Check, Drive, Halt, Step, check};
use crate::codec::Call;
use crate::history::{Attempt, Leave};
use crate::model::{Meaning, Role};

pub(super) const CHECKS: &[Check] = &[
    check("ROT-IDEMP-6", "rotates with one token two, four and eight times at once, then looks", one_token)
        .thirsty(1),
    check("ROT-IDEMP-7", "drops connections, rotates again with the same token, then looks", retry)
        .thirsty(1),
    check("ROT-CONC-1", "rotates, writes, reads and sets policies at once, in groups of two to eight", mixed)
        .covers(&["ROT-CONC-2"])
        .thirsty(1),
];

/// Makes calls at once, waits for what they began, and looks at the secret.
fn at_once(drive: &mut Drive<'_>, secret: &Made, calls: &[Call]) -> Step {
    let attempts: Vec<Attempt<'_>> = calls.iter().map(Attempt::new).collect();
    let places = drive.send_together(&attempts)?;
    if let (Some(first), false) = (places.first(), places.iter().any(|at| drive.done(*at))) {
        drive.need(*first, "any of the calls at once")?;
    }
    let going_on = drive.vendor.law.takes.is_some();
    let begun: Vec<usize> = places.into_iter().filter(|at| going_on && drive.begins(*at)).collect();
    if !begun.is_empty() {
        drive.finish(&begun)?;
    }
    drive.look_back(secret)
}

fn rotation(drive: &Drive<'_>, secret: &Made, token: &str) -> Step<Call> {
    let mut call = drive.call_of(Role::Rotate, secret)?;
    drive.set(&mut call, Meaning::Token, token);
    Ok(call)
}

/// Some difference between right and wrong shows only when calls meet in one of several ways.
const ROUNDS: usize = 3;

fn one_token(drive: &mut Drive<'_>) -> Step {
    let (_, operation) = drive.operation(Role::Rotate)?;
    if operation.parameter(Meaning::Token).is_none() {
        return Err(Halt::Missing("the API has no idempotency token".into()));
    }
    for round in 0..ROUNDS {
        let secret = drive.rotatable()?;
        drive.look(&secret)?;
        let token = drive.token();
        let calls = vec![rotation(drive, &secret, &token)?; 2 << round];
        at_once(drive, &secret, &calls)?;
        drive.rotate_with(&secret, &token)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn retry(drive: &mut Drive<'_>) -> Step {
    let (_, operation) = drive.operation(Role::Rotate)?;
    if operation.parameter(Meaning::Token).is_none() {
        return Err(Halt::Missing("the API has no idempotency token".into()));
    }
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    for leave in [Leave::AfterReply, Leave::AtOnce, Leave::AfterReply, Leave::AtOnce] {
        let token = drive.token();
        let call = rotation(drive, &secret, &token)?;
        drive.send_and_leave(&call, leave)?;
        drive.send(&call)?;
        drive.look_back(&secret)?;
        drive.send(&call)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

pub(super) fn rotations(drive: &mut Drive<'_>) -> Step {
    for count in [2, 3, 8] {
        let secret = drive.rotatable()?;
        drive.look(&secret)?;
        let mut calls = Vec::new();
        for _ in 0..count {
            let token = drive.token();
            calls.push(rotation(drive, &secret, &token)?);
        }
        at_once(drive, &secret, &calls)?;
        drive.rotate(&secret)?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn mixed(drive: &mut Drive<'_>) -> Step {
    // Before what a rotation leaves open: orders of many writes are as many as can be followed.
    writes(drive)?;
    for _ in 0..ROUNDS {
        let secret = drive.rotatable()?;
        drive.look(&secret)?;
        let token = drive.token();
        let mut calls = vec![rotation(drive, &secret, &token)?, drive.call_of(Role::Describe, &secret)?];
        let interval = drive.legal_interval(5);
        if let Ok(mut policy) = drive.policy_call(&secret, true)
            && drive.operation(Role::SetPolicy).is_ok()
        {
            drive.set_interval(&mut policy, &interval);
            calls.push(policy);
        }
        at_once(drive, &secret, &calls)?;
    }
    Ok(())
}

fn writes(drive: &mut Drive<'_>) -> Step {
    // A secret each: where only so many versions are kept, every order of more leaves others. The most come first,
    // as what is open of one secret counts again for each way that another may be.
    for count in [8, 4, 2] {
        let Ok(plain) = drive.plain() else { return Ok(()) };
        if drive.operation_at(Role::Put, &plain.kind).is_err() {
            return Ok(());
        }
        drive.look(&plain)?;
        let mut calls = Vec::new();
        for _ in 0..count {
            let (token, value) = (drive.token(), drive.value());
            let mut call = drive.call_of(Role::Put, &plain)?;
            drive.set(&mut call, Meaning::Token, token);
            drive.set(&mut call, Meaning::Value, value);
            calls.push(call);
        }
        at_once(drive, &plain, &calls)?;
    }
    Ok(())
}
