//! What a tenant may take of one loop, and when it has to wait.
//!
//! A tenant that is over a rate, or has too many bytes on their way, is *paused*: its flow is held,
//! and its sessions stay registered and unread, so that its clients feel it as TCP lets them. What
//! has waited for the tenant's `max_delay` is let through all the same, to be refused.
//!
//! What has waited as long without a pause has waited for a turn. If others want the loop, too, the
//! tenant asks for more than its share of it, and is *relieved* of what costs more to carry out than
//! to refuse. If it is as good as alone it waits for nobody but itself, as long as it likes.

use std::time::Duration;

use admission::{Cost, Throttle, Usage};
use base::{Timestamp, TrafficLimits};

use crate::TenantFigures;

/// Turns of one tenant that may be under way at once; as many as the largest batch has.
const TURNS_MAX: usize = 64;

/// Nobody is refused sooner: a batch of turns takes no longer as a rule, and whoever waits for one
/// waits for nothing that he could be blamed for.
const MAX_DELAY_MIN: Duration = Duration::from_millis(5);

/// How a session is served in its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As it asks.
    #[default]
    Serve,
    /// It has waited too long for its tenant's limits: its requests are answered without being
    /// carried out.
    Refuse,
    /// It has waited too long for its turn: the same, but for what costs no more to carry out.
    Relieve,
    /// What it is owed is written, and nothing more is done.
    Flush,
}

impl Mode {
    /// Whether reads, at least, are refused.
    pub(crate) fn refuses(self) -> bool {
        matches!(self, Self::Refuse | Self::Relieve)
    }
}

/// What a session stands in need of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// What it is owed has not been taken yet; nothing goes before that.
    Owes,
    /// It has to be read before it can be served.
    NeedsInput,
    /// It has been read and has not been served.
    HasInput,
    /// It is in the middle of a value that crosses in pieces.
    MidValue,
}

/// What every tenant's pace on this loop depends on besides its own limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PaceConfig {
    /// How many loops share a tenant's limits.
    pub(crate) loops: usize,
    pub(crate) turn_requests_max: usize,
    pub(crate) turn_output_len_max: usize,
    /// For a tenant that has no limit of its own.
    pub(crate) inflight_bytes_max: u64,
}

/// A tenant's limits on this loop, and how it stands to them.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Whether it may have to wait at all, so that serving one without limits costs one look.
    is_limited: bool,
    pub(crate) max_delay: Duration,
    /// Requests that a turn serves at most.
    pub(crate) turn_requests_max: usize,
    turns_max: usize,
    throttle: Option<Throttle>,
    inflight_bytes: u64,
    /// Of what the tenant may have on its way, this loop's part, which is its own; what other loops do
    /// not use of theirs it may have, too.
    inflight_bytes_part: u64,
    inflight_bytes_max: u64,
    /// The flow is held until then.
    pub(crate) held_until: Option<Timestamp>,
    pub(crate) pause: Option<Pause>,
    /// When the last pause ended.
    paused_until: Timestamp,
    /// What it took of the loop of late.
    pub(crate) usage: Usage,
    /// No session is late before then; what it says may be too early.
    pub(crate) next_late: Timestamp,
}

/// A time in which a tenant could not be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) since: Timestamp,
    /// When it may be served again, as far as that is known.
    pub(crate) until: Timestamp,
}

impl Pace {
    pub(crate) fn new(limits: &TrafficLimits, config: PaceConfig) -> Self {
        let mut pace = Self {
            is_limited: false,
            max_delay: MAX_DELAY_MIN,
            turn_requests_max: config.turn_requests_max,
            turns_max: TURNS_MAX,
            throttle: None,
            inflight_bytes: 0,
            inflight_bytes_part: u64::MAX,
            inflight_bytes_max: u64::MAX,
            held_until: None,
            pause: None,
            paused_until: Timestamp::ZERO,
            usage: Usage::default(),
            next_late: Timestamp::MAX,
        };
        pace.apply(limits, config);
        pace
    }

