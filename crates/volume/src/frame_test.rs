//! Frames of blocks that shrink and that do not, hot and cold.

use base::rng::Rng;

use super::*;

/// Lines of a log: what LZ4 makes much of, and Zstandard more.
fn text() -> Vec<u8> {
    let mut rng = Rng::new(7);
    let mut text = Vec::new();
    while text.len() < BLOCK_LEN {
        let line = format!(
            "GET /{:x}/{} HTTP/1.1 200 {}\n",
            rng.below(1 << 24),
            rng.below(100),
            rng.below(5000)
        );
        text.extend_from_slice(line.as_bytes());
    }
    text.truncate(BLOCK_LEN);
    text
}

fn noise() -> Vec<u8> {
    let mut rng = Rng::new(1);
    (0..BLOCK_LEN).map(|_| rng.next_u64() as u8).collect()
}

fn framed(data: &[u8], warmth: Warmth) -> Vec<u8> {
    let mut frames = Frames::default();
    // Behind another one.
    frames.put(3, (&[1; BLOCK_LEN], crc(&[1; BLOCK_LEN])), Warmth::Hot);
    let unit = match data {
        [] => frames.put_lost(9),
        _ => frames.put(9, (data, crc(data)), warmth),
    };
    assert_eq!(frames.sum, crc(&frames.bytes));
    frames.bytes[unit as usize * UNIT_LEN..].to_vec()
}

/// How a frame says that its block is stored.
fn how(frame: &[u8]) -> u16 {
    u16::from_le_bytes([frame[6], frame[7]])
}

#[test]
fn what_is_cold_is_stored_the_densest_way_that_pays() {
    let text = text();
    let (hot, cold) = (framed(&text, Warmth::Hot), framed(&text, Warmth::Cold));
    assert_eq!((how(&hot), how(&cold)), (LZ4, ZSTD));
    assert!(
        cold.len() + PAYS_LEN <= hot.len(),
        "{} {}",
        cold.len(),
        hot.len()
    );
    // Where both do well the one that is quicker to open is taken.
    assert_eq!(how(&framed(&[7; BLOCK_LEN], Warmth::Cold)), LZ4);
    assert_eq!(how(&framed(&noise(), Warmth::Cold)), PLAIN);
    assert_eq!(how(&framed(&[], Warmth::Cold)), LOST);
}

#[test]
fn every_way_gives_back_what_was_stored_or_nothing() {
    for data in [text(), noise(), vec![7; BLOCK_LEN]] {
        for warmth in [Warmth::Hot, Warmth::Cold] {
            let frame = framed(&data, warmth);
            let mut block = vec![1; BLOCK_LEN];
            assert!(open_frame_into(&frame, 9, &mut block));
            assert!(block == data && open_frame(&frame, 9).as_ref() == Some(&data));
            let moved = moved_out(&frame, 9).map(|(moved, sum)| (moved.into_owned(), sum));
            assert_eq!(moved, Some((data.clone(), crc(&data))));
            assert_eq!(open_frame(&frame, 8), None, "another block");
            for at in 0..frame.len() {
                let mut damaged = frame.clone();
                damaged[at] ^= 0x10;
                let read = open_frame(&damaged, 9);
                // What pads a frame is nobody's.
                assert!(read.is_none() || read.as_ref() == Some(&data), "{at}");
                let moved = moved_out(&damaged, 9).map(|(moved, _)| moved.into_owned());
                assert_eq!(moved, read, "{at}");
            }
        }
    }
    assert_eq!(open_frame(&framed(&[], Warmth::Hot), 9), None, "lost");
}

#[test]
fn a_frame_that_lies_about_its_length_is_no_block() {
    // A whole checksum, and a Zstandard frame of more than a block.
    let long = zstd::bulk::compress(&[3; 2 * BLOCK_LEN], 1).unwrap();
    let mut frame = vec![0; 4];
    frame.extend_from_slice(&u16::try_from(long.len()).unwrap().to_le_bytes());
    frame.extend_from_slice(&ZSTD.to_le_bytes());
    frame.extend_from_slice(&9_u64.to_le_bytes());
    frame.extend_from_slice(&long);
    let sum = crc(&frame[4..]);
    frame[..4].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(open_frame(&frame, 9), None);
    assert!(!open_frame_into(&frame, 9, &mut [0; BLOCK_LEN]));
}
