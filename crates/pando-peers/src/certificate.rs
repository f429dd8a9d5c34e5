//! The certificate of all peer connections.

use std::sync::Arc;
use str0m::config::{CryptoProvider, DtlsCert};

/// The certificate shared by all connections of a run, because making a certificate is slow.
pub(crate) struct SharedCertificate {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) cert: DtlsCert,
}

impl SharedCertificate {
    pub(crate) fn fresh() -> Self {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let cert = provider
            .dtls_provider
            .generate_certificate()
            .expect("this provider makes certificates");
        Self { provider, cert }
    }
}
