"""The PROXY protocol: whom a balancer's connections are counted for, and what is refused."""

import os
import shutil
import socket
import struct
import tempfile
import time

from harness import Conn, Server, Suite, eventually

suite = Suite("proxy", server=False)

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(source="203.0.113.7", port=4711, command=0x21, more=b""):
    """A header that names an IPv4 or IPv6 client."""
    if ":" in source:
        family, kind = 0x21, socket.AF_INET6
        destination = "::1"
    else:
        family, kind = 0x11, socket.AF_INET
        destination = "10.0.0.1"
    body = socket.inet_pton(kind, source) + socket.inet_pton(kind, destination)
    body += struct.pack("!HH", port, 11211) + more
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(body)) + body


class Setting:
    """A server that takes all of loopback, or another network, for balancers."""

    def __init__(self, networks='"127.0.0.0/8"', more=""):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-proxy-")
        config = os.path.join(self.folder, "cofferdam.toml")
        with open(config, "w") as text:
            text.write(f"[listen]\nproxy_protocol_from = [{networks}]\n{more}")
        self.config = config

    def __enter__(self):
        self.server = Server("--config", self.config)
        return self.server

    def __exit__(self, *_):
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)


def peers(conn):
    """The addresses that `stats conns` tells."""
    return {value for name, value in conn.stats("conns").items() if name.endswith(":addr")}


def server_closes(conn):
    assert conn.until_closed() == b""


@suite.test
def the_client_that_the_header_names_is_the_source():
    with Setting() as server:
        with Conn(server.open) as conn:
            conn.send(header())
            conn.in_step()
            assert "tcp:203.0.113.7:4711" in peers(conn), peers(conn)
        with Conn(server.open) as conn:
            conn.send(header("2001:db8::9", 5) + b"mn\r\n")
            conn.expect("MN\r\n")
            assert "tcp6:[2001:db8::9]:5" in peers(conn), peers(conn)


@suite.test
def tenants_authenticate_behind_a_header():
    with Setting() as server:
        tenant = server.tenant("acme")
        with Conn(server.auth) as conn:
            conn.send(header(more=b"\x02\x00\x05a.b.c"))
            conn.login(tenant)("set k 0 0 1\r\nx\r\n", "STORED\r\n")
            assert "tcp:203.0.113.7:4711" in peers(conn)


@suite.test
def a_header_may_come_in_single_bytes():
    with Setting() as server, Conn(server.open) as conn:
        for byte in header():
            conn.send(bytes([byte]))
            time.sleep(0.002)
        conn("set k 0 0 1\r\nx\r\n", "STORED\r\n")
        conn.in_step()


@suite.test
def a_header_for_nobody_leaves_the_balancer_as_the_source():
    with Setting() as server:
        for start in (SIGNATURE + b"\x20\x00\x00\x00", SIGNATURE + b"\x21\x00\x00\x03abc"):
            with Conn(server.open) as conn:
                conn.send(start)
                conn.in_step()
                own = "tcp:%s:%d" % conn.sock.getsockname()
                assert own in peers(conn), peers(conn)


@suite.test
def a_balancer_that_sends_anything_else_is_closed():
    with Setting() as server:
        for data in (b"get k\r\n", b"PROXY TCP4 1.2.3.4 10.0.0.1 1 2\r\nget k\r\n", b"\x80" * 24,
                     SIGNATURE + b"\x11\x11\x00\x0c" + b"\0" * 12,
                     SIGNATURE + b"\x21\x11\x00\x04" + b"\0" * 4,
                     SIGNATURE + b"\x21\x11\xff\xff"):
            for where in (server.open, server.auth):
                with Conn(where) as conn:
                    conn.send(data)
                    server_closes(conn)
        assert "PROXY protocol header" in server.log_text()
        assert server.failed_connections()["proxy"] == 12


@suite.test
def a_header_that_does_not_come_has_the_deadline_of_the_door():
    with Setting(more='[limits]\nauth_timeout = "500ms"\n') as server:
        for where in (server.open, server.auth):
            for begun in (b"", header()[:20]):
                with Conn(where) as conn:
                    began = time.monotonic()
                    if begun:
                        conn.send(begun)
                    server_closes(conn)
                    assert 0.3 < time.monotonic() - began < 5.0


@suite.test
def an_end_within_a_header_closes_at_once():
    with Setting() as server:
        before = server.descriptors()
        for _ in range(10):
            with Conn(server.open) as conn:
                conn.send(header()[:10])
        eventually(lambda: server.descriptors() <= before, 1.0, "they are closed")


@suite.test
def nobody_else_may_send_a_header():
    with Setting('"192.0.2.0/24"') as server:
        with Conn(server.open) as conn:
            conn.in_step()
        with Conn(server.open) as conn:
            # It is no command: the protocol's own answer, and no source is believed.
            conn.send(header() + b"mn\r\n")
            assert b"ERROR" in conn.line() + conn.line() + conn.line()
            with Conn(server.open) as other:
                assert not any("203.0.113.7" in peer for peer in peers(other))


@suite.test
def the_door_counts_the_source_that_is_named():
    limits = "[limits]\nmax_unauthenticated_per_source = 4\nmax_unauthenticated = 100\n"
    with Setting(more=limits) as server:
        one = [Conn(server.auth) for _ in range(8)]
        for conn in one:
            conn.send(header("203.0.113.7"))
        # The oldest of that source had to go, and only of that.
        for conn in one[:4]:
            server_closes(conn)
        many = [Conn(server.auth) for _ in range(8)]
        for number, conn in enumerate(many):
            conn.send(header(f"198.51.100.{number}"))
        tenant = server.tenant("acme")
        for conn in many:
            conn.login(tenant).in_step()
        for conn in one + many:
            conn.close()


suite.main()
