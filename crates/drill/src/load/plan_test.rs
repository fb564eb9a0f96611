//! Tests of `plan`: what makes sense, and that what does not is explained.

use super::*;

/// The words that a refusal must have, and the change that brings it about.
type Case = (&'static str, Box<dyn FnOnce(&mut Plan)>);

fn refusal(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = Plan::default();
    change(&mut plan);
    match plan.validate() {
        Ok(()) => panic!("accepted: {plan:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_default_makes_sense() {
    assert!(Plan::default().validate().is_ok());
}

#[test]
fn every_refusal_names_the_thing_and_the_remedy() {
    let cases: [Case; 16] = [
        ("no target: give", Box::new(|p| p.targets.clear())),
        ("connections is 0: give", Box::new(|p| p.connections = 0)),
        ("threads is 0: give", Box::new(|p| p.threads = 0)),
        (
            "51 threads for 50 connections",
            Box::new(|p| p.threads = 51),
        ),
        (
            "2 tenants for 1 connections",
            Box::new(|p| {
                p.connections = 1;
                p.tenants = vec!["a:b".parse().unwrap(), "c:d".parse().unwrap()];
            }),
        ),
        (
            "SASL needs the binary protocol",
            Box::new(|p| {
                p.tenants = vec!["a:b".parse().unwrap()];
                p.auth = AuthDialect::Sasl;
            }),
        ),
        (
            "logs in by SASL only",
            Box::new(|p| {
                p.tenants = vec!["a:b".parse().unwrap()];
                p.protocol = Protocol::Binary;
            }),
        ),
        (
            "every share of the mix is 0",
            Box::new(|p| {
                p.mix.get = 0;
                p.mix.set = 0;
            }),
        ),
        (
            "0 keys in one mget",
            Box::new(|p| {
                p.mix.mget = 1;
                p.mix.mget_keys = 0;
            }),
        ),
        ("no keys", Box::new(|p| p.keys.count = 0)),
        (
            "do not fit into 3 bytes: give keys of at least 6",
            Box::new(|p| p.keys.len = 3),
        ),
        (
            "Zipf exponent 0",
            Box::new(|p| p.keys.distribution = Distribution::Zipf(0.0)),
        ),
        (
            "from 9 to 3",
            Box::new(|p| p.value_len = ValueLen::Uniform(9, 3)),
        ),
        ("pipeline of 0", Box::new(|p| p.pipeline = 0)),
        ("duration is 0", Box::new(|p| p.duration = Duration::ZERO)),
        (
            "rate of -1",
            Box::new(|p| {
                p.mode = Mode::Open {
                    rate_per_s: -1.0,
                    arrivals: Arrivals::Fixed,
                };
            }),
        ),
    ];
    for (words, change) in cases {
        let text = refusal(change);
        assert!(text.contains(words), "{text:?} does not say {words:?}");
    }
}

#[test]
fn the_longest_value_is_known_for_every_kind_of_length() {
    assert_eq!(ValueLen::Fixed(7).max(), 7);
    assert_eq!(ValueLen::Uniform(1, 9).max(), 9);
    assert_eq!(ValueLen::List(vec![5, 30, 2]).max(), 30);
}
