//! Histories outlive whoever keeps them, also one that is killed amid a line.

use super::*;

const BLOCKS: u64 = 4;

fn at(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("history")
}

/// Two writes, of which the first is durable and the second was never answered.
fn written(path: &Path) {
    let mut ledger = Ledger::create(path, BLOCKS).unwrap();
    ledger.write_begins(1, (0, 2), Content::Stamp(1)).unwrap();
    ledger.write_answered(1, false).unwrap();
    ledger.flush_begins(2).unwrap();
    ledger.flush_answered(2).unwrap();
    ledger.write_begins(3, (1, 1), Content::Stamp(3)).unwrap();
}

#[test]
fn what_was_durable_must_be_there_for_the_next_keeper() {
    let dir = tempfile::tempdir().unwrap();
    written(&at(&dir));
    let (mut ledger, last_op) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    assert_eq!(last_op, 3);
    ledger.crash().unwrap();
    assert!(ledger.settle(0, &stamped(1, 0)).unwrap().is_empty());
    let lost = ledger.settle(1, &vec![0; BLOCK_LEN]).unwrap();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].legal, [Content::Stamp(1), Content::Stamp(3)]);
}

#[test]
fn what_was_settled_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    written(&at(&dir));
    let (mut ledger, _) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    ledger.crash().unwrap();
    assert!(ledger.settle(1, &stamped(3, 1)).unwrap().is_empty());
    let (mut ledger, _) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    ledger.crash().unwrap();
    // It was the later write, and may not become the earlier one again.
    assert_eq!(ledger.settle(1, &stamped(1, 1)).unwrap().len(), 1);
}

#[test]
fn half_a_line_was_never_written() {
    let dir = tempfile::tempdir().unwrap();
    written(&at(&dir));
    let mut text = fs::read_to_string(at(&dir)).unwrap();
    let whole_len = text.len();
    text.push_str("w 4 0 4 s");
    fs::write(at(&dir), &text).unwrap();
    let (mut ledger, last_op) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    assert_eq!(last_op, 3);
    assert_eq!(fs::metadata(at(&dir)).unwrap().len(), whole_len as u64);
    ledger.crash().unwrap();
    assert!(ledger.settle(0, &stamped(1, 0)).unwrap().is_empty());
}

#[test]
fn a_file_begins_anew_with_what_all_is() {
    let dir = tempfile::tempdir().unwrap();
    written(&at(&dir));
    let (mut ledger, last_op) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    let contents = [
        Content::Stamp(1),
        Content::Stamp(3),
        Content::Zero,
        Content::Zero,
    ];
    ledger.begin_anew(last_op, &contents).unwrap();
    ledger.write_begins(4, (2, 1), Content::Stamp(4)).unwrap();
    let (mut ledger, last_op) = Ledger::open(&at(&dir), BLOCKS).unwrap();
    assert_eq!(last_op, 4);
    ledger.crash().unwrap();
    for (block, stamp) in [(0, 1), (1, 3), (2, 4)] {
        assert!(
            ledger
                .settle(block, &stamped(stamp, block))
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(ledger.settle(0, &vec![0; BLOCK_LEN]).unwrap().len(), 1);
}

#[test]
fn another_s_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(&at(&dir));
    assert!(Ledger::open(&at(&dir), BLOCKS + 1).is_err());
    fs::write(at(&dir), "something else\n").unwrap();
    assert!(Ledger::open(&at(&dir), BLOCKS).is_err());
    fs::write(at(&dir), format!("{MAGIC} {BLOCKS}\nw 1 what\n")).unwrap();
    assert!(Ledger::open(&at(&dir), BLOCKS).is_err());
}
