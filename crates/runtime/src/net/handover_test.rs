//! Sockets and words cross, and an end that closes or is silent is noticed.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use base::CredentialId;

use super::{Handover, Word};

const PATIENCE: Duration = Duration::from_secs(10);

fn ends() -> (Handover, Handover) {
    let (ours, theirs) = Handover::pair().unwrap();
    (ours, Handover(theirs))
}

#[test]
fn a_socket_that_was_handed_over_still_listens_when_its_first_owner_has_let_go() {
    let (old, new) = ends();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let second = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = second.local_addr().unwrap();
    old.send_sockets(&[("a", listener.as_fd()), ("b", second.as_fd())])
        .unwrap();
    drop((listener, second));
    let (word, sockets) = new.hear(PATIENCE).unwrap();
    assert_eq!(word, Word::Sockets(vec!["a".into(), "b".into()]));
    let [_, (name, socket)] = <[_; 2]>::try_from(sockets).unwrap();
    assert_eq!(name, "b");
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"x").unwrap();
    assert!(TcpListener::from(socket).accept().is_ok());
}

#[test]
fn words_arrive_one_by_one() {
    let (old, new) = ends();
    let words = [
        Word::Prepared,
        Word::StateFree(Vec::new()),
        Word::StateFree(vec![CredentialId(7), CredentialId(u32::MAX)]),
        Word::Ready,
        Word::GivenWay,
        Word::Knows(7),
        Word::Ended(vec![CredentialId(8)]),
        Word::Failed("no such file:\nx".into()),
        Word::Sockets(Vec::new()),
    ];
    for word in &words {
        old.say(word).unwrap();
    }
    for word in words {
        assert_eq!(new.hear(PATIENCE).unwrap().0, word);
    }
}

#[test]
fn a_long_reason_is_cut() {
    let (old, new) = ends();
    old.say(&Word::Failed("\u{1F600}".repeat(10_000))).unwrap();
    assert!(matches!(new.hear(PATIENCE).unwrap().0, Word::Failed(_)));
}

#[test]
fn many_ends_take_several_words_and_nobody_waits_for_one_who_does_not_listen() {
    let (old, new) = ends();
    let many: Vec<CredentialId> = (0..1000).map(|n| CredentialId(u32::MAX - n)).collect();
    new.say_ended(&many).unwrap();
    let mut heard = Vec::new();
    while heard.len() < many.len() {
        match old.hear(PATIENCE).unwrap().0 {
            Word::Ended(some) => heard.extend(some),
            word => panic!("{word:?}"),
        }
    }
    assert_eq!(heard, many);
    let unheard = (0..100_000).find_map(|_| new.say_ended(&many).err());
    assert_eq!(unheard.unwrap().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn silence_and_an_end_are_told_apart() {
    let (old, new) = ends();
    let silent = new.hear(Duration::ZERO).unwrap_err();
    assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
    drop(old);
    let ended = new.hear(PATIENCE).unwrap_err();
    assert_eq!(ended.kind(), io::ErrorKind::UnexpectedEof);
}
