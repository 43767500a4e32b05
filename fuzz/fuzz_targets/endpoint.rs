//! Sequences of calls at whoever listens at a URL on this machine: nothing that it does is against what
//! is documented.
//!
//! Input: the bytes of a plan, for the vendor that `ROTAPROBE_VENDOR` names (or the first one).
//! `ROTAPROBE_ENDPOINT` is the URL; `ROTAPROBE_CONTROL`, where it is given, the control port of an emulator,
//! which moves its clock. Access keys come from the vendor's environment variables; without them they are
//! those of the reference.
//!
//! Nothing is known of the code at the other end. What is seen of it from here, answers and states, is
//! counted as if it was code that was reached, and so libFuzzer keeps what makes it do something new. The
//! code of this process does not count: nearly every input reaches some of it in a new way.
//! `ROTAPROBE_COUNTERS=off` leaves out what is seen, `=all` counts everything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rotaprobe::campaign::fuzz::Target;
use rotaprobe::campaign::preflight;
use rotaprobe::client::control::ControlPort;
use rotaprobe::emulator::Emulator;
use rotaprobe::sign::Credentials;
use rotaprobe::spec::Vendor;
use rotaprobe_fuzz::plans::{Trials, variable, vendor};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};

/// A counter for each thing that a plan can show, as many as there is room for: libFuzzer takes every byte
/// of this section for a counter, and sets it to nothing before each input.
#[used]
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static REACHED: [AtomicU8; 1 << 16] = [const { AtomicU8::new(0) }; 1 << 16];

/// What leads libFuzzer.
#[derive(PartialEq)]
enum Leads {
    Endpoint,
    All,
    Nothing,
}

static LEADS: LazyLock<Leads> = LazyLock::new(|| match variable("ROTAPROBE_COUNTERS").as_deref() {
    None | Some("on") => Leads::Endpoint,
    Some("all") => Leads::All,
    Some("off") => Leads::Nothing,
    Some(other) => panic!("ROTAPROBE_COUNTERS is on, all or off, not {other}"),
});

static TRIALS: LazyLock<Trials> = LazyLock::new(|| {
    let vendor = vendor();
    let url = variable("ROTAPROBE_ENDPOINT").expect("ROTAPROBE_ENDPOINT is the URL of an endpoint");
    let mut target = match Target::over_http(&url, credentials(&vendor), &[]) {
        Ok(target) => target,
        Err(why) => panic!("ROTAPROBE_ENDPOINT: {why}"),
    };
    if let Some(url) = variable("ROTAPROBE_CONTROL") {
        match ControlPort::new(&url, &[]) {
            Ok(port) => target.endpoint.clock = Some(Arc::new(port)),
            Err(why) => panic!("ROTAPROBE_CONTROL: {why}"),
        }
    }
    if let Err(why) = preflight(&vendor, &mut target.endpoint, &target.now, 7) {
        panic!("{why}");
    }
    Trials::new("endpoint", vendor, target)
});

fuzz_target!(|data: &[u8]| {
    let shown = TRIALS.attempt(data);
    if *LEADS != Leads::All {
        own::forget();
    }
    if *LEADS != Leads::Nothing {
        for feature in shown {
            let place = usize::try_from(feature % REACHED.len() as u64).expect("there are fewer counters");
            REACHED[place].store(1, Ordering::Relaxed);
        }
    }
});

/// The counters of the code of this process, as the coverage pass of LLVM lays them out.
#[cfg(fuzzing)]
mod own {
    use std::sync::atomic::{AtomicU8, Ordering};

    // The linker defines these where a section has a name that is one of C.
    unsafe extern "C" {
        #[link_name = "__start___sancov_cntrs"]
        static FIRST: AtomicU8;
        #[link_name = "__stop___sancov_cntrs"]
        static END: AtomicU8;
    }

    /// Sets all of them to nothing.
    pub(super) fn forget() {
        let (first, end) = (&raw const FIRST, &raw const END);
        // SAFETY: the section is one run of bytes from the first symbol to the second, and whoever counts
        // does nothing but add to single bytes.
        let all = unsafe { std::slice::from_raw_parts(first, end.offset_from(first).unsigned_abs()) };
        all.iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
    }
}

#[cfg(not(fuzzing))]
mod own {
    /// Without the coverage pass there are none.
    pub(super) const fn forget() {}
}

/// The access keys that the vendor's environment variables hold, or those of the reference.
fn credentials(vendor: &Vendor) -> Vec<Credentials> {
    let names = &vendor.spec.credentials;
    let one = |suffix: &str| {
        let get = |name: &String| variable(&format!("{name}{suffix}"));
        let optional = |name: &Option<String>| name.as_ref().and_then(get);
        let (id, secret, bearer) = (get(&names.key), get(&names.secret), optional(&names.bearer));
        if bearer.is_none() && (id.is_none() || secret.is_none()) {
            return None;
        }
        Some(Credentials {
            id: id.unwrap_or_default(),
            secret: secret.unwrap_or_default(),
            token: optional(&names.token),
            bearer,
            project: optional(&names.project),
            region: optional(&names.region).or_else(|| names.region.as_ref().and_then(|name| variable(name))),
        })
    };
    let given: Vec<Credentials> = ["", names.second.as_str()].into_iter().filter_map(one).collect();
    if given.is_empty() {
        return Emulator::default_accounts(vendor).into_iter().map(|account| account.credentials).collect();
    }
    given
}
