//! Snapshots in the crash model: what is in each is known to the block, and looked at through clones.

use std::collections::BTreeMap;

use super::disk::Disk;
use super::past::Past;
use super::planted::Planted;
use super::world::{Op, World};
use crate::Engine;
use crate::catalogue::Catalogue;
use crate::checker::{Checker, Content};
use crate::create::create_clone;
use crate::name::{ObjectKind, ObjectName, VolumeId};
use crate::root::Root;
use crate::snapshot::{Parent, SnapshotId};

/// All that were ever begun.
#[derive(Default)]
pub(crate) struct Snapshots(BTreeMap<SnapshotId, Taken>);

struct Taken {
    name: String,
    size_blocks: u64,
    contents: Vec<Content>,
    /// Answered: it has to be there.
    durable: bool,
    /// Asked to be deleted: it may be gone; then answered: it must be.
    doomed: bool,
    gone: bool,
}

impl Snapshots {
    pub(crate) fn is_durable(&mut self, id: SnapshotId) {
        self.0.get_mut(&id).expect("it was taken").durable = true;
    }

    pub(crate) fn is_gone(&mut self, id: SnapshotId) {
        self.0.get_mut(&id).expect("it was taken").gone = true;
    }
}

impl World {
    pub(super) fn take_snapshot(&mut self, engine: &mut Engine) {
        let op = self.next_op;
        let name = format!("s{op}");
        let Ok(id) = engine.snapshot(op, &name, self.now) else {
            return;
        };
        self.next_op += 1;
        self.ops.insert(op, Op::Snapshot(id));
        let taken = Taken {
            name,
            size_blocks: self.sizes.now,
            contents: self.model.clone(),
            durable: self.planted == Planted::EarlySnapshot,
            doomed: false,
            gone: false,
        };
        self.snapshots.0.insert(id, taken);
    }

    pub(super) fn delete_snapshot(&mut self, engine: &mut Engine) {
        let there: Vec<SnapshotId> = engine.snapshots().map(|snapshot| snapshot.id).collect();
        let Some(id) = there.get(self.rng.below(there.len().max(1) as u64) as usize) else {
            return;
        };
        let op = self.next_op;
        if engine.delete_snapshot(op, *id).is_ok() {
            self.next_op += 1;
            self.ops.insert(op, Op::Deletion(*id));
            self.snapshots.0.get_mut(id).expect("it was taken").doomed = true;
        }
    }

    /// After an attachment: those that must be there are, and no others; what is there is to stay.
    pub(super) fn check_list(&mut self, engine: &Engine) -> Vec<String> {
        let there: Vec<_> = engine.snapshots().cloned().collect();
        let mut faults = Vec::new();
        for snapshot in &there {
            match self.snapshots.0.get_mut(&snapshot.id) {
                Some(taken) if !taken.gone && taken.name == snapshot.name => {
                    (taken.durable, taken.doomed) = (true, false);
                    if snapshot.size_blocks != taken.size_blocks {
                        faults.push(format!("{snapshot:?} has another length"));
                    }
                }
                _ => faults.push(format!("{snapshot:?} should not be there")),
            }
        }
        self.snapshots.0.retain(|id, taken| {
            let found = there.iter().any(|snapshot| snapshot.id == *id);
            if taken.durable && !taken.doomed && !found {
                faults.push(format!("{id:?} is lost"));
            }
            // What is not there now must not come again.
            taken.gone |= !found;
            true
        });
        faults
    }

    /// While nobody is attached: a snapshot is looked at, or gone back to.
    pub(super) fn between_lives(&mut self) -> Option<String> {
        let catalogue = self.catalogue(&self.store.list());
        let listed = catalogue.volumes.get(&self.config.volume)?;
        let stored = &listed.snapshots;
        if self.rng.below(8) == 0 {
            self.lose_journal();
            return None;
        }
        let choice = self.rng.below(2 * stored.len() as u64 + 1) as usize;
        let id = stored.get(choice)?.id;
        let taken = self.snapshots.0.get(&id);
        let Some(taken) = taken.filter(|taken| !taken.gone) else {
            return Some(format!("{id:?} should not be in the store"));
        };
        let (contents, size_blocks) = (taken.contents.clone(), taken.size_blocks);
        if self.rng.below(2) == 0 {
            return self.look_through_clone(&catalogue, id, (contents, size_blocks));
        }
        let fault = self.settle_snapshots();
        self.past.became(contents.clone());
        self.attach.restore = Some(id);
        self.sizes.became(size_blocks);
        self.checker.reset(&contents);
        fault
    }

