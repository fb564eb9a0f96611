"""Tenants: isolation, credentials and rights, quotas, live changes, state, and the process itself."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from harness import BINARY, Conn, Server, Suite, address, cli, eventually, like

suite = Suite("tenants", memory="512MiB")


def value_of(conn, key):
    conn.send(f"get {key}\r\n")
    head = conn.line()
    if head == b"END\r\n":
        return None
    size = int(head.split()[3])
    value = conn.take(size + 2)[:-2]
    conn.expect("END\r\n")
    return value


def store(conn, key, value):
    conn(f"set {key} 0 0 {len(value)}\r\n{value}\r\n", "STORED\r\n")


def write_without_end(conn, bytes_total, value_len=4000, prefix="w"):
    """Writes more than a tenant may hold; every answer is read."""
    value = "x" * value_len
    for batch in range(0, bytes_total // value_len, 50):
        keys = range(batch, batch + 50)
        sent = "".join(f"set {prefix}{n} 0 0 {value_len}\r\n{value}\r\n" for n in keys)
        conn(sent, "STORED\r\n" * 50)


@suite.test
def add_prints_what_a_client_needs(env):
    name = env.name("add")
    text = env.server.cli("tenant", "add", name, "--memory", "16MiB").stdout
    for word in ("MEMCACHE_SERVERS=", "MEMCACHE_USERNAME=", "MEMCACHE_PASSWORD="):
        assert word in text, text
    tenant = env.server.tenant(env.name("add"))
    assert set(tenant) == {"tenant", "servers", "username", "password"}, tenant
    assert [address(server) for server in tenant["servers"]] == [env.server.auth]
    assert len(tenant["password"]) >= 20 and " " not in tenant["password"]
    shown = env.server.cli("tenant", "show", tenant["tenant"]).stdout
    assert tenant["password"] not in shown


@suite.test
def nothing_of_one_tenant_is_seen_by_another(env):
    a, b = (env.server.tenant(env.name("iso")) for _ in range(2))
    with env.server.connect(a) as ca, env.server.connect(b) as cb, env.connect() as open_:
        store(ca, "key", "of-a")
        assert value_of(cb, "key") is None and value_of(open_, "key") is None
        cb("delete key\r\n", "NOT_FOUND\r\n")
        cb("add key 0 0 4\r\nof-b\r\n", "STORED\r\n")
        cb("incr key 1\r\n", like(rb"CLIENT_ERROR[^\r\n]*\r\n"))
        assert value_of(ca, "key") == b"of-a" and value_of(cb, "key") == b"of-b"
        assert ca.stats()["curr_items"] == "1"
        assert cb.stats()["curr_items"] == "1"
        assert ca.stats()["limit_maxbytes"] == str(16 << 20)
        before = int(cb.stats()["cmd_get"])
        for _ in range(10):
            value_of(ca, "key")
        assert int(cb.stats()["cmd_get"]) == before
        ca("stats reset\r\n", "RESET\r\n")
        assert int(cb.stats()["cmd_set"]) >= 1


@suite.test
def a_flush_empties_one_tenant_only(env):
    a, b = (env.server.tenant(env.name("flush")) for _ in range(2))
    with env.server.connect(a) as ca, env.server.connect(b) as cb:
        store(ca, "key", "a")
        store(cb, "key", "b")
        ca("flush_all\r\n", "OK\r\n")
        assert value_of(ca, "key") is None and value_of(cb, "key") == b"b"
        store(ca, "key", "a")
        env.server.cli("tenant", "flush", b["tenant"])
        assert value_of(ca, "key") == b"a" and value_of(cb, "key") is None


@suite.test
def who_writes_without_end_evicts_only_himself(env):
    a = env.server.tenant(env.name("quota"), memory="8MiB")
    b = env.server.tenant(env.name("quota"), memory="8MiB")
    with env.server.connect(a) as ca, env.server.connect(b) as cb:
        kept = {f"kept{n}": f"value-{n}" * 50 for n in range(2000)}
        for key, value in kept.items():
            cb.send(f"set {key} 0 0 {len(value)} noreply\r\n{value}\r\n")
        cb.in_step()
        write_without_end(ca, 64 << 20)
        assert int(ca.stats()["evictions"]) > 0, "A was not over its quota"
        assert int(ca.stats()["bytes"]) <= 8 << 20
        for key, value in kept.items():
            assert value_of(cb, key) == value.encode(), key
        assert cb.stats()["evictions"] == "0", cb.stats()["evictions"]


@suite.test
def both_ascii_dialects_and_sasl_log_in(env):
    tenant = env.server.tenant(env.name("login"))
    user, password = tenant["username"], tenant["password"]
    with Conn(env.server.auth) as conn:
        conn.login(tenant)
        store(conn, "k", "1")
    with Conn(env.server.auth) as conn:
        conn(f"set {user} 0 0 {len(password)}\r\n{password}\r\n", "STORED\r\n")
        assert value_of(conn, "k") == b"1"
        # The password itself is nowhere.
        assert value_of(conn, user) is None
    plain = b"\0" + user.encode() + b"\0" + password.encode()
    header = bytes([0x80, 0x21, 0, 5]) + bytes(4) + (5 + len(plain)).to_bytes(4, "big") + bytes(12)
    with Conn(env.server.auth) as conn:
        conn.send(header + b"PLAIN" + plain)
        answer = conn.take(24)
        assert answer[:2] == b"\x81\x21" and answer[6:8] == b"\0\0", answer
        conn.take(int.from_bytes(answer[8:12], "big"))
        conn.send(bytes([0x80, 0x00, 0, 1]) + bytes(4) + (1).to_bytes(4, "big") + bytes(12) + b"k")
        answer = conn.take(24)
        body = conn.take(int.from_bytes(answer[8:12], "big"))
        assert body.endswith(b"1"), (answer, body)
        # The mechanisms may still be asked for.
        conn.send(bytes([0x80, 0x20]) + bytes(22))
        answer = conn.take(24)
        body = conn.take(int.from_bytes(answer[8:12], "big"))
        assert (answer[6:8], body) == (b"\0\0", b"PLAIN"), (answer, body)


@suite.test
def a_login_and_commands_may_come_in_one_piece(env):
    tenant = env.server.tenant(env.name("login"))
    body = f"{tenant['username']} {tenant['password']}"
    with Conn(env.server.auth) as conn:
        conn(f"set auth 0 0 {len(body)}\r\n{body}\r\nset k 0 0 1\r\nx\r\nget k\r\n",
             "STORED\r\nSTORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n")
    with Conn(env.server.auth) as conn:
        for byte in f"set auth 0 0 {len(body)}\r\n{body}\r\nget k\r\n":
            conn.send(byte)
        conn.expect("STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n")


@suite.test
def a_wrong_password_gets_memcacheds_words(env):
    tenant = env.server.tenant(env.name("login"))
    body = tenant["username"] + " wrong"
    with Conn(env.server.auth) as conn:
        conn(f"set auth 0 0 {len(body)}\r\n{body}\r\n", "CLIENT_ERROR authentication failure\r\n")
    with Conn(env.server.auth) as conn:
        conn("get a\r\n", "CLIENT_ERROR unauthenticated\r\n")


@suite.test
def rotation_drops_nobody(env):
    tenant = env.server.tenant(env.name("rotate"))
    with env.server.connect(tenant) as old:
        store(old, "k", "1")
        new = json.loads(env.server.cli("tenant", "rotate", tenant["tenant"], "--json").stdout)
        assert new["password"] != tenant["password"]
        time.sleep(1.2)
        assert value_of(old, "k") == b"1"
        with env.server.connect(new) as fresh:
            assert value_of(fresh, "k") == b"1"
        # The old credential still opens connections until it is revoked.
        with env.server.connect(tenant) as again:
            assert value_of(again, "k") == b"1"


@suite.test
def revocation_closes_within_a_second(env):
    tenant = env.server.tenant(env.name("revoke"))
    name = tenant["tenant"]
    new = json.loads(env.server.cli("tenant", "rotate", name, "--json").stdout)
    idle, half_set = (env.server.connect(tenant) for _ in range(2))
    half_set.send("set k 0 0 100\r\nhalf")
    busy = env.server.connect(tenant)
    staying = env.server.connect(new)
    env.server.cli("tenant", "revoke", name, tenant["username"])
    began = time.monotonic()
    for conn in (idle, half_set):
        conn.sock.settimeout(5)
        conn.until_closed()
    try:
        while True:
            busy.send("get k\r\n")
            if not busy.line():
                break
    except OSError:
        pass
    took = time.monotonic() - began
    assert took < 1.0, f"{took:.2f} s"
    staying.in_step()
    body = f"{tenant['username']} {tenant['password']}"
    with Conn(env.server.auth) as conn:
        conn(f"set auth 0 0 {len(body)}\r\n{body}\r\n", "CLIENT_ERROR authentication failure\r\n")


@suite.test
def rights_are_kept(env):
    tenant = env.server.tenant(env.name("rights"))
    name = tenant["tenant"]
    with env.server.connect(tenant) as full:
        store(full, "k", "1")

        def credential(rights):
            done = env.server.cli("tenant", "credential", "add", name, "--rights", rights, "--json")
            return env.server.connect(json.loads(done.stdout))

        refusal = like(rb"(?:CLIENT|SERVER)_ERROR [^\r\n]*\r\n")
        with credential("read") as reader:
            assert value_of(reader, "k") == b"1"
            for command in ("set k 0 0 1\r\nx\r\n", "delete k\r\n", "incr k 1\r\n", "touch k 1\r\n",
                            "gat 1 k\r\n", "ms k 1\r\nx\r\n", "md k\r\n", "ma k\r\n", "mg k T1\r\n",
                            "flush_all\r\n"):
                reader(command, refusal)
                reader.in_step()
        with credential("write") as writer:
            store(writer, "k", "2")
            for command in ("get k\r\n", "gets k l m\r\n", "mg k v\r\n", "flush_all\r\n"):
                writer(command, refusal)
                writer.in_step()
        with credential("read,write") as both:
            store(both, "k", "3")
            assert value_of(both, "k") == b"3"
            both("flush_all\r\n", refusal)
        listed = json.loads(
            env.server.cli("tenant", "credential", "list", name, "--json").stdout
        )
        assert len(listed) == 4 and [c["primary"] for c in listed].count(True) == 1, listed
        env.server.cli("tenant", "credential", "promote", name, listed[-1]["username"])
        with credential("flush") as flusher:
            flusher("flush_all\r\n", "OK\r\n")
        assert value_of(full, "k") is None


@suite.test
def limits_change_live(env):
    tenant = env.server.tenant(env.name("limit"), memory="32MiB")
    name = tenant["tenant"]
    with env.server.connect(tenant) as conn:
        write_without_end(conn, 24 << 20)
        assert int(conn.stats()["bytes"]) > 12 << 20
        env.server.cli("tenant", "limit", name, "--memory", "8MiB")
        assert conn.stats()["limit_maxbytes"] == str(8 << 20)
        eventually(lambda: int(conn.stats()["bytes"]) <= 8 << 20, 10, "memory is given back")
        store(conn, "k", "still here")
        env.server.cli("tenant", "limit", name, "--memory", "64MiB")
        assert conn.stats()["limit_maxbytes"] == str(64 << 20)
        write_without_end(conn, 32 << 20, prefix="x")
        assert int(conn.stats()["bytes"]) > 24 << 20


@suite.test
def item_size_changes_live(env):
    tenant = env.server.tenant(env.name("item"), memory="32MiB")
    with env.server.connect(tenant) as conn:
        value = "x" * (2 << 20)
        conn(f"set k 0 0 {len(value)}\r\n{value}\r\n", "SERVER_ERROR object too large for cache\r\n")
        env.server.cli("tenant", "limit", tenant["tenant"], "--item-size", "4MiB")
        store(conn, "k", value)
        assert value_of(conn, "k") == value.encode()
        assert conn.stats("settings")["item_size_max"] == str(4 << 20)


@suite.test
def overselling_and_nonsense_are_refused(env):
    def refused(*args):
        done = env.server.cli("tenant", *args, check=False)
        assert done.returncode != 0 and done.stderr.strip(), (args, done)
        assert "panicked" not in done.stderr, done.stderr

    name = env.name("over")
    refused("add", name, "--memory", "100GiB")
    refused("add", name, "--memory", "1KiB")
    refused("add", name, "--memory", "much")
    refused("add", "Not A Name", "--memory", "16MiB")
    refused("show", name)
    refused("remove", name)
    tenant = env.server.tenant(name)
    refused("add", name, "--memory", "16MiB")
    refused("limit", name, "--memory", "100GiB")
    refused("revoke", name, "nobody")
    env.server.connect(tenant).close()


@suite.test
def removal_closes_and_forgets(env):
    tenant = env.server.tenant(env.name("remove"))
    conn = env.server.connect(tenant)
    store(conn, "k", "secret")
    env.server.cli("tenant", "remove", tenant["tenant"])
    conn.sock.settimeout(3)
    conn.until_closed()
    again = env.server.tenant(tenant["tenant"])
    assert again["password"] != tenant["password"]
    with env.server.connect(again) as fresh:
        assert value_of(fresh, "k") is None
    listed = json.loads(env.server.cli("tenant", "list", "--json").stdout)
    assert tenant["tenant"] in json.dumps(listed)


@suite.test
def the_unauthenticated_have_five_seconds(env):
    began = time.monotonic()
    with Conn(env.server.auth, timeout=12) as silent:
        silent.until_closed()
    took = time.monotonic() - began
    assert 4.0 < took < 7.0, f"{took:.1f} s"
    began = time.monotonic()
    with Conn(env.server.auth, timeout=12) as dripping:
        try:
            while True:
                dripping.send(b"s")
                time.sleep(0.2)
        except OSError:
            pass
    took = time.monotonic() - began
    assert took < 8.0, f"a dripping client had {took:.1f} s"


@suite.test
def stat_shows_live_figures(env):
    tenant = env.server.tenant(env.name("stat"))
    with env.server.connect(tenant) as conn:
        store(conn, "k", "1")
        text = env.server.cli("stat", "--tenant", tenant["tenant"], "--json").stdout
        assert "1" in text and json.loads(text), text
    assert tenant["tenant"] in env.server.cli("stat").stdout
    json.loads(env.server.cli("stat", "--json").stdout)


@suite.test
def a_thousand_changes_while_traffic_flows(env):
    """Changes of the directory reach running connections without a hitch."""
    tenant = env.server.tenant(env.name("live"))
    stopped, failures = threading.Event(), []

    def traffic():
        try:
            with env.server.connect(tenant) as conn:
                while not stopped.is_set():
                    store(conn, "k", "1")
                    assert value_of(conn, "k") == b"1"
        except Exception as why:  # noqa: BLE001: it is reported below
            failures.append(why)

    worker = threading.Thread(target=traffic)
    worker.start()
    for number in range(15):
        other = env.server.tenant(env.name("live"), memory="4MiB")
        env.server.cli("tenant", "rotate", other["tenant"])
        env.server.cli("tenant", "limit", other["tenant"], "--memory", f"{5 + number % 3}MiB")
        env.server.cli("tenant", "remove", other["tenant"])
    stopped.set()
    worker.join(20)
    assert not failures, failures[0]


# From here on each test has a server of its own.


@suite.test
def tenants_outlive_a_restart_and_a_kill(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        for how in (signal.SIGTERM, signal.SIGKILL):
            with Server(data_dir=folder) as server:
                tenant = server.tenant("keeper" + str(int(how)))
                server.stop(how)
            with Server(data_dir=folder) as server:
                with server.connect(tenant) as conn:
                    store(conn, "k", "1")


@suite.test
def state_is_backed_up_and_restored(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        data, copy = os.path.join(folder, "data"), os.path.join(folder, "copy.db")
        os.mkdir(data)
        with Server(data_dir=data) as server:
            tenant = server.tenant("saved")
            server.cli("state", "backup", copy)
            later = server.tenant("later")
            refused = server.cli("state", "restore", copy, check=False)
            assert refused.returncode != 0, "restored under a running server"
        cli("--data-dir", data, "state", "restore", copy)
        with Server(data_dir=data) as server:
            server.connect(tenant).close()
            listed = server.cli("tenant", "list").stdout
            assert "saved" in listed and "later" not in listed, listed
            assert later


@suite.test
def a_second_server_on_the_same_data_is_refused(_env):
    with Server() as server:
        command = [BINARY, "up", "--data-dir", server.data_dir, "--memory", "64MiB"]
        for flag in ("--memcache", "--memcache-auth", "--admin", "--nbd", "--status"):
            command += [flag, "127.0.0.1:0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and server.data_dir in done.stderr, done
        assert done.stdout == "", done.stdout
        server.tenant("works")


@suite.test
def sigterm_drains(_env):
    with Server() as server:
        tenant = server.tenant("drain")
        conn = server.connect(tenant)
        store(conn, "k", "1")
        idle = server.connect(tenant)
        server.process.send_signal(signal.SIGTERM)
        idle.sock.settimeout(15)
        idle.until_closed()
        assert server.process.wait(20) == 0, server.log_text()
        conn.close()


@suite.test
def a_drain_waits_for_who_goes_on_and_not_for_who_has_stalled(_env):
    with Server() as server:
        tenant = server.tenant("drain")
        going, stalled = server.connect(tenant), server.connect(tenant)
        for conn in (going, stalled):
            conn.send("set k 0 0 8\r\nhalf")
        time.sleep(0.2)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for piece in ("h", "al", "f", "\r", "\n"):
            time.sleep(0.4)
            going.send(piece)
        assert going.line() == b"STORED\r\n"
        assert server.process.wait(20) == 0, server.log_text()
        assert time.monotonic() - began < 6.0
        stalled.close()
        going.close()


@suite.test
def a_second_sigterm_stops_at_once(_env):
    with Server() as server:
        conn = server.connect(server.tenant("drain"))
        conn.send("set k 0 0 100\r\nhalf")
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        began = time.monotonic()
        if server.alive():
            server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - began < 3.0
        conn.close()


@suite.test
def the_command_line_works_without_a_server(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        done = cli("--data-dir", folder, "tenant", "add", "early", "--memory", "16MiB", "--json")
        tenant = json.loads(done.stdout)
        with Server(data_dir=folder) as server:
            server.connect(tenant).close()
        done = cli("--data-dir", folder, "stat", check=False)
        assert done.returncode != 0 and done.stderr.strip()


@suite.test
def configuration_is_checked_and_reloaded(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        good, bad = (os.path.join(folder, name) for name in ("good.toml", "bad.toml"))
        with open(good, "w") as file:
            file.write('memory = "256MiB"\n[listen]\nmemcache = "127.0.0.1:0"\n')
        with open(bad, "w") as file:
            file.write('memory = "256MiB"\n\nno_such_key = 1\n')
        cli("check-config", good)
        refused = cli("check-config", bad, check=False)
        assert refused.returncode != 0, refused
        assert "bad.toml" in refused.stderr and "3" in refused.stderr, refused.stderr
        assert "no_such_key" in refused.stderr, refused.stderr
        data = os.path.join(folder, "data")
        os.mkdir(data)
        with Server("--config", good, data_dir=data) as server:
            server.cli("reload")
            with open(good, "w") as file:
                file.write("memory = nonsense\n")
            refused = server.cli("reload", check=False)
            assert refused.returncode != 0 and "good.toml" in refused.stderr, refused
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            assert server.alive()
            server.connect(server.tenant("works")).close()


@suite.test
def the_open_listener_stays_on_loopback(_env):
    with tempfile.TemporaryDirectory(prefix="cofferdam-test-") as folder:
        done = subprocess.run(
            [BINARY, "up", "--data-dir", folder, "--memcache", "0.0.0.0:0"],
            capture_output=True, text=True, timeout=20,
        )
        assert done.returncode != 0 and "0.0.0.0" in done.stderr, done


@suite.test
def help_man_and_completions(_env):
    for args in (["--help"], ["up", "--help"], ["load", "--help"], ["man"], ["completions", "bash"],
                 ["completions", "zsh"], ["completions", "fish"], ["--version"]):
        assert cli(*args).stdout.strip(), args
    assert cli("no-such-command", check=False).returncode == 2


suite.main()
