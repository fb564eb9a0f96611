//! Slots are the same everywhere and for ever, spread evenly, and differ from tenant to tenant.

use base::fleet::SLOT_COUNT;

use super::*;

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// Computed apart from this code, and as they are in releases that run beside this one: were they to change, an upgrade would
/// have two gateways look for one key on two nodes.
#[test]
fn slots_are_part_of_the_format() {
    let of_one = SlotHasher::new(SECRET).tenant(TenantId(1));
    let of_two = SlotHasher::new(SECRET).tenant(TenantId(2));
    let slots = [b"a".as_slice(), b"user:17", &[0xff; 250]].map(|key| of_one.slot(key).number());
    assert_eq!(slots, [300, 399, 3694]);
    assert_eq!(of_two.slot(b"user:17").number(), 148);
}

#[test]
fn keys_spread_evenly() {
    let slots = SlotHasher::new(SECRET).tenant(TenantId(1));
    let mut counts = vec![0_u32; SLOT_COUNT];
    for key in 0..SLOT_COUNT * 100 {
        counts[slots.slot(format!("key{key}").as_bytes()).index()] += 1;
    }
    // Each is 100 ± 10 (one sigma); seven sigma off is never chance.
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least > 30 && *most < 170, "{least} to {most}");
}

#[test]
fn another_secret_or_tenant_is_another_spread() {
    let one = SlotHasher::new(SECRET).tenant(TenantId(1));
    let two = SlotHasher::new(SECRET).tenant(TenantId(2));
    let other = SlotHasher::new([7; 16]).tenant(TenantId(1));
    let keys = || (0..10_000).map(|key: u32| key.to_le_bytes());
    let same = |a: &TenantSlots, b: &TenantSlots| {
        let met = keys().filter(|key| a.slot(key) == b.slot(key));
        met.count()
    };
    assert_eq!(same(&one, &one), 10_000);
    assert!(same(&one, &two) < 30);
    assert!(same(&one, &other) < 30);
}
