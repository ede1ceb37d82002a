//! Real handshakes: whom the program trusts, and how it shows who it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;

use super::server::{answer, reply};
use super::{Bench, CSV, adapter, fs, text_of};
use crate::adapter::endpoint::Endpoint;

/// A certificate authority made for the test.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A certificate for a name, valid until a year.
    fn issue(
        &self,
        name: &str,
        until: i32,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate, key)
    }
}

/// Serves one word over TLS; with an authority for clients, only to those who show a certificate of it.
fn serve(
    bench: &Bench,
    certificate: &(rcgen::Certificate, KeyPair),
    clients: Option<&Authority>,
) -> String {
    let builder = rustls::ServerConfig::builder();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).unwrap();
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder(Arc::new(roots))
                    .build()
                    .unwrap(),
            )
        }
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.1.serialize_der()));
    let config = builder
        .with_single_cert(vec![certificate.0.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = bench
        .runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    bench.runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => {
                        let script = Arc::new(|_: usize, _: &str| reply("200 OK", "", "x"));
                        answer(
                            stream,
                            Duration::ZERO,
                            script,
                            Arc::new(Mutex::new(Vec::new())),
                        )
                        .await;
                    }
                    // Its alert must not get lost in a reset over what the client still says.
                    Err((_, mut stream)) => {
                        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn only_the_pinned_authority_the_right_name_and_a_valid_day_are_trusted() {
    let bench = Bench::new();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = |name: &str, until| ours.issue(name, until, ExtendedKeyUsagePurpose::ServerAuth);
    let write = |name: &str, pem: &str| fs::write(bench.folder.path().join(name), pem).unwrap();
    write("ours.pem", &ours.pem);
    write("theirs.pem", &theirs.pem);
    write("both.pem", &format!("{}{}", theirs.pem, ours.pem));
    write("empty.pem", "no certificate\n");
    let good = serve(&bench, &server("127.0.0.1", 2099), None);
    let expired = serve(&bench, &server("127.0.0.1", 2021), None);
    let wrong_name = serve(&bench, &server("other.example", 2099), None);
    for (url, ca, wanted) in [
        (&good, "ours.pem", Ok(())),
        (&good, "both.pem", Ok(())),
        (&good, "theirs.pem", Err(("YB-2034", "不是所信任的机构"))),
        (&good, "empty.pem", Err(("YB-2022", "没有可用的证书"))),
        (&good, "missing.pem", Err(("YB-2022", "不能读取"))),
        (&expired, "ours.pem", Err(("YB-2034", "已过期"))),
        (&wrong_name, "ours.pem", Err(("YB-2034", "主机名不符"))),
    ] {
        let adapter = adapter("[transport.http]\nendpoint = \"e\"\npath = \"/f\"", CSV);
        let endpoint: Endpoint =
            toml::from_str(&format!("url = \"{url}\"\nca_file = \"{ca}\"")).unwrap();
        match (bench.fetch(&adapter, &endpoint, &|_, _| false), wanted) {
            (Ok(fetched), Ok(())) => assert_eq!(text_of(fetched), "x"),
            (Err(refused), Err((code, told))) => {
                assert_eq!(refused.code, code, "{ca}: {refused}");
                assert!(refused.text.contains(told), "{refused}");
            }
            (found, _) => panic!("{ca}: {found:?}"),
        }
    }
}

#[test]
fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let bench = Bench::new();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = ours.issue("127.0.0.1", 2099, ExtendedKeyUsagePurpose::ServerAuth);
    let url = serve(&bench, &server, Some(&ours));
    fs::write(bench.folder.path().join("ca.pem"), &ours.pem).unwrap();
    for (name, authority) in [("known", &ours), ("unknown", &theirs)] {
        let (certificate, key) =
            authority.issue("client", 2099, ExtendedKeyUsagePurpose::ClientAuth);
        fs::write(
            bench.folder.path().join(format!("{name}.pem")),
            certificate.pem(),
        )
        .unwrap();
        bench.secret(&format!("{name}.key"), &key.serialize_pem());
    }
    bench.secret("bad.key", "no key\n");
    let shown = |certificate: &str, key: &str| {
        format!("client_cert_file = \"{certificate}\"\nclient_key_file = \"{key}\"\n")
    };
    for (client, wanted) in [
        (shown("known.pem", "known.key"), Ok(())),
        (String::new(), Err("YB-2035")),
        (shown("unknown.pem", "unknown.key"), Err("YB-2035")),
        (shown("known.pem", "bad.key"), Err("YB-2036")),
        (shown("known.pem", "unknown.key"), Err("YB-2023")),
        // A certificate is no secret and may be read by all, but in the place of a key it is refused.
        (shown("known.pem", "known.pem"), Err("YB-2037")),
    ] {
        let adapter = adapter("[transport.http]\nendpoint = \"e\"\npath = \"/f\"", CSV);
        let text = format!("url = \"{url}\"\nca_file = \"ca.pem\"\n{client}");
        let endpoint: Endpoint = toml::from_str(&text).unwrap();
        match (bench.fetch(&adapter, &endpoint, &|_, _| false), wanted) {
            (Ok(fetched), Ok(())) => assert_eq!(text_of(fetched), "x"),
            (Err(refused), Err(code)) => assert_eq!(refused.code, code, "{client}: {refused}"),
            (found, _) => panic!("{client}: {found:?}"),
        }
    }
}
