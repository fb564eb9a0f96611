//! Changes of quotas and item sizes in the data plane: all steps of one, or none.

use std::sync::Arc;

use base::TenantId;

use crate::observe::MemoryCut;
use crate::plane::{DataPlane, PlaneError};

/// What one tenant's cache may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Its memory, in bytes.
    pub(super) quota_bytes: u64,
    /// Its largest item, in bytes.
    pub(super) item_size_max: u32,
}

/// One tenant's way from old limits to new ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resize {
    /// The tenant.
    pub(super) id: TenantId,
    /// What is in force.
    pub(super) from: Limits,
    /// What is to be.
    pub(super) to: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Quota { id: TenantId, from: u64, to: u64 },
    ItemSize { id: TenantId, from: u32, to: u32 },
}

impl Step {
    fn apply(self, plane: &dyn DataPlane) -> Result<(), PlaneError> {
        match self {
            Self::Quota { id, to, .. } => plane.set_quota(id, to),
            Self::ItemSize { id, to, .. } => plane.set_item_size(id, to),
        }
    }

    fn reversed(self) -> Self {
        match self {
            Self::Quota { id, from, to } => Self::Quota {
                id,
                from: to,
                to: from,
            },
            Self::ItemSize { id, from, to } => Self::ItemSize {
                id,
                from: to,
                to: from,
            },
        }
    }
}

/// Carries out all of `changes`; where one step fails, those before it are taken back, the last one
/// first. Tells which of them have cost a tenant items.
pub(super) fn apply(
    plane: &dyn DataPlane,
    changes: &[Resize],
) -> Result<Vec<MemoryCut>, PlaneError> {
    let held: Vec<_> = changes
        .iter()
        .map(|change| held(plane, change.id))
        .collect();
    let steps = steps(changes);
    for (index, step) in steps.iter().enumerate() {
        if let Err(error) = step.apply(plane) {
            for done in steps.iter().take(index).rev() {
                if let Err(error) = done.reversed().apply(plane) {
                    tracing::error!(%error, step = ?done, "a limit could not be taken back");
                }
            }
            return Err(error);
        }
    }
    let cuts = changes.iter().zip(held);
    Ok(cuts
        .filter_map(|(change, before)| cut(plane, change, before))
        .collect())
}

/// Live items, and how many were dropped to make room since the start.
fn held(plane: &dyn DataPlane, id: TenantId) -> (u64, u64) {
    let (cache, _) = plane.stats(id).unwrap_or_default();
    (cache.curr_items, cache.evictions)
}

/// What a quota that was cut below what was held has cost, if it has.
fn cut(
    plane: &dyn DataPlane,
    change: &Resize,
    (items, evicted_before): (u64, u64),
) -> Option<MemoryCut> {
    let (from_bytes, to_bytes) = (change.from.quota_bytes, change.to.quota_bytes);
    let (_, evicted) = held(plane, change.id);
    let dropped = evicted.saturating_sub(evicted_before);
    if to_bytes >= from_bytes || dropped == 0 {
        return None;
    }
    let directory = plane.directory();
    Some(MemoryCut {
        tenant: Arc::clone(&directory.tenant(change.id)?.name),
        from_bytes,
        to_bytes,
        items,
        dropped,
    })
}

/// Takes before it gives, so that the sum never exceeds the memory; and shrinks items first and
/// grows them last, so that every quota holds its items on the way there and back.
fn steps(changes: &[Resize]) -> Vec<Step> {
    let item_size = |change: &Resize| Step::ItemSize {
        id: change.id,
        from: change.from.item_size_max,
        to: change.to.item_size_max,
    };
    let quota = |change: &Resize| Step::Quota {
        id: change.id,
        from: change.from.quota_bytes,
        to: change.to.quota_bytes,
    };
    let shrinks = |c: &&Resize| c.to.item_size_max < c.from.item_size_max;
    let grows = |c: &&Resize| c.to.item_size_max > c.from.item_size_max;
    let takes = |c: &&Resize| c.to.quota_bytes < c.from.quota_bytes;
    let gives = |c: &&Resize| c.to.quota_bytes > c.from.quota_bytes;
    let mut steps: Vec<Step> = changes.iter().filter(shrinks).map(item_size).collect();
    steps.extend(changes.iter().filter(takes).map(quota));
    steps.extend(changes.iter().filter(gives).map(quota));
    steps.extend(changes.iter().filter(grows).map(item_size));
    steps
}

#[cfg(test)]
#[path = "resize_test.rs"]
mod tests;
