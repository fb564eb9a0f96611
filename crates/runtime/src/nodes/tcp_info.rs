//! What the kernel knows of a TCP connection: segments, and how many of them went twice (`TCP_INFO`).

use std::mem::size_of_val;
use std::os::fd::{AsFd, AsRawFd};

use node_proto::gate::Segments;

/// Where in `struct tcp_info` of the kernel's `linux/tcp.h` two of its fields are; it only grows at its
/// end, and what an older kernel does not fill stays zero.
const TOTAL_RETRANS_AT: usize = 100;
const DATA_SEGS_OUT_AT: usize = 156;

/// What a socket has sent; nothing if it is no TCP socket.
pub(crate) fn segments(socket: &impl AsFd) -> Segments {
    let mut info = [0u32; 64];
    let mut len = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to `info`, which has as many, and keeps no pointer.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    match answer {
        0 => Segments {
            sent: info[DATA_SEGS_OUT_AT / 4],
            resent: info[TOTAL_RETRANS_AT / 4],
        },
        _ => Segments::default(),
    }
}

#[cfg(test)]
#[path = "tcp_info_test.rs"]
mod tests;
