//! Whatever a client can ask for arrives as it was asked, in whatever pieces.

use nbd_proto::{Agreed, Command, Event, Export, Request, Transmission};
use proptest::prelude::*;

const SIZE_BYTES: u64 = 1 << 30;

fn agreed() -> Agreed {
    Agreed {
        export: Export {
            name: "data".to_owned(),
            description: String::new(),
            size_bytes: SIZE_BYTES,
            read_only: false,
            multi_conn: true,
            block_len_min: 1,
        },
        structured: true,
        allocation: true,
    }
}

fn command() -> impl Strategy<Value = Command> {
    let range = (0..SIZE_BYTES - 5000, 1u32..5000);
    (0..7u8, range, any::<[bool; 3]>()).prop_map(|(kind, (offset, len), [a, b, c])| match kind {
        0 => Command::Read {
            offset,
            len,
            whole: a,
        },
        1 => Command::Write {
            offset,
            len,
            fua: a,
        },
        2 => Command::Flush,
        3 => Command::Trim {
            offset,
            len,
            fua: a,
        },
        4 => Command::Cache { offset, len },
        5 => Command::WriteZeroes {
            offset,
            len,
            fua: a,
            no_hole: b,
            fast: c,
        },
        _ => Command::BlockStatus {
            offset,
            len,
            one: a,
        },
    })
}

fn written(commands: &[Command]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (cookie, command) in (0..).zip(commands) {
        let request = Request {
            cookie,
            command: *command,
        };
        request.put(&mut bytes);
        if let Command::Write { len, .. } = command {
            bytes.resize(bytes.len() + *len as usize, cookie as u8);
        }
    }
    bytes
}

proptest! {
    #[test]
    fn requests(commands in prop::collection::vec(command(), 1..20), piece_len in 1usize..3000) {
        let bytes = written(&commands);
        let mut transmission = Transmission::new(&agreed());
        let (mut used, mut end) = (0, 0);
        let mut seen = Vec::new();
        let mut payload_len = 0;
        loop {
            let (taken, event) = transmission.advance(&bytes[used..end]);
            used += taken;
            match event {
                Event::More if end == bytes.len() => break,
                Event::More => end = (end + piece_len).min(bytes.len()),
                Event::Request(request) => {
                    prop_assert_eq!(request.cookie, seen.len() as u64);
                    seen.push(request.command);
                }
                Event::Piece { cookie, data, .. } => {
                    prop_assert!(data.iter().all(|byte| *byte == cookie as u8));
                    payload_len += data.len();
                }
                event => prop_assert!(false, "{:?}", event),
            }
        }
        prop_assert_eq!(used, bytes.len());
        prop_assert_eq!(bytes.len(), payload_len + 28 * seen.len());
        prop_assert_eq!(seen, commands);
    }

    #[test]
    fn anything_at_all(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut transmission = Transmission::new(&agreed());
        let mut used = 0;
        loop {
            let (taken, event) = transmission.advance(&bytes[used..]);
            used += taken;
            let over = matches!(event, Event::More | Event::Broken(_) | Event::Disconnect);
            if over {
                break;
            }
        }
        prop_assert!(used <= bytes.len());
    }
}
