//! What a store says of a volume's past: which root counts, and which segments came after it.

use std::collections::{BTreeMap, VecDeque};

use crate::command::IoError;
use crate::name::{ObjectKind, ObjectName, SegmentId, VolumeId};
use crate::open::OpenError;
use crate::root::{Claim, Root};

/// Reads a range of an object.
pub(crate) type Get<'a> = dyn FnMut(ObjectName, u64, u64) -> Result<Vec<u8>, IoError> + 'a;

/// One volume's objects, and what each attachment found, by epoch.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) objects: BTreeMap<ObjectName, u64>,
    claims: BTreeMap<u32, Claim>,
}

impl History {
    /// Takes up the objects of one volume out of a list that may have others too.
    pub(crate) fn read(
        volume: VolumeId,
        objects: impl IntoIterator<Item = (ObjectName, u64)>,
        get: &mut Get<'_>,
    ) -> Result<Self, IoError> {
        let objects = objects.into_iter();
        let objects: BTreeMap<_, _> = objects.filter(|(name, _)| name.volume == volume).collect();
        let mut claims = BTreeMap::new();
        for (name, len) in &objects {
            if name.kind == ObjectKind::Claim {
                // A torn one was never answered, so that its attachment never began.
                if let Some(claim) = Claim::decode(&get(*name, 0, *len)?) {
                    claims.insert(name.epoch, claim);
                }
            }
        }
        Ok(Self { objects, claims })
    }

    /// The highest epoch that any object has.
    pub(crate) fn epoch(&self) -> u32 {
        self.objects
            .keys()
            .map(|name| name.epoch)
            .max()
            .unwrap_or(0)
    }

    /// Whether no later attachment began without this segment.
    fn has_won(&self, id: SegmentId) -> bool {
        self.later_than(id.epoch)
            .all(|claim| id.number <= claim.head_number)
    }

    /// Whether no later attachment began from an older root; what this one names is deleted then.
    fn root_has_won(&self, name: ObjectName) -> bool {
        self.later_than(name.epoch)
            .all(|claim| (name.epoch, name.number) <= claim.root)
    }

    fn later_than(&self, epoch: u32) -> impl Iterator<Item = &Claim> {
        let later = epoch.checked_add(1).map(|epoch| self.claims.range(epoch..));
        later.into_iter().flatten().map(|(_, claim)| claim)
    }

    /// The root that counts.
    pub(crate) fn newest_root(&self, get: &mut Get<'_>) -> Result<(ObjectName, Root), OpenError> {
        let roots = self.objects.iter();
        let roots = roots.filter(|(name, _)| name.kind == ObjectKind::Root);
        let mut roots: Vec<_> = roots.map(|(name, len)| (*name, *len)).collect();
        roots.sort_by_key(|(name, _)| (name.epoch, name.number));
        let damaged = roots.last().map(|(name, _)| *name);
        for (name, len) in roots.into_iter().rev() {
            let root = Root::decode(&get(name, 0, len)?);
            let ours = |root: &Root| root.volume == name.volume && self.root_has_won(name);
            if let Some(root) = root.filter(ours) {
                return Ok((name, root));
            }
        }
        Err(damaged.map_or(OpenError::NoVolume, OpenError::Damaged))
    }

    /// The segments after the root, one for each number, as far as there are any.
    pub(crate) fn chain(&self, root: &Root) -> VecDeque<(ObjectName, u64)> {
        let mut chain = VecDeque::new();
        let mut last = SegmentId {
            number: root.head.number,
            epoch: root.epoch,
        };
        loop {
            let number = last.number + 1;
            let named = |epoch| ObjectName::segment(root.volume, SegmentId { number, epoch });
            let range = self.objects.range(named(last.epoch)..=named(u32::MAX));
            let mut candidates = range.rev();
            let next = candidates.find(|(name, _)| self.has_won(name.segment_id()));
            let Some((name, len)) = next else {
                return chain;
            };
            last = name.segment_id();
            chain.push_back((*name, *len));
        }
    }
}
