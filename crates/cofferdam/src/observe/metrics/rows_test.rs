//! Labels for the first hundred, and a sum of the rest that never falls.

use base::kv::Stats;
use base::{TenantId, TrafficLimits};
use gateway::{ConnectionFigures, Delays};

use super::*;

fn tenant(id: u32, name: &str, sets: u64) -> TenantReading {
    TenantReading {
        id: TenantId(id),
        name: Arc::from(name),
        traffic: TrafficLimits::default(),
        cache: Stats {
            cmd_set: sets,
            curr_items: 5,
            ..Stats::default()
        },
        clients: ConnectionFigures::default(),
        delays: Delays::default(),
        close_waits: 0,
    }
}

fn column(name: &str) -> usize {
    COLUMNS
        .iter()
        .position(|column| column.name == name)
        .unwrap()
}

/// The value of a row, if it is there.
fn value(rows: &[Row], tenant: &str, name: &str) -> Option<u64> {
    let row = rows.iter().find(|row| &*row.label == tenant)?;
    row.values.get(column(name)).copied()
}

fn many(count: u32) -> Vec<TenantReading> {
    (0..count)
        .map(|id| tenant(id, &format!("t{id}"), 10))
        .collect()
}

#[test]
fn the_first_hundred_have_labels_and_the_rest_are_summed() {
    let mut rows = TenantRows::default();
    let table = rows.table(&many(130));
    assert_eq!(table.len(), 101);
    assert_eq!(value(&table, "t99", "sets_total"), Some(10));
    assert_eq!(value(&table, "t100", "sets_total"), None);
    assert_eq!(value(&table, OTHER, "sets_total"), Some(300));
    assert_eq!(value(&table, OTHER, "items"), Some(150));
}

#[test]
fn with_labels_for_all_there_are_no_others() {
    let table = TenantRows::default().table(&many(100));
    assert_eq!(table.len(), 100);
    assert_eq!(value(&table, OTHER, "sets_total"), None);
}

#[test]
fn a_label_is_kept_while_its_tenant_is_gone() {
    let mut rows = TenantRows::default();
    rows.table(&many(100));
    let mut tenants = many(100);
    tenants.remove(3);
    tenants.push(tenant(200, "late", 7));
    let table = rows.table(&tenants);
    assert_eq!(value(&table, "t3", "sets_total"), None);
    assert_eq!(value(&table, "late", "sets_total"), None);
    tenants.push(tenant(300, "t3", 1));
    let table = rows.table(&tenants);
    assert_eq!(value(&table, "t3", "sets_total"), Some(1));
}

#[test]
fn what_others_counted_stays_when_they_go_and_what_they_held_goes() {
    let mut rows = TenantRows::default();
    rows.table(&many(102));
    let table = rows.table(&many(101));
    assert_eq!(value(&table, OTHER, "sets_total"), Some(20));
    assert_eq!(value(&table, OTHER, "items"), Some(5));
    let table = rows.table(&many(100));
    assert_eq!(value(&table, OTHER, "sets_total"), Some(20));
    assert_eq!(value(&table, OTHER, "items"), Some(0));
}

#[test]
fn a_tenant_called_other_is_not_mistaken_for_the_sum() {
    let mut rows = TenantRows::default();
    let table = rows.table(&[tenant(1, "other", 3), tenant(2, "acme", 4)]);
    assert_eq!(table.len(), 2);
    assert_eq!(value(&table, "acme", "sets_total"), Some(4));
    assert_eq!(value(&table, OTHER, "sets_total"), Some(3));
}

#[test]
fn columns_of_a_family_stand_together_and_agree() {
    let mut seen: Vec<&str> = Vec::new();
    for pair in COLUMNS.windows(2) {
        let [a, b] = pair else { continue };
        if a.name == b.name {
            assert_eq!((a.kind, a.help), (b.kind, b.help));
            assert_eq!(a.label.map(|l| l.0), b.label.map(|l| l.0));
            assert_ne!(a.label, b.label);
        } else {
            assert!(!seen.contains(&b.name), "{} comes twice", b.name);
            seen.push(b.name);
        }
    }
}
