//! Identity of versions: which is current, which was, and that none is lost, doubled or changed.

use super::overlap::alone;
use super::{Check, Drive, Halt, Ruling, Step, check};
use crate::history::{Entry, History};
use crate::model::{Fact, Meaning, Role};
use crate::spec::Vendor;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CHECKS: &[Check] = &[
    check("ROT-CUR-1", "rotates three times and looks at versions and values after each", thrice),
    check(
        "ROT-CUR-2",
        "puts a stage of its own on one version after another, and looks where it is",
        stage_moves,
    )
    .covers(&["PUT-1", "STAGE-1"]),
    check("ROT-PREV-1", "rotates three times and reads the previous version after each", thrice).thirsty(1),
    check("ROT-PEND-1", "looks for stages that outlive their rotation", thrice).thirsty(1),
    check("ROT-MONO-1", "rotates by hand and by schedule, and looks for ids that come twice", ids),
    check("ROT-MONO-2", "reads every version again after rotations and replays", values_stay),
    check("ROT-HIST-1", "writes more versions than are kept, and looks which are left", retention)
        .covers(&["PUT-1", "ROT-PAGE-1"]),
    check("ROT-NEW-1", "rotates a secret of every kind and way of creation twice", every_kind)
        .judged(alternation)
        .thirsty(1),
    check("ROT-RYW-1", "reads several times right after each of three rotations", read_your_writes),
    check("ROT-PAGE-1", "lists seven versions in pages of every size from 1 to 4", pages)
        .judged(super::pages::versions),
];

