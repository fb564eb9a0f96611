//! Who tells people of what a change has cost a tenant.

use super::Control;
use crate::observe::MemoryCut;

/// Tells of a quota that was cut.
pub(super) type Herald = Box<dyn Fn(MemoryCut) + Send + Sync>;

impl Control {
    /// Says who tells people; once.
    pub(crate) fn tell_by(&self, herald: Herald) {
        // Nobody says so twice.
        let _ = self.herald.set(herald);
    }

    pub(super) fn tell(&self, cuts: Vec<MemoryCut>) {
        if let Some(herald) = self.herald.get() {
            cuts.into_iter().for_each(herald);
        }
    }
}
