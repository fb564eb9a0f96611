//! What the fuzz targets assert: no panic, and that it does not matter in which pieces bytes come.

use base::Timestamp;
use base::kv::{
    Expiry, INLINE_VALUE_LEN_MAX, Item, Op, Outcome, Pin, Recache, Sink, StoreMode, Value,
};
use memcache_proto::client::{Parsed, Protocol, Replies};
use memcache_proto::{
    Action, Decoder, INPUT_LEN_MAX, KeyBuf, Limits, Reply, ReplySink, Step, auth as door,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Longer inputs find nothing that shorter ones do not, but slowly.
const LEN_MAX: usize = 8192;

/// Pieces of these lengths are tried beside the whole.
const PIECE_LENS: [usize; 4] = [1, 2, 7, 100];

/// Everything an outcome can be.
const OUTCOMES: [Outcome; 11] = [
    Outcome::Hit,
    Outcome::Miss,
    Outcome::Stored {
        cas: u64::MAX,
        value_len: u32::MAX,
    },
    Outcome::NotStored,
    Outcome::Exists,
    Outcome::NotFound,
    Outcome::Deleted,
    Outcome::NonNumeric,
    Outcome::TooLarge,
    Outcome::OutOfMemory,
    Outcome::Denied,
];

/// A session that speaks text, classic or meta.
pub fn text(data: &[u8]) {
    session(data);
}

/// A session that speaks binary: the first byte is made to say so.
pub fn binary(data: &[u8]) {
    let mut input = data.to_vec();
    if let Some(first) = input.first_mut() {
        *first = 0x80;
    }
    session(&input);
}

/// A connection that is not authenticated.
pub fn auth(data: &[u8]) {
    let mut out = Vec::new();
    let decided = match door::decode(data) {
        door::Step::Incomplete => {
            assert!(data.len() < door::INPUT_LEN_MAX);
            return;
        }
        door::Step::Attempt {
            consumed,
            username,
            password,
            reply,
        } => {
            assert!(username.len() + password.len() < consumed);
            reply.accepted(&mut out);
            assert!(!out.is_empty());
            reply.rejected(&mut out);
            consumed
        }
        door::Step::Answer { consumed, reply } => {
            reply.answer(&mut out);
            assert!(data[0] == 0x80 && !out.is_empty());
            consumed
        }
        door::Step::Refuse { reply } => {
            reply.answer(&mut out);
            return;
        }
    };
    assert!(decided > 0 && decided <= data.len() && decided <= door::INPUT_LEN_MAX);
    for len in 0..decided {
        assert!(matches!(door::decode(&data[..len]), door::Step::Incomplete));
    }
}

/// What a client makes of what a server sends.
pub fn replies(data: &[u8]) {
    let data = &data[..data.len().min(LEN_MAX)];
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        let whole = count_replies(protocol, data, LEN_MAX);
        for piece_len in PIECE_LENS {
            assert_eq!(count_replies(protocol, data, piece_len), whole);
        }
    }
}

/// The replies, and whether it broke.
fn count_replies(protocol: Protocol, data: &[u8], piece_len: usize) -> (Vec<String>, bool) {
    let mut parser = Replies::new(protocol);
    let mut rest = Vec::new();
    let mut replies = Vec::new();
    for piece in data.chunks(piece_len) {
        rest.extend_from_slice(piece);
        loop {
            match parser.next(&rest) {
                Parsed::Incomplete { consumed } => {
                    rest.drain(..consumed);
                    break;
                }
                Parsed::Reply { consumed, reply } => {
                    rest.drain(..consumed);
                    replies.push(format!("{reply:?}"));
                }
                Parsed::Broken => return (replies, true),
            }
        }
    }
    (replies, false)
}

fn session(data: &[u8]) {
    let data = &data[..data.len().min(LEN_MAX)];
    let whole = Session::new().run(data, LEN_MAX);
    for piece_len in PIECE_LENS {
        assert_eq!(Session::new().run(data, piece_len), whole);
    }
}

