//! A conformance test harness and fuzzer for secret-rotation APIs.
//!
//! The modules below stand in floor order: each imports only from the floors above it in this list
//! (`tests/it/tidy.rs` enforces that).
//!
//! ```
//! use rotaprobe::campaign::{self, Endpoint, Plan, Reference};
//! use std::{sync::Arc, time::Duration};
//!
//! let vendor = Arc::new(rotaprobe::spec::embedded("alibaba")?);
//! let reference = Arc::new(Reference::new(vendor.clone(), 7));
//! let clock = reference.clock().clone();
//! let endpoint = Endpoint::in_process(reference.clone());
//! let plan = Plan { rules: campaign::select(&["ROT-IDEMP-1".into()])?, seed: 7, deadline: Duration::from_secs(60) };
//! let outcome = campaign::run(&vendor, &endpoint, &plan, Arc::new(move || clock.now()), &mut |_| {});
//! assert_eq!(outcome.exit_code(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// floor 0: meaning
pub mod model;

// floor 1: paper
pub mod wire;

pub mod sign;

pub mod spec;

pub mod codec;

// floor 2: machines
pub mod history;

pub mod record;

pub mod client;

pub mod emulator;

// floor 3: judgement
pub mod generate;

pub mod linearize;

pub mod check;

// floor 4: campaign
pub mod campaign;

pub mod report;

// floor 5: hands
#[cfg(feature = "cli")]
pub mod cli;
