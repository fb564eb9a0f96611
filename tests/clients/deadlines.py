"""Deadlines: requests that are begun and not completed, and what may take its time all the same."""

import os
import shutil
import tempfile
import time

from harness import Conn, Server, Suite, eventually, like

suite = Suite("deadlines", server=False)

WRITER_S = 1.0


class Setting:
    """A server that gives a request one second, and each 16 KiB of a long one another."""

    def __init__(self, writer_s=WRITER_S, reader_s=30):
        self.writer_s, self.reader_s = writer_s, reader_s

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-deadlines-")
        config = os.path.join(self.folder, "cofferdam.toml")
        with open(config, "w") as text:
            text.write(f'[limits]\nstalled_writer_timeout = "{self.writer_s}s"\n'
                       f'stalled_reader_timeout = "{self.reader_s}s"\n')
        self.server = Server("--config", config)
        return self.server

    def __exit__(self, *_):
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)


def lived(conn, send=b"", every=None):
    """Seconds until the server closes; sends a byte `every` so often meanwhile."""
    began = time.monotonic()
    conn.sock.settimeout(every or 10.0)
    while time.monotonic() - began < 10.0:
        try:
            if conn.sock.recv(100) == b"":
                break
        except TimeoutError:
            conn.sock.send(send)
        except ConnectionError:
            break
    return time.monotonic() - began


@suite.test
def a_request_that_is_begun_and_not_completed_ends_its_connection():
    begun = (b"get k", b"set k 0 0 10\r\nhalf", b"set k 0 0 1000000\r\n" + b"x" * 300_000,
             b"\x80\x01\x00\x01", b"ms k 5\r\nab", b"get " + b"k " * 500)
    with Setting() as server:
        for data in begun:
            with Conn(server.open) as conn:
                conn.in_step()
                conn.send(data)
                took = lived(conn)
                assert 0.5 * WRITER_S < took < 3 * WRITER_S, (data[:20], took)


@suite.test
def single_bytes_win_no_time():
    with Setting() as server, Conn(server.open) as conn:
        conn.send(b"set k 0 0 1000\r\n")
        assert lived(conn, b"x", 0.1) < 3 * WRITER_S


@suite.test
def a_long_request_that_goes_on_is_completed():
    with Setting() as server, Conn(server.open) as conn:
        conn.send(b"set k 0 0 400000\r\n")
        for _ in range(10):
            time.sleep(0.3)
            conn.send(b"x" * 40_000)
        conn("\r\n", "STORED\r\n")
        conn.in_step()


@suite.test
def who_does_not_read_has_the_time_of_readers_whatever_he_was_given_before():
    with Setting(writer_s=20, reader_s=1) as server, Conn(server.open) as other:
        value = b"x" * 1_000_000
        other(b"set big 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        before = server.descriptors()
        with Conn(server.open, receive_buffer=4096) as conn:
            # A request that comes in two parts is waited for, for 20 s at most.
            conn.send("set k 0 0 10\r\nfirst")
            time.sleep(0.2)
            conn("later\r\n", "STORED\r\n")
            conn.send("get big big big big\r\n")
            took = eventually(lambda: server.descriptors() == before, 10, "it is let go")
            assert took > 0.5, took


@suite.test
def whoever_is_between_requests_stays():
    with Setting() as server, Conn(server.open) as conn:
        for _ in range(3):
            # In two pieces, each time.
            conn.send("set k 0 0 5\r\nhe")
            time.sleep(0.5)
            conn("llo\r\n", "STORED\r\n")
            time.sleep(0.7)
        time.sleep(1.5 * WRITER_S)
        conn.in_step()


@suite.test
def whoever_is_held_up_by_his_tenant_s_limit_stays():
    with Setting() as server:
        tenant = server.tenant("slow")
        server.cli("tenant", "limit", "slow", "--bytes-in", "1KiB", "--burst", "10ms",
                   "--max-delay-ms", "4000")
        with server.connect(tenant) as conn:
            # All of it is sent at once; that it is not read for a while is the limit's doing.
            conn.send(b"set k 0 0 60000\r\n" + b"x" * 60_000 + b"\r\n")
            conn.expect(like(rb"(NOT_)?STORED\r\n"))


@suite.test
def what_was_begun_stores_nothing_and_leaves_nothing():
    with Setting() as server:
        before = server.descriptors()
        with Conn(server.open) as conn:
            conn.send(b"set k 0 0 1000000\r\n" + b"x" * 500_000)
            lived(conn)
        eventually(lambda: server.descriptors() <= before, 2.0, "its descriptor is given back")
        with Conn(server.open) as conn:
            conn("get k\r\n", "END\r\n")


suite.main()
