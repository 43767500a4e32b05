//! Neighbouring operations: what sets rotation up and observes it is held to its documents too.

use super::judge::Ruling;
use super::link::Made;
use super::{Check, Drive, Step, check, pages};
use crate::codec::Call;
use crate::history::{Exchange, History};
use crate::model::{Fact, Meaning, Role, name_told};
use crate::spec::Vendor;

pub(super) const CHECKS: &[Check] = &[
    check("PUT-1", "writes a version again with the same and with another value", put_again),
    check("PUT-2", "writes a version of, and moves a stage of, a kind that takes no values", managed),
    check(
        "STAGE-1",
        "moves stages from right and wrong versions, to known and unknown ones, and not at all",
        stages,
    ),
    check("STAGE-2", "removes the built-in stages without a version to move them to", built_in),
    check("STAGE-3", "sets stages up to the documented number, and one more", many_stages)
        .covers(&["STAGE-1"]),
    check("LIST-1", "lists with page sizes at and outside the bounds, page by page", lists)
        .judged(lists_cover),
    check("READ-1", "reads by version and stage that exist, do not exist, and do not match", reads),
    check(
        "CONF-1",
        "rotates, writes and sets policies on secrets with settings, and looks at the settings",
        settings,
    ),
];

fn put_again(drive: &mut Drive<'_>) -> Step {
    let secret = drive.plain()?;
    let (token, value) = (drive.token(), drive.value());
    let at = drive.put(&secret, &token, &value, None)?;
    drive.need(at, "writing a version")?;
    drive.look_back(&secret)?;
    drive.put(&secret, &token, &value, None)?;
    drive.look_back(&secret)?;
    let other = drive.value();
    drive.put(&secret, &token, &other, None)?;
    drive.look_back(&secret)?;
    let (newer, third) = (drive.token(), drive.value());
    drive.put(&secret, &newer, &third, None)?;
    drive.put(&secret, &token, &value, None)?;
    drive.look_back(&secret)?;
    drive.put(&secret, &token, &format!("{value}x"), None)?;
    drive.look_back(&secret)
}

fn managed(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let (at, _) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    drive.look_back(&secret)?;
    let (token, value) = (drive.token(), drive.value());
    drive.put(&secret, &token, &value, None)?;
    drive.look_back(&secret)?;
    let mut call = drive.call_of(Role::MoveStage, &secret)?;
    drive.set(&mut call, Meaning::Stage, drive.vendor.law.current.to_string());
    drive.set(&mut call, Meaning::MoveTo, secret.first.clone());
    drive.send(&call)?;
    drive.look_back(&secret)
}

