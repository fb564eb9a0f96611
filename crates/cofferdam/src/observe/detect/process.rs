//! This process itself: loops that stand still, time that was lost, a clock that was set.

use std::time::Duration;

use base::event::{EventKind, Figure, Unit};

use super::Observation;
use crate::observe::signal::Signal;

/// A loop turns ten times a second even with nothing to do.
pub(crate) const TURN_AGE_MAX: Duration = Duration::from_secs(1);
/// The observer's own sleep from which on the whole process must have been stopped.
const SLEEP_MAX: Duration = Duration::from_secs(2);
/// A smaller step of the wall clock is its daily correction.
const JUMP_MIN: Duration = Duration::from_millis(500);

/// What was known of the clocks.
#[derive(Debug, Default)]
pub(super) struct ProcessWatch {
    /// How far the wall clock was ahead of ours, in seconds.
    ahead_s: Option<f64>,
}

impl ProcessWatch {
    pub(super) fn observe(&mut self, seen: &Observation<'_>, signals: &mut Vec<Signal>) {
        signals.extend(stalled_loops(seen));
        signals.extend(paused(seen));
        signals.extend(self.clock_jump(seen));
    }

    fn clock_jump(&mut self, seen: &Observation<'_>) -> Option<Signal> {
        let ours = Duration::from_nanos(seen.now.as_nanos());
        let ahead_s = seen.wall.as_secs_f64() - ours.as_secs_f64();
        let before_s = self.ahead_s.replace(ahead_s)?;
        let jump_s = ahead_s - before_s;
        if jump_s.abs() < JUMP_MIN.as_secs_f64() {
            return None;
        }
        let direction = if jump_s > 0.0 { "forward" } else { "back" };
        let sentence = format!(
            "The machine's clock was set {direction} by {:.1} s; expiry and deadlines here go by the \
             steady clock and did not move.",
            jump_s.abs()
        );
        let signal = Signal::moment(EventKind::ClockJump, seen.now, sentence)
            .advice("Look at the machine's time synchronisation (`timedatectl`).")
            .evidence([
                Figure::new("jump", jump_s, Unit::Seconds),
                Figure::new("ahead_of_steady_clock", ahead_s, Unit::Seconds),
            ]);
        Some(signal)
    }
}

fn stalled_loops(seen: &Observation<'_>) -> Vec<Signal> {
    let ages = seen.reading.loop_ages.iter().enumerate();
    ages.filter(|(_, age)| **age >= TURN_AGE_MAX)
        .map(|(index, age)| {
            let sentence = format!(
                "Event loop {index} has not turned for {:.1} s, and its clients wait.",
                age.as_secs_f64()
            );
            let ended = format!("Event loop {index} turns again");
            Signal::lasting(EventKind::LoopStalled, seen.now - *age, sentence, ended)
                .cause(format!("loop-{index}"))
                .advice("Look at the log and at the machine's processor and disk pressure.")
                .evidence([Figure::new("turn_age", age.as_secs_f64(), Unit::Seconds)])
        })
        .collect()
}

fn paused(seen: &Observation<'_>) -> Option<Signal> {
    let slept = seen.longest_sleep;
    if slept < SLEEP_MAX {
        return None;
    }
    let sentence = format!(
        "This process, or the whole machine, did not run for {:.1} s.",
        slept.as_secs_f64()
    );
    let signal = Signal::moment(EventKind::ProcessPaused, seen.now - slept, sentence)
        .advice("Look for a suspended or migrated machine, stopped processes and stolen time.")
        .evidence([Figure::new("paused", slept.as_secs_f64(), Unit::Seconds)]);
    Some(signal)
}

#[cfg(test)]
#[path = "process_test.rs"]
mod tests;
