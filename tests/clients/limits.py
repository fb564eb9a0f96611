"""`tenant limit`: what it takes, refuses, shows, keeps, and puts in force on connections that are open."""

import contextlib
import json
import os
import shutil
import tempfile
import time

from harness import Conn, Server, Suite, cli

suite = Suite("limits", memory="256MiB")

FLAGS = {
    "--ops": ("1000", "ops_per_second", 1000),
    "--bytes-in": ("1MiB", "bytes_in_per_second", 1 << 20),
    "--bytes-out": ("2MiB", "bytes_out_per_second", 2 << 20),
    "--burst": ("500ms", "burst_ms", 500),
    "--weight": ("200", "weight", 200),
    "--connections": ("50", "connections", 50),
    "--connects-per-second": ("20", "connects_per_second", 20),
    "--inflight-bytes": ("8MiB", "inflight_bytes", 8 << 20),
    "--max-delay-ms": ("50", "max_delay_ms", 50),
}
# For gateways of a fleet alone.
UNLIMITED = {field: None for _, field, _ in FLAGS.values()} | {"hot_keys_ms": None}
UNLIMITED.update(burst_ms=1000, weight=100, max_delay_ms=200)


def limit(env, tenant, *flags):
    """What is in force afterwards."""
    done = env.server.cli("tenant", "limit", tenant, *flags, "--json")
    return json.loads(done.stdout)["traffic"]


def shown(server, tenant):
    return json.loads(server.cli("tenant", "show", tenant, "--json").stdout)["traffic"]


@suite.test
def a_new_tenant_has_no_limits(env):
    tenant = env.server.tenant(env.name("new"))["tenant"]
    assert shown(env.server, tenant) == UNLIMITED


@suite.test
def every_limit_is_set_by_its_flag_alone_and_taken_away_by_none(env):
    tenant = env.server.tenant(env.name("each"))["tenant"]
    for flag, (text, field, value) in FLAGS.items():
        assert limit(env, tenant, flag, text) == {**UNLIMITED, field: value}, flag
        assert limit(env, tenant, flag, "none") == UNLIMITED, flag


@suite.test
def all_are_set_at_once_with_memory_and_shown(env):
    tenant = env.server.tenant(env.name("all"))["tenant"]
    flags = [word for flag, (text, _, _) in FLAGS.items() for word in (flag, text)]
    done = env.server.cli("tenant", "limit", tenant, "--memory", "32MiB", *flags, "--json")
    view = json.loads(done.stdout)
    assert view["memory_bytes"] == 32 << 20
    assert view["traffic"] == {**UNLIMITED, **{field: value for _, field, value in FLAGS.values()}}, view
    text = env.server.cli("tenant", "show", tenant).stdout
    for word in ("1000", "1MiB", "2MiB", "500ms", "200", "50ms", "8MiB"):
        assert word in text, text
    row = [line for line in env.server.cli("tenant", "list").stdout.splitlines() if tenant in line]
    assert "1000 ops/s" in row[0] and "50 connections" in row[0], row
    listed = json.loads(env.server.cli("tenant", "list", "--json").stdout)
    (own,) = [view for view in listed if view["tenant"] == tenant]
    assert own["traffic"]["weight"] == 200, own


@suite.test
def what_is_out_of_bounds_is_refused_and_changes_nothing(env):
    tenant = env.server.tenant(env.name("bad"))["tenant"]
    for flag, value, word in (
        ("--ops", "0", "1000000000"),
        ("--bytes-in", "1000", "1KiB"),
        ("--bytes-out", "2000TiB", "1TiB"),
        ("--burst", "61s", "1m"),
        ("--weight", "10001", "10000"),
        ("--connections", "0", "none"),
        ("--connects-per-second", "2000000", "1000000"),
        ("--inflight-bytes", "1KiB", "64KiB"),
        ("--max-delay-ms", "10001", "10000"),
        ("--hot-keys", "500ms", "gateways of a fleet"),
    ):
        both = ("--memory", "32MiB", flag, value)
        done = env.server.cli("tenant", "limit", tenant, *both, check=False)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, (flag, done)
        assert flag in done.stderr and word in done.stderr and tenant in done.stderr, done.stderr
    for flag, value in (("--ops", "many"), ("--bytes-in", "1MB"), ("--memory", "none")):
        done = env.server.cli("tenant", "limit", tenant, flag, value, check=False)
        assert done.returncode == 2, (flag, done)
    assert env.server.cli("tenant", "limit", tenant, check=False).returncode == 2
    view = json.loads(env.server.cli("tenant", "show", tenant, "--json").stdout)
    assert view["memory_bytes"] == 16 << 20 and view["traffic"] == UNLIMITED, view


@suite.test
def default_is_limited_in_all_but_memory(env):
    assert limit(env, "default", "--weight", "50")["weight"] == 50
    for flags in (("--memory", "32MiB"), ("--item-size", "2MiB", "--ops", "5")):
        done = env.server.cli("tenant", "limit", "default", *flags, check=False)
        assert done.returncode == 1 and "default" in done.stderr, done
    assert limit(env, "default", "--weight", "none") == UNLIMITED


