//! What all detectors have in common.

use super::testing::World;
use super::*;

#[test]
fn nothing_is_said_of_peace() {
    let mut world = World::new();
    let said = world.run(100, |world| {
        let clients = &mut world.acme().clients;
        clients.reads_served += 10_000;
        clients.connections_total += 2;
        clients.auth_attempts += 2;
        clients.busy_ns += 100_000_000;
    });
    assert_eq!(said, []);
}

#[test]
fn a_tenant_may_come_and_go_and_set_its_figures_back() {
    let mut world = World::new();
    for second in 0..50u64 {
        world.tenants.truncate(1);
        if second % 7 > 2 {
            let mut acme = super::testing::tenant(1, "acme");
            acme.clients.connections_total = 1_000_000 % (second + 1);
            world.tenants.push(acme);
        }
        assert_eq!(world.look(), [], "{second}");
    }
}

#[test]
fn every_sentence_is_one_with_its_figures_and_a_way_out() {
    let mut world = World::new();
    world.loop_ages[0] = Duration::from_secs(3);
    world.longest_sleep = Duration::from_secs(5);
    world.room = Some((1 << 20, 1 << 30));
    world.host.process.descriptors = Some(95);
    world.host.process.descriptors_max = Some(100);
    let said = world.run(20, |world| {
        world.wall += Duration::from_secs(1);
        world.totals.refused += 100;
        let clients = &mut world.acme().clients;
        clients.connections_total += 100;
        clients.auth_attempts += 50;
        clients.auth_failures += 50;
        clients.reads_refused += 10;
        clients.paused_ns += 500_000_000;
        clients.connects_delayed += 3;
    });
    assert!(said.len() >= 10, "{said:#?}");
    for signal in said {
        let sentence = &signal.sentence;
        assert!(
            sentence.ends_with('.') && !sentence.contains("  "),
            "{sentence}"
        );
        assert!(sentence.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()));
        let advice = signal.advice.clone().unwrap_or_default();
        assert!(advice.ends_with('.') && !advice.contains("  "), "{advice}");
        assert!(
            signal
                .evidence
                .iter()
                .all(|figure| figure.value.is_finite()),
            "{signal:?}"
        );
        if let crate::observe::signal::Length::Lasts { ended } = &signal.length {
            assert!(!ended.ends_with('.') && !ended.contains("  "), "{ended}");
        }
    }
}

#[test]
fn figures_in_sentences() {
    assert_eq!(told(0.0), "0");
    assert_eq!(told(2.5), "2.5");
    assert_eq!(told(1234.4), "1,234");
    assert_eq!(told(16_000.0), "16,000");
    assert_eq!(told(1_234_567.0), "1,234,567");
    assert_eq!(rate(10, Duration::from_secs(4)), 2.5);
    assert_eq!(rate(10, Duration::ZERO), 0.0);
}
