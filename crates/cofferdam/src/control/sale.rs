//! What memory is sold, to whom it may be, and what is left for `default`.

use base::kv::ITEM_SIZE_MAX;
use base::{ByteSize, TenantId};
use cache::least_quota_bytes;
use runtime::state::TenantRecord;

use super::ControlError;
use super::resize::Limits;
use crate::config::ITEM_SIZE_MIN;

/// What the configuration says about sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Memory of all tenants together, in bytes.
    pub(crate) memory_bytes: u64,
    /// The largest value in bytes of `default`, and of tenants without a limit of their own.
    pub(crate) item_size_max: u32,
}

impl Sizes {
    /// What `default` has beside these tenants, in bytes.
    pub(super) fn left_for_default(&self, tenants: &[TenantRecord]) -> Result<u64, ControlError> {
        let sold = sold(tenants, None);
        let kept = least_quota_bytes(self.item_size_max);
        match self.memory_bytes.checked_sub(sold) {
            Some(left) if left >= kept => Ok(left),
            _ => Err(ControlError::MemoryTooSmall {
                memory: self.memory_bytes,
                sold,
                kept,
            }),
        }
    }

    /// What `default` may hold beside these tenants.
    pub(super) fn of_default(&self, tenants: &[TenantRecord]) -> Result<Limits, ControlError> {
        Ok(Limits {
            quota_bytes: self.left_for_default(tenants)?,
            item_size_max: self.item_size_max,
        })
    }

    /// What `default` has once `name` has `quota` bytes, with the tenant `instead_of` not counted.
    pub(super) fn left_after_sale(
        &self,
        tenants: &[TenantRecord],
        instead_of: Option<TenantId>,
        name: &str,
        quota: u64,
    ) -> Result<u64, ControlError> {
        let sold = sold(tenants, instead_of);
        let kept = least_quota_bytes(self.item_size_max);
        let to_sell = self.memory_bytes.saturating_sub(sold).saturating_sub(kept);
        if quota > to_sell {
            return Err(ControlError::Oversold {
                tenant: name.to_owned(),
                asked: quota,
                sold,
                memory: self.memory_bytes,
                kept,
                left: to_sell,
            });
        }
        Ok(self.memory_bytes.saturating_sub(sold).saturating_sub(quota))
    }
}

/// The item size asked for, within bounds, or `unsaid` if none was.
pub(super) fn item_size(asked_bytes: Option<u64>, unsaid: u32) -> Result<u32, ControlError> {
    let Some(bytes) = asked_bytes else {
        return Ok(unsaid);
    };
    match u32::try_from(bytes) {
        Ok(size) if (ITEM_SIZE_MIN..=u64::from(ITEM_SIZE_MAX)).contains(&bytes) => Ok(size),
        _ => Err(ControlError::Invalid(format!(
            "item size {} is out of bounds: choose 1KiB to 1GiB",
            ByteSize(bytes)
        ))),
    }
}

/// Whether a cache of `quota` bytes can replace its largest item.
pub(super) fn check_quota(name: &str, quota: u64, item_size_max: u32) -> Result<(), ControlError> {
    let least = least_quota_bytes(item_size_max);
    if quota >= least {
        return Ok(());
    }
    // A smaller item size is a remedy only above the floor of all quotas.
    let remedy = match quota >= least_quota_bytes(0) {
        true => ", or a smaller --item-size",
        false => "",
    };
    Err(ControlError::Invalid(format!(
        "memory of {} is too little for tenant {name:?} with items of {}: give at least {}{remedy}",
        ByteSize(quota),
        ByteSize(item_size_max.into()),
        ByteSize(least),
    )))
}

/// What is to be in force of limits that were written by another hand, or under other rules: within
/// bounds, and with the least quota.
pub(super) fn mended(tenant: &TenantRecord) -> Limits {
    let least = u32::try_from(ITEM_SIZE_MIN).unwrap_or(ITEM_SIZE_MAX);
    let item_size_max = tenant.item_size_max.clamp(least, ITEM_SIZE_MAX);
    Limits {
        quota_bytes: tenant.quota_bytes.max(least_quota_bytes(item_size_max)),
        item_size_max,
    }
}

fn sold(tenants: &[TenantRecord], except: Option<TenantId>) -> u64 {
    tenants
        .iter()
        .filter(|tenant| Some(tenant.id) != except)
        .fold(0, |sum, tenant| sum.saturating_add(tenant.quota_bytes))
}
