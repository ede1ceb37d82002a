//! Signatures that departments ask for. Pure: time and nonce are values passed in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sm3::Sm3;

use crate::adapter::endpoint::auth::Hash;

pub mod block;
pub mod exchange;
pub mod irs;
pub mod tif;
pub mod token;

/// A keyed hash in base64.
fn keyed(hash: Hash, key: &[u8], message: &str) -> String {
    // HMAC takes keys of every length: the error type is for other kinds of keyed hash.
    let bytes = match hash {
        Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
        Hash::Sm3 => Hmac::<Sm3>::new_from_slice(key)
            .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
    };
    STANDARD.encode(bytes.unwrap_or_default())
}

/// A hash in lower-case hex.
fn hashed(hash: Hash, message: &str) -> String {
    match hash {
        Hash::Sha256 => hex(&Sha256::digest(message)),
        Hash::Sm3 => hex(&Sm3::digest(message)),
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String can not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Bytes of an even number of hex digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// Bytes of hex or base64, whichever it is; hex is tried first, as every hex text of a whole number of blocks is base64 too.
pub fn unwrapped(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    unhex(&text).or_else(|| STANDARD.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_give_the_published_values() {
        assert_eq!(
            hashed(Hash::Sm3, "abc"),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
        );
        assert_eq!(
            hashed(Hash::Sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // RFC 4231, case 2.
        assert_eq!(
            keyed(Hash::Sha256, b"Jefe", "what do ya want for nothing?"),
            STANDARD.encode(
                unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap()
            )
        );
    }

    #[test]
    fn hex_is_read_as_hex_and_else_as_base64() {
        for (text, bytes) in [
            ("00ff", Some(vec![0, 255])),
            ("00FF", Some(vec![0, 255])),
            ("AAE=", Some(vec![0, 1])),
            ("AA\nE=", Some(vec![0, 1])),
            ("", Some(vec![])),
            ("无", None),
            ("0", None),
        ] {
            assert_eq!(unwrapped(text), bytes, "{text}");
        }
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
