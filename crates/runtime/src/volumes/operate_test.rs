//! Snapshots stay what they were, clones go their own way, and back is back.

use std::path::Path;
use std::time::Duration;

use base::TenantId;
use nbd_proto::Command;

use super::*;
use crate::Clock;
use crate::volumes::{NbdClient, NbdListener, NbdUri};

const SIZE: u64 = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

fn spec(id: u64, export: &str) -> VolumeSpec {
    VolumeSpec {
        id: VolumeId(id),
        export: export.to_owned(),
        tenant: TenantId(1),
        size_bytes: SIZE,
        journal_len: 1 << 20,
        shared: false,
        limits: Default::default(),
    }
}

fn fill(volumes: &Volumes, export: &str, byte: u8) {
    let volume = volumes.attach(export).unwrap();
    let data = [byte; 4096];
    volume
        .operate(|device, id| device.write(id, 0, &data, true))
        .unwrap();
}

/// The first byte, as an NBD client reads it.
fn first_byte(volumes: &Volumes, dir: &Path, export: &str) -> u8 {
    let socket = dir.join("nbd.sock");
    let uri: NbdUri = format!("nbd+unix:///{export}?socket={}", socket.display())
        .parse()
        .unwrap();
    let mut client = NbdClient::connect(&uri, PATIENCE).unwrap();
    let (offset, len, whole) = (0, 4096, true);
    let answer = client
        .ask(Command::Read { offset, len, whole }, &[])
        .unwrap();
    drop(client);
    // What comes next wants nobody to use it any more.
    while !volumes.status(export).unwrap().clients.is_empty() {
        volumes.shared.pause();
    }
    answer.result.unwrap()[0]
}

#[test]
fn snapshots_clones_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = Volumes::new(dir.path(), Clock::new()).unwrap();
    let listener = NbdListener::unix(&dir.path().join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes.create(spec(1, "data")).unwrap();
    fill(&volumes, "data", 1);
    let taken = volumes.snapshot("data", "first").unwrap();
    assert_eq!((&taken.name[..], taken.size_blocks), ("first", SIZE / 4096));
    assert!(
        volumes.snapshot("data", "first").is_err(),
        "the name is in use"
    );
    fill(&volumes, "data", 2);
    assert_eq!(
        volumes
            .clone_volume("data", "first", spec(2, "copy"))
            .unwrap(),
        SIZE
    );
    assert_eq!(
        (
            first_byte(&volumes, dir.path(), "data"),
            first_byte(&volumes, dir.path(), "copy")
        ),
        (2, 1)
    );
    fill(&volumes, "copy", 3);
    let clones = volumes.remove("data").unwrap_err();
    assert!(
        matches!(clones, VolumeError::HasClones { count: 1 }),
        "{clones}"
    );
    let clones = volumes.delete_snapshot("data", "first").unwrap_err();
    assert!(
        matches!(clones, VolumeError::HasClones { count: 1 }),
        "{clones}"
    );
    volumes.restore("data", "first").unwrap();
    assert_eq!(
        (
            first_byte(&volumes, dir.path(), "data"),
            first_byte(&volumes, dir.path(), "copy")
        ),
        (1, 3)
    );
    volumes.remove("copy").unwrap();
    volumes.delete_snapshot("data", "first").unwrap();
    assert!(volumes.snapshots("data").unwrap().is_empty());
    volumes.drain(Duration::from_secs(20));
}

#[test]
fn another_size_is_there_at_once_and_later() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = Volumes::new(dir.path(), Clock::new()).unwrap();
    volumes.create(spec(1, "data")).unwrap();
    volumes.resize("data", 2 * SIZE, false).unwrap();
    assert_eq!(volumes.status("data").unwrap().spec.size_bytes, 2 * SIZE);
    fill(&volumes, "data", 1);
    volumes.resize("data", SIZE, false).unwrap();
    let refused = volumes.resize("data", 0, true).unwrap_err();
    assert!(matches!(refused, VolumeError::Refused { .. }), "{refused}");
    volumes.drain(Duration::from_secs(20));
    let again = Volumes::new(dir.path(), Clock::new()).unwrap();
    again.add(spec(1, "data"));
    assert_eq!(again.attach("data").unwrap().size_bytes(), SIZE);
    again.drain(Duration::from_secs(20));
}
