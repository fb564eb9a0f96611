//! Random messages, and messages with everything owned so that they can be compared.

use std::time::Duration;

use base::TenantId;
use base::fleet::{Claim, Epoch, Slot};
use base::kv::{
    Arith, Delete, Expiry, Get, Item, Op, Outcome, Pin, Recache, Stats, Store, StoreMode, Value,
};
use base::rng::Rng;

use crate::{
    Hello, Inbox, Message, Payload, Piece, Reply, Request, RequestId, TenantTerms, Verdict,
};

pub(crate) fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

/// What a message says, in words: values that borrow can be compared by it.
pub(crate) fn told(message: &Message<'_>) -> String {
    format!("{message:?}")
}

/// What all messages of these bytes say, given in pieces of this length.
pub(crate) fn read_in_pieces(bytes: &[u8], piece_len: usize) -> Result<Vec<String>, String> {
    let (mut inbox, mut all) = (Inbox::default(), Vec::new());
    for piece in bytes.chunks(piece_len.max(1)) {
        inbox
            .take(piece, |message| all.push(told(&message)))
            .map_err(|error| format!("{all:?} then {error}"))?;
    }
    if inbox.is_mid_message() {
        all.push("more".to_owned());
    }
    Ok(all)
}

pub(crate) struct Draw<'r> {
    pub(crate) rng: &'r mut Rng,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl<'r> Draw<'r> {
    pub(crate) fn new(rng: &'r mut Rng) -> Self {
        let key_len = 1 + rng.below(250) as usize;
        let value_len = match rng.below(20) {
            0 => 65_536,
            1..4 => 0,
            _ => rng.below(300) as usize,
        };
        let key = (0..key_len).map(|_| rng.next_u64() as u8).collect();
        let value = (0..value_len).map(|_| rng.next_u64() as u8).collect();
        Self { rng, key, value }
    }

    fn coin(&mut self) -> bool {
        self.rng.below(2) == 0
    }

    fn number(&mut self) -> Option<u64> {
        self.coin().then(|| self.rng.next_u64())
    }

    fn end(&mut self) -> Option<Expiry> {
        self.coin()
            .then(|| Expiry::at_unix_secs(self.rng.next_u64() as u32))
    }

    fn op(&mut self) -> Op<'static> {
        let key: &'static [u8] = self.key.clone().leak();
        match self.rng.below(4) {
            0 => Op::Get(Get {
                key,
                value: self.coin(),
                known_cas: self.number(),
                touch: self.end(),
                vivify: self.end(),
                may_recache: self.coin(),
                recache_below_s: self.number().map(|number| number as u32),
                touch_first: self.coin(),
                expiry_before: self.coin(),
                new_cas: self.number(),
                peek: self.coin(),
            }),
            1 => {
                const MODES: [StoreMode; 5] = [
                    StoreMode::Set,
                    StoreMode::Add,
                    StoreMode::Replace,
                    StoreMode::Append,
                    StoreMode::Prepend,
                ];
                Op::Store(Store {
                    key,
                    value: self.value.clone().leak(),
                    flags: self.rng.next_u64() as u32,
                    expiry: self.end().unwrap_or(Expiry::NEVER),
                    mode: MODES[self.rng.below(5) as usize],
                    compare_cas: self.number(),
                    new_cas: self.number(),
                    invalidate: self.coin(),
                    vivify: self.end(),
                })
            }
            2 => Op::Delete(Delete {
                key,
                compare_cas: self.number(),
                new_cas: self.number(),
                invalidate: self.coin(),
                touch: self.end(),
                clear_value: self.coin(),
            }),
            _ => Op::Arith(Arith {
                key,
                delta: self.rng.next_u64(),
                decrement: self.coin(),
                initial: self.number().zip(self.end()),
                touch: self.end(),
                expiry_before: self.coin(),
                compare_cas: self.number(),
                new_cas: self.number(),
            }),
        }
    }

    fn id(&mut self) -> RequestId {
        RequestId::from_bits(self.rng.next_u64())
    }

    fn tenant(&mut self) -> TenantId {
        TenantId(self.rng.next_u64() as u32)
    }

    fn request(&mut self) -> Request<'static> {
        let mut op = self.op();
        let large_len = match &mut op {
            Op::Store(store) if self.rng.below(4) == 0 => {
                store.value = b"";
                Some(self.rng.next_u64() as u32)
            }
            _ => None,
        };
        Request {
            id: self.id(),
            tenant: self.tenant(),
            budget: Duration::from_micros(self.rng.below(1 << 32)),
            claim: Claim {
                slot: Slot::of_hash(self.rng.next_u64()),
                epoch: Epoch(self.rng.next_u64()),
                vouched: self.coin(),
            },
            op,
            large_len,
        }
    }

    fn reply(&mut self) -> Reply<'static> {
        const VERDICTS: [Verdict; 14] = [
            Verdict::Done(Outcome::Hit),
            Verdict::Done(Outcome::Miss),
            Verdict::Done(Outcome::NotStored),
            Verdict::Done(Outcome::Exists),
            Verdict::Done(Outcome::NotFound),
            Verdict::Done(Outcome::Deleted),
            Verdict::Done(Outcome::NonNumeric),
            Verdict::Done(Outcome::TooLarge),
            Verdict::Done(Outcome::OutOfMemory),
            Verdict::Done(Outcome::Denied),
            Verdict::Late,
            Verdict::OldEpoch,
            Verdict::NoTenant,
            Verdict::Busy,
        ];
        let verdict = match self.rng.below(16) {
            0..4 => Verdict::Done(Outcome::Stored {
                cas: self.rng.next_u64(),
                value_len: self.rng.next_u64() as u32,
            }),
            4..8 => Verdict::Done(Outcome::Hit),
            _ => VERDICTS[self.rng.below(14) as usize],
        };
        let id = self.id();
        let is_hit = verdict == Verdict::Done(Outcome::Hit);
        Reply {
            id,
            epoch: Epoch(self.rng.next_u64()),
            queued: Duration::from_nanos(self.rng.below(1 << 32)),
            served: Duration::from_nanos(self.rng.below(1 << 32)),
            verdict,
            payload: is_hit.then(|| self.payload(id)),
        }
    }

    fn payload(&mut self, id: RequestId) -> Payload<'static> {
        let len = self.rng.next_u64() as u32;
        let is_bare = self.rng.below(4) == 0;
        let value = match (is_bare, self.rng.below(4)) {
            (true, _) => Value::Pinned(Pin { token: 0, len }),
            (false, 0) => Value::Pinned(Pin {
                token: id.to_bits(),
                len,
            }),
            _ => Value::Inline(self.value.clone().leak()),
        };
        let item = Item {
            value,
            flags: self.rng.next_u64() as u32,
            cas: self.rng.next_u64(),
            expiry: self.end().unwrap_or(Expiry::NEVER),
            idle_s: self.rng.next_u64() as u32,
            fetched: self.coin(),
            stale: self.coin(),
            recache: [Recache::No, Recache::Won, Recache::Lost][self.rng.below(3) as usize],
        };
        Payload { item, is_bare }
    }

    pub(crate) fn message(&mut self) -> Message<'static> {
        match self.rng.below(20) {
            0..4 => Message::Request(self.request()),
            4 => Message::Copy(self.request()),
            5..10 => Message::Reply(self.reply()),
            10 => Message::Hello(Hello {
                version_max: self.rng.next_u64() as u16,
                version_least: self.rng.next_u64() as u16,
                instance: self.rng.next_u64(),
                connection: self.rng.next_u64() as u32,
                epoch: self.rng.next_u64(),
                credits: self.rng.next_u64() as u32,
                name: "node-é".repeat(self.rng.below(30) as usize),
            }),
            11 => Message::Piece(Piece {
                id: self.id(),
                bytes: self.value.clone().leak(),
                is_last: self.coin(),
                is_broken: self.coin(),
            }),
            12 => Message::Window {
                id: self.id(),
                len: self.rng.next_u64() as u32,
            },
            13 => Message::Cancel(self.id()),
            14 => Message::Tenant(TenantTerms {
                tenant: self.tenant(),
                quota_bytes: self.rng.next_u64(),
                item_size_max: self.rng.next_u64() as u32,
                version: self.rng.next_u64(),
            }),
            15 => Message::Forget(self.tenant()),
            16 => Message::Flush {
                tenant: self.tenant(),
                delay: Duration::from_micros(self.rng.next_u64()),
            },
            17 => [
                Message::ResetStats(self.tenant()),
                Message::AskStats(self.tenant()),
            ][self.rng.below(2) as usize]
                .clone(),
            18 => Message::Stats {
                tenant: self.tenant(),
                stats: Box::new(Stats {
                    curr_items: self.rng.next_u64(),
                    evicted_idle_s: self.rng.next_u64(),
                    ..Stats::default()
                }),
            },
            _ => [
                Message::Ping {
                    token: self.rng.next_u64(),
                    announced: self.number().map(Epoch),
                },
                Message::Pong {
                    token: self.rng.next_u64(),
                    announced: self.number().map(Epoch),
                },
                Message::Goodbye,
            ][self.rng.below(3) as usize]
                .clone(),
        }
    }
}
