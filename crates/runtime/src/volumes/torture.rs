//! Puts random load on an NBD server and judges every answer, over as many of its lives as it has.
//!
//! Blocks carry stamps, and [`Checker`] keeps the history of each: what a read may see, and what must
//! still be there after the server was killed. A connection that breaks counts as a crash: the next
//! one begins by reading everything, which settles what was under way for ever.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base::rng::Rng;
use nbd_proto::wire::export_flag;
use nbd_proto::{Command, Errno};
use volume::BLOCK_LEN;
use volume::checker::{Content, content_of};

use super::client::{Answer, NbdClient};
use super::ledger::Ledger;

pub use volume::checker::Violation;

/// The most blocks of one operation.
const OP_BLOCKS_MAX: u64 = 32;
/// The least blocks of a long one, which few are.
const LONG_BLOCKS: u64 = 32;
/// The last of the choices, which is a write.
const WRITES: u64 = 11;
/// How many operations a history holds at most.
const FORGET_EVERY: u64 = 4_000;
/// How much is read at once when everything is.
const SWEEP_BLOCKS: u64 = 256;

/// What is to be done to a server.
#[derive(Clone, Copy, Debug)]
pub struct TortureConfig {
    /// Where all that is random comes from.
    pub seed: u64,
    /// How much of the export is used, in blocks, from its beginning on.
    pub blocks: u64,
    /// Operations under way at once.
    pub depth: usize,
    /// Whether TRIM is to zero what it trims; the protocol does not say so.
    pub trim_zeroes: bool,
    /// Whether a crash may take nothing that was answered: it is the server that is killed, and not
    /// the machine.
    pub keeps_answered: bool,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TortureFigures {
    /// Writes that were answered, those of zeroes included.
    pub writes: u64,
    /// Reads that were answered and judged.
    pub reads: u64,
    /// Flushes that were answered.
    pub flushes: u64,
    /// Operations that the server said it could not do.
    pub errors: u64,
    /// How often a connection broke.
    pub crashes: u64,
}

/// The histories of a server's blocks, and the load.
#[derive(Debug)]
pub struct Torture {
    config: TortureConfig,
    rng: Rng,
    /// Where a file of histories is to begin.
    path: Option<PathBuf>,
    ledger: Ledger,
    next_op: u64,
    /// Histories are cut short when operations are numbered so.
    told_apart_until: u64,
    /// By connection and cookie, what is under way.
    under_way: BTreeMap<(usize, u64), Op>,
    /// What was done.
    pub figures: TortureFigures,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Change { op: u64, fua: bool },
    Flush { op: u64 },
    Read { op: u64, block: u64 },
}

/// An answer that may not be, or why there are no more answers.
#[derive(Debug)]
pub enum Found {
    /// Blocks are not what they may be.
    Violations(Vec<Violation>),
    /// The connection broke.
    Broken(io::Error),
}

impl From<io::Error> for Found {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Torture {
    /// Before the server is first spoken to.
    pub fn new(config: TortureConfig) -> Self {
        Self::with(config, Ledger::default(), 0)
    }

    /// The same, with the histories in a file, which begins when all blocks are zero.
    pub fn kept_in(config: TortureConfig, path: &Path) -> Self {
        let path = Some(path.to_owned());
        let torture = Self::new(config);
        Self { path, ..torture }
    }

    /// Goes on where another run, which may have been killed, has left its file; as behind a crash,
    /// [`Torture::settle`] comes next.
    pub fn resumed_from(config: TortureConfig, path: &Path) -> io::Result<Self> {
        let (ledger, last_op) = Ledger::open(path, config.blocks)?;
        let mut torture = Self::with(config, ledger, last_op);
        torture.crashed()?;
        torture.figures.crashes = 0;
        Ok(torture)
    }

    fn with(config: TortureConfig, ledger: Ledger, next_op: u64) -> Self {
        Self {
            rng: Rng::new(config.seed),
            config,
            path: None,
            ledger,
            next_op,
            told_apart_until: next_op + FORGET_EVERY,
            under_way: BTreeMap::new(),
            figures: TortureFigures::default(),
        }
    }

