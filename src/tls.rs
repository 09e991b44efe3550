//! The server's certificate. It can be replaced while connections are open; each handshake uses the
//! newest one.
//!
//! Used at the start and by the watcher of the files. It opens no file itself.

mod authorities;

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

pub use authorities::{AuthorityError, authorities};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("server.tls_cert contains no certificate in PEM form")]
    NoCertificate,
    #[error("server.tls_cert cannot be read as PEM: {0}")]
    Certificate(pem::Error),
    #[error("server.tls_key cannot be read as PEM: {0}")]
    Key(pem::Error),
    /// For example, the key belongs to another certificate.
    #[error("server.tls_cert and server.tls_key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
}

/// A certificate chain and its key, which can be replaced.
#[derive(Debug)]
pub struct Certificate {
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// # Errors
    /// The fault in the two PEM texts. `chain` starts with the leaf; `key` is the leaf's key.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self { current: ArcSwap::from_pointee(certified(chain, key)?) }))
    }

    /// Uses these for all further handshakes. After an error the previous certificate stays in use.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), TlsError> {
        self.current.store(Arc::new(certified(chain, key)?));
        Ok(())
    }

    /// TLS 1.2 and 1.3 with this certificate. The server adds its protocols.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        Ok(config)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certified(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(TlsError::Certificate)?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey as Made, generate_simple_self_signed};

    use super::*;

    fn made() -> (Vec<u8>, Vec<u8>) {
        let Made { cert, signing_key } =
            generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
        (cert.pem().into_bytes(), signing_key.serialize_pem().into_bytes())
    }

    fn leaf(certificate: &Certificate) -> Vec<u8> {
        certificate.current.load().cert[0].to_vec()
    }

    #[test]
    fn a_pair_that_does_not_fit_changes_nothing() {
        let ((chain, key), (other_chain, other_key)) = (made(), made());
        let certificate = Certificate::new(&chain, &key).unwrap();
        let before = leaf(&certificate);
        assert!(matches!(certificate.replace(&other_chain, &key), Err(TlsError::Pair(_))));
        assert!(matches!(certificate.replace(b"", &key), Err(TlsError::NoCertificate)));
        assert!(matches!(certificate.replace(&chain, b""), Err(TlsError::Key(_))));
        assert!(matches!(certificate.replace(&chain, &chain), Err(TlsError::Key(_))));
        assert_eq!(leaf(&certificate), before);
        certificate.replace(&other_chain, &other_key).unwrap();
        assert_ne!(leaf(&certificate), before);
    }
}
