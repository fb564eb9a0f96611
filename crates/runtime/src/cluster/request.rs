//! A key of a member's own, and the request to certify it (PKCS #10, RFC 2986).

use std::path::Path;

use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use x509_cert::der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::{ClusterError, MEMBERSHIP_FILE, Pass, give_to_owner, membership, write};
use crate::nodes::certificates::{AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE};

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

/// A private key that never leaves this machine.
pub struct Own {
    key: KeyPair,
    /// What the authority is asked to certify, PEM.
    pub(super) request: String,
}

impl Own {
    /// A new one, on the curve P-256.
    pub fn generate() -> Result<Self, ClusterError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(ClusterError::crypto)?;
        // Names are the authority's to give: the request has none.
        let request = CertificateParams::default()
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .map_err(ClusterError::crypto)?;
        Ok(Self { key, request })
    }

    /// Puts key and certificates into a folder, the key first: a certificate is of no use without.
    ///
    /// Whoever looks in between finds a pair that does not go together, and looks again.
    pub fn keep(&self, folder: &Path, pass: &Pass) -> Result<(), ClusterError> {
        crate::state::create_private_dir(folder)
            .map_err(|error| ClusterError::file(folder, error))?;
        give_to_owner(folder)?;
        let text = serde_json::to_string_pretty(&pass.membership);
        let text = text.map_err(ClusterError::crypto)?;
        write(&folder.join(AUTHORITY_FILE), &believed(folder, pass)?)?;
        write(&folder.join(MEMBERSHIP_FILE), &text)?;
        write(&folder.join(KEY_FILE), &self.key.serialize_pem())?;
        write(&folder.join(CERTIFICATE_FILE), &pass.certificate)
    }
}

/// The authority of a pass first. While one is replaced by another a member believes both, and its folder
/// says so: what is there of others stays, unless the member is another one now.
fn believed(folder: &Path, pass: &Pass) -> Result<String, ClusterError> {
    let mut all = pass.authority.clone();
    if membership(folder)?.is_none_or(|before| before.name != pass.membership.name) {
        return Ok(all);
    }
    let path = folder.join(AUTHORITY_FILE);
    let Ok(before) = std::fs::read_to_string(&path) else {
        return Ok(all);
    };
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes());
    let own = certificate(&all).map_err(ClusterError::crypto)?;
    for section in before.split_inclusive(PEM_END) {
        let begin = section.find(PEM_BEGIN).unwrap_or(section.len());
        let section = section.get(begin..).unwrap_or_default();
        if certificate(section).is_ok_and(|other| other != own) {
            all.push_str(section);
            all.push('\n');
        }
    }
    Ok(all)
}

/// The public key of a request that was signed with its private half.
pub(super) struct Requested {
    point: Vec<u8>,
}

impl Requested {
    pub(super) fn read(pem: &str) -> Result<Self, String> {
        let bad = |error: &dyn std::fmt::Display| format!("the request for a certificate: {error}");
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| bad(&error))?;
        let request = CertReq::from_der(&der).map_err(|error| bad(&error))?;
        let point = request.info.public_key.subject_public_key.as_bytes();
        let point = point.ok_or_else(|| bad(&"its key is cut off"))?.to_vec();
        let signed = request.info.to_der().map_err(|error| bad(&error))?;
        let signature = request.signature.as_bytes().unwrap_or_default();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point)
            .verify(&signed, signature)
            .map_err(|_| bad(&"it is not signed with its own key, on the curve P-256"))?;
        Ok(Self { point })
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}