    /// Makes the blocks zero, so that it is known what they are; done once, at the very beginning.
    pub fn begin(&mut self, client: &mut NbdClient) -> Result<(), Found> {
        let zeroes = vec![0; length(SWEEP_BLOCKS)];
        for (block, blocks) in self.sweep() {
            let (offset, len) = (offset(block), len32(blocks));
            let data = zeroes.get(..length(blocks)).unwrap_or_default();
            let write = Command::Write {
                offset,
                len,
                fua: false,
            };
            done(client.ask(write, data)?)?;
        }
        done(client.ask(Command::Flush, &[])?)?;
        if let Some(path) = self.path.take() {
            self.ledger = Ledger::create(&path, self.config.blocks)?;
        }
        Ok(())
    }

    /// Says that the server was killed, or that it seems so.
    pub fn crashed(&mut self) -> io::Result<()> {
        self.under_way.clear();
        if self.config.keeps_answered {
            self.next_op += 1;
            self.ledger.flush_begins(self.next_op)?;
            self.ledger.flush_answered(self.next_op)?;
        }
        self.ledger.crash()?;
        self.figures.crashes += 1;
        Ok(())
    }

    /// Reads everything after a crash.
    pub fn settle(&mut self, client: &mut NbdClient) -> Result<(), Found> {
        let (mut violations, mut contents) = (Vec::new(), Vec::new());
        for (block, blocks) in self.sweep() {
            let data = done(client.ask(read(block, blocks), &[])?)?;
            violations.extend(self.ledger.settle(block, &data)?);
            let blocks = (block..).zip(data.chunks(BLOCK_LEN));
            contents.extend(blocks.map(|(block, bytes)| content_of(block, bytes)));
        }
        match violations.is_empty() {
            true => Ok(self.ledger.begin_anew(self.next_op, &contents)?),
            false => Err(Found::Violations(violations)),
        }
    }

    /// Goes on until `ended` says so; then everything that is under way is answered first.
    ///
    /// Several connections need a server that offers multi-conn.
    pub fn run(
        &mut self,
        clients: &mut [NbdClient],
        mut ended: impl FnMut() -> bool,
    ) -> Result<(), Found> {
        while !ended() {
            if self.next_op >= self.told_apart_until {
                self.forget(clients)?;
            }
            let full = self.under_way.len() >= self.config.depth;
            match self.rng.below(5) {
                0..3 if !full => self.begin_one(clients)?,
                _ => self.take_one(clients)?,
            }
        }
        self.finish(clients)
    }

    /// Waits for every answer that is owed.
    fn finish(&mut self, clients: &mut [NbdClient]) -> Result<(), Found> {
        while !self.under_way.is_empty() {
            self.take_one(clients)?;
        }
        Ok(())
    }

    /// Makes everything durable and reads it, after which only the newest of each history counts:
    /// they would grow without bound.
    fn forget(&mut self, clients: &mut [NbdClient]) -> Result<(), Found> {
        self.told_apart_until = self.next_op + FORGET_EVERY;
        self.finish(clients)?;
        let Some(client) = clients.first_mut() else {
            return Ok(());
        };
        if client.joined().flags & export_flag::SEND_FLUSH != 0 {
            self.next_op += 1;
            self.ledger.flush_begins(self.next_op)?;
            done(client.ask(Command::Flush, &[])?)?;
            self.ledger.flush_answered(self.next_op)?;
        }
        self.settle(client)
    }

    fn begin_one(&mut self, clients: &mut [NbdClient]) -> Result<(), Found> {
        let at = usize::try_from(self.rng.below(clients.len() as u64)).unwrap_or_default();
        let Some(client) = clients.get_mut(at) else {
            return Ok(());
        };
        self.next_op += 1;
        let op = self.next_op;
        let offered = |flag: u16| client.joined().flags & flag != 0;
        // So long that a server may well treat it in another way; and that it would wait for us to read what
        // it has answered, if anything else were under way.
        let is_long = client.under_way() == 0 && self.rng.below(2) == 0;
        let blocks = match self.rng.below(6) {
            _ if is_long => LONG_BLOCKS + self.rng.below(OP_BLOCKS_MAX),
            0 => 1 + self.rng.below(OP_BLOCKS_MAX),
            _ => 1 + self.rng.below(2),
        };
        // Half of it within an eighth, so that writes overlap.
        let within = self.config.blocks / [1, 8][usize::from(self.rng.below(2) == 0)];
        let block = self.rng.below(within.max(1));
        let blocks = blocks.min(self.config.blocks - block);
        let fua = offered(export_flag::SEND_FUA) && self.rng.below(8) == 0;
        let (offset, len) = (offset(block), len32(blocks));
        let choice = if is_long {
            WRITES
        } else {
            self.rng.below(WRITES + 1)
        };
        let (kind, command, data) = match choice {
            0 if offered(export_flag::SEND_WRITE_ZEROES) => {
                self.ledger
                    .write_begins(op, (block, blocks), Content::Zero)?;
                let zero = Command::WriteZeroes {
                    offset,
                    len,
                    fua,
                    no_hole: false,
                    fast: false,
                };
                (Op::Change { op, fua }, zero, Vec::new())
            }
            1 if self.config.trim_zeroes && offered(export_flag::SEND_TRIM) => {
                self.ledger
                    .write_begins(op, (block, blocks), Content::Zero)?;
                let trim = Command::Trim { offset, len, fua };
                (Op::Change { op, fua }, trim, Vec::new())
            }
            2 if offered(export_flag::SEND_FLUSH) => {
                self.ledger.flush_begins(op)?;
                (Op::Flush { op }, Command::Flush, Vec::new())
            }
            3..6 => {
                self.ledger.read_begins(op);
                (Op::Read { op, block }, read(block, blocks), Vec::new())
            }
            _ => {
                let write = Command::Write { offset, len, fua };
                (
                    Op::Change { op, fua },
                    write,
                    self.ledger.stamped_begins(op, (block, blocks))?,
                )
            }
        };
        let cookie = client.put(command, &data);
        self.under_way.insert((at, cookie), kind);
        Ok(client.send()?)
    }

