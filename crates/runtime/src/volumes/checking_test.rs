//! A volume is checked in use and at rest, and names the object that was tampered with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nbd_proto::Command;
use volume::{Defect, VolumeId};

use super::*;
use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{NbdClient, NbdListener, NbdUri};

const PATIENCE: Duration = Duration::from_secs(20);

fn served(dir: &Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    let listener = NbdListener::unix(&dir.join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes
}

fn spec() -> VolumeSpec {
    VolumeSpec {
        id: VolumeId(1),
        export: "data".to_owned(),
        tenant: DEFAULT_TENANT,
        size_bytes: 16 << 20,
        journal_len: 1 << 20,
        shared: false,
        limits: Default::default(),
    }
}

fn connect(dir: &Path) -> NbdClient {
    let socket = dir.join("nbd.sock");
    let uri: NbdUri = format!("nbd+unix:///data?socket={}", socket.display())
        .parse()
        .unwrap();
    NbdClient::connect(&uri, PATIENCE).unwrap()
}

/// The files of segments.
fn segments(dir: &Path) -> Vec<PathBuf> {
    let folder = dir.join("store/volume/0000000000000001/segment");
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn it_is_whole_until_a_byte_of_it_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    volumes.create(spec()).unwrap();
    assert!(volumes.check("data").unwrap().defects.is_empty());
    let mut client = connect(dir.path());
    let (offset, len, fua) = (0, 64 << 10, true);
    let write = Command::Write { offset, len, fua };
    client
        .ask(write, &vec![7; 64 << 10])
        .unwrap()
        .result
        .unwrap();
    let attached = volumes.attach("data").unwrap();
    assert!(attached.settle(Clock::new().now() + PATIENCE));
    let checked = volumes.check("data").unwrap();
    assert!(checked.defects.is_empty(), "{checked:?}");
    assert!(checked.objects > 0);
    for file in segments(dir.path()) {
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    // While it is in use, and after.
    let defects = volumes.check("data").unwrap().defects;
    let block = |defect: &Defect| matches!(defect, Defect::Block { block: 0, .. });
    assert!(defects.iter().any(block), "{defects:?}");
    drop((client, attached));
    volumes.drain(PATIENCE);
    let volumes = served(dir.path());
    volumes.add(spec());
    assert_eq!(volumes.check("data").unwrap().defects, defects);
    assert!(volumes.check("nobody").is_err());
    volumes.drain(PATIENCE);
}
