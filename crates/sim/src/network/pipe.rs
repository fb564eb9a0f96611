//! One direction of a connection: bytes on their way, a send buffer and a receive window.

/// Bytes from the first that the receiver has not taken to the last that the sender has written.
///
/// They stand in one row: delivered, in flight, waiting to be sent. Holds no memory while empty.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    bytes: Vec<u8>,
    /// Taken by the receiver, at the front of `bytes`.
    taken: u32,
    /// How many behind those have been delivered.
    delivered: u32,
    /// How many behind those taken have been sent, the delivered ones among them.
    sent: u32,
    /// The sender has written its last byte.
    closed: bool,
    fin_sent: bool,
    fin_delivered: bool,
}

impl Pipe {
    /// Takes as much of `bytes` as the sender's buffer has room for, in bytes.
    pub(crate) fn write(&mut self, bytes: &[u8], buffer_len: usize) -> usize {
        let room = buffer_len.saturating_sub(self.undelivered());
        let count = room.min(bytes.len());
        if self.taken > 0 && count > 0 {
            self.bytes.drain(..self.taken as usize);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(&bytes[..count]);
        count
    }

    /// Sends what the receiver's window allows; tells how many bytes that is.
    pub(crate) fn send(&mut self, window_len: usize) -> u32 {
        let sendable = self.len().min(window_len);
        let count = sendable.saturating_sub(self.sent as usize);
        self.sent += count as u32;
        count as u32
    }

    /// Says that nothing follows.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether the end is to be sent now: once, behind the last byte.
    pub(crate) fn send_fin(&mut self) -> bool {
        let due = self.closed && !self.fin_sent && self.sent as usize == self.len();
        self.fin_sent |= due;
        due
    }

    /// Lets `count` bytes arrive.
    pub(crate) fn deliver(&mut self, count: u32) {
        self.delivered = (self.delivered + count).min(self.sent);
    }

    pub(crate) fn deliver_fin(&mut self) {
        self.fin_delivered = true;
    }

    /// What the receiver may take.
    pub(crate) fn delivered(&self) -> &[u8] {
        let from = self.taken as usize;
        &self.bytes[from..from + self.delivered as usize]
    }

    /// Takes `count` bytes of [`Self::delivered`].
    pub(crate) fn take(&mut self, count: usize) {
        self.taken += count as u32;
        self.delivered -= count as u32;
        self.sent -= count as u32;
        if self.len() == 0 {
            self.bytes = Vec::new();
            self.taken = 0;
        }
    }

    /// Forgets every byte: the connection is void.
    pub(crate) fn clear(&mut self) {
        self.bytes = Vec::new();
        (self.taken, self.delivered, self.sent) = (0, 0, 0);
    }

    /// Whether the receiver has taken the last byte and knows it.
    pub(crate) fn is_at_end(&self) -> bool {
        self.fin_delivered && self.len() == 0
    }

    /// Whether bytes wait for the receiver to make room.
    pub(crate) fn has_unsent(&self) -> bool {
        (self.sent as usize) < self.len()
    }

    /// Bytes that the sender's buffer still holds, since nothing was heard of their arrival.
    pub(crate) fn undelivered(&self) -> usize {
        self.len() - self.delivered as usize
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.taken as usize
    }
}

#[cfg(test)]
#[path = "pipe_test.rs"]
mod tests;
