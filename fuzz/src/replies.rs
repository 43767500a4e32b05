//! What must hold of every reply of the reference, whatever it was asked.

use crate::Stage;
use rotaprobe::codec::{self, Body};
use rotaprobe::emulator::http1;
use rotaprobe::wire::{Request, Response};

/// The operation that a request names, as far as it names one; empty otherwise.
pub fn operation(stage: &Stage, request: &Request) -> String {
    let scheme = stage.vendor.schemes.iter().find(|scheme| scheme.announces(request));
    let inbound = scheme.and_then(|scheme| codec::decode_call(&stage.vendor, request, scheme).ok());
    inbound.map(|inbound| inbound.operation).unwrap_or_default()
}

/// A success fits its schema; a refusal has a documented envelope, a documented code, and one of the
/// statuses that documents print for it.
pub fn judge(stage: &Stage, request: &Request, response: &Response) {
    let vendor = &stage.vendor;
    let operation = operation(stage, request);
    let reply = codec::decode_reply(vendor, &operation, response);
    assert!(reply.request_id.is_some(), "{operation}: a reply without a request id: {response:?}");
    match &reply.body {
        Body::Done { json, .. } => {
            let usual = vendor.spec.usual_success(&operation);
            assert_eq!(response.status, usual, "{operation}: a success with another status");
            let misfits = stage.schemas.misfits(&operation, json);
            assert!(misfits.is_empty(), "{operation}: {misfits:?}");
        }
        Body::Refused { code, misfit } => {
            assert!(misfit.is_empty(), "{operation}: {misfit}");
            assert!(response.status < 500, "{operation}: {} {code}", response.status);
            let documented = |(template, it): (&String, &rotaprobe::spec::ErrorCode)| {
                vendor.spec.code_fits(template, code) && it.status.contains(&response.status)
            };
            let known = vendor.spec.errors.iter().any(documented);
            assert!(known, "{operation}: {} {code} is not documented", response.status);
        }
        Body::Unreadable(why) => panic!("{operation}: {why}: {response:?}"),
    }
    framed(response);
}

/// A reply on the wire has one head, and its body behind it.
fn framed(response: &Response) {
    let mut out = Vec::new();
    http1::write(response, true, &mut out);
    let end = out.windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends");
    let body: &[u8] = if response.status == 204 { &[] } else { &response.body };
    assert_eq!(&out[end + 4..], body, "the head ends where its body begins");
}
