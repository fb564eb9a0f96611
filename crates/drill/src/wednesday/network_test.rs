//! What is chosen, and what a way is made of, in each kind of network.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::super::scenario::cases;
use super::*;

fn namespaces(can_narrow: bool) -> Choice {
    Choice {
        network: Network::Namespaces,
        can_narrow,
        note: None,
    }
}

/// The network of each thing that is done, each with a fleet of its own.
fn stacks(choice: &Choice) -> Vec<(char, &'static str, Stack)> {
    let cases = cases();
    let stacks = cases.iter();
    stacks
        .map(|it| (it.scenario, it.what, choice.stack(&it.fault, None)))
        .collect()
}

#[test]
fn cables_do_what_cables_can_and_ways_of_the_drills_own_the_rest() {
    let all = stacks(&namespaces(true));
    let with_proxy = all.iter().filter(|it| it.2 != Stack::Namespaces);
    let with_proxy: String = with_proxy.map(|it| it.0).collect();
    // All that is late; not the narrow, the pulled, the dead, the busy.
    assert_eq!(with_proxy, "dbchi");
    assert!(all.iter().all(|it| it.2 != Stack::Proxy));
}

#[test]
fn a_kernel_without_narrow_cables_has_the_proxy_behind_them() {
    let all = stacks(&namespaces(false));
    let narrow = all.iter().filter(|it| it.1.contains("2 Mbit/s"));
    let narrow: Vec<_> = narrow.map(|it| (it.0, it.2)).collect();
    let stacked = Stack::NamespacesAndProxy;
    assert_eq!(narrow, [('b', stacked), ('a', stacked)]);
}

#[test]
fn without_namespaces_all_is_the_proxys() {
    let choice = choose(Some(Network::Proxy)).unwrap();
    assert_eq!(choice, Choice::proxy(None));
    assert!(stacks(&choice).iter().all(|it| it.2 == Stack::Proxy));
    let told = Choice::proxy(Some("not allowed".to_owned())).words();
    assert_eq!(told, "all machines are on loopback (not allowed)");
}

#[test]
fn who_is_killed_is_so_in_any_network_that_stands() {
    let choice = namespaces(true);
    for stack in [Stack::Namespaces, Stack::NamespacesAndProxy] {
        assert_eq!(choice.stack(&Fault::Killed(1), Some(stack)), stack);
    }
}

#[test]
fn what_is_asked_for_is_taken_or_refused_and_nothing_else() {
    match (choose(None), choose(Some(Network::Namespaces))) {
        (Ok(free), Ok(asked)) => assert_eq!(free, asked),
        (Ok(free), Err(error)) => {
            assert_eq!(free.network, Network::Proxy);
            let (note, error) = (free.note.unwrap(), error.to_string());
            assert!(error.starts_with(&note), "{error} / {note}");
            assert!(error.contains("--network proxy"), "{error}");
        }
        (Err(error), _) => panic!("there is always the proxy: {error}"),
    }
}

/// A server at a way's end that says one word to whoever comes, and the asking for it.
fn word_from(way: &Way, asking: &Place, patience: Duration) -> Option<String> {
    let (listen, advertise) = (way.listen, way.advertise);
    let listener = way.place.within(|| Ok(TcpListener::bind(listen).unwrap()));
    let listener = listener.unwrap();
    let asked = asking.within(|| {
        let Ok(mut stream) = TcpStream::connect_timeout(&advertise, patience) else {
            return Ok(None);
        };
        stream.set_read_timeout(Some(patience)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let until = crate::load::clock::now_ns() + patience.as_nanos() as u64;
        let mut accepted = listener.accept();
        while accepted.is_err() && crate::load::clock::now_ns() < until {
            std::thread::yield_now();
            accepted = listener.accept();
        }
        if let Ok((mut server, _)) = accepted {
            server.write_all(b"word").unwrap();
        }
        let mut word = [0; 4];
        let read = stream.read_exact(&mut word);
        Ok(read
            .ok()
            .map(|()| String::from_utf8_lossy(&word).into_owned()))
    });
    asked.unwrap()
}

#[test]
fn a_way_leads_to_its_node_is_pulled_and_mended_in_every_network() {
    let choice = choose(None).unwrap();
    let stacks: &[Stack] = match choice.network {
        Network::Proxy => &[Stack::Proxy],
        Network::Namespaces => &[Stack::Proxy, Stack::Namespaces, Stack::NamespacesAndProxy],
    };
    let stalled = Faults {
        is_stalled: true,
        ..Faults::default()
    };
    for stack in stacks {
        let mut site = Site::new(*stack, choice.can_narrow, 1).unwrap();
        let (way, asking) = (site.way(1).unwrap(), site.place().unwrap());
        let long = Duration::from_secs(20);
        assert_eq!(
            word_from(&way, &asking, long).as_deref(),
            Some("word"),
            "{stack:?}"
        );
        way.set(&stalled).unwrap();
        let silence = word_from(&way, &asking, Duration::from_millis(100));
        assert_eq!(silence, None, "{stack:?}");
        way.set(&Faults::default()).unwrap();
        assert_eq!(
            word_from(&way, &asking, long).as_deref(),
            Some("word"),
            "{stack:?}"
        );
    }
}
