//! The national sharing platform (`gjgxjhpt_*`) and the data-direct interfaces (`gjzwfwpt_*`): one scheme, two prefixes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::adapter::endpoint::auth::Hash;
use crate::intake::fetch::signing::{block, keyed};

/// The four names and values of a request. `millis` is the time of the request, `key` the appKey (renewal) or the secret of the day.
pub fn marks(
    prefix: &str,
    service: &str,
    requester: &str,
    millis: i64,
    key: &str,
    hash: Hash,
) -> [(String, String); 4] {
    // Documents and clients agree on this order, without separators.
    let message = format!("{service}{requester}{millis}");
    [
        (format!("{prefix}_rid"), requester.to_owned()),
        (format!("{prefix}_sid"), service.to_owned()),
        (format!("{prefix}_rtime"), millis.to_string()),
        (
            format!("{prefix}_sign"),
            keyed(hash, key.as_bytes(), &message),
        ),
    ]
}

/// The AES key that Java's `SHA1PRNG` gives for a seed: the first 16 bytes of SHA-1 of SHA-1.
fn key_of(app_key: &str) -> [u8; 16] {
    let stream = Sha1::digest(Sha1::digest(app_key));
    let mut key = [0; 16];
    key.copy_from_slice(&stream[..16]);
    key
}

/// The secret of the day out of its encrypted form (base64); `None` when it does not belong to this appKey.
pub fn opened(app_key: &str, secret: &str) -> Option<String> {
    let bytes = STANDARD.decode(secret.trim()).ok()?;
    String::from_utf8(block::aes_ecb(&key_of(app_key), &bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::fetch::signing::hex;

    const APP_KEY: &str = "0123456789abcdef0123456789abcdef";
    const SECRET: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn the_key_of_a_java_client_comes_out() {
        assert_eq!(hex(&key_of(APP_KEY)), "2d703e10a32f30251a2370355793e786");
    }

    #[test]
    fn the_secret_of_the_day_is_opened_with_its_own_key_only() {
        let closed = "LDh6LJzNCB09fXMknMzXpiw4eiyczQgdPX1zJJzM16ZUfuRMyoXTthzV/Enp8P/V";
        assert_eq!(opened(APP_KEY, closed).as_deref(), Some(SECRET));
        assert_eq!(opened(SECRET, closed), None);
        assert_eq!(opened(APP_KEY, "no base64"), None);
    }

    #[test]
    fn requests_are_signed() {
        for (key, hash, wanted) in [
            (
                APP_KEY,
                Hash::Sha256,
                "veUBdt1uOFKatx7h5cG6O+V/w3EYAvKiz+6XBV4zj4w=",
            ),
            (
                SECRET,
                Hash::Sha256,
                "u1/Dcv9gAbC4G/ShW6zQNxxtHeYV8Pu1blFqiLjwEvc=",
            ),
            (
                SECRET,
                Hash::Sm3,
                "AeSK5OX12n+7UAs6BUR1A+H8NVWerrksybOuepHBGIg=",
            ),
        ] {
            let marks = marks(
                "gjgxjhpt",
                "s_1100000000000_1234",
                "00000000-0000-4000-8000-000000000001@sd",
                1_795_399_200_000,
                key,
                hash,
            );
            let [rid, sid, rtime, sign] = marks;
            assert_eq!(
                sign,
                ("gjgxjhpt_sign".to_owned(), wanted.to_owned()),
                "{hash:?}"
            );
            assert_eq!(rtime.1, "1795399200000");
            assert_eq!(
                (rid.0.as_str(), sid.0.as_str()),
                ("gjgxjhpt_rid", "gjgxjhpt_sid")
            );
        }
    }
}
