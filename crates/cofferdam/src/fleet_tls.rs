//! What gateways and nodes show each other.

use std::path::PathBuf;

use runtime::Clock;
use runtime::nodes::PeerTls;

use crate::config::Config;
use crate::failure::Failure;
use crate::renewal::Renewal;

/// The certificates of this process; none where the configuration says that nothing is encrypted.
pub(crate) fn load(config: &Config) -> Result<Option<PeerTls>, Failure> {
    match (folder(config), config.fleet.plaintext) {
        (_, true) if config.fleet.certificates.is_some() => Err(Failure::new(
            "fleet.certificates and fleet.plaintext are both set: leave one out",
        )),
        (_, true) => Ok(None),
        (Some(folder), false) => Ok(Some(PeerTls::load(&folder)?)),
        (None, false) => Err(Failure::new(format!(
            "this process has no certificate in {}: `cofferdam cluster join` gets one (docs/fleet.md); \
             or set fleet.certificates to a folder with ca.pem, member.pem and member.key, or \
             fleet.plaintext = true on loopback",
            config.own_certificates().display()
        ))),
    }
}

/// Keeps them good for as long as it lives.
pub(crate) fn keep_good(
    config: &Config,
    tls: Option<PeerTls>,
    clock: Clock,
) -> Result<Option<Renewal>, Failure> {
    match (tls, folder(config)) {
        (Some(tls), Some(folder)) => Ok(Some(Renewal::start(folder, tls, clock)?)),
        _ => Ok(None),
    }
}

/// The folder that is configured, else the one that `cluster join` fills.
pub(crate) fn folder(config: &Config) -> Option<PathBuf> {
    let own = config.own_certificates();
    let named = config.fleet.certificates.clone();
    named.or_else(|| {
        own.join(runtime::nodes::certificates::CERTIFICATE_FILE)
            .exists()
            .then_some(own)
    })
}
