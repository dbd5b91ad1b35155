//! Randomness that a seed repeats: tokens and identifiers, the same for the same seed and the same requests.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough for names that only have to differ.
///
/// A token made of it can be guessed by whoever knows the seed, which is the point in a test and no loss in a service
/// that guards nothing.
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

    /// A ten digit number that starts with a digit other than zero.
    pub(crate) fn number(&mut self) -> u64 {
        1_000_000_000 + self.next() % 9_000_000_000
    }
}

/// A 32 bit fingerprint of some bytes (FNV-1a, folded): what an ETag is made of.
pub(crate) fn fingerprint(bytes: &[u8], revision: u64) -> u32 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for &byte in bytes.iter().chain(&revision.to_le_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let (mut one, mut same, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        let token = one.token();
        assert_eq!(token, same.token());
        assert_ne!(token, other.token());
        assert_ne!(token, one.token());
        assert_eq!(token.len(), 64);
    }

    #[test]
    fn a_fingerprint_knows_the_revision() {
        assert_eq!(fingerprint(b"a", 1), fingerprint(b"a", 1));
        assert_ne!(fingerprint(b"a", 1), fingerprint(b"a", 2));
        assert_ne!(fingerprint(b"a", 1), fingerprint(b"b", 1));
    }
}
