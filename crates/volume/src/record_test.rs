//! Records as they lie on the disk, and what is no record.

use super::*;
use crate::crcs::Crcs;

fn record(kind: Kind, blocks: u32) -> Record {
    Record {
        volume: VolumeId(7),
        seq: 41,
        epoch: 2,
        kind,
        block: 1000,
        blocks,
        durable_seq: 40,
    }
}

fn encoded() -> Vec<u8> {
    let data: Vec<u8> = (0..2 * BLOCK_LEN).map(|i| (i % 253) as u8).collect();
    let mut out = Vec::new();
    record(Kind::Data, 2).put(&data, &Crcs::of(&data), &mut out);
    out
}

#[test]
fn records_are_whole_sectors_and_read_back() {
    let bytes = encoded();
    assert_eq!(bytes.len() % 512, 0);
    assert_eq!(bytes.len() as u64, record(Kind::Data, 2).len());
    assert_eq!(bytes[..4], *b"CFJ1");
    assert_eq!(bytes[16..24], 41u64.to_le_bytes());
    let found = Record::parse(&bytes).expect("whole");
    assert_eq!((found.record, found.crcs.len()), (record(Kind::Data, 2), 2));
    assert_eq!(found.damaged, []);
    for kind in [Kind::Zero, Kind::Open, Kind::Wrap, Kind::Size] {
        let mut out = Vec::new();
        record(kind, 1 << 30).put(&[], &[], &mut out);
        assert_eq!(out.len(), 512);
        let found = Record::parse(&out).map(|found| found.record);
        assert_eq!(found, Some(record(kind, 1 << 30)));
    }
    let mut out = Vec::new();
    record(Kind::Snapshot, 6).put(b"before", &[], &mut out);
    let found = Record::parse(&out).expect("whole");
    assert_eq!((out.len(), &found.note[..]), (512, &b"before"[..]));
    out[68] ^= 1;
    assert_eq!(Record::parse(&out), None);
}

/// Whether a record is there, and if so which of its blocks are not.
fn damage(bytes: &[u8]) -> Option<Vec<u32>> {
    Record::parse(bytes).map(|found| found.damaged)
}

#[test]
fn no_torn_or_turned_bit_is_believed() {
    let bytes = encoded();
    let data = 64 + 8;
    let hurt = |from: usize, to: usize| {
        let blocks = [
            data..data + BLOCK_LEN,
            data + BLOCK_LEN..data + 2 * BLOCK_LEN,
        ];
        let hit = (0..)
            .zip(blocks)
            .filter(|(_, block)| from < block.end && to > block.start);
        (from >= data).then(|| hit.map(|(index, _)| index).collect::<Vec<u32>>())
    };
    for sector in 0..bytes.len() / 512 {
        let (from, to) = (sector * 512, (sector + 1) * 512);
        let mut torn = bytes.clone();
        torn[from..to].fill(0xee);
        assert_eq!(damage(&torn), hurt(from, to), "sector {sector}");
    }
    for at in (0..data + 2 * BLOCK_LEN).step_by(37) {
        let mut turned = bytes.clone();
        turned[at] ^= 4;
        assert_eq!(damage(&turned), hurt(at, at + 1), "byte {at}");
    }
    for len in [0, 3, 63, 70, 600, bytes.len() / 2] {
        assert_eq!(Record::parse(&bytes[..len]), None);
    }
}

#[test]
fn either_header_will_do_and_the_newer_counts() {
    let header = |generation| Header {
        volume: VolumeId(7),
        generation,
        tail: 512 * generation,
        tail_seq: generation,
        epoch: 1,
        durable_seq: 9,
    };
    let mut journal = header(4).encode();
    journal.resize(8192, 0);
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(4)));
    let newer = header(5).encode();
    journal[4096..4096 + 512].copy_from_slice(&newer[4096..]);
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(5)));
    assert_eq!(Header::newest(&journal, VolumeId(8)), None);
    journal[4096 + 20] ^= 1;
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(4)));
    journal[..newer.len()].copy_from_slice(&newer);
    journal[20] ^= 1;
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(5)));
    assert_eq!(Header::newest(&[], VolumeId(7)), None);
}
