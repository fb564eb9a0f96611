//! Files past the page cache are what was written, whatever their length and whatever was there.

use super::*;

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = base::rng::Rng::new(seed);
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

#[test]
fn what_was_written_is_read_whatever_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("object");
    let lens = [
        DIRECT_LEN_MIN,
        DIRECT_LEN_MIN + 1,
        (1 << 20) + 4095,
        DIRECT_LEN_MIN - 513,
    ];
    for (seed, len) in (1..).zip(lens) {
        let bytes = noise(seed, len);
        match write_durably(&path, &bytes.clone().into()) {
            Err(error) if is_unsupported(&error) => return,
            wrote => wrote.unwrap(),
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "{len}");
        assert!(*read(&path, len).unwrap() == bytes, "{len}");
        assert!(
            *read(&path, len + 10_000).unwrap() == bytes,
            "it ends before"
        );
        assert!(*read(&path, 5000).unwrap() == bytes[..5000]);
    }
    let gone = read(&dir.path().join("gone"), 1).unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::NotFound);
}

#[test]
fn pages_in_memory_do_not_hide_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("object");
    // Written and read by others through the page cache.
    std::fs::write(&path, noise(1, DIRECT_LEN_MIN)).unwrap();
    std::fs::read(&path).unwrap();
    let bytes = noise(2, DIRECT_LEN_MIN);
    match write_durably(&path, &bytes.clone().into()) {
        Err(error) if is_unsupported(&error) => return,
        wrote => wrote.unwrap(),
    }
    assert!(std::fs::read(&path).unwrap() == bytes);
}
