//! Everybody is served, nobody for long, and only under names of ours.

use std::io::{Read, Write};
use std::net::TcpStream;

use axum::routing::get;

use super::*;

fn site(router: Router, hosts: Vec<String>) -> Site {
    Site {
        name: "test",
        router,
        hosts,
        hosts_key: "some.hosts",
        tls: None,
        gives_way: true,
    }
}

fn start() -> (PublicServer, SocketAddr) {
    let router = Router::new().route("/", get(async || "hello"));
    let listener = PublicListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.addr().unwrap();
    (
        listener
            .serve(site(router, vec!["status.example".into()]))
            .unwrap(),
        addr,
    )
}

fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A server that closes with unread input resets; what it said before is what counts.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_as(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
}

#[test]
fn only_names_of_ours_are_served() {
    let (_server, addr) = start();
    for host in [
        "localhost",
        "127.0.0.1:80",
        "status.example",
        "STATUS.example:8312",
    ] {
        assert!(
            ask(addr, &get_as(host)).starts_with("HTTP/1.1 200"),
            "{host}"
        );
    }
    for host in ["evil.example", "status.example.evil.example", ""] {
        assert!(
            ask(addr, &get_as(host)).starts_with("HTTP/1.1 421"),
            "{host}"
        );
    }
}

#[test]
fn a_head_without_end_is_refused() {
    let (_server, addr) = start();
    let query = "x".repeat(1 << 20);
    let answer = ask(
        addr,
        &format!("GET /?q={query} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    assert!(ask(addr, &get_as("localhost")).ends_with("hello"));
}

#[test]
fn those_who_dribble_give_way_to_those_who_ask() {
    let (_server, addr) = start();
    let slow: Vec<TcpStream> = (0..PLACES + 40)
        .map(|_| {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        assert!(ask(addr, &get_as("localhost")).ends_with("hello"));
    }
    drop(slow);
}

#[test]
fn a_dropped_server_lets_go_of_its_port_but_not_of_the_listener() {
    let listener = PublicListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.addr().unwrap();
    for _ in 0..2 {
        let router = Router::new().route("/", get(async || "hello"));
        let server = listener.serve(site(router, Vec::new())).unwrap();
        assert!(ask(addr, &get_as("localhost")).ends_with("hello"));
        drop(server);
    }
    drop(listener);
    assert!(TcpStream::connect(addr).is_err());
}
