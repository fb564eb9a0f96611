//! The fields and words that clients of Statuspage's API rely on.

use serde_json::Value;

use super::*;
use crate::sample::{NOW, board, probe, site};

#[test]
fn the_summary_has_every_part_and_every_word_is_one_of_theirs() {
    let (mut board, site) = (board(2), site());
    probe(&mut board, NOW, false);
    let value = summary(&View::of(&board, &site, NOW));
    assert_eq!(value["page"]["name"], site.name);
    assert_eq!(value["status"]["indicator"], "critical");
    let components = value["components"].as_array().unwrap();
    assert_eq!(components.len(), 6);
    let groups: Vec<&Value> = components
        .iter()
        .filter(|one| one["group"] == true)
        .collect();
    assert_eq!(groups[1]["components"], json!(["g1.new", "g1.kept"]));
    for one in components {
        assert_eq!(one["status"], "major_outage");
    }
    let incidents = value["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 2, "the operator's and the drafted one");
    let drafted = &incidents[0];
    assert_eq!(drafted["impact"], "critical");
    assert_eq!(drafted["status"], "investigating");
    assert_eq!(drafted["resolved_at"], Value::Null);
    assert_eq!(drafted["shortlink"], "https://status.example/incidents/32");
    assert_eq!(drafted["components"].as_array().unwrap().len(), 4);
    assert_eq!(drafted["incident_updates"][0]["incident_id"], drafted["id"]);
    let window = &value["scheduled_maintenances"][0];
    assert_eq!(
        (&window["status"], &window["impact"]),
        (&json!("scheduled"), &json!("maintenance"))
    );
    assert_eq!(
        window["scheduled_for"],
        crate::civil::rfc3339(NOW + std::time::Duration::from_secs(3_600))
    );
}

#[test]
fn lists_hold_what_their_names_say() {
    let (board, site) = (board(1), site());
    let view = View::of(&board, &site, NOW);
    assert_eq!(incidents(&view)["incidents"].as_array().unwrap().len(), 31);
    assert_eq!(unresolved(&view)["incidents"].as_array().unwrap().len(), 1);
    let count = |stage| {
        maintenances(&view, stage)["scheduled_maintenances"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            count(None),
            count(Some(Stage::Scheduled)),
            count(Some(Stage::InProgress))
        ),
        (1, 1, 0)
    );
    assert_eq!(status(&view)["status"]["description"], "No current data");
    // The latest update comes first, as theirs do.
    assert_eq!(
        incidents(&view)["incidents"][1]["incident_updates"][0]["status"],
        "resolved"
    );
}

#[test]
fn no_data_is_never_operational() {
    let (board, site) = (board(1), site());
    let value = components(&View::of(&board, &site, NOW));
    for one in value["components"].as_array().unwrap() {
        assert_eq!(
            (&one["status"], &one["no_data"]),
            (&json!("degraded_performance"), &json!(true))
        );
    }
}
