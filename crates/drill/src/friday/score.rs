//! The table that a run is judged by: figures in, reasons in words out.

use super::outcome::{Figures, Verdict};

/// What the victims' p99 may rise by during the fault, in milliseconds.
pub(crate) const P99_MORE_MS: f64 = 0.25;
/// A fresh connect and login of a victim, p99, in milliseconds.
const CONNECT_P99_MS: f64 = 100.0;
/// No CLOSE_WAIT lives longer than this, in milliseconds.
const CLOSE_WAIT_MS: f64 = 1000.0;
/// Isolation must not waste the machine.
const SERVED_SHARE: f64 = 0.9;
/// Normal again after the fault within this, in milliseconds.
const RECOVER_MS: f64 = 1000.0;
/// What idle connections may cost the victims: this factor, or this many milliseconds more.
const IDLE_RATIO: f64 = 1.2;
const IDLE_MORE_MS: f64 = 0.2;
/// A run is no run if its own generator was later than this, in milliseconds,
const LAG_P99_MS: f64 = 0.2;
/// or offered less than so many times the capacity,
const OFFERED_MULTIPLE: f64 = 3.0;
/// or took longer than so many times the period over the first round of the storm,
const FIRST_ROUND_OVER: f64 = 1.1;
/// or if the host took this part of the machine's time,
const STEAL: f64 = 0.02;
/// or if others took this part of the server's core before the fault, as ticks tell it,
const OTHERS_BEFORE: f64 = 0.05;
/// or made it wait for this part of the time during the fault.
const SERVER_WAITED: f64 = 0.01;
/// A control fails by far if the victims' p99 rises so many times.
const FAR_RATIO: f64 = 10.0;

/// What a run was to be, so far as judging needs it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asked {
    /// Connections of the storm in each period.
    pub(crate) connections: u32,
    pub(crate) period_s: f64,
    /// Whether this is the control, which must show the outage.
    pub(crate) is_control: bool,
}

/// Judges a run: by its validity first, then by the table.
pub(crate) fn judge(figures: &Figures, asked: Asked) -> (Verdict, Vec<String>) {
    let flaws = flaws(figures, asked);
    if !flaws.is_empty() {
        return (Verdict::Invalid, flaws);
    }
    let mut reasons = misses(figures);
    let verdict = match reasons.is_empty() {
        true => Verdict::Pass,
        false => Verdict::Fail,
    };
    if asked.is_control {
        reasons.push(far(figures));
    }
    (verdict, reasons)
}

/// Why nothing can be said from these figures, if so.
fn flaws(figures: &Figures, asked: Asked) -> Vec<String> {
    let (generator, storm) = (&figures.generator, &figures.storm);
    let multiple = figures.aggressor.offered_multiple;
    let first_round_s = asked.period_s * FIRST_ROUND_OVER;
    let connections = u64::from(asked.connections);
    let mut flaws = Vec::new();
    let mut flaw = |is_so: bool, words: String| {
        if is_so {
            flaws.push(words);
        }
    };
    flaw(
        generator.lag_p99_ms > LAG_P99_MS,
        format!(
            "the victims' generator was late itself: lag p99 {:.3} ms, at most {LAG_P99_MS} allowed",
            generator.lag_p99_ms
        ),
    );
    flaw(
        generator.steal > STEAL,
        format!(
            "the host took {:.1} % of the machine's time, at most {:.0} % allowed",
            generator.steal * 100.0,
            STEAL * 100.0
        ),
    );
    flaw(
        generator.others_before > OTHERS_BEFORE,
        format!(
            "other processes took {:.1} % of the server's core before the fault, at most {:.0} % allowed",
            generator.others_before * 100.0,
            OTHERS_BEFORE * 100.0
        ),
    );
    flaw(
        generator.server_waited > SERVER_WAITED,
        format!(
            "the server waited {:.1} % of the fault for its core, at most {:.0} % allowed",
            generator.server_waited * 100.0,
            SERVER_WAITED * 100.0
        ),
    );
    flaw(
        multiple < OFFERED_MULTIPLE,
        format!(
            "the spike offered {multiple:.2} times the capacity, at least {OFFERED_MULTIPLE} wanted"
        ),
    );
    flaw(
        storm.opened < connections || storm.first_round_s > first_round_s,
        format!(
            "the storm was slower than its script: {} connections opened, the first {connections} in {:.1} s, {:.1} s wanted",
            storm.opened, storm.first_round_s, asked.period_s
        ),
    );
    flaws
}

