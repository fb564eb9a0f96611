//! The authority itself: its key, whom it certifies, and what it keeps of that.

use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::register::Register;
use super::request::Requested;
use super::subject::{Role, alternative_names, bearer, check_name};
use super::token::JoinToken;
use super::{ClusterError, Membership, Pass, give_to_owner, read, write};
use crate::secrets::hex;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const REGISTER: &str = "register.json";
const LOCK: &str = "lock";
/// As whom the authority's own service shows itself.
pub(super) const SERVICE_NAME: &str = "authority.cofferdam.internal";
/// For how long the authority itself is good.
const OWN_LIFETIME: Duration = Duration::from_secs(3650 * 24 * 3600);
/// Clocks of members may be behind by so much, or by a tenth of a certificate's time if that is less.
const SKEW_MAX: Duration = Duration::from_secs(300);

/// What an authority is made with.
#[derive(Clone, Debug)]
pub struct Founding {
    /// The fleet's name.
    pub fleet: String,
    /// Where members will find it, `HOST:PORT`.
    pub address: String,
    /// Base URLs of the fleet's store.
    pub endpoints: Vec<String>,
    /// How long certificates are good for.
    pub lifetime: Duration,
}

/// Signs certificates. Several processes may have the same folder open.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    fingerprint: String,
}

impl Authority {
    /// Makes one in a folder of its own.
    ///
    /// # Errors
    /// There is one already: it is never replaced, since all certificates are of it.
    pub fn create(
        folder: &Path,
        now: Timestamp,
        founding: &Founding,
    ) -> Result<Self, ClusterError> {
        if folder.join(KEY).exists() {
            let text = "there is an authority already: `cofferdam cluster token` lets members join";
            return Err(ClusterError::file(folder, text));
        }
        crate::state::create_private_dir(folder)
            .map_err(|error| ClusterError::file(folder, error))?;
        let key = KeyPair::generate().map_err(ClusterError::crypto)?;
        let mut params = params(&founding.fleet);
        set_validity(&mut params, now, OWN_LIFETIME);
        let certificate = params.self_signed(&key).map_err(ClusterError::crypto)?;
        let register = Register {
            fleet: founding.fleet.clone(),
            address: founding.address.clone(),
            endpoints: founding.endpoints.clone(),
            lifetime_s: founding.lifetime.as_secs(),
            tokens: Vec::new(),
            members: Vec::new(),
        };
        keep(folder, &register)?;
        write(&folder.join(CERTIFICATE), &certificate.pem())?;
        // Last: with it the authority is there.
        write(&folder.join(KEY), &key.serialize_pem())?;
        Self::open(folder)
    }

    /// Opens the one in a folder.
    pub fn open(folder: &Path) -> Result<Self, ClusterError> {
        let path = folder.join(KEY);
        if !path.exists() {
            let text = "there is no authority: `cofferdam cluster init` makes one";
            return Err(ClusterError::file(folder, text));
        }
        let key = KeyPair::from_pem(&read(&path)?).map_err(|e| ClusterError::file(&path, e))?;
        let certificate = read(&folder.join(CERTIFICATE))?;
        let der =
            der(&certificate).map_err(|e| ClusterError::file(&folder.join(CERTIFICATE), e))?;
        let fleet = load(folder)?.fleet;
        Ok(Self {
            folder: folder.to_owned(),
            issuer: Issuer::new(params(&fleet), key),
            fingerprint: fingerprint(&der),
            certificate,
        })
    }

    /// What it keeps.
    pub fn register(&self) -> Result<Register, ClusterError> {
        load(&self.folder)
    }

    /// A token with which one member may join, once, for `ttl`.
    pub fn token(
        &self,
        now: Timestamp,
        role: Role,
        name: Option<&str>,
        ttl: Duration,
    ) -> Result<JoinToken, ClusterError> {
        if let Some(name) = name {
            check_name(name).map_err(ClusterError::Refused)?;
        }
        let token = JoinToken::new(self.fingerprint.clone())?;
        self.change(|register| {
            name.map_or(Ok(()), |name| register.check_free(name, role))?;
            register.open(now, &token.id, token.digest(), role, name, ttl);
            Ok(())
        })?;
        Ok(token)
    }

    /// Certifies whoever has a token.
    pub(super) fn join(
        &self,
        now: Timestamp,
        id: &str,
        secret: &str,
        name: &str,
        addresses: &[String],
        request: &str,
    ) -> Result<Pass, ClusterError> {
        // All that can be wrong is looked at first, so that it does not cost the token.
        check_name(name).map_err(ClusterError::Refused)?;
        let requested = Requested::read(request).map_err(ClusterError::Refused)?;
        let mut register = self.register()?;
        let role = register.redeem(now, id, secret, name);
        let role = role.map_err(ClusterError::Refused)?;
        let params = member_params(&register, now, name, role, addresses)?;
        let until = until(&register, now);
        let register = self.change(|register| {
            register.redeem(now, id, secret, name)?;
            register.admit(name, role, until);
            Ok(register.clone())
        })?;
        self.sign(&register, name, role, &params, &requested)
    }

    /// Certifies a member that has shown a certificate of ours.
    pub(super) fn renew(
        &self,
        now: Timestamp,
        shown: &[u8],
        request: &str,
    ) -> Result<Pass, ClusterError> {
        let nobody = || ClusterError::Refused("this certificate names no member".to_owned());
        let (name, role) = bearer(shown).ok_or_else(nobody)?;
        let mut addresses = alternative_names(shown);
        // Its name is in every certificate.
        addresses.retain(|address| *address != name);
        self.certify(now, &name, role, &addresses, request, true)
    }

