"""Connections: their end in every state, deep pipelines, slow readers, large values, many at once."""

import contextlib
import os
import re
import socket
import tempfile
import threading
import time

from harness import Conn, Server, Suite, eventually

suite = Suite("connections", memory="1GiB")

AT_ONCE_S = 1.0


def in_states(env, tenant):
    """Connections in every state in which a peer may vanish, by the state's name."""
    value = b"x" * 1_000_000
    with env.server.connect(tenant) as conn:
        for number in range(8):
            conn(b"set s%d 0 0 %d\r\n%b\r\n" % (number, len(value), value), "STORED\r\n")
    idle = env.server.connect(tenant)
    half_line = env.server.connect(tenant)
    half_line.send("get s0 s")
    half_set = env.server.connect(tenant)
    half_set.send("set k 0 0 1000\r\nhalf")
    half_large_set = env.server.connect(tenant)
    half_large_set.send(b"set k 0 0 1000000\r\n" + b"x" * 300_000)
    stalled = env.server.connect(tenant, receive_buffer=4096)
    stalled.sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(20):
            stalled.sock.send(b"get s0 s1 s2 s3 s4 s5 s6 s7\r\n")
    unauthenticated = Conn(env.server.auth)
    half_login = Conn(env.server.auth)
    half_login.send("set auth 0 0 50\r\nus")
    return {
        "idle": idle,
        "half a line": half_line,
        "half a set": half_set,
        "half a large set": half_large_set,
        "a reader that stalled": stalled,
        "unauthenticated": unauthenticated,
        "half a login": half_login,
    }


def peers(server, conns):
    """How many of these connections the server still holds, by the kernel's table."""
    ports = {conn.sock.getsockname()[1] for conn in conns}
    return {port for port in ports if port in server_side(server)}


def server_side(server):
    """Remote ports of the established or half-closed sockets of the server's listeners."""
    own = {server.open[1], server.auth[1]}
    # At once, and not row by row: other suites fill the table, and a slow look would be late.
    with open("/proc/net/tcp", "rb") as table:
        rows = re.findall(rb"^ *\d+: \w{8}:(\w{4}) \w{8}:(\w{4}) 0[18] ", table.read(), re.M)
    return {int(remote, 16) for local, remote in rows if int(local, 16) in own}


def close_wait(server):
    own = {server.open[1], server.auth[1]}
    with open("/proc/net/tcp") as table:
        next(table)
        rows = [row.split() for row in table]
    return sum(int(row[1].split(":")[1], 16) in own and row[3] == "08" for row in rows)


@suite.test
def a_fin_closes_at_once_in_every_state(env):
    tenant = env.server.tenant(env.name("fin"), memory="32MiB")
    for name, conn in in_states(env, tenant).items():
        port = conn.sock.getsockname()[1]
        conn.close()
        eventually(lambda port=port: port not in server_side(env.server), AT_ONCE_S, f"{name} ends")
    assert close_wait(env.server) == 0


@suite.test
def a_reset_closes_at_once_in_every_state(env):
    tenant = env.server.tenant(env.name("rst"), memory="32MiB")
    before = env.server.descriptors()
    for name, conn in in_states(env, tenant).items():
        conn.reset()
    eventually(lambda: env.server.descriptors() <= before, AT_ONCE_S, "descriptors are given back")
    del name


@suite.test
def a_half_closed_peer_still_gets_its_answers(env):
    with env.connect() as conn:
        conn.send("set k 0 0 1\r\nx\r\nget k\r\nget none\r\n")
        conn.sock.shutdown(socket.SHUT_WR)
        got = conn.until_closed()
        assert got == b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\nEND\r\n", got


