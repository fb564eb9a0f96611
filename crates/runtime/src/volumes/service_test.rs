//! Volumes over real sockets: what is written is there, also after an end in the middle.

use std::path::Path;

use base::TenantId;
use nbd_proto::Command;

use super::*;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{MeterFigures, NbdClient, NbdUri};

const SIZE: u64 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// Volumes of a folder, served at a socket in it.
struct Rig {
    dir: tempfile::TempDir,
    volumes: Volumes,
}

fn spec(id: u64, export: &str, tenant: TenantId) -> VolumeSpec {
    VolumeSpec {
        id: VolumeId(id),
        export: export.to_owned(),
        tenant,
        size_bytes: SIZE,
        journal_len: 1 << 20,
        shared: false,
        limits: Default::default(),
    }
}

fn served(dir: &Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    let listener = NbdListener::unix(&dir.join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let volumes = served(dir.path());
        volumes.create(spec(1, "data", DEFAULT_TENANT)).unwrap();
        Self { dir, volumes }
    }

    /// What was counted of the one volume. Whoever is holding it at this moment lets go of it.
    fn meters(&self) -> MeterFigures {
        loop {
            if let Some(pulse) = self.volumes.pulses().first() {
                return pulse.meters;
            }
            self.volumes.shared.pause();
        }
    }

    fn connect(&self, export: &str) -> io::Result<NbdClient> {
        let socket = self.dir.path().join("nbd.sock");
        let uri: NbdUri = format!("nbd+unix:///{export}?socket={}", socket.display())
            .parse()
            .unwrap();
        NbdClient::connect(&uri, PATIENCE)
    }

    /// Ends and begins again.
    fn restart(&mut self) {
        self.volumes.drain(PATIENCE);
        self.volumes = served(self.dir.path());
        self.volumes.add(spec(1, "data", DEFAULT_TENANT));
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.volumes.drain(PATIENCE);
    }
}

fn write(offset: u64, len: usize, fua: bool) -> Command {
    let len = u32::try_from(len).unwrap();
    Command::Write { offset, len, fua }
}

fn read(client: &mut NbdClient, offset: u64, len: u32) -> Vec<u8> {
    let whole = false;
    let answer = client.ask(Command::Read { offset, len, whole }, &[]);
    answer.unwrap().result.unwrap()
}

fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = base::rng::Rng::new(seed);
    (0..len).map(|_| rng.next_u64() as u8).collect()
}

#[test]
fn what_is_written_is_read_in_any_cut_and_after_a_restart() {
    let mut rig = Rig::new();
    let mut model = vec![0; SIZE as usize];
    let mut client = rig.connect("data").unwrap();
    assert_eq!(client.joined().size_bytes, SIZE);
    let mut rng = base::rng::Rng::new(1);
    for turn in 0..120 {
        let len = match turn % 4 {
            0 => 1 + rng.below(300_000) as usize,
            1 => 4096,
            _ => 1 + rng.below(9_000) as usize,
        };
        let offset = rng.below(SIZE - len as u64);
        let data = pattern(turn, len);
        model[offset as usize..][..len].copy_from_slice(&data);
        let answer = client
            .ask(write(offset, len, turn % 7 == 0), &data)
            .unwrap();
        assert_eq!(answer.result, Ok(Vec::new()));
        let from = offset.saturating_sub(5_000);
        let count = (len as u64 + 9_000).min(SIZE - from);
        let found = read(&mut client, from, count as u32);
        assert!(
            found == model[from as usize..][..count as usize],
            "turn {turn}"
        );
    }
    drop(client);
    rig.restart();
    let mut client = rig.connect("").unwrap();
    assert!(read(&mut client, 0, SIZE as u32) == model);
    client.disconnect().unwrap();
}

