//! A timeline keeps its beginning, its order and its bounds.

use super::*;

pub(crate) fn sample() -> Incident {
    let began = Timestamp::from_secs(1_700_000_000);
    Incident {
        id: 7,
        title: "Requests fail".into(),
        origin: Origin::Probes,
        impact: Impact::Critical,
        confidence_percent: 95,
        phase: Phase::Investigating,
        visibility: Visibility::Published,
        components: vec!["cache.new".into()],
        causes: Vec::new(),
        began,
        drafted: began,
        published: Some(began),
        recovered: None,
        resolved: None,
        updates: vec![Update {
            at: began,
            phase: Phase::Investigating,
            text: "It fails.".into(),
        }],
    }
}

#[test]
fn it_lasts_until_it_seemed_to_be_over() {
    let mut incident = sample();
    let at = |seconds| incident.began + Duration::from_secs(seconds);
    let times = [at(60), at(90), at(100), at(200), at(220)];
    assert_eq!(incident.length(times[0]), Duration::from_secs(60));
    incident.tell(times[1], Phase::Monitoring, "It works.".into());
    incident.tell(times[2], Phase::Resolved, "It is over.".into());
    assert_eq!(incident.length(times[3]), Duration::from_secs(90));
    assert!(!incident.is_open());
    incident.tell(times[4], Phase::Investigating, "It is back.".into());
    assert!(incident.is_open() && incident.resolved.is_none() && incident.recovered.is_none());
}

#[test]
fn the_same_is_not_said_twice_and_a_long_timeline_keeps_its_ends() {
    let mut incident = sample();
    for count in 0..300 {
        incident.tell(incident.began, Phase::Identified, format!("{count}"));
        incident.tell(incident.began, Phase::Identified, format!("{count}"));
    }
    assert_eq!(incident.updates.len(), UPDATES_MAX);
    assert_eq!(incident.updates[0].text, "It fails.");
    assert_eq!(incident.updates.last().unwrap().text, "299");
}

#[test]
fn it_is_kept_and_read_back_whole() {
    let incident = sample();
    let text = serde_json::to_string(&incident).unwrap();
    assert_eq!(serde_json::from_str::<Incident>(&text).unwrap(), incident);
}
