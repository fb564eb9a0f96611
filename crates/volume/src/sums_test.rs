//! Joined checksums beside those of the whole.

use base::rng::Rng;

use super::*;
use crate::bytes::crc;

#[test]
fn joined_ones_are_those_of_the_whole() {
    let mut rng = Rng::new(1);
    let bytes: Vec<u8> = (0..70_000).map(|_| rng.next_u64() as u8).collect();
    for len in [0, 1, 3, 12, 16, 17, 4095, 4096, 4108, 4112, 65_535, 70_000] {
        for from in [0, 1, 16, 4112, bytes.len() - len] {
            let Some((ahead, behind)) = bytes.split_at_checked(from) else {
                continue;
            };
            let Some(behind) = behind.get(..len) else {
                continue;
            };
            let whole = crc(&bytes[..from + len]);
            assert_eq!(joined(crc(ahead), crc(behind), len), whole, "{from} {len}");
        }
    }
}
