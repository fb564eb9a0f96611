//! In which order limits change.

use super::*;

const KIB: u64 = 1 << 10;

fn limits(quota_kib: u64, item_kib: u32) -> Limits {
    Limits {
        quota_bytes: quota_kib * KIB,
        item_size_max: item_kib << 10,
    }
}

fn change(id: u32, from: Limits, to: Limits) -> Resize {
    Resize {
        id: TenantId(id),
        from,
        to,
    }
}

#[test]
fn nothing_changes_in_no_step() {
    let same = limits(512, 1);
    assert_eq!(steps(&[change(2, same, same)]), []);
}

#[test]
fn memory_is_taken_before_it_is_given_and_items_shrink_first_and_grow_last() {
    let changes = [
        change(1, limits(512, 4), limits(1024, 8)),
        change(2, limits(1024, 8), limits(512, 4)),
    ];
    let order: Vec<(u32, bool)> = steps(&changes)
        .into_iter()
        .map(|step| match step {
            Step::Quota { id, .. } => (id.0, true),
            Step::ItemSize { id, .. } => (id.0, false),
        })
        .collect();
    assert_eq!(order, [(2, false), (2, true), (1, true), (1, false)]);
}
