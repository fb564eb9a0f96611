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
        "admitted" | "sent_back" => Ok(()),
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
    let (mut said, mut looks) = (None, 0);
    while looks < LOOKS_IN_VAIN_MAX {
        let report: GateReport = access.ask(Method::GET, PATH, NO_BODY)?;
        if let Some(record) = report.node(&asked.name)
            && record.test > asked.after
        {
            return Ok(record.clone());
        }
        let doing = report.candidate.zip(report.doing);
        let doing = doing.map(|(name, doing)| match name == asked.name {
            true => doing,
            false => format!("{asked} waits for {name}: {doing}", asked = asked.name),
        });
        looks = if doing.is_some() { 0 } else { looks + 1 };
        if doing.is_some() && doing != said {
            said = doing;
            output::note(global, said.as_deref().unwrap_or_default());
        }
        thread::park_timeout(LOOK_EVERY);
    }
    Err(Failure::new(format!(
        "nobody has tested {}: does the gateway with the steward's lease run, with judge.mode = \"on\"? \
         `cofferdam node list` shows the members",
        asked.name
    )))
}
