//! What is encoded decodes to the same, for calls, replies and refusals of every family; and no bytes
//! make a decoder panic.
//!
//! Input: a byte that chooses what is tried, then what that needs.

#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rotaprobe::codec::{self, Body, Refusal};
use rotaprobe::emulator::http1::{Parsed, parse};
use rotaprobe::model::Meaning;
use rotaprobe::spec::Format;
use rotaprobe::wire::{Headers, Response};
use rotaprobe_fuzz::{Stage, calls, facts, http, stage, stages};

fuzz_target!(|data: &[u8]| {
    let Some((what, rest)) = data.split_first() else { return };
    match what % 5 {
        0 => call(rest),
        1 => drop(done(&mut Unstructured::new(rest))),
        2 => drop(refused(&mut Unstructured::new(rest))),
        3 => strange_reply(rest),
        _ => strange_call(rest),
    }
});

/// A call, through the framing too.
fn call(bytes: &[u8]) {
    let Some(scene) = calls::read(bytes) else { return };
    let (vendor, scheme) = (&scene.stage.vendor, &scene.scheme);
    let request = codec::encode_call(vendor, &scene.call, scheme, "localhost:8080");
    let framed = http::bytes(&request);
    let Parsed::Complete { request: heard, used, .. } = parse(&framed) else {
        panic!("no request: {request:?}");
    };
    assert_eq!(used, framed.len());
    assert_eq!(
        (&heard.method, &heard.target, &heard.body),
        (&request.method, &request.target, &request.body)
    );
    if scene.ambiguous(request.path()) {
        return;
    }
    let inbound = codec::decode_call(vendor, &heard, scheme).expect("what is encoded is a call");
    assert_eq!(inbound.operation, scene.call.operation);
    scene.compare(&inbound.params, &inbound.mistyped);
}

/// Vendor, operation and format that bytes choose.
fn chosen(bytes: &mut Unstructured<'_>) -> Result<(&'static Stage, &'static str, Format)> {
    let stage = stage(bytes.arbitrary()?);
    let operations = &stage.vendor.spec.operations;
    let at = bytes.choose_index(operations.len())?;
    let format = *bytes.choose(&stage.vendor.spec.protocol.formats)?;
    Ok((stage, operations.get_index(at).expect("an index within").0, format))
}

fn done(bytes: &mut Unstructured<'_>) -> Result<()> {
    let (stage, name, format) = chosen(bytes)?;
    let (vendor, operation) = (&stage.vendor, &stage.vendor.spec.operations[name]);
    let facts = facts::make(vendor, operation, format, bytes)?;
    let response = codec::encode_done(vendor, name, format, &facts, "an-id");
    let reply = codec::decode_reply(vendor, name, &response);
    let Body::Done { facts: read, .. } = &reply.body else { panic!("{name}: {reply:?} of {response:?}") };
    // A reply that says nothing is of no format.
    assert!(reply.format == Some(format) || operation.reply.is_empty(), "{name}: {reply:?}");
    if operation.reply.values().any(|field| field.is == Meaning::RequestId) {
        assert_eq!(reply.request_id.as_deref(), Some("an-id"), "{name}");
    }
    facts::compare(operation, &facts, read);
    Ok(())
}

fn refused(bytes: &mut Unstructured<'_>) -> Result<()> {
    let (stage, name, format) = chosen(bytes)?;
    let vendor = &stage.vendor;
    let at = bytes.choose_index(vendor.spec.errors.len())?;
    let code = vendor.spec.errors.get_index(at).expect("an index within").0.replace("{parameter}", "Name");
    let message = facts::word(format, bytes)?;
    let refusal = Refusal { status: bytes.int_in_range(400..=599)?, code, message };
    let response = codec::encode_refusal(vendor, name, format, &refusal, "an-id");
    let reply = codec::decode_reply(vendor, name, &response);
    let Body::Refused { code, misfit } = &reply.body else { panic!("{name}: {reply:?} of {response:?}") };
    assert_eq!((code, misfit.as_str(), reply.status), (&refusal.code, "", refusal.status), "{name}");
    assert_eq!(reply.format, Some(format), "{name}");
    Ok(())
}

/// Any body, as a reply to any operation.
fn strange_reply(bytes: &[u8]) {
    let [who, what, status, body @ ..] = bytes else { return };
    let stage = stage(*who);
    let operations = &stage.vendor.spec.operations;
    let Some((name, _)) = operations.get_index(usize::from(*what) % operations.len()) else { return };
    let status = if status % 2 == 0 { 200 } else { 300 + u16::from(*status) };
    let response = Response { status, headers: Headers::new(), body: body.to_vec() };
    let reply = codec::decode_reply(&stage.vendor, name, &response);
    if let Body::Done { json, .. } = &reply.body {
        assert_eq!(status, 200);
        stage.schemas.misfits(name, json);
    }
}

/// Any request, as a call of every vendor.
fn strange_call(bytes: &[u8]) {
    let Parsed::Complete { request, .. } = parse(bytes) else { return };
    for stage in stages() {
        for scheme in &stage.vendor.schemes {
            if let Ok(inbound) = codec::decode_call(&stage.vendor, &request, scheme) {
                assert!(stage.vendor.spec.operations.contains_key(&inbound.operation));
            }
        }
    }
}
