//! Server and client with each other, over both kinds of socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::*;
use crate::net::tls::{TlsFiles, TlsServer};

fn guard() -> Guard {
    Guard {
        token: "secret".into(),
        hosts: Vec::new(),
        open_paths: &["/livez"],
    }
}

fn start(dir: &Path) -> (Server, SocketAddr) {
    let router = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/echo", post(async |body: String| body));
    let any = "127.0.0.1:0".parse().unwrap();
    let listeners = Listeners::bind(&dir.join("admin.sock"), Some(any)).unwrap();
    let addr = listeners.tcp_addr().unwrap();
    (listeners.serve(router, guard()).unwrap(), addr)
}

fn echo(endpoint: &Endpoint) -> Result<Response, ClientError> {
    request(endpoint, Method::POST, "/echo", Some(b"hello".to_vec()))
}

#[test]
fn the_unix_socket_needs_no_token() {
    let dir = tempfile::tempdir().unwrap();
    let _server = start(dir.path());
    let response = echo(&Endpoint::Unix(dir.path().join("admin.sock"))).unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"hello"[..])
    );
}

#[test]
fn tcp_needs_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, addr) = start(dir.path());
    let status = |token: &str| {
        let (origin, token) = (addr.into(), token.to_owned());
        echo(&Endpoint::Port { origin, token }).unwrap().status
    };
    assert_eq!(status("secret"), 200);
    assert_eq!(status("guess"), 401);
}

#[test]
fn a_path_longer_than_a_socket_address_works() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let _server = start(&deep);
    assert_eq!(
        echo(&Endpoint::Unix(deep.join("admin.sock")))
            .unwrap()
            .status,
        200
    );
}

#[test]
fn a_dead_process_s_socket_is_replaced_and_ours_removed() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("admin.sock");
    std::fs::write(&socket, "left behind").unwrap();
    let server = start(dir.path());
    assert_eq!(echo(&Endpoint::Unix(socket.clone())).unwrap().status, 200);
    drop(server);
    assert!(!socket.exists());
    assert!(matches!(
        echo(&Endpoint::Unix(socket)),
        Err(ClientError::Connect(_))
    ));
}

#[test]
fn a_head_without_end_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, addr) = start(dir.path());
    let mut stream = TcpStream::connect(addr).unwrap();
    let mut head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ".to_vec();
    head.resize(64 * 1024, b'x');
    // The server may close before it has taken all.
    let _ = stream.write_all(&head);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn whoever_comes_to_a_closed_gate_waits_until_it_opens() {
    let dir = tempfile::tempdir().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let listeners = Listeners::bind(&dir.path().join("admin.sock"), Some(any)).unwrap();
    let gate = listeners.gate().unwrap();
    let router = Router::new().route("/echo", post(async |body: String| body));
    let _server = listeners
        .serve_behind(Arc::clone(&gate), router, guard())
        .unwrap();
    let endpoint = Endpoint::Unix(dir.path().join("admin.sock"));
    assert_eq!(echo(&endpoint).unwrap().status, 200);
    gate.close();
    let waiting = std::thread::spawn(move || echo(&endpoint).unwrap().status);
    gate.open();
    assert_eq!(waiting.join().unwrap(), 200);
}

#[test]
fn a_successor_serves_on_the_sockets_of_a_server_that_leaves_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("admin.sock");
    let any = "127.0.0.1:0".parse().unwrap();
    let listeners = Listeners::bind(&path, Some(any)).unwrap();
    let (gate, addr) = (listeners.gate().unwrap(), listeners.tcp_addr());
    let old = Router::new().route("/echo", post(async || "old"));
    let old = listeners
        .serve_behind(Arc::clone(&gate), old, guard())
        .unwrap();
    gate.close();
    let (unix, tcp) = gate.sockets();
    let unix = unix.try_clone_to_owned().unwrap();
    let tcp = tcp.map(|tcp| tcp.try_clone_to_owned().unwrap());
    let adopted = Listeners::adopt(&path, Some(unix), addr, tcp).unwrap();
    assert_eq!(adopted.tcp_addr(), addr);
    gate.leave_file();
    drop(old);
    let new = Router::new().route("/echo", post(async || "new"));
    let _new = adopted.serve(new, guard()).unwrap();
    assert_eq!(echo(&Endpoint::Unix(path)).unwrap().body, b"new");
}

#[test]
fn those_who_dribble_keep_no_operator_out() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, addr) = start(dir.path());
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream
                .write_all(b"GET /livez HTTP/1.1\r\nHost: loc")
                .unwrap();
            stream
        })
        .collect();
    let endpoint = Endpoint::Port {
        origin: addr.into(),
        token: "secret".into(),
    };
    for _ in 0..20 {
        assert_eq!(echo(&endpoint).unwrap().status, 200);
    }
    drop(slow);
}

#[test]
fn over_tls_a_server_is_asked_only_by_those_who_trust_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("cert.pem"), key.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let tls = TlsServer::new(&TlsFiles {
        certificate: path("cert.pem"),
        key: path("key.pem"),
        clients: None,
    });
    let any = "127.0.0.1:0".parse().unwrap();
    let listeners = Listeners::bind(&path("admin.sock"), Some(any)).unwrap();
    let port = listeners.tcp_addr().unwrap().port();
    let router = Router::new().route("/echo", post(async |body: String| body));
    let listeners = listeners.with_tls(Some(Arc::new(tls.unwrap())));
    let _server = listeners.serve(router, guard()).unwrap();
    let ask = |host: &str, ca: Option<&str>| {
        let origin: Origin = format!("https://{host}:{port}").parse().unwrap();
        echo(&Endpoint::Port {
            origin: origin.with_authority(ca.map(path)),
            token: "secret".into(),
        })
    };
    assert_eq!(ask("localhost", Some("cert.pem")).unwrap().body, b"hello");
    // Not the name that it has, and nobody who vouches for it.
    for (host, ca) in [("127.0.0.1", Some("cert.pem")), ("localhost", None)] {
        assert!(matches!(ask(host, ca), Err(ClientError::Tls(_))), "{host}");
    }
    let unencrypted = Endpoint::Port {
        origin: format!("http://localhost:{port}").parse().unwrap(),
        token: "secret".into(),
    };
    assert!(echo(&unencrypted).is_err());
    assert_eq!(
        echo(&Endpoint::Unix(path("admin.sock"))).unwrap().status,
        200
    );
}
