//! The model gives the figures that it was fitted to.

use std::time::Duration;

use super::{Costs, Pricing};

fn usual() -> Pricing {
    Pricing {
        costs: Costs::default(),
        slowness_percent: 100,
    }
}

#[test]
fn requests_cost_what_was_measured() {
    let us = |pricing: &Pricing, operations, len_in, len_out| {
        let moved = pricing.read(len_in) + pricing.write(len_out);
        (moved + pricing.serve(operations, len_in, len_out)).as_secs_f64() * 1e6
    };
    let one = us(&usual(), 1, 15, 130);
    let sixteen = us(&usual(), 16, 16 * 15, 16 * 130);
    let hundred = us(&usual(), 100, 1000, 100 * 125);
    assert!((3.8..4.2).contains(&one), "{one}");
    assert!((0.28..0.4).contains(&((sixteen - one) / 15.0)), "{sixteen}");
    assert!((35.0..42.0).contains(&hundred), "{hundred}");
}

#[test]
fn a_slow_period_makes_everything_dearer() {
    let slow = Pricing {
        slowness_percent: 1000,
        ..usual()
    };
    assert_eq!(slow.read(0), usual().read(0) * 10);
    assert_eq!(slow.of(500), Duration::from_nanos(5000));
}
