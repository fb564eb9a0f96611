//! The tenant that a client's certificate names.

use base::TenantId;
use gateway::directory::Directory;
use x509_cert::Certificate;
use x509_cert::der::asn1::{Any, PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// `commonName` (X.520).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The one tenant that the names of a certificate name, if they name one and no second.
///
/// The names are the subject's common name, the alternative DNS names, and the last part of the path
/// of alternative URIs. The certificate has been verified already.
pub(super) fn tenant_named(certificate: &[u8], directory: &Directory) -> Option<TenantId> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let mut named = names(&certificate)
        .into_iter()
        .filter_map(|name| directory.tenant_named(&name))
        .map(|tenant| tenant.id);
    let first = named.next()?;
    named.all(|other| other == first).then_some(first)
}

/// The names in a certificate that may be a tenant's.
fn names(certificate: &Certificate) -> Vec<String> {
    let subject = &certificate.tbs_certificate.subject.0;
    let mut names: Vec<String> = subject
        .iter()
        .flat_map(|part| part.0.iter())
        .filter(|attribute| attribute.oid == COMMON_NAME)
        .filter_map(|attribute| text(&attribute.value))
        .collect();
    // An extension that cannot be read names nobody.
    if let Ok(Some((_, alternatives))) = certificate.tbs_certificate.get::<SubjectAltName>() {
        names.extend(alternatives.0.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => last_part(uri.as_str()),
            _ => None,
        }));
    }
    names
}

/// The text of the two kinds of strings that certificates are made with today.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value
            .decode_as::<Utf8StringRef<'_>>()
            .ok()
            .map(|text| text.to_string()),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .ok()
            .map(|text| text.to_string()),
        _ => None,
    }
}

/// `acme` of `spiffe://example.org/tenant/acme`.
fn last_part(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let last = path.rsplit('/').next()?;
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
#[path = "identity_test.rs"]
mod tests;
