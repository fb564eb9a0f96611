//! The most frequent of very many keys, counted in memory of fixed size.
//!
//! Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements
//! in data streams", ICDT 2005): whoever is not counted yet takes the place of the rarest, and its count
//! with it. No count is too low, none is too high by more than its error, and every key that makes up
//! more than one part in `capacity` of all is among those that are counted.

use std::collections::HashMap;

/// A sketch of the most frequent keys.
#[derive(Clone, Debug)]
pub struct TopKeys {
    capacity: usize,
    entries: Vec<Counted>,
    places: HashMap<Box<[u8]>, usize>,
    total: u64,
}

/// A key, and how often it was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The key.
    pub key: Box<[u8]>,
    /// At most so often.
    pub count: u64,
    /// By so much the count may be too high.
    pub error: u64,
}

impl TopKeys {
    /// A sketch that counts so many keys at once, at least one.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            entries: Vec::new(),
            places: HashMap::new(),
            total: 0,
        }
    }

    /// Counts a key once more.
    pub fn note(&mut self, key: &[u8]) {
        self.total = self.total.saturating_add(1);
        if let Some(entry) = (self.places.get(key)).and_then(|place| self.entries.get_mut(*place)) {
            entry.count = entry.count.saturating_add(1);
            return;
        }
        if self.entries.len() < self.capacity {
            self.places.insert(key.into(), self.entries.len());
            self.entries.push(Counted {
                key: key.into(),
                count: 1,
                error: 0,
            });
            return;
        }
        let all = self.entries.iter().enumerate();
        let rarest = all.min_by_key(|(_, entry)| entry.count);
        let Some((place, error)) = rarest.map(|(place, entry)| (place, entry.count)) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(place) {
            self.places.remove(&entry.key);
            self.places.insert(key.into(), place);
            *entry = Counted {
                key: key.into(),
                count: error.saturating_add(1),
                error,
            };
        }
    }

    /// Has everything that was noted so far count half, so that what is new outweighs it.
    pub fn halve(&mut self) {
        self.total /= 2;
        for entry in &mut self.entries {
            entry.count /= 2;
            entry.error /= 2;
        }
        self.entries.retain(|entry| entry.count > 0);
        let keys = self.entries.iter().enumerate();
        self.places = keys
            .map(|(place, entry)| (entry.key.clone(), place))
            .collect();
    }

    /// How many were noted, of whatever key.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The `count` most frequent keys, the most frequent first; of equals, by key.
    pub fn top(&self, count: usize) -> Vec<Counted> {
        let mut all = self.entries.clone();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.key.cmp(&b.key)));
        all.truncate(count);
        all
    }
}

#[cfg(test)]
#[path = "top_test.rs"]
mod tests;
