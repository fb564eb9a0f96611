//! What of a fleet is remembered.

use std::time::Duration;

use super::*;
use crate::observe::nodes::NodeReading;
use crate::observe::nodes::testing::node;

fn reading(fleet: Option<FleetReading>) -> Reading {
    Reading {
        at: base::Timestamp::from_secs(1_800_000_000),
        tenants: Vec::new(),
        totals: crate::plane::Totals::default(),
        loop_ages: Vec::new(),
        fleet,
    }
}

fn fleet(answered: u64, is_heard: bool) -> FleetReading {
    let mut fleet = FleetReading::default();
    fleet.requests.answered = answered;
    fleet.each = vec![NodeReading {
        is_heard,
        ..node("a")
    }];
    fleet
}

fn told(before: Option<FleetReading>, now: Option<FleetReading>) -> Vec<(String, f32)> {
    let mut figures = Figures::over(Duration::from_secs(2));
    add(&mut figures, Some(&reading(before)), &reading(now));
    figures.all
}

fn figure(all: &[(String, f32)], name: &str) -> f32 {
    all.iter().find(|(own, _)| own == name).unwrap().1
}

#[test]
fn a_process_without_nodes_tells_of_none() {
    assert!(told(None, None).is_empty());
}

#[test]
fn requests_are_told_by_the_second_and_nodes_as_they_are() {
    let all = told(Some(fleet(100, true)), Some(fleet(300, false)));
    assert_eq!(figure(&all, "fleet/answered"), 100.0);
    assert_eq!(figure(&all, "node/a/heat"), Heat::Gone.number());
    assert!(figure(&all, "node/a/score").is_nan(), "nobody judges");
}
