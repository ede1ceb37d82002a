//! The TIF gateways: `x-tif-*` headers with a hash over time, token and nonce.

use crate::adapter::endpoint::auth::Hash;
use crate::intake::fetch::signing::hashed;

/// The four headers of a request at this second.
pub fn headers(
    paas_id: &str,
    token: &str,
    seconds: i64,
    nonce: &str,
    hash: Hash,
    capitals: bool,
) -> [(&'static str, String); 4] {
    let mut signature = hashed(hash, &format!("{seconds}{token}{nonce}{seconds}"));
    if capitals {
        signature.make_ascii_uppercase();
    }
    [
        ("x-tif-paasid", paas_id.to_owned()),
        ("x-tif-timestamp", seconds.to_string()),
        ("x-tif-nonce", nonce.to_owned()),
        ("x-tif-signature", signature),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed() {
        let wanted = "850aab16d29b97b4a9a7184973cbce14c430f7210c0335d6151e77fe39e44ed2";
        for (capitals, wanted) in [(false, wanted.to_owned()), (true, wanted.to_uppercase())] {
            let headers = headers(
                "p",
                "testtoken",
                1_795_399_200,
                "abc-123",
                Hash::Sha256,
                capitals,
            );
            assert_eq!(headers[3].1, wanted);
            assert_eq!(headers[1].1, "1795399200");
        }
    }
}
