//! Clients are told something that they can connect to.

use super::*;

fn servers(config: &str, bound: &str) -> Vec<String> {
    of_listener(&Config::parse(config).unwrap(), bound.parse().unwrap())
}

#[test]
fn the_bound_address_unless_another_is_advertised() {
    assert_eq!(servers("", "127.0.0.1:4711"), ["127.0.0.1:4711"]);
    assert_eq!(servers("", "[::1]:4711"), ["[::1]:4711"]);
    let advertise = "[listen]\nadvertise = [\"cache.example:11212\"]";
    assert_eq!(servers(advertise, "0.0.0.0:4711"), ["cache.example:11212"]);
}

#[test]
fn all_addresses_are_told_as_the_host_s_name() {
    for bound in ["0.0.0.0:4711", "[::]:4711"] {
        let servers = servers("", bound);
        let (host, port) = servers[0].rsplit_once(':').unwrap();
        assert!(
            !host.is_empty() && !host.contains(['[', ']']) && host != "0.0.0.0",
            "{host}"
        );
        assert_eq!(port, "4711");
    }
}
