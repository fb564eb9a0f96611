//! A server that keeps its word passes; one that forgets, mixes up or answers early does not.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nbd_proto::{Event, Export, Handshake, Progress, Refusal, Replies, Tls, Transmission};

use super::*;
use crate::volumes::NbdUri;

const BLOCKS: u64 = 64;

/// What a server has wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Nothing,
    /// A crash takes what was flushed.
    NoFsync,
    /// Half of a block is of another write.
    Torn,
    /// A read sees what was written over long ago.
    Stale,
}

#[derive(Default)]
struct Disk {
    now: HashMap<u64, Vec<u8>>,
    before: HashMap<u64, Vec<u8>>,
    durable: HashMap<u64, Vec<u8>>,
    writes: u64,
}

struct One;

impl nbd_proto::Directory for One {
    fn find(&self, _: &str) -> Result<Export, Refusal> {
        Ok(Export {
            name: "data".to_owned(),
            description: String::new(),
            size_bytes: BLOCKS * BLOCK_LEN as u64,
            read_only: false,
            multi_conn: true,
            block_len_min: BLOCK_LEN as u32,
        })
    }

    fn list(&self, _: &mut dyn FnMut(&str, &str)) -> Result<(), Refusal> {
        Ok(())
    }
}

fn serve(mut socket: UnixStream, disk: &Mutex<Disk>, planted: Planted) -> io::Result<()> {
    let (mut input, mut out) = (Vec::new(), Vec::new());
    let mut handshake = Handshake::new(Tls::Off, &mut out);
    let mut buffer = vec![0; 1 << 16];
    let mut transmission = None;
    let mut write = (0, 0, Vec::new());
    loop {
        socket.write_all(&std::mem::take(&mut out))?;
        let got = socket.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        input.extend_from_slice(&buffer[..got]);
        if transmission.is_none() {
            let (used, progress) = handshake.advance(&input, &One, &mut out);
            input.drain(..used);
            match progress {
                Progress::Transmit(agreed) => {
                    transmission = Some((Transmission::new(&agreed), agreed.structured));
                }
                _ => continue,
            }
        }
        let Some((stream, structured)) = &mut transmission else {
            continue;
        };
        let replies = Replies::new(*structured);
        loop {
            let (used, event) = stream.advance(&input);
            let mut disk = disk.lock().unwrap();
            match event {
                Event::Request(request) => match request.command {
                    Command::Write { offset, .. } => write = (request.cookie, offset, Vec::new()),
                    Command::WriteZeroes { offset, len, .. }
                    | Command::Trim { offset, len, .. } => {
                        disk.write(offset, &vec![0; len as usize], planted);
                        disk.sync();
                        replies.done(request.cookie, &mut out);
                    }
                    Command::Read { offset, len, .. } => {
                        let data = disk.read(offset, len, planted);
                        replies.data_header(request.cookie, offset, len, true, &mut out);
                        out.extend_from_slice(&data);
                    }
                    _ => {
                        disk.sync();
                        replies.done(request.cookie, &mut out);
                    }
                },
                Event::Piece { data, last, .. } => {
                    write.2.extend_from_slice(data);
                    if last {
                        disk.write(write.1, &write.2, planted);
                        // Every write is as if it had FUA: that is allowed.
                        disk.sync();
                        replies.done(write.0, &mut out);
                    }
                }
                Event::More => break,
                _ => return Ok(()),
            }
            drop(disk);
            input.drain(..used);
        }
    }
}

impl Disk {
    fn write(&mut self, offset: u64, data: &[u8], planted: Planted) {
        for (block, bytes) in (offset / BLOCK_LEN as u64..).zip(data.chunks(BLOCK_LEN)) {
            self.writes += 1;
            let old = self.now.insert(block, bytes.to_vec());
            let old = old.unwrap_or_else(|| vec![0; BLOCK_LEN]);
            if planted == Planted::Torn && self.writes.is_multiple_of(50) {
                self.now.get_mut(&block).unwrap()[2048..].copy_from_slice(&old[2048..]);
            }
            self.before.insert(block, old);
        }
    }

