//! A client's handshake: its options, TLS where the listener wants that, and who the client is.

use std::io::{self, IoSlice};
use std::time::Duration;

use base::Timestamp;
use nbd_proto::{Agreed, Handshake, Progress, Tls};

use super::session::Client;
use super::stream::Stream;

/// An option that is not whole by then never will be: the longest that is read, and its header.
const HANDSHAKE_LEN_MAX: usize = (nbd_proto::OPTION_LEN_MAX as usize) + 64;
/// How long a client may take until it has chosen an export.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of the buffer that came behind the handshake, from where to where.
pub(super) type Rest = (usize, usize);

/// A client that has chosen an export: what is agreed, how to talk to it, and what it said since.
pub(super) type Welcomed = (Agreed, Stream, Rest);

/// Goes through the handshake; nothing if the client goes, or is sent away.
pub(super) fn shake_hands(
    client: &mut Client,
    stream: Stream,
    buffer: &mut [u8],
) -> Option<Welcomed> {
    match try_to(client, stream, buffer) {
        Ok(welcomed) => welcomed,
        Err(error) => {
            tracing::debug!(%error, client = %client.identity, "an NBD handshake failed");
            None
        }
    }
}

fn try_to(
    client: &mut Client,
    mut stream: Stream,
    buffer: &mut [u8],
) -> io::Result<Option<Welcomed>> {
    let deadline = client.shared.clock.now() + PATIENCE;
    let mut out = Vec::new();
    let mut handshake = Handshake::new(tls_of(client), &mut out);
    let mut filled = 0;
    loop {
        send_all(&stream, &mut out)?;
        if filled >= HANDSHAKE_LEN_MAX {
            return Ok(None);
        }
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let got = stream.receive_within(room, left(client, deadline))?;
        if got == 0 {
            return Ok(None);
        }
        filled += got;
        let input = buffer.get(..filled).unwrap_or_default();
        let (used, progress) = handshake.advance(input, client, &mut out);
        match progress {
            Progress::More => {
                buffer.copy_within(used..filled, 0);
                filled -= used;
            }
            Progress::Transmit(agreed) => {
                send_all(&stream, &mut out)?;
                return Ok(Some((*agreed, stream, (used, filled))));
            }
            Progress::Closed => return send_all(&stream, &mut out).map(|()| None),
            Progress::StartTls if used == filled => {
                send_all(&stream, &mut out)?;
                stream = secured(client, &stream, deadline)?;
                handshake.tls_started();
                filled = 0;
            }
            // What comes behind STARTTLS in the clear may be anybody's.
            Progress::StartTls => return Ok(None),
            Progress::Broken(why) => {
                tracing::debug!(why, client = %client.identity, "an NBD client is not understood");
                return Ok(None);
            }
        }
    }
}

fn tls_of(client: &Client) -> Tls {
    match client.tls {
        Some(_) => Tls::Required,
        None => Tls::Off,
    }
}

/// Goes over to TLS, from where on the client is who its certificate says.
fn secured(client: &mut Client, stream: &Stream, deadline: Timestamp) -> io::Result<Stream> {
    let Some(tls) = client.tls.clone() else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let terms = tls.terms();
    let secured = stream.start_tls(terms.config(), || left(client, deadline))?;
    match tls.identify(&terms, &secured) {
        Some(identity) => client.identity = identity,
        None => {
            tracing::warn!(
                client = %client.identity,
                "an NBD client's certificate was refused: none of its names is one tenant's name"
            );
            secured.shut_down();
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    Ok(secured)
}

fn left(client: &Client, deadline: Timestamp) -> Duration {
    deadline.since(client.shared.clock.now())
}

fn send_all(stream: &Stream, out: &mut Vec<u8>) -> io::Result<()> {
    let mut sent = 0;
    while sent < out.len() {
        let rest = IoSlice::new(out.get(sent..).unwrap_or_default());
        sent += stream.send(&[rest], true)?;
    }
    out.clear();
    Ok(())
}
