//! What has come from a client and is not used yet.

use std::io;

use super::stream::Stream;

/// A socket and the bytes that came of it.
#[derive(Debug)]
pub(super) struct Input {
    stream: Stream,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
}

impl Input {
    /// Over a buffer of which `from..to` has come already.
    pub(super) fn new(stream: Stream, buffer: Vec<u8>, (from, to): (usize, usize)) -> Self {
        Self {
            stream,
            buffer,
            from,
            to,
        }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// What is not used.
    pub(super) fn pending(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    /// So much of it is used.
    pub(super) fn advance(&mut self, used: usize) {
        self.from = (self.from + used).min(self.to);
    }

    /// Receives behind what is pending; how much came, 0 at the end.
    pub(super) fn receive(
        &mut self,
        receive: impl FnOnce(&Stream, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        let room = self.buffer.get_mut(self.to..).unwrap_or_default();
        let got = receive(&self.stream, room)?;
        self.to += got;
        Ok(got)
    }
}
