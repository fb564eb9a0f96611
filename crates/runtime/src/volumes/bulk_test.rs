//! Large writes: what does not shrink is stored once, and is there after an end in the middle.

use std::time::Duration;

use nbd_proto::{Command, Errno};
use volume::VolumeId;

use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{NbdClient, NbdListener, NbdUri, VolumeSpec, Volumes};

const SIZE: u64 = 32 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

struct Rig {
    dir: tempfile::TempDir,
    volumes: Volumes,
}

fn spec() -> VolumeSpec {
    VolumeSpec {
        id: VolumeId(1),
        export: "data".to_owned(),
        tenant: DEFAULT_TENANT,
        size_bytes: SIZE,
        journal_len: 12 << 20,
        shared: false,
        limits: Default::default(),
    }
}

fn served(dir: &std::path::Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    let listener = NbdListener::unix(&dir.join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let volumes = served(dir.path());
        volumes.create(spec()).unwrap();
        Self { dir, volumes }
    }

    fn connect(&self) -> NbdClient {
        let socket = self.dir.path().join("nbd.sock");
        let uri = format!("nbd+unix:///data?socket={}", socket.display());
        NbdClient::connect(&uri.parse::<NbdUri>().unwrap(), PATIENCE).unwrap()
    }

    fn restart(&mut self) {
        self.volumes.drain(PATIENCE);
        self.volumes = served(self.dir.path());
        self.volumes.add(spec());
    }

    /// How many objects large writes have.
    fn bulks(&self) -> usize {
        let folder = self
            .dir
            .path()
            .join("store/volume/0000000000000001/segment");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with('8'))
            .count()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.volumes.drain(PATIENCE);
    }
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = base::rng::Rng::new(seed);
    (0..len / 8)
        .flat_map(|_| rng.next_u64().to_le_bytes())
        .collect()
}

fn write(client: &mut NbdClient, offset: u64, data: &[u8], fua: bool) -> Result<Vec<u8>, Errno> {
    let len = u32::try_from(data.len()).unwrap();
    let command = Command::Write { offset, len, fua };
    client.ask(command, data).unwrap().result
}

fn read(client: &mut NbdClient, offset: u64, len: u32) -> Vec<u8> {
    let whole = false;
    let answer = client.ask(Command::Read { offset, len, whole }, &[]);
    answer.unwrap().result.unwrap()
}

#[test]
fn large_writes_of_any_cut_are_there_after_a_restart() {
    let mut rig = Rig::new();
    let mut model = vec![0; SIZE as usize];
    let mut client = rig.connect();
    let mut rng = base::rng::Rng::new(3);
    for turn in 0..60 {
        // Also such as are cut where a MiB begins, and small ones over and between them.
        let blocks = [1, 32, 40, 256, 300, 700][rng.below(6) as usize];
        let len = blocks << 12;
        let offset = rng.below((SIZE - len) >> 12) << 12;
        let data = noise(turn, len as usize);
        model[offset as usize..][..len as usize].copy_from_slice(&data);
        assert_eq!(write(&mut client, offset, &data, turn % 5 == 0), Ok(vec![]));
        assert_eq!(read(&mut client, offset, len as u32), data, "turn {turn}");
    }
    assert!(rig.bulks() > 0);
    client.ask(Command::Flush, &[]).unwrap().result.unwrap();
    client.disconnect().unwrap();
    rig.restart();
    let mut client = rig.connect();
    assert!(read(&mut client, 0, SIZE as u32) == model);
    client.disconnect().unwrap();
}

#[test]
fn what_shrinks_goes_through_the_journal() {
    let rig = Rig::new();
    let mut client = rig.connect();
    let data = vec![7; 1 << 20];
    assert_eq!(write(&mut client, 0, &data, false), Ok(vec![]));
    assert_eq!(rig.bulks(), 0);
    let noise = noise(1, 1 << 20);
    assert_eq!(write(&mut client, 1 << 20, &noise, false), Ok(vec![]));
    assert_eq!(rig.bulks(), 1);
    assert_eq!(read(&mut client, 0, 2 << 20), [data, noise].concat());
    client.disconnect().unwrap();
}

#[test]
fn a_client_that_goes_in_the_middle_leaves_no_object() {
    let rig = Rig::new();
    let mut client = rig.connect();
    let data = noise(1, 1 << 20);
    let (offset, len, fua) = (0, 1 << 20, false);
    client.put(Command::Write { offset, len, fua }, &data[..200 << 10]);
    client.send().unwrap();
    drop(client);
    // Whoever comes next finds what was there, and room for all that the journal takes.
    let mut client = rig.connect();
    assert_eq!(read(&mut client, 0, 4096), vec![0; 4096]);
    for turn in 0..20 {
        assert_eq!(write(&mut client, turn << 20, &data, false), Ok(vec![]));
    }
    client.disconnect().unwrap();
}
