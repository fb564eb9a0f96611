//! Tests of what is told of a test while it is waited for.

use super::*;

fn report(keeper: &str, candidate: &str, steps: &[&str]) -> GateReport {
    GateReport {
        keeper: keeper.to_owned(),
        candidate: Some(candidate.to_owned()),
        doing: steps.last().map(|step| (*step).to_owned()),
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        ..GateReport::default()
    }
}

#[test]
fn every_step_is_told_once_however_seldom_it_is_looked() {
    let mut told = Told::default();
    let first = report("gateway1", "mc4", &["machines", "round 1", "round 2"]);
    assert_eq!(
        told.news(first.clone(), "mc4"),
        ["machines", "round 1", "round 2"]
    );
    assert_eq!(told.news(first, "mc4"), [""; 0]);
    let later = report(
        "gateway1",
        "mc4",
        &["machines", "round 1", "round 2", "round 3"],
    );
    assert_eq!(told.news(later, "mc4"), ["round 3"]);
    assert_eq!(told.news(GateReport::default(), "mc4"), [""; 0]);
}

#[test]
fn a_successors_test_is_told_from_its_beginning() {
    let mut told = Told::default();
    told.news(report("gateway1", "mc4", &["machines", "round 1"]), "mc4");
    let anew = report("gateway2", "mc4", &["machines", "round 1"]);
    assert_eq!(told.news(anew, "mc4"), ["machines", "round 1"]);
    let once_more = report("gateway2", "mc4", &["machines"]);
    assert_eq!(told.news(once_more, "mc4"), ["machines"]);
}

#[test]
fn who_waits_for_another_is_told_for_whom() {
    let mut told = Told::default();
    let other = report("gateway1", "mc5", &["round 1"]);
    assert_eq!(told.news(other, "mc4"), ["mc4 waits for mc5: round 1"]);
    let on_its_way = GateReport {
        doing: Some("passed: it has 5 % of its keys".to_owned()),
        steps: Vec::new(),
        ..report("gateway1", "mc5", &[])
    };
    assert_eq!(
        told.news(on_its_way, "mc4"),
        ["mc4 waits for mc5: passed: it has 5 % of its keys"]
    );
}