    /// The disk with the journal is gone: the volume is to be what it was at some moment, with the
    /// snapshots that are stored durably: what is only seen may still go with the power.
    fn lose_journal(&mut self) {
        let catalogue = self.catalogue(&self.store.list_durable());
        let listed = catalogue.volumes.get(&self.config.volume);
        let stored = listed.into_iter().flat_map(|listed| &listed.snapshots);
        let stored: Vec<SnapshotId> = stored.map(|snapshot| snapshot.id).collect();
        self.disk = Disk::new(self.config.journal_len);
        (self.attach.without_journal, self.journal_lost) = (true, true);
        for (id, taken) in &mut self.snapshots.0 {
            taken.durable &= stored.contains(id);
        }
    }

    fn catalogue(&self, objects: &[(ObjectName, u64)]) -> Catalogue {
        let get = &mut |name, offset, len| self.store.get(name, offset, len);
        Catalogue::read(objects, get).expect("nothing fails here")
    }

    /// What is on its way has to be in the store before one can go back.
    fn settle_snapshots(&mut self) -> Option<String> {
        self.is_full = false;
        let mut engine = match self.attach() {
            Ok(engine) => engine,
            Err(error) => return Some(format!("{error:?}")),
        };
        let mut faults = self.settle(&mut engine);
        faults.extend(self.check_list(&engine));
        engine.settle();
        for _ in 0..20_000 {
            if engine
                .snapshots()
                .all(|snapshot| engine.is_stored(snapshot.id))
            {
                break;
            }
            self.idle(&mut engine);
        }
        self.crash();
        faults.into_iter().next()
    }

    /// A clone lives through two lives of its own, in the same store.
    fn look_through_clone(
        &mut self,
        catalogue: &Catalogue,
        snapshot: SnapshotId,
        (contents, size_blocks): (Vec<Content>, u64),
    ) -> Option<String> {
        let seed = self.rng.next_u64();
        let mut clone = World::empty(seed, Planted::Nothing, VolumeId(8));
        std::mem::swap(&mut clone.store, &mut self.store);
        clone.disk = Disk::new(clone.config.journal_len);
        clone.checker = Checker::new();
        clone.checker.reset(&contents);
        clone.past = Past::beginning(contents.clone());
        clone.model = contents;
        clone.sizes = self.sizes.of_clone(size_blocks);
        let parent = Parent {
            volume: self.config.volume,
            snapshot,
        };
        let config = clone.config.clone();
        let made = create_clone(&config, "eight", catalogue, parent, &mut clone);
        if let Err(error) = made {
            return Some(format!("clone of {snapshot:?}: {error:?}"));
        }
        let listed = clone.catalogue(&clone.store.list());
        assert_eq!(
            listed.clones_of(parent.volume, Some(snapshot)),
            [VolumeId(8)]
        );
        let mut faults = clone.live(200);
        faults.extend(clone.live(0));
        std::mem::swap(&mut clone.store, &mut self.store);
        self.store.forget(VolumeId(8));
        let fault = faults.into_iter().next()?;
        Some(format!("clone of {snapshot:?}: {fault}"))
    }

    /// What the store is given, made wrong if that is planned.
    pub(super) fn tampered(&self, name: ObjectName, bytes: &[u8]) -> Vec<u8> {
        if self.planted == Planted::Unpinned && name.kind == ObjectKind::Root {
            let mut root = Root::decode(bytes).expect("ours");
            root.rows.iter_mut().for_each(|(_, row)| row.pins = 0);
            return root.encode();
        }
        bytes.to_vec()
    }
}
