//! Who may speak in which role: a certificate that names one is good for no other.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::trust::Trust;
use crate::cluster::{Role, role_of};

/// At a node: whoever asks is a gateway; or another node, which may try out the way between the two
/// and nothing else.
#[derive(Debug)]
pub(super) struct GatewaysAndNodes(pub(super) Arc<Trust>);

/// At a gateway: whoever answers is a node.
#[derive(Debug)]
pub(super) struct OnlyNodes(pub(super) Arc<Trust>);

/// A certificate of an authority that knows of no roles is good for all of them.
fn check(certificate: &[u8], roles: &[Role]) -> Result<(), Error> {
    match role_of(certificate).map_err(Error::General)? {
        Some(other) if !roles.contains(&other) => {
            let roles: Vec<String> = roles.iter().map(Role::to_string).collect();
            Err(Error::General(format!(
                "the certificate is a {other}'s, and this is for a {}",
                roles.join(" or a ")
            )))
        }
        _ => Ok(()),
    }
}

impl ClientCertVerifier for GatewaysAndNodes {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A member has one certificate, whoever is believed here.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .0
            .now()
            .callers
            .verify_client_cert(end_entity, intermediates, now)?;
        check(end_entity, &[Role::Gateway, Role::Node])?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .now()
            .callers
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .now()
            .callers
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.now().callers.supported_verify_schemes()
    }
}

impl ServerCertVerifier for OnlyNodes {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.0.now().called.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        check(end_entity, &[Role::Node])?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .now()
            .called
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .now()
            .called
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.now().called.supported_verify_schemes()
    }
}
