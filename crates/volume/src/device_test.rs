//! The device beside an array of bytes, with I/O ending in any order.

use base::Timestamp;
use base::rng::Rng;

use super::*;
use crate::command::Command;
use crate::crash::planted::Planted;
use crate::crash::world::{BLOCKS, World};
use crate::open::open;

const LEN: u64 = BLOCKS * BLOCK;

fn device(world: &mut World) -> Device {
    let config = world.config.clone();
    Device::new(open(&config, world).expect("a new volume"))
}

/// Ends one piece of I/O of those under way, if there is any.
fn pump(device: &mut Device, world: &mut World, held: &mut Vec<Command>, rng: &mut Rng) -> bool {
    held.extend(std::iter::from_fn(|| device.engine.poll_command()));
    if held.is_empty() {
        return false;
    }
    let index = usize_of(rng.below(held.len() as u64));
    let (token, bytes) = match held.swap_remove(index) {
        Command::JournalWrite { token, at, bytes } => {
            world.disk.write(at, &bytes);
            (token, Ok(Vec::new()))
        }
        Command::JournalHeader { token, bytes } => {
            world.disk.write_durably(&bytes);
            (token, Ok(Vec::new()))
        }
        Command::JournalSync { token }
        | Command::BulkSync { token, .. }
        | Command::Delete { token, .. } => (token, Ok(Vec::new())),
        Command::JournalRead { token, at, len } => (token, Ok(world.disk.read(at, len))),
        Command::Seal { token, draft } => {
            device.engine.handle_sealed(token, draft.seal());
            return true;
        }
        Command::Put { token, name, bytes } => {
            world.store.put(name, &bytes);
            (token, Ok(Vec::new()))
        }
        Command::Get {
            token,
            name,
            offset,
            len,
        } => (token, world.store.get(name, offset, len)),
    };
    device
        .engine
        .handle_completion(Timestamp::ZERO, token, bytes);
    true
}

#[test]
fn it_agrees_with_an_array() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(seed, Planted::Nothing);
        let mut device = device(&mut world);
        let mut model = vec![0u8; usize_of(LEN)];
        let (mut held, mut open_changes, mut done) = (Vec::new(), 0, 0);
        for id in 1..200 {
            let len = 1 + rng.below(3 * BLOCK);
            let offset = rng.below(LEN - len);
            let range = usize_of(offset)..usize_of(offset + len);
            let choice = rng.below(4);
            let begun = if choice == 0 {
                let (block, count) = (offset / BLOCK, 1 + rng.below(5));
                let count = count.min(LEN / BLOCK - block);
                let range = usize_of(block * BLOCK)..usize_of((block + count) * BLOCK);
                let data = vec![id as u8; range.len()];
                let begun = write_bulk(&mut device, &mut world, (id, block), &data);
                begun.map(|()| model[range].copy_from_slice(&data))
            } else if choice == 1 {
                let begun = device.zero(id, offset, len, false);
                begun.map(|()| model[range].fill(0))
            } else {
                let data = vec![id as u8; range.len()];
                let begun = device.write(id, offset, &data, rng.below(5) == 0);
                begun.map(|()| model[range].copy_from_slice(&data))
            };
            open_changes += u64::from(begun.is_ok());
            for _ in 0..rng.below(12) {
                pump(&mut device, &mut world, &mut held, &mut rng);
            }
            done += answers(&mut device);
        }
        while pump(&mut device, &mut world, &mut held, &mut rng) {
            done += answers(&mut device);
        }
        assert_eq!(done + answers(&mut device), open_changes, "seed {seed}");
        let (offset, len) = (rng.below(5000), 300_000);
        device.read(0, offset, len).expect("within bounds");
        while pump(&mut device, &mut world, &mut held, &mut rng) {}
        let from = usize_of(offset);
        let expected = model[from..from + len as usize].to_vec();
        let read = std::iter::from_fn(|| device.poll_reply()).last();
        assert!(read == Some(Reply::Read(0, expected)), "seed {seed}");
    }
}

/// A write that is stored first, and handed in while others wait for the ends of theirs.
fn write_bulk(
    device: &mut Device,
    world: &mut World,
    (id, block): (u64, u64),
    data: &[u8],
) -> Result<(), Refused> {
    let blocks = (data.len() / BLOCK_LEN) as u32;
    let mut draft = device.engine.begin_bulk(blocks)?;
    draft.begin(block);
    let mut bytes = Vec::new();
    for block in data.chunks(BLOCK_LEN) {
        bytes.extend(draft.push(block));
        bytes.extend(block);
    }
    bytes.extend(draft.end());
    world.store.put_unsynced(draft.name(), &bytes);
    device.write_bulk(id, draft, false)
}

/// Takes the answers, all of which are to be good.
fn answers(device: &mut Device) -> u64 {
    let mut count = 0;
    while let Some(reply) = device.poll_reply() {
        match reply {
            Reply::Done(_) => count += 1,
            Reply::Room => {}
            other => panic!("{other:?}"),
        }
    }
    count
}

#[test]
fn ranges_end_with_the_volume() {
    let mut world = World::new(1, Planted::Nothing);
    let mut device = device(&mut world);
    assert_eq!(device.read(1, LEN - 1, 2), Err(Refused::Range));
    assert_eq!(device.write(1, u64::MAX, &[1], false), Err(Refused::Range));
    assert_eq!(device.zero(1, 1, LEN, false), Err(Refused::Range));
    assert_eq!(
        device.write(1, 0, &vec![0; (64 << 10) + 1], false),
        Err(Refused::Range)
    );
    device.write(1, 5, &[], false).expect("nothing to do");
    device.zero(2, LEN, 0, false).expect("nothing to do");
    assert_eq!(answers(&mut device), 2);
}

#[test]
fn whole_blocks_are_taken_at_once_unless_something_waits_or_there_is_no_room() {
    let mut world = World::new(1, Planted::Nothing);
    let mut device = device(&mut world);
    assert!(device.takes_now(0, BLOCK));
    assert!(!device.takes_now(512, BLOCK) && !device.takes_now(0, 512));
    let mut id = 0;
    while device.takes_now(0, BLOCK) {
        id += 1;
        assert_eq!(device.write(id, 0, &[1; BLOCK_LEN], false), Ok(()));
    }
    assert_eq!(
        device.write(0, 0, &[1; BLOCK_LEN], false),
        Err(Refused::Full)
    );
}

#[test]
fn nothing_goes_before_a_change_that_waits() {
    let mut world = World::new(1, Planted::Nothing);
    let mut device = device(&mut world);
    device.write(1, 0, &[1; BLOCK_LEN], false).unwrap();
    let (mut held, mut rng) = (Vec::new(), Rng::new(1));
    while pump(&mut device, &mut world, &mut held, &mut rng) {}
    device.write(2, 512, &[2; 512], false).unwrap();
    assert!(!device.takes_now(BLOCK, BLOCK));
    while pump(&mut device, &mut world, &mut held, &mut rng) {}
    while device.poll_reply().is_some() {}
    assert!(device.takes_now(BLOCK, BLOCK));
}
