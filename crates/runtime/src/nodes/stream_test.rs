//! Tests of connections between gateways and nodes, in the clear and under mutual TLS.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::{PeerStream, PeerTls, Received};
use crate::nodes::certificates::{AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE};

/// Writes what a member of an authority's fleet has, and tells the folder.
fn member(authority: &CertifiedIssuer<'_, KeyPair>, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let write = |file: &str, text: String| fs::write(folder.path().join(file), text).unwrap();
    write(AUTHORITY_FILE, authority.pem());
    write(CERTIFICATE_FILE, certificate.pem());
    write(KEY_FILE, key.serialize_pem());
    folder
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(["fleet".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn tls(folder: &Path) -> PeerTls {
    PeerTls::load(folder).unwrap()
}

/// Sends `len` bytes there and back; what came back, or why nothing did.
fn echo(client: Option<PeerTls>, server: Option<PeerTls>, len: usize) -> Result<Vec<u8>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr: SocketAddr = listener.local_addr().unwrap();
    let mut poll = Poll::new().unwrap();
    let mut near = PeerStream::connect(addr, "node1", client.as_ref()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    socket.set_nonblocking(true).unwrap();
    let socket = mio::net::TcpStream::from_std(socket);
    let mut far = PeerStream::accept(socket, server.as_ref()).unwrap();
    near.register(poll.registry(), Token(0)).unwrap();
    far.register(poll.registry(), Token(1)).unwrap();
    let sent: Vec<u8> = (0..len).map(|at| at as u8).collect();
    let (mut to_send, mut to_return, mut back) = (sent.clone(), Vec::new(), Vec::new());
    let mut events = Events::with_capacity(16);
    let mut buffer = vec![0; 100_000];
    while back.len() < len {
        poll.poll(&mut events, Some(Duration::from_secs(5)))
            .unwrap();
        if events.is_empty() {
            return Err("nothing happens".to_owned());
        }
        near.readable = true;
        far.readable = true;
        near.writable = true;
        far.writable = true;
        near.push_tls().map_err(|error| error.to_string())?;
        far.push_tls().map_err(|error| error.to_string())?;
        // As much as goes, until both sides block.
        loop {
            let before = (to_send.len(), to_return.len(), back.len());
            for (stream, out, into) in [
                (&mut near, &mut to_send, &mut back),
                (&mut far, &mut Vec::new(), &mut to_return),
            ] {
                let taken = stream.write(out).map_err(|error| error.to_string())?;
                out.drain(..taken);
                match stream
                    .read(&mut buffer)
                    .map_err(|error| error.to_string())?
                {
                    Received::Bytes(count) => into.extend_from_slice(&buffer[..count]),
                    Received::End => return Err("the other side has ended".to_owned()),
                }
            }
            let taken = far.write(&to_return).map_err(|error| error.to_string())?;
            to_return.drain(..taken);
            // A piece of a record gives nothing, though the rest of it may be there.
            let may_read = near.readable || far.readable;
            if before == (to_send.len(), to_return.len(), back.len()) && !may_read {
                break;
            }
        }
    }
    Ok(back)
}

#[test]
fn bytes_come_through_in_the_clear() {
    let back = echo(None, None, 3_000_000).unwrap();
    assert!(back.iter().enumerate().all(|(at, byte)| *byte == at as u8));
}

#[test]
fn bytes_come_through_under_mutual_tls() {
    let authority = authority();
    let (gateway, node) = (member(&authority, "gateway1"), member(&authority, "node1"));
    let back = echo(Some(tls(gateway.path())), Some(tls(node.path())), 1_000_000).unwrap();
    assert!(back.iter().enumerate().all(|(at, byte)| *byte == at as u8));
}

#[test]
fn a_stranger_and_an_impostor_are_refused() {
    let (ours, theirs) = (authority(), authority());
    let node = member(&ours, "node1");
    let stranger = member(&theirs, "gateway1");
    let refused = echo(Some(tls(stranger.path())), Some(tls(node.path())), 10);
    assert!(refused.is_err());
    // Another member of the fleet is not the node that was meant.
    let (gateway, other) = (member(&ours, "gateway1"), member(&ours, "node2"));
    let refused = echo(Some(tls(gateway.path())), Some(tls(other.path())), 10).unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
    // Who does not encrypt is not understood.
    assert!(echo(None, Some(tls(node.path())), 100).is_err());
}

#[test]
fn a_connection_to_itself_is_a_refused_one() {
    use rustix::net::{AddressFamily, SocketType, bind, connect, getsockname, socket};

    let own = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&own, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = SocketAddr::try_from(getsockname(&own).unwrap()).unwrap();
    connect(&own, &address).unwrap();
    let own = std::net::TcpStream::from(own);
    own.set_nonblocking(true).unwrap();
    let stream = PeerStream::new(TcpStream::from_std(own), None, false).unwrap();
    let error = stream.check_connected().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}
