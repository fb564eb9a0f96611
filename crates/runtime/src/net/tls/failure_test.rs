//! Errors of handshakes, sorted.

use rustls::{AlertDescription, CertificateError, PeerIncompatible};

use super::*;

#[test]
fn what_is_to_be_mended_is_told_apart() {
    let of_tls = |error: Error| cause_of(&io::Error::new(io::ErrorKind::InvalidData, error));
    let old = Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered);
    assert_eq!(of_tls(old), ApproachFailure::TlsVersion);
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert_eq!(of_tls(unknown), ApproachFailure::TlsCertificate);
    let none = Error::NoCertificatesPresented;
    assert_eq!(of_tls(none), ApproachFailure::TlsCertificate);
    let refused = Error::AlertReceived(AlertDescription::UnknownCA);
    assert_eq!(of_tls(refused), ApproachFailure::TlsRefused);
    assert_eq!(of_tls(Error::DecryptError), ApproachFailure::TlsGarbled);
    for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
        assert_eq!(cause_of(&kind.into()), ApproachFailure::TlsEnded);
    }
}