    /// Certifies the first member, on the authority's own machine.
    pub fn found(
        &self,
        now: Timestamp,
        name: &str,
        role: Role,
        own: &super::Own,
    ) -> Result<Pass, ClusterError> {
        self.certify(now, name, role, &[], &own.request, false)
    }

    fn certify(
        &self,
        now: Timestamp,
        name: &str,
        role: Role,
        addresses: &[String],
        request: &str,
        is_member: bool,
    ) -> Result<Pass, ClusterError> {
        check_name(name).map_err(ClusterError::Refused)?;
        let requested = Requested::read(request).map_err(ClusterError::Refused)?;
        let register = self.register()?;
        let params = member_params(&register, now, name, role, addresses)?;
        let register = self.change(|register| {
            match is_member {
                true => register.may_renew(name, role)?,
                false => register.check_free(name, role)?,
            }
            register.admit(name, role, until(register, now));
            Ok(register.clone())
        })?;
        self.sign(&register, name, role, &params, &requested)
    }

    /// Has a member get no other certificate.
    pub fn revoke(&self, name: &str) -> Result<(), ClusterError> {
        self.change(|register| match register.revoke(name) {
            true => Ok(()),
            false => Err(format!(
                "there is no member {name:?}: `cofferdam cluster list` shows all"
            )),
        })
    }

    /// What the authority's own service shows, with a key that is made for it.
    pub(super) fn service(
        &self,
        now: Timestamp,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ClusterError> {
        let key = KeyPair::generate().map_err(ClusterError::crypto)?;
        let mut params =
            CertificateParams::new([SERVICE_NAME.to_owned()]).map_err(ClusterError::crypto)?;
        params.distinguished_name = DistinguishedName::new();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_validity(&mut params, now, OWN_LIFETIME);
        let own = params
            .signed_by(&key, &self.issuer)
            .map_err(ClusterError::crypto)?;
        let authority = self.certificate_der()?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(ClusterError::crypto)?;
        Ok((vec![own.der().clone(), authority], key))
    }

    /// The authority's own certificate.
    pub(super) fn certificate_der(&self) -> Result<CertificateDer<'static>, ClusterError> {
        der(&self.certificate).map_err(ClusterError::Crypto)
    }

    fn sign(
        &self,
        register: &Register,
        name: &str,
        role: Role,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<Pass, ClusterError> {
        let signed = params
            .signed_by(key, &self.issuer)
            .map_err(ClusterError::crypto)?;
        Ok(Pass {
            membership: Membership {
                fleet: register.fleet.clone(),
                name: name.to_owned(),
                role,
                authority: register.address.clone(),
                endpoints: register.endpoints.clone(),
            },
            authority: self.certificate.clone(),
            certificate: signed.pem(),
        })
    }

    /// Reads, changes and writes the register while no other process does.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Register) -> Result<T, String>,
    ) -> Result<T, ClusterError> {
        let path = self.folder.join(LOCK);
        let lock = File::create(&path).map_err(|error| ClusterError::file(&path, error))?;
        give_to_owner(&path)?;
        lock.lock()
            .map_err(|error| ClusterError::file(&path, error))?;
        let mut register = load(&self.folder)?;
        let value = change(&mut register).map_err(ClusterError::Refused)?;
        keep(&self.folder, &register)?;
        Ok(value)
    }
}

/// SHA-256 of a certificate, in hexadecimal digits.
pub(super) fn fingerprint(certificate: &[u8]) -> String {
    hex(digest(&SHA256, certificate).as_ref())
}

fn der(pem: &str) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())
}

fn params(fleet: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    let name = format!("Cofferdam fleet {fleet}");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn member_params(
    register: &Register,
    now: Timestamp,
    name: &str,
    role: Role,
    addresses: &[String],
) -> Result<CertificateParams, ClusterError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let unit = role.unit();
    params
        .distinguished_name
        .push(DnType::OrganizationalUnitName, unit);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Each connects and is connected to: gateways ask the store, members of the store each other.
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.subject_alt_names.push(dns(name)?);
    // Only the store is found by addresses of its own.
    if role == Role::Etcd {
        for address in addresses {
            params
                .subject_alt_names
                .push(match address.parse::<IpAddr>() {
                    Ok(ip) => SanType::IpAddress(ip),
                    Err(_) => dns(address)?,
                });
        }
    }
    set_validity(&mut params, now, Duration::from_secs(register.lifetime_s));
    Ok(params)
}

fn dns(name: &str) -> Result<SanType, ClusterError> {
    let bad = |_| ClusterError::Refused(format!("{name:?} is neither an address nor a name"));
    Ok(SanType::DnsName(name.to_owned().try_into().map_err(bad)?))
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, lifetime: Duration) {
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::from(now.unix_secs()));
    params.not_before = now - SKEW_MAX.min(lifetime / 10);
    params.not_after = now + lifetime;
}

fn until(register: &Register, now: Timestamp) -> u64 {
    u64::from(now.unix_secs()) + register.lifetime_s
}

fn load(folder: &Path) -> Result<Register, ClusterError> {
    let path = folder.join(REGISTER);
    serde_json::from_str(&read(&path)?).map_err(|error| ClusterError::file(&path, error))
}

fn keep(folder: &Path, register: &Register) -> Result<(), ClusterError> {
    let text = serde_json::to_string_pretty(register).map_err(ClusterError::crypto)?;
    write(&folder.join(REGISTER), &text)
}
