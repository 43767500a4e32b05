# `just` lists the recipes; each is a plain command that can be typed as well.

_list:
    @just --list

# All tests but the SDKs'
test *args:
    cargo test {{ args }}

# Format and lints, as CI wants them
lint:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings

# The documentation, without a warning
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# The vendors' own SDKs, unmodified, against the emulator; arguments go to pytest
sdk *args:
    sdk-tests/run {{ args }}

# The speed of the hot paths
bench *args:
    cargo bench {{ args }}

# The fuzz targets, for a few seconds each: `just fuzz-targets 600 emulator` for one of them, and longer
fuzz-targets *args:
    fuzz/run {{ args }}

# Every vendor against its embedded reference
check *args:
    cargo run --release -- check {{ args }}

# Everything that has to pass
ci:
    bash .ci/run

# Accept what the snapshots show now
snapshots:
    INSTA_UPDATE=always cargo test

# Write specs/schema/ anew from the Rust types
schemas:
    ROTAPROBE_WRITE_SCHEMAS=1 cargo test --test it schema

# Licences, advisories and sources of the dependencies
deny:
    cargo deny check
