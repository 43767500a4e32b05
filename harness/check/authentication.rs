//! Authentication and secrecy: signatures that must not pass, and values that must not show.

use super::link::Made;
use super::{Check, Drive, Step, check};
use crate::codec::Call;
use crate::history::Tamper;
use crate::model::{Meaning, Role};
use crate::sign::{Others, Scheme};
use std::sync::Arc;

pub(super) const CHECKS: &[Check] = &[
    check("AUTH-1", "sends every operation without a signature, and looks for effects", unsigned),
    check("AUTH-2", "changes one signed thing at a time after signing, in every scheme", tampered),
    check("AUTH-3", "signs with an access key that nobody has", unknown_key),
    check(
        "AUTH-4",
        "signs with time stamps inside and outside the documented window, past and future",
        skewed,
    ),
    check("AUTH-5", "sends the very same signed bytes twice", again),
    check("AUTH-6", "names another algorithm, or signs for another", algorithms),
    check("AUTH-7", "makes calls in every documented signing scheme", schemes).covers(&[
        "ROT-NEW-1",
        "PUT-1",
        "ROT-POL-5",
    ]),
    check("LEAK-1", "looks for values that were stored or read in every other reply", leaks),
    check("LEAK-2", "looks for the caller's secret key in every reply", leaks),
];

fn rotation(drive: &mut Drive<'_>, secret: &Made, scheme: &Arc<Scheme>) -> Step<Call> {
    let mut call = drive.call_of(Role::Rotate, secret)?;
    let token = drive.token();
    drive.set(&mut call, Meaning::Token, token);
    call.how.scheme = Some(scheme.clone());
    Ok(call)
}

/// A fresh secret, a rotation of it that is tampered with, and a look.
fn attack(drive: &mut Drive<'_>, tamper: &Tamper, scheme: &Arc<Scheme>) -> Step {
    let secret = drive.rotatable()?;
    let call = rotation(drive, &secret, scheme)?;
    drive.send_tampered(&call, Some(tamper))?;
    drive.look(&secret)
}

/// Schemes that the endpoint has credentials for.
fn all_schemes(drive: &Drive<'_>) -> Vec<Arc<Scheme>> {
    drive.schemes()
}

/// Schemes in which a signature covers what is sent.
fn signing_schemes(drive: &Drive<'_>) -> Vec<Arc<Scheme>> {
    all_schemes(drive).into_iter().filter(|scheme| scheme.signs()).collect()
}

fn unsigned(drive: &mut Drive<'_>) -> Step {
    for scheme in all_schemes(drive) {
        attack(drive, &Tamper::Unsigned, &scheme)?;
    }
    let names: Vec<String> = drive.vendor.spec.operations.keys().cloned().collect();
    for name in names {
        let (call, secret) = drive.valid_call(&name)?;
        drive.send_tampered(&call, Some(&Tamper::Unsigned))?;
        let role = drive.vendor.spec.operations[&name].role;
        if let (Some(secret), true) = (secret, role != Role::Create && role != Role::Restore) {
            drive.look(&secret)?;
        }
    }
    Ok(())
}

fn tampered(drive: &mut Drive<'_>) -> Step {
    for scheme in signing_schemes(drive) {
        for tamper in
            [Tamper::OtherSecret, Tamper::CutSignature, Tamper::OneCharacter, Tamper::EmptySignature]
        {
            attack(drive, &tamper, &scheme)?;
        }
        let (_, operation) = drive.operation(Role::Rotate)?;
        for is in [Meaning::Token, Meaning::Secret] {
            if let Some((name, _)) = operation.parameter(is) {
                attack(drive, &Tamper::Param(name.to_owned()), &scheme)?;
            }
        }
        attack(drive, &Tamper::Extra("rotaprobe".into(), "1".into()), &scheme)?;
        for header in signed_headers(drive, &scheme)? {
            attack(drive, &Tamper::Header(header.clone()), &scheme)?;
            if scheme.canonical().is_some_and(|it| it.demands_before_signing(&header)) {
                attack(drive, &Tamper::LeftOut(header), &scheme)?;
            }
        }
        let methods = &drive.vendor.spec.protocol.methods;
        if methods.first().is_some_and(|first| first != "GET") && methods.iter().any(|it| it == "GET") {
            attack(drive, &Tamper::Method("GET".into()), &scheme)?;
        }
        as_another(drive, &scheme)?;
        body(drive, &scheme)?;
        replayed(drive, &scheme)?;
    }
    Ok(())
}

