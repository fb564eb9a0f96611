"""What an operator sees: metrics that promtool accepts, health, events, JSON logs, the service manager."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BINARY, ROOT, Conn, Server, Skipped, Suite, cli, eventually

# Most of them wait for what takes its time, each at a server of its own.
suite = Suite("observe", memory="256MiB", workers=3)


def get(server, path, token=True):
    """Status, content type and body."""
    connection = http.client.HTTPConnection(*server.admin, timeout=45)
    headers = {}
    if token:
        with open(os.path.join(server.data_dir, "admin.token")) as file:
            headers["Authorization"] = "Bearer " + file.read().strip()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, answer.getheader("content-type"), answer.read().decode()


def scrape(server):
    """Every sample by its name and labels."""
    status, _, page = get(server, "/metrics")
    assert status == 200, page
    samples = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = float(value)
    return samples


def events(server, *flags):
    """All events so far."""
    printed = server.cli("events", "--json", "-n", "100000", *flags).stdout
    return [json.loads(line) for line in printed.splitlines()]


def await_event(server, kind, state=None, within=20, **fields):
    """The first event of this kind."""
    found = []

    def is_there():
        wanted = {"event": kind, **fields}
        if state:
            wanted["state"] = state
        found[:] = [e for e in events(server) if wanted.items() <= e.items()]
        return found

    eventually(is_there, within, f"an event {kind} {state or ''}")
    return found[0]


def repeat(seconds, work):
    """Does the work again and again for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        work()


