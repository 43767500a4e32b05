//! The protocol: what requests must have, and what every reply must be.

use super::link::Made;
use super::{Check, Drive, Halt, Step, check, replies};
use crate::codec::{Call, Param, Place};
use crate::generate::texts::{inside, outside};
use crate::model::{Meaning, Role};
use crate::sign::Scheme;
use crate::spec::{Family, Format, Parameter, Vendor};
use std::sync::Arc;

pub(super) const CHECKS: &[Check] = &[
    check("WIRE-REQ-1", "leaves out and empties each required parameter of each operation", required),
    check(
        "WIRE-REQ-2",
        "sends values at and outside each bound, pattern, type and list of each parameter",
        bounds,
    ),
    check("WIRE-REQ-3", "names unknown operations, versions, methods, paths and formats", unknown),
    check("WIRE-REQ-4", "gives parameters twice, with two values and in two places", doubled),
    check("WIRE-REP-1", "makes a success of every operation, for secrets of every sort", successes)
        .judged(replies::kind_fields),
    check("WIRE-REP-2", "brings about errors of every sort, and looks at their bodies", errors),
    check("WIRE-REP-3", "makes many calls, and compares their request ids", errors),
    check("WIRE-REP-4", "makes the same calls in every reply format, and compares what they say", formats)
        .judged(replies::formats_agree),
];

fn operations(drive: &Drive<'_>) -> Vec<String> {
    drive.vendor.spec.operations.keys().cloned().collect()
}

fn required(drive: &mut Drive<'_>) -> Step {
    for name in operations(drive) {
        let described = &drive.vendor.spec.operations[&name];
        let needed: Vec<&String> = described
            .parameters
            .iter()
            .filter(|(_, parameter)| parameter.required && parameter.is != Meaning::Project)
            .map(|(name, _)| name)
            .collect();
        for parameter in needed {
            let (call, secret) = drive.valid_call(&name)?;
            for bad in [call.clone().without(parameter), call.clone().with(parameter, "")] {
                drive.send(&bad)?;
            }
            look_if_there(drive, &call, secret.as_ref())?;
        }
    }
    configurations(drive)
}

/// Creation needs more for some kinds than for others: leave out each key of the configuration.
fn configurations(drive: &mut Drive<'_>) -> Step {
    let kind = drive.kind(true)?;
    let keys = drive.vendor.spec.kinds[kind].config_required.clone();
    let (call, _) = drive.creation(kind, 0, 0)?;
    let Ok((name, _)) = drive.operation(Role::Create) else { return Ok(()) };
    let Some((parameter, _)) = drive.vendor.spec.operations[name].parameter(Meaning::Config) else {
        return Ok(());
    };
    let config = call.get(parameter).unwrap_or("{}").to_owned();
    drive.send(&call.clone().without(parameter))?;
    for key in keys {
        let Ok(serde_json::Value::Object(mut map)) = serde_json::from_str(&config) else { continue };
        map.shift_remove(&key);
        drive.send(&call.clone().with(parameter, serde_json::Value::Object(map).to_string()))?;
    }
    Ok(())
}

fn look_if_there(drive: &mut Drive<'_>, call: &Call, secret: Option<&Made>) -> Step {
    let Some(secret) = secret else { return Ok(()) };
    match drive.vendor.spec.operations.get(&call.operation).map(|operation| operation.role) {
        Some(Role::Create) => drive.describe(secret).map(|_| ()),
        Some(Role::Restore) | None => Ok(()),
        _ => drive.look(secret),
    }
}