#[test]
fn many_requests_at_once_are_all_answered() {
    let rig = Rig::new();
    let mut client = rig.connect("data").unwrap();
    let data = pattern(3, 4096);
    for round in 0..40 {
        for block in 0..64 {
            client.put(
                write((round * 64 + block) * 4096, 4096, block % 16 == 0),
                &data,
            );
        }
        client.put(Command::Flush, &[]);
        client.send().unwrap();
        while client.under_way() > 0 {
            assert_eq!(client.answer().unwrap().result, Ok(Vec::new()));
        }
    }
    let status = rig.volumes.status("data").unwrap();
    let attached = status.attached.expect("a client is there");
    assert!(attached.figures.segments > 0, "{attached:?}");
    assert_eq!(status.clients.len(), 1);
}

#[test]
fn zeroes_and_status_agree() {
    let rig = Rig::new();
    let mut client = rig.connect("data").unwrap();
    client
        .ask(write(0, 65536, false), &pattern(1, 65536))
        .unwrap();
    let (offset, len, fua) = (8192, 16384, true);
    let zero = Command::WriteZeroes {
        offset,
        len,
        fua,
        no_hole: false,
        fast: true,
    };
    client.ask(zero, &[]).unwrap().result.unwrap();
    client
        .ask(
            Command::Trim {
                offset: 40960,
                len: 4096,
                fua,
            },
            &[],
        )
        .unwrap()
        .result
        .unwrap();
    let status = Command::BlockStatus {
        offset: 0,
        len: 131072,
        one: false,
    };
    let extents = client.ask(status, &[]).unwrap().extents;
    let told: Vec<(u32, bool)> = extents.iter().map(|e| (e.len, e.zero)).collect();
    let expected = [
        (8192, false),
        (16384, true),
        (16384, false),
        (4096, true),
        (20480, false),
        (65536, true),
    ];
    assert_eq!(told, expected);
    assert!(read(&mut client, 8192, 16384).iter().all(|byte| *byte == 0));
    let beyond = client.ask(write(SIZE - 1, 2, false), b"no").unwrap();
    assert_eq!(beyond.result, Err(nbd_proto::Errno::NoSpc));
}

#[test]
fn a_client_that_goes_amid_a_write_lets_the_volume_go() {
    let rig = Rig::new();
    let mut client = rig.connect("data").unwrap();
    // The header of a write of 128 KiB, and half of its data.
    client.put(write(0, 128 << 10, false), &[1; 64 << 10]);
    client.send().unwrap();
    drop(client);
    while !rig.volumes.status("data").unwrap().clients.is_empty() {
        rig.volumes.shared.pause();
    }
    let meters = rig.meters();
    assert_eq!(meters.queue_len, 0);
    assert_eq!(meters.operations[1].failed, 1);
}

#[test]
fn what_clients_ask_is_counted() {
    let rig = Rig::new();
    let mut client = rig.connect("data").unwrap();
    let data = pattern(1, 300_000);
    client.ask(write(100, data.len(), true), &data).unwrap();
    read(&mut client, 0, 4096);
    client.ask(Command::Flush, &[]).unwrap();
    let beyond = client.ask(write(SIZE, 512, false), &[0; 512]).unwrap();
    assert!(beyond.result.is_err());
    let meters = rig.meters();
    let [reads, writes, zeroes, flushes] = meters.operations;
    // What is refused as it comes is asked of nobody.
    assert_eq!((writes.count, writes.failed, writes.bytes), (1, 0, 300_000));
    assert_eq!((reads.count, reads.bytes), (1, 4096));
    assert_eq!((zeroes.count, flushes.count), (0, 1));
    assert!(writes.time > Duration::ZERO);
    assert_eq!((meters.queue_len, meters.still), (0, Duration::ZERO));
}

#[test]
fn tenants_and_names_are_kept_apart() {
    let rig = Rig::new();
    rig.volumes
        .create(spec(2, "acme/data", TenantId(5)))
        .unwrap();
    assert!(rig.connect("acme/data").is_ok());
    assert!(
        rig.connect("").is_err(),
        "there are two, so none is the default"
    );
    let unknown = rig.connect("none").unwrap_err();
    assert_eq!(unknown.kind(), io::ErrorKind::PermissionDenied);
    assert!(!Identity::Address("127.0.0.1".parse().unwrap()).may_see(TenantId(5)));
    let tcp = NbdListener::tcp("192.0.2.1:0".parse().unwrap(), None);
    assert!(tcp.is_err_and(|error| error.to_string().contains("client certificates")));
}

