//! Random times that look like those of requests.

use base::rng::Rng;

/// Places of the table that a latency is drawn from.
const TABLE: usize = 4096;
/// Requests of which one takes part in the long tail.
const TAIL_ONE_IN: usize = 330;

/// What the way to a node and back takes, without any wait, in seconds: log-normal around a median,
/// with a heavy tail of one in 330.
#[derive(Clone, Debug)]
pub(super) struct Way(Vec<f32>);

impl Way {
    pub(super) fn new(rng: &mut Rng, median_s: f64, sigma: f64) -> Self {
        let draw = |place: usize| {
            let body = median_s * (sigma * normal(rng)).exp();
            // Pareto with a shape of 1.5, up to 20 ms.
            let tail = match place % TAIL_ONE_IN {
                0 => 0.001 * (1.0 - rng.unit_f64()).powf(-1.0 / 1.5),
                _ => 0.0,
            };
            (body + tail).min(0.02) as f32
        };
        Self((0..TABLE).map(draw).collect())
    }

    pub(super) fn draw_s(&self, rng: &mut Rng) -> f64 {
        let place = rng.below(TABLE as u64) as usize;
        self.0.get(place).copied().unwrap_or(0.0).into()
    }
}

/// Around 0 with a deviation of 1 (Box and Muller).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.unit_f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.unit_f64()).cos()
}

/// With this mean, as times between things that have nothing to do with one another.
pub(super) fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.unit_f64()).ln()
}

/// Between two, equally likely in every doubling.
pub(super) fn log_uniform(rng: &mut Rng, from: f64, to: f64) -> f64 {
    from * (to / from).powf(rng.unit_f64())
}

/// A whole number with this mean, one of the two next to it.
pub(super) fn about(rng: &mut Rng, mean: f64) -> u32 {
    (mean + rng.unit_f64()) as u32
}
