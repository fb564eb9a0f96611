//! A client that looks at a gateway from outside: the real protocol, step by step, with a deadline.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use memcache_proto::client::{Set, text};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::dial::Dialed;
use crate::net::tls::{Trust, client_config};
use crate::{Clock, secrets};

/// What is stored and read back.
const VALUE: &[u8] = b"cofferdam status probe";
/// After this a value that could not be removed goes by itself, in seconds.
const EXPTIME_S: u32 = 60;

/// Where and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// `HOST:PORT`.
    pub address: String,
    /// A credential of a tenant that exists for this alone.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Encryption, where it is spoken.
    pub tls: Option<Tls>,
    /// The longest that all steps may take together.
    pub timeout: Duration,
}

/// Encryption, and the name that the certificate must have.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Encryption towards `host`, a name or an address; or why there is none.
    pub fn new(trust: Trust<'_>, host: &str) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let config = client_config(trust)?;
        Ok(Self { config, name })
    }
}

/// A step of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Opening the connection, encryption included.
    Connect,
    /// Saying who one is.
    Authenticate,
    /// Storing a value.
    Set,
    /// Reading it.
    Get,
    /// Removing it.
    Delete,
}

/// How a step went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The connection ended.
    Closed,
    /// Another answer than the one that had to come.
    WrongAnswer,
    /// The network, or this machine, did not get as far as that.
    Unreachable,
}

/// Which step failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step:?}: {trouble:?}")]
pub struct ProbeError {
    /// Which.
    pub step: Step,
    /// How.
    pub trouble: Trouble,
}

/// What came of a probe.
pub type Probed = Result<Duration, ProbeError>;

/// Probes one gateway.
#[derive(Debug)]
pub struct Prober {
    target: Target,
    clock: Clock,
    key: String,
    kept: Option<Wire>,
}

impl Prober {
    /// A prober with a key of its own, so that several of them do not meet.
    pub fn new(target: Target, clock: Clock) -> io::Result<Self> {
        let key = format!("cofferdam-status-{}", secrets::random_text(10)?);
        Ok(Self {
            target,
            clock,
            key,
            kept: None,
        })
    }

    /// Opens a connection, logs in, stores, reads and removes a value, and closes it.
    pub fn probe_new(&self) -> Probed {
        let began = self.clock.now();
        let mut wire = Wire::open(&self.target, self.clock)?;
        wire.login(&self.target)?;
        wire.use_it(&self.key)?;
        Ok(self.clock.now().since(began))
    }

    /// Stores, reads and removes a value on a connection that is kept open from probe to probe; one
    /// that was lost is opened anew for the next, without this one's failure being made good.
    pub fn probe_kept(&mut self) -> Probed {
        let mut wire = match self.kept.take() {
            Some(wire) => wire,
            None => {
                let mut wire = Wire::open(&self.target, self.clock)?;
                wire.login(&self.target)?;
                wire
            }
        };
        let began = self.clock.now();
        wire.deadline = began + self.target.timeout;
        wire.use_it(&self.key)?;
        self.kept = Some(wire);
        Ok(self.clock.now().since(began))
    }
}

/// Whether a gateway takes a tenant's credential.
pub fn login(target: &Target, clock: Clock) -> Result<bool, ProbeError> {
    let mut wire = Wire::open(target, clock)?;
    match wire.login(target) {
        Ok(()) => Ok(true),
        Err(error) if error.trouble == Trouble::WrongAnswer => Ok(false),
        Err(error) => Err(error),
    }
}

/// An open connection, and until when its answers must come.
#[derive(Debug)]
struct Wire {
    dialed: Dialed,
    deadline: Timestamp,
}

impl Wire {
    fn open(target: &Target, clock: Clock) -> Result<Self, ProbeError> {
        let deadline = clock.now() + target.timeout;
        let tls = target.tls.as_ref();
        let tls = tls.map(|tls| (Arc::clone(&tls.config), tls.name.clone()));
        let dialed = Dialed::open(&target.address, tls.as_ref(), clock, deadline);
        let opened = dialed.map(|dialed| Self { dialed, deadline });
        opened.map_err(|error| ProbeError {
            step: Step::Connect,
            trouble: trouble_of(&error),
        })
    }

    fn login(&mut self, target: &Target) -> Result<(), ProbeError> {
        let mut request = Vec::new();
        text::auth(
            target.username.as_bytes(),
            target.password.as_bytes(),
            &mut request,
        );
        self.exchange(Step::Authenticate, &request, b"STORED\r\n")
    }

    fn use_it(&mut self, key: &str) -> Result<(), ProbeError> {
        let (mut set, mut get, mut delete) = (Vec::new(), Vec::new(), Vec::new());
        let value = Set {
            key: key.as_bytes(),
            value: VALUE,
            flags: 0,
            exptime: EXPTIME_S,
        };
        text::store(b"set", &value, &mut set);
        text::get(&[key.as_bytes()], &mut get);
        text::delete(key.as_bytes(), &mut delete);
        let mut found = format!("VALUE {key} 0 {}\r\n", VALUE.len()).into_bytes();
        found.extend_from_slice(VALUE);
        found.extend_from_slice(b"\r\nEND\r\n");
        self.exchange(Step::Set, &set, b"STORED\r\n")?;
        self.exchange(Step::Get, &get, &found)?;
        self.exchange(Step::Delete, &delete, b"DELETED\r\n")
    }

    /// Sends a request, whose answer must be exactly this.
    fn exchange(&mut self, step: Step, request: &[u8], expected: &[u8]) -> Result<(), ProbeError> {
        let mut exchange = || -> io::Result<bool> {
            self.dialed.write(request, self.deadline)?;
            let mut got = Vec::with_capacity(expected.len());
            let mut buffer = [0; 1024];
            while got.len() < expected.len() && expected.starts_with(&got) {
                let count = self.dialed.read(&mut buffer, self.deadline)?;
                if count == 0 {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                got.extend_from_slice(buffer.get(..count).unwrap_or_default());
            }
            Ok(got == expected)
        };
        let trouble = match exchange() {
            Ok(true) => return Ok(()),
            Ok(false) => Trouble::WrongAnswer,
            Err(error) => trouble_of(&error),
        };
        Err(ProbeError { step, trouble })
    }
}

fn trouble_of(error: &io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::ConnectionRefused => Trouble::Refused,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Trouble::TimedOut,
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => Trouble::Closed,
        ErrorKind::InvalidData | ErrorKind::Other => Trouble::WrongAnswer,
        _ => Trouble::Unreachable,
    }
}

#[cfg(test)]
#[path = "probe_test.rs"]
mod tests;
