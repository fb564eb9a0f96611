//! The whole core over hours of virtual time: calm stays calm, an outage appears and goes.

use std::time::Duration;

use base::event::{EventKind, EventState};
use base::rng::Rng;

use super::*;
use crate::component::{Fault, Stage as At};
use crate::incident::{Origin, Visibility};
use crate::virtual_prober::{START, TIMED_OUT, World, healthy, noise};

fn public(board: &Board) -> usize {
    board.incidents().filter(|one| one.is_public()).count()
}

#[test]
fn a_day_of_noise_is_a_day_without_incidents() {
    for seed in 1..=3 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(1);
        // Every two hours all of it stands still for three seconds.
        let stalled = |at: Timestamp| at.since(START).as_millis() % 7_200_000 > 7_197_000;
        world.pass(Duration::from_secs(24 * 3_600), |_, at| match stalled(at) {
            true => Err(TIMED_OUT),
            false => noise(&mut rng),
        });
        assert_eq!(world.board.incidents().count(), 0, "seed {seed}");
    }
}

#[test]
fn an_outage_appears_within_10_s_and_is_gone_within_30_s_of_recovery() {
    for seed in 0..40u64 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(1);
        world.pass(Duration::from_millis(30_000 + rng.below(4_000)), healthy);
        let dead = |_: usize, _: Timestamp| Err(TIMED_OUT);
        let appears = world.until(Duration::from_secs(10), dead, |board, now| {
            board.level(now, 0) == Level::Major && board.level(now, 1) == Level::Major
        });
        let draft = world.until(Duration::from_secs(15) - appears, dead, |board, _| {
            public(board) == 1
        });
        assert!(appears + draft <= Duration::from_secs(15));
        world.pass(Duration::from_millis(60_000 + rng.below(4_000)), dead);
        world.until(Duration::from_secs(30), healthy, |board, now| {
            let open = board.incidents().filter(|one| one.is_open()).count();
            open == 0 && board.level(now, 0) == Level::Operational
        });
        let incident = world.board.incidents().next().unwrap();
        assert_eq!(world.board.incidents().count(), 1, "seed {seed}");
        assert_eq!(
            (incident.impact, incident.phase),
            (Impact::Critical, Phase::Resolved)
        );
        assert_eq!(incident.title, "The service does not answer");
        let length = incident.length(world.now).as_secs();
        assert!((55..=80).contains(&length), "{length}");
    }
}

#[test]
fn new_and_open_connections_are_told_apart() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    world.pass(Duration::from_secs(20), |index, at| match index {
        0 => Err(Failed {
            stage: At::Connect,
            fault: Fault::Refused,
        }),
        _ => healthy(index, at),
    });
    let incident = world.board.incidents().next().unwrap();
    assert_eq!(incident.title, "New connections fail");
    let text = &incident.updates[0].text;
    assert!(text.contains("open go on working"), "{text}");
    assert!(
        text.contains("while connecting, as nobody accepted"),
        "{text}"
    );
    // One way alone is published as well: nobody new gets in.
    assert!(incident.is_public());
    assert_eq!(incident.impact, Impact::Major);
}

#[test]
fn an_outage_that_comes_and_goes_is_one_incident() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    for _ in 0..10 {
        world.pass(Duration::from_secs(20), |_, _| Err(TIMED_OUT));
        world.pass(Duration::from_secs(40), healthy);
    }
    assert_eq!(world.board.incidents().count(), 1);
    let incident = world.board.incidents().next().unwrap();
    assert_eq!(incident.phase, Phase::Resolved);
    assert!(
        incident
            .updates
            .iter()
            .any(|u| u.text.starts_with("It is back."))
    );
}

