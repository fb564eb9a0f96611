//! The histories of blocks on disk, so that whoever keeps them may be killed as well.
//!
//! A file of lines, one for each call of the [`Checker`], written before what it tells of goes out: `w OP
//! BLOCK BLOCKS CONTENT` a write begins, `a OP DURABLE` it is answered, `b OP` a flush begins, `f OP` it is
//! answered, `c` a crash, `r BLOCK CONTENT` what was read after one. A content is `z`, `sSTAMP` or `t`. The
//! first line says of how many blocks; what the last one says counts only if it is whole. Once all is
//! settled the file begins anew with `i OP CONTENT ..`: what each block is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use volume::BLOCK_LEN;
use volume::checker::{Checker, Content, Violation, content_of, stamped};

/// What the first line begins with.
const MAGIC: &str = "cofferdam-torture-1";

/// A checker, and where its histories are kept.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    checker: Checker,
    book: Option<Book>,
}

#[derive(Debug)]
struct Book {
    path: PathBuf,
    file: File,
    blocks: u64,
}

/// A ledger that was found, and the last operation in it.
pub(super) type Found = (Ledger, u64);

impl Ledger {
    /// Begins a file; whatever was there is gone.
    pub(super) fn create(path: &Path, blocks: u64) -> io::Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "{MAGIC} {blocks}")?;
        file.sync_all()?;
        Ok(Self {
            checker: Checker::new(),
            book: Some(Book {
                path: path.to_owned(),
                file,
                blocks,
            }),
        })
    }

    /// Goes on with a file of so many blocks, as after a crash.
    pub(super) fn open(path: &Path, blocks: u64) -> io::Result<Found> {
        let text = fs::read_to_string(path)?;
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let mut lines = whole.lines();
        if lines.next() != Some(&format!("{MAGIC} {blocks}")) {
            return Err(invalid("it is of another size, or no file of torture's"));
        }
        let mut checker = Checker::new();
        let mut last_op = 0;
        for line in lines {
            let op = replay(&mut checker, line);
            last_op = last_op.max(op.ok_or_else(|| invalid(line))?);
        }
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(whole.len() as u64)?;
        let book = Book {
            path: path.to_owned(),
            file,
            blocks,
        };
        let book = Some(book);
        Ok((Self { checker, book }, last_op))
    }

    pub(super) fn write_begins(
        &mut self,
        op: u64,
        (block, blocks): (u64, u64),
        content: Content,
    ) -> io::Result<()> {
        self.keep(format_args!("w {op} {block} {blocks} {}", word(content)))?;
        self.checker.write_begins(op, block, blocks, content);
        Ok(())
    }

    pub(super) fn write_answered(&mut self, op: u64, durable: bool) -> io::Result<()> {
        self.keep(format_args!("a {op} {}", u8::from(durable)))?;
        self.checker.write_answered(op, durable);
        Ok(())
    }

    pub(super) fn flush_begins(&mut self, op: u64) -> io::Result<()> {
        self.keep(format_args!("b {op}"))?;
        self.checker.begins(op);
        Ok(())
    }

    pub(super) fn flush_answered(&mut self, op: u64) -> io::Result<()> {
        self.keep(format_args!("f {op}"))?;
        self.checker.flush_answered(op);
        Ok(())
    }

    /// A write of stamped blocks begins, with this data.
    pub(super) fn stamped_begins(
        &mut self,
        op: u64,
        (block, blocks): (u64, u64),
    ) -> io::Result<Vec<u8>> {
        self.write_begins(op, (block, blocks), Content::Stamp(op))?;
        let data = (block..block + blocks).flat_map(|block| stamped(op, block));
        Ok(data.collect())
    }

    /// Reads settle nothing, and need not be kept.
    pub(super) fn read_begins(&mut self, op: u64) {
        self.checker.begins(op);
    }

    pub(super) fn read_answered(&mut self, op: u64, block: u64, data: &[u8]) -> Vec<Violation> {
        self.checker.read_answered(op, block, data)
    }

    pub(super) fn crash(&mut self) -> io::Result<()> {
        self.keep(format_args!("c"))?;
        self.checker.crash();
        Ok(())
    }

    /// What was read after a crash is settled before anybody relies on it.
    pub(super) fn settle(&mut self, block: u64, data: &[u8]) -> io::Result<Vec<Violation>> {
        let violations = self.checker.settle(block, data);
        if violations.is_empty() && self.book.is_some() {
            let mut lines = String::new();
            for (block, bytes) in (block..).zip(data.chunks(BLOCK_LEN)) {
                let content = word(content_of(block, bytes));
                lines.push_str(&format!("r {block} {content}\n"));
            }
            self.append(&lines)?;
        }
        Ok(violations)
    }

    /// All blocks are settled, and nothing is under way: what was before is forgotten.
    pub(super) fn begin_anew(&mut self, last_op: u64, contents: &[Content]) -> io::Result<()> {
        let Some(book) = &mut self.book else {
            return Ok(());
        };
        let words: Vec<String> = contents.iter().map(|content| word(*content)).collect();
        let mut beside = book.path.clone().into_os_string();
        beside.push(".partial");
        let mut file = File::create(&beside)?;
        let blocks = book.blocks;
        let all = words.join(" ");
        file.write_all(format!("{MAGIC} {blocks}\ni {last_op} {all}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &book.path)?;
        book.file = file;
        Ok(())
    }

    fn keep(&mut self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        match self.book {
            Some(_) => self.append(&format!("{line}\n")),
            None => Ok(()),
        }
    }

    /// In one call, so that whoever is killed leaves at most the end of a line out.
    fn append(&mut self, lines: &str) -> io::Result<()> {
        match &mut self.book {
            Some(book) => book.file.write_all(lines.as_bytes()).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", book.path.display()))
            }),
            None => Ok(()),
        }
    }
}

/// Does what a line says; the operation that it is about.
fn replay(checker: &mut Checker, line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    match *words.first()? {
        "w" => {
            let content = content(words.get(4)?)?;
            checker.write_begins(number(1)?, number(2)?, number(3)?, content);
        }
        "a" => checker.write_answered(number(1)?, number(2)? == 1),
        "b" => checker.begins(number(1)?),
        "f" => checker.flush_answered(number(1)?),
        "i" => {
            let contents = words.iter().skip(2).map(|word| content(word));
            checker.reset(&contents.collect::<Option<Vec<_>>>()?);
        }
        "c" => {
            checker.crash();
            return Some(0);
        }
        "r" => {
            let block = number(1)?;
            let bytes = match content(words.get(2)?)? {
                Content::Stamp(stamp) => stamped(stamp, block),
                Content::Zero => vec![0; BLOCK_LEN],
                Content::Torn => return None,
            };
            // It was judged when it was read.
            return checker.settle(block, &bytes).is_empty().then_some(0);
        }
        _ => return None,
    }
    number(1)
}

fn word(content: Content) -> String {
    match content {
        Content::Zero => "z".to_owned(),
        Content::Stamp(stamp) => format!("s{stamp}"),
        Content::Torn => "t".to_owned(),
    }
}

fn content(word: &str) -> Option<Content> {
    match word.split_at_checked(1)? {
        ("z", "") => Some(Content::Zero),
        ("t", "") => Some(Content::Torn),
        ("s", stamp) => stamp.parse().ok().map(Content::Stamp),
        _ => None,
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod tests;
