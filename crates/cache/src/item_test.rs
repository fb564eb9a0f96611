//! What is written of an item reads back, at every boundary of its layout.

use super::*;

fn draft<'a>(key: &'a [u8], tail: &'a [u8]) -> Draft<'a> {
    Draft {
        key,
        flags: 0,
        expiry: 0,
        cas: 1,
        state: 0,
        value_len: tail.len() as u32,
        extent: None,
        tail,
        now_s: 100,
    }
}

/// Writes between guards, so that a byte too many shows.
fn written(draft: &Draft<'_>) -> Vec<u8> {
    let len = draft.footprint() as usize;
    let mut bytes = vec![0xee; len + 8];
    draft.write(&mut bytes);
    assert!(bytes[len..].iter().all(|byte| *byte == 0xee));
    bytes
}

#[test]
fn what_is_written_reads_back() {
    for key_len in [1, 2, 7, 8, 249, 250] {
        for value_len in [0, 1, 7, 8, 9, 4000] {
            for flags in [0, 1, 255, 256, 65_535, 65_536, u32::MAX] {
                for cas in [1, CAS_NARROW_MAX, CAS_NARROW_MAX + 1, u64::MAX] {
                    let (key, value) = (vec![b'k'; key_len], vec![b'v'; value_len]);
                    let draft = Draft {
                        flags,
                        cas,
                        expiry: 77,
                        state: STALE | 2,
                        ..draft(&key, &value)
                    };
                    let bytes = written(&draft);
                    let header = Header::read(&bytes);
                    assert_eq!(header.key(&bytes), key);
                    assert_eq!(header.flags(&bytes), flags);
                    assert_eq!(header.cas(&bytes), cas);
                    assert_eq!(header.expiry, 77);
                    assert_eq!(header.value_len as usize, value_len);
                    assert_eq!(header.footprint(8192), draft.footprint());
                    assert_eq!(header.state & (STALE | FREQUENCY), STALE | 2);
                    assert_eq!(header.idle_s(105), 5);
                    let body = header.body_at();
                    assert_eq!(bytes[body..body + value_len], value);
                    assert_eq!(header.tail(&bytes, 8192), value);
                    assert_eq!(header.extent(&bytes), None);
                    assert!(has_key(&bytes, &key));
                    assert!(!has_key(&bytes, &key[1..]));
                }
            }
        }
    }
}

#[test]
fn an_item_has_at_most_27_bytes_beside_key_and_value_where_flags_fit_two() {
    for value_len in 0..100 {
        for (flags, most) in [(0, 25), (255, 26), (65_535, 27), (u32::MAX, 29)] {
            let value = vec![b'v'; value_len];
            let draft = Draft {
                flags,
                ..draft(&[b'k'; 12], &value)
            };
            assert!(draft.footprint() as usize <= 12 + value_len + most);
        }
    }
}

#[test]
fn fields_do_not_touch_each_other() {
    let mut bytes = written(&Draft {
        cas: CAS_NARROW_MAX,
        ..draft(b"key", b"value")
    });
    set_next(&mut bytes, u32::MAX);
    set_expiry(&mut bytes, 0);
    set_last_access(&mut bytes, u32::MAX);
    set_state(&mut bytes, FETCHED);
    let header = Header::read(&bytes);
    assert_eq!(next(&bytes), u32::MAX);
    assert_eq!((header.expiry, header.value_len, header.key_len), (0, 5, 3));
    assert_eq!(header.cas(&bytes), CAS_NARROW_MAX);
    assert_eq!(header.idle_s(u32::MAX), 0);
    assert!(header.set_cas(&mut bytes, 3));
    assert_eq!(header.cas(&bytes), 3);
    assert_eq!(Header::read(&bytes).idle_s(u32::MAX), 0);
}

#[test]
fn a_wide_cas_needs_its_place() {
    let mut narrow = written(&draft(b"key", b"value"));
    assert!(!Header::read(&narrow).set_cas(&mut narrow, u64::MAX));
    assert_eq!(Header::read(&narrow).cas(&narrow), 1);
    let mut wide = written(&Draft {
        cas: u64::MAX,
        ..draft(b"key", b"value")
    });
    assert!(Header::read(&wide).set_cas(&mut wide, 5));
    assert_eq!(Header::read(&wide).cas(&wide), 5);
}

#[test]
fn chunks_are_counted_from_the_length() {
    for skip in [0, 1, 999] {
        let extent = Extent {
            body: 3,
            first: 4,
            skip,
        };
        let tail = [b't'; 10];
        let bytes = written(&Draft {
            value_len: 2 * 1000 - skip + 10,
            extent: Some(extent),
            ..draft(b"key", &tail)
        });
        let header = Header::read(&bytes);
        assert_eq!((header.chunks(1000), header.tail_len(1000)), (2, 10));
        assert_eq!(header.extent(&bytes), Some(extent));
        assert_eq!(header.tail(&bytes, 1000), tail);
        assert_eq!(
            header.footprint(1000),
            (22 + 3 + 16 + 10u32).next_multiple_of(4)
        );
    }
}

#[test]
fn accesses_are_counted_up_to_three() {
    let mut state = STALE;
    for count in [1, 2, 3, 3] {
        state = counted(state);
        assert_eq!(state, STALE | count);
    }
}

#[test]
fn fillers_are_dead_and_as_long_as_asked() {
    for len in (HEADER_LEN.next_multiple_of(4)..200).step_by(4) {
        let mut bytes = vec![0xff; len];
        write_filler(&mut bytes, len);
        let header = Header::read(&bytes);
        assert!(header.has(DEAD));
        assert_eq!(header.footprint(64) as usize, len);
    }
}
