//! Certificates: from files, which are read again after a renewal, or made for one run.

use ::aws_lc_rs::digest;
use pando_process::files;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio_rustls::TlsAcceptor;

/// The time between checks for a newer certificate.
const LOOK: Duration = Duration::from_secs(60);
/// Longest file of certificates or of a key, in bytes.
const LONGEST: u64 = 16 << 20;

/// The certificate of a port. Every connection uses the newest one.
#[derive(Debug, Clone)]
pub struct Certificate(Arc<Mutex<Arc<ServerConfig>>>);

impl Certificate {
    fn new(config: Arc<ServerConfig>) -> Self {
        Self(Arc::new(Mutex::new(config)))
    }

    fn renew(&self, config: Arc<ServerConfig>) {
        *self.0.lock().expect("nobody panics with it") = config;
    }

    /// The acceptor for the handshake of the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.0.lock().expect("nobody panics with it").clone().into()
    }
}

/// A certificate and its key, as files in PEM form.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain of certificates, the server's own first.
    pub certificate: PathBuf,
    /// The private key of the first certificate.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together; the text is for people.
    pub fn load(&self) -> Result<Certificate, String> {
        self.read().map(Certificate::new)
    }

    fn read(&self) -> Result<Arc<ServerConfig>, String> {
        let certificate = self.certificate.display();
        let readable = |path, what| {
            files::look(path, LONGEST).map_err(|error| format!("{what} can be read ({error})"))
        };
        readable(&self.certificate, format!("--tls-cert {certificate}: no certificate"))?;
        readable(&self.key, format!("--tls-key {}: no private key", self.key.display()))?;
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect);
        let chain = chain.map_err(|error| {
            format!("--tls-cert {certificate}: no certificate can be read ({error})")
        })?;
        if chain.is_empty() {
            return Err(format!(
                "--tls-cert {certificate}: there is no certificate in it, in PEM form"
            ));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| {
            format!("--tls-key {}: no private key can be read ({error})", self.key.display())
        })?;
        config(chain, key).map_err(|error| {
            format!("--tls-cert {certificate} and --tls-key do not fit together ({error})")
        })
    }

    /// Keeps `certificate` up to date, because relays and some runs outlast it. Tells `failed`
    /// when a new certificate cannot be used.
    pub async fn follow(self, certificate: Certificate, failed: impl Fn(String)) {
        let mut seen = self.modified();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.modified();
            if now == seen {
                continue;
            }
            seen = now;
            match self.read() {
                Ok(fresh) => certificate.renew(fresh),
                Err(why) => failed(why),
            }
        }
    }

    fn modified(&self) -> [Option<SystemTime>; 2] {
        let of = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        [of(&self.certificate), of(&self.key)]
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // The server offers only HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A self-signed certificate and its key, as DER.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SelfSigned {
    certificate: Vec<u8>,
    key: Vec<u8>,
}
impl SelfSigned {
    /// Makes a certificate for `names`.
    ///
    /// # Errors
    /// When the certificate cannot be made; the text is for people.
    pub fn new(names: Vec<String>, now: SystemTime) -> Result<Self, String> {
        use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
        const DAY: Duration = Duration::from_secs(24 * 3600);
        /// Apple's devices refuse certificates of more than 825 days.
        const LASTS: Duration = Duration::from_secs(365 * 24 * 3600);
        let failed = |error: rcgen::Error| format!("--tls: no certificate can be made ({error})");
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(names).map_err(failed)?;
        let now = date_time_ymd(1970, 1, 1)
            + now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        (params.not_before, params.not_after) = (now - DAY, now + LASTS);
        params.distinguished_name.push(DnType::CommonName, "Pando");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).map_err(failed)?.der().to_vec();
        Ok(Self { certificate, key: key.serialize_der() })
    }

    /// The certificate for a port.
    ///
    /// # Errors
    /// When certificate and key do not belong together; the text is for people.
    pub fn load(&self) -> Result<Certificate, String> {
        let key =
            PrivateKeyDer::try_from(self.key.clone()).map_err(|error| format!("--tls: {error}"))?;
        config(vec![self.certificate.clone().into()], key)
            .map(Certificate::new)
            .map_err(|error| format!("--tls: {error}"))
    }

    /// The SHA-256 fingerprint of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let print = digest::digest(&digest::SHA256, &self.certificate);
        let print: Vec<String> = print.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        print.join(":")
    }
}
