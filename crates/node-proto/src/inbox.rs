//! The bytes of a connection that have come and are not whole messages yet.

use crate::{FRAME_LEN_MAX, Malformed, Message, wire};

/// Room that is kept while a connection is busy, in bytes.
const KEPT_LEN: usize = 4 * FRAME_LEN_MAX;

/// Puts messages together from the bytes of one connection, in whatever pieces they come.
///
/// Hand it what was read with [`take`](Self::take), which gives every whole message to a function
/// and keeps the rest: less than one frame.
#[derive(Debug, Default)]
pub struct Inbox {
    kept: Vec<u8>,
}

impl Inbox {
    /// Gives every whole message of what was kept and `bytes` to `each`, in order.
    ///
    /// # Errors
    /// What is no message; those before it were given out. The connection can only be closed.
    pub fn take(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Message<'_>),
    ) -> Result<(), Malformed> {
        if self.kept.is_empty() {
            let used = messages(bytes, &mut each)?;
            self.kept
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
            return Ok(());
        }
        self.kept.extend_from_slice(bytes);
        let used = messages(&self.kept, &mut each)?;
        self.kept.drain(..used);
        if self.kept.is_empty() {
            self.kept.shrink_to(KEPT_LEN);
        }
        Ok(())
    }

    /// Whether part of a message has come.
    pub fn is_mid_message(&self) -> bool {
        !self.kept.is_empty()
    }
}

/// Gives out the whole messages; how many bytes they took.
fn messages(bytes: &[u8], each: &mut impl FnMut(Message<'_>)) -> Result<usize, Malformed> {
    let mut used = 0;
    while let Some((header, content, len)) = wire::split(bytes.get(used..).unwrap_or_default())? {
        each(Message::decode(header, content)?);
        used += len;
    }
    Ok(used)
}

#[cfg(test)]
#[path = "inbox_test.rs"]
mod tests;
