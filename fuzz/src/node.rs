//! What is asserted of the internal protocol: no panic, pieces do not matter, and what is understood
//! can be said again.

use node_proto::{Inbox, Message};

/// What a gateway or a node, or somebody in its place, sends.
pub fn node(data: &[u8]) {
    let whole = read(data, data.len().max(1));
    for piece_len in [1, 7] {
        assert_eq!(read(data, piece_len), whole);
    }
}

/// All messages, encoded again, and what was refused.
fn read(data: &[u8], piece_len: usize) -> (Vec<u8>, Option<String>) {
    let (mut inbox, mut again) = (Inbox::default(), Vec::new());
    for piece in data.chunks(piece_len) {
        let taken = inbox.take(piece, |message| say_again(&message, &mut again));
        if let Err(error) = taken {
            return (again, Some(error.to_string()));
        }
    }
    (again, None)
}

/// Encodes a message, and asserts that it says the same.
fn say_again(message: &Message<'_>, out: &mut Vec<u8>) {
    let begin = out.len();
    message.encode(out);
    let mut told = Vec::new();
    let read = Inbox::default().take(&out[begin..], |again| told.push(format!("{again:?}")));
    assert_eq!((read, told), (Ok(()), vec![format!("{message:?}")]));
}