#[test]
fn without_probes_all_is_grey_and_an_incident_stays_open() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(30), healthy);
    world.pass(Duration::from_secs(20), |_, _| Err(TIMED_OUT));
    let before = world.board.incidents().next().unwrap().clone();
    for _ in 0..60 {
        world.now = world.now + Duration::from_secs(1);
        world.board.handle_timeout(world.now);
    }
    for index in 0..4 {
        assert_eq!(world.board.level(world.now, index), Level::NoData);
    }
    let after = world.board.incidents().next().unwrap();
    assert_eq!(after.phase, before.phase);
    let day = world.board.watched()[0]
        .history
        .shown(world.now)
        .next_back()
        .unwrap()
        .1;
    assert!(day.known() < Duration::from_secs(62), "{day:?}");
}

#[test]
fn an_event_explains_an_outage() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    let event = ServiceEvent {
        at: world.now,
        onset: world.now,
        kind: EventKind::ListenOverflow,
        cause: "memcache_auth".into(),
        state: EventState::Began,
        tenant: None,
    };
    world.board.handle_event(world.now, &event);
    let draft = world.board.incidents().next().unwrap();
    assert_eq!(
        (draft.origin, draft.visibility),
        (Origin::Events, Visibility::Held)
    );
    world.pass(Duration::from_secs(15), |_, _| Err(TIMED_OUT));
    let incident = world.board.incidents().next().unwrap();
    assert_eq!(
        (incident.origin, incident.phase),
        (Origin::Probes, Phase::Identified)
    );
    assert!(incident.is_public());
    assert!(
        incident.updates[0]
            .text
            .contains("more connection attempts")
            || incident.updates[0]
                .text
                .contains("More connection attempts")
    );
    let held = world.board.incidents().nth(1).unwrap();
    assert_eq!(held.visibility, Visibility::Discarded);
}

#[test]
fn what_only_an_event_tells_of_waits_for_a_click_and_ends_with_it() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    let mut event = ServiceEvent {
        at: world.now,
        onset: world.now,
        kind: EventKind::HostOverload,
        cause: "loops".into(),
        state: EventState::Began,
        tenant: None,
    };
    world.board.handle_event(world.now, &event);
    world.pass(Duration::from_secs(30), healthy);
    assert_eq!(public(&world.board), 0);
    let id = world.board.incidents().next().unwrap().id;
    world.board.publish(world.now, id).unwrap();
    assert_eq!(public(&world.board), 1);
    event.state = EventState::Ended;
    world.board.handle_event(world.now, &event);
    world.pass(Duration::from_secs(15), healthy);
    assert_eq!(world.board.incident(id).unwrap().phase, Phase::Resolved);
    assert_eq!(world.board.publish(world.now, id), Err(DeskError::Over));
    assert_eq!(world.board.publish(world.now, 99), Err(DeskError::Unknown));
}

#[test]
fn maintenance_hides_no_level_but_its_own_and_drafts_nothing() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    let id = world.board.announce(Maintenance {
        id: 0,
        title: "New machines".into(),
        text: "Connections may end.".into(),
        components: Vec::new(),
        announced: world.now,
        begins: world.now + Duration::from_secs(5),
        ends: world.now + Duration::from_secs(600),
    });
    world.pass(Duration::from_secs(5), healthy);
    world.pass(Duration::from_secs(60), |_, _| Err(TIMED_OUT));
    assert_eq!(world.board.level(world.now, 0), Level::Maintenance);
    assert_eq!(world.board.incidents().count(), 0);
    // What goes on failing when it ends early is an incident then.
    world.board.call_off(world.now, id).unwrap();
    world.pass(Duration::from_secs(3), |_, _| Err(TIMED_OUT));
    assert_eq!(world.board.level(world.now, 0), Level::Major);
    assert_eq!(public(&world.board), 1);
}