#[test]
fn one_client_has_a_volume_unless_it_is_shared() {
    let rig = Rig::new();
    let tcp = NbdListener::tcp("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let uri: NbdUri = format!("nbd://{}/data", tcp.local_addr().unwrap())
        .parse()
        .unwrap();
    rig.volumes.serve(tcp).unwrap();
    let first = rig.connect("data").unwrap();
    let second = rig.connect("data").unwrap();
    let other = NbdClient::connect(&uri, PATIENCE).unwrap_err();
    assert!(other.to_string().contains("attached by user"), "{other}");
    let in_use = rig.volumes.remove("data");
    assert!(
        matches!(in_use, Err(VolumeError::InUse { clients: 2, .. })),
        "{in_use:?}"
    );
    drop((first, second));
    let shared = VolumeSpec {
        shared: true,
        ..spec(2, "both", DEFAULT_TENANT)
    };
    rig.volumes.create(shared).unwrap();
    let uri: NbdUri = format!("nbd://{}/both", uri.host_and_port())
        .parse()
        .unwrap();
    let _one = rig.connect("both").unwrap();
    assert!(NbdClient::connect(&uri, PATIENCE).is_ok());
}

#[test]
fn a_removed_volume_leaves_nothing() {
    let rig = Rig::new();
    rig.volumes.attach("data").unwrap();
    rig.volumes.remove("data").unwrap();
    assert!(matches!(
        rig.volumes.status("data"),
        Err(VolumeError::Unknown(_))
    ));
    assert!(rig.connect("data").is_err());
    assert!(!JournalFile::path(&rig.dir.path().join("journals"), VolumeId(1)).exists());
    rig.volumes.create(spec(1, "data", DEFAULT_TENANT)).unwrap();
}

#[test]
fn a_volume_has_one_process() {
    let rig = Rig::new();
    let attached = rig.volumes.attach("data").unwrap();
    assert_eq!(attached.epoch(), 1);
    let path = JournalFile::path(&rig.dir.path().join("journals"), VolumeId(1));
    let again = JournalFile::open(&path).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn while_a_volume_is_attached_everything_else_is_answered() {
    let rig = Rig::new();
    let (volumes, shared) = (&rig.volumes, &rig.volumes.shared);
    // Another process has its journal, which is waited for as a long recovery would be.
    let path = JournalFile::path(&shared.journals, VolumeId(1));
    let held = JournalFile::open(&path).unwrap();
    thread::scope(|scope| {
        let attaching = scope.spawn(|| volumes.attach("data").map(drop));
        let place = shared.entry("data", |entry| Arc::clone(&entry.place));
        let place = place.unwrap();
        while place.try_lock().is_ok() {
            shared.pause();
        }
        volumes.create(spec(2, "other", DEFAULT_TENANT)).unwrap();
        let mut client = rig.connect("other").unwrap();
        let wrote = client.ask(write(0, 4096, true), &[1; 4096]).unwrap();
        assert!(wrote.result.is_ok());
        volumes.snapshot("other", "monday").unwrap();
        assert_eq!(volumes.snapshots("other").unwrap().len(), 1);
        assert_eq!(volumes.statuses().len(), 2);
        assert!(volumes.status("data").unwrap().attached.is_none());
        let limits = VolumeLimits {
            iops: Some(7),
            bytes_per_second: None,
        };
        volumes.set_limits("data", limits).unwrap();
        client.disconnect().unwrap();
        assert!(!attaching.is_finished());
        drop(held);
        attaching.join().unwrap().unwrap();
    });
    // What was set meanwhile is in force.
    assert!(volumes.attach("data").unwrap().limiter.is_bounded());
}
