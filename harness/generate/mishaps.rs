//! What may be wrong with a call beside its values: its signature, and how it travels.

use super::{Ask, Beside, Given, Manner};
use crate::history::Tamper;
use crate::model::Meaning;
use crate::sign::{Others, Scheme};
use crate::spec::{Family, Format, Operation, Vendor};
use std::collections::BTreeSet;

/// Seconds from a bound of the documented window, on either side of it.
const NEAR: i64 = 60;

/// Everything that may be wrong with the signature of a call in a scheme.
pub(super) fn tampers(vendor: &Vendor, scheme: &Scheme, ask: &Ask) -> Vec<Tamper> {
    let signing = &vendor.spec.signing;
    let (near, far) = (signing.accepted_within - NEAR, signing.refused_beyond + NEAR);
    let mut all = vec![
        Tamper::Unsigned,
        Tamper::OtherSecret,
        Tamper::UnknownKey,
        Tamper::OneCharacter,
        Tamper::CutSignature,
        Tamper::EmptySignature,
        Tamper::Body,
        Tamper::Again,
        Tamper::Extra("rotaprobe".into(), "1".into()),
    ];
    all.extend([far, -far, near, -near].map(Tamper::Skew));
    let methods = &vendor.spec.protocol.methods;
    if methods.first().is_some_and(|first| first != "GET") && methods.iter().any(|it| it == "GET") {
        all.push(Tamper::Method("GET".into()));
    }
    all.extend(ask.with.iter().map(|argument| Tamper::Param(argument.name.clone())));
    if scheme.parameters().is_none_or(|it| it.others == Others::Refused) {
        all.extend(["HMAC-MD5", "NONE"].map(|name| Tamper::Algorithm(name.into())));
    }
    if let Some(canonical) = scheme.canonical() {
        // A content type that is another may be refused as what it is.
        let plain = |name: &&String| !name.contains('*') && *name != "content-type";
        let own = [Some(&canonical.date), canonical.nonce.as_ref(), canonical.hash.as_ref()];
        let named = canonical.signs.iter().chain(&canonical.needs).filter(plain);
        let protocol = &vendor.spec.protocol;
        let said = [protocol.operation.header.as_ref(), protocol.version.header.as_ref()];
        let said = said.into_iter().flatten().filter(|name| canonical.covers(name));
        let mut seen = BTreeSet::new();
        for name in named.chain(own.into_iter().flatten()).chain(said) {
            if !seen.insert(name.to_ascii_lowercase()) {
                continue;
            }
            all.push(Tamper::Header(name.clone()));
            if canonical.demands_before_signing(name) {
                all.push(Tamper::LeftOut(name.clone()));
            }
        }
        let closed = canonical.scope.iter().filter(|part| !canonical.open_scope.contains(part));
        all.extend(closed.map(|part| Tamper::Scope(part.clone())));
    }
    all
}

/// Every unusual way for a call to travel, with the scheme that allows it where not every one does.
pub(super) fn manners(vendor: &Vendor, operation: &Operation, ask: &Ask) -> Vec<(Manner, Option<String>)> {
    let protocol = &vendor.spec.protocol;
    let asks = vendor.schemes.iter().find(|scheme| scheme.operation_parameter().is_some());
    let by_parameter = asks.map(|scheme| scheme.name.clone());
    let name = &ask.operation;
    let mut all: Vec<(Manner, Option<String>)> = Vec::new();
    if protocol.family != Family::RestJson {
        let methods = protocol.methods.iter().skip(1).cloned();
        all.extend(methods.map(|method| (Manner::Method(method), None)));
    }
    let others = [format!("{name}x"), name.to_lowercase(), "rotaprobe".to_owned()];
    all.extend(others.map(|other| (Manner::Operation(other), None)));
    if protocol.family == Family::RpcQuery {
        all.push((Manner::InBody, None));
    }
    if let (Some(scheme), true) = (by_parameter, protocol.formats.len() > 1) {
        let known = protocol.formats.iter().map(|format| match format {
            Format::Json => "JSON",
            Format::Xml => "XML",
        });
        // Asked for more often, because every reply can be held against the others.
        let formats = known.clone().chain(known).chain(["YAML", "rotaprobe"]);
        all.extend(formats.map(|format| (Manner::Format(format.to_owned()), Some(scheme.clone()))));
    }
    if protocol.version.named() {
        all.extend(["1999-01-01", "latest"].map(|version| (Manner::Version(version.into()), None)));
    }
    let own = operation.method.as_deref();
    let undocumented = |method: &&str| own != Some(*method) && !vendor.spec.is_another(name, method);
    let wrong = ["PUT", "DELETE", "PATCH"].into_iter().filter(undocumented);
    all.extend(wrong.map(|method| (Manner::Method(method.into()), None)));
    all.push((Manner::Path("/rotaprobe".into()), None));
    all.extend(twice(vendor, operation, ask).into_iter().map(|manner| (manner, None)));
    all
}

/// Parameters that name something, given twice.
fn twice(vendor: &Vendor, operation: &Operation, ask: &Ask) -> Vec<Manner> {
    let places = match vendor.spec.protocol.family {
        Family::RpcQuery => &[Beside::InQuery, Beside::QueryAndBody, Beside::BodyAndQuery][..],
        _ => &[Beside::Documented],
    };
    let mut all = Vec::new();
    for argument in &ask.with {
        let Some(parameter) = operation.parameters.get(&argument.name) else { continue };
        let in_path = operation.path.as_ref().is_some_and(|path| path.contains(&argument.name));
        let other = match parameter.is {
            _ if in_path => continue,
            Meaning::Secret => Given::name_with("c"),
            Meaning::Token => Given::Token(7),
            Meaning::Value => Given::Value(2),
            _ => continue,
        };
        all.extend(places.iter().map(|beside| Manner::Twice(argument.name.clone(), other.clone(), *beside)));
    }
    all
}
