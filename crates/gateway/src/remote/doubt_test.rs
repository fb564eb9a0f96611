//! Tests that no key in doubt is forgotten.

use base::TenantId;

use super::{Doubts, KEYS_MAX};

const A: TenantId = TenantId(1);
const B: TenantId = TenantId(2);

#[test]
fn of_too_many_keys_the_tenant_is_emptied() {
    let mut doubts = Doubts::default();
    doubts.doom(B, b"of another");
    for number in 0..KEYS_MAX as u32 {
        doubts.doom(A, &number.to_le_bytes());
    }
    assert_eq!(doubts.len(), 2);
    let (emptied, doomed) = doubts.take();
    assert_eq!(emptied.into_iter().collect::<Vec<_>>(), [A]);
    assert_eq!(
        doomed.into_iter().collect::<Vec<_>>(),
        [(B, b"of another".to_vec())]
    );
}
