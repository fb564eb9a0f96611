//! The life of a segment, and what it says about itself.

use super::{Kind, Segments};
use crate::geometry::Geometry;

fn segments() -> Segments {
    Segments::new(Geometry::new(256 << 10))
}

#[test]
fn memory_is_taken_opened_freed_and_given_back() {
    let mut segments = segments();
    assert_eq!(segments.open(Kind::Small, 5), None);
    assert!(segments.grow(8));
    let number = segments.open(Kind::Small, 5).expect("a free one");
    assert_eq!((segments.held, segments.get(number).kind), (1, Kind::Small));
    assert_eq!(&segments.get(number).bytes[..4], b"GSFC");
    segments.free(number, 6);
    assert_eq!(segments.get(number).looked_s, 6);
    assert!(segments.release());
    assert!(!segments.release());
    assert_eq!(
        (segments.held, segments.get(number).kind),
        (0, Kind::Vacant)
    );
    assert!(segments.grow(8));
    assert_eq!(segments.free, [number], "its number is used again");
}

#[test]
fn no_number_is_given_that_a_location_cannot_name() {
    let mut segments = segments();
    assert!(segments.grow(2) && segments.grow(2));
    assert!(!segments.grow(2));
    assert!(segments.grow(3));
}

#[test]
fn openings_are_numbered() {
    let mut segments = segments();
    segments.grow(8);
    let number = segments.open(Kind::Main, 1).expect("a free one");
    let first = segments.get(number).seq;
    segments.free(number, 1);
    segments.open(Kind::Chunk, 1);
    assert!(segments.get(number).seq > first);
    segments.flush();
    assert_eq!(segments.flush_seq, segments.get(number).seq + 1);
}

#[test]
fn locations_and_places_agree() {
    let mut segments = segments();
    (0..3).for_each(|_| assert!(segments.grow(8)));
    let loc = segments.loc(2, 72);
    assert_eq!((segments.segment_of(loc), segments.offset_of(loc)), (2, 72));
    segments.at_mut(loc)[..3].copy_from_slice(b"abc");
    assert_eq!(&segments.get(2).bytes[72..75], b"abc");
    segments.copy((2, 72), (1, 800), 3);
    segments.copy((1, 800), (1, 64), 3);
    assert_eq!(&segments.at(segments.loc(1, 64))[..3], b"abc");
}

#[test]
fn the_bound_on_expiries_only_falls() {
    let mut segments = segments();
    segments.grow(8);
    let segment = segments.get_mut(0);
    segment.note_expiry(0);
    assert_eq!(segment.expiry_min, u32::MAX);
    segment.note_expiry(9);
    segment.note_expiry(12);
    assert_eq!(segment.expiry_min, 9);
}

#[test]
fn a_segment_says_itself_what_it_is() {
    let mut segments = segments();
    (0..3).for_each(|_| assert!(segments.grow(8)));
    segments.flush();
    let number = segments.open(Kind::Main, 7).expect("a free one");
    segments.get_mut(number).used = 320;
    segments.get_mut(number).write_sealed(9, 0x1122);
    let bytes = &segments.get(number).bytes;
    assert_eq!((bytes[4], bytes[6]), (2, Kind::Main as u8));
    assert_eq!(bytes[8..16], segments.get(number).seq.to_le_bytes());
    assert_eq!(bytes[16..20], 320u32.to_le_bytes());
    assert_eq!(bytes[20..24], 9u32.to_le_bytes());
    assert_eq!(bytes[24..32], 0x1122u64.to_le_bytes());
    assert_eq!(bytes[32..36], number.to_le_bytes());
    assert_eq!(bytes[36..40], segments.geometry.segment_len.to_le_bytes());
    assert_eq!(bytes[40..48], segments.flush_seq.to_le_bytes());
}
