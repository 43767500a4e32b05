//! The integration tests, as one binary.
//!
//! `cfg(test)` is always set here; it tells clippy that helpers are tests too and may unwrap.

#[cfg(test)]
mod cli;
#[cfg(test)]
mod deep_faults;
mod endpoints;
#[cfg(test)]
mod fault_matrix;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod linearize;
#[cfg(test)]
mod model;
#[cfg(test)]
mod observer;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod vendor_from_file;
