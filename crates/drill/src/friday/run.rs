//! A run of the drill as a whole: what must be there, the server under test, its peers, the verdict.

use std::sync::atomic::AtomicBool;

use super::act::{Act, play};
use super::outcome::{Outcome, Peer, Verdict};
use super::report::Report;
use super::score::{Asked, Part, judge};
use super::settings::{Pace, Settings};
use super::stage::{Cast, Stage};
use super::subject::{OTHER_CONNECTIONS, Subject};
use crate::child::{self, Nursery};
use crate::error::DrillError;
use crate::home::Home;
use crate::machine;

/// Descriptors that a process needs beside its connections.
const OTHER_DESCRIPTORS: u64 = 128;
/// Ports that the victims' and the large tenant's connections go through in a run.
const PORTS_MIN: u64 = 8_192;

/// Runs the drill; `progress` hears of every second, and `interrupted` ends it early.
pub fn run(
    settings: &Settings,
    interrupted: &AtomicBool,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, DrillError> {
    let mut notes = Vec::new();
    check_loopback(settings)?;
    check_limits(settings)?;
    let (server_core, load_core) = share_cores()?;
    let real_time = real_time(settings, &mut notes)?;
    let mut stage = Stage {
        settings,
        nursery: Nursery {
            program: settings.program.clone(),
        },
        home: Home::new(&settings.scratch)?,
        server_core,
        load_core,
        real_time,
        interrupted,
        progress,
    };
    child::pin(&[load_core])?;
    let pace = settings.pace();
    let subject = subject(&stage)?;
    let act = play(&mut stage, Cast::new(subject, pace))?;
    let peers = peers(&mut stage, pace, &mut notes)?;
    Ok(report(settings, pace, act, peers, notes))
}

fn check_loopback(settings: &Settings) -> Result<(), DrillError> {
    match settings.against {
        Some(target) if !(target.ip().is_loopback() && target.is_ipv4()) => {
            Err(DrillError::CannotRun(format!(
                "--against {target}: a drill runs over loopback only: give 127.0.0.1:PORT"
            )))
        }
        Some(_) if !settings.protections => Err(DrillError::CannotRun(
            "--protections off is for servers that the drill starts itself: leave --against away"
                .into(),
        )),
        _ => Ok(()),
    }
}

fn check_limits(settings: &Settings) -> Result<(), DrillError> {
    let connections = settings.connections();
    if connections == 0 {
        return Err(DrillError::CannotRun(
            "--connections 0: give at least 1".into(),
        ));
    }
    let limit = machine::raise_descriptors()?;
    let idle = settings.pace().idle.map_or(0, |idle| idle.connections);
    let most = connections.max(idle);
    let needed = u64::from(most) + u64::from(OTHER_CONNECTIONS) + OTHER_DESCRIPTORS;
    if needed > limit {
        return Err(DrillError::CannotRun(format!(
            "{most} connections need {needed} open files and the hard limit is {limit} \
             (ulimit -Hn): raise it, or lower --connections"
        )));
    }
    match machine::ephemeral_ports() {
        Some(ports) if ports < PORTS_MIN => Err(DrillError::CannotRun(format!(
            "{ports} ports for connections are too few, {PORTS_MIN} are needed: widen \
             net.ipv4.ip_local_port_range"
        ))),
        _ => Ok(()),
    }
}

/// A core for the server and one for the load.
fn share_cores() -> Result<(usize, usize), DrillError> {
    let cores = machine::cores()?;
    match cores[..] {
        [server, load, ..] => Ok((server, load)),
        _ => Err(DrillError::CannotRun(format!(
            "{} core: server and load need one each, or the load measures itself",
            cores.len()
        ))),
    }
}

fn real_time(settings: &Settings, notes: &mut Vec<String>) -> Result<bool, DrillError> {
    if machine::may_run_in_real_time() {
        return Ok(true);
    }
    if !settings.quick {
        return Err(DrillError::CannotRun(
            "the victims' generator may not run at real-time priority (chrt -f 1 true fails): run \
             as root, or with a limit on real-time priority (ulimit -r), or with --quick"
                .into(),
        ));
    }
    notes.push("the victims' generator ran at ordinary priority, as --quick allows".into());
    Ok(false)
}

fn subject(stage: &Stage<'_>) -> Result<Subject, DrillError> {
    let settings = stage.settings;
    if let Some(target) = settings.against {
        return Ok(Subject::existing(target));
    }
    let pace = settings.pace();
    let idle = pace.idle.map_or(0, |idle| idle.connections);
    Subject::cofferdam(
        &stage.nursery,
        &stage.home,
        stage.server_core,
        settings.connections().max(idle),
        settings.protections,
    )
}

/// The same drill for what a user would have otherwise; not in the control, which is about us.
fn peers(
    stage: &mut Stage<'_>,
    pace: Pace,
    notes: &mut Vec<String>,
) -> Result<Vec<Act>, DrillError> {
    let settings = stage.settings;
    if settings.quick || settings.against.is_some() || !settings.protections {
        return Ok(Vec::new());
    }
    let pace = pace.for_peer();
    let connections = settings.connections();
    let core = stage.server_core;
    let mut acts = Vec::new();
    for name in ["memcached", "nutcracker"] {
        let subject = match name {
            "memcached" => Subject::memcached(&stage.nursery, core, connections)?,
            _ => Subject::nutcracker(&stage.nursery, &stage.home, core, connections)?,
        };
        let Some(subject) = subject else {
            notes.push(format!("{name} is not installed and was left out"));
            continue;
        };
        match play(stage, Cast::new(subject, pace)) {
            Ok(act) => acts.push(act),
            Err(DrillError::Interrupted) => return Err(DrillError::Interrupted),
            Err(error) => notes.push(format!("{name} did not get through the drill: {error}")),
        }
    }
    Ok(acts)
}

fn report(
    settings: &Settings,
    pace: Pace,
    act: Act,
    peers: Vec<Act>,
    mut notes: Vec<String>,
) -> Report {
    let asked = Asked {
        connections: settings.connections(),
        period_s: pace.storm.period.as_secs_f64(),
        part: match settings.protections {
            true => Part::Subject,
            false => Part::Control,
        },
    };
    let (verdict, reasons) = judge(&act.figures, asked);
    notes.extend(act.notes);
    let mut timelines = vec![(act.name.clone(), act.timeline)];
    let mut judged = Vec::new();
    for peer in peers {
        let as_peer = Asked {
            part: Part::Peer,
            ..asked
        };
        let (verdict, reasons) = match peer.lost {
            Some(why) => (Verdict::Fail, vec![why]),
            None => judge(&peer.figures, as_peer),
        };
        notes.extend(peer.notes);
        timelines.push((peer.name.clone(), peer.timeline));
        judged.push(Peer {
            name: peer.name,
            figures: peer.figures,
            verdict,
            reasons,
        });
    }
    Report {
        outcome: Outcome {
            drill: "friday",
            protections: protections(settings),
            server: act.name,
            figures: act.figures,
            peers: judged,
            seed: settings.seed,
            notes,
            verdict,
            reasons,
        },
        timelines,
    }
}

fn protections(settings: &Settings) -> &'static str {
    match (settings.against, settings.protections) {
        (Some(_), _) => "unknown",
        (None, true) => "on",
        (None, false) => "off",
    }
}

impl Report {
    /// How the run came out.
    pub fn verdict(&self) -> Verdict {
        self.outcome.verdict
    }
}

#[cfg(test)]
#[path = "run_test.rs"]
mod tests;
