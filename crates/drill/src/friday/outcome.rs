//! What a run of the drill found, as it is told to programs.

use serde::Serialize;
use serde_json::Value;

/// What a run found; its serialised form is a contract with whoever reads it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// `friday`.
    pub drill: &'static str,
    /// `on` or `off`; `unknown` against a server that was there before.
    pub protections: &'static str,
    /// What was drilled, with its version.
    pub server: String,
    /// The figures that are judged.
    #[serde(flatten)]
    pub figures: Figures,
    /// What a user would have otherwise, in the same drill.
    pub peers: Vec<Peer>,
    /// Every random choice follows from it.
    pub seed: u64,
    /// What to know about this run: what was left out, and why.
    pub notes: Vec<String>,
    /// `pass`, `fail`, or `invalid` where nothing can be said.
    pub verdict: Verdict,
    /// Why it is not a pass, in words; for a control also by how far.
    pub reasons: Vec<String>,
}

/// A peer's figures, judged by the same table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Peer {
    /// Its name and version.
    pub name: String,
    /// The same figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// By the same table.
    pub verdict: Verdict,
    /// Why it is not a pass.
    pub reasons: Vec<String>,
}

/// How a run came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every figure is within its bound.
    Pass,
    /// At least one is not.
    Fail,
    /// The generator or the machine did not keep up: nothing can be said.
    Invalid,
}

/// A figure before, during and after the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Course {
    /// With nothing but the victims.
    pub before: f64,
    /// With spike and storm.
    pub during: f64,
    /// From a second after the end of both.
    pub after: f64,
}

/// Everything that is judged, and what explains it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// What the well-behaved tenants saw.
    pub victims: Victims,
    /// The reconnect storm.
    pub storm: Storm,
    /// The large tenant.
    pub aggressor: Aggressor,
    /// Whether the figures can be trusted.
    pub generator: Generator,
    /// From the end of the fault until the victims' latency was normal again; `null` for never.
    pub recover_ms: Option<f64>,
    /// Idle connections held without a storm.
    pub idle: Option<IdleFigures>,
    /// CPU that the server took, in cores; zeros where its processes are not known.
    pub server_cpu: Course,
    /// What the server said of each tenant's clients after the fault, in its own words; `null` where
    /// it cannot be asked.
    pub server_tells: Value,
}

/// What the well-behaved tenants saw, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Victims {
    /// Half of their requests were as quick as this.
    pub p50_ms: Course,
    /// 99 % of their requests were as quick as this.
    pub p99_ms: Course,
    /// The same as the server has it, from readable to answered; zeros where it does not tell.
    pub server_p99_ms: Course,
    /// 99 % under the spike alone, before the storm.
    pub spike_p99_ms: f64,
    /// Requests a second that they sent together.
    pub rate_per_s: f64,
    /// Requests without a right answer during the fault: timeouts, lost connections, errors, and
    /// misses of what must be there.
    pub errors: u64,
    /// Connects and logins that failed during the fault.
    pub connect_failures: u64,
    /// A fresh connect and login of one of them during the storm.
    pub connect_p99_ms: f64,
}

/// The reconnect storm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Storm {
    /// Connections opened in all.
    pub opened: u64,
    /// How long the first round of them took, in seconds.
    pub first_round_s: f64,
    /// The server's connections at the most, dead ones among them.
    pub connections_peak: u64,
    /// Those of them in CLOSE_WAIT at the most.
    pub close_wait_peak: u64,
    /// How long one stood in CLOSE_WAIT at the most.
    pub close_wait_oldest_ms: f64,
    /// Connections that the server refused or closed before their time.
    pub closed_by_server: u64,
}

/// The large tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Aggressor {
    /// Requests of its mix that the server can do in a second, with nobody else there.
    pub capacity_per_s: f64,
    /// The same, measured again when all was over: a machine that has changed meanwhile shows here.
    pub capacity_after_per_s: f64,
    /// Requests that it sent under the spike.
    pub offered: u64,
    /// How many times the capacity that is.
    pub offered_multiple: f64,
    /// Requests that were answered with what they asked for.
    pub served: u64,
    /// Their cost as a part of what the victims left of the capacity, which is the mean of what was
    /// measured before and after, under the spike alone.
    pub served_share: f64,
    /// The same while the storm was on too: handshakes take their part.
    pub served_share_in_storm: f64,
    /// Requests that were answered as if nothing were there, or by not storing.
    pub refused: u64,
    /// Times that it gave a connection up, or lost it, and opened another.
    pub reconnects: u64,
}

/// Whether the figures can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Generator {
    /// How late the victims' requests left although a connection was free; 99 % were less late.
    pub lag_p99_ms: f64,
    /// The part of the machine's time that the host took away.
    pub steal: f64,
    /// How far the victims' p99 in each third of the time before the fault lay apart.
    pub noise_ms: f64,
    /// What other processes took of the server's core before the fault, as a part of time.
    pub others_before: f64,
    /// The same during the fault.
    pub others_during: f64,
    /// Whether the victims' generator ran at real-time priority.
    pub real_time: bool,
}

/// Idle connections held without a storm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct IdleFigures {
    /// How many were opened and authenticated.
    pub connections: u64,
    /// How many of them were still there at the end.
    pub alive: u64,
    /// The victims meanwhile.
    pub p99_ms: f64,
}

#[cfg(test)]
#[path = "outcome_test.rs"]
mod tests;
