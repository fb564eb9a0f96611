//! The data of options, and the replies to them.

use crate::export::{Directory, Refusal};
use crate::wire::{OPTION_REPLY_MAGIC, Put, Reader, cut, option_kind, reply_kind};

/// What INFO and GO carry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) infos: Vec<u16>,
}

impl<'a> Wanted<'a> {
    /// A name after its length, a count, and as many kinds of information.
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let name = reader.text()?;
        let count = reader.u16()?;
        let infos = (0..count).map(|_| reader.u16()).collect::<Option<_>>()?;
        reader.is_empty().then_some(Self { name, infos })
    }
}

/// What LIST_META_CONTEXT and SET_META_CONTEXT carry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Queries<'a> {
    pub(crate) name: &'a str,
    pub(crate) queries: Vec<&'a str>,
}

impl<'a> Queries<'a> {
    /// A name after its length, a count, and as many strings, each after its length.
    pub(crate) fn parse(data: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let name = reader.text()?;
        let count = reader.u32()?;
        let queries = (0..count).map(|_| reader.text()).collect::<Option<_>>()?;
        reader.is_empty().then_some(Self { name, queries })
    }
}

/// Appends the reply to an option.
pub(crate) fn put_reply(out: &mut Vec<u8>, option: u32, kind: u32, data: &[u8]) {
    out.put_u64(OPTION_REPLY_MAGIC);
    out.put_u32(option);
    out.put_u32(kind);
    out.put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(data);
}

/// Appends all answers to LIST.
pub(crate) fn put_list(data: &[u8], directory: &dyn Directory, out: &mut Vec<u8>) {
    let option = option_kind::LIST;
    if !data.is_empty() {
        return put_reply(
            out,
            option,
            reply_kind::ERR_INVALID,
            b"LIST carries no data",
        );
    }
    let mut servers = Vec::new();
    let listed = directory.list(&mut |name, description| {
        let name = cut(name);
        let mut server = Vec::new();
        server.put_u32(u32::try_from(name.len()).unwrap_or_default());
        server.extend_from_slice(name.as_bytes());
        server.extend_from_slice(cut(description).as_bytes());
        put_reply(&mut servers, option, reply_kind::SERVER, &server);
    });
    match listed {
        Ok(()) => {
            out.append(&mut servers);
            put_reply(out, option, reply_kind::ACK, b"");
        }
        Err(refusal) => put_refusal(out, option, &refusal),
    }
}

/// Appends the error for an export that may not be had.
pub(crate) fn put_refusal(out: &mut Vec<u8>, option: u32, refusal: &Refusal) {
    let (kind, why) = match refusal {
        Refusal::Unknown => (reply_kind::ERR_UNKNOWN, "no such export"),
        Refusal::Policy(why) => (reply_kind::ERR_POLICY, why.as_str()),
        Refusal::Shutdown => (reply_kind::ERR_SHUTDOWN, "the server is going"),
    };
    put_reply(out, option, kind, cut(why).as_bytes());
}
