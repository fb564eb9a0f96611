//! Either copy alone has all that was flushed; one that fails is left behind and made anew.

use std::path::PathBuf;
use std::time::Duration;

use base::TenantId;

use super::*;
use crate::Clock;

const SIZE: u64 = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// Volumes of a folder, and a folder for second copies.
struct Rig {
    dir: tempfile::TempDir,
    volumes: Volumes,
}

fn spec() -> VolumeSpec {
    VolumeSpec {
        id: VolumeId(1),
        export: "data".to_owned(),
        tenant: TenantId(1),
        size_bytes: SIZE,
        journal_len: 1 << 20,
        shared: false,
        limits: Default::default(),
    }
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let volumes = Volumes::new(&dir.path().join("first"), Clock::new()).unwrap();
        volumes.create(spec()).unwrap();
        Self { dir, volumes }
    }

    fn second(&self) -> PathBuf {
        self.dir.path().join("second")
    }

    /// Writes each of these blocks with a byte, durably.
    fn write(&self, blocks: std::ops::Range<u64>, byte: u8) {
        let volume = self.volumes.attach("data").unwrap();
        for block in blocks {
            let data = [byte; 4096];
            let write =
                |device: &mut volume::Device, id| device.write(id, block * 4096, &data, true);
            volume.operate(write).unwrap();
        }
    }

    /// Ends as if killed, and begins again with another folder as the first copy.
    fn again(&mut self, first: &Path) {
        self.volumes.drain(Duration::ZERO);
        self.volumes = Volumes::new(first, Clock::new()).unwrap();
        self.volumes.add(spec());
    }

    fn behind(&self) -> Option<String> {
        self.volumes.attach("data").unwrap();
        let status = self.volumes.status("data").unwrap();
        status.attached.unwrap().mirror.unwrap().behind
    }
}

/// Whether the volume of a folder has these bytes at the beginning of these blocks.
fn holds(volumes: &Volumes, blocks: std::ops::Range<u64>, byte: u8) -> bool {
    let volume = volumes.attach("data").unwrap();
    volume.settle(volume.now() + PATIENCE);
    drop(volume);
    let checked = volumes.check("data").unwrap();
    assert!(checked.defects.is_empty(), "{:?}", checked.defects);
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("nbd.sock");
    let listener = crate::volumes::NbdListener::unix(&socket).unwrap();
    volumes.serve(listener).unwrap();
    let uri = format!("nbd+unix:///data?socket={}", socket.display());
    let mut client = crate::volumes::NbdClient::connect(&uri.parse().unwrap(), PATIENCE).unwrap();
    let mut all = true;
    for block in blocks {
        let (offset, len, whole) = (block * 4096, 4096, true);
        let read = nbd_proto::Command::Read { offset, len, whole };
        all &= client.ask(read, &[]).unwrap().result.unwrap() == [byte; 4096];
    }
    client.disconnect().unwrap();
    all
}

#[test]
fn the_second_copy_alone_has_all_that_was_flushed() {
    let mut rig = Rig::new();
    rig.write(0..300, 1);
    rig.volumes.mirror("data", Some(&rig.second())).unwrap();
    // Some of it is packed into objects, the end is only in the journal.
    rig.write(100..900, 2);
    assert_eq!(rig.behind(), None);
    let second = rig.second();
    rig.again(&second);
    assert!(holds(&rig.volumes, 0..100, 1));
    assert!(holds(&rig.volumes, 100..900, 2));
    rig.volumes.drain(PATIENCE);
}

#[test]
fn the_first_copy_alone_has_it_too_and_takes_back_objects_that_it_lost() {
    let mut rig = Rig::new();
    rig.volumes.mirror("data", Some(&rig.second())).unwrap();
    rig.write(0..600, 3);
    let volume = rig.volumes.attach("data").unwrap();
    assert!(volume.settle(volume.now() + PATIENCE));
    drop(volume);
    let first = rig.dir.path().join("first");
    let segments = "store/volume/0000000000000001/segment";
    fs::remove_dir_all(first.join(segments)).unwrap();
    rig.again(&first);
    assert_eq!(rig.behind(), None);
    assert!(first.join(segments).is_dir());
    fs::remove_dir_all(rig.second()).unwrap();
    rig.again(&first);
    assert!(holds(&rig.volumes, 0..600, 3));
    rig.volumes.drain(PATIENCE);
}

