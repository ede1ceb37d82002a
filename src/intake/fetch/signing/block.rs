//! AES-128 and SM4 in the two plain modes that departments use, with PKCS#7 padding.

use aes::Aes128;
use aes::cipher::array::Array;
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockSizeUser, KeyInit};
use sm4::Sm4;

const BLOCK: usize = 16;

/// Decrypts AES-128-ECB; `None` when it is no whole number of blocks, or the padding is wrong (another key).
pub fn aes_ecb(key: &[u8; BLOCK], data: &[u8]) -> Option<Vec<u8>> {
    decrypted(&Aes128::new(&Array(*key)), data, None)
}

/// Decrypts SM4-ECB, likewise.
pub fn sm4_ecb(key: &[u8; BLOCK], data: &[u8]) -> Option<Vec<u8>> {
    decrypted(&Sm4::new(&Array(*key)), data, None)
}

/// Decrypts SM4-CBC, likewise.
pub fn sm4_cbc(key: &[u8; BLOCK], iv: &[u8; BLOCK], data: &[u8]) -> Option<Vec<u8>> {
    decrypted(&Sm4::new(&Array(*key)), data, Some(*iv))
}

fn decrypted<C>(cipher: &C, data: &[u8], iv: Option<[u8; BLOCK]>) -> Option<Vec<u8>>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>,
{
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut before = iv;
    let mut plain = Vec::with_capacity(data.len());
    for piece in data.chunks_exact(BLOCK) {
        let piece: [u8; BLOCK] = piece.try_into().ok()?;
        let mut block = Array(piece);
        cipher.decrypt_block(&mut block);
        if let Some(mask) = before.replace(piece).filter(|_| iv.is_some()) {
            for (byte, mask) in block.iter_mut().zip(mask) {
                *byte ^= mask;
            }
        }
        plain.extend_from_slice(&block);
    }
    let padding = usize::from(*plain.last()?);
    let kept = plain.len().checked_sub(padding)?;
    let is_padding = (1..=BLOCK).contains(&padding)
        && plain[kept..]
            .iter()
            .all(|byte| usize::from(*byte) == padding);
    is_padding.then(|| {
        plain.truncate(kept);
        plain
    })
}

#[cfg(test)]
mod tests {
    use aes::cipher::BlockCipherEncrypt;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::intake::fetch::signing::{hex, unhex};

    #[test]
    fn sm4_gives_the_value_of_the_standard() {
        let key: [u8; 16] = unhex("0123456789abcdeffedcba9876543210")
            .unwrap()
            .try_into()
            .unwrap();
        let cipher = Sm4::new(&Array(key));
        let mut block = Array(key);
        cipher.encrypt_block(&mut block);
        assert_eq!(hex(&block), "681edf34d206965e86b3e94f536e4246");
        cipher.decrypt_block(&mut block);
        assert_eq!(block.as_slice(), key);
    }

    #[test]
    fn sm4_texts_are_opened_and_wrong_ones_refused() {
        let key = *b"0123456789abcdef";
        let text = b"{\"creditCode\":\"91330000MA00000000\"}";
        let ecb = STANDARD
            .decode("ryMfYsgNH5bLg1Dz6hfU2+B8hq5PsmiRCx8qCXizHnp3TsLPCM+EiTKwTrPGz32D")
            .unwrap();
        assert_eq!(sm4_ecb(&key, &ecb).as_deref(), Some(&text[..]));
        let cbc = STANDARD
            .decode("06NcJp0Xk8zX+Yf+zicHu35Nlkx9FTk2DG98eYYq/CdkaUTc5SS3Yf8XFUqL4zGC")
            .unwrap();
        let iv = *b"fedcba9876543210";
        assert_eq!(sm4_cbc(&key, &iv, &cbc).as_deref(), Some(&text[..]));
        assert_eq!(sm4_ecb(b"0123456789abcdee", &ecb), None, "another key");
        for bad in [&ecb[..47], &ecb[..32], &[]] {
            assert_eq!(sm4_ecb(&key, bad), None);
        }
    }
}