fn two_versions(drive: &mut Drive<'_>) -> Step<(Made, String)> {
    let secret = drive.plain()?;
    let (token, value) = (drive.token(), drive.value());
    let at = drive.put(&secret, &token, &value, Some(r#"["rotaprobe-a"]"#))?;
    drive.need(at, "writing a version")?;
    drive.look(&secret)?;
    let second = drive.written(at, &token);
    Ok((secret, second))
}

fn move_stage(
    drive: &mut Drive<'_>,
    secret: &Made,
    stage: &str,
    to: Option<&str>,
    from: Option<&str>,
) -> Step {
    let removes = to.is_none() && from.is_some() && drive.operation(Role::RemoveStage).is_ok();
    let role = if removes { Role::RemoveStage } else { Role::MoveStage };
    let mut call = drive.call_of(role, secret)?;
    drive.set(&mut call, Meaning::Stage, stage);
    if let Some(to) = to {
        drive.set(&mut call, Meaning::MoveTo, to);
    }
    if let Some(from) = from {
        drive.set(&mut call, Meaning::RemoveFrom, from);
    }
    drive.send(&call)?;
    drive.look(secret)
}

fn stages(drive: &mut Drive<'_>) -> Step {
    let (secret, second) = two_versions(drive)?;
    let first = secret.first.clone();
    let (name, _) = drive.operation(Role::MoveStage)?;
    let (none, nobody) = (drive.nothing(name, Meaning::MoveTo), drive.nothing(name, Meaning::RemoveFrom));
    for (stage, to, from) in [
        ("rotaprobe-a", None, None),
        ("rotaprobe-a", Some(none.as_str()), None),
        ("rotaprobe-b", Some(none.as_str()), None),
        ("rotaprobe-a", Some(first.as_str()), Some(second.as_str())),
        ("rotaprobe-a", Some(second.as_str()), Some(nobody.as_str())),
        ("rotaprobe-b", Some(second.as_str()), None),
        ("rotaprobe-b", Some(first.as_str()), None),
        ("rotaprobe-b", None, Some(first.as_str())),
        ("rotaprobe-a", Some(second.as_str()), Some(second.as_str())),
    ] {
        move_stage(drive, &secret, stage, to, from)?;
    }
    let current = drive.vendor.law.current.to_string();
    move_stage(drive, &secret, &current, Some(&second), Some(&first))
}

fn built_in(drive: &mut Drive<'_>) -> Step {
    let (secret, second) = two_versions(drive)?;
    let first = secret.first.clone();
    let current = drive.vendor.law.current.to_string();
    move_stage(drive, &secret, &current, None, Some(&first))?;
    let (name, _) = drive.operation(Role::MoveStage)?;
    let none = drive.nothing(name, Meaning::MoveTo);
    move_stage(drive, &secret, &current, Some(&none), Some(&first))?;
    move_stage(drive, &secret, &current, Some(&second), None)?;
    let (token, value) = (drive.token(), drive.value());
    let at = drive.put(&secret, &token, &value, None)?;
    let token = drive.written(at, &token);
    drive.look_back(&secret)?;
    for stage in drive.vendor.law.fixed.clone() {
        let holder = if *stage == *current { &token } else { &second };
        move_stage(drive, &secret, &stage, None, Some(holder))?;
    }
    Ok(())
}

fn many_stages(drive: &mut Drive<'_>) -> Step {
    let Some(most) = drive.vendor.law.stages_at_most else {
        return Err(super::Halt::Missing("no document limits the number of stages".into()));
    };
    // Stages of the documents' own count too: the current one, and the previous one where there is one.
    for own in 1..=if drive.vendor.law.previous.is_some() { 2 } else { 1 } {
        let mut secret = drive.plain()?;
        if own == 2 {
            let (token, value) = (drive.token(), drive.value());
            let at = drive.put(&secret, &token, &value, None)?;
            drive.need(at, "writing a version")?;
            secret.first = drive.written(at, &token);
        }
        drive.look(&secret)?;
        for number in own..most {
            let mut call = drive.call_of(Role::MoveStage, &secret)?;
            drive.set(&mut call, Meaning::Stage, format!("rotaprobe-{number}"));
            drive.set(&mut call, Meaning::MoveTo, secret.first.clone());
            let at = drive.send(&call)?;
            drive.need(at, "setting a stage")?;
        }
        drive.look(&secret)?;
        let first = secret.first.clone();
        for number in most..most + 2 {
            move_stage(drive, &secret, &format!("rotaprobe-{number}"), Some(&first), None)?;
        }
        // One that goes makes room for one.
        move_stage(drive, &secret, &format!("rotaprobe-{own}"), None, Some(&first))?;
        for number in most..most + 2 {
            move_stage(drive, &secret, &format!("rotaprobe-{number}"), Some(&first), None)?;
        }
    }
    Ok(())
}

fn lists(drive: &mut Drive<'_>) -> Step {
    let (name, operation) = drive.operation(Role::List)?;
    for _ in 0..3 {
        drive.plain()?;
    }
    let size = operation
        .parameter(Meaning::PageSize)
        .map(|(name, parameter)| (name.to_owned(), parameter.min, parameter.max));
    let page = operation.parameter(Meaning::Page).map(|(name, _)| name.to_owned());
    drive.send(&Call::new(name))?;
    let Some((size, min, max)) = size else { return Ok(()) };
    let sizes =
        [min, max].into_iter().flatten().flat_map(|bound| [bound - 1, bound, bound + 1]).chain([0, -1]);
    for value in sizes {
        drive.send(&Call::new(name).with(&size, value.to_string()))?;
    }
    let Some(page) = page else { return Ok(()) };
    for value in ["0", "-1", "x", "1.5"] {
        drive.send(&Call::new(name).with(&page, value))?;
    }
    // Page by page until one is empty; other secrets may be there too.
    for at_page in 1..=400 {
        let at = drive.send(
            &Call::new(name).with(&size, max.unwrap_or(100).to_string()).with(&page, at_page.to_string()),
        )?;
        match drive.fact(at, Meaning::Secrets) {
            Some(Fact::Names(names)) if !names.is_empty() => {}
            _ => break,
        }
    }
    Ok(())
}

/// Whole lists show each secret that is there once, and no page is larger than asked for.
fn lists_cover(vendor: &Vendor, history: &History, ruling: &mut Ruling<'_>) {
    // Secrets that are there for certain, by account, kind and name, and since when.
    let mut there: Vec<(usize, Option<usize>, String, u64)> = Vec::new();
    for (at, exchange) in history.calls() {
        let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { continue };
        let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
        // The service may make the name.
        let told = exchange.reply().and_then(|reply| reply.facts()).and_then(name_told);
        let named = told.filter(|told| get(Meaning::Secret) == Some(told)).map(ToString::to_string);
        match (operation.role, named) {
            (Role::Create, Some(name)) => {
                let kind = vendor.kind_asked(operation, get(Meaning::Kind));
                there.push((exchange.call.account, kind, name, exchange.span.ended));
            }
            // By whatever name: it may be any of them.
            (Role::Delete, _) => there.clear(),
            (Role::List, _) if exchange.done() => page_fits(vendor, at, exchange, ruling),
            _ => {}
        }
    }
    for whole in pages::wholes(vendor, history, Role::List).iter().filter(|whole| !whole.is_chosen()) {
        // Others may create and delete meanwhile; then the total changes, and says nothing.
        if let Some(total) = whole.total {
            ruling.expect(
                "LIST-1",
                whole.entries.len() == total,
                &whole.calls,
                || format!("{total} entries in all pages"),
                || format!("{}", whole.entries.len()),
            );
        }
        let Some(first) = whole.calls.first().and_then(|at| history.call(*at)) else { continue };
        // Some lists show one kind, unless another is asked for.
        let operation = vendor.spec.operations.get(&first.call.operation);
        let listed = operation.filter(|it| it.parameter(Meaning::Kind).is_some());
        let only = listed.map(|operation| vendor.kind_asked(operation, None));
        let own = there.iter().filter(|(account, kind, _, at)| {
            *account == whole.account()
                && *at <= first.span.began
                && only.is_none_or(|only| only.is_some() && only == *kind)
        });
        for (_, _, name, _) in own {
            let times = whole.entries.iter().filter(|other| *other == name).count();
            ruling.expect(
                "LIST-1",
                times == 1,
                &whole.calls,
                || format!("{name} in the pages once"),
                || format!("{times} times"),
            );
        }
    }
}

/// A page has as many entries as were asked for, or all that there are.
fn page_fits(vendor: &Vendor, at: usize, exchange: &Exchange, ruling: &mut Ruling<'_>) {
    let Some(operation) = vendor.spec.operations.get(&exchange.call.operation) else { return };
    let get = |is| operation.parameter(is).and_then(|(name, _)| exchange.call.get(name));
    let facts = exchange.reply().and_then(|reply| reply.facts()).cloned().unwrap_or_default();
    let count = facts.iter().find_map(|(_, fact)| match fact {
        Fact::Names(names) => Some(names.len()),
        _ => None,
    });
    let total = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
        (Meaning::Total, Fact::Count(total)) => usize::try_from(*total).ok(),
        _ => None,
    });
    let count = count.unwrap_or(0);
    // A size of nothing stands for the usual size, where it is taken at all.
    let size = get(Meaning::PageSize).and_then(|size| size.parse::<usize>().ok()).filter(|size| *size > 0);
    let Some(size) = size else { return };
    let wanted = || format!("at most {size} entries");
    ruling.expect("LIST-1", count <= size, &[at], wanted, || format!("{count} entries"));
    let first = [Meaning::Page, Meaning::Marker, Meaning::Offset].into_iter().all(|is| get(is).is_none());
    if let Some(total) = total.filter(|_| first) {
        let wanted = || format!("{} of {total} entries", total.min(size));
        ruling.expect("LIST-1", count == total.min(size), &[at], wanted, || format!("{count} entries"));
    }
}

