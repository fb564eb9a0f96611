//! One of two copies is lost with the power: the other has all that was flushed.

use base::Timestamp;
use base::rng::Rng;

use super::*;
use crate::checker::{Checker, Content, stamped};
use crate::command::Reply;
use crate::crash::planted::Planted;
use crate::crash::world::{BLOCKS, World};
use crate::engine::Engine;
use crate::open::open;

struct Pair {
    copies: [World; 2],
    mirror: Mirror,
    pending: Vec<(Twin, Command)>,
    rng: Rng,
    /// Planted: the answer of the first copy is enough.
    is_hasty: bool,
}

impl Pair {
    fn copy(&mut self, copy: Twin) -> &mut World {
        &mut self.copies[usize::from(copy == Twin::Second)]
    }

    fn take(&mut self, engine: &mut Engine) {
        while let Some(command) = engine.poll_command() {
            if let Command::Seal { token, draft } = command {
                engine.handle_sealed(token, draft.seal());
                continue;
            }
            for copy in self.mirror.begin(&command) {
                if let Command::JournalSync { token } = command {
                    let world = self.copy(*copy);
                    world.syncs.insert(token, world.disk.begin_sync());
                }
                self.pending.push((*copy, command.clone()));
            }
        }
    }

    fn complete(&mut self, engine: &mut Engine) {
        if self.pending.is_empty() {
            return;
        }
        let index = self.rng.below(self.pending.len() as u64) as usize;
        let (copy, command) = self.pending.swap_remove(index);
        let is_read = matches!(command, Command::Get { .. } | Command::JournalRead { .. });
        let (token, result) = perform(self.copy(copy), command);
        // A copy that cannot be read now and then.
        let fails = is_read && copy == Twin::First && self.rng.below(4) == 0;
        let result = if fails { Err(IoError::Failed) } else { result };
        let hasty = self.is_hasty && copy == Twin::First && !is_read;
        match self.mirror.ended(copy, token, result) {
            Mirrored::Ended(token, result) => {
                engine.handle_completion(Timestamp::ZERO, token, result);
            }
            Mirrored::Ask(command) => self.pending.push((Twin::Second, command)),
            Mirrored::Waits if hasty => {
                engine.handle_completion(Timestamp::ZERO, token, Ok(Vec::new()));
            }
            Mirrored::Waits => {}
        }
    }
}

fn perform(world: &mut World, command: Command) -> (u64, Result<Vec<u8>, IoError>) {
    let done = Ok(Vec::new());
    match command {
        Command::JournalWrite { token, at, bytes } => {
            world.disk.write(at, &bytes);
            (token, done)
        }
        Command::JournalHeader { token, bytes } => {
            world.disk.write_durably(&bytes);
            (token, done)
        }
        Command::JournalSync { token } => {
            let begun = world.syncs.remove(&token).expect("it has begun");
            world.disk.end_sync(begun);
            (token, done)
        }
        Command::BulkSync { token, names } => {
            names.into_iter().for_each(|name| world.store.sync(name));
            (token, done)
        }
        Command::JournalRead { token, at, len } => (token, Ok(world.disk.read(at, len))),
        Command::Put { token, name, bytes } => {
            world.store.put(name, &bytes);
            (token, done)
        }
        Command::Get {
            token,
            name,
            offset,
            len,
        } => (token, world.store.get(name, offset, len)),
        Command::Delete { token, name } => {
            world.store.delete(name);
            (token, done)
        }
        Command::Seal { .. } => panic!("not I/O"),
    }
}

/// What the checker finds in the copy that is left.
fn faults(seed: u64, is_hasty: bool) -> usize {
    let [mut first, mut second] = [seed, seed].map(|seed| World::new(seed, Planted::Nothing));
    let config = first.config.clone();
    let mut engine = {
        let mut both = MirrorBacking::new(&mut first, &mut second);
        open(&config, &mut both).expect("a new volume")
    };
    let mut pair = Pair {
        copies: [first, second],
        mirror: Mirror::new(),
        pending: Vec::new(),
        rng: Rng::new(seed),
        is_hasty,
    };
    let mut checker = Checker::new();
    let mut flushes = std::collections::BTreeSet::new();
    for op in 1..250 + pair.rng.below(250) {
        match pair.rng.below(4) {
            0 => {
                checker.begins(op);
                flushes.insert(op);
                engine.flush(op).expect("it goes on");
            }
            _ => {
                let block = pair.rng.below(BLOCKS);
                checker.write_begins(op, block, 1, Content::Stamp(op));
                if engine.write(op, block, &stamped(op, block), false).is_err() {
                    checker.write_refused(op);
                }
            }
        }
        for _ in 0..pair.rng.below(10) {
            pair.take(&mut engine);
            pair.complete(&mut engine);
        }
        while let Some(reply) = engine.poll_reply() {
            match reply {
                Reply::Done(op) if flushes.remove(&op) => checker.flush_answered(op),
                Reply::Done(op) => checker.write_answered(op, false),
                _ => {}
            }
        }
    }
    checker.crash();
    let lost = if pair.rng.below(2) == 0 {
        Twin::First
    } else {
        Twin::Second
    };
    let pending = std::mem::take(&mut pair.pending).into_iter();
    let left = match lost {
        Twin::First => Twin::Second,
        Twin::Second => Twin::First,
    };
    let pending = pending.filter(|(copy, _)| *copy == left);
    let pending = pending.map(|(_, command)| command).collect();
    let world = pair.copy(left);
    world.pending = pending;
    world.crash();
    let Ok(mut engine) = world.attach() else {
        return 1;
    };
    engine.read(0, 0, BLOCKS as u32).expect("within bounds");
    let replies = world.idle_until_done(&mut engine).into_iter();
    let mut data = replies.filter_map(|reply| match reply {
        Reply::Read(0, data) => Some(data),
        _ => None,
    });
    // What cannot be read is a fault too.
    data.next_back()
        .map_or(1, |data| checker.settle(0, &data).len())
}

#[test]
fn either_copy_alone_has_what_was_flushed() {
    (0..100).for_each(|seed| assert_eq!(faults(seed, false), 0, "seed {seed}"));
}

#[test]
fn an_answer_before_both_copies_have_it_is_caught() {
    assert!((0..100).any(|seed| faults(seed, true) > 0));
}

#[test]
fn a_failure_of_either_copy_is_one() {
    let sync = Command::JournalSync { token: 1 };
    for (first, second) in [(true, false), (false, true)] {
        let mut mirror = Mirror::new();
        assert_eq!(mirror.begin(&sync), [Twin::First, Twin::Second]);
        let result = |ok| {
            if ok {
                Ok(Vec::new())
            } else {
                Err(IoError::Failed)
            }
        };
        let waits = mirror.ended(Twin::Second, 1, result(second));
        assert!(matches!(waits, Mirrored::Waits));
        let ended = mirror.ended(Twin::First, 1, result(first));
        assert!(matches!(ended, Mirrored::Ended(1, Err(IoError::Failed))));
    }
}
