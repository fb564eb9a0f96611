//! Who is logged in: sessions by a random name in a cookie, and the token that guards their forms.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use base::Timestamp;
use runtime::http::same_secret;

/// Without a request for so long a session ends.
const IDLE_MAX: Duration = Duration::from_secs(8 * 3600);
/// However busy, after so long it ends.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Past that the one that was used least lately gives way.
const SESSIONS_MAX: usize = 256;

/// One person's login.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// What every form of his must carry.
    pub(crate) form_token: String,
    began: Timestamp,
    used: Timestamp,
}

/// All sessions of one listener, in memory only: a restart ends them.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_name: HashMap<String, Session>,
}

impl Sessions {
    /// Begins one under a random `name`, with a random `form_token`.
    pub(crate) fn begin(&mut self, now: Timestamp, name: String, form_token: String) {
        self.by_name.retain(|_, session| session.is_live(now));
        if self.by_name.len() >= SESSIONS_MAX {
            let oldest = self.by_name.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.by_name.remove(&oldest);
            }
        }
        let session = Session {
            form_token,
            began: now,
            used: now,
        };
        self.by_name.insert(name, session);
    }

    /// The session of this name, which is used herewith.
    pub(crate) fn find(&mut self, now: Timestamp, name: &str) -> Option<Session> {
        let session = self.by_name.get_mut(name)?;
        if !session.is_live(now) {
            self.by_name.remove(name);
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Ends it.
    pub(crate) fn end(&mut self, name: &str) {
        self.by_name.remove(name);
    }
}

impl Session {
    fn is_live(&self, now: Timestamp) -> bool {
        now.since(self.used) < IDLE_MAX && now.since(self.began) < AGE_MAX
    }

    /// Whether a form is his own and not one that a stranger's page sends in his name.
    pub(crate) fn owns_form(&self, token: &str) -> bool {
        same_secret(token.as_bytes(), self.form_token.as_bytes())
    }
}

/// The value of the cookie `name` (RFC 6265, section 5.4).
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (own, value) = pair.trim().split_once('=')?;
        (own == name).then_some(value)
    });
    values.next()
}

#[cfg(test)]
#[path = "session_test.rs"]
mod tests;