@suite.test
def limits_outlive_a_restart_a_backup_and_a_daemon_that_does_not_run(_env):
    folder = tempfile.mkdtemp(prefix="cofferdam-test-")
    copy = f"{folder}-copy"
    try:
        with Server(data_dir=folder) as server:
            server.tenant("acme")
            server.cli("tenant", "limit", "acme", "--ops", "7")
            server.cli("tenant", "limit", "default", "--connections", "9")
            server.cli("state", "backup", copy)
        done = cli("--data-dir", folder, "tenant", "limit", "acme", "--weight", "3", "--json")
        assert json.loads(done.stdout)["traffic"]["ops_per_second"] == 7, done
        with Server(data_dir=folder) as server:
            assert shown(server, "acme") == {**UNLIMITED, "ops_per_second": 7, "weight": 3}
            assert shown(server, "default") == {**UNLIMITED, "connections": 9}
        cli("--data-dir", folder, "state", "restore", copy)
        with Server(data_dir=folder) as server:
            assert shown(server, "acme") == {**UNLIMITED, "ops_per_second": 7}
            server.cli("tenant", "remove", "acme")
            server.tenant("acme")
            assert shown(server, "acme") == UNLIMITED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.remove(copy)


@suite.test
def changes_reach_open_connections_without_closing_them(env):
    tenant = env.server.tenant(env.name("live"))
    with env.server.connect(tenant) as conn:
        for flags in (("--weight", "1"), ("--ops", "1000000"), ("--max-delay-ms", "1"), ("--ops", "none")):
            env.server.cli("tenant", "limit", tenant["tenant"], *flags)
            conn("set k 0 0 1\r\nv\r\nget k\r\n", "STORED\r\nVALUE k 0 1\r\nv\r\nEND\r\n")


@suite.test
def the_connection_above_the_limit_waits_for_a_place(env):
    tenant = env.server.tenant(env.name("conns"))
    env.server.cli("tenant", "limit", tenant["tenant"], "--connections", "2")
    first, second = (env.server.connect(tenant) for _ in range(2))
    third = Conn(env.server.auth)
    body = f"{tenant['username']} {tenant['password']}"
    third.send(f"set auth 0 0 {len(body)}\r\n{body}\r\n")
    third.sock.settimeout(0.5)
    assert third.line() == b"", "the third is let in beside two"
    third.sock.settimeout(10)
    first.close()
    assert third.line() == b"STORED\r\n"
    third("get k\r\n", "END\r\n")
    env.server.cli("tenant", "limit", tenant["tenant"], "--connections", "none")
    with env.server.connect(tenant) as more:
        more("get k\r\n", "END\r\n")
    for conn in (second, third):
        conn("get k\r\n", "END\r\n")
        conn.close()


@suite.test
def a_rate_paces_a_client_and_refuses_nothing_that_waits_briefly(env):
    tenant = env.server.tenant(env.name("pace"))
    env.server.cli("tenant", "limit", tenant["tenant"], "--ops", "200", "--burst", "100ms")
    with env.server.connect(tenant) as conn:
        conn("set k 0 0 1\r\nv\r\n", "STORED\r\n")
        began = time.monotonic()
        for _ in range(200):
            conn("get k\r\n", "VALUE k 0 1\r\nv\r\nEND\r\n")
        took = time.monotonic() - began
        assert 0.7 < took < 5, f"200 requests at 200 a second took {took:.2f} s"
        env.server.cli("tenant", "limit", tenant["tenant"], "--ops", "none")
        began = time.monotonic()
        for _ in range(200):
            conn("get k\r\n", "VALUE k 0 1\r\nv\r\nEND\r\n")
        assert time.monotonic() - began < took / 2, "the limit is gone"
    stat = json.loads(env.server.cli("stat", "--tenant", tenant["tenant"], "--json").stdout)
    clients = stat["tenants"][0]["clients"]
    assert clients["pauses"] > 0 and clients["reads_refused"] == 0, clients
    text = env.server.cli("stat", "--tenant", tenant["tenant"]).stdout
    assert "paused" in text and "refused" in text, text


@suite.test
def a_flood_over_the_rate_is_answered_with_misses_on_an_open_connection(env):
    tenant, beside = (env.server.tenant(env.name("flood")) for _ in range(2))
    env.server.cli("tenant", "limit", tenant["tenant"], "--ops", "1000", "--burst", "10ms")
    with env.server.connect(tenant) as conn, env.server.connect(beside) as other:
        conn("set k 0 0 1\r\nv\r\n", "STORED\r\n")
        asked = 10_000
        conn.send("get k\r\n" * asked + "version\r\n")
        began = time.monotonic()
        other("set k 0 0 1\r\nw\r\nget k\r\n", "STORED\r\nVALUE k 0 1\r\nw\r\nEND\r\n")
        assert time.monotonic() - began < 2, "its neighbour does not wait"
        ends = hits = 0
        while True:
            line = conn.line()
            if line.startswith(b"VERSION") or not line:
                break
            ends += line == b"END\r\n"
            hits += line == b"v\r\n"
        took = time.monotonic() - began
        assert ends == asked, f"{ends} of {asked} were answered"
        assert 0 < hits < asked, f"{hits} hits"
        assert took < 8, f"refusals take {took:.2f} s"
    stat = json.loads(env.server.cli("stat", "--tenant", tenant["tenant"], "--json").stdout)
    clients = stat["tenants"][0]["clients"]
    assert clients["reads_refused"] == asked - hits, (clients, hits)


suite.main()
