//! Messages as the kernel lays them out, whole, cut and strange.

use super::*;

/// A message of one socket, as `struct inet_diag_msg` has it, with a drop counter.
fn message(family: u8, state: u8, drops: Option<u32>) -> Vec<u8> {
    let mut body = vec![family, state, 0, 0];
    body.extend_from_slice(&11212u16.to_be_bytes());
    body.extend_from_slice(&40000u16.to_be_bytes());
    body.extend_from_slice(&[127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend_from_slice(&[127, 0, 3, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend_from_slice(&0u32.to_ne_bytes());
    body.extend_from_slice(&7u32.to_ne_bytes());
    body.extend_from_slice(&1u32.to_ne_bytes());
    for word in [0u32, 5, 4096, 0, 99] {
        body.extend_from_slice(&word.to_ne_bytes());
    }
    if let Some(drops) = drops {
        body.extend_from_slice(&5u16.to_ne_bytes());
        body.extend_from_slice(&8u16.to_ne_bytes());
        body.extend_from_slice(&[1, 0, 0, 0]);
        body.extend_from_slice(&40u16.to_ne_bytes());
        body.extend_from_slice(&INET_DIAG_SKMEMINFO.to_ne_bytes());
        for word in [0, 0, 0, 0, 0, 0, 0, 0, drops] {
            body.extend_from_slice(&u32::to_ne_bytes(word));
        }
    }
    framed(SOCK_DIAG_BY_FAMILY, &body)
}

fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut message = ((HEADER_LEN + body.len()) as u32).to_ne_bytes().to_vec();
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&[0; 10]);
    message.extend_from_slice(body);
    message.resize(aligned(message.len()), 0);
    message
}

fn sockets(buffer: &[u8]) -> (Vec<TcpSocket>, Result<Progress, Errno>) {
    let mut found = Vec::new();
    let progress = parse(buffer, &mut |socket| found.push(socket));
    (found, progress)
}

#[test]
fn a_socket_is_read_field_by_field() {
    let (found, progress) = sockets(&message(AF_INET, 10, Some(3)));
    let expected = TcpSocket {
        state: TcpState::Listen,
        local: "127.0.0.1:11212".parse().unwrap(),
        remote: "127.0.3.9:40000".parse().unwrap(),
        cookie: (1 << 32) | 7,
        receive_queue: 5,
        send_queue: 4096,
        drops: Some(3),
    };
    assert_eq!((found, progress), (vec![expected], Ok(Progress::More)));
}

#[test]
fn an_attempt_in_its_own_queue_is_syn_received() {
    let (found, _) = sockets(&message(AF_INET, 12, None));
    assert_eq!(
        (found[0].state, found[0].drops),
        (TcpState::SynReceived, None)
    );
}

#[test]
fn an_ipv4_peer_of_an_ipv6_socket_is_told_as_ipv4() {
    let mut buffer = message(AF_INET6, 1, None);
    let mapped = Ipv4Addr::new(10, 1, 2, 3).to_ipv6_mapped().octets();
    buffer[HEADER_LEN + 8..][..16].copy_from_slice(&mapped);
    buffer[HEADER_LEN + 24..][..16].copy_from_slice(&mapped);
    let (found, _) = sockets(&buffer);
    assert_eq!(found[0].local, "10.1.2.3:11212".parse().unwrap());
}

#[test]
fn several_messages_and_the_end() {
    let mut buffer = message(AF_INET, 8, Some(0));
    buffer.extend(framed(99, b"unknown"));
    buffer.extend(message(77, 1, None));
    buffer.extend(message(AF_INET, 1, None));
    buffer.extend(framed(NLMSG_DONE, &[0; 4]));
    buffer.extend(message(AF_INET, 1, None));
    let (found, progress) = sockets(&buffer);
    let states: Vec<TcpState> = found.iter().map(|socket| socket.state).collect();
    assert_eq!(states, [TcpState::CloseWait, TcpState::Established]);
    assert_eq!(progress, Ok(Progress::Done));
}

#[test]
fn errors_are_told() {
    let error = framed(NLMSG_ERROR, &(-22i32).to_ne_bytes());
    assert_eq!(sockets(&error).1, Err(Errno::INVAL));
    let late = framed(NLMSG_DONE, &(-12i32).to_ne_bytes());
    assert_eq!(sockets(&late).1, Err(Errno::NOMEM));
    let nonsense = framed(NLMSG_ERROR, &i32::MIN.to_ne_bytes());
    assert_eq!(sockets(&nonsense).1, Err(Errno::PROTO));
    assert_eq!(sockets(&framed(NLMSG_ERROR, &[])).1, Err(Errno::PROTO));
}

#[test]
fn cut_anywhere_or_changed_anywhere_it_is_no_more_than_not_understood() {
    let mut buffer = message(AF_INET, 10, Some(3));
    buffer.extend(message(AF_INET6, 1, Some(3)));
    for end in 0..buffer.len() {
        let _ = sockets(&buffer[..end]);
    }
    for at in 0..buffer.len() {
        for value in [0, 1, 3, 0x7f, 0xff] {
            let mut strange = buffer.clone();
            strange[at] = value;
            let _ = sockets(&strange);
        }
    }
}

#[test]
fn states_have_names_and_places() {
    for (index, state) in TcpState::ALL.into_iter().enumerate() {
        assert_eq!(state.index(), index);
        assert_eq!(TcpState::from_number(index as u8 + 1), Some(state));
    }
    assert_eq!(TcpState::from_number(0), None);
    assert_eq!(TcpState::from_number(13), None);
}

#[test]
fn a_request_says_its_length_and_its_filter() {
    let all = request(Family::V4, &[TcpState::Established], &[]);
    assert_eq!(all.len(), HEADER_LEN + 56);
    let two = request(Family::V6, &[TcpState::Listen], &[11211, 11212]);
    assert_eq!(two.len(), HEADER_LEN + 56 + 4 + 20);
    assert_eq!(u32_at(&two, 0), Some(two.len() as u32));
    assert_eq!(two[HEADER_LEN..][..4], [AF_INET6, IPPROTO_TCP, 1 << 6, 0]);
    assert_eq!(u32_at(&two, HEADER_LEN + 4), Some(1 << 10));
}

/// What the kernel does with a filter: `inet_diag_bc_run` of net/ipv4/inet_diag.c, for the two
/// instructions in use.
fn passes(filter: &[u8], port: u16) -> bool {
    let mut rest = filter.len() as i64;
    while rest > 0 {
        let at = filter.len() - rest as usize;
        let matches = match filter[at] {
            BC_SOURCE_PORT_EQ => u16_at(filter, at + 6).unwrap() == port,
            BC_JUMP => false,
            other => panic!("instruction {other}"),
        };
        rest -= match matches {
            true => i64::from(filter[at + 1]),
            false => i64::from(u16_at(filter, at + 2).unwrap()),
        };
    }
    rest == 0
}

#[test]
fn the_filter_lets_its_ports_pass_and_no_other() {
    for ports in [
        &[11211u16][..],
        &[11211, 11212],
        &[1, 65535, 11211, 11212, 8],
    ] {
        let filter = port_filter(ports);
        for port in [0, 1, 8, 9, 11210, 11211, 11212, 11213, 65535] {
            assert_eq!(
                passes(&filter, port),
                ports.contains(&port),
                "{ports:?} {port}"
            );
        }
    }
}

#[test]
fn more_ports_than_a_filter_takes_are_not_filtered() {
    let ports: Vec<u16> = (0..6000).collect();
    assert!(port_filter(&ports).is_empty());
}
