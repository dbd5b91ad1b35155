//! A gzip encoder for tests of decoders: parts of RFC 1951 and RFC 1952.

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Encodes text without compression.
pub(crate) fn stored(text: &[u8]) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    let mut blocks = text.chunks(0xffff).peekable();
    if blocks.peek().is_none() {
        bytes.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        bytes.push(u8::from(blocks.peek().is_none()));
        bytes.extend(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(block);
    }
    bytes.extend(crc32(text).to_le_bytes());
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes
}

/// A gzip bomb: `times` times 258 zeros, in about two bytes each. It has no end marker.
pub(crate) fn bomb(times: usize) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    let (mut bits, mut count) = (0_u64, 0);
    let mut put = |value: u64, width: u32| {
        bits |= value << count;
        count += width;
        while count >= 8 {
            bytes.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    };
    // The last block, with fixed codes; a literal zero; then repeatedly "copy 258 bytes from distance 1".
    // Codes are packed from their most significant bit (RFC 1951, section 3.1.1), so they are reversed here.
    put(0b1, 1);
    put(0b01, 2);
    put(0b0000_1100, 8);
    for _ in 0..times {
        put(0b1010_0011, 8);
        put(0, 5);
    }
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
