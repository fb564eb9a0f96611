//! The steps of a history in which large values come and go piece by piece.

use std::time::Duration;

use base::kv::{INLINE_VALUE_LEN_MAX, Outcome, StoreMode};

use crate::history::{History, OwnedStore, Upload};

impl History {
    pub(crate) fn begin_upload(&mut self) {
        let key = self.key();
        let mut value = self.value();
        if self.rng.below(2) == 0 {
            value.resize(INLINE_VALUE_LEN_MAX * 3 / 2, 0xa5);
        }
        let mut store = OwnedStore {
            flags: self.rng.below(2) as u32,
            expiry: self.expiry(),
            mode: self.mode(),
            compare_cas: self.maybe_cas(&key),
            key,
        };
        // Often what is judged by the item that it replaces.
        match self.rng.below(6) {
            0 => store.mode = StoreMode::Replace,
            1 => {
                let known = self.model.entries.get(&store.key);
                store.compare_cas = known.map(|entry| entry.cas);
            }
            _ => {}
        }
        self.model.tick(self.now);
        self.forget_if_dropped(&store.key);
        let len = value.len() as u32;
        match self.cache.reserve(self.now, &store.op(&[]), len) {
            Ok(reservation) => self.uploads.push(Upload {
                reservation,
                value,
                sent: 0,
                store,
            }),
            Err(outcome @ (Outcome::NotStored | Outcome::Exists | Outcome::NotFound)) => {
                // Refused before it arrives, for what is there or is not.
                let op = store.op(&value);
                let expected = self.model.store_arrived(self.now, &op, &value, 0);
                assert_eq!(outcome, expected);
            }
            Err(outcome) => {
                assert!(matches!(outcome, Outcome::TooLarge | Outcome::OutOfMemory));
                self.forget_if_dropped(&store.key);
            }
        }
    }

    pub(crate) fn go_on_uploading(&mut self) {
        if self.uploads.is_empty() {
            return;
        }
        let which = self.rng.below(self.uploads.len() as u64) as usize;
        let piece = 1 + self.rng.below(200_000) as usize;
        let upload = &mut self.uploads[which];
        let end = upload.value.len().min(upload.sent + piece);
        let whole = self
            .cache
            .fill(upload.reservation, &upload.value[upload.sent..end]);
        upload.sent = end;
        let key = upload.store.key.clone();
        if !whole {
            self.uploads.remove(which);
            self.forget_if_dropped(&key);
        } else if end == upload.value.len() {
            let upload = self.uploads.remove(which);
            self.commit(&upload);
        } else if self.rng.below(20) == 0 {
            let upload = self.uploads.remove(which);
            self.cache.abort(upload.reservation);
            assert!(!self.cache.fill(upload.reservation, b"x"));
        }
    }

    fn commit(&mut self, upload: &Upload) {
        self.model.tick(self.now);
        let key = &upload.store.key;
        // What is judged by an item that was evicted meanwhile must not notice it, as long as
        // nobody else has; all else finds the item gone.
        let judged = match upload.store.mode {
            StoreMode::Replace => true,
            StoreMode::Set => upload.store.compare_cas.is_some(),
            StoreMode::Add | StoreMode::Append | StoreMode::Prepend => false,
        };
        if !judged && self.model.look(self.now, key).is_some() {
            self.forget_if_dropped(key);
        }
        let outcome = self.cache.commit(self.now, upload.reservation);
        if outcome == Outcome::OutOfMemory {
            self.forget_if_dropped(key);
            return;
        }
        let cas = match outcome {
            Outcome::Stored { cas, .. } => cas,
            _ => 0,
        };
        let op = upload.store.op(&upload.value);
        assert_eq!(
            outcome,
            self.model.store_arrived(self.now, &op, &upload.value, cas)
        );
    }

    pub(crate) fn read_pins(&mut self) {
        if self.pins.is_empty() {
            return;
        }
        let which = self.rng.below(self.pins.len() as u64) as usize;
        let held = &mut self.pins[which];
        let mut out = vec![1, 2, 3];
        let max = 1 + self.rng.below(200_000) as usize;
        let offset = held.read as u32;
        let Some(count) = self.cache.read_pinned(held.pin, offset, max, &mut out) else {
            let stalled = self.now.since(held.progress) >= Duration::from_secs(5);
            assert!(stalled || held.resizes < self.resizes, "a hold ended");
            self.pins.remove(which);
            return;
        };
        held.progress = self.now;
        let rest = &held.value[held.read..];
        assert_eq!(count, max.min(rest.len()));
        assert_eq!(out[..3], [1, 2, 3]);
        assert!(out[3..] == rest[..count], "held bytes stay");
        held.read += count;
        if held.read == held.value.len() || self.rng.below(10) == 0 {
            let held = self.pins.remove(which);
            self.cache.unpin(held.pin);
            assert_eq!(
                self.cache.read_pinned(held.pin, 0, 1, &mut Vec::new()),
                None
            );
        }
    }
}
