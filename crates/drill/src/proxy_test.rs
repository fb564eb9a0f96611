//! Whole ways on real sockets: what is carried, and what each fault does to it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use super::*;
use crate::load::clock;

/// A server that sends back what it gets.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                let mut bytes = [0; 4096];
                while let Ok(len @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..len]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn client(link: &Link) -> TcpStream {
    let stream = TcpStream::connect(link.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// There and back.
fn round(stream: &mut TcpStream, bytes: &[u8]) -> Duration {
    let began_ns = clock::now_ns();
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, bytes);
    Duration::from_nanos(clock::now_ns() - began_ns)
}

#[test]
fn all_bytes_arrive_in_order_and_the_end_too() {
    let link = Link::start(echo(), 1).unwrap();
    let mut stream = client(&link);
    let bytes: Vec<u8> = (0..1_000_000u32).map(|it| (it % 251) as u8).collect();
    let (mut writer, sent) = (stream.try_clone().unwrap(), bytes.clone());
    let writing = thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == bytes, "{} of {}", back.len(), bytes.len());
}

#[test]
fn replies_are_late_as_long_as_the_fault_lasts() {
    let link = Link::start(echo(), 1).unwrap();
    let mut stream = client(&link);
    round(&mut stream, b"x");
    link.set(Faults {
        reply_delay: Duration::from_millis(60),
        ..Faults::default()
    });
    assert!(round(&mut stream, b"x") >= Duration::from_millis(60));
    link.set(Faults::default());
    // On a busy machine one may be late by itself.
    let mut quickest = (0..20)
        .map(|_| round(&mut stream, b"x"))
        .collect::<Vec<_>>();
    quickest.sort_unstable();
    assert!(quickest[0] < Duration::from_millis(50), "{quickest:?}");
}

#[test]
fn a_narrow_line_takes_its_time() {
    let link = Link::start(echo(), 1).unwrap();
    let mut stream = client(&link);
    link.set(Faults {
        bits_per_s: Some(1_000_000),
        ..Faults::default()
    });
    // A tenth of a second there, and what is left of it back.
    assert!(round(&mut stream, &[7; 12_500]) >= Duration::from_millis(100));
}

#[test]
fn a_stalled_way_says_nothing_and_goes_on_later() {
    let link = Link::start(echo(), 1).unwrap();
    let mut stream = client(&link);
    round(&mut stream, b"x");
    link.set(Faults {
        is_stalled: true,
        ..Faults::default()
    });
    stream.write_all(b"y").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(150)))
        .unwrap();
    let refused = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(
        refused.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    link.set(Faults::default());
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut back = [0; 1];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"y");
}

#[test]
fn a_cut_way_closes_and_can_be_mended() {
    let link = Link::start(echo(), 1).unwrap();
    let mut stream = client(&link);
    round(&mut stream, b"x");
    link.set(Faults {
        is_cut: true,
        ..Faults::default()
    });
    // Its end, or that it was reset.
    assert!(!matches!(stream.read(&mut [0; 1]), Ok(1..)));
    link.set(Faults::default());
    round(&mut client(&link), b"z");
}
