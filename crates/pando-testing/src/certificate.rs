//! Certificates in files.

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs,
    pki_types::ServerName,
};
use std::{fs, net::TcpStream, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// A certificate for `localhost` and its key, in files.
#[derive(Debug)]
pub struct TestCertificate {
    folder: TempDir,
    /// A TLS client that trusts this certificate.
    pub client: Arc<ClientConfig>,
}

impl TestCertificate {
    /// Makes a certificate and its files.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])
            .expect("a certificate can be made");
        fs::write(folder.path().join("cert.pem"), pem("CERTIFICATE", made.cert.der()))
            .expect("it can be written");
        fs::write(
            folder.path().join("key.pem"),
            pem("PRIVATE KEY", &made.signing_key.serialize_der()),
        )
        .expect("it can be written");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("it is sound");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("they are known");
        Self {
            folder,
            client: Arc::new(config.with_root_certificates(roots).with_no_client_auth()),
        }
    }

    /// The file of the certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// The file of the key.
    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// `--tls-cert FILE --tls-key FILE`.
    pub fn args(&self) -> [PathBuf; 4] {
        ["--tls-cert".into(), self.certificate(), "--tls-key".into(), self.key()]
    }
}

/// A TLS connection to `port` of this machine, with the configuration `client`.
pub fn encrypted(
    port: u16,
    client: &Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(client.clone(), name).expect("it is configured");
    StreamOwned::new(connection, super::http::connect(&format!("127.0.0.1:{port}")))
}

/// The text of a PEM file.
fn pem(label: &str, der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in der.chunks(3) {
        let bits = three
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for at in 0..4 {
            text.push(if at <= three.len() {
                char::from(LETTERS[bits >> (18 - 6 * at) & 63])
            } else {
                '='
            });
        }
    }
    let lines: Vec<String> =
        text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
