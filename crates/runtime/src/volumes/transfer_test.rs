//! What goes to a file and back is the same, and holes stay holes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{NbdListener, NbdUri, VolumeId, VolumeSpec, Volumes};

const SIZE: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

fn served(dir: &Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    volumes
        .serve(NbdListener::unix(&dir.join("nbd.sock")).unwrap())
        .unwrap();
    for (id, export) in [(1, "data"), (2, "copy")] {
        let spec = VolumeSpec {
            id: VolumeId(id),
            export: export.to_owned(),
            tenant: DEFAULT_TENANT,
            size_bytes: SIZE,
            journal_len: 1 << 20,
            shared: false,
            limits: Default::default(),
        };
        volumes.create(spec).unwrap();
    }
    volumes
}

fn connect(dir: &Path, export: &str) -> NbdClient {
    let socket = dir.join("nbd.sock");
    let uri: NbdUri = format!("nbd+unix:///{export}?socket={}", socket.display())
        .parse()
        .unwrap();
    NbdClient::connect(&uri, PATIENCE).unwrap()
}

#[test]
fn a_file_comes_back_as_it_went_with_its_holes() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let there = tempfile::tempfile().unwrap();
    // Not a multiple of blocks: the rest of the volume's last block is zero.
    there.set_len(SIZE - 1000).unwrap();
    let marks = [(0, 5000), (3 << 20, 3 << 20), (SIZE - 5000, 4000)];
    for (at, len) in marks {
        let bytes: Vec<u8> = (0..len as u64).map(|byte| (byte % 251 + 1) as u8).collect();
        there.write_all_at(&bytes, at).unwrap();
    }
    let mut client = connect(dir.path(), "data");
    let went = import(&mut client, &there).unwrap();
    assert_eq!(went.size_bytes, SIZE - 1000);
    assert!(went.data_bytes >= (3 << 20) + 9000 && went.data_bytes < 4 << 20);

    let back = tempfile::tempfile().unwrap();
    let came = export(&mut client, &back).unwrap();
    assert_eq!(came.size_bytes, SIZE);
    assert!(back.metadata().unwrap().blocks() * 512 < 8 << 20, "sparse");
    let (mut one, other) = (whole(&there), whole(&back));
    one.resize(other.len(), 0);
    assert!(one == other);
    client.disconnect().unwrap();
    volumes.drain(PATIENCE);
}

#[test]
fn a_file_of_zeroes_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&vec![0; 1 << 20], 0).unwrap();
    let mut client = connect(dir.path(), "copy");
    let went = import(&mut client, &file).unwrap();
    assert_eq!((went.size_bytes, went.data_bytes), (1 << 20, 0));
    client.disconnect().unwrap();
    volumes.drain(PATIENCE);
}

#[test]
fn what_does_not_fit_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&[7; 4096], SIZE).unwrap();
    let mut client = connect(dir.path(), "data");
    let refused = import(&mut client, &file);
    assert!(
        matches!(
            refused,
            Err(TransferError::Refused {
                offset: SIZE,
                errno: Errno::NoSpc
            })
        ),
        "{refused:?}"
    );
    client.disconnect().unwrap();
    volumes.drain(PATIENCE);
}

fn whole(file: &File) -> Vec<u8> {
    super::super::file::read(file, 0, file.metadata().unwrap().len())
        .unwrap()
        .into()
}
