//! Makes new bytes of old ones.

/// Bytes of a new input at most.
const LONGEST: usize = 400;

/// Bytes that nobody has thought of.
pub(super) fn random(rng: &mut fastrand::Rng) -> Vec<u8> {
    let length = rng.usize(16..280);
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

/// Bytes like these, changed in a few places, perhaps with a piece of others.
pub(super) fn mutate(rng: &mut fastrand::Rng, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 << rng.u32(0..4) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..7) {
            0 | 1 if at < bytes.len() => bytes[at] = rng.u8(..),
            2 if at < bytes.len() => bytes[at] = bytes[at].wrapping_add(if rng.bool() { 1 } else { 255 }),
            3 => bytes.insert(at, rng.u8(..)),
            4 if at < bytes.len() => drop(bytes.drain(at..(at + rng.usize(1..8)).min(bytes.len()))),
            5 => {
                let from = rng.usize(0..=other.len());
                let to = (from + rng.usize(0..40)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let to = (at + rng.usize(1..24)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.extend(std::iter::repeat_with(|| rng.u8(..)).take(8)),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}
