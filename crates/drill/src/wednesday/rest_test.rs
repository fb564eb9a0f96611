//! When an act begins, from made-up unrest.

use super::*;

const STRETCH: Duration = Duration::from_secs(5);

fn unrest() -> Vec<String> {
    vec!["the host took 20 % of the machine away".to_owned()]
}

/// How long an act waits on a machine that never rests.
fn wait_in_vain(rest: &mut Rest, stretch: Duration) -> Duration {
    let mut waited = Waited::default();
    while let Step::Wait(_) = rest.step(&mut waited, &unrest(), stretch) {}
    waited.time
}

#[test]
fn a_machine_at_rest_is_not_waited_for_and_nothing_is_said() {
    let mut rest = Rest::of_run(false);
    let step = rest.step(&mut Waited::default(), &[], STRETCH);
    assert_eq!((step, rest), (Step::Begin(None), Rest::of_run(false)));
}

#[test]
fn who_waits_says_why_once_and_when_it_is_over() {
    let (mut rest, mut waited) = (Rest::of_run(false), Waited::default());
    let Step::Wait(Some(words)) = rest.step(&mut waited, &unrest(), STRETCH) else {
        panic!("{waited:?}");
    };
    assert!(
        words.contains("come to rest: the host took 20 %"),
        "{words}"
    );
    let again = rest.step(&mut waited, &unrest(), STRETCH);
    assert_eq!(again, Step::Wait(None));
    let over = rest.step(&mut waited, &[], STRETCH);
    assert_eq!(over, Step::Begin(Some("at rest after 10 s".to_owned())));
}

#[test]
fn an_act_begins_in_the_end_and_says_on_what_machine() {
    let (mut rest, mut waited) = (Rest::of_run(false), Waited::default());
    let mut stretches = 0;
    let words = loop {
        match rest.step(&mut waited, &unrest(), STRETCH) {
            Step::Begin(words) => break words.unwrap(),
            Step::Wait(_) => stretches += 1,
        }
    };
    assert_eq!(stretches, 10);
    assert!(
        words.contains("after 50 s") && words.contains("the host took"),
        "{words}"
    );
}

#[test]
fn a_run_waits_so_long_in_all_however_many_acts_it_has() {
    for (is_quick, stretch, most_s) in [(false, 5, 600), (true, 2, 120)] {
        let (mut rest, stretch) = (Rest::of_run(is_quick), Duration::from_secs(stretch));
        let waits = (0..40).map(|_| wait_in_vain(&mut rest, stretch));
        assert_eq!(waits.sum::<Duration>(), Duration::from_secs(most_s));
        let step = rest.step(&mut Waited::default(), &unrest(), stretch);
        assert!(matches!(step, Step::Begin(Some(_))), "{step:?}");
    }
}