#[test]
fn what_an_operator_discards_is_not_drafted_again_while_it_goes_on() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(30), healthy);
    let dead = |_: usize, _: Timestamp| Err(TIMED_OUT);
    world.pass(Duration::from_secs(20), dead);
    let id = world.board.incidents().next().unwrap().id;
    world.board.discard(world.now, id).unwrap();
    world.pass(Duration::from_secs(1_500), dead);
    assert_eq!(public(&world.board), 0);
    assert_eq!(world.board.incidents().count(), 1);
}

#[test]
fn what_was_kept_is_there_again() {
    let mut world = World::new(1);
    world.pass(Duration::from_secs(90), healthy);
    world.pass(Duration::from_secs(60), |_, _| Err(TIMED_OUT));
    world.board.keep_days();
    world
        .kept
        .extend(std::iter::from_fn(|| world.board.poll_change()));
    let mut kept = Kept::default();
    let mut incidents = BTreeMap::new();
    for change in world.kept {
        match change {
            Change::Incident(one) => drop(incidents.insert(one.id, one)),
            Change::Day { key, day, counts } => {
                kept.days.entry(key).or_default().push((day, counts))
            }
            Change::Minute { key, minute } => kept.minutes.entry(key).or_default().push(minute),
            Change::Maintenance(_) | Change::CalledOff(_) => {}
        }
    }
    kept.incidents = incidents.into_values().collect();
    let components = Component::of_gateway("g0", "Gateway 0").to_vec();
    let mut again = Board::new(&Rules::default(), components, kept, world.now);
    assert_eq!(again.incidents().next(), world.board.incidents().next());
    let day = |board: &Board| {
        board.watched()[0]
            .history
            .shown(world.now)
            .next_back()
            .unwrap()
    };
    assert_eq!(day(&again), day(&world.board));
    assert!(again.watched()[0].history.minutes().count() >= 1);
    // The incident that a restart interrupted is followed to its end.
    let mut now = world.now;
    for _ in 0..40 {
        now = now + Duration::from_secs(1);
        (0..2).for_each(|index| again.handle_probe(index, now, now, healthy(index, now)));
        again.handle_timeout(now);
    }
    assert_eq!(again.incidents().next().unwrap().phase, Phase::Resolved);
}

#[test]
fn no_text_of_ours_names_a_tenant_a_key_a_host_or_an_address() {
    let secrets = [
        "zyxacme",
        "zyx-host.internal",
        "203.0.113.77",
        "2001:db8::77",
        "zyx:key:42",
    ];
    for seed in 0..200u64 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(1 + (seed % 5) as usize);
        world.pass(Duration::from_secs(8), healthy);
        for _ in 0..12 {
            let pick = |rng: &mut Rng, len: usize| rng.below(len as u64) as usize;
            let kind = EventKind::ALL[pick(&mut rng, EventKind::ALL.len())];
            let state = EventState::ALL[pick(&mut rng, EventState::ALL.len())];
            let cause = secrets[pick(&mut rng, secrets.len())].to_owned();
            let tenant = format!("{}{}", secrets[0], rng.below(4));
            let event = ServiceEvent {
                at: world.now,
                onset: world.now,
                kind,
                cause,
                state,
                tenant: (rng.below(2) == 0).then_some(tenant),
            };
            world.board.handle_event(world.now, &event);
            let mode = rng.below(4);
            let broken = pick(&mut rng, 10);
            world.pass(
                Duration::from_secs(6 + rng.below(30)),
                |index, at| match mode {
                    0 => Err(TIMED_OUT),
                    1 if index == broken => Err(TIMED_OUT),
                    2 => Ok(Duration::from_millis(400)),
                    _ => healthy(index, at),
                },
            );
        }
        for incident in world.board.incidents() {
            let texts = incident.updates.iter().map(|update| &update.text);
            for text in texts.chain([&incident.title]) {
                let found = crate::privacy::first_secret(text, world.board.affairs().names());
                assert_eq!(found, None, "seed {seed}: {text}");
                for secret in secrets {
                    assert!(!text.contains(secret), "seed {seed}: {text}");
                }
            }
        }
    }
}
