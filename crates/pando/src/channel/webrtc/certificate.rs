//! The certificate of all peer connections.

use std::sync::Arc;
use str0m::config::{CryptoProvider, DtlsCert};

/// The certificate shared by all connections of a run, because making a certificate is slow.
pub(super) struct SharedCertificate {
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) cert: DtlsCert,
}

impl SharedCertificate {
    pub(super) fn fresh() -> Self {
        let provider = Arc::new(str0m::crypto::from_feature_flags());
        let cert = provider
            .dtls_provider
            .generate_certificate()
            .expect("this provider makes certificates");
        Self { provider, cert }
    }
}