fn bounds(drive: &mut Drive<'_>) -> Step {
    for name in operations(drive) {
        let parameters: Vec<(String, Parameter)> = drive.vendor.spec.operations[&name]
            .parameters
            .iter()
            .filter(|(_, parameter)| !matches!(parameter.is, Meaning::Interval))
            .map(|(name, parameter)| (name.clone(), parameter.clone()))
            .collect();
        for (parameter_name, parameter) in parameters {
            let bad = outside(&parameter);
            if !bad.is_empty() {
                let (call, secret) = drive.valid_call(&name)?;
                for (_, value) in bad {
                    let value = own(drive, &parameter, value);
                    drive.send(&call.clone().with(&parameter_name, value))?;
                }
                look_if_there(drive, &call, secret.as_ref())?;
            }
            if takes_any(&parameter) {
                for value in inside(&parameter) {
                    let value = own(drive, &parameter, value);
                    let (call, secret) = drive.valid_call(&name)?;
                    let made = drive.send(&call.clone().with(&parameter_name, value.clone()))?;
                    if let (true, Some(mut secret)) = (drive.done(made), secret) {
                        if parameter.is == Meaning::Secret {
                            secret.name = value;
                        }
                        if drive.vendor.spec.operations[&name].role != Role::Delete {
                            drive.look(&secret)?;
                        }
                    }
                }
            }
        }
    }
    kinds_at_creation(drive)
}

/// A name begins like every name of the run, at the same length: it must be nobody else's.
fn own(drive: &Drive<'_>, parameter: &Parameter, value: String) -> String {
    let prefix = drive.prefix();
    match parameter.is {
        Meaning::Secret if value.is_char_boundary(prefix.len()) && value.len() > prefix.len() => {
            format!("{prefix}{}", &value[prefix.len()..])
        }
        Meaning::Secret => format!("{prefix}{value}"),
        _ => value,
    }
}

/// Meanings whose value stands for itself: any value within the bounds is as good as another.
fn takes_any(parameter: &Parameter) -> bool {
    match parameter.is {
        Meaning::Secret => parameter.max.is_some() && !parameter.open.contains(&crate::spec::Constraint::Max),
        Meaning::Token
        | Meaning::Stages
        | Meaning::Value
        | Meaning::Description
        | Meaning::ValueType
        | Meaning::Page
        | Meaning::PageSize => true,
        Meaning::Window | Meaning::Length => true,
        _ => false,
    }
}

/// What creation demands of kinds: names, and values of the configuration.
fn kinds_at_creation(drive: &mut Drive<'_>) -> Step {
    let plain = drive.kind(false)?;
    let (_, create) = drive.operation_at(Role::Create, plain)?;
    let kind_parameter = create.parameter(Meaning::Kind).map(|(name, _)| name.to_owned());
    let config_parameter = create.parameter(Meaning::Config).map(|(name, _)| name.to_owned());
    let (call, _) = drive.creation(plain, 0, 0)?;
    if let Some(parameter) = kind_parameter {
        for bad in ["rotaprobe", "GENERIC-x"] {
            drive.send(&call.clone().with(&parameter, bad))?;
        }
    }
    let Some(parameter) = config_parameter else { return Ok(()) };
    let kind = drive.kind(true)?;
    let values = drive.vendor.spec.kinds[kind].config_values.clone();
    let (call, _) = drive.creation(kind, 0, 0)?;
    for (key, _) in values {
        let Ok(serde_json::Value::Object(mut map)) =
            serde_json::from_str(call.get(&parameter).unwrap_or("{}"))
        else {
            continue;
        };
        map.insert(key, "rotaprobe".into());
        drive.send(&call.clone().with(&parameter, serde_json::Value::Object(map).to_string()))?;
    }
    Ok(())
}

fn unknown(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    let (rotate, _) = drive.operation(Role::Rotate)?;
    let mut base = drive.call_of(Role::Rotate, &secret)?;
    for scheme in drive.schemes() {
        base.how.scheme = Some(scheme.clone());
        let token = drive.token();
        drive.set(&mut base, Meaning::Token, token);
        for operation in [format!("{rotate}x"), rotate.to_lowercase(), "rotaprobe".into()] {
            let mut call = base.clone();
            call.operation = operation;
            drive.send(&call)?;
        }
        let versioned = drive.vendor.spec.protocol.version.named();
        for version in ["1999-01-01", "latest"].into_iter().filter(|_| versioned) {
            let mut call = base.clone();
            call.how.version = Some(version.into());
            drive.send(&call)?;
        }
        let own = drive.operation(Role::Rotate)?.1.method.clone();
        for method in ["PUT", "DELETE", "PATCH"].into_iter().filter(|method| own.as_deref() != Some(*method))
        {
            let mut call = base.clone();
            call.how.method = Some(method.into());
            drive.send(&call)?;
        }
        let mut call = base.clone();
        call.how.path = Some("/rotaprobe".into());
        drive.send(&call)?;
        if drive.vendor.spec.protocol.formats.len() > 1 && scheme.operation_parameter().is_some() {
            for format in ["YAML", "rotaprobe"] {
                let mut call = base.clone();
                call.how.format = Some(format.into());
                drive.send(&call)?;
            }
        }
        drive.look(&secret)?;
    }
    Ok(())
}

