//! Whole networks of the kernel's, where it lets us make them; elsewhere that is said, and nothing is shown.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write};
use std::thread::{self, JoinHandle};

use super::*;
use crate::load::clock;

/// A switch and so many hosts; nothing where the machine does not allow it.
fn network(hosts: usize) -> Option<(Switch, Vec<Host>)> {
    if let Err(error) = check() {
        eprintln!("SKIPPED, no network namespaces here: {error}");
        return None;
    }
    let mut switch = Switch::start().unwrap();
    let hosts = (0..hosts).map(|_| switch.plug_in().unwrap()).collect();
    Some((switch, hosts))
}

/// Sends back what it gets, over one connection.
fn echo(host: &Host) -> (SocketAddr, JoinHandle<()>) {
    let address = host.address();
    let listener = host
        .space()
        .within(|| Ok(TcpListener::bind((address, 0)).unwrap()))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        while let Ok(len @ 1..) = stream.read(&mut bytes) {
            if stream.write_all(&bytes[..len]).is_err() {
                return;
            }
        }
    });
    (address, thread)
}

/// There and back.
fn round(stream: &mut TcpStream, bytes: &[u8]) -> Duration {
    let (mut writer, sent) = (stream.try_clone().unwrap(), bytes.to_vec());
    let began_ns = clock::now_ns();
    let writing = thread::spawn(move || writer.write_all(&sent).unwrap());
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == bytes, "{} bytes came back differently", bytes.len());
    Duration::from_nanos(clock::now_ns() - began_ns)
}

fn narrow(bits_per_s: u64) -> Line {
    Line {
        bits_per_s: Some(bits_per_s),
        ..Line::default()
    }
}

fn devices() -> BTreeSet<String> {
    let entries = fs::read_dir("/sys/class/net").unwrap().flatten();
    let names = entries.map(|it| it.file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn hosts_reach_one_another_and_nobody_else_reaches_them() {
    let before = devices();
    let Some((_switch, hosts)) = network(2) else {
        return;
    };
    let (address, echo) = echo(&hosts[0]);
    // An address of this machine's own loopback, too. Who came from there would take the echo's only turn.
    drop(TcpStream::connect_timeout(&address, PATIENCE));
    let mut stream = hosts[1].connect(address, PATIENCE).unwrap();
    assert_eq!(stream.local_addr().unwrap().ip(), hosts[1].address());
    round(&mut stream, &vec![7; 300_000]);
    let new: Vec<String> = devices().difference(&before).cloned().collect();
    let is_ours = |name: &String| name == BRIDGE || name == UPLINK || name.starts_with("port");
    assert!(!new.iter().any(is_ours), "{new:?}");
    drop(stream);
    echo.join().unwrap();
}

#[test]
fn a_narrow_cable_takes_its_time_until_it_is_mended() {
    let Some((_switch, hosts)) = network(2) else {
        return;
    };
    if let Some(why) = check().unwrap().not_narrow {
        eprintln!("SKIPPED, no narrow cables here: {why}");
        return;
    }
    let (address, echo) = echo(&hosts[0]);
    let mut stream = hosts[1].connect(address, PATIENCE).unwrap();
    hosts[0].set(&narrow(2_000_000)).unwrap();
    // A tenth of a second, less what goes at once, on each way; the ways are under way together.
    let slow = round(&mut stream, &vec![7; 25_000]);
    assert!(slow >= Duration::from_millis(90), "{slow:?}");
    hosts[0].set(&narrow(8_000_000)).unwrap();
    let less = round(&mut stream, &vec![7; 100_000]);
    assert!(less >= Duration::from_millis(90), "{less:?}");
    hosts[0].set(&Line::default()).unwrap();
    // Two megabytes would have taken two seconds.
    let began_ns = clock::now_ns();
    let mut rest = round(&mut stream, &vec![7; 25_000]);
    while rest >= Duration::from_millis(90) {
        let waited = Duration::from_nanos(clock::now_ns() - began_ns);
        assert!(waited < Duration::from_secs(20), "still narrow: {rest:?}");
        rest = round(&mut stream, &vec![7; 25_000]);
    }
    drop(stream);
    echo.join().unwrap();
}

#[test]
fn a_pulled_cable_carries_nothing_and_goes_on_later() {
    let Some((_switch, hosts)) = network(2) else {
        return;
    };
    let (address, echo) = echo(&hosts[0]);
    let mut stream = hosts[1].connect(address, PATIENCE).unwrap();
    round(&mut stream, b"x");
    let pulled = Line {
        is_pulled: true,
        ..Line::default()
    };
    hosts[0].set(&pulled).unwrap();
    stream.write_all(b"y").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(150)))
        .unwrap();
    let silence = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(
        silence.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    hosts[0].set(&Line::default()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut back = [0; 1];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"y");
    drop(stream);
    echo.join().unwrap();
}

#[test]
fn what_was_made_goes_with_its_last_holder() {
    let Some((switch, hosts)) = network(1) else {
        return;
    };
    let path = hosts[0].space().path();
    let inside = fs::read_link(&path).unwrap();
    assert_ne!(inside, fs::read_link("/proc/self/ns/net").unwrap());
    let entered = switch.space().within(|| {
        enter(&path)?;
        Ok(fs::read_link("/proc/thread-self/ns/net").unwrap())
    });
    assert_eq!(entered.unwrap(), inside);
    drop((switch, hosts));
    // Nothing of it is mounted, so that nobody holds it any more.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let name = inside.display().to_string();
    assert!(!mounts.contains(&name), "{name}");
    assert!(enter(&path).is_err() || fs::read_link(&path).unwrap() != inside);
}

#[test]
fn what_cannot_be_done_is_told_with_the_words_of_who_could_not() {
    let Some((switch, _)) = network(0) else {
        return;
    };
    let refused = switch.space().ip("link add x type of-no-kind\n");
    let text = refused.unwrap_err().to_string();
    assert!(
        text.starts_with("ip: ") && text.contains("of-no-kind"),
        "{text}"
    );
    let refused = switch
        .space()
        .tc("qdisc add dev nowhere root tbf rate 1mbit burst 2k limit 9k\n");
    assert!(refused.unwrap_err().to_string().contains("nowhere"));
}
