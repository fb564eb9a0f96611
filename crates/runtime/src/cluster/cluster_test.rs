//! The authority and its members over sockets: joining, renewing, and who is turned away.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use base::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::subject::{alternative_names, check_name, validity};
use super::*;
use crate::Clock;
use crate::nodes::PeerTls;
use crate::nodes::certificates::{CERTIFICATE_FILE, KEY_FILE};

const HOUR: Duration = Duration::from_secs(3600);

struct Served {
    folder: tempfile::TempDir,
    addr: SocketAddr,
}

impl Served {
    fn new(fleet: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let founding = Founding {
            fleet: fleet.to_owned(),
            address: "127.0.0.1:1".to_owned(),
            endpoints: vec!["https://10.0.0.11:2379".to_owned()],
            lifetime: HOUR,
        };
        let clock = Clock::new();
        let path = folder.path().join("authority");
        let authority = Authority::create(&path, clock.now(), &founding).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        let server = AuthorityServer::bind(authority, any, clock).unwrap();
        let addr = server.addr().unwrap();
        std::thread::spawn(move || server.run());
        Self { folder, addr }
    }

    /// A second process that has the folder open.
    fn authority(&self) -> Authority {
        Authority::open(&self.folder.path().join("authority")).unwrap()
    }

    fn token(&self, role: Role) -> JoinToken {
        self.authority()
            .token(Clock::new().now(), role, None, HOUR)
            .unwrap()
    }

    fn join(
        &self,
        token: &JoinToken,
        name: &str,
        addresses: &[&str],
    ) -> Result<Pass, ClusterError> {
        let addresses: Vec<String> = addresses.iter().map(|&a| a.to_owned()).collect();
        let own = Own::generate()?;
        let pass = join(&self.addr.to_string(), token, name, &addresses, &own)?;
        own.keep(&self.folder.path().join(name), &pass)?;
        Ok(pass)
    }
}

fn der(pass: &Pass) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pass.certificate.as_bytes()).unwrap()
}

#[test]
fn a_member_joins_once_with_a_token_and_its_certificate_says_who_it_is() {
    let served = Served::new("main");
    let token: JoinToken = served.token(Role::Node).reveal().parse().unwrap();
    let pass = served.join(&token, "node1", &["10.0.0.9"]).unwrap();
    assert_eq!(role_of(&der(&pass)), Ok(Some(Role::Node)));
    // A node is known by its name alone.
    assert_eq!(alternative_names(&der(&pass)), ["node1"]);
    let (from, until) = validity(&der(&pass)).unwrap();
    assert!(until - from >= HOUR.as_secs());
    let known = membership(&served.folder.path().join("node1"))
        .unwrap()
        .unwrap();
    assert_eq!((&known, known.role), (&pass.membership, Role::Node));
    assert!(PeerTls::load(&served.folder.path().join("node1")).is_ok());
    let again = served.join(&token, "node2", &[]).unwrap_err().to_string();
    assert!(again.contains("used already"), "{again}");
}

#[test]
fn two_who_have_the_same_token_do_not_both_join() {
    let served = Served::new("main");
    let token = served.token(Role::Node);
    let joined = std::thread::scope(|scope| {
        let tries: Vec<_> = ["node1", "node2", "node3"]
            .map(|name| scope.spawn(|| served.join(&token, name, &[]).is_ok()))
            .into_iter()
            .collect();
        tries
            .into_iter()
            .filter_map(|it| it.join().ok())
            .filter(|is| *is)
            .count()
    });
    assert_eq!(joined, 1);
}

#[test]
fn the_secret_is_not_sent_to_another_authority() {
    let (ours, theirs) = (Served::new("main"), Served::new("main"));
    let token = ours.token(Role::Node);
    let own = Own::generate().unwrap();
    let refused = join(&theirs.addr.to_string(), &token, "node1", &[], &own).unwrap_err();
    assert!(
        refused.to_string().contains("not the authority"),
        "{refused}"
    );
    assert!(ours.join(&token, "node1", &[]).is_ok());
}

#[test]
fn a_member_renews_with_its_certificate_and_is_then_shown_with_the_new_one() {
    let served = Served::new("main");
    let token = served.token(Role::Etcd);
    let pass = served
        .join(&token, "etcd1", &["10.0.0.11", "store.example"])
        .unwrap();
    assert_eq!(
        alternative_names(&der(&pass)),
        ["etcd1", "10.0.0.11", "store.example"]
    );
    let folder = served.folder.path().join("etcd1");
    let mut membership = membership(&folder).unwrap().unwrap();
    membership.authority = served.addr.to_string();
    let tls = PeerTls::load(&folder).unwrap();
    assert!(!tls.refresh().unwrap());
    renew(&folder, &membership).unwrap();
    assert!(tls.refresh().unwrap());
    let renewed = CertificateDer::from_pem_file(folder.join(CERTIFICATE_FILE)).unwrap();
    assert_ne!(renewed, der(&pass));
    assert_eq!(alternative_names(&renewed), alternative_names(&der(&pass)));
    served.authority().revoke("etcd1").unwrap();
    let refused = renew(&folder, &membership).unwrap_err().to_string();
    assert!(refused.contains("revoked"), "{refused}");
}

#[test]
fn a_stranger_renews_nothing() {
    let (ours, theirs) = (Served::new("main"), Served::new("main"));
    theirs
        .join(&theirs.token(Role::Node), "node1", &[])
        .unwrap();
    let folder = theirs.folder.path().join("node1");
    let mut membership = membership(&folder).unwrap().unwrap();
    membership.authority = ours.addr.to_string();
    assert!(renew(&folder, &membership).is_err());
}