fn thrice(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    for _ in 0..3 {
        let (at, _) = drive.rotate(&secret)?;
        drive.need(at, "rotation")?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn stage_moves(drive: &mut Drive<'_>) -> Step {
    if drive.operation(Role::Put)?.1.parameter(Meaning::Stages).is_none() {
        return Err(Halt::Missing("writes carry no stages".into()));
    }
    let secret = drive.plain()?;
    for _ in 0..3 {
        let (token, value) = (drive.token(), drive.value());
        let at = drive.put(&secret, &token, &value, Some(r#"["rotaprobe-a","rotaprobe-b"]"#))?;
        drive.need(at, "writing a version")?;
        drive.look(&secret)?;
    }
    let current = drive.vendor.law.current.to_string();
    let (token, value) = (drive.token(), drive.value());
    drive.put(&secret, &token, &value, Some(&format!(r#"["{current}","rotaprobe-a"]"#)))?;
    drive.look_back(&secret)
}

fn ids(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    for _ in 0..3 {
        let (at, _) = drive.rotate(&secret)?;
        drive.need(at, "rotation")?;
    }
    drive.versions(&secret)?;
    drive.need_clock()?;
    let interval = drive.legal_interval(0);
    let at = drive.set_policy(&secret, true, Some(&interval))?;
    drive.need(at, "switching automatic rotation on")?;
    let seconds = drive.vendor.spec.interval.min.0 + 3_600;
    for _ in 0..2 {
        let before = drive.describe(&secret)?;
        let before = drive.fact(before, Meaning::LastRotation);
        drive.advance(seconds)?;
        drive.settle(&secret, |facts| {
            facts.iter().find(|(m, _)| *m == Meaning::LastRotation).map(|(_, f)| f) != before.as_ref()
        })?;
        drive.look_back(&secret)?;
    }
    Ok(())
}

fn values_stay(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.look(&secret)?;
    let (at, token) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    drive.rotate_with(&secret, &token)?;
    drive.look_back(&secret)?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    read_all(drive, &secret)?;
    let plain = drive.plain()?;
    let value = drive.value();
    let token = drive.token();
    drive.put(&plain, &token, &value, None)?;
    drive.look_back(&plain)?;
    let mut call = drive.call_of(Role::Read, &plain)?;
    drive.set(&mut call, Meaning::Version, plain.first.clone());
    drive.send(&call).map(|_| ())
}

/// Reads every version that a list names, where reads name versions.
fn read_all(drive: &mut Drive<'_>, secret: &super::Made) -> Step {
    let by_stage = drive.vendor.spec.kinds.get(&secret.kind).is_some_and(|kind| kind.by_stage);
    let (name, operation) = drive.operation_at(Role::Read, &secret.kind)?;
    if by_stage || operation.parameter(Meaning::Version).is_none() {
        return Ok(());
    }
    for _ in 0..2 {
        let at = drive.versions(secret)?;
        let Some(Fact::Versions(versions)) = drive.fact(at, Meaning::Versions) else { return Ok(()) };
        for version in versions {
            let mut call = drive.call_by(name, operation, secret);
            drive.set(&mut call, Meaning::Version, &*version.id);
            drive.send(&call)?;
        }
        let (at, _) = drive.rotate(secret)?;
        drive.need(at, "rotation")?;
    }
    Ok(())
}

fn retention(drive: &mut Drive<'_>) -> Step {
    let kinds = drive.vendor.spec.kinds.iter().filter(|(_, kind)| kind.takes_values);
    let kept = kinds.filter_map(|(name, kind)| Some((name.clone(), kind.keeps.or(kind.at_most)?))).next();
    let Some((kind, keeps)) = kept else {
        return Err(Halt::Missing("no document says how many versions are kept".into()));
    };
    let secret = drive.create(&kind, 0, 0)?;
    for count in 2..=keeps + 3 {
        let (token, value) = (drive.token(), drive.value());
        let at = drive.put(&secret, &token, &value, None)?;
        if count <= keeps {
            drive.need(at, "writing a version")?;
        }
        if count + 1 >= keeps {
            drive.look_back(&secret)?;
        }
    }
    Ok(())
}

fn every_kind(drive: &mut Drive<'_>) -> Step {
    let mut refused = None;
    let mut shown = false;
    for (kind, described) in drive.vendor.spec.kinds.iter().filter(|(_, kind)| kind.rotates) {
        for sample in 0..described.samples.len() {
            match drive.create(kind, sample, 0) {
                Ok(secret) => {
                    shown = true;
                    drive.look(&secret)?;
                    for _ in 0..3 {
                        let (at, _) = drive.rotate(&secret)?;
                        if !drive.done(at) {
                            break;
                        }
                        drive.look_back(&secret)?;
                    }
                }
                // A real account cannot make every kind at will.
                Err(halt @ Halt::Missing(_)) => refused = Some(halt),
                Err(halt) => return Err(halt),
            }
        }
    }
    match refused {
        Some(halt) if !shown => Err(halt),
        _ => Ok(()),
    }
}

/// Where two accounts take turns, each rotation names the other one.
fn alternation(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    type Owned = (usize, String);
    let mut alternating: BTreeSet<Owned> = BTreeSet::new();
    let mut accounts: BTreeMap<Owned, Vec<(usize, String, String)>> = BTreeMap::new();
    // Each change that anything may have brought about, and rotations that were performed.
    let (mut changes, mut rotations): (Vec<usize>, Vec<(usize, Owned)>) = (Vec::new(), Vec::new());
    // Where time went by.
    let mut waited: Vec<usize> = Vec::new();
    let alone = alone(history);
    for (at, entry) in history.entries.iter().enumerate() {
        if matches!(entry, Entry::Advanced(_) | Entry::Settled) {
            waited.push(at);
        }
        let exchange = match entry {
            Entry::Call(exchange) => exchange,
            // A moment is too short for schedules.
            Entry::Advanced(60..) | Entry::Adopted { .. } => {
                changes.push(at);
                continue;
            }
            _ => continue,
        };
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { continue };
        let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
        let name = (exchange.call.account, get(Meaning::Secret).unwrap_or_default().to_owned());
        let at_once = !alone.contains(&at);
        match operation.role {
            _ if at_once => changes.push(at),
            // A full identifier may be any secret's.
            Role::Rotate if exchange.done() && !name.1.contains(':') => rotations.push((at, name.clone())),
            role if role.writes() && (exchange.done() || exchange.result.is_err()) => changes.push(at),
            _ => {}
        }
        if operation.role == Role::Create && exchange.done() {
            let kind = vendor.kind_asked(operation, get(Meaning::Kind));
            let kind = kind.and_then(|index| vendor.spec.kinds.get_index(index)).map(|(_, kind)| kind);
            let config = get(Meaning::Config).unwrap_or_default();
            if kind.is_some_and(|kind| {
                kind.samples
                    .values()
                    .any(|sample| sample.alternates && sample.config.as_deref().is_none_or(|it| it == config))
            }) {
                alternating.insert(name);
            }
        } else if operation.role == Role::Read
            && !at_once
            && get(Meaning::Stage).is_none()
            && get(Meaning::Version).is_none_or(|id| vendor.law.alias.as_deref() == Some(id))
            && let Some((version, account)) = account_of(vendor, exchange)
        {
            let reads = accounts.entry(name).or_default();
            // A rotation may begin before a version is read again, and end after that.
            if reads.last().is_none_or(|(_, known, _)| *known != version) {
                reads.push((at, version, account));
            }
        }
    }
    for (name, reads) in accounts.iter().filter(|(name, _)| alternating.contains(*name)) {
        for pair in reads.windows(2) {
            let between = pair[0].0..pair[1].0;
            let once = rotations.iter().filter(|(at, of)| between.contains(at) && of == name).count() == 1;
            // What was begun before may end between the two as well.
            let before = rotations.iter().rfind(|(at, of)| *at < between.start && of == name);
            let going_on =
                |(at, _): &(usize, Owned)| !waited.iter().any(|it| (*at..between.start).contains(it));
            let overlaid = vendor.law.takes.is_some() && before.is_some_and(going_on);
            if !once || overlaid || changes.iter().any(|at| between.contains(at)) {
                continue;
            }
            ruling.expect(
                "ROT-NEW-1",
                pair[0].2 != pair[1].2,
                &[pair[0].0, pair[1].0],
                || format!("{}: the two accounts take turns", name.1),
                || "the same account again".into(),
            );
        }
    }
}

/// Version and account name that a read of a value shows: the first text in the JSON object.
fn account_of(vendor: &Vendor, exchange: &crate::history::Exchange) -> Option<(String, String)> {
    let operation = vendor.spec.operations.get(&exchange.call.operation)?;
    let (facts, shown) =
        exchange.reply().and_then(|reply| Some((reply.facts()?, reply.value(operation)?)))?;
    let value: serde_json::Value = serde_json::from_str(shown).ok()?;
    let account = value.as_object()?.values().next()?.as_str()?.to_owned();
    // An alias may stand for every version: the value tells them apart.
    let version = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
        (Meaning::Value, Fact::Value(value)) => Some(format!("{value:x}")),
        _ => None,
    })?;
    Some((version, account))
}

fn read_your_writes(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    drive.read(&secret, None)?;
    for _ in 0..3 {
        let (at, _) = drive.rotate(&secret)?;
        drive.need(at, "rotation")?;
        for _ in 0..4 {
            drive.read(&secret, None)?;
        }
        drive.versions(&secret)?;
    }
    Ok(())
}

fn pages(drive: &mut Drive<'_>) -> Step {
    let secret = drive.plain()?;
    for _ in 0..6 {
        let (token, value) = (drive.token(), drive.value());
        let at = drive.put(&secret, &token, &value, None)?;
        drive.need(at, "writing a version")?;
    }
    drive.versions(&secret)?;
    if drive.vendor.law.opaque_pages {
        return marked_pages(drive, &secret);
    }
    for size in 1..=4 {
        for page in 1..=(7 + size - 1) / size + 1 {
            let mut call = drive.call_of(Role::Versions, &secret)?;
            drive.set(&mut call, Meaning::IncludeDeprecated, "true");
            drive.set(&mut call, Meaning::PageSize, size.to_string());
            drive.set(&mut call, Meaning::Page, page.to_string());
            drive.send(&call)?;
        }
    }
    let call = drive.call_of(Role::Versions, &secret)?;
    drive.send(&call).map(|_| ())
}

/// Follows the markers from page to page, in sizes that are told apart.
fn marked_pages(drive: &mut Drive<'_>, secret: &super::Made) -> Step {
    for size in 1..=4 {
        let mut marker = None;
        for _ in 0..9 {
            let mut call = drive.call_of(Role::Versions, secret)?;
            drive.set(&mut call, Meaning::IncludeDeprecated, "true");
            drive.set(&mut call, Meaning::PageSize, size.to_string());
            if let Some(marker) = marker {
                drive.set(&mut call, Meaning::Marker, marker);
            }
            let at = drive.send(&call)?;
            marker = match drive.fact(at, Meaning::Marker) {
                Some(Fact::Text(text)) if !text.is_empty() => Some(text.to_string()),
                _ => break,
            };
        }
    }
    Ok(())
}
