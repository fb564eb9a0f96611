//! Guesses which keys a session's next request names, so that their items can be fetched ahead.

use base::kv::KEY_LEN_MAX;

const BINARY_MAGIC: u8 = 0x80;
const BINARY_HEADER_LEN: usize = 24;

/// The keys that the request at the start of `input` seems to name, in whichever dialect.
///
/// Nothing is checked: a wrong guess costs its fetch and no more, for whatever is served is decoded
/// anew.
pub fn peek_keys(input: &[u8]) -> Keys<'_> {
    match input.first() {
        Some(&BINARY_MAGIC) => binary_key(input),
        _ => text_keys(input),
    }
}

/// Words that seem to be keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys<'i> {
    rest: &'i [u8],
    left: usize,
}

impl<'i> Iterator for Keys<'i> {
    type Item = &'i [u8];

    fn next(&mut self) -> Option<&'i [u8]> {
        self.left = self.left.checked_sub(1)?;
        let word = next_word(&mut self.rest)?;
        (word.len() <= KEY_LEN_MAX).then_some(word)
    }
}

fn text_keys(input: &[u8]) -> Keys<'_> {
    let mut rest = input;
    let left = match next_word(&mut rest) {
        Some(b"get" | b"gets") => usize::MAX,
        Some(b"gat" | b"gats") => match next_word(&mut rest) {
            Some(_) => usize::MAX,
            None => 0,
        },
        Some(_) => 1,
        None => 0,
    };
    Keys { rest, left }
}

fn binary_key(input: &[u8]) -> Keys<'_> {
    let field = |at: usize| input.get(at).map_or(0, |byte| usize::from(*byte));
    let begin = BINARY_HEADER_LEN + field(4);
    let len = field(2) << 8 | field(3);
    Keys {
        rest: input.get(begin..begin + len).unwrap_or_default(),
        left: 1,
    }
}

/// The word that `rest` begins with on its line, and puts what follows in its place.
fn next_word<'i>(rest: &mut &'i [u8]) -> Option<&'i [u8]> {
    let begin = rest.iter().position(|byte| *byte != b' ')?;
    let line = &rest[begin..];
    let len = line
        .iter()
        .position(|byte| *byte <= b' ')
        .unwrap_or(line.len());
    let (word, after) = line.split_at(len);
    *rest = after;
    (len > 0).then_some(word)
}

#[cfg(test)]
#[path = "peek_test.rs"]
mod tests;
