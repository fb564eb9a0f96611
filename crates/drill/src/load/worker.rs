//! One thread of the generator: what it has, and how it comes to be.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use base::rng::Rng;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::clock::Alarm;
use super::connection::Connection;
use super::draw::KeyDraw;
use super::error::LoadError;
use super::gate::Abandoned;
use super::op::OpDraw;
use super::open::OpenLoop;
use super::plan::Plan;
use super::recorder::Recorder;
use super::report::Phase;
use super::shared::{News, Newsroom, Place, Shared};
use super::wire::{Encoder, Reader};

/// The room to read into, shared by all connections of a thread, in bytes.
const SCRATCH_LEN: usize = 256 * 1024;
/// Events taken from the system at once.
const EVENTS_MAX: usize = 1024;
/// The least number of requests under way on a connection while keys are stored before the run.
const FILL_PIPELINE: usize = 64;
/// The token of the alarm; connections have theirs from 0 up.
pub(crate) const ALARM: Token = Token(usize::MAX - 1);

/// Why a thread ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// For a reason of its own.
    Error(LoadError),
    /// Since another thread did.
    Abandoned,
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::Error(error)
    }
}

impl From<Abandoned> for Stop {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

/// What connections are to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing.
    Idle,
    /// Their part of the keys.
    Fill,
    /// The mix, whenever a reply has made room, until this time.
    Closed { until_ns: u64 },
    /// The mix, each request at its own time.
    Open,
}

/// One thread of the generator.
pub(crate) struct Worker<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) shared: &'a Shared,
    pub(crate) newsroom: Newsroom,
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    pub(crate) alarm: Alarm,
    pub(crate) connections: Vec<Connection>,
    /// Those without a socket, and how many have one that is not ready yet.
    pub(crate) down: VecDeque<usize>,
    pub(crate) opening: usize,
    pub(crate) scratch: Vec<u8>,
    pub(crate) recorder: Recorder,
    pub(crate) encoder: Encoder,
    pub(crate) ops: OpDraw,
    pub(crate) rng: Rng,
    /// The keys of the request that is being made.
    pub(crate) ids: Vec<u64>,
    /// Requests that may still be sent.
    pub(crate) budget: u64,
    pub(crate) work: Work,
    pub(crate) open: Option<OpenLoop>,
    pub(crate) phase: Phase,
    pub(crate) phase_began_ns: u64,
    pub(crate) news_sent_ns: u64,
    pub(crate) next_check_ns: u64,
    /// Why the run cannot go on.
    pub(crate) fatal: Option<LoadError>,
}

impl<'a> Worker<'a> {
    /// Thread number `index` of the plan, with every connection whose number is congruent to it.
    pub(crate) fn new(
        plan: &'a Plan,
        shared: &'a Shared,
        newsroom: Newsroom,
        index: usize,
    ) -> Result<Self, LoadError> {
        let failed = |source| LoadError::System {
            what: "cannot wait for events",
            source,
        };
        let poll = Poll::new().map_err(failed)?;
        let alarm = Self::alarm(&poll).map_err(failed)?;
        let numbers = (index..plan.connections as usize).step_by(plan.threads as usize);
        let connections: Vec<Connection> = numbers.map(|number| connection(number, plan)).collect();
        Ok(Self {
            plan,
            shared,
            newsroom,
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            alarm,
            down: (0..connections.len()).collect(),
            opening: 0,
            connections,
            scratch: vec![0; SCRATCH_LEN],
            recorder: Recorder::new(plan.tenants.len()),
            encoder: Encoder::new(
                plan.protocol,
                shared.keys,
                shared.values.clone(),
                plan.expiry_s,
            ),
            ops: OpDraw::new(&plan.mix),
            rng: Rng::new(plan.seed.wrapping_add(0x9e37 * (index as u64 + 1))),
            ids: Vec::new(),
            budget: u64::MAX,
            work: Work::Idle,
            open: OpenLoop::new(plan, index),
            phase: Phase::Connect,
            phase_began_ns: 0,
            news_sent_ns: 0,
            next_check_ns: 0,
            fatal: None,
        })
    }

    fn alarm(poll: &Poll) -> io::Result<Alarm> {
        let alarm = Alarm::new()?;
        poll.registry()
            .register(&mut SourceFd(&alarm.raw_fd()), ALARM, Interest::READABLE)?;
        Ok(alarm)
    }

    /// Tells the figures since the last time, if they are wanted.
    pub(crate) fn send_news(&mut self, now_ns: u64) {
        let tally = self.recorder.take_interval();
        // Whoever is woken by news takes the core from the load, where there is but one.
        if self.plan.progress_every.is_none() && !self.recorder.is_measured {
            self.news_sent_ns = now_ns;
            return;
        }
        let news = News {
            phase: self.phase,
            at_ns: now_ns,
            elapsed_ns: now_ns.saturating_sub(self.phase_began_ns),
            span_ns: now_ns.saturating_sub(self.news_sent_ns),
            tally,
        };
        self.news_sent_ns = now_ns;
        // Nobody listens only if the run is being given up.
        let _ = self.newsroom.send(news);
    }

    /// Requests that a connection may have under way in this phase.
    pub(crate) fn pipeline(&self) -> usize {
        let pipeline = self.plan.pipeline as usize;
        match self.work {
            Work::Fill => pipeline.max(FILL_PIPELINE),
            _ => pipeline,
        }
    }
}

fn connection(number: usize, plan: &Plan) -> Connection {
    let place = Place::of(number, plan);
    let draw = KeyDraw::new(plan.keys.distribution, plan.keys.count, place.fill.start);
    let fill = if plan.prefill { place.fill } else { 0..0 };
    let reader = Reader::new(plan.protocol);
    Connection::new(place.tenant, place.target, fill, draw, reader)
}

/// Whole nanoseconds of a duration.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
