//! The authorities that this process trusts for TLS connections to a store.

use std::path::{Path, PathBuf};

use rustls::{RootCertStore, pki_types::CertificateDer};
use rustls_native_certs::{load_certs_from_paths, load_native_certs};

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("ssl-ca: {path}: {reason}", path = .path.display())]
    File { path: PathBuf, reason: String },
    #[error("no trusted authority, set ssl-ca or SSL_CERT_FILE: {reason}")]
    System { reason: String },
}

/// The authorities of a PEM file, or without one those of the system or of the file in the variable
/// `SSL_CERT_FILE`. Reads files.
///
/// # Errors
/// If no authority can be used.
pub fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
    let found = match file {
        Some(file) => load_certs_from_paths(Some(file), None),
        None => load_native_certs(),
    };
    let usable = |certificate: &CertificateDer<'static>| {
        RootCertStore::empty().add(certificate.clone()).is_ok()
    };
    let certificates: Vec<_> = found.certs.into_iter().filter(usable).collect();
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let reason = match found.errors.first() {
        Some(error) => error.to_string(),
        None => "contains no certificate of an authority in PEM form".to_owned(),
    };
    Err(match file {
        Some(file) => AuthorityError::File { path: file.to_owned(), reason },
        None => AuthorityError::System { reason },
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    fn authority() -> String {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    #[test]
    fn a_file_of_several_is_read_whole_and_one_without_any_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            authorities(Some(file.path()))
        };
        let bundle = format!("# two of them\n{}\n{}", authority(), authority());
        assert_eq!(read(&bundle).unwrap().len(), 2);
        for bad in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.starts_with("ssl-ca: ") && error.contains("no certificate"), "{error}");
        }
        let missing = authorities(Some(Path::new("/nowhere/ca.pem"))).unwrap_err().to_string();
        assert!(missing.starts_with("ssl-ca: /nowhere/ca.pem: "), "{missing}");
    }
}
