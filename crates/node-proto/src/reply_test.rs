//! Tests of replies that contradict themselves.

use std::time::Duration;

use base::fleet::Epoch;
use base::kv::Outcome;

use super::{CODES, Reply, Verdict};
use crate::testing::{bytes_of, read_in_pieces};
use crate::{Message, RequestId};

fn miss() -> Vec<u8> {
    bytes_of(&Message::Reply(Reply {
        id: RequestId::from_bits(1),
        epoch: Epoch(0),
        queued: Duration::ZERO,
        served: Duration::ZERO,
        verdict: Verdict::Done(Outcome::Miss),
        payload: None,
    }))
}

fn is_refused(change: impl FnOnce(&mut Vec<u8>)) -> bool {
    let mut bytes = miss();
    change(&mut bytes);
    read_in_pieces(&bytes, usize::MAX).is_err()
}

#[test]
fn what_cannot_be_is_refused() {
    assert!(!is_refused(|_| {}));
    // A hit without an item, an item without a hit, a verdict that there is not.
    assert!(is_refused(|bytes| bytes[5] = 0));
    assert!(is_refused(|bytes| bytes[6] = 1));
    assert!(is_refused(|bytes| bytes[5] = 200));
    // Stored as nobody says what.
    assert!(is_refused(|bytes| bytes[5] = 2));
    // More than it says.
    assert!(is_refused(|bytes| {
        bytes[0] += 1;
        bytes.push(0);
    }));
}

#[test]
fn times_are_noted_in_place() {
    let mut bytes = miss();
    super::set_times(&mut bytes, Duration::from_nanos(5), Duration::from_secs(9));
    assert_eq!(bytes[24..], [5, 0, 0, 0, 255, 255, 255, 255]);
}

#[test]
fn no_two_verdicts_share_a_code() {
    for (place, (code, verdict)) in CODES.iter().enumerate() {
        for (other, more) in &CODES[place + 1..] {
            assert!(code != other && verdict != more);
        }
    }
}
