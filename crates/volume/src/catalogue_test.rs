//! The catalogue out of a store with several volumes.

use super::*;
use crate::name::ObjectKind;
use crate::root::Root;

fn name(volume: u64, number: u64) -> ObjectName {
    ObjectName {
        volume: VolumeId(volume),
        kind: ObjectKind::Root,
        number,
        epoch: 1,
    }
}

const ID: SnapshotId = SnapshotId { seq: 9, epoch: 1 };

const OBJECT: ObjectName = ObjectName {
    volume: VolumeId(1),
    kind: ObjectKind::Snapshot,
    number: 77,
    epoch: 1,
};

fn store() -> BTreeMap<ObjectName, Vec<u8>> {
    let mut first = Root::new(VolumeId(1), "data", 100);
    let snapshot = Snapshot {
        id: ID,
        name: "before".to_owned(),
        taken: base::Timestamp::from_secs(5),
        size_blocks: 100,
    };
    first.snapshots.push((snapshot, OBJECT));
    let mut clone = Root::new(VolumeId(2), "copy", 100);
    clone.parent = Some(Parent {
        volume: VolumeId(1),
        snapshot: ID,
    });
    BTreeMap::from([
        (name(1, 4), Root::new(VolumeId(1), "old", 50).encode()),
        (name(1, 5), first.encode()),
        (name(2, 1), clone.encode()),
        (name(3, 1), vec![1; 100]),
    ])
}

fn read(store: &BTreeMap<ObjectName, Vec<u8>>) -> Catalogue {
    let mut objects: Vec<(ObjectName, u64)> = Vec::new();
    objects.extend(
        store
            .iter()
            .map(|(name, bytes)| (*name, bytes.len() as u64)),
    );
    // Deleted while the list was made.
    objects.push((name(4, 1), 10));
    let get = &mut |name, _, _| store.get(&name).cloned().ok_or(IoError::NotFound);
    Catalogue::read(&objects, get).expect("nothing fails")
}

#[test]
fn volumes_snapshots_and_clones_are_found() {
    let catalogue = read(&store());
    let volumes: Vec<_> = catalogue
        .volumes
        .values()
        .map(|listed| &listed.label[..])
        .collect();
    assert_eq!(volumes, ["data", "copy"]);
    assert_eq!(catalogue.volumes[&VolumeId(1)].size_blocks, 100);
    let found = catalogue.find(VolumeId(1), "before").expect("it is there");
    assert_eq!(found.id, ID);
    assert_eq!(catalogue.find(VolumeId(2), "before"), None);
    assert_eq!(catalogue.clones_of(VolumeId(1), None), [VolumeId(2)]);
    assert_eq!(catalogue.clones_of(VolumeId(1), Some(ID)), [VolumeId(2)]);
    let other = SnapshotId { seq: 8, epoch: 1 };
    assert_eq!(catalogue.clones_of(VolumeId(1), Some(other)), []);
    assert_eq!(catalogue.clones_of(VolumeId(2), None), []);
}

#[test]
fn what_cannot_be_read_is_named_and_hides_nothing_else() {
    let catalogue = read(&store());
    assert_eq!(catalogue.damaged.get(&VolumeId(3)), Some(&name(3, 1)));
    assert_eq!(catalogue.damaged.get(&VolumeId(4)), Some(&name(4, 1)));
    let parent = Parent {
        volume: VolumeId(1),
        snapshot: ID,
    };
    assert_eq!(catalogue.object_of(parent), Some(OBJECT));
    let get = &mut |_, _, _| Err(IoError::Failed);
    let failed = Catalogue::read(&[(name(1, 1), 1)], get).map(|_| ());
    assert_eq!(failed, Err(IoError::Failed));
}
