//! A run of the drill as a whole: which scenarios, on which fleets, with which controls.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::act::{Act, Pace};
use super::fleet::{Fleet, Ground, check_etcd};
use super::network::{Choice, Network, Stack, choose};
use super::outcome::{Outcome, ScenarioOutcome};
use super::rest::Rest;
use super::scenario::{Case, Fault, Judge, cases};
use super::score::{disturbances, faults, is_grave, outcome};
use super::seen::Seen;
use super::tries::{TRIES, up_to_tries};
use crate::child::{self, Nursery};
use crate::error::DrillError;
use crate::home::Home;
use crate::load::clock;
use crate::machine;

/// A fleet may take so long to be as before.
const CALM: Duration = Duration::from_secs(6);
const LOOK_EVERY_NS: u64 = 200_000_000;

/// What a run of the drill is asked for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The binary whose fleets are drilled.
    pub program: PathBuf,
    /// A folder for the fleets' state; what is put there is removed again.
    pub scratch: PathBuf,
    /// Letters of scenarios; none is all.
    pub scenarios: Vec<char>,
    /// For continuous integration: shorter, and only what shows most.
    pub quick: bool,
    /// Who judges; any other than [`Judge::On`] is a control by itself.
    pub judge: Judge,
    /// Of what networks are to be made; nothing for namespaces where they can be made.
    pub network: Option<Network>,
    /// Every random choice follows from it.
    pub seed: u64,
}

/// Runs the drill; `progress` hears what is done, and `interrupted` ends it early.
pub fn run(
    settings: &Settings,
    interrupted: &AtomicBool,
    progress: &mut dyn FnMut(&str),
) -> Result<Outcome, DrillError> {
    check_etcd()?;
    machine::raise_descriptors()?;
    // The ways to nodes and the clients are of this process, and the fleets are its children.
    child::go_ahead();
    let choice = choose(settings.network)?;
    progress(&choice.words());
    let nursery = Nursery {
        program: settings.program.clone(),
    };
    let home = Home::new(&settings.scratch)?;
    let mut stage = Stage {
        settings,
        interrupted,
        progress,
        standing: None,
        rest: Rest::of_run(settings.quick),
        choice: &choice,
        ground: Ground {
            nursery: &nursery,
            home: &home,
            cores: machine::cores()?,
            fleets: 0,
            seed: settings.seed,
            can_narrow: choice.can_narrow,
        },
    };
    let scenarios = stage.scenarios().map_err(|error| {
        // Who asks for the end may have asked the fleet's processes, too, and they are quicker.
        match interrupted.load(Ordering::Acquire) {
            true => DrillError::Interrupted,
            false => error,
        }
    })?;
    Ok(Outcome {
        drill: "wednesday",
        network: choice.network,
        network_note: choice.note,
        scenarios,
    })
}

impl Settings {
    fn cases(&self) -> Vec<Case> {
        let is_asked = |case: &Case| {
            let is_named = self.scenarios.is_empty() || self.scenarios.contains(&case.scenario);
            is_named && (!self.quick || case.is_quick)
        };
        cases().into_iter().filter(is_asked).collect()
    }

    fn pace(&self, judge: Judge) -> Pace {
        let seconds = Duration::from_secs;
        match (judge, self.quick) {
            // Once it has learnt what is usual, for two seconds, it soon takes everybody out, whatever is done.
            (Judge::Naive, _) => Pace {
                settle: Duration::ZERO,
                before: seconds(2),
                after: seconds(2),
                look: seconds(4),
            },
            (_, true) => Pace {
                settle: seconds(1),
                before: seconds(2),
                after: seconds(2),
                look: seconds(4),
            },
            // Of 6,400 requests a machine that stands still once, for 50 ms, is no hundredth; and nobody is let
            // in again within 10 s.
            (_, false) => Pace {
                settle: seconds(3),
                before: seconds(8),
                after: seconds(8),
                look: seconds(10),
            },
        }
    }
}

struct Stage<'a> {
    settings: &'a Settings,
    interrupted: &'a AtomicBool,
    progress: &'a mut dyn FnMut(&str),
    choice: &'a Choice,
    ground: Ground<'a>,
    /// A fleet that is as it was when it was put up.
    standing: Option<(Judge, Fleet)>,
    /// What the run may still wait for the machine.
    rest: Rest,
}

