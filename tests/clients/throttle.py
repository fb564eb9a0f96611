"""Clients under throttling: none times out, none connects anew, none reads what is stale."""

import json
import threading
import time

from harness import Conn, Suite, eventually
from pymemcache.client.base import Client

# One loop, so that all of a tenant's connections meet.
suite = Suite("throttle", "--threads", "1", memory="256MiB")

# What common clients wait for an answer.
TIMEOUT_S = 0.5
SECONDS = 2.5


def figures(env, tenant):
    done = env.server.cli("stat", "--tenant", tenant["tenant"], "--json")
    return json.loads(done.stdout)["tenants"][0]["clients"]


def throttled(env, name, *flags):
    tenant = env.server.tenant(env.name(name))
    env.server.cli("tenant", "limit", tenant["tenant"], *flags)
    return tenant


class LoginClient(Client):
    def __init__(self, env, tenant):
        self.body = f"{tenant['username']} {tenant['password']}".encode()
        super().__init__(env.server.auth, timeout=TIMEOUT_S, connect_timeout=2, default_noreply=False)

    def _connect(self):
        super()._connect()
        self.sock.sendall(b"set auth 0 0 %d\r\n%b\r\n" % (len(self.body), self.body))
        assert self.sock.recv(100) == b"STORED\r\n"


def side_by_side(count, work):
    """What went wrong in any of the threads."""
    errors = []

    def run(number):
        try:
            work(number, time.monotonic() + SECONDS)
        except Exception as error:  # Whatever a client raises is a reason to connect anew.
            errors.append(repr(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@suite.test
def pymemcache_under_a_rate_far_too_low_neither_fails_nor_reconnects(env):
    tenant = throttled(env, "pyme", "--ops", "100", "--burst", "10ms")

    def work(number, end):
        client = LoginClient(env, tenant)
        key = f"k{number}"
        while time.monotonic() < end:
            client.set(key, b"1")
            client.get_many([key, "other", "third"])
            client.incr(key, 1)
            client.touch(key, 100)
            client.append(key, b"2")
            client.add(key, b"3")
            client.replace(key, b"4")
            client.cas(key, b"5", b"1")
            client.delete(key)

    errors = side_by_side(40, work)
    assert not errors, errors[:3]
    now = figures(env, tenant)
    assert now["connections_total"] == 40, now
    assert now["reads_refused"] > 0 and now["writes_refused"] > 0, now


@suite.test
def a_client_of_meta_commands_under_a_rate_far_too_low_is_answered_in_time(env):
    tenant = throttled(env, "meta", "--ops", "100", "--burst", "10ms")

    def work(number, end):
        with env.server.connect(tenant) as conn:
            conn.sock.settimeout(TIMEOUT_S)
            while time.monotonic() < end:
                conn.send(f"ms k{number} 1\r\nx\r\n")
                assert conn.line() in (b"HD\r\n", b"NS\r\n")
                conn.send(f"mg k{number} v\r\n")
                if conn.line() != b"EN\r\n":
                    assert conn.line() == b"x\r\n"
                conn.send(f"md k{number}\r\n")
                assert conn.line() in (b"HD\r\n", b"NF\r\n")

    errors = side_by_side(40, work)
    assert not errors, errors[:3]
    assert figures(env, tenant)["connections_total"] == 40


@suite.test
def a_change_that_is_refused_leaves_nothing_stale_and_a_removal_is_never_refused(env):
    tenant = throttled(env, "stale", "--weight", "100")
    with env.server.connect(tenant) as conn, env.server.connect(tenant) as flood:
        for key in ("one", "two", "three"):
            conn(f"set {key} 0 0 3\r\nold\r\n", "STORED\r\n")
        env.server.cli("tenant", "limit", tenant["tenant"], "--ops", "1", "--burst", "1ms")
        flood.send("get x\r\n" * 5)
        time.sleep(0.05)
        conn.send("get x\r\nset one 0 0 3\r\nnew\r\ndelete two\r\nincr three 1\r\n")
        answers = [conn.line() for _ in range(4)]
        assert answers == [b"END\r\n", b"NOT_STORED\r\n", b"DELETED\r\n", b"NOT_FOUND\r\n"], answers
        env.server.cli("tenant", "limit", tenant["tenant"], "--ops", "none")
        time.sleep(0.3)
        conn("get one two three\r\n", "END\r\n")


@suite.test
def paused_clients_that_go_away_are_noticed_at_once(env):
    tenant = throttled(
        env, "gone", "--ops", "1", "--burst", "1ms", "--max-delay-ms", "10000"
    )
    conns = [env.server.connect(tenant) for _ in range(50)]
    for conn in conns:
        conn.send("get k\r\n" * 20)
    eventually(lambda: figures(env, tenant)["paused"] > 0, 2, "the tenant is paused")
    ports = {conn.sock.getsockname()[1] for conn in conns}
    for conn in conns:
        conn.close()
    time.sleep(0.5)
    left = close_waits(env.server.auth[1], ports)
    assert not left, f"{len(left)} connections wait to be closed"
    assert figures(env, tenant)["connections"] == 0


def close_waits(port, peers):
    """The peers' ports of connections to `port` whose client has closed."""
    found = set()
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            local, remote, state = line.split()[1:4]
            if state == "08" and int(local.split(":")[1], 16) == port:
                found.add(int(remote.split(":")[1], 16))
    return found & peers


@suite.test
def a_client_that_does_not_read_makes_only_its_own_tenant_wait(env):
    slow = throttled(env, "slow", "--inflight-bytes", "100KiB", "--max-delay-ms", "5000")
    beside = env.server.tenant(env.name("beside"))
    with env.server.connect(slow) as conn, env.server.connect(beside) as other:
        value = "x" * 1_000_000
        conn(f"set k 0 0 {len(value)}\r\n{value}\r\n", "STORED\r\n")
        stalled = env.server.connect(slow, receive_buffer=4096)
        stalled.send("get k\r\n" * 20)
        eventually(lambda: figures(env, slow)["inflight_bytes"] > 100_000, 5, "bytes pile up")
        conn.sock.settimeout(0.3)
        conn.send("get none\r\n")
        assert conn.line() == b"", "it is served beside bytes that nobody reads"
        other("get none\r\n", "END\r\n")
        stalled.close()
        conn.sock.settimeout(5)
        assert conn.line() == b"END\r\n"


@suite.test
def clients_that_connect_and_ask_for_nothing_are_told_apart(env):
    tenant = env.server.tenant(env.name("idle"))
    for _ in range(5):
        env.server.connect(tenant).close()
    with env.server.connect(tenant) as conn:
        conn("get k\r\n", "END\r\n")
    eventually(lambda: figures(env, tenant)["connections"] == 0, 2, "all are closed")
    now = figures(env, tenant)
    assert (now["connections_total"], now["connections_unused"]) == (6, 5), now


suite.main()