    /// Takes over other limits; what a loop owes by the old rates is forgiven.
    pub(crate) fn apply(&mut self, limits: &TrafficLimits, config: PaceConfig) {
        let loops = u64::try_from(config.loops.max(1)).unwrap_or(u64::MAX);
        let inflight_bytes_max = limits.inflight_bytes.unwrap_or(config.inflight_bytes_max);
        self.throttle = Throttle::new(limits, config.loops);
        self.turn_requests_max = config.turn_requests_max;
        self.turns_max = TURNS_MAX;
        if let Some(throttle) = &self.throttle {
            let requests = throttle.turn_requests_max(config.turn_requests_max);
            self.turn_requests_max = requests;
            self.turns_max = throttle.turns_max(requests, config.turn_output_len_max, TURNS_MAX);
        }
        self.inflight_bytes_part = inflight_bytes_max / loops;
        self.inflight_bytes_max = inflight_bytes_max;
        self.max_delay = limits.max_delay.max(MAX_DELAY_MIN);
        // What waits is looked over when that is asked for next.
        self.next_late = Timestamp::ZERO;
        self.note_whether_limited();
    }

    /// How a session may be served that has waited since then; if it may not, when to ask again.
    ///
    /// A value that is on its way is held up no longer than any request: from then on it is carried
    /// through, and what it took is owed. Half of it would help nobody.
    pub(crate) fn mode(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        state: State,
        open_turns: u32,
        figures: &TenantFigures,
    ) -> Result<Mode, Timestamp> {
        if self.is_limited
            && let Err(again_at) = self.may_serve(now, state, open_turns, figures)
        {
            return match state {
                State::Owes => Ok(Mode::Flush),
                State::MidValue if self.has_waited(now, since) => Ok(Mode::Serve),
                _ if self.has_waited(now, since) => Ok(Mode::Refuse),
                _ => Err(again_at),
            };
        }
        Ok(match state {
            State::Owes | State::MidValue => Mode::Serve,
            _ => self.late_mode(now, since).unwrap_or(Mode::Serve),
        })
    }

    /// How to serve what waits since then if it has waited too long, although it may be served now.
    pub(crate) fn late_mode(&self, now: Timestamp, since: Timestamp) -> Option<Mode> {
        if !self.has_waited(now, since) {
            return None;
        }
        if self.pause.is_some() || since < self.paused_until {
            return Some(Mode::Refuse);
        }
        let contended_since = self.usage.contended_since()?;
        self.has_waited(now, contended_since)
            .then_some(Mode::Relieve)
    }

    /// Ends a pause.
    pub(crate) fn take_pause(&mut self, now: Timestamp) -> Option<Pause> {
        let pause = self.pause.take()?;
        self.paused_until = now;
        Some(pause)
    }

    fn has_waited(&self, now: Timestamp, since: Timestamp) -> bool {
        now.since(since) >= self.max_delay
    }

    /// Whether it has to wait for its bytes on their way to become fewer. Those of this loop are then
    /// more than its part, so that it need not be told of other loops'.
    pub(crate) fn is_over_inflight(&self, figures: &TenantFigures) -> bool {
        self.is_over_part() && figures.inflight_bytes() > self.inflight_bytes_max
    }

    fn is_over_part(&self) -> bool {
        self.inflight_bytes > self.inflight_bytes_part
    }

    fn may_serve(
        &mut self,
        now: Timestamp,
        state: State,
        open_turns: u32,
        figures: &TenantFigures,
    ) -> Result<(), Timestamp> {
        // Of what has been read there is less only once it is served; whoever does not take the
        // replies owes from then on.
        let adds_bytes = matches!(state, State::Owes | State::NeedsInput);
        if adds_bytes && self.is_over_inflight(figures) || open_turns as usize >= self.turns_max {
            return Err(Timestamp::MAX);
        }
        match &mut self.throttle {
            Some(throttle) => throttle.settle(now, &figures.buckets),
            None => Ok(()),
        }
    }

    /// Notes what a turn took.
    pub(crate) fn charge(&mut self, cost: Cost) {
        if let Some(throttle) = &mut self.throttle {
            throttle.charge(cost);
        }
    }

    /// Notes that a session waits since then.
    pub(crate) fn note_waiting(&mut self, since: Timestamp) {
        self.next_late = self.next_late.min(since + self.max_delay);
    }

    /// Notes that a session's bytes on their way are `after` now; what there are of the tenant.
    pub(crate) fn note_inflight(&mut self, before: u32, after: u32) -> u64 {
        let rest = self.inflight_bytes.saturating_sub(u64::from(before));
        self.inflight_bytes = rest.saturating_add(u64::from(after));
        self.note_whether_limited();
        self.inflight_bytes
    }

    fn note_whether_limited(&mut self) {
        self.is_limited = self.throttle.is_some() || self.is_over_part();
    }
}

#[cfg(test)]
#[path = "pause_test.rs"]
mod tests;