@suite.test
def a_half_closed_peer_that_reads_slowly_gets_all_of_it(env):
    """As `printf … | nc` does on a slow line: four seconds long something moves."""
    value = b"x" * 1_000_000
    with env.connect(receive_buffer=16384) as conn:
        conn(b"set slow 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        conn.send(b"get slow\r\n" * 4)
        conn.sock.shutdown(socket.SHUT_WR)
        received = 0
        while data := conn.sock.recv(50_000):
            received += len(data)
            time.sleep(len(data) / 1_000_000)
        wanted = 4 * (len(value) + len(b"VALUE slow 0 1000000\r\n\r\nEND\r\n"))
        assert received == wanted, f"{received} of {wanted} bytes"


@suite.test
def a_half_closed_peer_that_does_not_read_is_let_go(env):
    value = b"x" * 1_000_000
    with env.connect(receive_buffer=4096) as conn:
        conn(b"set unread 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        conn.send(b"get unread\r\n" * 8)
        conn.sock.shutdown(socket.SHUT_WR)
        port = conn.sock.getsockname()[1]
        took = eventually(lambda: port not in server_side(env.server), 1.2, "it is let go")
        assert took > 0.3, took


@suite.test
def a_hundred_thousand_gets_in_one_pipeline_to_a_slow_reader(env):
    count, value = 100_000, b"v" * 100
    with env.connect(receive_buffer=65536) as conn:
        conn(b"set deep 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        answer = b"VALUE deep 0 %d\r\n%b\r\nEND\r\n" % (len(value), value)
        before = env.server.resident_bytes()
        sent = b"get deep\r\n" * count

        def send():
            with contextlib.suppress(OSError):
                conn.sock.sendall(sent)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        time.sleep(1.0)
        grown = env.server.resident_bytes() - before
        assert grown < 32 << 20, f"grew by {grown >> 20} MiB while nobody read"
        checked, peak, total = 0, 0, count * len(answer)
        tail = b""
        while checked < total:
            data = conn.sock.recv(1 << 20)
            assert data, f"closed after {checked} of {total} bytes"
            start = checked % len(answer)
            repeated = answer * (len(data) // len(answer) + 2)
            assert repeated[start : start + len(data)] == data, f"other bytes after {checked}"
            checked += len(data)
            peak = max(peak, env.server.resident_bytes() - before)
        assert not tail and peak < 32 << 20, f"grew by {peak >> 20} MiB"
        sender.join(10)
        conn.in_step()


@suite.test
def a_deep_pipeline_of_sets_and_gets(env):
    count = 5000
    with env.connect() as conn:
        sent = b"".join(b"set p%d 0 0 6\r\n%06d\r\nget p%d\r\n" % (n, n, n) for n in range(count))
        expected = b"".join(
            b"STORED\r\nVALUE p%d 0 6\r\n%06d\r\nEND\r\n" % (n, n) for n in range(count)
        )
        sender = threading.Thread(target=conn.sock.sendall, args=(sent,), daemon=True)
        sender.start()
        conn.expect(expected)
        sender.join(10)


@suite.test
def thousand_connections_at_once(env):
    conns = []
    try:
        for number in range(1000):
            conns.append(env.connect())
        for number, conn in enumerate(conns):
            conn.send(b"set c%d 0 0 %d\r\n%d\r\n" % (number, len(str(number)), number))
        for conn in conns:
            conn.expect("STORED\r\n")
        for number, conn in enumerate(conns):
            conn.send(b"get c%d\r\n" % number)
        for number, conn in enumerate(conns):
            conn.expect(b"VALUE c%d 0 %d\r\n%d\r\nEND\r\n" % (number, len(str(number)), number))
    finally:
        for conn in conns:
            conn.close()
    eventually(lambda: close_wait(env.server) == 0, AT_ONCE_S, "no CLOSE_WAIT is left")


@suite.test
def reconnects_without_end(env):
    before = env.server.descriptors()
    for _ in range(2000):
        conn = env.connect()
        conn.send("get a\r\n")
        conn.close()
    with env.connect() as conn:
        conn.in_step()
    eventually(lambda: env.server.descriptors() <= before + 2, 2, "descriptors are given back")


@suite.test
def a_unix_socket_serves_like_tcp(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        path = os.path.join(folder, "memcache.sock")
        with Server("--unix", path) as server, Conn(path) as conn, Conn(server.open) as tcp:
            conn("set k 0 0 1\r\nx\r\n", "STORED\r\n")
            tcp("get k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n")
            value = b"y" * 900_000
            conn(b"set large 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
            conn("get large\r\n", b"VALUE large 0 %d\r\n%b\r\nEND\r\n" % (len(value), value))
        assert not os.path.exists(path), "the socket file is left behind"
        with Server("--unix", path) as server, Conn(path) as conn:
            conn.in_step()


@suite.test
def the_limit_on_connections_is_kept(_env):
    with Server("--max-connections", "20") as server:
        conns = []
        try:
            for _ in range(40):
                with contextlib.suppress(OSError):
                    conns.append(Conn(server.open, timeout=3))
            served = 0
            for conn in conns:
                with contextlib.suppress(OSError):
                    conn.send("mn\r\n")
                    served += conn.line() == b"MN\r\n"
            assert 10 <= served <= 20, f"{served} of 40 are served"
        finally:
            for conn in conns:
                conn.close()
        time.sleep(0.2)
        with Conn(server.open) as conn:
            conn.in_step()
        # The command line is exempt from the limit.
        server.cli("stat")


@suite.test
def a_tenant_that_takes_every_connection_gives_way_to_the_others(_env):
    """Alone it may have all; a tenant with fewer than its share takes those idle for longest."""
    with Server("--max-connections", "40", "--threads", "2") as server:
        crowd, other = (server.tenant(name) for name in ("crowd", "other"))
        conns = []
        try:
            for _ in range(40):
                conns.append(Conn(server.auth).login(crowd))
            conns[0].in_step()
            # Its own forty-first is told what memcached tells.
            extra = Conn(server.auth)
            extra.send(f"set a 0 0 {len(extra_login(crowd))}\r\n{extra_login(crowd)}\r\n")
            assert extra.until_closed() == b"ERROR Too many open connections\r\n"
            # The first is as good as new, so that others have been idle for longer.
            time.sleep(1.1)
            conns[0].in_step()
            others = [Conn(server.auth).login(other) for _ in range(10)]
            with Conn(server.open) as visitor:
                visitor.in_step()
            for conn in others:
                conn.in_step()
            conns[0].in_step()
            eventually(lambda: alive(conns) <= 30, AT_ONCE_S, "ten of the crowd's have gone")
            assert alive(conns) >= 28, f"{alive(conns)} of the crowd's are left"
            told = server.cli("stat", "--json").stdout
            assert '"displaced":1' in told.replace(" ", ""), told
            said = "connections of tenant crowd were closed for other tenants'"
            eventually(lambda: said in server.cli("events").stdout, 4, "an event says so")
            # Two tenants, twenty each: no more than that is taken from anybody.
            served = [Conn(server.auth) for _ in range(15)]
            for conn in served:
                body = extra_login(other)
                conn.send(f"set a 0 0 {len(body)}\r\n{body}\r\n")
            stored = sum(conn.line() == b"STORED\r\n" for conn in served)
            assert stored == 10, f"{stored} more were let in"
            eventually(lambda: alive(conns) <= 20, AT_ONCE_S, "ten more have gone")
            assert alive(conns) == 20, alive(conns)
        finally:
            for conn in conns:
                conn.close()


def extra_login(tenant):
    return f"{tenant['username']} {tenant['password']}"


def alive(conns):
    """How many of these connections the server has not ended."""
    count = 0
    for conn in conns:
        conn.sock.settimeout(0)
        try:
            count += conn.sock.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            pass
        conn.sock.settimeout(10)
    return count


@suite.test
def what_is_sent_before_a_close_counts_on_both_kinds_of_socket(_env):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.sock")
        with Server("--unix", path) as server, Conn(server.open) as watcher:
            for kind in ("tcp", "unix"):
                for number in range(50):
                    if kind == "tcp":
                        sender = socket.create_connection(server.open)
                    else:
                        sender = socket.socket(socket.AF_UNIX)
                        sender.connect(path)
                    with sender:
                        sender.sendall(f"set {kind}{number} 0 0 1 noreply\r\nx\r\n".encode())
                last = f"VALUE {kind}49 0 1\r\nx\r\nEND\r\n"
                eventually(
                    lambda: int(watcher.stats()["curr_items"]) >= (50 if kind == "tcp" else 100),
                    2,
                    f"50 values are stored over {kind}",
                )
                watcher(f"get {kind}49\r\n", last)


@suite.test
def a_full_door_admits_by_nobody_elses_password(_env):
    """Who is shed from a full door takes nobody with him, and nobody is left behind."""
    config = tempfile.NamedTemporaryFile("w", suffix=".toml")
    config.write("[limits]\nmax_unauthenticated = 2\n")
    config.flush()
    with config, Server("--config", config.name, "--threads", "1") as server:
        tenant = server.tenant("acme")
        silent = [Conn(server.auth) for _ in range(2)]
        time.sleep(0.2)
        honest = Conn(server.auth)
        time.sleep(0.2)
        stranger = Conn(server.auth)
        time.sleep(0.2)
        honest.login(tenant)
        honest("set mine 0 0 1\r\nx\r\n", "STORED\r\n")
        stranger.sock.settimeout(0.3)
        with contextlib.suppress(OSError):
            assert stranger.sock.recv(100) == b"", "an answer to somebody else"
        for conn in [*silent, stranger]:
            conn.close()
        eventually(lambda: len(server_side(server)) == 1, 2, "one connection is left")
        honest.in_step()


@suite.test
def a_value_of_a_gibibyte(_env):
    """1 GiB in and out, with no more than one copy of it in memory."""
    size = (1 << 30) - 4096
    block = os.urandom(1 << 20)
    with Server("--item-size", "1GiB", memory="3GiB") as server, Conn(server.open, timeout=60) as c:
        before = server.resident_bytes()
        c.sock.sendall(b"set huge 0 0 %d\r\n" % size)
        left = size
        while left:
            part = block[: min(left, len(block))]
            c.sock.sendall(part)
            left -= len(part)
        c.sock.sendall(b"\r\n")
        c.expect("STORED\r\n")
        grown = server.resident_bytes() - before
        assert grown < size * 1.15, f"{grown >> 20} MiB for {size >> 20} MiB"
        c.sock.sendall(b"get huge\r\n")
        c.expect(b"VALUE huge 0 %d\r\n" % size)
        left, checked = size, 0
        while left:
            part = c.take(min(left, len(block)))
            assert part == block[: len(part)] and part, f"other bytes after {checked}"
            left -= len(part)
            checked += len(part)
        c.expect("\r\nEND\r\n")
        grown = server.resident_bytes() - before
        assert grown < size * 1.15, f"{grown >> 20} MiB while sending"


@suite.test
def a_large_value_that_is_cut_leaves_nothing(env):
    tenant = env.server.tenant(env.name("cut"), memory="64MiB")
    with env.server.connect(tenant) as watcher:
        for _ in range(50):
            conn = env.server.connect(tenant)
            conn.send(b"set k 0 0 1000000\r\n" + b"x" * 600_000)
            conn.close()
        watcher("get k\r\n", "END\r\n")
        watcher("set after 0 0 1\r\nx\r\n", "STORED\r\n")
        watcher("get after\r\n", "VALUE after 0 1\r\nx\r\nEND\r\n")
        assert int(watcher.stats()["evictions"]) <= 50


suite.main()
