//! Tests of which connections have their congestion control chosen.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::*;

fn control(socket: &impl AsFd) -> Vec<u8> {
    let mut name = SockRef::from(socket).tcp_congestion().unwrap();
    name.retain(|byte| *byte != 0);
    name
}

#[test]
fn what_is_accepted_on_loopback_has_the_plainest() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    spare_on_loopback(&listener, address);
    let client = TcpStream::connect(address).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(control(&accepted), PLAINEST);
    spare_on_loopback(&client, address);
    assert_eq!(control(&client), PLAINEST);
}

#[test]
fn elsewhere_the_systems_choice_stays() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let before = control(&listener);
    spare_on_loopback(&listener, SocketAddr::from(([192, 0, 2, 1], 80)));
    assert_eq!(control(&listener), before);
}
