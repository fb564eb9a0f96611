//! Compares the hit ratio of the engine with LRU and with S3-FIFO as published, on a trace.
//!
//! `zstdcat TRACE | cargo run --release -p cache --example hit_ratio -- - SIZE [VALUE_LEN]`; a file
//! of plain text does instead of `-`. A line is `KEY` or `KEY VALUE_LEN`; where the trace has no
//! lengths they are VALUE_LEN, by default 200 bytes. A miss stores the value. The engine gets SIZE
//! for everything; the other two are charged 28 bytes an item and nothing for queues or ghosts.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::{BufRead, BufReader, Read};

use base::kv::{Get, Item, Op, Outcome, Sink, Store};
use base::{ByteSize, Timestamp};
use cache::{Config, TenantCache};

const ITEM_OVERHEAD: u64 = 28;

struct Ignore;

impl Sink for Ignore {
    fn item(&mut self, _item: &Item<'_>) {}
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(path), Some(size)) = (args.first(), args.get(1)) else {
        eprintln!(
            "give a trace (or - for standard input), a cache size and perhaps a value length"
        );
        std::process::exit(2);
    };
    let size: ByteSize = size.parse().unwrap_or_else(|error: String| fail(&error));
    let value_len = args
        .get(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let requests = read_trace(path, value_len);
    let ours = engine(&requests, size.0);
    let lru = lru(&requests, size.0);
    let paper = s3_fifo(&requests, size.0);
    println!(
        "{} requests, {size}: engine {ours:.4}, LRU {lru:.4}, S3-FIFO as published {paper:.4}",
        requests.len()
    );
}

fn fail(error: &str) -> ! {
    eprintln!("{error}");
    std::process::exit(1)
}

fn read_trace(path: &str, value_len: u32) -> Vec<(u32, u32)> {
    let source: Box<dyn Read> = if path == "-" {
        Box::new(std::io::stdin())
    } else {
        let open = std::fs::File::open(path);
        Box::new(open.unwrap_or_else(|error| fail(&format!("no trace at {path}: {error}"))))
    };
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let line = |line: std::io::Result<String>| {
        let line = line.unwrap_or_else(|error| fail(&format!("{path}: {error}")));
        let mut words = line.split_ascii_whitespace();
        let key = words.next()?.to_owned();
        let len = words
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or(value_len);
        let next = numbers.len() as u32;
        Some((*numbers.entry(key).or_insert(next), len))
    };
    BufReader::new(source).lines().filter_map(line).collect()
}

fn cost(len: u32) -> u64 {
    u64::from(len) + 8 + ITEM_OVERHEAD
}

fn engine(requests: &[(u32, u32)], size: u64) -> f64 {
    let config = Config {
        quota_bytes: size,
        item_size_max: u32::try_from(size / 2).unwrap_or(1 << 30).min(1 << 20),
        hash_key: [9; 16],
        cas_after: None,
    };
    let start = Timestamp::from_secs(1_800_000_000);
    let cache = TenantCache::new(config, start).unwrap_or_else(|error| fail(&error.to_string()));
    let value = vec![0; 1 << 20];
    let mut hits = 0u64;
    for (key, len) in requests {
        let key = format!("{key:08x}");
        let get = Get {
            value: false,
            ..Get::plain(key.as_bytes())
        };
        if cache.execute(start, &Op::Get(get), &mut Ignore) == Outcome::Hit {
            hits += 1;
            continue;
        }
        let store = Store::plain(
            key.as_bytes(),
            &value[..(*len as usize).min(value.len() - 100)],
        );
        cache.execute(start, &Op::Store(store), &mut Ignore);
    }
    let stats = cache.stats();
    println!(
        "  engine: {} items, held {}, copied {}, evictions {}, no memory {}",
        stats.curr_items,
        stats.held_bytes,
        stats.copied_bytes,
        stats.evictions,
        stats.store_no_memory
    );
    hits as f64 / requests.len() as f64
}

fn lru(requests: &[(u32, u32)], size: u64) -> f64 {
    let mut at: HashMap<u32, (u64, u64)> = HashMap::new();
    let mut order: BTreeMap<u64, u32> = BTreeMap::new();
    let (mut hits, mut used) = (0u64, 0);
    for (now, (key, len)) in (0u64..).zip(requests) {
        if let Some((last, _)) = at.get_mut(key) {
            hits += 1;
            order.remove(last);
            *last = now;
        } else {
            at.insert(*key, (now, cost(*len)));
            used += cost(*len);
        }
        order.insert(now, *key);
        while used > size
            && let Some((_, oldest)) = order.pop_first()
        {
            used -= at.remove(&oldest).map_or(0, |(_, bytes)| bytes);
        }
    }
    hits as f64 / requests.len() as f64
}

/// Algorithm 1 of the paper (Yang et al., SOSP 2023), by bytes.
fn s3_fifo(requests: &[(u32, u32)], size: u64) -> f64 {
    let mut frequency: HashMap<u32, u8> = HashMap::new();
    let mut queues: [VecDeque<(u32, u64)>; 2] = Default::default();
    let mut bytes = [0u64; 2];
    let (mut ghost, mut ghost_order) = (HashSet::new(), VecDeque::new());
    let mut hits = 0u64;
    for (key, len) in requests {
        if let Some(count) = frequency.get_mut(key) {
            hits += 1;
            *count = (*count + 1).min(3);
            continue;
        }
        let need = cost(*len);
        while bytes[0] + bytes[1] + need > size {
            let from = usize::from(bytes[0] < size / 10 && !queues[1].is_empty());
            let Some((victim, cost)) = queues[from].pop_front() else {
                break;
            };
            bytes[from] -= cost;
            let count = frequency.get(&victim).copied().unwrap_or(0);
            let stays = if from == 0 { count > 1 } else { count > 0 };
            if stays {
                queues[1].push_back((victim, cost));
                bytes[1] += cost;
                frequency.insert(victim, if from == 0 { 0 } else { count - 1 });
                continue;
            }
            frequency.remove(&victim);
            if from == 0 && ghost.insert(victim) {
                ghost_order.push_back(victim);
            }
            while ghost_order.len() > queues[1].len().max(1) {
                ghost_order.pop_front().map(|oldest| ghost.remove(&oldest));
            }
        }
        let to = usize::from(ghost.remove(key));
        queues[to].push_back((*key, need));
        bytes[to] += need;
        frequency.insert(*key, 0);
    }
    hits as f64 / requests.len() as f64
}
