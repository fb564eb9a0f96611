//! How long a drill waits for its machine to come to rest: a while before each act, and not for ever in a run.

use std::time::Duration;

/// How many stretches more an act is put off.
const RESTLESS_MAX: u32 = 10;
/// What all acts of a run may wait together, whole and in its quick form.
const OF_RUN: Duration = Duration::from_secs(600);
const OF_QUICK_RUN: Duration = Duration::from_secs(120);

/// What a run may still wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rest {
    left: Duration,
}

/// What one act has waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Waited {
    stretches: u32,
    time: Duration,
}

/// What is done after a stretch, with words for whoever follows the run; none where there is nothing new.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Begin(Option<String>),
    Wait(Option<String>),
}

impl Rest {
    pub(crate) fn of_run(is_quick: bool) -> Self {
        let left = match is_quick {
            true => OF_QUICK_RUN,
            false => OF_RUN,
        };
        Self { left }
    }

    /// After a stretch with this unrest in it; another would be as long.
    pub(crate) fn step(
        &mut self,
        waited: &mut Waited,
        unrest: &[String],
        stretch: Duration,
    ) -> Step {
        let (seconds, why) = (waited.time.as_secs_f64(), unrest.join("; "));
        let before = waited.stretches;
        if unrest.is_empty() {
            return Step::Begin((before > 0).then(|| format!("at rest after {seconds:.0} s")));
        }
        if before == RESTLESS_MAX {
            let words = format!("not at rest after {seconds:.0} s, begins all the same: {why}");
            return Step::Begin(Some(words));
        }
        if self.left < stretch {
            let words = format!("not at rest, and the run may wait no more, begins: {why}");
            return Step::Begin(Some(words));
        }
        self.left -= stretch;
        waited.stretches += 1;
        waited.time += stretch;
        Step::Wait((before == 0).then(|| format!("waits for the machine to come to rest: {why}")))
    }
}

#[cfg(test)]
#[path = "rest_test.rs"]
mod tests;
