//! The fingerprint that ETags are made from.

/// Returns a 32-bit fingerprint of some bytes (FNV-1a, folded).
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
    fn a_fingerprint_depends_on_the_bytes_and_the_revision() {
        assert_eq!(fingerprint(b"a", 1), fingerprint(b"a", 1));
        assert_ne!(fingerprint(b"a", 1), fingerprint(b"a", 2));
        assert_ne!(fingerprint(b"a", 1), fingerprint(b"b", 1));
    }
}
