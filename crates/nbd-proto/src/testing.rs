//! What the tests share: a directory of two exports, and options as a client writes them.

use crate::wire::{OPTION_MAGIC, Put};
use crate::{Directory, Export, Handshake, Progress, Refusal, Tls};

/// An export of 1 MiB.
pub(crate) fn export(name: &str) -> Export {
    Export {
        name: name.to_owned(),
        description: "a volume".to_owned(),
        size_bytes: 1 << 20,
        read_only: false,
        multi_conn: true,
        block_len_min: 1,
    }
}

/// `data` may be had, `taken` not, `gone` not any more.
pub(crate) struct Two;

impl Directory for Two {
    fn find(&self, name: &str) -> Result<Export, Refusal> {
        match name {
            "" | "data" => Ok(export("data")),
            "taken" => Err(Refusal::Policy("attached elsewhere".to_owned())),
            "gone" => Err(Refusal::Shutdown),
            _ => Err(Refusal::Unknown),
        }
    }

    fn list(&self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Refusal> {
        each("data", "a volume");
        each("taken", "");
        Ok(())
    }
}

/// An option with its data.
pub(crate) fn option(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u64(OPTION_MAGIC);
    out.put_u32(kind);
    out.put_u32(u32::try_from(data.len()).expect("short"));
    out.extend_from_slice(data);
    out
}

/// The data of INFO and GO.
pub(crate) fn wanted(name: &str, infos: &[u16]) -> Vec<u8> {
    let mut out = text(name);
    out.put_u16(u16::try_from(infos.len()).expect("few"));
    infos.iter().for_each(|info| out.put_u16(*info));
    out
}

/// The data of the options about metadata contexts.
pub(crate) fn queries(name: &str, queries: &[&str]) -> Vec<u8> {
    let mut out = text(name);
    out.put_u32(u32::try_from(queries.len()).expect("few"));
    queries.iter().for_each(|query| out.extend(text(query)));
    out
}

fn text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_u32(u32::try_from(text.len()).expect("short"));
    out.extend_from_slice(text.as_bytes());
    out
}

/// A reply to an option: the option, the kind, the data.
pub(crate) type OptionReply = (u32, u32, Vec<u8>);

/// Takes replies to options apart.
pub(crate) fn replies(mut bytes: &[u8]) -> Vec<OptionReply> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four"));
        assert_eq!(bytes[..8], 0x3_e889_0455_65a9u64.to_be_bytes());
        let len = word(16) as usize;
        found.push((word(8), word(12), bytes[20..20 + len].to_vec()));
        bytes = &bytes[20 + len..];
    }
    found
}

/// Hands `input` over in pieces of `piece_len` and returns the output behind the greeting, how much
/// was used, and where it led.
pub(crate) fn shake(tls: Tls, input: &[u8], piece_len: usize) -> (Vec<u8>, usize, Progress) {
    let mut out = Vec::new();
    let mut handshake = Handshake::new(tls, &mut out);
    let greeting_len = out.len();
    let (mut used, mut end) = (0, 0);
    loop {
        let (taken, progress) = handshake.advance(&input[used..end], &Two, &mut out);
        used += taken;
        match progress {
            Progress::More if end == input.len() => {
                break (out.split_off(greeting_len), used, progress);
            }
            Progress::More => end = (end + piece_len).min(input.len()),
            Progress::StartTls => handshake.tls_started(),
            progress => break (out.split_off(greeting_len), used, progress),
        }
    }
}