fn doubled(drive: &mut Drive<'_>) -> Step {
    if drive.vendor.spec.protocol.family != Family::RpcQuery {
        doubled_values(drive)?;
    }
    for scheme in drive.schemes() {
        let places = match drive.vendor.spec.protocol.family {
            Family::RpcQuery => {
                vec![[Place::Query, Place::Query], [Place::Query, Place::Body], [Place::Body, Place::Query]]
            }
            _ => vec![[Place::Documented; 2]],
        };
        for places in places {
            for is in [Meaning::Secret, Meaning::Token] {
                let (one, other) = (drive.rotatable()?, drive.rotatable()?);
                drive.look(&one)?;
                drive.look(&other)?;
                let mut call = drive.call_of(Role::Rotate, &one)?;
                call.how.scheme = Some(scheme.clone());
                let token = drive.token();
                drive.set(&mut call, Meaning::Token, token);
                let (_, operation) = drive.operation(Role::Rotate)?;
                let Some((name, _)) = operation.parameter(is) else { continue };
                if operation.path.as_ref().is_some_and(|path| path.contains(name)) {
                    continue;
                }
                let second = if is == Meaning::Secret { other.name.clone() } else { drive.token() };
                if let Some(first) = call.params.iter_mut().find(|param| param.name == name) {
                    first.place = places[0];
                }
                call.params.push(Param { name: name.to_owned(), value: second, place: places[1] });
                drive.send(&call)?;
                drive.look(&one)?;
                drive.look(&other)?;
            }
        }
    }
    Ok(())
}

/// In a JSON body a member may stand twice: writes are the calls that every API has.
fn doubled_values(drive: &mut Drive<'_>) -> Step {
    let secret = drive.plain()?;
    drive.look(&secret)?;
    let mut call = drive.call_of(Role::Put, &secret)?;
    let (token, one, other) = (drive.token(), drive.value(), drive.value());
    drive.set(&mut call, Meaning::Token, token);
    drive.set(&mut call, Meaning::Value, one);
    let (_, operation) = drive.operation(Role::Put)?;
    let Some((name, _)) = operation.parameter(Meaning::Value) else { return Ok(()) };
    call.params.push(Param { name: name.to_owned(), value: other, place: Place::Documented });
    drive.send(&call)?;
    drive.look(&secret)
}

fn successes(drive: &mut Drive<'_>) -> Step {
    for name in operations(drive) {
        let (call, secret) = drive.valid_call(&name)?;
        drive.send(&call)?;
        let role = drive.vendor.spec.operations[&name].role;
        if let (Some(secret), true) = (secret, !matches!(role, Role::Delete)) {
            drive.look(&secret)?;
        }
        for method in drive.methods() {
            let (mut call, _) = drive.valid_call(&name)?;
            call.how.method = method;
            drive.send(&call)?;
        }
        if drive.vendor.spec.protocol.family == Family::RpcQuery {
            let (mut call, _) = drive.valid_call(&name)?;
            call.how.place = Place::Body;
            drive.send(&call)?;
        }
    }
    for rotates in [true, false] {
        let kind = drive.kind(rotates)?;
        let secret = drive.create(kind, 0, 0)?;
        drive.look(&secret)?;
        let days = drive.window();
        drive.delete(&secret, Some(days))?;
        drive.describe(&secret)?;
    }
    passwords(drive)
}

