//! What a million clients may cost.

use crate::clients::client_len;
use crate::network::Socket;

#[test]
fn a_client_and_its_connection_fit_200_bytes() {
    let len = client_len() + size_of::<Socket>();
    assert!(len <= 200, "{len} bytes");
}
