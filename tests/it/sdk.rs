//! The vendors' own SDKs, unmodified, against the reference emulator: `sdk-tests/run`.
//!
//! They need Python and a package index, so they run only when asked for: `just sdk`, or
//! `ROTAPROBE_SDK=1 cargo test --test it sdk`.

use std::env;
use std::io::Write;
use std::process::Command;

#[test]
fn unmodified_sdks_work_against_the_emulator() {
    if env::var("ROTAPROBE_SDK").as_deref() != Ok("1") {
        // Not `eprintln!`: the runner would keep that to itself, and a skip must be seen.
        let mut screen = std::io::stderr().lock();
        writeln!(
            screen,
            "skipped: the SDK tests need Python packages; run `just sdk` (or set ROTAPROBE_SDK=1)"
        )
        .unwrap();
        return;
    }
    let mut run = Command::new("bash");
    run.arg("sdk-tests/run").current_dir(env!("CARGO_MANIFEST_DIR"));
    // The binary that cargo built beside this test, unless the caller names another.
    if let (None, Some(built)) = (env::var_os("ROTAPROBE_BIN"), option_env!("CARGO_BIN_EXE_rotaprobe")) {
        run.env("ROTAPROBE_BIN", built);
    }
    let status = run.status().expect("bash is on the path");
    assert!(status.success(), "sdk-tests/run ended with {status}; its output above names the failing test");
}
