//! Sequences of calls at the reference: nothing that it does is against what is documented.
//!
//! Input: the bytes of a plan, for the vendor that `ROTAPROBE_VENDOR` names (or the first one).
//! `ROTAPROBE_FAULT` names a fault of the reference that is on: then this has to fail.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::campaign::fuzz::Target;
use rotaprobe_fuzz::plans::{Trials, faults, vendor};
use std::sync::LazyLock;

static TRIALS: LazyLock<Trials> = LazyLock::new(|| {
    let vendor = vendor();
    let target = Target::reference(&vendor, faults(), 7);
    Trials::new("sequence", vendor, target)
});

fuzz_target!(|data: &[u8]| {
    TRIALS.attempt(data);
});
