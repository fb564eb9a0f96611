//! Connections that flush are served together, and each is answered all the same.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use nbd_proto::Command;
use volume::VolumeId;

use super::*;
use crate::Clock;
use crate::state::DEFAULT_TENANT;
use crate::volumes::{NbdClient, NbdListener, NbdUri, VolumeSpec, Volumes};

const PATIENCE: Duration = Duration::from_secs(20);
const CLIENTS: u64 = 6;
/// How much of the volume is each client's.
const SHARE_LEN: u64 = 2 << 20;
/// Room for all that is written: nobody waits for packing, which takes what is left of a busy machine's
/// processors, and who waits goes home.
const JOURNAL_LEN: u64 = 64 << 20;

fn served(dir: &Path) -> Volumes {
    let volumes = Volumes::new(dir, Clock::new()).unwrap();
    let spec = VolumeSpec {
        id: VolumeId(1),
        export: "data".to_owned(),
        tenant: DEFAULT_TENANT,
        size_bytes: CLIENTS * SHARE_LEN,
        journal_len: JOURNAL_LEN,
        shared: false,
        limits: Default::default(),
    };
    volumes.create(spec).unwrap();
    let listener = NbdListener::unix(&dir.join("nbd.sock")).unwrap();
    volumes.serve(listener).unwrap();
    volumes
}

fn connect(dir: &Path) -> NbdClient {
    let socket = dir.join("nbd.sock");
    let uri = format!("nbd+unix:///data?socket={}", socket.display());
    NbdClient::connect(&uri.parse::<NbdUri>().unwrap(), PATIENCE).unwrap()
}

fn block(client: u64, round: u64) -> Vec<u8> {
    let mut rng = base::rng::Rng::new((client << 32) | round);
    (0..4096).map(|_| rng.next_u64() as u8).collect()
}

/// Writes a block and flushes.
fn write(client: &mut NbdClient, offset: u64, data: &[u8]) {
    let (len, fua) = (u32::try_from(data.len()).unwrap(), false);
    let written = client.ask(Command::Write { offset, len, fua }, data);
    assert_eq!(written.unwrap().result, Ok(vec![]));
    let flushed = client.ask(Command::Flush, &[]);
    assert_eq!(flushed.unwrap().result, Ok(vec![]));
}

fn read(client: &mut NbdClient, offset: u64, len: u32) -> Vec<u8> {
    let whole = false;
    let answer = client.ask(Command::Read { offset, len, whole }, &[]);
    answer.unwrap().result.unwrap()
}

/// Clients that have flushed often enough, each of which waits for the others then.
fn crowded(dir: &Path, volumes: &Volumes, then: impl Fn(u64, &mut NbdClient) + Sync) {
    let volume = volumes.attach("data").unwrap();
    let (all_flush, all_done) = (Barrier::new(6), Barrier::new(6));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (then, volume) = (&then, &volume);
            let (all_flush, all_done) = (&all_flush, &all_done);
            scope.spawn(move || {
                let mut client = connect(dir);
                let from = number * SHARE_LEN;
                write(&mut client, from, &block(number, 0));
                all_flush.wait();
                for round in 0..400 {
                    write(
                        &mut client,
                        from + ((round % 64) << 12),
                        &block(number, round),
                    );
                }
                all_done.wait();
                assert_eq!(volume.crowd.state().members.len(), 6);
                all_done.wait();
                then(number, &mut client);
                for round in 400 - 64..400 {
                    let found = read(&mut client, from + ((round % 64) << 12), 4096);
                    assert!(
                        found == block(number, round),
                        "client {number} round {round}"
                    );
                }
                client.disconnect().unwrap();
            });
        }
    });
    let state = volume.crowd.state();
    assert!(state.members.is_empty() && !state.is_led);
    assert_eq!(volume.crowd.flushing.load(Ordering::Relaxed), 0);
}

#[test]
fn connections_that_flush_are_served_together_and_go_home_for_what_is_long() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    crowded(dir.path(), &volumes, |number, client| {
        let from = number * SHARE_LEN + (1 << 20);
        for round in 0..40 {
            let data = block(number, round).repeat(if number % 2 == 0 { 64 } else { 1 });
            write(client, from + 512 * round, &data);
            let found = read(client, from + 512 * round, data.len() as u32);
            assert!(found == data, "client {number} round {round}");
        }
    });
    volumes.drain(PATIENCE);
}

#[test]
fn one_that_does_not_read_its_answers_holds_up_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let others_done = Barrier::new(6);
    crowded(dir.path(), &volumes, |number, client| {
        let from = number * SHARE_LEN;
        if number > 0 {
            for round in 0..200 {
                write(client, from + (1 << 20), &block(number, round));
            }
            others_done.wait();
            return;
        }
        let (len, whole) = (64 << 10, false);
        let reads = 0..64;
        for _ in reads.clone() {
            client.put(
                Command::Read {
                    offset: from,
                    len,
                    whole,
                },
                &[],
            );
        }
        client.send().unwrap();
        others_done.wait();
        for _ in reads {
            assert_eq!(client.answer().unwrap().result.unwrap().len(), 64 << 10);
        }
    });
    volumes.drain(PATIENCE);
}

#[test]
fn a_crowd_is_let_go_when_the_server_ends() {
    let dir = tempfile::tempdir().unwrap();
    let volumes = served(dir.path());
    let drained = Barrier::new(6);
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (dir, volumes, drained) = (dir.path(), &volumes, &drained);
            scope.spawn(move || {
                let mut client = connect(dir);
                for round in 0..300 {
                    write(&mut client, number * SHARE_LEN, &block(number, round));
                }
                drained.wait();
                if number == 0 {
                    volumes.drain(PATIENCE);
                }
                let mut flushed = || client.ask(Command::Flush, &[]);
                while flushed().is_ok_and(|answer| answer.result.is_ok()) {}
            });
        }
    });
}
