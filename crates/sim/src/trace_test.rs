//! What makes histories differ.

use super::Trace;

fn hash(numbers: &[u64]) -> u64 {
    let mut trace = Trace::new();
    numbers.iter().for_each(|number| trace.add(*number));
    trace.hash()
}

#[test]
fn numbers_and_their_order_count() {
    assert_eq!(hash(&[1, 2]), hash(&[1, 2]));
    assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    assert_ne!(hash(&[1]), hash(&[1, 0]));
    assert_ne!(hash(&[]), hash(&[0]));
}
