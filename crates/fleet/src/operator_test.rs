//! What an operator may do to which node, and what he is told where he may not.

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_000_000);
const EJECT: Act = Act::Eject { force: false };
const FORCED: Act = Act::Eject { force: true };

/// Nodes that stand so, node1 the first; all run.
fn fleet(standings: &[Standing]) -> Registry {
    let mut registry = Registry::default();
    for (number, standing) in (1..).zip(standings) {
        join(&mut registry, number, Role::Cache, *standing);
    }
    registry
}

fn join(registry: &mut Registry, number: u32, role: Role, standing: Standing) {
    let record = MemberRecord {
        name: format!("node{number}"),
        role,
        address: format!("10.0.0.{number}:1"),
        weight: 100,
        standing,
        memory_bytes: 1 << 30,
    };
    registry.members.insert(MemberId(number), record);
    registry.alive.insert(MemberId(number));
}

fn serving() -> Standing {
    Standing::founder(NOW)
}

fn after(event: Event) -> Standing {
    serving().after(event, NOW).unwrap()
}

fn act(registry: &Registry, number: u32, act: Act) -> Result<State, String> {
    let id = MemberId(number);
    let next = registry.after_act(id, &registry.members[&id], act, NOW);
    next.map(|it| it.state()).map_err(|why| why.to_string())
}

#[test]
fn no_more_are_ejected_than_may_be_out_unless_that_is_forced() {
    let one_out = fleet(&[after(Event::Condemned), serving(), serving(), serving()]);
    let said = act(&one_out, 2, EJECT).unwrap_err();
    for told in [
        "node2 is not ejected: of 4 nodes no more than 1 may be out at once",
        "node1 is ejected",
        "`cofferdam node eject node2 --force`",
    ] {
        assert!(said.contains(told), "{said}");
    }
    assert_eq!(act(&one_out, 2, FORCED), Ok(State::Ejected));
    assert_eq!(act(&one_out, 2, Act::Drain), Ok(State::Drained));
    let probation = after(Event::Condemned).after(Event::Readmit, NOW).unwrap();
    let tried_again = fleet(&[probation, serving(), serving()]);
    let said = act(&tried_again, 2, EJECT).unwrap_err();
    assert!(said.contains("node1 is on probation"), "{said}");
    // That is nobody more.
    assert_eq!(act(&tried_again, 1, EJECT), Ok(State::Ejected));
    let drained = fleet(&[after(Event::Drain), serving(), serving()]);
    assert_eq!(act(&drained, 2, EJECT), Ok(State::Ejected));
}

#[test]
fn the_last_one_that_serves_stays_whatever_is_said() {
    let mut last = fleet(&[serving(), after(Event::Condemned), after(Event::Drain)]);
    for (deed, done) in [
        (EJECT, "ejected"),
        (FORCED, "ejected"),
        (Act::Drain, "drained"),
    ] {
        let said = act(&last, 1, deed).unwrap_err();
        let wanted = format!("node1 is not {done}: it is the last node that serves");
        assert!(said.starts_with(&wanted), "{said}");
        assert!(
            said.contains("node2 is ejected, node3 is drained"),
            "{said}"
        );
    }
    // One that does not run is none.
    join(&mut last, 4, Role::Cache, serving());
    last.alive.remove(&MemberId(4));
    let said = act(&last, 1, Act::Drain).unwrap_err();
    assert!(said.contains("node4 is serving and does not run"), "{said}");
    last.alive.insert(MemberId(4));
    assert_eq!(act(&last, 1, Act::Drain), Ok(State::Drained));
    assert_eq!(act(&last, 2, Act::Drain), Ok(State::Drained));
    let said = act(&fleet(&[serving()]), 1, Act::Drain).unwrap_err();
    assert!(said.contains("There is no other node"), "{said}");
}

#[test]
fn only_nodes_with_cached_data_are_taken_out_and_let_in() {
    let mut registry = fleet(&[serving(), serving()]);
    for (role, kind) in [
        (Role::Gateway, "gateway"),
        (Role::Volume, "node of volumes"),
    ] {
        join(&mut registry, 3, role, serving());
        for deed in [EJECT, FORCED, Act::Drain, Act::Readmit] {
            let said = act(&registry, 3, deed).unwrap_err();
            assert!(
                said.starts_with(&format!("node3 is a {kind}: only")),
                "{said}"
            );
        }
    }
}

#[test]
fn one_that_was_never_let_in_takes_nobodys_place_and_goes_back_to_the_gate() {
    let shadow = Standing::new(NOW).after(Event::Passed, NOW).unwrap();
    let registry = fleet(&[
        after(Event::Condemned),
        serving(),
        shadow,
        Standing::new(NOW),
        after(Event::Drain),
    ]);
    assert_eq!(act(&registry, 3, EJECT), Ok(State::Quarantined));
    for (number, deed, told) in [
        (
            4,
            EJECT,
            "a node that is quarantined cannot be ejected; it has no keys",
        ),
        (4, Act::Readmit, "`cofferdam gate run --candidate node4`"),
        (
            2,
            Act::Readmit,
            "a node that is serving cannot be readmitted: it was not taken out",
        ),
        (
            1,
            EJECT,
            "a node that is ejected cannot be ejected; `cofferdam node readmit node1`",
        ),
        (
            5,
            Act::Drain,
            "a node that is drained cannot be drained; `cofferdam node readmit node5`",
        ),
    ] {
        let said = act(&registry, number, deed).unwrap_err();
        assert!(said.contains(told), "{said}");
    }
}
