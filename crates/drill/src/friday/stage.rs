//! Time passing in a drill: waiting while everybody is listened to, and telling how it goes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::settings::{Pace, Settings};
use super::spike::Spike;
use super::subject::Subject;
use super::timeline::Timeline;
use super::victims::Victims;
use crate::child::Nursery;
use crate::error::DrillError;
use crate::home::Home;
use crate::load::clock;

/// How often everybody is listened to, and how often somebody is told.
const LISTEN_EVERY_NS: u64 = 50_000_000;
const TELL_EVERY_NS: u64 = 1_000_000_000;

/// What all parts of a run have in common.
pub(crate) struct Stage<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) nursery: Nursery,
    pub(crate) home: Home,
    /// Where the server runs, and where everybody else does.
    pub(crate) server_core: usize,
    pub(crate) load_core: usize,
    pub(crate) real_time: bool,
    pub(crate) interrupted: &'a AtomicBool,
    pub(crate) progress: &'a mut dyn FnMut(&str),
}

/// Whoever takes part in what is going on.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) subject: Subject,
    pub(crate) pace: Pace,
    pub(crate) victims: Option<Victims>,
    pub(crate) spike: Option<Spike>,
    pub(crate) timeline: Timeline,
}

impl Stage<'_> {
    /// Tells whoever watches.
    pub(crate) fn tell(&mut self, words: &str) {
        (self.progress)(words);
    }

    /// Lets `time` pass.
    pub(crate) fn wait(
        &mut self,
        what: &str,
        time: Duration,
        cast: &mut Cast,
    ) -> Result<(), DrillError> {
        let time_ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let until_ns = clock::now_ns().saturating_add(time_ns);
        self.wait_until(what, cast, |_| clock::now_ns() >= until_ns)
    }

    /// Lets time pass until `is_over`, while everybody who takes part is listened to.
    pub(crate) fn wait_until(
        &mut self,
        what: &str,
        cast: &mut Cast,
        mut is_over: impl FnMut(&Cast) -> bool,
    ) -> Result<(), DrillError> {
        let begin_ns = clock::now_ns();
        let mut tell_ns = begin_ns.saturating_add(TELL_EVERY_NS);
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(DrillError::Interrupted);
            }
            cast.listen()?;
            if is_over(cast) {
                return Ok(());
            }
            let now_ns = clock::now_ns();
            if now_ns >= tell_ns {
                tell_ns = tell_ns.saturating_add(TELL_EVERY_NS);
                let seconds = now_ns.saturating_sub(begin_ns) / 1_000_000_000;
                let words = format!("{what:<12} {seconds:>3} s  {}", cast.seen());
                (self.progress)(words.trim_end());
            }
            clock::sleep_until(now_ns.saturating_add(LISTEN_EVERY_NS));
        }
    }
}

impl Cast {
    /// Nobody but the one who is drilled.
    pub(crate) fn new(subject: Subject, pace: Pace) -> Self {
        Self {
            subject,
            pace,
            victims: None,
            spike: None,
            timeline: Timeline::default(),
        }
    }

    /// Where the one who is drilled listens.
    pub(crate) fn target(&self) -> SocketAddr {
        self.subject.target
    }

    /// Why a peer could not go on, where it could not: that is part of what is to be shown. The server
    /// under test must go on.
    pub(crate) fn survived(
        &self,
        outcome: Result<(), DrillError>,
    ) -> Result<Option<DrillError>, DrillError> {
        match outcome {
            Ok(()) => Ok(None),
            Err(error @ DrillError::Interrupted) => Err(error),
            Err(error) if self.subject.is_peer => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    fn listen(&mut self) -> Result<(), DrillError> {
        self.subject.check()?;
        if let Some(victims) = &mut self.victims {
            victims.listen(&mut self.timeline)?;
        }
        if let Some(spike) = &mut self.spike {
            spike.listen()?;
        }
        Ok(())
    }

    /// The victims' latest window in a few words.
    fn seen(&self) -> String {
        let Some(seen) = self.timeline.last().filter(|_| self.victims.is_some()) else {
            return String::new();
        };
        format!(
            "victims p50 {:.3} p99 {:.3} ms, {} errors",
            seen.latency.at_ms(0.5),
            seen.latency.at_ms(0.99),
            seen.errors + seen.connect_failures
        )
    }
}
