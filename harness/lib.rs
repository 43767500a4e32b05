//! A conformance test harness and fuzzer for secret-rotation APIs.
//!
//! The modules below stand in floor order: each imports only from the floors above it in this list
//! (`tests/it/tidy.rs` enforces that).

// floor 0: meaning
pub mod model;

// floor 1: paper
pub mod wire;

pub mod sign;

pub mod spec;

pub mod codec;

// floor 2: machines
pub mod client;
pub mod emulator;

pub mod history;

// floor 3: judgement
pub mod check;
