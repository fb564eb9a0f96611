//! The drill on one server: steady, idle, inject, hold, remove, recover.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::meter::{Meter, Reading};
use super::outcome::{Course, Figures, IdleFigures, Storm as StormFigures};
use super::script::Script;
use super::server_view::clients;
use super::settings::{Idle, StormSize};
use super::spike::{self, Aim, Capacity, Spike};
use super::stage::{Cast, Stage};
use super::storm::{self, Storm, Words};
use super::sum::{Fault, Sum};
use super::task::Task;
use super::timeline::{Phase, Span, Timeline};
use super::victim_process::Order;
use super::victims::Victims;
use super::watch::{Sights, watch};
use crate::error::DrillError;
use crate::load::{AuthDialect, Window, clock, login_request};
use crate::machine::Ticks;

/// Connections of each of the three well-behaved tenants.
const VICTIM_CONNECTIONS: u32 = 30;
/// What they take of the server's core together: a twentieth each.
const VICTIM_SHARE: f64 = 0.15;
/// The rate at which their cost is measured, and the bounds of what follows from it.
const CALIBRATE_PER_S: f64 = 15_000.0;
const RATE_PER_S: std::ops::RangeInclusive<f64> = 1_000.0..=60_000.0;
/// Fresh connects of a victim a second.
const PROBES_PER_S: f64 = 160.0;
const WINDOW_MS: u64 = 100;
/// What is offered, as a multiple of the capacity: more than is asked for, since some is late.
const OFFERED: f64 = 3.4;
/// Nothing counts before a generator has run for so long.
const SETTLE: Duration = Duration::from_millis(300);
/// Longer than any generator takes to begin.
const BEGIN_WITHIN: Duration = Duration::from_secs(15);

/// What one server went through.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) name: String,
    pub(crate) figures: Figures,
    pub(crate) timeline: Timeline,
    pub(crate) notes: Vec<String>,
    /// Why it did not last to the end of the fault, where it did not: a peer may end, and that is what
    /// a user would have had.
    pub(crate) lost: Option<String>,
}

/// Puts `cast`'s server through all phases; it is ended at the end.
pub(crate) fn play(stage: &mut Stage<'_>, mut cast: Cast) -> Result<Act, DrillError> {
    let name = cast.subject.name.clone();
    stage.tell(&format!("{name} at {}", cast.target()));
    let ticks = Ticks::now();
    let (capacity, full_cpu) = measure_capacity(stage, &mut cast)?;
    let rate_per_s = calibrate(stage, &mut cast)?;
    stage.tell(&format!(
        "capacity {:.0} requests/s of the large tenant's mix; victims send {rate_per_s:.0} requests/s",
        capacity.per_s
    ));
    let order = order(stage, &cast, rate_per_s);
    cast.victims = Some(start_victims(stage, &mut cast, &order)?);
    stage.wait("settle", SETTLE, &mut cast)?;

    let mut meter = Meter::of(&cast.subject, stage.server_core);
    steady(stage, &mut cast)?;
    let before = meter.read(&cast.subject);
    let idle = match cast.pace.idle {
        Some(idle) => Some(hold_idle(stage, &mut cast, idle)?),
        None => None,
    };
    meter.read(&cast.subject);
    let (fault, mut lost) = fault(stage, &mut cast, capacity)?;
    let during = meter.read(&cast.subject);
    if lost.is_none() {
        let recovered = recover(stage, &mut cast, fault.end_ns);
        lost = cast.survived(recovered)?;
    }
    let after = meter.read(&cast.subject);
    drop(cast.victims.take());
    let server_tells = clients(&cast.subject.stat());
    let (capacity_after, not_again) = match lost {
        None => capacity_after(stage, &mut cast, capacity)?,
        Some(_) => (capacity, None),
    };

    let course = |figure: fn(&Reading) -> f64| Course {
        before: figure(&before),
        during: figure(&during),
        after: figure(&after),
    };
    let sum = Sum {
        capacity,
        capacity_after,
        cpu: course(|it| it.cpu),
        victims_cpu: fault.victims_busy.unwrap_or(before.cpu),
        others_before: before.others,
        others_during: during.others,
        server_p99_ms: course(|it| it.p99_ms),
        server_tells,
        idle,
        steal: Ticks::now().steal_since(ticks),
        real_time: stage.real_time,
        rate_per_s,
    };
    let figures = sum.figures(&cast.timeline, &fault);
    let mut notes: Vec<String> = not_again.into_iter().collect();
    if full_cpu.is_some_and(|cpu| cpu < 0.95) {
        notes.push(format!(
            "{name}: only {:.0} % of its core was busy at its capacity: the generator is the limit",
            full_cpu.unwrap_or(0.0) * 100.0
        ));
    }
    cast.subject.stop();
    Ok(Act {
        name,
        figures,
        timeline: cast.timeline,
        notes,
        lost: lost.map(|error| format!("it did not last to the end: {error}")),
    })
}

