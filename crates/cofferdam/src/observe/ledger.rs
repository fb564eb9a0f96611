//! From signals to events: one affair is told when it begins, now and then while it goes on, and
//! when it is over, and never more than ten lines a second in all.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base::Timestamp;
use base::event::{Event, EventKind, EventState};

use super::signal::{Length, Signal};

/// Events that are written within [`WINDOW`] at most.
const WRITTEN_MAX: usize = 10;
const WINDOW: Duration = Duration::from_secs(1);
/// An affair is over when nothing was heard of it for so long; a shorter lull belongs to it.
const LULL: Duration = Duration::from_secs(10);
/// When an affair that goes on is told again; the last one again and again.
const REMINDERS: [Duration; 3] = [
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::from_secs(3600),
];
/// Affairs that are kept track of; more are counted only.
const AFFAIRS_MAX: usize = 1000;

type Key = (EventKind, Cow<'static, str>, Option<Arc<str>>);

/// All affairs under way.
#[derive(Debug)]
pub(crate) struct Ledger {
    affairs: HashMap<Key, Affair>,
    next_id: u64,
    /// When the last events were written, at most [`WRITTEN_MAX`] of them.
    written: VecDeque<Timestamp>,
    held_back: u64,
    held_back_total: u64,
}

#[derive(Debug)]
struct Affair {
    onset: Timestamp,
    last_heard: Timestamp,
    /// When it was begun to be told, if it was.
    told: Option<Timestamp>,
    reminders: usize,
    next_reminder: Timestamp,
    latest: Signal,
}

impl Ledger {
    /// With nothing under way; the first event gets `next_id`.
    pub(crate) fn new(next_id: u64) -> Self {
        Self {
            affairs: HashMap::new(),
            next_id,
            written: VecDeque::new(),
            held_back: 0,
            held_back_total: 0,
        }
    }

    /// Takes what is signalled now, about once a second, and tells what is to be written.
    pub(crate) fn handle(&mut self, now: Timestamp, signals: Vec<Signal>) -> Vec<Event> {
        let mut events = Vec::new();
        for signal in signals {
            match &signal.length {
                Length::Moment => self.tell_moment(now, signal, &mut events),
                Length::Lasts { .. } => self.hear(now, signal),
            }
        }
        self.tell_ends(now, &mut events);
        self.tell_beginnings_and_reminders(now, &mut events);
        events
    }

    /// Events that were not written since the start.
    pub(crate) fn held_back_total(&self) -> u64 {
        self.held_back_total
    }

    /// Affairs that go on now.
    pub(crate) fn under_way(&self) -> usize {
        self.affairs.len()
    }

    fn hear(&mut self, now: Timestamp, signal: Signal) {
        let key = (signal.kind, signal.cause.clone(), signal.tenant.clone());
        if let Some(affair) = self.affairs.get_mut(&key) {
            affair.last_heard = now;
            affair.onset = affair.onset.min(signal.onset);
            if signal.decided > affair.latest.decided {
                affair.next_reminder = now;
            }
            affair.latest = signal;
            return;
        }
        if self.affairs.len() >= AFFAIRS_MAX {
            return self.hold_back(1);
        }
        let affair = Affair {
            onset: signal.onset,
            last_heard: now,
            told: None,
            reminders: 0,
            next_reminder: Timestamp::MAX,
            latest: signal,
        };
        self.affairs.insert(key, affair);
    }

    fn tell_moment(&mut self, now: Timestamp, signal: Signal, events: &mut Vec<Event>) {
        let onset = signal.onset;
        match self.may_write(now) {
            true => events.push(self.event(now, onset, EventState::Happened, signal)),
            false => self.hold_back(1),
        }
    }

    /// Ends what was not heard of for a while. One whose beginning was never told ends untold too.
    fn tell_ends(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        let mut over: Vec<Key> = self.keys(|affair| now.since(affair.last_heard) >= LULL);
        over.sort();
        for key in over {
            let was_told = self.affairs.get(&key).is_some_and(|a| a.told.is_some());
            if was_told && !self.may_write(now) {
                // Its turn comes within a second.
                continue;
            }
            let Some(mut affair) = self.affairs.remove(&key) else {
                continue;
            };
            if !was_told {
                self.hold_back(2);
                continue;
            }
            let lasted = affair.last_heard.since(affair.onset);
            if let Length::Lasts { ended } = &affair.latest.length {
                affair.latest.sentence = format!("{ended} after {}.", in_words(lasted));
            }
            affair.latest.advice = None;
            events.push(self.event(now, affair.onset, EventState::Ended, affair.latest));
        }
    }

    fn tell_beginnings_and_reminders(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        let mut due: Vec<(Timestamp, Key)> = self
            .affairs
            .iter()
            .filter(|(_, affair)| affair.told.is_none() || affair.next_reminder <= now)
            .map(|(key, affair)| (affair.onset, key.clone()))
            .collect();
        due.sort();
        for (onset, key) in due {
            if !self.may_write(now) {
                return;
            }
            let Some(affair) = self.affairs.get_mut(&key) else {
                continue;
            };
            let state = match affair.told {
                None => EventState::Began,
                Some(_) => EventState::Ongoing,
            };
            affair.told.get_or_insert(now);
            let wait = REMINDERS.get(affair.reminders).or(REMINDERS.last());
            affair.next_reminder = wait.map_or(Timestamp::MAX, |wait| now + *wait);
            affair.reminders = affair.reminders.saturating_add(1);
            let signal = affair.latest.clone();
            events.push(self.event(now, onset, state, signal));
        }
    }

    fn keys(&self, wanted: impl Fn(&Affair) -> bool) -> Vec<Key> {
        let affairs = self.affairs.iter().filter(|(_, affair)| wanted(affair));
        affairs.map(|(key, _)| key.clone()).collect()
    }

    /// Whether there is room for one more line now; if so, it is taken.
    fn may_write(&mut self, now: Timestamp) -> bool {
        if self.written.len() >= WRITTEN_MAX {
            match self.written.front() {
                Some(oldest) if now.since(*oldest) < WINDOW => return false,
                _ => drop(self.written.pop_front()),
            }
        }
        self.written.push_back(now);
        true
    }

    fn hold_back(&mut self, count: u64) {
        self.held_back = self.held_back.saturating_add(count);
        self.held_back_total = self.held_back_total.saturating_add(count);
    }

    fn event(
        &mut self,
        now: Timestamp,
        onset: Timestamp,
        state: EventState,
        signal: Signal,
    ) -> Event {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        Event {
            id,
            at: now,
            onset,
            kind: signal.kind,
            cause: signal.cause,
            state,
            tenant: signal.tenant,
            sentence: signal.sentence,
            advice: signal.advice,
            evidence: signal.evidence,
            held_back: std::mem::take(&mut self.held_back),
        }
    }
}

/// A time as people say it: `800 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn in_words(time: Duration) -> String {
    let (secs, millis) = (time.as_secs(), time.subsec_millis());
    match secs {
        0 => format!("{millis} ms"),
        1..60 => format!("{secs} s"),
        60..3600 if secs % 60 == 0 => format!("{} min", secs / 60),
        60..3600 => format!("{} min {} s", secs / 60, secs % 60),
        _ => format!("{} h {} min", secs / 3600, secs / 60 % 60),
    }
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod tests;
