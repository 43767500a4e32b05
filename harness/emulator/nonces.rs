//! Nonces that were used, in two generations: the younger one grows, the older one is forgotten whole.

use foldhash::HashSet;

/// Seconds after which a generation is old. Twice that is longer than any time stamp is accepted.
const GENERATION: i64 = 1_000;
/// Nonces in a generation at most, so that memory stays bounded while a clock stands still.
const AT_MOST: usize = 250_000;

/// Nonces that were used lately.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    young: HashSet<String>,
    old: HashSet<String>,
    since: i64,
}

impl Nonces {
    /// Remembers a nonce; true if it was not used before.
    pub(super) fn is_new(&mut self, nonce: String, now: i64) -> bool {
        if now - self.since > GENERATION || self.young.len() >= AT_MOST {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        !self.old.contains(&nonce) && self.young.insert(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_until_it_is_forgotten() {
        let mut nonces = Nonces::default();
        assert!(nonces.is_new("a".into(), 10_000));
        assert!(!nonces.is_new("a".into(), 10_000));
        assert!(!nonces.is_new("a".into(), 10_000 + GENERATION + 1), "an older generation still counts");
        assert!(nonces.is_new("b".into(), 10_000 + 2 * GENERATION + 2));
        assert!(nonces.is_new("a".into(), 10_000 + 2 * GENERATION + 3));
    }
}