#[test]
fn keys_are_for_this_user_alone_and_an_authority_is_never_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let served = Served::new("main");
    served
        .join(&served.token(Role::Node), "node1", &[])
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let root = served.folder.path();
    assert_eq!(mode(&root.join("authority/ca.key")), 0o600);
    assert_eq!(mode(&root.join("authority/register.json")), 0o600);
    assert_eq!(mode(&root.join("node1").join(KEY_FILE)), 0o600);
    let founding = Founding {
        fleet: "main".to_owned(),
        address: "a:1".to_owned(),
        endpoints: Vec::new(),
        lifetime: HOUR,
    };
    assert!(Authority::create(&root.join("authority"), Timestamp::ZERO, &founding).is_err());
}

#[test]
fn secrets_are_nowhere_but_in_the_token() {
    let served = Served::new("main");
    let token = served.token(Role::Node);
    let secret = token.secret();
    assert!(token.reveal().contains(secret) && !format!("{token:?}").contains(secret));
    let kept =
        std::fs::read_to_string(served.folder.path().join("authority/register.json")).unwrap();
    assert!(!kept.contains(secret));
    let cut_off = &token.reveal()[..40];
    let error = cut_off.parse::<JoinToken>().unwrap_err();
    assert!(!error.contains(&cut_off[20..]), "{error}");
}

#[test]
fn whatever_is_sent_the_authority_goes_on() {
    let served = Served::new("main");
    for garbage in [
        &b""[..],
        b"\x16\x03\x01\xff\xff",
        &[0; 5000],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(served.addr).unwrap();
        // It may have closed already.
        let _ = socket.write_all(garbage);
    }
    assert!(
        served
            .join(&served.token(Role::Gateway), "gateway1", &[])
            .is_ok()
    );
}

#[test]
fn names_are_labels() {
    for good in ["a", "node-1", "9"] {
        assert_eq!(check_name(good), Ok(()));
    }
    for bad in ["", "-a", "a-", "A", "a.b", "a b", "ü", &"a".repeat(64)] {
        assert!(check_name(bad).is_err(), "{bad}");
    }
}

/// Whether a gateway and a node with the certificates of these folders speak with each other.
fn shake_hands(gateway: &PeerTls, node: &PeerTls, name: &str) -> bool {
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(gateway.client.clone(), name).unwrap();
    let mut server = rustls::ServerConnection::new(node.server.clone()).unwrap();
    for _ in 0..10 {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        client.write_tls(&mut there).unwrap();
        server.read_tls(&mut there.as_slice()).unwrap();
        if server.process_new_packets().is_err() {
            return false;
        }
        server.write_tls(&mut back).unwrap();
        client.read_tls(&mut back.as_slice()).unwrap();
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    !client.is_handshaking() && !server.is_handshaking()
}

#[test]
fn an_authority_is_replaced_while_everybody_goes_on() {
    let (old, new) = (Served::new("main"), Served::new("main"));
    let root = old.folder.path();
    let names = [("gateway1", Role::Gateway), ("node1", Role::Node)];
    for (name, role) in names {
        old.join(&old.token(role), name, &[]).unwrap();
    }
    let [gateway, node] = names.map(|(name, _)| PeerTls::load(&root.join(name)).unwrap());
    let speak = || shake_hands(&gateway, &node, "node1");
    assert!(speak());
    // Everybody believes both.
    let authority = new.folder.path().join("authority/ca.pem");
    let theirs = std::fs::read_to_string(&authority).unwrap();
    for ((name, _), tls) in names.iter().zip([&gateway, &node]) {
        let path = root.join(name).join("ca.pem");
        let both = std::fs::read_to_string(&path).unwrap() + &theirs;
        std::fs::write(path, both).unwrap();
        assert!(tls.refresh().unwrap() && !tls.refresh().unwrap());
        assert!(speak());
    }
    // A renewal keeps that so.
    let mut membership = membership(&root.join("node1")).unwrap().unwrap();
    membership.authority = old.addr.to_string();
    renew(&root.join("node1"), &membership).unwrap();
    assert!(node.refresh().unwrap() && speak());
    // One after the other shows a certificate of the new one, and goes on to believe both.
    for ((name, role), tls) in names.iter().zip([&gateway, &node]) {
        let own = Own::generate().unwrap();
        let pass = join(&new.addr.to_string(), &new.token(*role), name, &[], &own).unwrap();
        own.keep(&root.join(name), &pass).unwrap();
        assert!(tls.refresh().unwrap());
        assert!(speak(), "{name}");
    }
    // Nobody believes the old one any more.
    for ((name, _), tls) in names.iter().zip([&gateway, &node]) {
        std::fs::copy(&authority, root.join(name).join("ca.pem")).unwrap();
        assert!(tls.refresh().unwrap() && speak());
    }
    let left = old.folder.path().join("left");
    let own = Own::generate().unwrap();
    let token = old.token(Role::Gateway);
    let pass = join(&old.addr.to_string(), &token, "gateway2", &[], &own).unwrap();
    own.keep(&left, &pass).unwrap();
    assert!(!shake_hands(&PeerTls::load(&left).unwrap(), &node, "node1"));
}

#[test]
fn another_member_in_a_folder_believes_its_own_authority_alone() {
    let (old, new) = (Served::new("main"), Served::new("main"));
    old.join(&old.token(Role::Node), "node1", &[]).unwrap();
    let folder = old.folder.path().join("node1");
    let own = Own::generate().unwrap();
    let token = new.token(Role::Node);
    let pass = join(&new.addr.to_string(), &token, "node2", &[], &own).unwrap();
    own.keep(&folder, &pass).unwrap();
    let kept = std::fs::read_to_string(folder.join("ca.pem")).unwrap();
    assert_eq!(kept, pass.authority);
}
