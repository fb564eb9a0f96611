//! The victims' process as its orderer sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use super::timeline::{Probe, Seen, Span, Timeline};
use super::victim_process::{Order, Tell};
use crate::child::{Child, Nursery, Priority};
use crate::error::DrillError;
use crate::load::Timing;

/// Above everything ordinary, below what the kernel itself needs.
const PRIORITY: u8 = 20;

/// A running victims' process; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Victims {
    child: Child,
    told: Receiver<Tell>,
}

impl Victims {
    /// Starts one on `core`, at real-time priority if that is allowed.
    pub(crate) fn start(
        nursery: &Nursery,
        core: usize,
        real_time: bool,
        order: &Order,
    ) -> Result<Self, DrillError> {
        let priority = match real_time {
            true => Priority::RealTime(PRIORITY),
            false => Priority::Ordinary,
        };
        let mut command = nursery.command(core, priority, &nursery.program);
        command.args(["drill", "victims"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Child::start("the victims' generator", &mut command)?;
        let failed = || DrillError::system("cannot order the victims' generator");
        let mut line = serde_json::to_string(order).unwrap_or_default();
        line.push('\n');
        if let Some(input) = &mut child.process.stdin {
            input.write_all(line.as_bytes()).map_err(failed())?;
        }
        let (tells, told) = channel();
        if let Some(output) = child.process.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                for tell in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
                    if tells.send(tell).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { child, told })
    }

    /// Puts what was told since the last time into `timeline`.
    pub(crate) fn listen(&mut self, timeline: &mut Timeline) -> Result<(), DrillError> {
        loop {
            match self.told.try_recv() {
                Ok(tell) => take(tell, timeline),
                Err(TryRecvError::Empty) => return self.child.check(),
                Err(TryRecvError::Disconnected) => {
                    return Err(DrillError::CannotRun(
                        "the victims' generator has stopped telling: see what it said above".into(),
                    ));
                }
            }
        }
    }
}

fn take(tell: Tell, timeline: &mut Timeline) {
    let timing = |text: Option<String>| text.map_or_else(Timing::fine, |it| Timing::parse(&it));
    match tell {
        Tell::Window {
            from_ns,
            to_ns,
            latency,
            lag,
            requests,
            errors,
            connect_failures,
            reconnects,
        } => timeline.see(Seen {
            span: Span::new(from_ns, to_ns),
            latency: timing(latency),
            lag: timing(lag),
            requests,
            errors,
            connect_failures,
            reconnects,
        }),
        Tell::Probe {
            due_ns,
            took_ns,
            failed,
        } => timeline.probe(Probe {
            due_ns,
            took_ns,
            failed,
        }),
    }
}