/// One connection, and what came of it.
struct Session {
    decoder: Decoder,
    /// Every request, and everything that could be answered to it.
    seen: Vec<(String, Vec<u8>)>,
    /// A value that comes in pieces.
    body: Vec<u8>,
    closed: bool,
}

impl Session {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            seen: Vec::new(),
            body: Vec::new(),
            closed: false,
        }
    }

    fn run(mut self, data: &[u8], piece_len: usize) -> Vec<(String, Vec<u8>)> {
        let mut rest = Vec::new();
        for piece in data.chunks(piece_len) {
            rest.extend_from_slice(piece);
            let consumed = self.take(&rest);
            rest.drain(..consumed);
            assert!(self.closed || rest.len() <= INPUT_LEN_MAX);
        }
        self.seen.push((format!("{}", self.closed), self.body));
        self.seen
    }

    /// Decodes all that is there; says how much that was.
    fn take(&mut self, input: &[u8]) -> usize {
        let limits = Limits {
            item_size_max: 2 * INLINE_VALUE_LEN_MAX as u32,
        };
        let mut key_buf = KeyBuf::new();
        let mut consumed = 0;
        while !self.closed {
            let step = self
                .decoder
                .decode(NOW, &input[consumed..], &limits, &mut key_buf);
            consumed += match step {
                Step::Incomplete => break,
                Step::Skip { consumed } => consumed,
                Step::Body { consumed, bytes } => {
                    assert_eq!(consumed, bytes.len());
                    self.body.extend_from_slice(bytes);
                    consumed
                }
                Step::BodyEnd { consumed, intact } => {
                    self.seen.push((format!("{intact}"), Vec::new()));
                    consumed
                }
                Step::Request { consumed, request } => {
                    check(&request.action, &limits);
                    self.closed = matches!(request.action, Action::Close);
                    let answers = answers(&request.reply);
                    self.seen.push((format!("{:?}", request.action), answers));
                    consumed
                }
            };
            assert!(consumed <= input.len());
        }
        consumed
    }
}

/// What the cache may rely on.
fn check(action: &Action<'_>, limits: &Limits) {
    match action {
        Action::Kv(op) => {
            assert!((1..=250).contains(&op.key().len()));
            if let Op::Store(store) = op {
                assert!(store.value.len() <= INLINE_VALUE_LEN_MAX);
                assert!(store.mode != StoreMode::Add || store.compare_cas.is_none());
            }
        }
        Action::StoreLarge { store, len } => {
            assert!((1..=250).contains(&store.key.len()));
            assert!(*len as usize > INLINE_VALUE_LEN_MAX && *len <= limits.item_size_max);
        }
        Action::Refused { key, .. } => assert!((1..=250).contains(&key.len())),
        _ => {}
    }
}

/// Everything that could be answered.
fn answers(reply: &Reply<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let owned = reply.into_owned();
    let reply = &owned.borrow();
    for value in [
        Value::Inline(b"18446744073709551615"),
        Value::Inline(b"x"),
        Value::Pinned(Pin {
            token: 1,
            len: 70_000,
        }),
    ] {
        let mut sink = ReplySink::new(reply, NOW, &mut out);
        sink.item(&Item {
            value,
            flags: u32::MAX,
            cas: u64::MAX,
            expiry: Expiry::at_unix_secs(u32::MAX),
            idle_s: u32::MAX,
            fetched: true,
            stale: true,
            recache: Recache::Won,
        });
        assert!(sink.pinned.is_none_or(|(pin, _)| pin.len == 70_000));
    }
    for outcome in OUTCOMES {
        reply.outcome(outcome, &mut out);
    }
    reply.answer(&mut out);
    reply.bad_body(&mut out);
    reply.stat(b"name", b"value", &mut out);
    reply.stats_end(&mut out);
    out
}
