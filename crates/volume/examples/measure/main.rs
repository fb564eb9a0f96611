//! Measures what needs no disk, over a store that discards payloads; prints a line of JSON for each.
//!
//! `measure map` the memory that the map of 1 TiB takes with a tenth of it written at random, `measure
//! attach` how long attaching takes after a crash with 10 million extents and a full journal, `measure
//! write_amp uniform|skew [GiB]` bytes stored for each byte written, in the steady state.

mod discard;

use std::time::Instant;

use base::Timestamp;
use base::rng::Rng;
use volume::{BLOCK_LEN, Command, Config, Engine, Refused, Reply, VolumeId};

use discard::Discard;

/// Blocks in 1 TiB.
const TIB: u64 = 1 << 28;

/// How much is packed after the checkpoint before the crash: about as much as there may be.
const SINCE_BLOCKS: u64 = 500_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["map"] => map(),
        ["attach"] => attach(),
        ["write_amp", skew @ ("uniform" | "skew")] => write_amp(skew, 4),
        ["write_amp", skew @ ("uniform" | "skew"), gib] => {
            write_amp(skew, gib.parse().expect("a number of GiB"));
        }
        _ => eprintln!("measure map | attach | write_amp uniform|skew [GiB]"),
    }
}

/// The seconds that something takes.
#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is about real time"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64())
}

fn memory_len() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

fn map() {
    let mut config = Config::new(VolumeId(1));
    config.journal_len = 64 << 20;
    let mut store = Discard::new(config.journal_len);
    volume::create(&config, "measured", TIB, &mut store).expect("a new volume");
    store.fill(config.volume, TIB, TIB / 10);
    let before = memory_len();
    let (engine, _) = timed(|| volume::open(&config, &mut store).expect("it can be attached"));
    let rss = memory_len() - before;
    let figures = engine.figures();
    println!(
        "{{\"case\":\"map_1tib_bytes\",\"map_bytes\":{},\"process_bytes\":{rss},\"extents\":{}}}",
        figures.map_memory_len, figures.live_blocks
    );
}

fn attach() {
    let config = Config::new(VolumeId(1));
    let mut store = Discard::new(config.journal_len);
    volume::create(&config, "measured", TIB, &mut store).expect("a new volume");
    store.fill(config.volume, TIB, 10_000_000);
    let mut rng = Rng::new(2);
    let data = discard::payload();
    {
        let mut engine = volume::open(&config, &mut store).expect("it can be attached");
        engine.checkpoint();
        pump(&mut engine, &mut store);
        // Segments that the checkpoint does not have.
        for _ in 0..SINCE_BLOCKS {
            put(&mut engine, &mut store, rng.below(TIB), &data);
        }
        // The store takes nothing more, so that the journal fills.
        store.refuses = true;
        for id in 0.. {
            match engine.write(id, rng.below(TIB), &data, false) {
                Ok(()) => pump(&mut engine, &mut store),
                Err(Refused::Full | Refused::NoSpace) => break,
                Err(other) => panic!("{other:?}"),
            }
        }
        store.refuses = false;
    }
    let (engine, first) = timed(|| volume::open(&config, &mut store).expect("it can be attached"));
    let figures = engine.figures();
    println!(
        "{{\"case\":\"attach_1tib_ms\",\"ms\":{:.0},\"extents\":{},\"journal_bytes\":{},\"journal_extents\":{}}}",
        first * 1e3,
        figures.live_blocks,
        figures.journal_used_len,
        figures.overlay_extents
    );
}

fn write_amp(skew: &str, gib: u64) {
    let mut config = Config::new(VolumeId(1));
    config.journal_len = 256 << 20;
    let mut store = Discard::new(config.journal_len);
    let blocks = gib << 18;
    volume::create(&config, "measured", blocks, &mut store).expect("a new volume");
    let mut engine = volume::open(&config, &mut store).expect("it can be attached");
    let mut rng = Rng::new(3);
    let data = discard::payload();
    // Every block once, in an order that is not the device's.
    for index in 0..blocks {
        put(
            &mut engine,
            &mut store,
            index.wrapping_mul(0x9e37_79b1) % blocks,
            &data,
        );
    }
    let hot = blocks / 5;
    let mut round = |count: u64, engine: &mut Engine, store: &mut Discard| {
        for _ in 0..count {
            let block = match skew {
                "skew" if rng.below(10) < 8 => rng.below(hot),
                "skew" => hot + rng.below(blocks - hot),
                _ => rng.below(blocks),
            };
            put(engine, store, block, &data);
        }
    };
    round(3 * blocks, &mut engine, &mut store);
    let before = store.put_len;
    let mut leanest = 1.0_f64;
    let ((), seconds) = timed(|| {
        for _ in 0..64 {
            round(blocks * 2 / 64, &mut engine, &mut store);
            let live = engine.figures().mapped_blocks * BLOCK_LEN as u64;
            leanest = leanest.min(live as f64 / store.len() as f64);
        }
    });
    let client = blocks * 2 / 64 * 64 * BLOCK_LEN as u64;
    let figures = engine.figures();
    let live = figures.mapped_blocks * BLOCK_LEN as u64;
    println!(
        "{{\"case\":\"write_amp_{skew}\",\"ratio\":{:.3},\"live_of_stored\":{:.3},\"least_live_of_stored\":{:.3},\"client_bytes\":{client},\"collected\":{},\"checkpoints\":{},\"us_per_write\":{:.2}}}",
        (store.put_len - before) as f64 / client as f64,
        live as f64 / store.len() as f64,
        leanest,
        figures.collected,
        figures.checkpoints,
        seconds * 1e6 / (client / BLOCK_LEN as u64) as f64,
    );
}

fn put(engine: &mut Engine, store: &mut Discard, block: u64, data: &[u8]) {
    loop {
        let begun = engine.write(block, block, data, false);
        pump(engine, store);
        match begun {
            Ok(()) => return,
            Err(Refused::Full) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Does all the I/O that the engine wants.
fn pump(engine: &mut Engine, store: &mut Discard) {
    while let Some(command) = engine.poll_command() {
        if let Command::Seal { token, draft } = command {
            engine.handle_sealed(token, draft.seal());
        } else if let Some((token, result)) = store.perform(command) {
            engine.handle_completion(Timestamp::ZERO, token, result);
        }
    }
    while let Some(reply) = engine.poll_reply() {
        assert!(matches!(reply, Reply::Done(_) | Reply::Room), "{reply:?}");
    }
}
