//! Congestion control where nothing can be congested.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::SockRef;

/// What every kernel has and lets anybody choose (tcp(7), `TCP_CONGESTION`).
const PLAINEST: &[u8] = b"reno";

/// Over loopback packets are handed on in memory: what models the path and paces by it, as BBR does where
/// it is the system's default, spends timers and arithmetic on nothing (4 to 5 % of a request, if both ends
/// leave it; one end alone gains nothing, for each works at what the other has). `address` is that of
/// either end; over any other the system's choice stays, as it does if the kernel refuses.
pub(crate) fn spare_on_loopback(socket: &impl AsFd, address: SocketAddr) {
    if address.ip().is_loopback() {
        let _ = SockRef::from(socket).set_tcp_congestion(PLAINEST);
    }
}

#[cfg(test)]
#[path = "congestion_test.rs"]
mod tests;
