//! Tests that no key in doubt is forgotten.

use base::TenantId;
use node_proto::RequestId;

use super::{Doubts, KEYS_MAX};

const A: TenantId = TenantId(1);
const B: TenantId = TenantId(2);

#[test]
fn what_was_sent_is_doomed_only_if_the_connection_is_lost() {
    let mut doubts = Doubts::default();
    let ids = [1, 2].map(RequestId::from_bits);
    doubts.wait_for(ids[0], A, b"answered".to_vec());
    doubts.wait_for(ids[1], A, b"lost".to_vec());
    assert_eq!(doubts.answered(ids[0]), Some((A, b"answered".to_vec())));
    assert_eq!(doubts.answered(ids[0]), None);
    assert!(!doubts.has_doomed());
    doubts.lose();
    let (emptied, doomed) = doubts.take();
    assert!(emptied.is_empty());
    assert_eq!(
        doomed.into_iter().collect::<Vec<_>>(),
        [(A, b"lost".to_vec())]
    );
    assert!(!doubts.has_doomed() && doubts.len() == 0);
}

#[test]
fn of_too_many_keys_the_tenant_is_emptied() {
    let mut doubts = Doubts::default();
    doubts.doom(B, b"of another");
    for number in 0..KEYS_MAX as u32 {
        doubts.doom(A, &number.to_le_bytes());
    }
    let (emptied, doomed) = doubts.take();
    assert_eq!(emptied.into_iter().collect::<Vec<_>>(), [A]);
    assert_eq!(
        doomed.into_iter().collect::<Vec<_>>(),
        [(B, b"of another".to_vec())]
    );
}

#[test]
fn more_changes_than_can_be_waited_for_are_doomed_at_once() {
    let mut doubts = Doubts::default();
    for number in 0..=KEYS_MAX as u64 {
        doubts.wait_for(
            RequestId::from_bits(number),
            A,
            number.to_le_bytes().to_vec(),
        );
    }
    assert!(doubts.has_doomed());
    assert_eq!(doubts.len(), KEYS_MAX + 1);
}
