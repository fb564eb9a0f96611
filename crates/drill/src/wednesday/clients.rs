//! The fleet's clients: paced, with half a second's patience, and each remembers what it stored.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::rng::Rng;

use super::connection::Connection;
use super::rhythm::{PATIENCE, PERIOD_NS, Rhythm, Sent};
use super::samples::Sample;
use crate::error::DrillError;
use crate::load::clock;

/// Clients of each gateway.
const CLIENTS: usize = 8;
const KEYS: u64 = 250;
const KEYS_AT_ONCE: usize = 4;
/// One request in so many is a change.
const CHANGES: u64 = 10;
/// How long keys are stored before the load begins.
const FILL_MAX_NS: u64 = 5_000_000_000;
/// The hot key: so many clients ask so often for so many times the same key at once.
const HOT_CLIENTS: usize = 4;
const HOT_PERIOD_NS: u64 = 100_000_000;
const HOT_KEYS: usize = 2000;
const HOT_VALUE_LEN: usize = 400;

/// Load that ends with this.
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    samples: Arc<Mutex<Vec<Sample>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Clients {
    /// Stores all keys, and goes on reading and changing them.
    pub(crate) fn start(
        gateways: &[SocketAddr],
        value_len: usize,
        seed: u64,
    ) -> Result<Self, DrillError> {
        let mut clients = Vec::new();
        for (gateway, address) in gateways.iter().enumerate() {
            for number in 0..CLIENTS {
                let name = format!("g{gateway}c{number}");
                let seed = seed.wrapping_add((gateway * CLIENTS + number) as u64);
                clients.push(Client::new(*address, name, value_len, seed));
            }
        }
        for client in &mut clients {
            let failed = || DrillError::system("the fleet does not store what clients give it");
            client.fill().map_err(failed())?;
        }
        let (stop, samples) = (Arc::default(), Arc::default());
        let threads = clients.into_iter().map(|mut client| {
            let (stop, samples) = (Arc::clone(&stop), Arc::clone(&samples));
            thread::spawn(move || client.run(&stop, &samples))
        });
        Ok(Self {
            threads: threads.collect(),
            stop,
            samples,
        })
    }

    /// Asks for one key, far more than all others together.
    pub(crate) fn heat(gateways: &[SocketAddr]) -> Self {
        let stop: Arc<AtomicBool> = Arc::default();
        let threads = (0..HOT_CLIENTS).map(|number| {
            let address = gateways.get(number % gateways.len().max(1)).copied();
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                if let Some(address) = address {
                    // Who cannot connect heats nothing, which the figures show.
                    let _ = heat(address, &stop);
                }
            })
        });
        Self {
            threads: threads.collect(),
            stop: Arc::clone(&stop),
            samples: Arc::default(),
        }
    }

    /// All that was seen, once what was asked is answered or given up.
    pub(crate) fn finish(mut self) -> Vec<Sample> {
        self.stop();
        self.since(0)
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }

    /// Requests that were to be sent from then on.
    pub(crate) fn since(&self, from_ns: u64) -> Vec<Sample> {
        let samples = self.samples.lock();
        let samples = samples.unwrap_or_else(PoisonError::into_inner);
        let wanted = samples.iter().filter(|it| it.at_ns >= from_ns);
        wanted.copied().collect()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One client, with keys of its own.
struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
    /// When the answer of what is asked is waited for no more.
    until_ns: u64,
    name: String,
    value_len: usize,
    rng: Rng,
    version: u64,
    /// The least version that may be found of each key that was ever stored.
    least: HashMap<u64, u64>,
}

impl Client {
    fn new(address: SocketAddr, name: String, value_len: usize, seed: u64) -> Self {
        Self {
            address,
            connection: None,
            until_ns: 0,
            name,
            value_len,
            rng: Rng::new(seed),
            version: 0,
            least: HashMap::new(),
        }
    }

