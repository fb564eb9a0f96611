//! Packets and their answers, taken apart; for the tests.

use super::header::opcode;
use crate::client::binary::Packet;
use crate::testing::talk;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) opcode: u8,
    pub(super) status: u16,
    pub(super) opaque: u32,
    pub(super) cas: u64,
    pub(super) extras: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

pub(super) fn responses(mut bytes: &[u8]) -> Vec<Response> {
    let mut responses = Vec::new();
    while !bytes.is_empty() {
        let header = super::Header::of(bytes).expect("a header");
        assert_eq!(bytes[0], 0x81);
        let (packet, rest) = bytes.split_at(24 + header.body_len as usize);
        let (extras, body) = packet[24..].split_at(usize::from(header.extras_len));
        let (key, value) = body.split_at(usize::from(header.key_len));
        responses.push(Response {
            opcode: header.opcode,
            status: u16::from_be_bytes([packet[6], packet[7]]),
            opaque: header.opaque,
            cas: header.cas,
            extras: extras.to_vec(),
            key: key.to_vec(),
            value: value.to_vec(),
        });
        bytes = rest;
    }
    responses
}

pub(super) fn ask(packets: &[Packet<'_>]) -> Vec<Response> {
    let mut input = Vec::new();
    for packet in packets {
        packet.push(&mut input);
    }
    responses(&talk(&input))
}

pub(super) fn packet(opcode: u8, key: &[u8]) -> Packet<'_> {
    Packet {
        opcode,
        key,
        ..Packet::default()
    }
}

pub(super) fn set<'a>(opcode: u8, key: &'a [u8], value: &'a [u8]) -> Packet<'a> {
    Packet {
        extras: &[0, 0, 0, 7, 0, 0, 0, 0],
        value,
        ..packet(opcode, key)
    }
}

pub(super) const SET_A: Packet<'static> = Packet {
    opcode: opcode::SET,
    extras: &[0, 0, 0, 7, 0, 0, 0, 0],
    key: b"a",
    value: b"hi",
    opaque: 0,
    cas: 0,
};

pub(super) fn statuses(packets: &[Packet<'_>]) -> Vec<u16> {
    ask(packets)
        .iter()
        .map(|response| response.status)
        .collect()
}
