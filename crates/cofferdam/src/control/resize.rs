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
/// first. Tells which of them may cost a tenant items.
pub(super) fn apply(
    plane: &dyn DataPlane,
    changes: &[Resize],
) -> Result<Vec<MemoryCut>, PlaneError> {
    let cuts = changes.iter().filter_map(|change| cut(plane, change));
    let cuts: Vec<MemoryCut> = cuts.collect();
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
    Ok(cuts)
}

/// A quota that is about to be cut below what is held.
fn cut(plane: &dyn DataPlane, change: &Resize) -> Option<MemoryCut> {
    let (from_bytes, to_bytes) = (change.from.quota_bytes, change.to.quota_bytes);
    if to_bytes >= from_bytes {
        return None;
    }
    let (cache, _) = plane.stats(change.id)?;
    let directory = plane.directory();
    let tenant = Arc::clone(&directory.tenant(change.id)?.name);
    (cache.held_bytes > to_bytes).then_some(MemoryCut {
        id: change.id,
        tenant,
        from_bytes,
        to_bytes,
        items: cache.curr_items,
        evicted_before: cache.evictions,
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
