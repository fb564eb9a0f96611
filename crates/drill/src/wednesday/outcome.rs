//! What comes out of the drill, as it is printed.

use serde::Serialize;

use super::network::{Network, Stack};

/// What a run of the drill came to.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `wednesday`.
    pub drill: &'static str,
    /// Of what the fleets' networks were made.
    pub network: Network,
    /// Why they were made of less than was asked for or is usual, in words.
    pub network_note: Option<String>,
    /// One after the other.
    pub scenarios: Vec<ScenarioOutcome>,
}

/// Whether what was wanted was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was.
    Pass,
    /// The machine was disturbed: nothing can be said.
    Invalid,
    /// It was not.
    Fail,
}

/// What one thing that was done to a fleet came to.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioOutcome {
    /// The scenario's letter.
    pub name: String,
    /// What was done.
    pub what: &'static str,
    /// What stood between the machines.
    pub network: Stack,
    /// Until the first node was suspected.
    pub detect_ms: Option<u64>,
    /// Until all nodes that could be were taken out.
    pub eject_ms: Option<u64>,
    /// Until one event told that it is all nodes, or more than may be out.
    pub event_ms: Option<u64>,
    /// Until the gate refused the node that came.
    pub refused_ms: Option<u64>,
    /// Until the node served at its full weight again, from the end of the fault on.
    pub back_ms: Option<u64>,
    /// Requests without a whole answer within half a second of when they were to be sent, from the fault on.
    pub client_timeouts: usize,
    /// Before the fault, and after what was done about it.
    pub p99_before_ms: f64,
    /// See there.
    pub p99_after_ms: f64,
    /// Of the two.
    pub p99_ratio_after: f64,
    /// The least part of keys that was found in any half second after the fault.
    pub hit_ratio_min: f64,
    /// Values that had been replaced before they were asked for.
    pub stale: usize,
    /// Nodes that were taken out although nothing was bad about them.
    pub wrongly_ejected: usize,
    /// Whether what was wanted came, its control included.
    pub verdict: Verdict,
    /// The same without what protects, which must fail; nothing where there was no control.
    pub control: Option<Verdict>,
    /// Why it failed or says nothing, and what the control showed.
    pub reasons: Vec<String>,
}

impl Outcome {
    /// Of all scenarios together.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.scenarios.iter().map(|it| it.verdict);
        verdicts.max().unwrap_or(Verdict::Invalid)
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let ms = |time: Option<u64>| time.map_or("-".to_owned(), |it| it.to_string());
        text.push_str(
            "| scenario | what | network | suspected, ms | out, ms | event, ms | refused, ms | back, ms | timeouts | p99 before, \
             after, ms | least hit ratio | wrongly out | verdict | control |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for it in &self.scenarios {
            let control = it.control.map_or("-".to_owned(), word);
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1}, {:.1} | {:.2} | {} | {} | {control} |\n",
                it.name,
                it.what,
                it.network.word(),
                ms(it.detect_ms),
                ms(it.eject_ms),
                ms(it.event_ms),
                ms(it.refused_ms),
                ms(it.back_ms),
                it.client_timeouts,
                it.p99_before_ms,
                it.p99_after_ms,
                it.hit_ratio_min,
                it.wrongly_ejected,
                word(it.verdict),
            ));
        }
        if let Some(note) = &self.network_note {
            text.push_str(&format!("\nnetwork: {note}"));
        }
        for it in &self.scenarios {
            for reason in &it.reasons {
                text.push_str(&format!("\n{}, {}: {reason}", it.name, it.what));
            }
        }
        text.push('\n');
        text
    }
}

fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Invalid => "says nothing",
        Verdict::Fail => "fail",
    }
    .to_owned()
}
