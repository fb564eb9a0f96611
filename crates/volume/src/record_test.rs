//! Records as they lie on the disk, and what is no record.

use super::*;

fn record(kind: Kind, blocks: u32) -> Record {
    Record {
        volume: VolumeId(7),
        seq: 41,
        epoch: 2,
        kind,
        block: 1000,
        blocks,
    }
}

fn encoded() -> Vec<u8> {
    let data: Vec<u8> = (0..2 * BLOCK_LEN).map(|i| (i % 253) as u8).collect();
    let mut out = Vec::new();
    record(Kind::Data, 2).put(&data, &block_crcs(&data), &mut out);
    out
}

#[test]
fn records_are_whole_sectors_and_read_back() {
    let bytes = encoded();
    assert_eq!(bytes.len() % 512, 0);
    assert_eq!(bytes.len() as u64, record(Kind::Data, 2).len());
    assert_eq!(bytes[..4], *b"CFJ1");
    assert_eq!(bytes[16..24], 41u64.to_le_bytes());
    let (parsed, crcs) = Record::parse(&bytes).expect("whole");
    assert_eq!((parsed, crcs.len()), (record(Kind::Data, 2), 2));
    for kind in [Kind::Zero, Kind::Open, Kind::Wrap] {
        let mut out = Vec::new();
        record(kind, 1 << 30).put(&[], &[], &mut out);
        assert_eq!(out.len(), 512);
        assert_eq!(Record::parse(&out), Some((record(kind, 1 << 30), vec![])));
    }
}

#[test]
fn no_torn_or_turned_bit_is_believed() {
    let bytes = encoded();
    for sector in 0..bytes.len() / 512 {
        let mut torn = bytes.clone();
        torn[sector * 512..(sector + 1) * 512].fill(0xee);
        let used = sector * 512 < 64 + 8 + 2 * BLOCK_LEN;
        assert_eq!(Record::parse(&torn).is_none(), used, "sector {sector}");
    }
    for at in (0..64 + 8 + 2 * BLOCK_LEN).step_by(37) {
        let mut turned = bytes.clone();
        turned[at] ^= 4;
        assert_eq!(Record::parse(&turned), None, "byte {at}");
    }
    for len in [0, 3, 63, 70, 600, bytes.len() / 2] {
        assert_eq!(Record::parse(&bytes[..len]), None);
    }
}

#[test]
fn the_newer_whole_header_counts() {
    let header = |generation| Header {
        volume: VolumeId(7),
        generation,
        tail: 512 * generation,
        tail_seq: generation,
        epoch: 1,
    };
    let mut journal = vec![0; 8192];
    for generation in [4, 5] {
        let slot = usize_of(header(generation).slot());
        journal[slot..slot + 512].copy_from_slice(&header(generation).encode());
    }
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(5)));
    assert_eq!(Header::newest(&journal, VolumeId(8)), None);
    journal[4096 + 20] ^= 1;
    assert_eq!(Header::newest(&journal, VolumeId(7)), Some(header(4)));
    assert_eq!(Header::newest(&[], VolumeId(7)), None);
}
