//! What gateways and nodes show each other.

use runtime::nodes::PeerTls;

use crate::config::Fleet;
use crate::failure::Failure;

/// The certificates that the configuration names; none where it says that nothing is encrypted.
pub(crate) fn load(fleet: &Fleet) -> Result<Option<PeerTls>, Failure> {
    match (&fleet.certificates, fleet.plaintext) {
        (Some(folder), false) => Ok(Some(PeerTls::load(folder)?)),
        (None, true) => Ok(None),
        (Some(_), true) => Err(Failure::new(
            "fleet.certificates and fleet.plaintext are both set: leave one out",
        )),
        (None, false) => Err(Failure::new(
            "gateways and nodes have no certificates: set fleet.certificates to a folder with ca.pem, \
             member.pem and member.key (docs/fleet.md tells how to make them), or fleet.plaintext = true \
             on loopback",
        )),
    }
}
