//! Who is told of incidents, how they came to be, and what they have been told.
//!
//! Nobody is told anything before he has said that he wants it: whoever has an e-mail address reads a
//! message and confirms, whoever has a webhook answers a challenge. What is to be told next follows from
//! the incidents themselves and from what was told last, so that nothing is lost over a restart.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::{Incident, Phase, nanos};

/// Subscribers at once.
pub const SUBSCRIBERS_MAX: usize = 10_000;
/// Of these, so many may not have confirmed yet.
const PENDING_MAX: usize = 1_000;
/// How long one has to confirm.
const PENDING_FOR: Duration = Duration::from_secs(24 * 3_600);
/// The longest address of e-mail (RFC 5321, section 4.5.3.1.3) that is taken.
const MAIL_LEN_MAX: usize = 254;

/// Where somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// An address of e-mail.
    Mail(String),
    /// An address that is posted to.
    Webhook(String),
}

/// One who is told, or is to be asked whether he wants to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Subscriber {
    /// Grows by one with each.
    pub id: u64,
    /// Where.
    pub to: Destination,
    /// Whether he has said that he wants it.
    pub is_confirmed: bool,
    /// Known to him alone: with it he confirms and leaves.
    pub token: String,
    /// What a webhook's messages are signed with.
    pub secret: String,
    /// Since when.
    #[serde(with = "nanos")]
    pub since: Timestamp,
    /// What he was told last: the update's time, and the incident's number.
    #[serde(with = "nanos")]
    told_at: Timestamp,
    told_id: u64,
}

/// What somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// When it became public.
    pub at: Timestamp,
    /// Of which incident.
    pub incident: u64,
    /// What that is called.
    pub title: String,
    /// How far it had come.
    pub phase: Phase,
    /// What was said.
    pub text: String,
}

/// Why somebody is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no address.
    NoAddress,
    /// There are as many as there may be.
    Full,
}

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This, as it is now.
    Kept(Box<Subscriber>),
    /// Nothing of this number any more.
    Gone(u64),
}

/// All of them.
#[derive(Debug, Default)]
pub struct Subscribers {
    by_id: BTreeMap<u64, Subscriber>,
    changes: VecDeque<Change>,
    next_id: u64,
}

impl Subscribers {
    /// Those that were kept.
    pub fn new(kept: Vec<Subscriber>) -> Self {
        let by_id: BTreeMap<u64, Subscriber> = kept.into_iter().map(|one| (one.id, one)).collect();
        Self {
            next_id: by_id.last_key_value().map_or(1, |(id, _)| id + 1),
            by_id,
            changes: VecDeque::new(),
        }
    }

    /// Somebody asks to be told; `token` and `secret` are random. Tells whether he is new: whoever is
    /// known already is not written to again.
    ///
    /// # Errors
    /// It is no address, or there is no room.
    pub fn ask(
        &mut self,
        now: Timestamp,
        to: Destination,
        token: String,
        secret: String,
    ) -> Result<bool, Refused> {
        self.expire(now);
        if let Destination::Mail(address) = &to
            && !is_mail_address(address)
        {
            return Err(Refused::NoAddress);
        }
        if self.by_id.values().any(|one| one.to == to) {
            return Ok(false);
        }
        let pending = self.by_id.values().filter(|one| !one.is_confirmed);
        if self.by_id.len() >= SUBSCRIBERS_MAX || pending.count() >= PENDING_MAX {
            return Err(Refused::Full);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.keep(Subscriber {
            id,
            to,
            is_confirmed: false,
            token,
            secret,
            since: now,
            told_at: now,
            told_id: u64::MAX,
        });
        Ok(true)
    }

    /// He wants it: by his token, or since his webhook has answered. What was before is not told.
    pub fn confirm(&mut self, now: Timestamp, id: u64) {
        if let Some(mut one) = self.by_id.get(&id).cloned()
            && !one.is_confirmed
        {
            one.is_confirmed = true;
            one.told_at = now;
            self.keep(one);
        }
    }

    /// He wants it no more, or never said that he does.
    pub fn leave(&mut self, id: u64) {
        if self.by_id.remove(&id).is_some() {
            self.changes.push_back(Change::Gone(id));
        }
    }

    /// Who has this token. `is_same` compares in a time that tells nothing.
    pub fn by_token(&self, is_same: impl Fn(&str) -> bool) -> Option<&Subscriber> {
        let mut found = None;
        for one in self.by_id.values() {
            if is_same(&one.token) {
                found = Some(one);
            }
        }
        found
    }

    /// Takes note that he was told.
    pub fn told(&mut self, id: u64, notice: &Notice) {
        if let Some(mut one) = self.by_id.get(&id).cloned() {
            one.told_at = notice.at;
            one.told_id = notice.incident;
            self.keep(one);
        }
    }

    /// Forgets those who have not confirmed in time.
    pub fn expire(&mut self, now: Timestamp) {
        let late = self.by_id.values().filter(|one| {
            let waited = now.since(one.since);
            !one.is_confirmed && waited >= PENDING_FOR
        });
        for id in late.map(|one| one.id).collect::<Vec<_>>() {
            self.leave(id);
        }
    }

    /// All of them, by number.
    pub fn all(&self) -> impl Iterator<Item = &Subscriber> {
        self.by_id.values()
    }

    /// One of them.
    pub fn get(&self, id: u64) -> Option<&Subscriber> {
        self.by_id.get(&id)
    }

    /// The next change that is to be kept.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn keep(&mut self, one: Subscriber) {
        self.changes.push_back(Change::Kept(Box::new(one.clone())));
        self.by_id.insert(one.id, one);
    }
}

impl Subscriber {
    /// What he is to be told next, if anything: the oldest public update that he has not been told.
    pub fn next<'a>(&self, incidents: impl IntoIterator<Item = &'a Incident>) -> Option<Notice> {
        if !self.is_confirmed {
            return None;
        }
        let public = incidents.into_iter().filter(|one| one.is_public());
        let newer = public.flat_map(|incident| {
            let published = incident.published.unwrap_or(incident.drafted);
            incident.updates.iter().filter_map(move |update| {
                // What was written before it was published became known then.
                let at = update.at.max(published);
                ((at, incident.id) > (self.told_at, self.told_id)).then_some((at, incident, update))
            })
        });
        // Of several at one moment the last says it all.
        let first = newer
            .min_by_key(|(at, incident, update)| (*at, incident.id, std::cmp::Reverse(update.at)));
        first.map(|(at, incident, update)| Notice {
            at,
            incident: incident.id,
            title: incident.title.clone(),
            phase: update.phase,
            text: update.text.clone(),
        })
    }
}

/// Whether mail could be sent there: one `@`, something on both sides, nothing that ends a header.
/// More is said by whether its owner answers.
pub fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_plain = |text: &str| {
        let mut letters = text.chars();
        !text.is_empty()
            && letters.all(|c| {
                c.is_ascii_graphic()
                    && !matches!(
                        c,
                        '<' | '>' | '(' | ')' | ',' | ';' | '"' | '\\' | '@' | '[' | ']' | ':'
                    )
            })
    };
    let labels = domain.split('.');
    text.len() <= MAIL_LEN_MAX
        && local.len() <= 64
        && is_plain(local)
        && is_plain(domain)
        && domain.contains('.')
        && labels.into_iter().all(|label| !label.is_empty())
}

#[cfg(test)]
#[path = "subscribers_test.rs"]
mod tests;