    fn read(&self, offset: u64, len: u32, planted: Planted) -> Vec<u8> {
        let first = offset / BLOCK_LEN as u64;
        let blocks = first..first + u64::from(len) / BLOCK_LEN as u64;
        let from = match planted == Planted::Stale && self.writes.is_multiple_of(20) {
            true => &self.before,
            false => &self.now,
        };
        let zero = vec![0; BLOCK_LEN];
        blocks
            .flat_map(|block| from.get(&block).unwrap_or(&zero).clone())
            .collect()
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.now);
    }

    fn crash(&mut self, planted: Planted) {
        match planted {
            Planted::NoFsync => self.now.clear(),
            _ => self.now.clone_from(&self.durable),
        }
    }
}

fn connect(dir: &Path) -> NbdClient {
    let path = dir.join("nbd.sock");
    let uri: NbdUri = format!("nbd+unix:///data?socket={}", path.display())
        .parse()
        .unwrap();
    NbdClient::connect(&uri, Duration::from_secs(20)).unwrap()
}

/// Several lives of a server; the first thing that is wrong.
fn tortured(planted: Planted) -> Option<Found> {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join("nbd.sock")).unwrap();
    let disk = Arc::new(Mutex::new(Disk::default()));
    let shared = Arc::clone(&disk);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let shared = Arc::clone(&shared);
            // A client that breaks off is no concern of the server's.
            thread::spawn(move || drop(serve(socket.unwrap(), &shared, planted)));
        }
    });
    let mut torture = Torture::new(TortureConfig {
        seed: 5,
        blocks: BLOCKS,
        depth: 8,
        trim_zeroes: true,
        keeps_answered: false,
    });
    torture.begin(&mut connect(dir.path())).unwrap();
    for _ in 0..10 {
        let mut clients = [connect(dir.path()), connect(dir.path())];
        let mut left = 150;
        let ended = || {
            left -= 1;
            left == 0
        };
        if let Err(found) = torture.run(&mut clients, ended) {
            return Some(found);
        }
        torture.crashed().unwrap();
        disk.lock().unwrap().crash(planted);
        if let Err(found) = torture.settle(&mut connect(dir.path())) {
            return Some(found);
        }
    }
    assert!(torture.figures.writes > 100 && torture.figures.reads > 100);
    None
}

#[test]
fn a_server_that_keeps_its_word_passes() {
    let found = tortured(Planted::Nothing);
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn planted_bugs_are_caught() {
    for planted in [Planted::NoFsync, Planted::Torn, Planted::Stale] {
        let found = tortured(planted);
        assert!(
            matches!(found, Some(Found::Violations(_))),
            "{planted:?}: {found:?}"
        );
    }
}

#[test]
fn histories_go_on_in_another_process_and_catch_what_was_lost_between() {
    let dir = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(dir.path().join("nbd.sock")).unwrap();
    let disk = Arc::new(Mutex::new(Disk::default()));
    let shared = Arc::clone(&disk);
    thread::spawn(move || {
        for socket in listener.incoming() {
            let shared = Arc::clone(&shared);
            // A client that breaks off is no concern of the server's.
            thread::spawn(move || drop(serve(socket.unwrap(), &shared, Planted::Nothing)));
        }
    });
    let config = TortureConfig {
        seed: 6,
        blocks: BLOCKS,
        depth: 8,
        trim_zeroes: true,
        keeps_answered: true,
    };
    let history = dir.path().join("history");
    let mut torture = Torture::kept_in(config, &history);
    torture.begin(&mut connect(dir.path())).unwrap();
    for life in 0..3 {
        let mut clients = [connect(dir.path())];
        let mut left = 200;
        let ended = || {
            left -= 1;
            left == 0
        };
        torture.run(&mut clients, ended).unwrap();
        // As if this one were killed: nothing is said to the file.
        torture = Torture::resumed_from(
            TortureConfig {
                seed: life,
                ..config
            },
            &history,
        )
        .unwrap();
        torture.settle(&mut connect(dir.path())).unwrap();
    }
    // Something that was there is not there any more.
    disk.lock()
        .unwrap()
        .now
        .retain(|block, _| *block >= BLOCKS / 2);
    let mut torture = Torture::resumed_from(config, &history).unwrap();
    let found = torture.settle(&mut connect(dir.path()));
    assert!(matches!(found, Err(Found::Violations(_))), "{found:?}");
}
