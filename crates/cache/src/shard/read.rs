//! Retrievals, and all that may ride on one: touch, vivify, recache.

use base::kv::{Expiry, Get, INLINE_VALUE_LEN_MAX, Item, Outcome, Pin, Recache, Sink, Value};

use super::{Found, Shard};
use crate::hash::KeyHash;
use crate::item::{self, Draft, FETCHED, STALE, TOKEN_SENT};

impl Shard {
    pub(super) fn get<S: Sink>(&mut self, hash: KeyHash, op: &Get<'_>, sink: &mut S) -> Outcome {
        let found = self.look_up(hash, op.key);
        if found.is_none()
            && let Some(expiry) = op.vivify
        {
            return self.vivify(hash, op, expiry, sink);
        }
        let outcome = match found {
            Some(found) => self.hit(op, found, sink),
            None => {
                self.note_flushed(hash, op.key);
                Outcome::Miss
            }
        };
        self.count_get(op, outcome);
        outcome
    }

    /// Retrievals that touch are counted as touches, as memcached does.
    fn count_get(&mut self, op: &Get<'_>, outcome: Outcome) {
        let stats = &mut self.stats;
        let (all, hits, misses) = if op.touch.is_some() {
            (
                &mut stats.cmd_touch,
                &mut stats.touch_hits,
                &mut stats.touch_misses,
            )
        } else {
            (
                &mut stats.cmd_get,
                &mut stats.get_hits,
                &mut stats.get_misses,
            )
        };
        *all += 1;
        *if outcome == Outcome::Hit {
            hits
        } else {
            misses
        } += 1;
    }

    fn hit<S: Sink>(&mut self, op: &Get<'_>, found: Found, sink: &mut S) -> Outcome {
        let Found { loc, header } = found;
        let now_s = self.now_s();
        let recache = recache(op, &found, now_s);
        let is_large = header.value_len as usize > INLINE_VALUE_LEN_MAX;
        if is_large && op.wants_value(header.cas(self.segs.at(loc))) {
            // The hold first: without it there is no hit.
            let Some(pin) = self.pin(&found) else {
                return Outcome::Miss;
            };
            self.present(op, &found, recache, Value::Pinned(pin), sink);
            return Outcome::Hit;
        }
        if !header.is_in_chunks() {
            let expiry = self.update(op, &found, recache);
            let bytes = self.segs.at(loc);
            let from = header.body_at();
            let value = Value::Inline(&bytes[from..from + header.value_len as usize]);
            sink.item(&item_of(bytes, &found, expiry, recache, now_s, value));
            return Outcome::Hit;
        }
        if is_large {
            // Nobody needs the value; its length may be wanted all the same.
            let len = header.value_len;
            self.present(
                op,
                &found,
                recache,
                Value::Pinned(Pin { token: 0, len }),
                sink,
            );
            return Outcome::Hit;
        }
        let mut gathered = std::mem::take(&mut self.scratch);
        gathered.clear();
        let whole = self.copy_value(loc, &header, 0, header.value_len as usize, &mut gathered);
        if whole.is_some() {
            self.present(op, &found, recache, Value::Inline(&gathered), sink);
        }
        self.scratch = gathered;
        whole.map_or(Outcome::Miss, |_| Outcome::Hit)
    }

    fn present<S: Sink>(
        &mut self,
        op: &Get<'_>,
        found: &Found,
        recache: Recache,
        value: Value<'_>,
        sink: &mut S,
    ) {
        let expiry = self.update(op, found, recache);
        let bytes = self.segs.at(found.loc);
        sink.item(&item_of(bytes, found, expiry, recache, self.now_s(), value));
    }

    /// Writes down what the retrieval changes; the item's end as it is to be shown.
    fn update(&mut self, op: &Get<'_>, found: &Found, recache: Recache) -> u32 {
        if !op.peek {
            self.note_access(found, true);
        }
        if recache == Recache::Won {
            let bytes = self.segs.at_mut(found.loc);
            let state = bytes[item::STATE_AT] | TOKEN_SENT;
            item::set_state(bytes, state);
        }
        let Some(expiry) = op.touch else {
            return found.header.expiry;
        };
        self.set_expiry(found.loc, expiry);
        match op.expiry_before {
            true => found.header.expiry,
            false => expiry.unix_secs(),
        }
    }

    /// Gives an item another end.
    pub(super) fn set_expiry(&mut self, loc: u32, expiry: Expiry) {
        item::set_expiry(self.segs.at_mut(loc), expiry.unix_secs());
        self.segs.around(loc).note_expiry(expiry.unix_secs());
    }

    fn vivify<S: Sink>(
        &mut self,
        hash: KeyHash,
        op: &Get<'_>,
        expiry: Expiry,
        sink: &mut S,
    ) -> Outcome {
        let fetched = if op.peek { 0 } else { FETCHED };
        let draft = Draft {
            key: op.key,
            flags: 0,
            expiry: expiry.unix_secs(),
            cas: self.fresh_cas(op.new_cas),
            state: TOKEN_SENT | fetched,
            value_len: 0,
            extent: None,
            tail: &[],
            now_s: self.now_s(),
        };
        if self.write(hash, None, &draft).is_none() {
            self.stats.store_no_memory += 1;
            self.count_get(op, Outcome::Miss);
            return Outcome::Miss;
        }
        self.count_get(op, Outcome::Hit);
        sink.item(&Item {
            value: Value::Inline(&[]),
            flags: 0,
            cas: draft.cas,
            expiry: if op.expiry_before {
                Expiry::NEVER
            } else {
                expiry
            },
            idle_s: 0,
            fetched: false,
            stale: false,
            recache: Recache::Won,
        });
        Outcome::Hit
    }
}

/// Who is to refill the item, by what it was before this retrieval, or before all of it but the
/// touch.
fn recache(op: &Get<'_>, found: &Found, now_s: u32) -> Recache {
    let header = &found.header;
    if !op.may_recache {
        return Recache::No;
    }
    if header.has(TOKEN_SENT) {
        return Recache::Lost;
    }
    let expiry = match op.touch {
        Some(expiry) if op.touch_first => expiry.unix_secs(),
        _ => header.expiry,
    };
    let ends_soon = op
        .recache_below_s
        .is_some_and(|below_s| expiry != 0 && expiry < now_s.saturating_add(below_s));
    if header.has(STALE) || ends_soon {
        Recache::Won
    } else {
        Recache::No
    }
}

fn item_of<'a>(
    bytes: &[u8],
    found: &Found,
    expiry: u32,
    recache: Recache,
    now_s: u32,
    value: Value<'a>,
) -> Item<'a> {
    let header = &found.header;
    Item {
        value,
        flags: header.flags(bytes),
        cas: header.cas(bytes),
        expiry: Expiry::at_unix_secs(expiry),
        idle_s: header.idle_s(now_s),
        fetched: header.has(FETCHED),
        stale: header.has(STALE),
        recache,
    }
}
