//! The relay's certificate.

use axum_server::tls_rustls::RustlsConfig;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Time between looks for a newer certificate.
const LOOK: Duration = Duration::from_secs(60);

/// A certificate and its key, as files in PEM form.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    /// What TLS needs.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together; in words.
    pub(crate) fn load(&self) -> Result<Arc<ServerConfig>, String> {
        let certificate = self.certificate.display();
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect);
        let chain = chain.map_err(|error| format!("--tls-cert {certificate}: no certificate can be read ({error})"))?;
        if chain.is_empty() {
            return Err(format!("--tls-cert {certificate}: there is no certificate in it, in PEM form"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| format!("--tls-key {}: no private key can be read ({error})", self.key.display()))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| format!("--tls-cert {certificate} and --tls-key do not fit together ({error})"))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Keeps `config` up to date: certificates last for weeks, relays for longer. Tells `failed` when a new one is no good.
    pub(crate) async fn follow(self, config: RustlsConfig, failed: impl Fn(String)) {
        let mut seen = self.modified();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.modified();
            if now == seen {
                continue;
            }
            seen = now;
            match self.load() {
                Ok(fresh) => config.reload_from_config(fresh),
                Err(why) => failed(why),
            }
        }
    }

    fn modified(&self) -> [Option<SystemTime>; 2] {
        let of = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        [of(&self.certificate), of(&self.key)]
    }
}