fn aim(stage: &Stage<'_>, cast: &Cast) -> Aim {
    Aim {
        target: cast.target(),
        login: cast.subject.aggressor.clone(),
        seed: stage.settings.seed,
        longest: cast.pace.whole(),
    }
}

/// The capacity, and the part of its core that the server used at it.
fn measure_capacity(
    stage: &mut Stage<'_>,
    cast: &mut Cast,
) -> Result<(Capacity, Option<f64>), DrillError> {
    cast.spike = Some(Spike::saturate(&aim(stage, cast))?);
    begun(stage, "store", cast, |cast| {
        cast.spike.as_ref().is_some_and(Spike::is_on)
    })?;
    let mut meter = Meter::of(&cast.subject, stage.server_core);
    stage.wait("capacity", cast.pace.capacity, cast)?;
    let cpu = meter.read(&cast.subject).cpu;
    let windows = finish_spike(cast)?;
    let capacity = Capacity::of(&windows);
    if capacity.per_s < 1.0 {
        return Err(DrillError::CannotRun(
            "the server answered nothing of the large tenant's mix".into(),
        ));
    }
    Ok((capacity, (!meter.pids.is_empty()).then_some(cpu)))
}

/// The capacity once more. A peer that is not up to that any more is no reason to forget what was seen
/// of it: then it is what it was, and the reason is told.
fn capacity_after(
    stage: &mut Stage<'_>,
    cast: &mut Cast,
    before: Capacity,
) -> Result<(Capacity, Option<String>), DrillError> {
    let mut again = before;
    let measured = measure_capacity(stage, cast).map(|(after, _)| again = after);
    let why = cast.survived(measured)?.map(|error| {
        let name = &cast.subject.name;
        format!(
            "{name}: its capacity could not be measured again after the storm and is taken to be what \
             it was: {error}"
        )
    });
    Ok((again, why))
}

fn finish_spike(cast: &mut Cast) -> Result<Vec<Window>, DrillError> {
    cast.spike.take().map_or(Ok(Vec::new()), Spike::finish)
}

/// The victims' rate, from what their requests cost; a guess where the server's CPU is not known.
fn calibrate(stage: &mut Stage<'_>, cast: &mut Cast) -> Result<f64, DrillError> {
    if cast.subject.children.is_empty() {
        return Ok(CALIBRATE_PER_S);
    }
    let order = order(stage, cast, CALIBRATE_PER_S);
    cast.victims = Some(start_victims(stage, cast, &order)?);
    stage.wait("calibrate", SETTLE, cast)?;
    let mut meter = Meter::of(&cast.subject, stage.server_core);
    stage.wait("calibrate", cast.pace.calibrate, cast)?;
    let cpu = meter.read(&cast.subject).cpu;
    drop(cast.victims.take());
    cast.timeline = Timeline::default();
    let rate = CALIBRATE_PER_S * VICTIM_SHARE / cpu.max(1e-6);
    Ok(rate.clamp(*RATE_PER_S.start(), *RATE_PER_S.end()).round())
}

fn order(stage: &Stage<'_>, cast: &Cast, rate_per_s: f64) -> Order {
    let logins = cast.subject.victims.iter();
    Order {
        target: cast.target(),
        logins: logins
            .map(|it| (it.username.clone(), it.password.clone()))
            .collect(),
        connections: VICTIM_CONNECTIONS,
        rate_per_s,
        probes_per_s: PROBES_PER_S,
        seed: stage.settings.seed,
        window_ms: WINDOW_MS,
        longest_s: cast.pace.whole().as_secs(),
    }
}

fn start_victims(
    stage: &mut Stage<'_>,
    cast: &mut Cast,
    order: &Order,
) -> Result<Victims, DrillError> {
    let victims = Victims::start(&stage.nursery, stage.load_core, stage.real_time, order)?;
    cast.victims = Some(victims);
    begun(stage, "victims", cast, |cast| {
        cast.timeline.last().is_some()
    })?;
    cast.victims.take().ok_or(DrillError::Interrupted)
}

/// Waits until something has begun.
fn begun(
    stage: &mut Stage<'_>,
    what: &str,
    cast: &mut Cast,
    mut has_begun: impl FnMut(&Cast) -> bool,
) -> Result<(), DrillError> {
    let until_ns = clock::now_ns().saturating_add(BEGIN_WITHIN.as_nanos() as u64);
    stage.wait_until(what, cast, |cast| {
        has_begun(cast) || clock::now_ns() > until_ns
    })?;
    if has_begun(cast) {
        return Ok(());
    }
    let seconds = BEGIN_WITHIN.as_secs();
    Err(DrillError::CannotRun(format!(
        "{what}: did not begin within {seconds} s"
    )))
}

fn steady(stage: &mut Stage<'_>, cast: &mut Cast) -> Result<(), DrillError> {
    let from_ns = clock::now_ns();
    stage.wait("steady", cast.pace.steady, cast)?;
    cast.timeline
        .phase(Phase::Steady, Span::new(from_ns, clock::now_ns()));
    Ok(())
}

