//! Whose time is counted as whose, and how often the clock is asked.

use std::time::Duration;

use base::Timestamp;

use super::Meter;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_secs(1) + Duration::from_micros(micros)
}

#[test]
fn time_is_the_party_s_that_it_passed_under() {
    let mut meter = Meter::default();
    meter.start(at(0));
    meter.switch("a", || unreachable!("nobody's time has passed"));
    meter.switch("a", || unreachable!("it is a's already"));
    meter.switch("b", || at(5));
    meter.switch("a", || at(7));
    meter.stop(at(8));
    let micros = Duration::from_micros;
    assert_eq!(meter.spent(), [("a", micros(6)), ("b", micros(2))]);
}

#[test]
fn a_new_batch_begins_at_nothing() {
    let mut meter = Meter::default();
    meter.start(at(0));
    meter.switch("a", || at(0));
    meter.stop(at(3));
    meter.start(at(10));
    meter.switch("b", || at(10));
    meter.stop(at(11));
    assert_eq!(meter.spent(), [("b", Duration::from_micros(1))]);
}
