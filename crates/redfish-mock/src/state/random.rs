//! Randomness from a seed: the same seed and requests give the same tokens and identifiers.

use std::fmt;

use sha2::{Digest, Sha256};

/// A seed of 256 bits, from which a service makes its tokens and identifiers.
///
/// A seed from a number is for tests: anyone who knows the number can predict all tokens. A token reveals neither the seed
/// nor another token.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// An unpredictable seed, from the randomness of the system.
    ///
    /// # Errors
    /// The system has no randomness.
    #[cfg(feature = "serve")]
    pub fn random() -> std::io::Result<Seed> {
        let mut seed = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut seed).map_err(|_| std::io::Error::other("the system has no randomness"))?;
        Ok(Seed(seed))
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Seed {
        Seed(Sha256::digest(number.to_be_bytes()).into())
    }
}

/// Does not show the seed.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A sequence of numbers and tokens, each a keyed hash (SHA-256) of its position.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    key: Seed,
    position: u64,
}

impl Random {
    pub(crate) fn new(seed: &Seed) -> Random {
        Random { key: seed.clone(), position: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        self.position += 1;
        // The length is fixed, so that no hash can be extended to that of another position.
        Sha256::new().chain_update(self.key.0).chain_update(self.position.to_be_bytes()).finalize().into()
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.block().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A session token: 64 hexadecimal digits.
    pub(crate) fn token(&mut self) -> String {
        self.block().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A number of exactly ten digits.
    pub(crate) fn number(&mut self) -> u64 {
        1_000_000_000 + self.next() % 9_000_000_000
    }

    /// The seed of another sequence.
    #[cfg(feature = "serve")]
    pub(crate) fn seed(&mut self) -> Seed {
        Seed(self.block())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_reproducible_and_another_seed_differs() {
        let [mut one, mut same, mut other] = [7, 7, 8].map(|seed| Random::new(&Seed::from(seed)));
        let token = one.token();
        assert_eq!(token, same.token());
        assert_ne!(token, other.token());
        assert_ne!(token, one.token());
        assert_eq!(token.len(), 64);
    }

    #[cfg(feature = "serve")]
    #[test]
    fn random_seeds_differ_and_are_not_shown() {
        let [one, other] = [Seed::random().unwrap(), Seed::random().unwrap()];
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Seed(..)");
    }
}
