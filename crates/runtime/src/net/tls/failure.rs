//! Why a handshake came to nothing, in the few kinds that operators mend in different ways.

use std::io;

use gateway::ApproachFailure;
use rustls::Error;

/// What kind of failure an error of a handshake is.
pub(super) fn cause_of(error: &io::Error) -> ApproachFailure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        // What became of the socket: the client has gone, or its host.
        None => ApproachFailure::TlsEnded,
        Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => {
            ApproachFailure::TlsVersion
        }
        Some(Error::InvalidCertificate(_) | Error::NoCertificatesPresented) => {
            ApproachFailure::TlsCertificate
        }
        Some(Error::AlertReceived(_)) => ApproachFailure::TlsRefused,
        Some(_) => ApproachFailure::TlsGarbled,
    }
}

#[cfg(test)]
#[path = "failure_test.rs"]
mod tests;
