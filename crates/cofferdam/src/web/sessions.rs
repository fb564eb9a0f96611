//! Logins by a random name: they end by themselves, and are bounded in number.

use std::collections::HashMap;
use std::time::Duration;

use base::Timestamp;

/// Without a request for so long a login ends.
const IDLE_MAX: Duration = Duration::from_secs(8 * 3600);
/// However busy, after so long it ends.
pub(super) const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Past that the one that was used least lately gives way: of the same person, and of all.
const OF_ONE_MAX: usize = 32;
const SESSIONS_MAX: usize = 4096;

/// All logins of one listener, in memory only: a restart ends them.
#[derive(Debug)]
pub(super) struct Sessions<W> {
    by_name: HashMap<String, Session<W>>,
}

#[derive(Clone, Debug)]
struct Session<W> {
    who: W,
    began: Timestamp,
    used: Timestamp,
}

impl<W> Default for Sessions<W> {
    fn default() -> Self {
        Self {
            by_name: HashMap::new(),
        }
    }
}

impl<W: Clone + PartialEq> Sessions<W> {
    /// Begins one under a random `name`.
    pub(super) fn begin(&mut self, now: Timestamp, name: String, who: W) {
        self.by_name.retain(|_, session| session.is_live(now));
        let own = self.by_name.values().filter(|session| session.who == who);
        if own.count() >= OF_ONE_MAX {
            self.drop_oldest(|session| session.who == who);
        }
        if self.by_name.len() >= SESSIONS_MAX {
            self.drop_oldest(|_| true);
        }
        let session = Session {
            who,
            began: now,
            used: now,
        };
        self.by_name.insert(name, session);
    }

    /// Whose the session of this name is, which is used herewith.
    pub(super) fn find(&mut self, now: Timestamp, name: &str) -> Option<W> {
        let session = self.by_name.get_mut(name)?;
        if !session.is_live(now) {
            self.by_name.remove(name);
            return None;
        }
        session.used = now;
        Some(session.who.clone())
    }

    /// Ends it.
    pub(super) fn end(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    fn drop_oldest(&mut self, of: impl Fn(&Session<W>) -> bool) {
        let candidates = self.by_name.iter().filter(|(_, session)| of(session));
        let oldest = candidates.min_by_key(|(_, session)| session.used);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.by_name.remove(&name);
        }
    }
}

impl<W> Session<W> {
    fn is_live(&self, now: Timestamp) -> bool {
        now.since(self.used) < IDLE_MAX && now.since(self.began) < AGE_MAX
    }
}

#[cfg(test)]
#[path = "sessions_test.rs"]
mod tests;