/// A description whose method is changed after signing, so that it would delete or change the secret: only the
/// signature stands between.
fn as_another(drive: &mut Drive<'_>, scheme: &Arc<Scheme>) -> Step {
    let spec = &drive.vendor.spec;
    let described = spec.operations_for(Role::Describe).find_map(|(name, operation)| {
        let method = ["DELETE", "PUT", "POST"].into_iter().find(|method| spec.is_another(name, method))?;
        Some((name, operation, method))
    });
    let Some((name, operation, method)) = described else { return Ok(()) };
    let secret = drive.rotatable()?;
    let mut call = drive.call_by(name, operation, &secret);
    call.how.scheme = Some(scheme.clone());
    drive.send_tampered(&call, Some(&Tamper::Method(method.to_owned())))?;
    drive.look(&secret)
}

/// Headers that a rotation is signed with.
fn signed_headers(drive: &mut Drive<'_>, scheme: &Arc<Scheme>) -> Step<Vec<String>> {
    let secret = drive.rotatable()?;
    let call = rotation(drive, &secret, scheme)?;
    let at = drive.send(&call)?;
    let claim = scheme.claim(&drive.at(at)?.request).ok();
    let mut headers = claim.map(|claim| claim.signed_headers).unwrap_or_default();
    // A content type that is another may be refused as what it is.
    headers.retain(|name| name != "content-type");
    Ok(headers)
}

/// A form body is signed through its hash, or as parameters.
fn body(drive: &mut Drive<'_>, scheme: &Arc<Scheme>) -> Step {
    let secret = drive.plain()?;
    drive.look(&secret)?;
    let mut call = drive.call_of(Role::Put, &secret)?;
    let (token, value) = (drive.token(), drive.value());
    drive.set(&mut call, Meaning::Token, token);
    drive.set(&mut call, Meaning::Value, value);
    call.how.scheme = Some(scheme.clone());
    drive.send_tampered(&call, Some(&Tamper::Body))?;
    drive.look(&secret)
}

/// A rotation that would be a replay is refused all the same if its signature is wrong.
fn replayed(drive: &mut Drive<'_>, scheme: &Arc<Scheme>) -> Step {
    let secret = drive.rotatable()?;
    let call = rotation(drive, &secret, scheme)?;
    let at = drive.send(&call)?;
    drive.need(at, "rotation")?;
    drive.send_tampered(&call, Some(&Tamper::OtherSecret))?;
    drive.look(&secret)
}

fn unknown_key(drive: &mut Drive<'_>) -> Step {
    for scheme in all_schemes(drive) {
        attack(drive, &Tamper::UnknownKey, &scheme)?;
    }
    Ok(())
}

fn skewed(drive: &mut Drive<'_>) -> Step {
    let signing = &drive.vendor.spec.signing;
    let (near, far) = (signing.accepted_within - 60, signing.refused_beyond + 60);
    for scheme in signing_schemes(drive) {
        for skew in [-far, far, -near, near, -10 * far, 10 * far] {
            attack(drive, &Tamper::Skew(skew), &scheme)?;
        }
    }
    Ok(())
}

fn again(drive: &mut Drive<'_>) -> Step {
    for scheme in signing_schemes(drive) {
        let secret = drive.rotatable()?;
        let mut call = drive.call_of(Role::Describe, &secret)?;
        call.how.scheme = Some(scheme.clone());
        drive.send(&call)?;
        drive.send_tampered(&call, Some(&Tamper::Again))?;
        let call = rotation(drive, &secret, &scheme)?;
        // The bytes that are sent again are the last ones: nobody asks for the task between.
        drive.leaves_unfinished = true;
        let sent = drive.send(&call);
        let again = drive.send_tampered(&call, Some(&Tamper::Again));
        drive.leaves_unfinished = false;
        let at = sent?;
        again?;
        drive.finish(&[at])?;
        drive.look(&secret)?;
    }
    Ok(())
}

