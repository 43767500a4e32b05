//! Raw HTTP into the reference: no panic, and always a documented reply.
//!
//! Input: a byte for the vendor, one for the scheme that signs anew (or none: the bytes are taken as
//! they are), one for the seconds that pass between requests; then requests, one behind the other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::emulator::http1::{Parsed, Parser, parse};
use rotaprobe::sign::Signing;
use rotaprobe_fuzz::{NOW, http, replies, stage};

/// More than this many requests make an input slow and no better.
const MOST: usize = 24;

fuzz_target!(|data: &[u8]| {
    let [who, how, pace, bytes @ ..] = data else { return };
    let stage = stage(*who);
    let mut emulator = stage.emulator();
    let mut rest = bytes;
    let mut now = NOW;
    for turn in 0..MOST {
        let parsed = parse(rest);
        in_two_pieces(rest, usize::from(*pace) + turn, &parsed);
        let (mut request, used) = match parsed {
            Parsed::Complete { request, used, .. } => (request, used),
            Parsed::Incomplete => return,
            Parsed::Bad { status, why } => {
                assert!((400..=505).contains(&status) && !why.is_empty(), "{status} {why}");
                return;
            }
        };
        rest = &rest[used..];
        if let Some(scheme) = stage.scheme(*how) {
            http::unsign(&mut request, scheme);
            let nonce = format!("{turn:016x}");
            scheme.sign(&mut request, &Signing { credentials: &stage.credentials, now, nonce: &nonce });
        }
        let response = emulator.handle(&request, now);
        replies::judge(stage, &request, &response);
        // From no time at all to a year and more.
        now += i64::from(*pace).pow(3) * 2;
    }
});

/// A request that arrives in two pieces is read as if it came in one.
fn in_two_pieces(bytes: &[u8], cut: usize, whole: &Parsed) {
    let mut parser = Parser::new();
    let first = parser.parse(&bytes[..cut % (bytes.len() + 1)]);
    match first {
        Parsed::Incomplete => assert_eq!(&parser.parse(bytes), whole),
        Parsed::Complete { .. } => assert_eq!(&first, whole),
        // The same refusal, unless what came later would have been refused sooner.
        Parsed::Bad { .. } => assert!(matches!(whole, Parsed::Bad { .. }), "{first:?} and {whole:?}"),
    }
}
