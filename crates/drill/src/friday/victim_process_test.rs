//! Tests of the victims' process without a process.

use super::*;

fn order(logins: Vec<(String, String)>) -> Order {
    Order {
        target: ([127, 0, 0, 1], 1).into(),
        logins,
        connections: 30,
        rate_per_s: 1_000.0,
        probes_per_s: 10.0,
        seed: 1,
        window_ms: 100,
        longest_s: 5,
    }
}

#[test]
fn an_order_becomes_a_plan_that_makes_sense() {
    for logins in [Vec::new(), vec![("a".into(), "b".into())]] {
        let order = order(logins);
        let text = serde_json::to_string(&order).unwrap();
        let read: Order = serde_json::from_str(&text).unwrap();
        let plan = plan(&read);
        assert!(plan.validate().is_ok());
        assert_eq!(plan.tenants.len(), order.logins.len());
        assert!(
            !plan.spin,
            "spinning at real-time priority would take the core from all others"
        );
    }
}

#[test]
fn a_server_that_says_nothing_or_nonsense_is_a_failed_connect() {
    use std::net::TcpListener;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let serve = move |reply: &'static [u8]| {
        let listener = listener.try_clone().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 64];
            let _ = stream.read(&mut question).unwrap();
            stream.write_all(reply).unwrap();
        })
    };
    for (login, reply, is_right) in [
        (None, &b"VERSION 1\r\n"[..], true),
        (None, &b"ERROR\r\n"[..], false),
        (
            Some(&b"set a 0 0 3\r\na b\r\n"[..]),
            &b"STORED\r\n"[..],
            true,
        ),
        (
            Some(&b"set a 0 0 3\r\na b\r\n"[..]),
            &b"CLIENT_ERROR no\r\n"[..],
            false,
        ),
        (None, &b""[..], false),
    ] {
        let server = serve(reply);
        assert_eq!(connect(target, login).is_ok(), is_right, "{reply:?}");
        server.join().unwrap();
    }
}
