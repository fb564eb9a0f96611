//! Tests of `values`.

use super::*;

fn written(values: &Values, id: u64) -> Vec<u8> {
    let mut out = Vec::new();
    values.write(id, &mut out);
    out
}

#[test]
fn a_value_matches_itself_in_any_pieces() {
    let values = Values::new(7, ValueLen::Fixed(600_001));
    let value = written(&values, 3);
    assert_eq!(value.len(), 600_001);
    for piece in [1usize, 3, 7, 8, 9, 1000, 262_139, 600_001] {
        let mut offset = 0;
        for bytes in value.chunks(piece) {
            assert_eq!(
                values.difference(3, offset, bytes),
                None,
                "{piece} {offset}"
            );
            offset += bytes.len();
        }
    }
}

#[test]
fn a_single_wrong_byte_is_seen_wherever_it_is() {
    let values = Values::new(7, ValueLen::Fixed(300));
    let value = written(&values, 1);
    for at in [0, 7, 8, 150, 299] {
        let mut wrong = value.clone();
        wrong[at] ^= 1;
        assert_eq!(values.difference(1, 0, &wrong), Some(at));
        assert_eq!(values.difference(1, at, &wrong[at..]), Some(at));
    }
}

#[test]
fn other_keys_and_other_seeds_have_other_values() {
    let values = Values::new(7, ValueLen::Fixed(16));
    let other = Values::new(8, ValueLen::Fixed(16));
    assert_ne!(written(&values, 1), written(&values, 2));
    assert_ne!(written(&values, 1), written(&other, 1));
    assert_eq!(written(&values, 1), written(&values, 1));
}

#[test]
fn lengths_follow_from_the_key_and_keep_their_bounds() {
    let values = Values::new(1, ValueLen::Uniform(10, 19));
    let mut seen = [false; 10];
    for id in 0..1000 {
        let len = values.len(id);
        assert_eq!(written(&values, id).len(), len as usize);
        seen[(len - 10) as usize] = true;
    }
    assert_eq!(seen, [true; 10]);

    let values = Values::new(1, ValueLen::List(vec![0, 5]));
    assert!((0..100).all(|id| matches!(values.len(id), 0 | 5)));
    let whole = Values::new(1, ValueLen::Uniform(0, u32::MAX));
    assert_eq!(whole.len(4), whole.len(4));
}
