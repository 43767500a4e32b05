//! A planted bug that only a fuzzer led by coverage finds: it must fail within seconds.
//!
//! Each byte opens a branch of its own. By chance alone the first input that gets through all of them
//! would take longer than anybody waits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::hint::black_box;

fuzz_target!(|data: &[u8]| {
    let sings = has(data, 0, b'R')
        && has(data, 1, b'o')
        && has(data, 2, b't')
        && has(data, 3, b'a')
        && has(data, 4, b't')
        && has(data, 5, b'e')
        && has(data, 6, b'!');
    assert!(!sings, "the canary sings, as it must");
});

/// Compares one byte, out of sight of whatever would compare several at once.
#[inline(never)]
fn has(data: &[u8], at: usize, wanted: u8) -> bool {
    black_box(data.get(at)) == Some(&black_box(wanted))
}
