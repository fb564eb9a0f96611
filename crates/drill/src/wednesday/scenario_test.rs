//! The table of what is done.

use super::*;

#[test]
fn every_scenario_has_something_that_is_done_and_most_a_control() {
    let cases = cases();
    for (name, _) in SCENARIOS {
        let own: Vec<&Case> = cases.iter().filter(|it| it.scenario == name).collect();
        assert!(!own.is_empty(), "{name}");
        assert!(own.iter().any(|it| it.control.is_some()) || name == 'h');
    }
    assert!(
        cases
            .iter()
            .all(|it| SCENARIOS.iter().any(|(name, _)| it.scenario == *name))
    );
    let quick: String = cases
        .iter()
        .filter(|it| it.is_quick)
        .map(|it| it.scenario)
        .collect();
    assert_eq!(quick, "fdba");
    assert_eq!(quick_scenarios(), ['a', 'b', 'd', 'f']);
}

#[test]
fn faults_name_their_nodes() {
    let all = cases()
        .into_iter()
        .find(|it| it.wanted == Wanted::FleetSlow)
        .unwrap();
    assert_eq!(all.fault.targets().len(), NODES);
    assert!(Fault::HotKey.targets().is_empty() && Fault::Killed(2).targets() == [2]);
}