fn reads(drive: &mut Drive<'_>) -> Step {
    let (secret, second) = two_versions(drive)?;
    let first = secret.first.clone();
    let current = drive.vendor.law.current.to_string();
    let (name, _) = drive.operation(Role::Read)?;
    let none = drive.nothing(name, Meaning::Version);
    let cases: [(Option<&str>, Option<&str>); 8] = [
        (Some(&first), None),
        (Some(&second), None),
        (None, Some("rotaprobe-a")),
        (Some(&none), None),
        (None, Some("rotaprobe-none")),
        (Some(&first), Some(&current)),
        (Some(&second), Some(&current)),
        (Some(&first), Some("rotaprobe-a")),
    ];
    for (version, stage) in cases {
        let mut call = drive.call_of(Role::Read, &secret)?;
        if let Some(version) = version {
            drive.set(&mut call, Meaning::Version, version);
        }
        if let Some(stage) = stage {
            drive.set(&mut call, Meaning::Stage, stage);
        }
        drive.send(&call)?;
    }
    let managed = drive.rotatable()?;
    let mut call = drive.call_of(Role::Read, &managed)?;
    drive.set(&mut call, Meaning::Stage, "rotaprobe-none");
    drive.send(&call)?;
    drive.read(&managed, None)?;
    let (at, _) = drive.rotate(&managed)?;
    drive.need(at, "rotation")?;
    if let Some(previous) = drive.vendor.law.previous.clone() {
        drive.read(&managed, Some(&previous))?;
    }
    let mut call = drive.call_of(Role::Read, &secret)?;
    drive.set(&mut call, Meaning::DryRun, "true");
    drive.send(&call).map(|_| ())
}