/// Random passwords have the length and the characters that are asked for.
fn passwords(drive: &mut Drive<'_>) -> Step {
    let Ok((name, operation)) = drive.operation(Role::Password) else { return Ok(()) };
    let name_of = |is| operation.parameter(is).map(|(name, _)| name.to_owned());
    let flags = [Meaning::NoLower, Meaning::NoUpper, Meaning::NoDigits, Meaning::NoPunctuation];
    for flag in flags {
        let Some(parameter) = name_of(flag) else { continue };
        drive.send(&Call::new(name).with(&parameter, "true"))?;
    }
    if let Some(parameter) = name_of(Meaning::Exclude) {
        drive.send(&Call::new(name).with(&parameter, "abcdefABCDEF012345!#$"))?;
    }
    if let Some(parameter) = name_of(Meaning::EachClass) {
        for _ in 0..3 {
            let mut call = Call::new(name).with(&parameter, "true");
            drive.set(&mut call, Meaning::Length, "8");
            drive.send(&call)?;
        }
    }
    Ok(())
}

fn errors(drive: &mut Drive<'_>) -> Step {
    let secret = drive.rotatable()?;
    for _ in 0..3 {
        drive.look(&secret)?;
        let mut nobody = secret.clone();
        nobody.name = drive.name();
        drive.look(&nobody)?;
        drive.rotate(&nobody)?;
        drive.set_policy(&secret, true, Some("garbage"))?;
        drive.restore(&secret)?;
    }
    let call = Call::new("RotaprobeNoSuchOperation");
    drive.send(&call)?;
    let call = drive.call_of(Role::Describe, &secret)?;
    drive.send_tampered(&call, Some(&crate::history::Tamper::OtherSecret))?;
    drive.send_tampered(&call, Some(&crate::history::Tamper::Unsigned))?;
    Ok(())
}

/// A scheme under which a reply format can be asked for.
fn format_scheme(vendor: &Vendor) -> Option<&Arc<Scheme>> {
    vendor.schemes.iter().find(|scheme| scheme.operation_parameter().is_some())
}

fn formats(drive: &mut Drive<'_>) -> Step {
    if drive.vendor.spec.protocol.formats.len() < 2 {
        return Err(Halt::Missing("the API documents one reply format".into()));
    }
    let Some(scheme) = format_scheme(drive.vendor) else {
        return Err(Halt::Missing("no signing scheme lets a call ask for a reply format".into()));
    };
    let secret = drive.rotatable()?;
    let plain = drive.plain()?;
    let odd = r#"a<b>&"c" 'd'; é凭 {"k":[1,2]} ]]>"#;
    let (token, value) = (drive.token(), format!("{odd}{}", drive.value()));
    drive.put(&plain, &token, &value, None)?;
    let kind = drive.kind(false)?;
    let (mut call, made) = drive.creation(kind, 0, 0)?;
    drive.set(&mut call, Meaning::Description, odd);
    let described = drive.create_by(&call, made)?;
    let (at, token) = drive.rotate(&secret)?;
    drive.need(at, "rotation")?;
    let interval = drive.legal_interval(23);
    drive.set_policy(&secret, true, Some(&interval))?;
    let mut calls = Vec::new();
    for made in [&secret, &plain, &described] {
        for role in [Role::Describe, Role::Read, Role::Versions] {
            calls.push(drive.call_of(role, made)?);
        }
    }
    let mut replay = drive.call_of(Role::Rotate, &secret)?;
    drive.set(&mut replay, Meaning::Token, token);
    calls.push(replay);
    let mut nobody = secret.clone();
    nobody.name = drive.name();
    calls.push(drive.call_of(Role::Describe, &nobody)?);
    for mut call in calls {
        call.how.scheme = Some(scheme.clone());
        for format in drive.vendor.spec.protocol.formats.clone() {
            call.how.format = Some(format_name(format).into());
            drive.send(&call)?;
        }
    }
    Ok(())
}

pub(super) const fn format_name(format: Format) -> &'static str {
    match format {
        Format::Json => "JSON",
        Format::Xml => "XML",
    }
}
