//! What travels: requests and replies as bytes, and the codecs that give them meaning.
//!
//! Everything here works both ways, so that one file holds all that is known about a protocol
//! family. Neither direction is the judge of the other: published vectors and official SDKs are.

mod hex;
pub mod message;
pub mod percent;
pub mod time;

pub(crate) use hex::hex;
pub use message::{Headers, Request, Response};
