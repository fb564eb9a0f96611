//! Lines and the words of a line.

use crate::decoder::LINE_LEN_MAX;

/// The next line, if it has an end.
pub(crate) enum Line<'a> {
    /// Not here yet.
    Incomplete,
    /// More than [`LINE_LEN_MAX`] bytes without an end.
    TooLong,
    /// A line.
    Whole {
        /// Without its `\n` or `\r\n`.
        text: &'a [u8],
        /// With it.
        consumed: usize,
    },
}

impl<'a> Line<'a> {
    /// The line that `input` begins with; it ends with `\n` or `\r\n`.
    #[inline]
    pub(crate) fn of(input: &'a [u8]) -> Self {
        let window = &input[..input.len().min(LINE_LEN_MAX + 1)];
        match memchr::memchr(b'\n', window) {
            Some(end) => {
                let text = &window[..end];
                Self::Whole {
                    text: text.strip_suffix(b"\r").unwrap_or(text),
                    consumed: end + 1,
                }
            }
            None if input.len() > LINE_LEN_MAX => Self::TooLong,
            None => Self::Incomplete,
        }
    }
}

/// The words of a line, parted by any number of spaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// Of this text.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// What has not been taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|byte| *byte != b' ')?;
        let text = &self.rest[start..];
        let end = text.iter().position(|byte| *byte == b' ');
        let (word, rest) = text.split_at(end.unwrap_or(text.len()));
        self.rest = rest;
        Some(word)
    }
}

/// No command looks at more words than this.
const KEPT: usize = 5;

/// The first words of a line and its last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments<'a> {
    first: [&'a [u8]; KEPT],
    count: usize,
    last: &'a [u8],
}

impl<'a> Arguments<'a> {
    /// Of this text.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let mut arguments = Self {
            first: [b""; KEPT],
            count: 0,
            last: b"",
        };
        for word in Words::of(text) {
            if let Some(place) = arguments.first.get_mut(arguments.count) {
                *place = word;
            }
            arguments.count += 1;
            arguments.last = word;
        }
        arguments
    }

    /// The word at this place from 0, empty if there is none.
    pub(crate) fn word(&self, place: usize) -> &'a [u8] {
        self.first.get(place).copied().unwrap_or(b"")
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether the last of them asks for no reply.
    pub(crate) fn is_quiet(&self) -> bool {
        self.last == b"noreply"
    }

    /// Whether the last of them is that of an HTTP request.
    pub(crate) fn is_http(&self) -> bool {
        self.last.starts_with(b"HTTP/")
    }
}

#[cfg(test)]
#[path = "words_test.rs"]
mod tests;