@suite.test
def promtool_accepts_the_page_without_a_word(env):
    if not shutil.which("promtool"):
        raise Skipped("promtool is not there: install Debian's package prometheus")
    tenant = env.server.tenant(env.name("prom"))
    with env.server.connect(tenant) as conn:
        conn("set k 0 0 1\r\nv\r\n", "STORED\r\n")
    status, kind, page = get(env.server, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8"), (status, kind)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 and not said.strip(), said


def by_socket(data_dir, path):
    """An answer of the admin API, asked through the socket in its folder."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(os.path.join(data_dir, "admin.sock"))
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        return answer.read().decode()


@suite.test
def promtool_accepts_the_pages_of_all_other_processes_too(env):
    if not shutil.which("promtool"):
        raise Skipped("promtool is not there: install Debian's package prometheus")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        log = stack.enter_context(open(os.path.join(folder, "log"), "w+"))

        def start(role, text):
            data_dir = os.path.join(folder, role)
            config = data_dir + ".toml"
            with open(config, "w") as file:
                file.write(f'data_dir = "{data_dir}"\n{text}')
            process = subprocess.Popen([BINARY, role, "--config", config],
                                       stdout=subprocess.PIPE, stderr=log, text=True)
            stack.callback(process.stdout.close)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            ready = process.stdout.readline()
            assert ready.startswith("ready"), (ready, open(log.name).read())
            return data_dir, ready

        off = 'admin = "off"\n'
        node, ready = start("node", f'memory = "64MiB"\n[listen]\n{off}[fleet]\nname = "node1"\n'
                            'plaintext = true\nmember = 1\nlisten = "127.0.0.1:0"\n')
        node_addr = re.search(r"addr=(\S+)", ready).group(1)
        gateway, _ = start("gateway", f'[listen]\n{off}memcache = "127.0.0.1:0"\n'
                           'memcache_auth = "127.0.0.1:0"\nnbd = "off"\nstatus = "off"\n'
                           'tenant_console = "off"\n[fleet]\nname = "gateway1"\nplaintext = true\n'
                           f'member = 101\nnodes = [{{ member = 1, name = "node1", addr = "{node_addr}" }}]\n')
        password = os.path.join(folder, "password")
        with open(password, "w") as file:
            file.write("wrong")
        status, ready = start("status", '[listen]\nstatus = "127.0.0.1:0"\n[[status.gateways]]\n'
                              f'name = "Cache"\naddress = "{env.server.ready["memcache_auth"]}"\n'
                              f'username = "canary"\npassword_file = "{password}"\n')
        pages = {"node": by_socket(node, "/metrics"), "gateway": by_socket(gateway, "/metrics")}
        connection = http.client.HTTPConnection(ready.split("=", 1)[1].strip(), timeout=20)
        for token, code in (("wrong", 401), (open(os.path.join(status, "status.token")).read().strip(), 200)):
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            pages["status"] = answer.read().decode()
            assert answer.status == code, pages
        connection.close()
        with open(os.path.join(ROOT, "docs", "metrics.md")) as file:
            documented = set(re.findall(r"^\| `([a-z_0-9]+)` \|", file.read(), re.M))
        for role, page in pages.items():
            done = subprocess.run(["promtool", "check", "metrics"], input=page,
                                  capture_output=True, text=True, timeout=60)
            said = done.stdout + done.stderr
            assert done.returncode == 0 and not said.strip(), (role, said)
            told = set(re.findall(r"^# TYPE (\S+) ", page, re.M))
            assert told <= documented, (role, told - documented)
            assert {"process_open_fds", "cofferdam_build_info", "cofferdam_host_cpus"} <= told, (role, told)


@suite.test
def every_metric_is_in_the_reference_and_every_reference_is_true(env):
    with open(os.path.join(ROOT, "docs", "metrics.md")) as file:
        documented = dict(re.findall(r"^\| `([a-z_0-9]+)` \| (counter|gauge|histogram) ", file.read(), re.M))
    _, _, page = get(env.server, "/metrics")
    told = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
    unknown = {name: kind for name, kind in told.items() if documented.get(name) != kind}
    assert not unknown, unknown
    # What this kernel does not tell may be missing, what members of a fleet and status pages tell alone, and
    # what is said of certificates where there are none; all else not.
    apart = ("_host_", "_volume_", "_fleet_", "_node_", "_gate_", "_certificate_", "_status_")
    missing = [name for name in documented if name not in told and not any(part in name for part in apart)]
    assert not missing, missing


@suite.test
def metrics_and_events_need_the_token_and_health_does_not(env):
    for path, status in (("/metrics", 401), ("/v1/events", 401), ("/livez", 200), ("/readyz", 200)):
        got, _, _ = get(env.server, path, token=False)
        assert got == status, (path, got)


@suite.test
def what_a_tenant_does_is_counted(env):
    tenant = env.server.tenant(env.name("counted"))
    name = tenant["tenant"]
    with env.server.connect(tenant) as conn:
        conn("set k 0 0 1\r\nv\r\n", "STORED\r\n")
        for _ in range(10):
            conn("get k\r\n", "VALUE k 0 1\r\nv\r\nEND\r\n")
        conn("get nothing\r\n", "END\r\n")
        now = scrape(env.server)
    of = lambda what: now[f'cofferdam_tenant_{what}']
    assert of(f'gets_total{{tenant="{name}",result="hit"}}') == 10, now
    assert of(f'gets_total{{tenant="{name}",result="miss"}}') == 1
    assert of(f'sets_total{{tenant="{name}"}}') == 1
    assert of(f'connections{{tenant="{name}"}}') == 1
    assert of(f'logins_total{{tenant="{name}",result="accepted"}}') == 1
    assert of(f'received_bytes_total{{tenant="{name}"}}') > 50
    assert of(f'requests_total{{tenant="{name}",kind="read_served"}}') == 11
    assert of(f'delay_seconds_count{{tenant="{name}"}}') >= 11


@suite.test
def a_tenant_that_is_removed_leaves_the_page(env):
    name = env.server.tenant(env.name("gone"))["tenant"]
    series = f'cofferdam_tenant_items{{tenant="{name}"}}'
    assert series in scrape(env.server)
    env.server.cli("tenant", "remove", name)
    assert series not in scrape(env.server)


@suite.test
def connections_are_told_by_state_and_listener(env):
    series = 'cofferdam_listener_connections{listener="memcache",state="established"}'
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Conn(env.server.open))
        eventually(lambda: scrape(env.server).get(series, 20) >= 20, 5, "20 connections established")
    now = scrape(env.server)
    if series not in now:
        raise Skipped("the kernel does not tell of sockets here")
    assert now['cofferdam_listener_queue_limit{listener="memcache"}'] >= 128
    assert now['cofferdam_listener_drops_total{listener="memcache"}'] == 0


@suite.test
def the_host_s_figures_are_fresh(env):
    first = scrape(env.server)
    assert first["cofferdam_sample_age_seconds"] < 3
    assert first["process_open_fds"] > 5 and first["process_resident_memory_bytes"] > 1 << 20
    assert sum(v for k, v in first.items() if k.startswith("cofferdam_host_cpu_seconds")) > 0
    assert max(v for k, v in first.items() if k.startswith("cofferdam_loop_turn_age")) < 1


def watched(*flags, **how):
    return Server("--threads", "1", *flags, **how)


@suite.test
def a_throttled_tenant_is_told_of_when_it_begins_and_ends(env):
    with watched() as server:
        tenant = server.tenant("acme")
        server.cli("tenant", "limit", "acme", "--ops", "100", "--burst", "100ms", "--max-delay-ms", "150")
        with server.connect(tenant) as conn:
            def ask():
                conn.send(b"get a b c d e f g h i j\r\n" * 20)
                for _ in range(20):
                    conn.lines_until("END")
            repeat(4, ask)
        event = await_event(server, "tenant_throttled", "began", tenant="acme")
        assert event["cause"] == "ops" and "100 requests a second" in event["sentence"], event
        assert "--ops" in event["advice"]
        figures = {figure["name"]: figure["value"] for figure in event["evidence"]}
        assert figures["limit"] == 100, event
        refused = await_event(server, "tenant_refused", "began", tenant="acme")
        assert refused["cause"] == "limit" and refused["onset"] <= refused["at"], refused
        ended = await_event(server, "tenant_throttled", "ended", within=25, tenant="acme")
        assert ended["onset"] == event["onset"] and "after" in ended["sentence"], ended
        others = [e for e in events(server) if e["tenant"] not in (None, "acme")]
        assert not others, others
        nobody = server.cli("events", "--tenant", "nobody", check=False)
        assert nobody.returncode == 1 and "no tenant" in nobody.stderr, nobody
        assert scrape(server)['cofferdam_events_total{event="tenant_throttled"}'] == 2


@suite.test
def a_quota_that_is_cut_is_told_with_what_it_cost(env):
    with watched(memory="64MiB") as server:
        tenant = server.tenant("acme", memory="32MiB")
        count, value = 20_000, b"x" * 1000
        with server.connect(tenant) as conn:
            for first in range(0, count, 1000):
                conn.send(b"".join(b"set key%d 0 0 1000 noreply\r\n%b\r\n" % (number, value)
                                   for number in range(first, first + 1000)))
            conn.in_step()
            held = int(conn.stats()["curr_items"])
        # Nothing is lost by more, or by less that still holds all.
        server.cli("tenant", "limit", "acme", "--memory", "40MiB")
        server.cli("tenant", "limit", "acme", "--memory", "30MiB")
        server.cli("tenant", "limit", "acme", "--memory", "4MiB")
        event = await_event(server, "memory_cut", "happened")
        assert event["tenant"] == "acme" and "from 30MiB to 4MiB" in event["sentence"], event
        figures = {figure["name"]: figure["value"] for figure in event["evidence"]}
        assert figures["items_before"] == held > count / 2, (event, held)
        assert held / 2 < figures["items_dropped"] < held, event
        assert len([e for e in events(server) if e["event"] == "memory_cut"]) == 1


@suite.test
def clients_that_reconnect_are_told_what_to_set(env):
    with watched() as server:
        tenant = server.tenant("acme")

        def connect_and_get():
            with server.connect(tenant) as conn:
                conn("get k\r\n", "END\r\n")
            time.sleep(0.01)

        repeat(9, connect_and_get)
        event = await_event(server, "clients_reconnecting", "began", tenant="acme")
        assert "persistent" in event["advice"], event
        figures = {figure["name"]: figure["value"] for figure in event["evidence"]}
        assert figures["connects"] >= 5 and figures["requests"] <= figures["connects"] * 1.5, event


@suite.test
def wrong_passwords_are_told_of(env):
    with watched() as server:
        server.tenant("acme")

        def try_to_login():
            body = "acme wrong"
            with contextlib.suppress(ConnectionError), Conn(server.auth) as conn:
                conn.send(f"set auth 0 0 {len(body)}\r\n{body}\r\n")
                conn.line()
            time.sleep(0.02)

        repeat(8, try_to_login)
        event = await_event(server, "logins_failing", "began")
        assert event["tenant"] == "acme", event


@suite.test
def clients_that_vanish_leave_nothing_half_closed(env):
    with watched() as server:
        tenant = server.tenant("acme")
        for _ in range(3):
            conns = [server.connect(tenant) for _ in range(100)]
            for index, conn in enumerate(conns):
                conn.send("set half 0 0 1000\r\nx" if index % 2 else "get k\r\n")
                conn.close()
            time.sleep(1)
        time.sleep(1.5)
        now = scrape(server)
        series = 'cofferdam_listener_connections{listener="memcache_auth",state="close_wait"}'
        assert now.get(series, 0) == 0, now
        assert not [e for e in events(server) if e["event"] == "close_wait"]


@suite.test
def without_protections_half_closed_connections_are_told_with_their_tenant(env):
    with watched("--protections", "off", env={"COFFERDAM_DRILL": "1"}) as server:
        tenant = server.tenant("acme")
        value = b"x" * 1_000_000
        with server.connect(tenant) as conn:
            conn(b"set k 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        stalled = [server.connect(tenant, receive_buffer=4096) for _ in range(5)]
        for conn in stalled:
            conn.send(b"get k k k k k k k k\r\n")
        time.sleep(0.5)
        series = 'cofferdam_listener_connections{listener="memcache_auth",state="established"}'
        if series not in scrape(server):
            raise Skipped("the kernel does not tell of sockets here")
        for conn in stalled:
            conn.sock.shutdown(socket.SHUT_WR)
        event = await_event(server, "close_wait", "began")
        assert (event["tenant"], event["cause"]) == ("acme", "memcache_auth"), event
        figures = {figure["name"]: figure["value"] for figure in event["evidence"]}
        assert figures["close_wait_connections"] == 5, event
        assert 1 <= figures["close_wait_oldest"] < 5, event
        for conn in stalled:
            conn.reset()


@suite.test
def a_process_that_was_stopped_says_so(env):
    with watched() as server:
        time.sleep(1)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.6)
        server.process.send_signal(signal.SIGCONT)
        event = await_event(server, "process_paused", "happened")
        figures = {figure["name"]: figure["value"] for figure in event["evidence"]}
        assert 2 <= figures["paused"] < 60, event
        eventually(lambda: get(server, "/readyz")[0] == 200, 5, "ready again")


@suite.test
def events_are_followed_as_they_come(env):
    with watched() as server:
        command = [BINARY, "--data-dir", server.data_dir, "events", "--follow", "--json"]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert json.loads(follower.stdout.readline())["event"] == "started"
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(2.6)
            server.process.send_signal(signal.SIGCONT)
            reader = threading.Timer(20, follower.kill)
            reader.start()
            line = follower.stdout.readline()
            reader.cancel()
            assert json.loads(line)["event"] == "process_paused", line
        finally:
            follower.kill()
            follower.wait()
            follower.stdout.close()


@suite.test
def the_journal_outlives_the_process_and_its_numbers_go_on(env):
    data_dir = tempfile.mkdtemp(prefix="cofferdam-test-")
    try:
        with watched(data_dir=data_dir) as server:
            eventually(lambda: events(server), 5, "the first event")
        left = cli("--data-dir", data_dir, "events", "--json").stdout.splitlines()
        left = [json.loads(line) for line in left]
        assert [e["event"] for e in left] == ["started", "stopping"], left
        assert "no daemon runs" in cli("--data-dir", data_dir, "events").stderr
        # A machine that lost its power in the middle of a line.
        with open(os.path.join(data_dir, "events.jsonl"), "a") as journal:
            journal.write('{"id": 3, "at": "20')
        with watched(data_dir=data_dir) as server:
            eventually(lambda: len(events(server)) == 3, 5, "the third event")
            assert [e["id"] for e in events(server)] == [1, 2, 3]
            assert [e["id"] for e in events(server, "--since", "2")] == [3]
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


@suite.test
def with_nothing_there_the_command_says_what_to_do(env):
    with tempfile.TemporaryDirectory() as empty:
        done = cli("--data-dir", empty, "events", check=False)
        assert done.returncode == 1 and "cofferdam up" in done.stderr, done
        done = cli("--data-dir", empty, "events", "--json", check=False)
        assert "error" in json.loads(done.stderr), done


@suite.test
def one_that_drains_is_not_ready(env):
    server = watched()
    try:
        tenant = server.tenant("acme")
        value = b"x" * 1_000_000
        with server.connect(tenant) as conn:
            conn(b"set k 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        # What it is owed holds the drain up.
        slow = server.connect(tenant, receive_buffer=4096)
        slow.send(b"get k k k k k k\r\n")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: get(server, "/readyz")[0] == 503, 5, "not ready while it drains")
        assert get(server, "/livez")[0] == 200
        slow.reset()
    finally:
        server.stop()
        shutil.rmtree(server.data_dir, ignore_errors=True)


@suite.test
def json_logs_are_json_and_hold_the_events(env):
    with watched("--log-format", "json") as server:
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(2.6)
        server.process.send_signal(signal.SIGCONT)
        await_event(server, "process_paused")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "read again" in server.log_text(), 5, "the reload in the log")
        lines = [json.loads(line) for line in server.log_text().splitlines()]
        assert all({"timestamp", "level", "message"} <= line.keys() for line in lines), lines
        told = [line for line in lines if line.get("event") == "process_paused"]
        assert told and told[0]["level"] == "WARN" and told[0]["id"] >= 1, lines


@suite.test
def a_service_manager_is_told_of_everything(env):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(path)
        manager.settimeout(10)
        said = []

        def hear(what):
            while not any(what in line for line in said):
                said.extend(manager.recv(4096).decode().split("\n"))

        with watched(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}) as server:
            hear("READY=1")
            for _ in range(3):
                said.clear()
                hear("WATCHDOG=1")
            said.clear()
            server.process.send_signal(signal.SIGHUP)
            hear("RELOADING=1")
            hear("MONOTONIC_USEC=")
            hear("READY=1")
            server.process.send_signal(signal.SIGTERM)
            hear("STOPPING=1")
        manager.close()


suite.main()
