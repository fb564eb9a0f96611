//! Words of events, and figures as people read them.

use super::*;

#[test]
fn every_word_is_read_as_what_it_was_written_for() {
    for kind in EventKind::ALL {
        assert_eq!(kind.code().parse(), Ok(*kind));
    }
    for unit in Unit::ALL {
        assert_eq!(unit.code().parse(), Ok(*unit));
    }
    for state in EventState::ALL {
        assert_eq!(state.code().parse(), Ok(*state));
    }
}

#[test]
fn a_word_of_another_release_is_not_mistaken() {
    assert_eq!(
        "tenant_throttled_twice".parse::<EventKind>(),
        Err(UnknownCode)
    );
    assert_eq!("".parse::<Unit>(), Err(UnknownCode));
}

#[test]
fn words_are_told_apart() {
    let mut codes: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), EventKind::ALL.len());
}

#[test]
fn figures_are_whole_where_they_can_be() {
    let told = |value, unit| Figure::new("delay", value, unit).to_string();
    assert_eq!(told(212.0, Unit::Milliseconds), "delay 212 ms");
    assert_eq!(told(0.25, Unit::Seconds), "delay 0.2 s");
    assert_eq!(told(4096.0, Unit::Count), "delay 4096");
    assert_eq!(told(f64::NAN, Unit::Count), "delay NaN");
}
