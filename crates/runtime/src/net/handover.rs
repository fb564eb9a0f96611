//! Listening sockets on their way from one process to its successor, and the few words between them.
//!
//! Both hold an end of a pair of sockets that keeps messages apart; the successor's is its standard
//! input. One at a time has the state, and clients are let in by at least one of them at any moment:
//!
//! | predecessor | successor |
//! |---|---|
//! | [`Word::Sockets`] | |
//! | | [`Word::Prepared`]: it has read its configuration |
//! | lets go of the state, [`Word::StateFree`] with what it could not save | |
//! | | takes the state, lets clients in, [`Word::Ready`] |
//! | listens no more, [`Word::GivenWay`] | |
//! | | lets in who changes something |
//! | [`Word::Knows`], as long as it serves the connections that it has | [`Word::Ended`], as long as there are such |
//!
//! Whoever hears the other end close, [`Word::Failed`], or nothing for too long goes back to how it
//! was.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use base::CredentialId;
use rustix::io::retry_on_intr;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_type};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// Sockets that go over at once.
pub const SOCKETS_MAX: usize = 16;
/// The longest message, in bytes; a reason is cut to fit.
const WORD_LEN_MAX: usize = 4096;
/// Credentials in one word: a number has ten digits at most, and a line's end.
const ENDED_MAX: usize = WORD_LEN_MAX / 16;

/// What one process tells the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Sockets of these names come with it.
    Sockets(Vec<String>),
    /// The successor needs nothing more but the state.
    Prepared,
    /// Nobody has the state. Credentials of these numbers have ended, which it may not say.
    StateFree(Vec<CredentialId>),
    /// The successor lets clients in.
    Ready,
    /// Only the successor lets clients in, so whom it knows nobody else has to know.
    GivenWay,
    /// The version of its fleet's ring that the predecessor goes by; told when it changes.
    Knows(u64),
    /// Credentials of these numbers have ended, and with them whatever connections the predecessor
    /// serves under them.
    Ended(Vec<CredentialId>),
    /// The successor ends, for this reason.
    Failed(String),
}

/// One end of the pair.
#[derive(Debug)]
pub struct Handover(OwnedFd);

/// A socket that was handed over, and its name.
pub type NamedSocket = (String, OwnedFd);

impl Handover {
    /// The predecessor's end, and the one to give to the successor as its standard input.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(ours), theirs))
    }

    /// The successor's end.
    pub fn from_stdin() -> io::Result<Self> {
        let stdin = io::stdin().as_fd().try_clone_to_owned()?;
        if socket_type(&stdin)? != SocketType::SEQPACKET {
            let reason = "standard input is no end of a hand-over";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        Ok(Self(stdin))
    }

    /// Sends sockets with their names, at most [`SOCKETS_MAX`]; they stay open here as well.
    pub fn send_sockets(&self, sockets: &[(&str, BorrowedFd<'_>)]) -> io::Result<()> {
        let names = sockets.iter().map(|(name, _)| (*name).to_owned()).collect();
        let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|(_, fd)| *fd).collect();
        self.send(&Word::Sockets(names), &descriptors)
    }

    /// Says that credentials have ended, in as many words as that takes.
    pub fn say_ended(&self, ended: &[CredentialId]) -> io::Result<()> {
        let words = ended.chunks(ENDED_MAX);
        words
            .into_iter()
            .try_for_each(|some| self.say(&Word::Ended(some.to_vec())))
    }

    /// Says a word that no sockets go with. Never waits: one who does not listen is an error.
    pub fn say(&self, word: &Word) -> io::Result<()> {
        self.send(word, &[])
    }

    /// Waits for a word, and the sockets that come with it. Once the other end has closed it is
    /// [`io::ErrorKind::UnexpectedEof`], after `patience` [`io::ErrorKind::TimedOut`].
    pub fn hear(&self, patience: Duration) -> io::Result<(Word, Vec<NamedSocket>)> {
        // A timeout of zero would be none.
        let patience = patience.max(Duration::from_millis(1));
        set_socket_timeout(&self.0, Timeout::Recv, Some(patience))?;
        let mut bytes = [0; WORD_LEN_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = retry_on_intr(|| {
            recvmsg(
                &self.0,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            )
        });
        let count = match received {
            Ok(message) if message.bytes == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(message) => message.bytes,
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) => return Err(error.into()),
        };
        let mut descriptors = Vec::new();
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(more) = message {
                descriptors.extend(more);
            }
        }
        let word = Word::read(bytes.get(..count).unwrap_or_default())?;
        let names = match &word {
            Word::Sockets(names) if names.len() == descriptors.len() => names.clone(),
            _ if descriptors.is_empty() => Vec::new(),
            _ => return Err(unknown()),
        };
        Ok((word, names.into_iter().zip(descriptors).collect()))
    }

    fn send(&self, word: &Word, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let text = word.to_string();
        let text = text.as_bytes();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let fits = text.len() <= WORD_LEN_MAX
            && (descriptors.is_empty()
                || ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
        if !fits {
            let reason = "too much to hand over at once";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        retry_on_intr(|| {
            sendmsg(
                &self.0,
                &[IoSlice::new(text)],
                &mut ancillary,
                SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
            )
        })?;
        Ok(())
    }
}

impl Word {
    /// The first line is the word, those behind it go with it.
    fn read(bytes: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| unknown())?;
        let (word, rest) = text.split_once('\n').unwrap_or((text, ""));
        match word {
            "sockets" => Ok(Self::Sockets(rest.lines().map(str::to_owned).collect())),
            "prepared" => Ok(Self::Prepared),
            "state-free" => Ok(Self::StateFree(numbers(rest)?)),
            "ready" => Ok(Self::Ready),
            "given-way" => Ok(Self::GivenWay),
            "ended" => Ok(Self::Ended(numbers(rest)?)),
            "knows" => Ok(Self::Knows(rest.parse().map_err(|_| unknown())?)),
            "failed" => Ok(Self::Failed(rest.to_owned())),
            _ => Err(unknown()),
        }
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sockets(names) => write!(f, "sockets\n{}", names.join("\n")),
            Self::Prepared => f.write_str("prepared"),
            Self::StateFree(ended) => write_numbers(f, "state-free", ended),
            Self::Ended(ended) => write_numbers(f, "ended", ended),
            Self::Ready => f.write_str("ready"),
            Self::GivenWay => f.write_str("given-way"),
            Self::Knows(version) => write!(f, "knows\n{version}"),
            Self::Failed(reason) => {
                let reason: String = reason.chars().take(WORD_LEN_MAX / 8).collect();
                write!(f, "failed\n{reason}")
            }
        }
    }
}

fn write_numbers(
    f: &mut std::fmt::Formatter<'_>,
    word: &str,
    numbers: &[CredentialId],
) -> std::fmt::Result {
    f.write_str(word)?;
    numbers.iter().try_for_each(|id| write!(f, "\n{}", id.0))
}

fn numbers(text: &str) -> io::Result<Vec<CredentialId>> {
    let numbers = text.lines().map(|line| line.parse().map(CredentialId));
    numbers.collect::<Result<_, _>>().map_err(|_| unknown())
}

fn unknown() -> io::Error {
    let reason = "the other process says what this version does not know";
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
#[path = "handover_test.rs"]
mod tests;
