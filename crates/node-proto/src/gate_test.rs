//! Tests that the gate's frames come back as they were, and that none grows beyond a frame.

use std::time::Duration;

use base::Timestamp;

use super::*;
use crate::testing::{bytes_of, read_in_pieces, told};
use crate::{FRAME_LEN_MAX, Message};

fn comes_back(message: &Message<'_>) {
    let bytes = bytes_of(message);
    assert!(bytes.len() <= FRAME_LEN_MAX, "{} bytes", bytes.len());
    for piece in [1, 7, usize::MAX] {
        assert_eq!(read_in_pieces(&bytes, piece), Ok(vec![told(message)]));
    }
}

#[test]
fn all_of_them_come_back() {
    let bytes = vec![7; 300];
    comes_back(&Message::Echo(Echo {
        token: 9,
        answer_len: 65_536,
        bytes: &bytes,
    }));
    comes_back(&Message::Echoed(Echoed {
        token: u64::MAX,
        at: Timestamp::from_secs(1_800_000_000),
        queued: Duration::from_nanos(5),
        served: Duration::from_micros(6),
        segments: Segments {
            sent: 900,
            resent: 3,
        },
        bytes: &bytes,
    }));
    let exam = Exam::Pair(PairExam {
        name: "mc6",
        address: "10.0.0.6:8322",
        length: Duration::from_millis(2500),
        requests_per_s: 400,
        bytes_per_s: 1 << 40,
    });
    comes_back(&Message::Exam { token: 1, exam });
    let exam = Exam::Own(OwnExam {
        pattern_len: 1 << 24,
        disk_writes: 40,
    });
    comes_back(&Message::Exam { token: 2, exam });
}

#[test]
fn the_longest_of_them_fit_a_frame() {
    let bytes = vec![1; PIECE_LEN_MAX];
    comes_back(&Message::Echo(Echo {
        token: 0,
        answer_len: 0,
        bytes: &bytes,
    }));
    let result = Examined::Pair(PairResult {
        round_trips_ns: (0..ROUND_TRIPS_MAX as u32).collect(),
        unanswered: 4,
        served_ns: 5,
        up_per_s: 6,
        down_per_s: 7,
        segments: Segments { sent: 8, resent: 9 },
    });
    comes_back(&Message::Examined { token: 3, result });
    let result = Examined::Own(OwnResult {
        engine_ns: 1,
        memory_per_s: 2,
        pattern_faults: 3,
        steal_ppm: 4,
        disk_ns: 5,
    });
    comes_back(&Message::Examined { token: 4, result });
}

#[test]
fn what_is_too_long_is_cut_where_a_letter_ends() {
    let result = Examined::Failed("ä".repeat(700));
    let bytes = bytes_of(&Message::Examined { token: 0, result });
    let cut = Examined::Failed("ä".repeat(512));
    let cut = told(&Message::Examined {
        token: 0,
        result: cut,
    });
    assert_eq!(read_in_pieces(&bytes, usize::MAX), Ok(vec![cut]));
}

#[test]
fn more_than_a_piece_is_not_to_be_asked_for() {
    let echo = Echo {
        token: 0,
        answer_len: PIECE_LEN_MAX as u32 + 1,
        bytes: &[],
    };
    let bytes = bytes_of(&Message::Echo(echo));
    assert!(read_in_pieces(&bytes, usize::MAX).is_err());
}
