//! Tests of what is read from the machine.

use super::*;

#[test]
fn ticks_are_read_from_their_line() {
    let text = "cpu  10 0 20 60 5 0 1 4 7 7\ncpu0 1 2 3 4 5 6 7 8\n";
    let ticks = |all, busy, steal| Ticks { all, busy, steal };
    assert_eq!(Ticks::parse(text, "cpu"), ticks(100, 31, 4));
    assert_eq!(Ticks::parse(text, "cpu0"), ticks(36, 19, 8));
    assert_eq!(Ticks::parse(text, "cpu1"), Ticks::default());
    assert_eq!(Ticks::parse("cpu 1 nonsense 2", "cpu"), ticks(3, 3, 0));
}

#[test]
fn parts_are_of_the_time_between_two_looks() {
    let early = Ticks::parse("cpu 0 0 0 96 0 0 0 4", "cpu");
    let late = Ticks::parse("cpu 40 0 0 246 0 0 0 14", "cpu");
    assert!((late.steal_since(early) - 0.05).abs() < 1e-9);
    assert!((late.busy_since(early) - 0.2).abs() < 1e-9);
    assert_eq!(early.steal_since(late), 0.0);
}

#[test]
fn what_the_host_took_is_by_how_much_clocks_are_apart() {
    let text = "cpu#0, 2596.138 MHz\n  .clock   : 27799.505763\n  .clock_task : 27457.041949\n\
                cpu#1, 2596.138 MHz\n  .clock   : 100.000001\n  .clock_task : 100.000000\n";
    assert_eq!(apart_ns(text), Some(342_463_815));
    assert_eq!(apart_ns("nothing of the kind: 1.0\n"), None);
}

#[test]
fn this_machine_answers() {
    assert!(!cores().unwrap().is_empty());
    assert!(ephemeral_ports().unwrap() > 0);
    assert!(free_port().unwrap() > 0);
    assert_eq!(cpu_ns(&[u32::MAX]), 0);
    assert!(cpu_ns(&[std::process::id()]) > 0);
}
