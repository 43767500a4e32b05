//! What is signed verifies; after a change of any byte that the signature covers it does not; and
//! nothing makes a verifier panic.
//!
//! Input: a zero byte, two for the place of the change, one for the new byte, then a call
//! (`rotaprobe_fuzz::calls`). Or any other byte, and a request as raw HTTP.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::codec;
use rotaprobe::emulator::http1::{Parsed, parse};
use rotaprobe::sign::{Credentials, Scheme, Signing};
use rotaprobe::wire::Request;
use rotaprobe_fuzz::{NOW, calls, signed, stages};

fuzz_target!(|data: &[u8]| match data {
    [0, high, low, to, rest @ ..] => {
        if let Some(scene) = calls::read(rest) {
            tampered(&scene, usize::from(u16::from_be_bytes([*high, *low])), *to);
        }
    }
    [_, rest @ ..] => {
        if let Parsed::Complete { request, .. } = parse(rest) {
            strange(&request);
        }
    }
    [] => {}
});

fn accepted(scheme: &Scheme, request: &Request, credentials: &Credentials) -> bool {
    scheme.announces(request)
        && scheme.claim(request).is_ok_and(|claim| scheme.names(&claim, credentials))
        && scheme.verify(request, credentials).is_ok()
}

fn tampered(scene: &calls::Scene, place: usize, to: u8) {
    let (vendor, scheme, credentials) = (&scene.stage.vendor, &scene.scheme, &scene.stage.credentials);
    let mut request = codec::encode_call(vendor, &scene.call, scheme, "localhost:8080");
    scheme.sign(&mut request, &Signing { credentials, now: NOW, nonce: "0123456789abcdef" });
    assert!(accepted(scheme, &request, credentials), "{scheme}: refused what it signed: {request:?}");
    let Some(changed) = signed::changed(&request, place, to) else { return };
    if accepted(scheme, &changed, credentials) {
        let same = signed::view(scheme, &request) == signed::view(scheme, &changed);
        assert!(same, "{scheme}: {request:?}\nand with the same signature\n{changed:?}");
    }
}

fn strange(request: &Request) {
    for stage in stages() {
        for scheme in &stage.vendor.schemes {
            if let Ok(claim) = scheme.claim(request) {
                let _ = scheme.expected(request, &claim, &stage.credentials);
            }
            // Nobody signed this.
            assert!(
                !scheme.signs() || !accepted(scheme, request, &stage.credentials),
                "{scheme}: {request:?}"
            );
        }
    }
}