fn settings(drive: &mut Drive<'_>) -> Step {
    for rotates in [true, false] {
        let kind = drive.kind(rotates)?;
        let (mut call, made) = drive.creation(kind, 0, 0)?;
        drive.set(&mut call, Meaning::Description, "a description that stays");
        let secret = drive.create_by(&call, made)?;
        drive.look(&secret)?;
        let interval = drive.legal_interval(23);
        if rotates {
            drive.set_policy(&secret, true, Some(&interval))?;
            drive.look(&secret)?;
            describe_anew(drive, &secret)?;
            drive.rotate(&secret)?;
            drive.look(&secret)?;
            drive.set_policy(&secret, false, None)?;
            drive.look(&secret)?;
        } else {
            let (token, value) = (drive.token(), drive.value());
            let at = drive.put(&secret, &token, &value, None)?;
            let token = drive.written(at, &token);
            drive.look(&secret)?;
            if drive.operation(Role::MoveStage).is_ok() {
                let mut call = drive.call_of(Role::MoveStage, &secret)?;
                drive.set(&mut call, Meaning::Stage, "rotaprobe-a");
                drive.set(&mut call, Meaning::MoveTo, token);
                drive.send(&call)?;
            }
            drive.look(&secret)?;
        }
        describe_anew(drive, &secret)?;
        let days = drive.window();
        drive.delete(&secret, Some(days))?;
        drive.restore(&secret)?;
        drive.look(&secret)?;
    }
    Ok(())
}

/// Where a policy is set by what sets a description too: the latter alone.
fn describe_anew(drive: &mut Drive<'_>, secret: &Made) -> Step {
    let Ok(mut call) = drive.call_of(Role::SetPolicy, secret) else { return Ok(()) };
    drive.set(&mut call, Meaning::Description, "another description that stays");
    if drive.vendor.spec.operations[&call.operation].parameter(Meaning::Description).is_some() {
        drive.send(&call)?;
        drive.look(secret)?;
    }
    Ok(())
}
