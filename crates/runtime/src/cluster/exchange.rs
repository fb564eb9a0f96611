//! What is said between a member and the authority: one line of JSON each way, under TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Pass;

/// A line's bytes.
const LEN_MAX: u64 = 64 * 1024;
/// How long each side waits for the other.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What a member asks for.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ask {
    /// To become one.
    Join {
        id: String,
        secret: String,
        name: String,
        addresses: Vec<String>,
        request: String,
    },
    /// To be one for longer; its certificate says who it is.
    Renew { request: String },
}

/// What the authority says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    Granted(Box<Pass>),
    Refused(String),
}

pub(super) fn send(stream: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    stream.flush()
}

pub(super) fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    let mut line = Vec::new();
    BufReader::new(stream.take(LEN_MAX)).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}
