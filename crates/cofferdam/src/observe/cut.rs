//! A quota that was cut below what its tenant held, and what that has cost.

use std::sync::Arc;

use base::event::{EventKind, Figure, Unit};
use base::{ByteSize, Timestamp};

use super::signal::Signal;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryCut {
    pub(crate) tenant: Arc<str>,
    pub(crate) from_bytes: u64,
    pub(crate) to_bytes: u64,
    /// Its items before.
    pub(crate) items: u64,
    /// Of these, the ones that are gone.
    pub(crate) dropped: u64,
}

impl MemoryCut {
    /// What is to be said of it.
    pub(super) fn signal(&self, now: Timestamp) -> Signal {
        let Self {
            tenant,
            from_bytes,
            to_bytes,
            items,
            dropped,
        } = self;
        let sentence = format!(
            "The memory of tenant {tenant} was cut from {} to {}, which is less than it held: {dropped} \
             of its {items} items are gone, those that were used least.",
            ByteSize(*from_bytes).rounded(),
            ByteSize(*to_bytes).rounded(),
        );
        Signal::moment(EventKind::MemoryCut, now, sentence)
            .tenant(Some(tenant))
            .advice(format!(
                "Its clients find less until they have stored it anew: watch its hit ratio (`cofferdam \
                 stat --tenant {tenant}`)."
            ))
            .evidence([
                Figure::new("items_before", *items as f64, Unit::Count),
                Figure::new("items_dropped", *dropped as f64, Unit::Count),
                Figure::new("memory_before", *from_bytes as f64, Unit::Bytes),
                Figure::new("memory_after", *to_bytes as f64, Unit::Bytes),
            ])
    }
}

#[cfg(test)]
#[path = "cut_test.rs"]
mod tests;