    /// Until all keys are stored, or it has taken too long: a rule that is too simple may have taken
    /// nodes out already, and what is missing is seen in the figures.
    fn fill(&mut self) -> io::Result<()> {
        let until_ns = clock::now_ns() + FILL_MAX_NS;
        let mut key = 0;
        while key < KEYS {
            let now_ns = clock::now_ns();
            let is_late = now_ns >= until_ns;
            self.until_ns = now_ns + PATIENCE.as_nanos() as u64;
            match self.store(key) {
                Ok(is_stored) if is_stored || is_late => key += 1,
                Err(error) if is_late => return Err(error),
                stored => {
                    if stored.is_err() {
                        self.connection = None;
                    }
                    clock::sleep_until(clock::now_ns() + PERIOD_NS);
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, stop: &AtomicBool, samples: &Mutex<Vec<Sample>>) {
        let mut rhythm = Rhythm::new(clock::now_ns() + self.rng.below(PERIOD_NS));
        let mut note = |sample: Sample| {
            let samples = samples.lock();
            samples.unwrap_or_else(PoisonError::into_inner).push(sample);
        };
        while !stop.load(Ordering::Acquire) {
            clock::sleep_until(rhythm.due_ns());
            self.round(&mut rhythm, &mut note);
            let given_up = rhythm.turn(clock::now_ns());
            given_up
                .into_iter()
                .map(Sample::given_up)
                .for_each(&mut note);
        }
    }

    /// One request of the timetable; what is missing is stored again, as clients of caches do.
    fn round(&mut self, rhythm: &mut Rhythm, note: &mut impl FnMut(Sample)) {
        let sent = rhythm.send(clock::now_ns());
        let mut sample = Sample::default();
        let missing = self.ask(sent, &mut sample);
        self.end(rhythm, sent, missing.is_err(), &mut sample);
        note(sample);
        for key in missing.unwrap_or_default() {
            let sent = rhythm.send_more(clock::now_ns());
            self.until_ns = sent.until_ns();
            let stored = self.store(key);
            let mut sample = Sample::default();
            self.end(rhythm, sent, stored.is_err(), &mut sample);
            note(sample);
        }
    }

    /// What became of a request; a connection on which one was lost is used no more.
    fn end(&mut self, rhythm: &mut Rhythm, sent: Sent, is_lost: bool, sample: &mut Sample) {
        sample.at_ns = sent.due_ns;
        sample.lag_ns = sent.lag_ns;
        sample.took_ns = rhythm.end(sent, clock::now_ns());
        sample.is_lost = is_lost;
        if is_lost {
            self.connection = None;
        }
    }

    /// One request; keys that were not found.
    fn ask(&mut self, sent: Sent, sample: &mut Sample) -> io::Result<Vec<u64>> {
        self.until_ns = sent.until_ns();
        if self.rng.below(CHANGES) == 0 {
            let key = self.rng.below(KEYS);
            return self.store(key).map(|_| Vec::new());
        }
        let mut keys: Vec<u64> = (0..KEYS_AT_ONCE).map(|_| self.rng.below(KEYS)).collect();
        keys.sort_unstable();
        keys.dedup();
        sample.asked = keys.len() as u32;
        let mut line = "get".to_owned();
        for key in &keys {
            line.push_str(&format!(" {}k{key}", self.name));
        }
        line.push_str("\r\n");
        self.send(line.as_bytes())?;
        loop {
            let line = self.line()?;
            if line.trim_end() == "END" {
                sample.found = sample.asked - keys.len() as u32;
                return Ok(keys);
            }
            let (key, version) = self.value(&line)?;
            keys.retain(|it| *it != key);
            let least = self.least.get(&key).copied().unwrap_or(0);
            sample.stale += u32::from(version < least);
        }
    }

    /// A value's key and version; the first word of it is the version.
    fn value(&mut self, line: &str) -> io::Result<(u64, u64)> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let strange = || io::Error::new(ErrorKind::InvalidData, line.to_owned());
        let &["VALUE", key, _, length] = words.as_slice() else {
            return Err(strange());
        };
        let prefix = format!("{}k", self.name);
        let key = key.strip_prefix(&prefix).and_then(|it| it.parse().ok());
        let length: usize = length.parse().map_err(|_| strange())?;
        let mut bytes = vec![0; length + 2];
        self.connection()?.read_exact(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let version = text.split(' ').next().and_then(|it| it.parse().ok());
        key.zip(version).ok_or_else(strange)
    }

    /// Whether the key's next version was stored. If not, no earlier one may be found any more.
    fn store(&mut self, key: u64) -> io::Result<bool> {
        self.version += 1;
        let version = self.version;
        let (name, len) = (&self.name, self.value_len);
        let value = format!("{:<len$}", format!("{version} "));
        let request = format!("set {name}k{key} 0 0 {len}\r\n{value}\r\n");
        self.send(request.as_bytes())?;
        let line = self.line()?;
        match line.trim_end() {
            "STORED" | "NOT_STORED" => {
                self.least.insert(key, version);
                Ok(line.trim_end() == "STORED")
            }
            _ => Err(io::Error::new(ErrorKind::InvalidData, line)),
        }
    }

    fn connection(&mut self) -> io::Result<&mut Connection> {
        if self.connection.is_none() {
            self.connection = Some(Connection::connect(self.address, self.until_ns)?);
        }
        self.connection
            .as_mut()
            .ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let until_ns = self.until_ns;
        self.connection()?.send(bytes, until_ns)
    }

    fn line(&mut self) -> io::Result<String> {
        self.connection()?.read_line()
    }
}

/// Asks for the same key again and again, in bursts.
fn heat(address: SocketAddr, stop: &AtomicBool) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let value = "x".repeat(HOT_VALUE_LEN);
    stream.write_all(format!("set hot 0 0 {HOT_VALUE_LEN}\r\n{value}\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream.try_clone()?);
    reader.read_line(&mut String::new())?;
    let request = format!("get{}\r\n", " hot".repeat(HOT_KEYS));
    let mut at_ns = clock::now_ns();
    let mut line = Vec::new();
    while !stop.load(Ordering::Acquire) {
        stream.write_all(request.as_bytes())?;
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line == b"END\r\n" {
                break;
            }
        }
        at_ns = (at_ns + HOT_PERIOD_NS).max(clock::now_ns());
        clock::sleep_until(at_ns);
    }
    Ok(())
}
