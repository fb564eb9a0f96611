//! Tests of `tally`.

use hdrhistogram::serialization::Deserializer;

use super::*;

#[test]
fn a_summary_is_in_microseconds() {
    let mut timing = Timing::fine();
    for ns in 1..=1000u64 {
        timing.record(ns * 1000);
    }
    let summary = timing.summary();
    assert_eq!(summary.count, 1000);
    assert!((summary.p50_us - 500.0).abs() < 1.0);
    assert!((summary.p99_us - 990.0).abs() < 1.0);
    assert!((summary.max_us - 1000.0).abs() < 1.0);
    assert!((summary.mean_us - 500.5).abs() < 1.0);
    assert_eq!(Timing::fine().summary(), Latency::default());
}

#[test]
fn merging_is_as_if_one_had_counted_all() {
    let (mut one, mut two, mut both) = (Timing::coarse(), Timing::coarse(), Timing::coarse());
    for ns in 0..1000 {
        one.record(ns * 7);
        two.record(ns * 1_000_000_000_000);
        both.record(ns * 7);
        both.record(ns * 1_000_000_000_000);
    }
    one.merge(two);
    one.merge(Timing::coarse());
    assert_eq!(one.summary(), both.summary());
    let mut empty = Timing::coarse();
    empty.merge(both.clone());
    assert_eq!(empty.summary(), both.summary());
}

#[test]
fn a_dump_reads_back_whole() {
    let mut timing = Timing::fine();
    assert_eq!(timing.dump(), None);
    timing.record(123_456);
    let bytes = STANDARD.decode(timing.dump().unwrap()).unwrap();
    let back: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
    assert_eq!(back.len(), 1);
    assert_eq!(back.max(), timing.histogram.unwrap().max());
}

#[test]
fn hits_and_misses_are_those_of_retrievals() {
    let mut tally = Tally::new();
    tally.answered(Op::Get, 1, 1, 10);
    tally.answered(Op::Mget, 50, 40, 10);
    tally.answered(Op::Delete, 1, 0, 10);
    tally.answered(Op::Set, 1, 0, 10);
    assert_eq!(tally.hits_and_misses(), (41, 10));
    assert_eq!(tally.requests(), 4);
    assert_eq!(tally.latency().summary().count, 4);
    assert_eq!(tally.ops[Op::Delete.index()].misses, 1);
    assert_eq!(tally.ops[Op::Set.index()].misses, 0);
}

#[test]
fn tallies_add_up() {
    let mut one = Tally::new();
    let mut two = Tally::new();
    one.answered(Op::Get, 1, 1, 10);
    two.answered(Op::Get, 1, 0, 10);
    two.failed(Op::Set, Fault::NotStored);
    two.reconnects = 3;
    two.bytes_sent = 5;
    one.merge(two);
    assert_eq!(one.requests(), 2);
    assert_eq!(one.errors.not_stored, 1);
    assert_eq!(one.ops[Op::Set.index()].errors, 1);
    assert_eq!((one.reconnects, one.bytes_sent), (3, 5));
}

#[test]
fn every_fault_has_a_count_of_its_own() {
    let faults = [
        Fault::Server,
        Fault::Client,
        Fault::NotStored,
        Fault::Timeout,
        Fault::Closed,
        Fault::Protocol,
        Fault::Corrupt,
        Fault::Connect,
        Fault::Login,
    ];
    let mut errors = Errors::default();
    for fault in faults {
        fault.count(&mut errors);
    }
    assert!(errors.by_name().iter().all(|(_, count)| *count == 1));
    let mut double = errors;
    merge_errors(&mut double, &errors);
    assert_eq!(double.total(), 18);
}
