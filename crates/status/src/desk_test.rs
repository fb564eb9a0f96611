//! The desk alone: what spreads, what is held, what operators write.

use std::time::Duration;

use super::*;
use crate::component::{Component, Path};
use crate::level::Level;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn components() -> Vec<Component> {
    ["a", "b"]
        .iter()
        .flat_map(|key| Component::of_gateway(key, &format!("Zone {key}")))
        .collect()
}

fn seen<'a>(components: &'a [Component], levels: &[Level]) -> Vec<Seen<'a>> {
    let both = components.iter().zip(levels);
    both.map(|(component, level)| Seen {
        component,
        level: *level,
        onset: NOW,
        failures: (3, 20),
        failed: None,
    })
    .collect()
}

fn look(desk: &mut Desk, after_s: u64, levels: [Level; 4]) {
    let components = components();
    let now = NOW + Duration::from_secs(after_s);
    desk.reconcile(now, &seen(&components, &levels), &Affairs::default());
}

use Level::{Degraded, Major, NoData, Operational};

#[test]
fn trouble_that_spreads_is_told_in_the_same_incident() {
    let mut desk = Desk::new(Bar::default(), []);
    look(&mut desk, 0, [Major, Operational, Operational, Operational]);
    look(&mut desk, 2, [Major, Major, Operational, Operational]);
    look(&mut desk, 4, [Major, Major, Major, Major]);
    assert_eq!(desk.incidents().count(), 1);
    let incident = desk.incidents().next().unwrap();
    assert_eq!(incident.components, ["a.new", "a.kept", "b.new", "b.kept"]);
    assert_eq!(incident.impact, Impact::Critical);
    assert_eq!(incident.updates.len(), 3);
    assert!(incident.updates[0].text.contains("1 of 2 entry points"));
    assert!(incident.updates[2].text.contains("All clients."));
    assert!(incident.updates[2].text.contains("and 1 more"));
    assert_eq!(components()[0].path, Path::New);
}

#[test]
fn what_fails_in_one_round_of_checks_is_one_message() {
    let mut desk = Desk::new(Bar::default(), []);
    look(&mut desk, 0, [Operational, Major, Operational, Operational]);
    look(&mut desk, 1, [Major, Major, Major, Major]);
    let draft = desk.incidents().next().unwrap();
    assert_eq!(draft.visibility, Visibility::Held);
    look(&mut desk, 2, [Major, Major, Major, Major]);
    let incident = desk.incidents().next().unwrap();
    assert_eq!(incident.visibility, Visibility::Published);
    assert_eq!(incident.published, Some(NOW + Duration::from_secs(2)));
    let [only] = incident.updates.as_slice() else {
        panic!("{:?}", incident.updates);
    };
    assert!(only.text.contains("All clients."), "{}", only.text);
    assert_eq!(incident.impact, Impact::Critical);
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut desk = Desk::new(Bar::default(), []);
    look(&mut desk, 0, [Major, Major, Operational, Operational]);
    look(&mut desk, 2, [Major, Major, Operational, Operational]);
    desk.take_changed();
    for second in 3..200 {
        look(&mut desk, second, [Major, Major, Operational, Operational]);
    }
    assert!(desk.take_changed().is_empty());
}

#[test]
fn slowness_is_held_until_it_has_lasted() {
    let mut desk = Desk::new(Bar::default(), []);
    look(&mut desk, 0, [Degraded, Degraded, Degraded, Degraded]);
    assert_eq!(
        desk.incidents().next().unwrap().visibility,
        Visibility::Held
    );
    look(&mut desk, 301, [Degraded, Degraded, Degraded, Degraded]);
    assert_eq!(
        desk.incidents().next().unwrap().visibility,
        Visibility::Published
    );
}

#[test]
fn with_a_click_for_all_nothing_is_published_by_itself() {
    let bar = Bar {
        is_automatic: false,
        ..Bar::default()
    };
    let mut desk = Desk::new(bar, []);
    look(&mut desk, 0, [Major; 4]);
    look(&mut desk, 1_000, [Major; 4]);
    let id = desk.incidents().next().unwrap().id;
    assert!(!desk.get(id).unwrap().is_public());
    desk.publish(NOW, id).unwrap();
    assert!(desk.get(id).unwrap().is_public());
}

#[test]
fn it_is_over_only_when_all_is_known_to_be_well_for_a_while() {
    let mut desk = Desk::new(Bar::default(), []);
    look(&mut desk, 0, [Major, Major, Operational, Operational]);
    look(
        &mut desk,
        20,
        [NoData, Operational, Operational, Operational],
    );
    let phase = |desk: &Desk| desk.incidents().next().unwrap().phase;
    assert_eq!(phase(&desk), Phase::Investigating);
    look(&mut desk, 30, [Operational; 4]);
    assert_eq!(phase(&desk), Phase::Monitoring);
    look(&mut desk, 41, [Operational; 4]);
    assert_eq!(phase(&desk), Phase::Monitoring);
    look(&mut desk, 42, [Operational; 4]);
    assert_eq!(phase(&desk), Phase::Resolved);
    let text = &desk
        .incidents()
        .next()
        .unwrap()
        .updates
        .last()
        .unwrap()
        .text;
    assert!(text.contains("It lasted 30 s"), "{text}");
}

#[test]
fn an_operator_s_incident_is_his_alone_to_end() {
    let mut desk = Desk::new(Bar::default(), []);
    let id = desk.write(
        NOW,
        "Billing".into(),
        Impact::Minor,
        Vec::new(),
        "We look.".into(),
    );
    look(&mut desk, 100, [Operational; 4]);
    assert!(desk.get(id).unwrap().is_open() && desk.get(id).unwrap().is_public());
    // Trouble that probes see is another incident.
    look(&mut desk, 101, [Major; 4]);
    assert_eq!(desk.incidents().count(), 2);
    desk.update(NOW, id, Phase::Resolved, "Done.".into())
        .unwrap();
    assert!(!desk.get(id).unwrap().is_open());
    let again = desk.update(NOW, id, Phase::Monitoring, "Again.".into());
    assert_eq!(again, Err(DeskError::Over));
}

#[test]
fn the_oldest_that_is_over_makes_room() {
    let mut desk = Desk::new(Bar::default(), []);
    let first = desk.write(NOW, "Open".into(), Impact::Minor, Vec::new(), String::new());
    for _ in 0..2 * INCIDENTS_MAX {
        let id = desk.write(
            NOW,
            "Short".into(),
            Impact::Minor,
            Vec::new(),
            String::new(),
        );
        desk.update(NOW, id, Phase::Resolved, "Done.".into())
            .unwrap();
    }
    assert_eq!(desk.incidents().count(), INCIDENTS_MAX);
    assert!(desk.get(first).is_some());
    let kept: Vec<Incident> = desk.incidents().cloned().collect();
    let mut again = Desk::new(Bar::default(), kept);
    let next = again.write(NOW, "Next".into(), Impact::Minor, Vec::new(), String::new());
    assert!(next > 2 * INCIDENTS_MAX as u64);
}
