//! Bytes that nobody means well with: no panic, and pieces do not matter.

use base::rng::Rng;

use crate::testing::{Draw, bytes_of, read_in_pieces};

#[test]
fn a_message_with_any_byte_changed_is_another_message_or_refused() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut draw = Draw::new(&mut rng);
        draw.value.truncate(50);
        draw.key.truncate(9);
        let message = draw.message();
        let mut bytes = bytes_of(&message);
        for place in 0..bytes.len() {
            let kept = bytes[place];
            bytes[place] = rng.next_u64() as u8;
            let whole = read_in_pieces(&bytes, usize::MAX);
            assert_eq!(
                read_in_pieces(&bytes, 3),
                whole,
                "seed {seed}, byte {place}"
            );
            bytes[place] = kept;
        }
    }
}

#[test]
fn random_bytes_behind_a_true_length_do_no_harm() {
    for seed in 0..5000 {
        let mut rng = Rng::new(seed);
        let len = 16 + rng.below(80) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| rng.next_u64() as u8).collect();
        bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
        bytes[4] = rng.below(22) as u8;
        let whole = read_in_pieces(&bytes, usize::MAX);
        assert_eq!(read_in_pieces(&bytes, 1), whole, "seed {seed}");
    }
}
