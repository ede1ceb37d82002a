//! The IRS gateways: `X-BG-HMAC-*` headers over method, path, sorted query, access key and date.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::adapter::endpoint::auth::Hash;
use crate::intake::fetch::signing::keyed;

/// The four headers of a request. `path` and `query` are as they travel, percent-encoded.
pub fn headers(
    method: &str,
    path: &str,
    query: &str,
    access_key: &str,
    secret: &str,
    hash: Hash,
    now: Timestamp,
) -> [(&'static str, String); 4] {
    let date = date(now);
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    let message = format!(
        "{method}\n{path}\n{}\n{access_key}\n{date}\n",
        pairs.join("&")
    );
    let algorithm = match hash {
        Hash::Sha256 => "hmac-sha256",
        Hash::Sm3 => "hmac-sm3",
    };
    [
        ("X-BG-HMAC-ACCESS-KEY", access_key.to_owned()),
        ("X-BG-HMAC-ALGORITHM", algorithm.to_owned()),
        (
            "X-BG-HMAC-SIGNATURE",
            keyed(hash, secret.as_bytes(), &message),
        ),
        ("X-BG-DATE-TIME", date),
    ]
}

/// `Mon, 23 Nov 2026 02:00:00 GMT`.
pub fn date(now: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&now)
        // It fails for years beyond four digits only.
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed() {
        let now: Timestamp = "2026-11-23T02:00:00Z".parse().unwrap();
        for query in ["a=1&b=2", "b=2&a=1"] {
            let headers = headers(
                "POST",
                "/restapi/prod/IC33000020210000000000/api",
                query,
                "BCDSGA_test",
                "BCDSGS_test",
                Hash::Sha256,
                now,
            );
            assert_eq!(headers[0].1, "BCDSGA_test");
            assert_eq!(headers[1].1, "hmac-sha256");
            assert_eq!(
                headers[2].1, "o+g25+96dxoXnU3WtR/HmDR4ZwjmtnVCrYcG/wfbsY4=",
                "{query}"
            );
            assert_eq!(headers[3].1, "Mon, 23 Nov 2026 02:00:00 GMT");
        }
    }
}
