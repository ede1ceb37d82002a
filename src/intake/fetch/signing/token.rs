//! The MD5 token gateways: `appKey`, `sign`, `requestTime` beside the parameters.

use md5::{Digest as _, Md5};

use crate::intake::fetch::signing::hex;

/// The three parameters of a request. `secret` is the application's secret (first renewal), the renewal's (later ones) or the request's.
pub fn parameters(app_key: &str, secret: &str, millis: i64) -> [(&'static str, String); 3] {
    let sign = hex(&Md5::digest(format!("{app_key}{secret}{millis}")));
    [
        ("appKey", app_key.to_owned()),
        ("sign", sign),
        ("requestTime", millis.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed() {
        let parameters = parameters(
            "0123456789abcdef0123456789abcdef",
            "fedcba9876543210fedcba9876543210",
            1_795_399_200_000,
        );
        assert_eq!(parameters[1].1, "23d24947c34cffc0a174e206e8ebfc2e");
        assert_eq!(parameters[2].1, "1795399200000");
    }
}