/// Idle connections are opened, held and closed again.
fn hold_idle(
    stage: &mut Stage<'_>,
    cast: &mut Cast,
    idle: Idle,
) -> Result<IdleFigures, DrillError> {
    let size = StormSize {
        connections: idle.connections,
        period: idle.open,
    };
    let (task, figures) = start_storm(stage, cast, size, false)?;
    let limit_ns = clock::now_ns().saturating_add(BEGIN_WITHIN.as_nanos() as u64);
    stage.wait_until("open idle", cast, |_| {
        figures.first_round_ns.load(Ordering::Relaxed) > 0 || clock::now_ns() > limit_ns
    })?;
    stage.wait("open idle", SETTLE, cast)?;
    let from_ns = clock::now_ns();
    stage.wait("hold idle", idle.hold, cast)?;
    let span = Span::new(from_ns, clock::now_ns());
    cast.timeline.phase(Phase::Idle, span);
    drop(task);
    stage.wait("close idle", SETTLE * 3, cast)?;
    let connections = figures.opened.load(Ordering::Relaxed);
    let closed = figures.closed_by_server.load(Ordering::Relaxed);
    Ok(IdleFigures {
        connections,
        alive: connections.saturating_sub(closed),
        p99_ms: cast.timeline.summary(span).latency.at_ms(0.99),
    })
}

type StormTask = (Task<()>, std::sync::Arc<storm::Figures>);

fn start_storm(
    stage: &Stage<'_>,
    cast: &Cast,
    size: StormSize,
    is_storm: bool,
) -> Result<StormTask, DrillError> {
    let login = cast.subject.aggressor.as_ref();
    let words = Words {
        login: login.map_or_else(Vec::new, |it| login_request(it, AuthDialect::MemcachedY)),
        request: spike::request(),
    };
    let script = Script::new(size, is_storm && stage.settings.same_source);
    let storm = Storm::new(script, size.connections, cast.target(), words);
    let figures = storm.figures();
    let task = Task::start("storm", move |stop| storm.run(stop, is_storm))?;
    Ok((task, figures))
}

/// The spike, then the storm besides, then the end of both; or that of a peer, and why.
fn fault(
    stage: &mut Stage<'_>,
    cast: &mut Cast,
    capacity: Capacity,
) -> Result<(Fault, Option<DrillError>), DrillError> {
    let sights = watch(cast.target())?;
    let rate_per_s = capacity.per_s * OFFERED;
    let inject_ns = clock::now_ns();
    cast.spike = Some(Spike::offer(&aim(stage, cast), rate_per_s)?);
    let begun = begun(stage, "inject", cast, |cast| {
        cast.spike.as_ref().is_some_and(Spike::is_on)
    });
    let mut meter = Meter::of(&cast.subject, stage.server_core);
    let injected = begun.and_then(|()| stage.wait("inject", cast.pace.inject, cast));
    let mut lost = cast.survived(injected)?;
    let victims_busy = meter.read(&cast.subject).victims_busy;

    let hold_ns = clock::now_ns();
    let (task, figures) = start_storm(stage, cast, cast.pace.storm, true)?;
    if lost.is_none() {
        let held = stage.wait("hold", cast.pace.hold, cast);
        lost = cast.survived(held)?;
    }

    stage.tell("remove");
    let end_ns = clock::now_ns();
    task.end();
    if let Some(spike) = &cast.spike {
        spike.end();
    }
    let inject = Span::new(inject_ns, hold_ns);
    let hold = Span::new(hold_ns, end_ns);
    cast.timeline.phase(Phase::Inject, inject);
    cast.timeline.phase(Phase::Hold, hold);
    drop(task);
    let windows = match &lost {
        None => finish_spike(cast)?,
        Some(_) => cast.spike.take().map_or_else(Vec::new, Spike::seen),
    };
    let sights = sights.finish().ok_or(DrillError::Interrupted)??;
    let fault = Fault {
        windows,
        victims_busy,
        storm: storm_figures(&figures, &sights),
        inject,
        hold,
        end_ns,
    };
    Ok((fault, lost))
}

fn storm_figures(figures: &storm::Figures, sights: &Sights) -> StormFigures {
    StormFigures {
        opened: figures.opened.load(Ordering::Relaxed),
        first_round_s: figures.first_round_ns.load(Ordering::Relaxed) as f64 / 1e9,
        connections_peak: sights.connections_peak,
        close_wait_peak: sights.close_waits.peak,
        close_wait_oldest_ms: sights.close_waits.oldest_ns as f64 / 1e6,
        closed_by_server: figures.closed_by_server.load(Ordering::Relaxed),
    }
}

fn recover(stage: &mut Stage<'_>, cast: &mut Cast, end_ns: u64) -> Result<(), DrillError> {
    stage.wait("recover", cast.pace.recover, cast)?;
    cast.timeline
        .phase(Phase::Recover, Span::new(end_ns, clock::now_ns()));
    Ok(())
}
