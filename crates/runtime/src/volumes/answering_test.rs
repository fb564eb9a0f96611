//! A client that does not read holds up nobody else, whatever its thread has in hand.

use std::time::Duration;

use nbd_proto::Command;
use volume::VolumeId;

use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{NbdClient, NbdListener, NbdUri, VolumeSpec, Volumes};

const PATIENCE: Duration = Duration::from_secs(20);

fn served(dir: &std::path::Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    let spec = VolumeSpec {
        id: VolumeId(1),
        export: "data".to_owned(),
        tenant: DEFAULT_TENANT,
        size_bytes: 8 << 20,
        journal_len: 4 << 20,
        shared: false,
        limits: Default::default(),
    };
    volumes.create(spec).unwrap();
    let listener = NbdListener::unix(&dir.join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes
}

fn connect(dir: &std::path::Path) -> NbdClient {
    let socket = dir.join("nbd.sock");
    let uri = format!("nbd+unix:///data?socket={}", socket.display());
    NbdClient::connect(&uri.parse::<NbdUri>().unwrap(), PATIENCE).unwrap()
}

#[test]
fn others_are_answered_while_a_client_does_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let mut others = connect(dir.path());
    let data = [7; 4096];
    for round in 0..20 {
        // More than its socket takes, with writes and flushes between that others may have to wait for.
        let mut silent = connect(dir.path());
        for block in 0..16 {
            let (offset, len) = (block << 17, 128 << 10);
            let whole = false;
            silent.put(Command::Read { offset, len, whole }, &[]);
            let (offset, len, fua) = (block << 12, 4096, block % 4 == 0);
            silent.put(Command::Write { offset, len, fua }, &data);
        }
        silent.send().unwrap();
        for block in 0..50 {
            let (offset, len, fua) = ((1024 + block) << 12, 4096, block % 10 == 0);
            let answer = others.ask(Command::Write { offset, len, fua }, &data);
            assert_eq!(answer.unwrap().result, Ok(vec![]), "round {round}");
        }
    }
    others.disconnect().unwrap();
    volumes.drain(PATIENCE);
}
