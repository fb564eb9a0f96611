//! Slots and names survive the way through bytes, and nothing else does.

use base::rng::Rng;

use super::*;

fn slot(names: usize) -> Slot {
    Slot {
        time_s: 1_800_000_060,
        seconds: 60,
        means: (0..names).map(|n| n as f32 * 0.5).collect(),
        peaks: (0..names).map(|n| n as f32 * 2.0).collect(),
    }
}

#[test]
fn a_slot_comes_back_as_it_was() {
    for names in [0, 1, 7, SERIES_MAX] {
        let slot = slot(names);
        let bytes = slot.encode();
        assert_eq!(bytes.len(), Resolution::Minute.slot_len(names));
        let back = Slot::decode(&bytes, Resolution::Minute, slot.time_s);
        assert_eq!(back, Some(slot));
    }
}

#[test]
fn a_slot_of_another_time_is_none() {
    let bytes = slot(3).encode();
    assert_eq!(
        Slot::decode(&bytes, Resolution::Minute, 1_800_000_120),
        None
    );
}

#[test]
fn a_slot_that_was_cut_off_anywhere_is_none() {
    let slot = slot(9);
    let bytes = slot.encode();
    for len in 0..bytes.len() {
        let mut torn = bytes.clone();
        // What was there before the write that was cut off.
        torn[len..].fill(0xa5);
        assert_eq!(
            Slot::decode(&torn, Resolution::Minute, slot.time_s),
            None,
            "{len}"
        );
        assert_eq!(
            Slot::decode(&bytes[..len], Resolution::Minute, slot.time_s),
            None
        );
    }
}

#[test]
fn random_bytes_are_no_slot_and_no_name() {
    let mut rng = Rng::new(7);
    for _ in 0..2000 {
        let len = rng.below(300) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| rng.next_u64() as u8).collect();
        if let Some(time) = bytes.get_mut(8..16) {
            time.copy_from_slice(&5u64.to_le_bytes());
        }
        for resolution in Resolution::ALL {
            assert_eq!(Slot::decode(&bytes, resolution, 5), None);
        }
        bytes.resize(NAME_RECORD_LEN, 0);
        assert_eq!(decode_name(&bytes), None);
    }
}

#[test]
fn names_come_back_and_nothing_stands_for_one() {
    let longest = "x".repeat(NAME_LEN_MAX);
    for name in ["host/cpu/user", "tenant/häuser/reads", longest.as_str()] {
        let record = encode_name(name, 1_800_000_000);
        assert_eq!(decode_name(&record), Some((name.to_owned(), 1_800_000_000)));
    }
    assert_eq!(decode_name(&[0; NAME_RECORD_LEN]), None);
    assert_eq!(decode_name(&encode_name("", 3)), None);
}

#[test]
fn slots_of_a_ring_do_not_overlap() {
    for resolution in Resolution::ALL {
        let last = resolution.offset((resolution.slots() - 1) * resolution.step_s());
        let end = last + resolution.slot_len(SERIES_MAX) as u64;
        assert_eq!(end, resolution.file_len());
        assert_eq!(
            resolution.offset(resolution.reach_s()),
            resolution.offset(0)
        );
    }
}

#[test]
fn headers_differ_by_resolution() {
    let [one, other, third] = Resolution::ALL.map(header);
    assert!(one != other && other != third);
}
