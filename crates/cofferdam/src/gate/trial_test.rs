//! Tests of the gate's tests: nodes of this process, over loopback.

use base::fleet::Incarnation;
use fleet::gate::Against;
use gateway::remote::Assurance;
use node::{NodeConfig, RingState};
use runtime::Published;
use runtime::nodes::{NodeLoops, NodeLoopsConfig, NodeView};

use super::*;
use crate::config::Config;
use crate::engine_trial;
use crate::local_backend::{Caches, LocalBackend};
use crate::node_role::NodeCaches;

/// A node that serves nobody.
fn node(member: u32) -> (NodeLoops, Subject) {
    let name = format!("mc{member}");
    let caches = Arc::new(Caches::default());
    let landlord = NodeCaches::new(Arc::clone(&caches), Incarnation::ALONE);
    let view = NodeView {
        ring: Arc::new(fleet::Ring::empty()),
        state: RingState {
            announced: None,
            assurance: Assurance::NONE,
        },
    };
    let config = NodeLoopsConfig {
        threads: 1,
        listen: "127.0.0.1:0".parse().unwrap(),
        node: NodeConfig {
            member: MemberId(member),
            name: name.clone(),
            instance: u64::from(member),
            credits: 10,
        },
        tls: None,
        clock: Clock::new(),
        view: Arc::new(Published::new(view)),
        trial: engine_trial::of(&Config::default()),
    };
    let backend = |index| {
        (
            LocalBackend::new(Arc::clone(&caches), index, 1),
            landlord.clone(),
        )
    };
    let loops = NodeLoops::start(config, backend).unwrap();
    let subject = Subject {
        member: MemberId(member),
        name,
        address: loops.addr().to_string(),
        keeps_volumes: false,
    };
    (loops, subject)
}

fn trial() -> Trial {
    Trial {
        me: "gateway1".to_owned(),
        member: MemberId(9),
        tls: None,
        clock: Clock::new(),
        limits: ANY,
        stop: Arc::default(),
    }
}

/// Nothing is asked but that there is an answer.
const ANY: GateLimits = GateLimits {
    round_trip_ms: 1e9,
    throughput_mbit_s: 1e-9,
    resent_percent: 100.0,
    engine_us: 1e9,
    steal_percent: 100.0,
    memory_mib_s: 1e-9,
    disk_ms: 1e9,
    clock_ms: 1e9,
};

#[test]
fn a_node_is_paired_with_one_that_serves_and_every_test_has_a_figure() {
    let ((one, serving), (other, candidate)) = (node(1), node(2));
    let mut told = Vec::new();
    let peers = [serving];
    let evidence = trial()
        .run(&candidate, &peers, &mut |it| told.push(it))
        .unwrap();
    assert_eq!(
        told,
        [
            "machines: mc2 and 1 that serve",
            "round 1 of 1: mc2 with mc1"
        ]
    );
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    assert!(verdict.admitted, "{verdict:?}");
    let without_disk = fleet::gate::Test::ALL.len() - 1;
    assert_eq!(verdict.outcomes.len(), without_disk, "{verdict:?}");
    assert!(
        verdict.outcomes.iter().all(|it| it.ours.is_some()),
        "{verdict:?}"
    );
    one.stop(Duration::ZERO);
    other.stop(Duration::ZERO);
}

#[test]
fn who_cannot_be_reached_is_refused_with_the_reason() {
    let ((one, serving), (other, candidate)) = (node(1), node(2));
    other.stop(Duration::ZERO);
    let evidence = trial().run(&candidate, &[serving], &mut |_| {}).unwrap();
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    assert!(!verdict.admitted);
    let all = verdict.problems.join("\n");
    assert!(all.contains("mc1 cannot use mc2 at 127.0.0.1:"), "{all}");
    one.stop(Duration::ZERO);
}

#[test]
fn where_nobody_serves_the_gateway_tries_the_way_out_itself() {
    let (loops, candidate) = node(2);
    let evidence = trial().run(&candidate, &[], &mut |_| {}).unwrap();
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    assert!(verdict.admitted, "{verdict:?}");
    assert_eq!((verdict.against, verdict.peers), (Against::Limits, 0));
    let round_trip = verdict.outcomes.first().unwrap();
    assert_eq!(round_trip.test, fleet::gate::Test::RoundTrip);
    assert!(round_trip.ours.is_some());
    loops.stop(Duration::ZERO);
    let evidence = trial().run(&candidate, &[], &mut |_| {}).unwrap();
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    let all = verdict.problems.join("\n");
    assert!(all.contains("gateway1 cannot use mc2"), "{verdict:?}");
}

#[test]
fn who_cannot_be_asked_to_try_it_out_is_named_and_says_nothing_against_it() {
    let ((one, serving), (other, candidate)) = (node(1), node(2));
    one.stop(Duration::ZERO);
    let evidence = trial().run(&candidate, &[serving], &mut |_| {}).unwrap();
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    assert!(!verdict.admitted && !verdict.is_refused(), "{verdict:?}");
    let all = verdict.untested.join("\n");
    assert!(
        all.contains("mc1 could not be asked to try mc2 out"),
        "{all}"
    );
    other.stop(Duration::ZERO);
}

#[test]
fn who_dies_in_the_middle_is_not_admitted() {
    let ((one, serving), (other, candidate)) = (node(1), node(2));
    let mut other = Some(other);
    let mut tell = |doing: String| {
        if doing.starts_with("round 1")
            && let Some(loops) = other.take()
        {
            loops.stop(Duration::ZERO);
        }
    };
    let evidence = trial().run(&candidate, &[serving], &mut tell).unwrap();
    let verdict = Verdict::of(candidate.member, &evidence, &ANY);
    assert!(!verdict.admitted && verdict.is_refused(), "{verdict:?}");
    one.stop(Duration::ZERO);
}

#[test]
fn a_node_that_does_not_come_to_an_end_says_with_what_and_since_when() {
    let ((one, serving), (other, candidate)) = (node(1), node(2));
    let trial = trial();
    let way = Exam::Pair(PairExam {
        name: &serving.name,
        address: &serving.address,
        length: Duration::from_secs(8),
        requests_per_s: 10,
        bytes_per_s: 1_000_000,
    });
    let mut call = trial.call(&candidate).unwrap();
    let patience = Duration::from_millis(300);
    call.examine(way, patience).expect_err("it takes 8 s");
    let again = call.examine(way, OWN_PATIENCE).unwrap();
    let Examined::Failed(why) = again else {
        panic!("{again:?}");
    };
    let told = "mc2 is still trying out its way to mc1, as it was asked ";
    assert!(why.starts_with(told), "{why}");
    one.stop(Duration::ZERO);
    other.stop(Duration::ZERO);
}

#[test]
fn of_a_large_fleet_some_from_all_of_it_take_part() {
    let all: Vec<Subject> = (1..=100)
        .map(|member| Subject {
            member: MemberId(member),
            name: String::new(),
            address: String::new(),
            keeps_volumes: false,
        })
        .collect();
    let chosen: Vec<u32> = spread(&all, 4).iter().map(|it| it.member.0).collect();
    assert_eq!(chosen, [1, 26, 51, 76]);
    assert_eq!(spread(&all[..3], 4), all[..3]);
    assert!(spread(&[], 4).is_empty());
}
