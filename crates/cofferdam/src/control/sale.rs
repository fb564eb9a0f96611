//! What memory is sold, to whom it may be, and what is left for `default`.

use base::kv::ITEM_SIZE_MAX;
use base::{ByteSize, TenantId};
use runtime::state::TenantRecord;

use super::ControlError;
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
        let kept = least_quota(self.item_size_max);
        match self.memory_bytes.checked_sub(sold) {
            Some(left) if left >= kept => Ok(left),
            _ => Err(ControlError::MemoryTooSmall {
                memory: self.memory_bytes,
                sold,
                kept,
            }),
        }
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
        let kept = least_quota(self.item_size_max);
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
    let least = least_quota(item_size_max);
    if quota >= least {
        return Ok(());
    }
    Err(ControlError::Invalid(format!(
        "tenant {name:?} needs at least {} of memory, twice its item size of {}, and not {}: \
         give more memory or a smaller --item-size",
        ByteSize(least),
        ByteSize(item_size_max.into()),
        ByteSize(quota)
    )))
}

fn least_quota(item_size_max: u32) -> u64 {
    2 * u64::from(item_size_max)
}

fn sold(tenants: &[TenantRecord], except: Option<TenantId>) -> u64 {
    tenants
        .iter()
        .filter(|tenant| Some(tenant.id) != except)
        .fold(0, |sum, tenant| sum.saturating_add(tenant.quota_bytes))
}
