//! What is asserted of NBD: no panic, pieces do not matter, and a client's half that believes nothing.

use nbd_proto::client::{ClientHandshake, ClientProgress, ReplyEvent, ReplyReader};
use nbd_proto::{
    Agreed, Directory, Event, Export, Handshake, Progress, Refusal, Tls, Transmission,
};

struct One;

impl Directory for One {
    fn find(&self, name: &str) -> Result<Export, Refusal> {
        let export = Export {
            name: name.to_owned(),
            description: "a volume".to_owned(),
            size_bytes: 1 << 20,
            read_only: name.len() % 2 == 1,
            multi_conn: true,
            block_len_min: 1,
        };
        match name.len() {
            0..8 => Ok(export),
            _ => Err(Refusal::Unknown),
        }
    }

    fn list(&self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Refusal> {
        each("data", "a volume");
        Ok(())
    }
}

/// What a client, or somebody in its place, sends to a server.
pub fn nbd(data: &[u8]) {
    let tls = match data.first().map(|byte| byte % 3) {
        Some(0) => Tls::Off,
        Some(1) => Tls::Offered,
        _ => Tls::Required,
    };
    let input = data.get(1..).unwrap_or_default();
    let whole = serve(tls, input, input.len().max(1));
    for piece_len in [1, 7] {
        assert_eq!(serve(tls, input, piece_len), whole);
    }
}

/// What a server, or somebody in its place, sends to a client.
pub fn nbd_client(data: &[u8]) {
    let mut out = Vec::new();
    let mut client = ClientHandshake::new("data");
    let (used, progress) = client.advance(data, &mut out);
    assert!(used <= data.len());
    let mut rest = data;
    if matches!(progress, ClientProgress::Transmit(_)) {
        rest = &data[used..];
    }
    let mut reader = ReplyReader::new();
    reader.expect_read(0, 4);
    for _ in 0..=2 * data.len() {
        let (taken, event) = reader.advance(rest);
        rest = &rest[taken..];
        if matches!(event, ReplyEvent::More | ReplyEvent::Broken(_)) {
            return;
        }
    }
    panic!("replies out of nothing");
}

/// Everything that one client makes a server do, as text.
fn serve(tls: Tls, input: &[u8], piece_len: usize) -> (Vec<u8>, Vec<String>) {
    let mut out = Vec::new();
    let mut log = Vec::new();
    let mut handshake = Handshake::new(tls, &mut out);
    let (mut used, mut end) = (0, 0);
    let agreed = loop {
        let (taken, progress) = handshake.advance(&input[used..end], &One, &mut out);
        used += taken;
        match progress {
            Progress::More if end == input.len() => return (out, log),
            Progress::More => end = (end + piece_len).min(input.len()),
            Progress::StartTls => handshake.tls_started(),
            Progress::Transmit(agreed) => break agreed,
            other => {
                log.push(format!("{other:?}"));
                return (out, log);
            }
        }
    };
    transmit(&agreed, &input[used..], piece_len, &mut log);
    (out, log)
}

fn transmit(agreed: &Agreed, input: &[u8], piece_len: usize, log: &mut Vec<String>) {
    let mut transmission = Transmission::new(agreed);
    let (mut used, mut end) = (0, 0);
    loop {
        let (taken, event) = transmission.advance(&input[used..end]);
        used += taken;
        match event {
            Event::More if end == input.len() => return,
            Event::More => end = (end + piece_len).min(input.len()),
            Event::Piece { data, .. } => {
                data.iter().for_each(|byte| log.push(byte.to_string()));
            }
            event => {
                log.push(format!("{event:?}"));
                if matches!(event, Event::Broken(_) | Event::Disconnect) {
                    return;
                }
            }
        }
    }
}