fn algorithms(drive: &mut Drive<'_>) -> Step {
    for scheme in signing_schemes(drive) {
        let lenient = scheme.parameters().is_some_and(|it| it.others != Others::Refused);
        let stem = scheme.canonical().map_or("ACS3", |it| it.algorithm.split('-').next().unwrap_or_default());
        let relative = format!("{stem}-HMAC-MD5");
        for name in ["HMAC-MD5", "NONE", relative.as_str()] {
            if !lenient {
                attack(drive, &Tamper::Algorithm(name.into()), &scheme)?;
            }
        }
        let Some(canonical) = scheme.canonical() else { continue };
        for part in canonical.scope.iter().filter(|part| !canonical.open_scope.contains(part)) {
            attack(drive, &Tamper::Scope(part.clone()), &scheme)?;
        }
    }
    Ok(())
}

fn schemes(drive: &mut Drive<'_>) -> Step {
    for scheme in all_schemes(drive) {
        let secret = drive.rotatable()?;
        for method in drive.methods() {
            let mut call = rotation(drive, &secret, &scheme)?;
            call.how.method = method;
            let at = drive.send(&call)?;
            drive.at(at)?;
            let mut call = drive.call_of(Role::Describe, &secret)?;
            call.how.scheme = Some(scheme.clone());
            drive.send(&call)?;
        }
        drive.look_back(&secret)?;
        let odd = drive.plain()?;
        let token = drive.token();
        let mut call = drive.call_of(Role::Put, &odd)?;
        drive.set(&mut call, Meaning::Token, token);
        // Every character that some encoder gets wrong.
        let value = format!("a b*c~d+e/f=g@h凭'(!)\"{}", drive.value());
        drive.set(&mut call, Meaning::Value, value);
        call.how.scheme = Some(scheme);
        drive.send(&call)?;
        drive.look(&odd)?;
    }
    Ok(())
}

/// Stores, reads, replaces, and is refused: wherever a value could slip into a reply.
fn leaks(drive: &mut Drive<'_>) -> Step {
    for rotates in [true, false] {
        let kind = drive.kind(rotates)?;
        let secret = drive.create(kind, 0, 0)?;
        drive.look(&secret)?;
        let (at, token) = drive.rotate(&secret)?;
        if drive.done(at) {
            drive.rotate_with(&secret, &token)?;
        }
        drive.look_back(&secret)?;
        let (token, value) = (drive.token(), drive.value());
        drive.put(&secret, &token, &value, None)?;
        let other = drive.value();
        drive.put(&secret, &token, &other, None)?;
        let third = drive.value();
        drive.put(&secret, drive.vendor.law.current.clone().as_ref(), &third, Some("[not json"))?;
        drive.set_policy(&secret, true, Some("garbage"))?;
        let (again, _) = drive.creation_as(kind, 0, &secret.name)?;
        drive.send(&again)?;
        let mut unknown = drive.call_of(Role::Read, &secret)?;
        let nothing = drive.nothing(&unknown.operation.clone(), Meaning::Version);
        drive.set(&mut unknown, Meaning::Version, nothing);
        drive.set(&mut unknown, Meaning::Stage, "rotaprobe-none");
        drive.send(&unknown)?;
        let mut call = drive.call_of(Role::Read, &secret)?;
        let current = drive.current_id(&secret);
        if drive.operation(Role::Read)?.1.parameter(Meaning::Version).is_some_and(|(_, it)| it.required) {
            drive.set(&mut call, Meaning::Version, current);
        }
        for tamper in [Tamper::OtherSecret, Tamper::Unsigned, Tamper::UnknownKey, Tamper::Skew(-86_400)] {
            drive.send_tampered(&call, Some(&tamper))?;
        }
        if let Ok((name, _)) = drive.operation(Role::List) {
            drive.send(&Call::new(name))?;
        }
        drive.look_back(&secret)?;
        drive.delete(&secret, Some(drive.window()))?;
        drive.describe(&secret)?;
        drive.restore(&secret)?;
    }
    Ok(())
}
