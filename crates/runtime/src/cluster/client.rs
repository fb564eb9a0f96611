//! A member's side: joins with a token, and renews its certificate with the one that it has.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::authority::SERVICE_NAME;
use super::exchange::{Ask, PATIENCE, Said, receive, send};
use super::pinned::Pinned;
use super::request::Own;
use super::token::JoinToken;
use super::{ClusterError, Membership, Pass};
use crate::nodes::PeerTls;

/// Joins as `name` at `address`, `HOST:PORT`; `addresses` are how a member of the store is found. The
/// secret is sent to nobody but the authority of the token's fingerprint.
pub fn join(
    address: &str,
    token: &JoinToken,
    name: &str,
    addresses: &[String],
    own: &Own,
) -> Result<Pass, ClusterError> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(ClusterError::crypto)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned::new(&token.fingerprint)))
        .with_no_client_auth();
    let ask = Ask::Join {
        id: token.id.clone(),
        secret: token.secret().to_owned(),
        name: name.to_owned(),
        addresses: addresses.to_vec(),
        request: own.request.clone(),
    };
    exchange(address, Arc::new(config), &ask)
}

/// Gets a new certificate for the one in `folder`, and puts it there.
pub fn renew(folder: &Path, membership: &Membership) -> Result<(), ClusterError> {
    let tls = PeerTls::load(folder).map_err(|error| ClusterError::file(folder, error))?;
    let own = Own::generate()?;
    let ask = Ask::Renew {
        request: own.request.clone(),
    };
    let pass = exchange(&membership.authority, tls.client, &ask)?;
    own.keep(folder, &pass)
}

fn exchange(address: &str, config: Arc<ClientConfig>, ask: &Ask) -> Result<Pass, ClusterError> {
    match try_exchange(address, config, ask) {
        Ok(Said::Granted(pass)) => Ok(*pass),
        Ok(Said::Refused(why)) => Err(ClusterError::Refused(why)),
        Err(error) => Err(ClusterError::Unreachable {
            address: address.to_owned(),
            reason: told(&error),
        }),
    }
}

fn told(error: &io::Error) -> String {
    let text = error.to_string();
    match text.contains("UnknownIssuer") {
        true => "it is not the authority that this token or certificate is of".to_owned(),
        false => text,
    }
}

fn try_exchange(address: &str, config: Arc<ClientConfig>, ask: &Ask) -> io::Result<Said> {
    let mut stream = open(address, config)?;
    send(&mut stream, ask)?;
    receive(&mut stream)
}

fn open(
    address: &str,
    config: Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such address");
    for addr in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&addr, PATIENCE) {
            Ok(socket) => {
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                let name = ServerName::try_from(SERVICE_NAME).map_err(io::Error::other)?;
                let client = ClientConnection::new(config, name).map_err(io::Error::other)?;
                return Ok(StreamOwned::new(client, socket));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
