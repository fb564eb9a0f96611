//! A tiny memcached-like server in the test's own process, with faults to order.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Closes a connection instead of answering its n-th retrieval.
    CloseAtGet(u64),
    /// Never answers a retrieval.
    IgnoreGets,
    /// Answers the n-th retrieval of a connection with one wrong byte.
    CorruptAtGet(u64),
    /// Stores nothing.
    RefuseSets,
    /// Answers retrievals with something that is no reply.
    Babble,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    /// `user password` that a first `set` must bring, if any.
    login: Option<&'static str>,
    items: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    connections: AtomicU64,
}

/// A running server; its threads end with the test's process.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) address: String,
    state: Arc<State>,
}

impl Server {
    /// Listens on a free port of loopback.
    pub(crate) fn start(fault: Fault, login: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = Self::new(address, fault, login);
        let state = server.state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reader, state) = (stream.try_clone().unwrap(), state.clone());
                thread::spawn(move || state.serve(reader, stream));
            }
        });
        server
    }

    /// Listens on a Unix socket.
    pub(crate) fn start_unix(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let server = Self::new(format!("unix:{}", path.display()), Fault::None, None);
        let state = server.state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reader, state) = (stream.try_clone().unwrap(), state.clone());
                thread::spawn(move || state.serve(reader, stream));
            }
        });
        server
    }

    fn new(address: String, fault: Fault, login: Option<&'static str>) -> Self {
        let state = State {
            fault,
            login,
            items: Mutex::default(),
            connections: AtomicU64::new(0),
        };
        Self {
            address,
            state: Arc::new(state),
        }
    }

    /// Items that it holds.
    pub(crate) fn item_count(&self) -> usize {
        self.state.items.lock().unwrap().len()
    }

    /// Connections that it has ever taken.
    pub(crate) fn connection_count(&self) -> u64 {
        self.state.connections.load(Ordering::Relaxed)
    }
}

/// What ends both directions of a connection at once.
trait Shut {
    fn shut(&self);
}

impl Shut for TcpStream {
    fn shut(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both);
    }
}

impl Shut for UnixStream {
    fn shut(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both);
    }
}

impl State {
    fn serve(&self, reader: impl Read, mut writer: impl Write + Shut) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        // An error is the client's going away.
        let _ = self.talk(&mut BufReader::new(reader), &mut writer);
        writer.shut();
    }

    fn talk(&self, reader: &mut impl BufRead, writer: &mut impl Write) -> Result<()> {
        let mut is_known = self.login.is_none();
        let mut gets = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut reply = Vec::new();
            match words[..] {
                ["set", key, _, _, len] => {
                    let mut value = vec![0; len.parse::<usize>().unwrap() + 2];
                    reader.read_exact(&mut value)?;
                    value.truncate(value.len() - 2);
                    if is_known {
                        reply.extend(self.set(key, value));
                    } else {
                        is_known = self.login.map(str::as_bytes) == Some(&value[..]);
                        reply.extend(match is_known {
                            true => &b"STORED\r\n"[..],
                            false => b"CLIENT_ERROR authentication failure\r\n",
                        });
                    }
                }
                ["get", ref keys @ ..] if is_known => {
                    gets += 1;
                    match self.fault {
                        Fault::CloseAtGet(at) if at == gets => return Ok(()),
                        Fault::IgnoreGets => {}
                        Fault::Babble => reply.extend(b"what?\r\n"),
                        _ => self.get(keys, gets, &mut reply),
                    }
                }
                ["delete", key] if is_known => {
                    let was_there = self.items.lock().unwrap().remove(key.as_bytes());
                    reply.extend(match was_there {
                        Some(_) => &b"DELETED\r\n"[..],
                        None => b"NOT_FOUND\r\n",
                    });
                }
                ["touch", key, _] if is_known => {
                    let is_there = self.items.lock().unwrap().contains_key(key.as_bytes());
                    reply.extend(match is_there {
                        true => &b"TOUCHED\r\n"[..],
                        false => b"NOT_FOUND\r\n",
                    });
                }
                _ => reply.extend(b"ERROR\r\n"),
            }
            writer.write_all(&reply)?;
        }
    }

    fn set(&self, key: &str, value: Vec<u8>) -> &'static [u8] {
        if self.fault == Fault::RefuseSets {
            return b"SERVER_ERROR out of memory storing object\r\n";
        }
        self.items.lock().unwrap().insert(key.into(), value);
        b"STORED\r\n"
    }

    fn get(&self, keys: &[&str], gets: u64, reply: &mut Vec<u8>) {
        let items = self.items.lock().unwrap();
        for key in keys {
            if let Some(value) = items.get(key.as_bytes()) {
                reply.extend(format!("VALUE {key} 0 {}\r\n", value.len()).into_bytes());
                reply.extend(value);
                if self.fault == Fault::CorruptAtGet(gets) {
                    *reply.last_mut().unwrap() ^= 1;
                }
                reply.extend(b"\r\n");
            }
        }
        reply.extend(b"END\r\n");
    }
}
