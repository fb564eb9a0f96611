//! What clients saw, request by request, and figures of stretches of it.

use super::rhythm::PATIENCE;

/// One request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// When it was to be sent, of the monotonic clock.
    pub(crate) at_ns: u64,
    /// From then on, but for its sender's lag.
    pub(crate) took_ns: u64,
    /// How late its sender was by itself.
    pub(crate) lag_ns: u64,
    /// Keys that were asked for and are known to have been stored once.
    pub(crate) asked: u32,
    /// Of them, those that were there.
    pub(crate) found: u32,
    /// No answer within half a second, or a connection that broke.
    pub(crate) is_lost: bool,
    /// Values that had been replaced already.
    pub(crate) stale: u32,
}

impl Sample {
    /// One that was to be sent then, and waited behind others until it was no longer worth it.
    pub(crate) fn given_up(at_ns: u64) -> Self {
        Self {
            at_ns,
            took_ns: PATIENCE.as_nanos() as u64,
            is_lost: true,
            ..Self::default()
        }
    }
}

/// Figures of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) requests: usize,
    pub(crate) p99_ms: f64,
    pub(crate) lag_p99_ms: f64,
    pub(crate) hit_ratio: f64,
    pub(crate) lost: usize,
    pub(crate) stale: usize,
}

impl Stretch {
    /// Of requests that were to be sent from `from_ns` to `to_ns`.
    pub(crate) fn of(samples: &[Sample], from_ns: u64, to_ns: u64) -> Self {
        let within = samples
            .iter()
            .filter(|it| (from_ns..to_ns).contains(&it.at_ns));
        let within: Vec<&Sample> = within.collect();
        let asked: u32 = within.iter().map(|it| it.asked).sum();
        let found: u32 = within.iter().map(|it| it.found).sum();
        Self {
            requests: within.len(),
            p99_ms: p99_ms(within.iter().map(|it| it.took_ns)),
            lag_p99_ms: p99_ms(within.iter().map(|it| it.lag_ns)),
            hit_ratio: f64::from(found) / f64::from(asked.max(1)),
            lost: within.iter().filter(|it| it.is_lost).count(),
            stale: within.iter().map(|it| it.stale as usize).sum(),
        }
    }

    /// The least part of keys that was found in any half second.
    pub(crate) fn hit_ratio_min(samples: &[Sample], from_ns: u64, to_ns: u64) -> f64 {
        const STEP_NS: u64 = 500_000_000;
        let steps = (from_ns..to_ns.saturating_sub(STEP_NS)).step_by(STEP_NS as usize);
        let ratios = steps.map(|at| Self::of(samples, at, at + STEP_NS));
        let ratios = ratios.filter(|it| it.requests > 20).map(|it| it.hit_ratio);
        ratios.fold(1.0, f64::min)
    }
}

fn p99_ms(times_ns: impl Iterator<Item = u64>) -> f64 {
    let mut times_ns: Vec<u64> = times_ns.collect();
    times_ns.sort_unstable();
    let at = times_ns.len() * 99 / 100;
    times_ns.get(at).copied().unwrap_or(0) as f64 / 1e6
}

#[cfg(test)]
#[path = "samples_test.rs"]
mod tests;