    /// Waits for one answer, on any connection that owes one.
    fn take_one(&mut self, clients: &mut [NbdClient]) -> Result<(), Found> {
        let owing: Vec<usize> = (0..clients.len())
            .filter(|at| {
                clients
                    .get(*at)
                    .is_some_and(|client| client.under_way() > 0)
            })
            .collect();
        let pick = usize::try_from(self.rng.below(owing.len() as u64)).unwrap_or_default();
        let Some(at) = owing.get(pick).copied() else {
            return Ok(());
        };
        let Some(client) = clients.get_mut(at) else {
            return Ok(());
        };
        let answer = client.answer()?;
        let Some(kind) = self.under_way.remove(&(at, answer.cookie)) else {
            return Err(io::Error::other("an answer to nothing").into());
        };
        self.judge(kind, answer)
    }

    fn judge(&mut self, kind: Op, answer: Answer) -> Result<(), Found> {
        let data = match answer.result {
            Ok(data) => data,
            Err(errno) => return self.failed(kind, errno),
        };
        match kind {
            Op::Change { op, fua } => {
                self.ledger.write_answered(op, fua)?;
                self.figures.writes += 1;
            }
            Op::Flush { op } => {
                self.ledger.flush_answered(op)?;
                self.figures.flushes += 1;
            }
            Op::Read { op, block } => {
                self.figures.reads += 1;
                let violations = self.ledger.read_answered(op, block, &data);
                if !violations.is_empty() {
                    return Err(Found::Violations(violations));
                }
            }
        }
        Ok(())
    }

    /// A server that says no for want of room has not done it; whatever else it says, it may have.
    fn failed(&mut self, kind: Op, errno: Errno) -> Result<(), Found> {
        self.figures.errors += 1;
        match (kind, errno) {
            (_, Errno::Shutdown) => {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into());
            }
            (Op::Change { .. } | Op::Flush { .. }, _) => {}
            (Op::Read { block, .. }, _) => {
                let why = format!("block {block} cannot be read: {errno:?}");
                return Err(io::Error::other(why).into());
            }
        }
        Ok(())
    }

    fn sweep(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let all = self.config.blocks;
        (0..all)
            .step_by(usize::try_from(SWEEP_BLOCKS).unwrap_or(1))
            .map(move |block| (block, SWEEP_BLOCKS.min(all - block)))
    }
}

fn read(block: u64, blocks: u64) -> Command {
    Command::Read {
        offset: offset(block),
        len: len32(blocks),
        whole: false,
    }
}

fn offset(block: u64) -> u64 {
    block * BLOCK_LEN as u64
}

fn length(blocks: u64) -> usize {
    usize::try_from(blocks).unwrap_or_default() * BLOCK_LEN
}

fn len32(blocks: u64) -> u32 {
    u32::try_from(offset(blocks)).unwrap_or(u32::MAX)
}

fn done(answer: Answer) -> io::Result<Vec<u8>> {
    let refused = |errno: Errno| io::Error::other(format!("the server refuses: {errno:?}"));
    answer.result.map_err(refused)
}

#[cfg(test)]
#[path = "torture_test.rs"]
mod tests;