#[test]
fn a_copy_that_fails_is_left_behind_and_made_anew() {
    let mut rig = Rig::new();
    rig.volumes.mirror("data", Some(&rig.second())).unwrap();
    rig.write(0..50, 4);
    // A file where there should be a folder: nothing can be stored there.
    fs::remove_dir_all(rig.second().join("store")).unwrap();
    fs::write(rig.second().join("store"), "gone").unwrap();
    rig.write(50..900, 4);
    let volume = rig.volumes.attach("data").unwrap();
    volume.settle(volume.now() + PATIENCE);
    drop(volume);
    assert!(rig.behind().is_some());
    assert!(
        !rig.second()
            .join("journals/0000000000000001.journal")
            .exists()
    );
    fs::remove_file(rig.second().join("store")).unwrap();
    let first = rig.dir.path().join("first");
    rig.again(&first);
    assert_eq!(rig.behind(), None);
    rig.write(0..10, 5);
    let second = rig.second();
    rig.again(&second);
    assert!(holds(&rig.volumes, 0..10, 5));
    assert!(holds(&rig.volumes, 10..900, 4));
    rig.volumes.drain(PATIENCE);
}

#[test]
fn where_there_can_be_none_it_is_refused_and_forgotten() {
    let rig = Rig::new();
    let place = rig.second();
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("journals"), "no folder").unwrap();
    let refused = rig.volumes.mirror("data", Some(&place)).unwrap_err();
    assert!(refused.to_string().contains("no second copy"), "{refused}");
    rig.volumes.attach("data").unwrap();
    let status = rig.volumes.status("data").unwrap();
    assert_eq!(status.attached.unwrap().mirror, None);
}

/// What large writes have in a folder of volumes: names and bytes.
fn bulks(first: &Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let folder = first.join("store/volume/0000000000000001/segment");
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let bulks = files.filter(|file| file.file_name().to_string_lossy().starts_with('8'));
    let mut bulks: Vec<_> = bulks
        .map(|file| (file.file_name(), fs::read(file.path()).unwrap()))
        .collect();
    bulks.sort();
    bulks
}

#[test]
fn large_writes_are_objects_in_both_copies() {
    let mut rig = Rig::new();
    rig.volumes.mirror("data", Some(&rig.second())).unwrap();
    let first = rig.dir.path().join("first");
    let mut rng = base::rng::Rng::new(5);
    let noise: Vec<u8> = (0..(256 << 10) / 8)
        .flat_map(|_| rng.next_u64().to_le_bytes())
        .collect();
    let ask = |volumes: &Volumes, command, data: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("nbd.sock");
        volumes
            .serve(crate::volumes::NbdListener::unix(&socket).unwrap())
            .unwrap();
        let uri = format!("nbd+unix:///data?socket={}", socket.display());
        let uri = uri.parse().unwrap();
        let mut client = crate::volumes::NbdClient::connect(&uri, PATIENCE).unwrap();
        let answer = client.ask(command, data).unwrap().result;
        client.disconnect().unwrap();
        answer
    };
    let (offset, len) = (1 << 20, 256 << 10);
    let write = nbd_proto::Command::Write {
        offset,
        len,
        fua: true,
    };
    ask(&rig.volumes, write, &noise).unwrap();
    assert_eq!(bulks(&first).len(), 1);
    assert_eq!(bulks(&first), bulks(&rig.second()));
    assert_eq!(rig.behind(), None);
    // Journalled records say that it was durable: it is not stored anew for that.
    rig.write(0..2, 1);
    // The second copy falls behind, loses what it has of the object, and is made anew.
    let name = bulks(&first)[0].0.clone();
    rig.again(&first);
    let folder = rig.second().join("store/volume/0000000000000001/segment");
    fs::write(folder.join(name), vec![0; bulks(&first)[0].1.len()]).unwrap();
    let journal = rig.second().join("journals/0000000000000001.journal");
    fs::rename(&journal, journal.with_extension("behind")).unwrap();
    assert_eq!(rig.behind(), None);
    assert_eq!(bulks(&first), bulks(&rig.second()));
    let second = rig.second();
    rig.again(&second);
    let whole = true;
    let read = nbd_proto::Command::Read { offset, len, whole };
    assert_eq!(ask(&rig.volumes, read, &[]).unwrap(), noise);
    rig.volumes.drain(PATIENCE);
}
