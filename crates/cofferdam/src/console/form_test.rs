//! What was typed becomes a change of just that.

use super::*;

fn current() -> Vec<Field> {
    let traffic = TrafficView {
        ops_per_second: Some(1000),
        weight: 100,
        max_delay_ms: 200,
        ..TrafficView::default()
    };
    fields(Some(64 << 20), &traffic)
}

fn typed(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let mut all: HashMap<String, String> = current()
        .into_iter()
        .map(|field| (field.name.to_owned(), field.value))
        .collect();
    for (name, value) in pairs {
        all.insert((*name).to_owned(), (*value).to_owned());
    }
    all
}

#[test]
fn what_was_left_alone_is_no_change() {
    let (change, words) = change(&current(), &typed(&[])).unwrap();
    assert_eq!(change.traffic, TrafficChange::default());
    assert_eq!(change.memory_bytes, None);
    assert!(words.is_empty());
}

#[test]
fn limits_are_set_changed_and_taken_away() {
    let typed = typed(&[
        ("ops_per_second", ""),
        ("bytes_in_per_second", " 10MiB "),
        ("memory", "32MiB"),
    ]);
    let (change, words) = change(&current(), &typed).unwrap();
    assert_eq!(change.traffic.ops_per_second, Some(None));
    assert_eq!(change.traffic.bytes_in_per_second, Some(Some(10 << 20)));
    assert_eq!(change.traffic.connections, None);
    assert_eq!(change.memory_bytes, Some(32 << 20));
    assert_eq!(words[0], "Memory: 64MiB → 32MiB");
    assert_eq!(words[1], "Requests a second: 1000 → none");
}

#[test]
fn what_is_no_number_is_named() {
    for (name, value) in [
        ("ops_per_second", "many"),
        ("weight", "-3"),
        ("memory", "lots"),
    ] {
        let why = change(&current(), &typed(&[(name, value)])).unwrap_err();
        assert!(why.contains(value), "{why}");
    }
}

#[test]
fn a_form_without_a_field_leaves_it_alone() {
    let (change, _) = change(&current(), &HashMap::new()).unwrap();
    assert_eq!(change.traffic, TrafficChange::default());
}
