//! The first frame of each side: who it is, which versions it speaks, how much it takes at once.

use crate::wire::{Fields, Header, Put, frame, kind};
use crate::{Malformed, VERSION, VERSION_LEAST};

/// Opens the content of the first frame, so that a stranger is told from an old version.
const MAGIC: u32 = u32::from_le_bytes(*b"CFDN");
/// The longest name.
const NAME_LEN_MAX: usize = 255;

/// What one side says of itself. Later versions add fields behind these, which are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The newest version that it speaks.
    pub version_max: u16,
    /// The oldest version that it understands.
    pub version_least: u16,
    /// Drawn at random when the process started, so that a restart is noticed.
    pub instance: u64,
    /// Which of that process's connections to the other side this is: one that is made anew takes
    /// the place of the old one, of which nothing more is to be heeded.
    pub connection: u32,
    /// The newest change of the ring that it knows of.
    pub epoch: u64,
    /// Requests of one connection that may be unanswered at once; a gateway says 0.
    pub credits: u32,
    /// Its name, for people.
    pub name: String,
}

/// Two sides that have no version in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The versions of the other side, oldest and newest.
    pub theirs: (u16, u16),
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (least, max) = self.theirs;
        write!(
            f,
            "the other side speaks versions {least} to {max} of the internal protocol, this one \
             {VERSION_LEAST} to {VERSION}: upgrade the older of the two"
        )
    }
}

impl std::error::Error for Mismatch {}

/// The newest version that this side and the other speak.
///
/// # Errors
/// There is none.
pub fn agree(theirs: &Hello) -> Result<u16, Mismatch> {
    let version = VERSION.min(theirs.version_max);
    match version >= VERSION_LEAST.max(theirs.version_least) {
        true => Ok(version),
        false => Err(Mismatch {
            theirs: (theirs.version_least, theirs.version_max),
        }),
    }
}

impl Hello {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let header = Header {
            kind: kind::HELLO,
            code: 0,
            a: 0,
            b: 0,
            id: 0,
        };
        frame(out, header, |out| {
            out.put_u32(MAGIC);
            out.put_u16(self.version_least);
            out.put_u16(self.version_max);
            out.put_u64(self.instance);
            out.put_u32(self.connection);
            out.put_u64(self.epoch);
            out.put_u32(self.credits);
            let name = self.name.as_bytes();
            let name = name.get(..NAME_LEN_MAX).unwrap_or(name);
            out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(name);
        });
    }

    pub(crate) fn decode(mut fields: Fields<'_>) -> Result<Self, Malformed> {
        if fields.u32()? != MAGIC {
            return Err(fields.malformed());
        }
        let (version_least, version_max) = (fields.u16()?, fields.u16()?);
        let (instance, connection) = (fields.u64()?, fields.u32()?);
        let (epoch, credits) = (fields.u64()?, fields.u32()?);
        let name_len = usize::from(fields.u8()?);
        let name = String::from_utf8_lossy(fields.bytes(name_len)?).into_owned();
        Ok(Self {
            version_max,
            version_least,
            instance,
            connection,
            epoch,
            credits,
            name,
        })
    }
}

#[cfg(test)]
#[path = "hello_test.rs"]
mod tests;
