//! The interval parser says of every text what an oracle of another make says.
//!
//! Input: a byte that chooses a vendor's interval or one made up from 18 more bytes; then the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::spec::Interval;
use rotaprobe::spec::interval::Ruling;
use rotaprobe_fuzz::{intervals, stage, stages};

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else { return };
    if usize::from(*which) < stages().len() {
        agrees(&stage(*which).vendor.spec.interval, rest);
    } else if let Some((interval, rest)) = intervals::made_up(rest) {
        agrees(&interval, rest);
    }
});

fn agrees(interval: &Interval, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let ruling = interval.read(text);
    assert_eq!(ruling, intervals::ruling(interval, text), "{text:?} by {interval:?}");
    if let Ruling::Legal(seconds) = ruling {
        let written = interval.write(seconds);
        // A unit that is too coarse rounds down; whole numbers of it come back as they were.
        let unit =
            interval.canonical.or_else(|| interval.units.iter().copied().min_by_key(|it| it.seconds()));
        if unit.is_some_and(|unit| seconds % unit.seconds() == 0 && interval.units.contains(&unit)) {
            assert_eq!(interval.read(&written), ruling, "{written} of {text:?}");
        }
    }
}