/// Every figure that is not within its bound.
fn misses(figures: &Figures) -> Vec<String> {
    let (victims, storm) = (&figures.victims, &figures.storm);
    let p99 = victims.p99_ms;
    let mut misses = Vec::new();
    let mut miss = |is_so: bool, words: String| {
        if is_so {
            misses.push(words);
        }
    };
    miss(
        exceeds(p99.during - p99.before, P99_MORE_MS),
        format!(
            "victims' p99 rose from {:.3} to {:.3} ms, at most {P99_MORE_MS} ms more allowed",
            p99.before, p99.during
        ),
    );
    miss(
        victims.errors > 0,
        format!(
            "{} requests of victims got no right answer, none allowed",
            victims.errors
        ),
    );
    miss(
        victims.connect_failures > 0,
        format!(
            "{} connects of victims failed, none allowed",
            victims.connect_failures
        ),
    );
    miss(
        exceeds(victims.connect_p99_ms, CONNECT_P99_MS),
        format!(
            "a victim's connect and login took {:.1} ms (p99), at most {CONNECT_P99_MS} allowed",
            victims.connect_p99_ms
        ),
    );
    miss(
        exceeds(storm.close_wait_oldest_ms, CLOSE_WAIT_MS),
        format!(
            "a connection stood in CLOSE_WAIT for {:.0} ms ({} at once), at most {CLOSE_WAIT_MS} ms allowed",
            storm.close_wait_oldest_ms, storm.close_wait_peak
        ),
    );
    miss(
        exceeds(-figures.aggressor.served_share, -SERVED_SHARE),
        format!(
            "the large tenant was served {:.2} of what the victims left, at least {SERVED_SHARE} wanted",
            figures.aggressor.served_share
        ),
    );
    miss(
        !figures.recover_ms.is_some_and(|ms| ms <= RECOVER_MS),
        match figures.recover_ms {
            Some(ms) => format!(
                "back to normal {ms:.0} ms after the end of the spike, at most {RECOVER_MS} allowed"
            ),
            None => "not back to normal after the end of the spike".to_owned(),
        },
    );
    misses.extend(idle_miss(figures));
    misses
}

/// Whether a figure is above its bound; one that is no number is, too.
fn exceeds(figure: f64, bound: f64) -> bool {
    figure.is_nan() || figure > bound
}

fn idle_miss(figures: &Figures) -> Option<String> {
    let idle = figures.idle?;
    let before = figures.victims.p99_ms.before;
    let allowed = (before * IDLE_RATIO).max(before + IDLE_MORE_MS);
    if idle.alive < idle.connections {
        return Some(format!(
            "of {} idle connections {} were closed",
            idle.connections,
            idle.connections - idle.alive
        ));
    }
    (idle.p99_ms > allowed).then(|| {
        format!(
            "{} idle connections raised the victims' p99 from {before:.3} to {:.3} ms, at most {allowed:.3} allowed",
            idle.connections, idle.p99_ms
        )
    })
}

/// Whether a control shows the outage, in words.
fn far(figures: &Figures) -> String {
    let p99 = figures.victims.p99_ms;
    let ratio = p99.during / p99.before.max(f64::MIN_POSITIVE);
    let errors = figures.victims.errors + figures.victims.connect_failures;
    if ratio >= FAR_RATIO || errors > 0 {
        format!("control: it fails by far, p99 x {ratio:.0} and {errors} errors, as it must")
    } else {
        format!(
            "control: it does not fail by far (p99 x {ratio:.1}, no errors), so this drill proves nothing here"
        )
    }
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
