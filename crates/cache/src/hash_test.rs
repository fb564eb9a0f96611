//! Keys decide hashes, and hashes spread over shards.

use super::KeyHasher;

#[test]
fn the_key_changes_the_hash() {
    let (one, two) = (KeyHasher::new(&[1; 16]), KeyHasher::new(&[2; 16]));
    assert_eq!(one.hash(b"a"), KeyHasher::new(&[1; 16]).hash(b"a"));
    assert_ne!(one.hash(b"a"), two.hash(b"a"));
}

#[test]
fn shards_get_even_shares() {
    let hasher = KeyHasher::new(&[3; 16]);
    let mut counts = [0; 16];
    for number in 0..16_000u32 {
        counts[hasher.hash(&number.to_le_bytes()).shard(16)] += 1;
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)));
    assert_eq!(hasher.hash(b"a").shard(1), 0);
}
