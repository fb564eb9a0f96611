//! A prober against servers that answer, refuse, lie, hang and go away.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;

/// What a server does to the connection that it gets.
#[derive(Clone, Copy)]
enum Manner {
    /// All that memcached does.
    Proper,
    /// The same, with another value.
    Lies,
    /// Takes the credential and is silent then.
    Hangs,
    /// Takes the credential and closes then.
    Closes,
    /// Refuses the credential.
    Refuses,
}

/// A server of as many connections.
fn server(manner: Manner, connections: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            while let Some(line) = request(&mut stream) {
                let answer = match (manner, line.split(' ').next().unwrap_or("")) {
                    (Manner::Refuses, _) => "CLIENT_ERROR authentication failure\r\n".to_owned(),
                    (_, "set") if line.starts_with("set auth") => "STORED\r\n".to_owned(),
                    (Manner::Closes, _) => break,
                    (Manner::Hangs, _) => {
                        silent.push(stream);
                        break;
                    }
                    (_, "set") => "STORED\r\n".to_owned(),
                    (Manner::Lies, "get") => "END\r\n".to_owned(),
                    (_, "get") => {
                        let key = line.trim_end().split(' ').nth(1).unwrap_or("").to_owned();
                        let value = String::from_utf8_lossy(VALUE);
                        format!("VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", VALUE.len())
                    }
                    _ => "DELETED\r\n".to_owned(),
                };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
        // Whoever waits for one that hangs has gone when its patience ends.
        for mut stream in silent {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.read(&mut [0; 64]);
        }
    });
    address
}

/// A line, and the value behind it if it is a `set`.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut line = String::new();
    while !line.ends_with('\n') {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        line.push(char::from(byte[0]));
    }
    if line.starts_with("set") {
        let len: usize = line.trim_end().rsplit(' ').next()?.parse().ok()?;
        stream.read_exact(&mut vec![0; len + 2]).ok()?;
    }
    Some(line)
}

fn prober(address: String) -> Prober {
    let target = Target {
        address,
        username: "canary".into(),
        password: "secret".into(),
        tls: None,
        timeout: Duration::from_millis(300),
    };
    Prober::new(target, Clock::new()).unwrap()
}

fn failed(step: Step, trouble: Trouble) -> Probed {
    Err(ProbeError { step, trouble })
}

#[test]
fn a_proper_server_passes_both_ways() {
    let mut prober = prober(server(Manner::Proper, 3));
    assert!(prober.probe_new().is_ok());
    assert!(prober.probe_new().is_ok());
    // On one connection: the server takes no fourth.
    assert!(prober.probe_kept().is_ok());
    assert!(prober.probe_kept().is_ok());
}

#[test]
fn each_fault_has_its_step_and_its_kind() {
    let new = |manner| prober(server(manner, 1)).probe_new();
    assert_eq!(new(Manner::Lies), failed(Step::Get, Trouble::WrongAnswer));
    assert_eq!(new(Manner::Hangs), failed(Step::Set, Trouble::TimedOut));
    assert_eq!(new(Manner::Closes), failed(Step::Set, Trouble::Closed));
    assert_eq!(
        new(Manner::Refuses),
        failed(Step::Authenticate, Trouble::WrongAnswer)
    );
}

#[test]
fn where_nobody_listens_it_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut prober = prober(address);
    assert_eq!(prober.probe_new(), failed(Step::Connect, Trouble::Refused));
    assert_eq!(prober.probe_kept(), failed(Step::Connect, Trouble::Refused));
    let nowhere = self::prober("no-such-host.invalid:1".into());
    assert!(nowhere.probe_new().is_err());
}

#[test]
fn a_kept_connection_that_is_lost_is_a_failure_first_and_opened_anew_then() {
    let mut closing = prober(server(Manner::Closes, 2));
    assert_eq!(closing.probe_kept(), failed(Step::Set, Trouble::Closed));
    assert_eq!(closing.probe_kept(), failed(Step::Set, Trouble::Closed));
}

#[test]
fn a_credential_is_right_or_wrong_or_cannot_be_asked_about() {
    let target = |manner| prober(server(manner, 1)).target;
    assert_eq!(login(&target(Manner::Proper), Clock::new()), Ok(true));
    assert_eq!(login(&target(Manner::Refuses), Clock::new()), Ok(false));
    let nobody = prober("127.0.0.1:1".into()).target;
    assert!(login(&nobody, Clock::new()).is_err());
}
