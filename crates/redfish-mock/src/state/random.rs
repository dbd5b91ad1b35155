//! Reproducible randomness: the same seed and requests give the same tokens and identifiers.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and sufficient for identifiers that only have to be unique.
///
/// Anyone who knows the seed can predict the tokens. Tests rely on it, and the mock protects nothing.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A session token: 64 hexadecimal digits.
    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}{:016x}{:016x}{:016x}", self.next(), self.next(), self.next(), self.next())
    }

    /// A number of exactly ten digits.
    pub(crate) fn number(&mut self) -> u64 {
        1_000_000_000 + self.next() % 9_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_reproducible_and_another_seed_differs() {
        let (mut one, mut same, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        let token = one.token();
        assert_eq!(token, same.token());
        assert_ne!(token, other.token());
        assert_ne!(token, one.token());
        assert_eq!(token.len(), 64);
    }
}
