//! Tests of operations that cannot be.

use std::time::Duration;

use base::TenantId;
use base::fleet::{Claim, Epoch, Slot};
use base::kv::{Get, Op};

use crate::testing::{bytes_of, read_in_pieces};
use crate::{Message, Request, RequestId};

fn get() -> Vec<u8> {
    bytes_of(&Message::Request(Request {
        id: RequestId::from_bits(1),
        tenant: TenantId(1),
        budget: Duration::ZERO,
        claim: Claim {
            slot: Slot::new(0).unwrap(),
            epoch: Epoch::ZERO,
            vouched: true,
        },
        op: Op::Get(Get::plain(b"key")),
        large_len: None,
    }))
}

fn is_refused(change: impl FnOnce(&mut Vec<u8>)) -> bool {
    let mut bytes = get();
    change(&mut bytes);
    read_in_pieces(&bytes, usize::MAX).is_err()
}

#[test]
fn what_cannot_be_is_refused() {
    assert!(!is_refused(|_| {}));
    // No key, a key longer than the content, one longer than any key.
    assert!(is_refused(|bytes| bytes[6] = 0));
    assert!(is_refused(|bytes| bytes[6] = 4));
    assert!(is_refused(|bytes| bytes[6] = 251));
    // A key that ends before the content does.
    assert!(is_refused(|bytes| bytes[6] = 2));
    // No such operation; fields that are not there.
    assert!(is_refused(|bytes| bytes[5] = 9));
    assert!(is_refused(|bytes| bytes[34] |= 0b100));
    // No such slot.
    assert!(is_refused(|bytes| bytes[33] |= 0x10));
    // No such manner of storing.
    assert!(is_refused(|bytes| {
        bytes[5] = 2;
        bytes[7] = 5;
        bytes[0] += 8;
        bytes.extend([0; 8]);
    }));
}
