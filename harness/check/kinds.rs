//! Who may rotate: kinds, states and owners.

use super::overlap::alone;
use super::{Check, Drive, Ruling, Step, check};
use crate::history::{Entry, History};
use crate::model::{Condition, Meaning, Role};
use crate::spec::Vendor;

pub(super) const CHECKS: &[Check] = &[
    check(
        "ROT-KIND-1",
        "rotates every kind that cannot rotate, and looks whether anything moved",
        kinds_refused,
    ),
    check("ROT-KIND-2", "sets a policy on every kind that cannot rotate", kinds_policy),
    check("ROT-STATE-1", "rotates a secret in its deletion window", deleted),
    check("ROT-STATE-2", "rotates a secret that never existed and one in its deletion window", deleted)
        .judged(told_apart),
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

/// A secret for which no function was named has nothing to rotate it.
fn without_function(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let mut call = drive.call_of(Role::Rotate, &secret)?;
    let token = drive.token();
    drive.set(&mut call, Meaning::Token, token);
    let (_, operation) = drive.operation(Role::Rotate)?;
    if let Some((name, _)) = operation.parameter(Meaning::Function) {
        drive.send(&call.without(name))?;
        drive.look(&secret)?;
    }
    Ok(())
}

fn deleted(drive: &mut Drive<'_>) -> Step {
    if drive.vendor.law.needs_function {
        without_function(drive)?;
    }
    if drive.vendor.law.needs_disabled {
        let off = drive.rotatable()?;
        drive.look(&off)?;
        drive.switch(&off, false)?;
        drive.rotate(&off)?;
        drive.read(&off, None)?;
        drive.describe(&off)?;
        drive.switch(&off, true)?;
        drive.look(&off)?;
    }
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
    // A path may name the other account's project.
    let (_, operation) = drive.operation(Role::Rotate)?;
    if let (Some((name, _)), Some(project)) = (operation.parameter(Meaning::Project), drive.project(0)) {
        let mut thief = secret.clone();
        thief.account = 1;
        for role in [Role::Rotate, Role::Read, Role::Describe] {
            let mut call = drive.call_of(role, &thief)?;
            let current = drive.current_id(&secret);
            drive.set(&mut call, Meaning::Version, current);
            drive.send(&call.with(name, project.clone()))?;
        }
        drive.look(&secret)?;
    }
    // A name is the account's own: the same name in another account is another secret.
    let kind = drive.kind(true)?;
    let (call, twin) = drive.creation_as(kind, 1, &secret.name)?;
    let twin = drive.create_by(&call, twin)?;
    drive.operation(Role::Rotate)?;
    let (at, _) = drive.rotate(&twin)?;
    drive.need(at, "rotation")?;
    drive.look_back(&twin)?;
    drive.look(&secret)
}

/// A secret in its deletion window is refused otherwise than one that never was.
fn told_apart(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    // Secrets by account and name: those that somebody may have, and those in their deletion windows.
    let mut known: Vec<(usize, String)> = Vec::new();
    let mut deleted = known.clone();
    let mut codes: [Vec<(usize, String)>; 2] = [Vec::new(), Vec::new()];
    let alone = alone(history);
    for (at, entry) in history.entries.iter().enumerate() {
        let Entry::Call(exchange) = entry else {
            // Windows may close.
            deleted.clear();
            continue;
        };
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { continue };
        let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
        let name = (exchange.call.account, get(Meaning::Secret).unwrap_or_default().to_owned());
        let code = exchange.code();
        let forced = get(Meaning::Force).is_some_and(|text| text != "false");
        let alone = alone.contains(&at);
        match (operation.role, code) {
            // A full identifier may be anybody's.
            _ if name.1.contains(':') => {}
            (Role::Create, _) => {
                deleted.retain(|other| *other != name);
                known.push(name);
            }
            (Role::Delete, None) if alone && exchange.done() && !forced => deleted.push(name),
            (Role::Rotate, Some(_)) if !alone => {}
            (Role::Rotate, Some(code)) if deleted.contains(&name) || !known.contains(&name) => {
                codes[usize::from(deleted.contains(&name))].push((at, code.to_owned()));
            }
            (role, _) if role.writes() => deleted.retain(|other| *other != name),
            _ => {}
        }
    }
    let [unknown, leaving] = codes;
    // Whoever finds fault with the call itself looks no further.
    let (own, settled) = vendor.spec.answers(Condition::UnknownSecret, "");
    let told = |code: &String| settled && vendor.spec.any_fits(own, code);
    let unknown: Vec<_> = unknown.into_iter().filter(|(_, code)| told(code)).collect();
    if let (Some((one, first)), Some((other, second))) = (unknown.first(), leaving.first()) {
        let calls = [*one, *other];
        let observed = || format!("{first} for both");
        ruling.expect("ROT-STATE-2", first != second, &calls, || "two different codes".into(), observed);
    }
}
