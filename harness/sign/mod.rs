//! Signing schemes: each file signs and verifies one, side by side, from the bytes that travel.
//!
//! What the two directions share cannot judge itself; `specs/vectors/` holds signatures that the
//! vendors' own signers produced.
