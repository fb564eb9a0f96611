//! Runs as they are written: whole pages, with what was there before.

use std::collections::VecDeque;

use super::*;

const LAP: u64 = 256 << 10;

fn journal(lap_len: u64, head: u64) -> Journal {
    Journal::new(Start {
        volume: VolumeId(1),
        epoch: 1,
        lap_len,
        head,
        tail: head,
        next_seq: 1,
        kept: VecDeque::new(),
        generation: 1,
        durable_seq: 0,
    })
}

fn append(journal: &mut Journal) -> Appended {
    let block = journal.last_seq();
    let data = [block as u8 + 1; BLOCK_LEN];
    journal.append(Kind::Data, block, 1, &data)
}

/// Writes the next run to a file; where it began and ended.
fn write(journal: &mut Journal, file: &mut [u8]) -> Option<(u64, u64)> {
    let (at, bytes) = journal.take_run(7)?;
    file[at as usize..][..bytes.len()].copy_from_slice(&bytes);
    let end = at + bytes.len() as u64;
    drop(bytes);
    journal.run_written(7);
    Some((at, end))
}

/// The records in a file, from a position on.
fn records(file: &[u8], lap_len: u64, mut pos: u64) -> Vec<u64> {
    let mut found = Vec::new();
    while let Some(record) = file
        .get(file_offset(pos, lap_len) as usize..)
        .and_then(Record::parse)
        .filter(|record| record.damaged.is_empty())
        .filter(|record| {
            found
                .last()
                .is_none_or(|last| last + 1 == record.record.seq)
        })
    {
        found.push(record.record.seq);
        pos += record.record.len();
        if record.record.kind == Kind::Wrap {
            pos = pos.next_multiple_of(lap_len);
        }
    }
    found
}

#[test]
fn runs_are_whole_pages_and_keep_what_was_there() {
    let mut journal = journal(LAP, 0);
    let mut file = vec![9; (HEADERS_LEN + LAP) as usize];
    for turn in 0..40 {
        for _ in 0..1 + turn % 3 {
            append(&mut journal);
        }
        while let Some((at, end)) = write(&mut journal, &mut file) {
            assert_eq!((at % PAGE_LEN, end % PAGE_LEN), (0, 0), "turn {turn}");
        }
        assert_eq!(journal.written_seq(), journal.last_seq());
        // All of it is free but what the last turn wrote, so that there may be any number of laps.
        let (_, tail) = journal.header_through(journal.last_seq()).expect("some");
        let first = journal.tail();
        let told: Vec<u64> = journal.after(0).map(|kept| kept.seq).collect();
        assert!(records(&file, LAP, first).starts_with(&told), "turn {turn}");
        journal.free_before(tail);
    }
}

#[test]
fn what_comes_while_a_run_is_written_begins_in_its_last_page() {
    let mut journal = journal(LAP, 0);
    let mut file = vec![9; (HEADERS_LEN + LAP) as usize];
    append(&mut journal);
    let (at, bytes) = journal.take_run(1).expect("a run");
    let second = append(&mut journal);
    append(&mut journal);
    assert!(journal.take_run(2).is_none(), "one at a time");
    assert_eq!(journal.peek(second.data_pos, 1), Some(&[2][..]));
    file[at as usize..][..bytes.len()].copy_from_slice(&bytes);
    drop(bytes);
    journal.run_written(2);
    assert_eq!(journal.written_seq(), 0, "that was not it");
    journal.run_written(1);
    assert_eq!(journal.written_seq(), 1);
    assert_eq!(
        write(&mut journal, &mut file).map(|(at, _)| at % PAGE_LEN),
        Some(0)
    );
    assert_eq!(journal.written_seq(), 3);
    assert_eq!(records(&file, LAP, 0), [1, 2, 3]);
}

#[test]
fn what_is_needed_behind_a_run_is_not_written_over() {
    let record = record_len(Kind::Data, 1);
    // The journal's head comes round to within a page of its tail.
    let tail = 2 * record;
    let mut journal = journal(LAP, tail);
    let mut file = vec![9; (HEADERS_LEN + LAP) as usize];
    while journal.used_len() + 2 * record <= LAP {
        append(&mut journal);
        while write(&mut journal, &mut file).is_some() {}
        let told: Vec<u64> = journal.after(0).map(|kept| kept.seq).collect();
        assert_eq!(records(&file, LAP, tail), told);
    }
    assert!(journal.used_len() + PAGE_LEN + record > LAP);
}

#[test]
fn laps_need_not_be_whole_pages() {
    let lap_len = LAP + 3 * SECTOR_LEN;
    let mut journal = journal(lap_len, 5 * SECTOR_LEN);
    let mut file = vec![9; (HEADERS_LEN + lap_len) as usize];
    for turn in 0..200 {
        append(&mut journal);
        while let Some((_, end)) = write(&mut journal, &mut file) {
            assert!(end <= HEADERS_LEN + lap_len, "turn {turn}");
        }
        let kept: Vec<u64> = journal.after(0).map(|kept| kept.seq).collect();
        assert!(
            records(&file, lap_len, journal.tail()).starts_with(&kept),
            "turn {turn}"
        );
        if turn % 20 == 19 {
            let (_, tail) = journal.header_through(journal.last_seq()).expect("some");
            journal.free_before(tail);
        }
    }
}
