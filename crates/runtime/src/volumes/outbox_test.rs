//! Answers go out whole and in order, also to a client that does not read for a while.

use std::io::Read;
use std::os::unix::net::UnixStream;

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1);

fn pair(structured: bool) -> (Arc<Outbox>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let stream = Stream::new(ours.into());
    let meters = Arc::new(Meters::new(NOW));
    (Arc::new(Outbox::new(stream, structured, meters)), theirs)
}

fn part(client: &Arc<Outbox>, cookie: u64, kind: PartKind, len: u32) -> Part {
    Part {
        client: Arc::clone(client),
        cookie,
        kind,
        begun: NOW,
        offset: 0,
        len,
        fua: false,
        whole: None,
    }
}

#[test]
fn other_threads_leave_what_the_socket_does_not_take() {
    let (outbox, mut theirs) = pair(false);
    let data = vec![7; 1 << 20];
    for cookie in 0..12 {
        outbox.begins(1 << 20, NOW);
        let part = part(&outbox, cookie, PartKind::Read, 1 << 20);
        outbox.answer(&part, Outcome::Data(data.clone()), NOW);
        // None of these may wait, though nobody reads yet.
        outbox.send(Sender::Other);
    }
    assert!(outbox.is_laden());
    let mut reply = vec![0; 16 + (1 << 20)];
    for cookie in 0..12u64 {
        theirs.read_exact(&mut reply).unwrap();
        assert_eq!(reply[8..16], cookie.to_be_bytes());
        assert!(reply[16..] == data);
    }
    outbox.await_calm();
    assert!(!outbox.is_laden());
}

#[test]
fn a_thread_that_is_busy_sends_the_rest_later() {
    let (outbox, mut theirs) = pair(false);
    let data = vec![7; 1 << 20];
    for cookie in 0..3 {
        outbox.begins(1 << 20, NOW);
        let part = part(&outbox, cookie, PartKind::Read, 1 << 20);
        outbox.answer(&part, Outcome::Data(data.clone()), NOW);
        outbox.send(Sender::Busy);
    }
    let reader = thread::spawn(move || {
        let mut replies = vec![0; 3 * (16 + (1 << 20))];
        theirs.read_exact(&mut replies).unwrap();
        replies
    });
    outbox.send(Sender::Own);
    outbox.await_calm();
    let replies = reader.join().unwrap();
    for (cookie, reply) in (0..3u64).zip(replies.chunks(16 + (1 << 20))) {
        assert_eq!(reply[8..16], cookie.to_be_bytes());
        assert!(reply[16..] == data);
    }
}

#[test]
fn a_client_that_is_gone_holds_nobody_up() {
    let (outbox, theirs) = pair(true);
    outbox.begins(0, NOW);
    drop(theirs);
    let part = part(&outbox, 1, PartKind::Write, 1);
    outbox.answer(&part, Outcome::Done, NOW);
    outbox.send(Sender::Own);
    outbox.begins(0, NOW);
    outbox.await_calm();
}

#[test]
fn parts_of_a_read_are_answered_as_one() {
    for structured in [false, true] {
        let (outbox, mut theirs) = pair(structured);
        outbox.begins(8, NOW);
        let whole = Whole::read(0, 8, 2, !structured);
        for (offset, data) in [(4, b"efgh"), (0, b"abcd")] {
            let part = Part {
                offset,
                whole: Some(Arc::clone(&whole)),
                ..part(&outbox, 9, PartKind::Read, 4)
            };
            outbox.answer(&part, Outcome::Data(data.to_vec()), NOW);
        }
        outbox.send(Sender::Own);
        outbox.await_calm();
        outbox.break_off();
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).unwrap();
        match structured {
            false => assert_eq!(got[16..], *b"abcdefgh"),
            // Two chunks of data and one that ends the reply.
            true => assert_eq!(got.len(), 2 * (20 + 8 + 4) + 20),
        }
    }
}
