//! Splits Rust source into code and comments, so that a word in a string trips no rule.

/// One line, its literals blanked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// What the compiler reads; strings and characters are left as empty quotes.
    pub(crate) code: String,
    /// What it does not read.
    pub(crate) comment: String,
}

#[derive(Clone, Copy)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

/// Scans a whole file; one [`Line`] for each of its lines.
pub(crate) fn scan(source: &str) -> Vec<Line> {
    let chars: Vec<char> = source.chars().collect();
    let mut scanner = Scanner {
        chars: &chars,
        at: 0,
        lines: vec![Line::default()],
    };
    let mut state = State::Code;
    while let Some(c) = scanner.peek(0) {
        if c == '\n' {
            scanner.lines.push(Line::default());
            scanner.at += 1;
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            continue;
        }
        state = match state {
            State::Code => scanner.code(c),
            State::LineComment => scanner.comment(State::LineComment),
            State::BlockComment { depth } => scanner.block_comment(depth),
            State::Text => scanner.text(c),
            State::RawText { hashes } => scanner.raw_text(c, hashes),
        };
    }
    scanner.lines
}

struct Scanner<'a> {
    chars: &'a [char],
    at: usize,
    lines: Vec<Line>,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn code(&mut self, c: char) -> State {
        match (c, self.peek(1)) {
            ('/', Some('/')) => State::LineComment,
            ('/', Some('*')) => {
                self.at += 2;
                State::BlockComment { depth: 1 }
            }
            ('"', _) => {
                self.keep(1);
                State::Text
            }
            ('r', _) if !self.is_inside_word() => self.raw_start(1),
            ('b', Some('r')) if !self.is_inside_word() => self.raw_start(2),
            ('\'', _) => {
                self.quote();
                State::Code
            }
            _ => {
                self.keep(1);
                State::Code
            }
        }
    }

    /// Takes the rest of the line, or of the block, as a comment, one character at a time.
    fn comment(&mut self, state: State) -> State {
        if let Some(c) = self.peek(0) {
            self.line().comment.push(c);
        }
        self.at += 1;
        state
    }

    fn block_comment(&mut self, depth: usize) -> State {
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('*')) => {
                self.at += 2;
                State::BlockComment { depth: depth + 1 }
            }
            (Some('*'), Some('/')) => {
                self.at += 2;
                match depth {
                    1 => State::Code,
                    _ => State::BlockComment { depth: depth - 1 },
                }
            }
            _ => self.comment(State::BlockComment { depth }),
        }
    }

    fn text(&mut self, c: char) -> State {
        match c {
            // An escaped end of line still has to be counted as a line.
            '\\' if self.peek(1) != Some('\n') => self.at += 2,
            '"' => {
                self.keep(1);
                return State::Code;
            }
            _ => self.at += 1,
        }
        State::Text
    }

    fn raw_text(&mut self, c: char, hashes: usize) -> State {
        let ends = c == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
        if ends {
            self.line().code.push('"');
            self.at += 1 + hashes;
            return State::Code;
        }
        self.at += 1;
        State::RawText { hashes }
    }

    /// At a `r` or `br`: a raw string, or just a word that begins so.
    fn raw_start(&mut self, prefix: usize) -> State {
        let hashes = (prefix..)
            .take_while(|ahead| self.peek(*ahead) == Some('#'))
            .count();
        if self.peek(prefix + hashes) == Some('"') {
            self.line().code.push('"');
            self.at += prefix + hashes + 1;
            return State::RawText { hashes };
        }
        self.keep(1);
        State::Code
    }

    /// At a single quote: a character, or a lifetime.
    fn quote(&mut self) {
        let length = match (self.peek(1), self.peek(2)) {
            (Some('\\'), _) => (3..)
                .find(|ahead| matches!(self.peek(*ahead), Some('\'') | None))
                .map_or(1, |end| end + 1),
            (Some(_), Some('\'')) => 3,
            _ => 1,
        };
        self.line().code.push('\'');
        self.at += length;
    }

    fn is_inside_word(&self) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|before| self.chars.get(before))
            .is_some_and(|c| c.is_alphanumeric() || *c == '_')
    }

    fn keep(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(c) = self.peek(0) {
                self.line().code.push(c);
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
#[path = "scan_test.rs"]
mod tests;
