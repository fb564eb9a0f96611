//! Where messages go, where they never go, and what they are signed with.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[test]
fn only_public_https_is_taken() {
    for good in [
        "https://hooks.example/x?y=1",
        "https://1.1.1.1:8443/",
        "https://[2606:4700::1111]/",
    ] {
        assert!(Target::parse(good, false).is_ok(), "{good}");
    }
    let long = format!("https://hooks.example/{}", "x".repeat(600));
    for bad in [
        "",
        "hooks.example",
        "http://hooks.example/",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https://user:pass@hooks.example/",
        "https://user@hooks.example/",
        "https://127.0.0.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        &long,
    ] {
        assert!(Target::parse(bad, false).is_err(), "{bad}");
    }
    assert!(Target::parse("http://127.0.0.1:80/", true).is_ok());
    assert!(Target::parse("ftp://127.0.0.1/", true).is_err());
}

#[test]
fn a_signature_is_what_the_documentation_says() {
    let signed = signature(NOW, "secret", b"{}");
    // printf '1800000000.{}' | openssl dgst -sha256 -hmac secret
    let tag = "bb7079132825ac793cea8c013c1dd24d926b9b02132245b10588d9e5c0df70d7";
    assert!(
        signed.starts_with("t=1800000000,v1=") && signed.len() == "t=1800000000,v1=".len() + 64
    );
    assert_ne!(signed, signature(NOW, "other", b"{}"));
    assert_ne!(signed, signature(NOW, "secret", b"{ }"));
    assert_eq!(signed, format!("t=1800000000,v1={tag}"));
}

/// Answers one request with `answer`, and tells what was asked.
fn serve(answer: String) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut buffer = [0; 4096];
        while !asked.ends_with(b"}") {
            let count = stream.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (addr, thread)
}

fn post(target: &Target) -> Result<Answer, String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let message = Message {
        id: "7".into(),
        body: b"{\"a\":1}".to_vec(),
        secret: "secret".into(),
    };
    let sender = Sender::new().unwrap();
    runtime.block_on(sender.post(NOW, target, &message))
}

#[test]
fn a_message_comes_whole_and_signed() {
    let (addr, server) = serve("HTTP/1.1 204 No Content\r\n\r\n".into());
    let answer = post(&Target::parse(&format!("http://{addr}/hook?x=1"), true).unwrap());
    assert!(answer.unwrap().is_taken());
    let asked = server.join().unwrap();
    assert!(asked.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{asked}");
    let expected = signature(NOW, "secret", b"{\"a\":1}");
    assert!(
        asked.contains(&format!("cofferdam-signature: {expected}")),
        "{asked}"
    );
    assert!(asked.contains("cofferdam-delivery: 7") && asked.ends_with("\r\n\r\n{\"a\":1}"));
}

#[test]
fn redirects_are_answers_and_no_way_to_go() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let place = elsewhere.local_addr().unwrap();
    let answer =
        format!("HTTP/1.1 307 T\r\nLocation: http://{place}/\r\nContent-Length: 0\r\n\r\n");
    let (addr, server) = serve(answer);
    let answer = post(&Target::parse(&format!("http://{addr}/"), true).unwrap()).unwrap();
    assert_eq!((answer.status, answer.is_taken()), (307, false));
    server.join().unwrap();
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[test]
fn a_long_answer_is_not_read_to_its_end() {
    let long = "x".repeat(1 << 20);
    let (addr, server) = serve(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{long}",
        1 << 20
    ));
    let answer = post(&Target::parse(&format!("http://{addr}/"), true).unwrap()).unwrap();
    assert_eq!(answer.body.len(), ANSWER_LEN_MAX);
    // The server may have been cut off in the middle of it.
    drop(server);
}

#[test]
fn a_name_that_stands_for_this_machine_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = Target::parse(&format!("https://localhost:{port}/"), false).unwrap();
    let error = post(&target).unwrap_err();
    assert!(error.contains("nowhere in the public internet"), "{error}");
    assert!(listener.accept().is_err(), "nobody came");
}