impl Stage<'_> {
    fn scenarios(&mut self) -> Result<Vec<ScenarioOutcome>, DrillError> {
        let (cases, judge) = (self.settings.cases(), self.settings.judge);
        let seen = self.play_all(&cases, |_| Some(judge))?;
        let controls = match judge {
            Judge::On => self.controls(&cases)?,
            Judge::Naive | Judge::Off => vec![None; cases.len()],
        };
        let scenarios = cases.iter().zip(&seen).zip(&controls);
        let scenarios = scenarios.map(|((case, seen), control)| {
            let seen = seen.clone().unwrap_or_default();
            let control = case.control.zip(control.as_ref());
            outcome(case, judge, &seen, control)
        });
        Ok(scenarios.collect())
    }

    /// All cases with the judge that each is to have; nothing for those without.
    fn play_all(
        &mut self,
        cases: &[Case],
        judge: impl Fn(&Case) -> Option<Judge>,
    ) -> Result<Vec<Option<Seen>>, DrillError> {
        let mut all = Vec::new();
        for case in cases {
            all.push(match judge(case) {
                Some(judge) => Some(self.play(case, judge)?),
                None => None,
            });
        }
        self.standing = None;
        Ok(all)
    }

    /// One judge after the other, so that fleets serve for several.
    fn controls(&mut self, cases: &[Case]) -> Result<Vec<Option<Seen>>, DrillError> {
        let naive = self.play_all(cases, |it| it.control.filter(|it| *it == Judge::Naive))?;
        let off = self.play_all(cases, |it| it.control.filter(|it| *it == Judge::Off))?;
        let both = naive.into_iter().zip(off);
        Ok(both.map(|(naive, off)| naive.or(off)).collect())
    }

    /// Again, if the machine disturbed it.
    fn play(&mut self, case: &Case, judge: Judge) -> Result<Seen, DrillError> {
        let is_wanted = |seen: &Seen| faults(case, judge, seen).is_empty() == (judge == Judge::On);
        for _ in 1..TRIES {
            let seen = self.play_once(case, judge)?;
            let disturbed = disturbances(case, &seen);
            let is_grave = judge == Judge::On && is_grave(case, &seen);
            if is_wanted(&seen) || disturbed.is_empty() || is_grave {
                return Ok(seen);
            }
            (self.progress)(&format!("once more: {}", disturbed.join("; ")));
        }
        self.play_once(case, judge)
    }

    fn play_once(&mut self, case: &Case, judge: Judge) -> Result<Seen, DrillError> {
        let nodes = case.fault.nodes_before();
        let standing = self.standing.take();
        let standing = standing.filter(|(it, fleet)| *it == judge && fleet.nodes.len() == nodes);
        let fleet = standing.map(|(_, fleet)| fleet);
        let there = fleet.as_ref().map(|fleet| fleet.site.stack);
        let stack = self.choice.stack(&case.fault, there);
        let fleet = match fleet {
            Some(fleet) if there == Some(stack) && is_calm(&fleet, judge) => fleet,
            other => {
                drop(other);
                self.fleet(judge, nodes, stack)?
            }
        };
        (self.progress)(&format!(
            "{}: {}, judge {judge:?}",
            case.scenario, case.what
        ));
        let mut act = Act {
            fleet: &fleet,
            case,
            judge,
            pace: self.settings.pace(judge),
            seed: self.settings.seed,
            interrupted: self.interrupted,
            rest: &mut self.rest,
            progress: &mut *self.progress,
        };
        let seen = act.play()?;
        let is_whole = !matches!(
            case.fault,
            Fault::Killed(_) | Fault::Hung(_) | Fault::Joins(_)
        );
        self.standing = is_whole.then_some((judge, fleet));
        Ok(seen)
    }

    /// Again, if it does not come up: a disk that stands still for seconds does that to an etcd.
    fn fleet(&mut self, judge: Judge, nodes: usize, stack: Stack) -> Result<Fleet, DrillError> {
        let words = format!("a fleet, judge {judge:?}, network {}", stack.word());
        up_to_tries(self.interrupted, self.progress, |progress| {
            progress(&words);
            self.ground.fleet(judge, nodes, stack)
        })
    }
}

/// Whether it is, or becomes, as if nothing had happened. Who judges naively has taken nodes out, and
/// lets them in again.
fn is_calm(fleet: &Fleet, judge: Judge) -> bool {
    if judge == Judge::Naive {
        return false;
    }
    let until_ns = clock::now_ns() + CALM.as_nanos() as u64;
    while clock::now_ns() < until_ns {
        let views = fleet.gateways.iter().map(|it| it.admin.judging());
        if judge == Judge::Off || views.flatten().all(|view| view.is_well()) {
            return true;
        }
        clock::sleep_until(clock::now_ns() + LOOK_EVERY_NS);
    }
    false
}
