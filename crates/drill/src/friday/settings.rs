//! What a run of the drill is asked for, and how long its phases take.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a run of the drill is asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The binary that serves and that runs the drill's own processes.
    pub program: PathBuf,
    /// A folder for the server's state; what is put there is removed again.
    pub scratch: PathBuf,
    /// Connections of the storm.
    pub connections: Option<u32>,
    /// How long the storm lasts.
    pub storm: Option<Duration>,
    /// Whether the server protects itself; off is the control.
    pub protections: bool,
    /// Every random choice follows from it.
    pub seed: u64,
    /// For continuous integration: shorter, with fewer connections, without peers.
    pub quick: bool,
    /// All connections of the storm come from one address instead of one each.
    pub same_source: bool,
    /// A server that runs already, instead of one of the drill's own.
    pub against: Option<SocketAddr>,
}

/// How long the parts of a run take, and how much is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) capacity: Duration,
    pub(crate) calibrate: Duration,
    pub(crate) steady: Duration,
    /// Opening and holding idle connections; none for peers.
    pub(crate) idle: Option<Idle>,
    /// The spike alone.
    pub(crate) inject: Duration,
    /// The spike and the storm.
    pub(crate) hold: Duration,
    pub(crate) recover: Duration,
    pub(crate) storm: StormSize,
}

/// The connections that are held idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) connections: u32,
    pub(crate) open: Duration,
    pub(crate) hold: Duration,
}

/// How large the storm is: so many connections opened in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StormSize {
    pub(crate) connections: u32,
    pub(crate) period: Duration,
}

/// What the incident had, and what it takes to hold that many.
const STORM_CONNECTIONS: u32 = 16_000;
const STORM_CONNECTIONS_QUICK: u32 = 2_000;
const IDLE_CONNECTIONS: u32 = 15_000;
const IDLE_CONNECTIONS_QUICK: u32 = 1_500;

impl Settings {
    /// Connections of the storm.
    pub(crate) fn connections(&self) -> u32 {
        let default = match self.quick {
            true => STORM_CONNECTIONS_QUICK,
            false => STORM_CONNECTIONS,
        };
        self.connections.unwrap_or(default)
    }

    /// How long the parts take against the server under test.
    pub(crate) fn pace(&self) -> Pace {
        let ms = Duration::from_millis;
        let storm = StormSize {
            connections: self.connections(),
            period: if self.quick { ms(1000) } else { ms(3000) },
        };
        if self.quick {
            return Pace {
                capacity: ms(1500),
                calibrate: ms(1000),
                steady: ms(2000),
                idle: Some(Idle {
                    connections: IDLE_CONNECTIONS_QUICK,
                    open: ms(600),
                    hold: ms(1500),
                }),
                inject: ms(2000),
                hold: self.storm.unwrap_or(ms(4000)),
                recover: ms(2500),
                storm,
            };
        }
        Pace {
            capacity: ms(2500),
            calibrate: ms(1500),
            steady: ms(5000),
            idle: Some(Idle {
                connections: IDLE_CONNECTIONS,
                open: ms(3000),
                hold: ms(4000),
            }),
            inject: ms(4000),
            hold: self.storm.unwrap_or(ms(10_000)),
            recover: ms(4000),
            storm,
        }
    }
}

impl Pace {
    /// The same for a peer: a figure to compare with needs less time.
    pub(crate) fn for_peer(self) -> Self {
        let ms = Duration::from_millis;
        Self {
            capacity: ms(1500),
            calibrate: ms(1000),
            steady: ms(2500),
            idle: None,
            inject: ms(2500),
            hold: self.hold.min(ms(6000)),
            recover: ms(3000),
            ..self
        }
    }

    /// No part of a run lasts longer than all of them together.
    pub(crate) fn whole(&self) -> Duration {
        let idle = self.idle.map_or(Duration::ZERO, |it| it.open + it.hold);
        let parts = [
            self.capacity,
            self.calibrate,
            self.steady,
            idle,
            self.inject,
            self.hold,
            self.recover,
        ];
        // Starting and ending of processes and connections lies between them.
        parts.iter().sum::<Duration>() + Duration::from_secs(30)
    }
}
