//! `cofferdam gate run`: has a node tested that is to come into a fleet, and tells what came of it.

use std::thread;
use std::time::Duration;

use clap::Subcommand;
use runtime::http::Method;

use super::access::Access;
use super::global::Global;
use super::output;
use crate::failure::Failure;
use crate::gate::{GateReport, NodeRecord};
use crate::wire::{GateAsked, GateWish};

const LOOK_EVERY: Duration = Duration::from_millis(300);
/// After so many at which nobody was tested or on his way in, nobody is there who would test.
const LOOKS_IN_VAIN_MAX: u32 = 300;
const PATH: &str = "/v1/fleet/gate";
const NO_BODY: Option<&()> = None;

/// What the gate is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// Test a quarantined node beside those that serve, and let it in if it does as well: exit code 0 if
    /// it is admitted, 1 if it is refused, 2 if it could not be tested
    Run {
        /// Where gateways are to reach the node, or its name
        #[arg(long, value_name = "HOST:PORT")]
        candidate: String,
    },
}

pub(crate) fn run(global: &Global, command: &GateCommand) -> Result<(), Failure> {
    let GateCommand::Run { candidate } = command;
    let record = tested(global, candidate).map_err(|why| Failure::CouldNotRun(why.to_string()))?;
    match global.json {
        true => output::json(&record)?,
        false => output::text(&format!("{}\n", record.lines().join("\n")))?,
    }
    match record.outcome.as_str() {
        "admitted" => Ok(()),
        "sent_back" => Err(Failure::new(record.sent_back())),
        "refused" => Err(Failure::new(format!(
            "{} is refused: {}",
            record.name,
            record.reasons()
        ))),
        _ => Err(Failure::CouldNotRun(record.reasons())),
    }
}

/// Asks for a test, shows how far it has got, and waits for its end.
fn tested(global: &Global, candidate: &str) -> Result<NodeRecord, Failure> {
    let access = Access::daemon(global)?;
    let wish = GateWish {
        candidate: candidate.to_owned(),
    };
    let asked: GateAsked = access.ask(Method::POST, PATH, Some(&wish))?;
    let (mut told, mut looks) = (Told::default(), 0);
    while looks < LOOKS_IN_VAIN_MAX {
        let report: GateReport = access.ask(Method::GET, PATH, NO_BODY)?;
        if let Some(record) = report.node(&asked.name)
            && record.test > asked.after
        {
            return Ok(record.clone());
        }
        looks = match report.candidate {
            Some(_) => 0,
            None => looks + 1,
        };
        for words in told.news(report, &asked.name) {
            output::note(global, &words);
        }
        thread::park_timeout(LOOK_EVERY);
    }
    Err(Failure::new(format!(
        "nobody has tested {}: does the gateway with the steward's lease run, with judge.mode = \"on\"? \
         `cofferdam node list` shows the members",
        asked.name
    )))
}

/// What was told of one gateway's test of one node.
#[derive(Default)]
struct Told {
    keeper: String,
    candidate: String,
    steps: Vec<String>,
}

impl Told {
    /// The steps that have come since, for whoever waits for the node `asked`: also those between two looks.
    fn news(&mut self, report: GateReport, asked: &str) -> Vec<String> {
        let Some((candidate, doing)) = report.candidate.zip(report.doing) else {
            return Vec::new();
        };
        // Who is on his way in goes no steps, nor does anybody as an earlier release tells it.
        let steps = match report.steps.is_empty() {
            true => vec![doing],
            false => report.steps,
        };
        let is_same = (&self.keeper, &self.candidate) == (&report.keeper, &candidate);
        let known = self.steps.as_slice();
        // Other steps are those of a test that began anew.
        let news = steps.strip_prefix(known).filter(|_| is_same);
        let news = news.unwrap_or(&steps).to_vec();
        *self = Self {
            keeper: report.keeper,
            candidate,
            steps,
        };
        let told = |step: String| match self.candidate == asked {
            true => step,
            false => format!("{asked} waits for {}: {step}", self.candidate),
        };
        news.into_iter().map(told).collect()
    }
}

#[cfg(test)]
#[path = "gate_test.rs"]
mod tests;
