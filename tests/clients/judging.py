"""A gateway over four listed nodes, one of which turns slow: clients notice little, and the gateway says
which one it was and upon what figures."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time

from harness import BINARY, Conn, Suite, eventually
from way import Way

suite = Suite("judging", server=False)
NODES = 4
KEYS = [f"key{number}" for number in range(200)]


class Fleet:
    """Nodes and a gateway; the third node is behind a slow way."""

    def __enter__(self):
        self.processes = []
        self.folder = tempfile.mkdtemp(prefix="cofferdam-judging-")
        listed = []
        for node in range(1, NODES + 1):
            name = f"node{node}"
            ready = self.start("node", name, f'listen = "127.0.0.1:0"\nmember = {node}\n')
            port = int(re.search(r"addr=[^ ]*:(\d+)", ready).group(1))
            if node == 3:
                self.way = Way(port)
                port = self.way.port
            listed.append(f'{{ member = {node}, name = "{name}", addr = "127.0.0.1:{port}" }}')
        ready = self.start("gateway", "gateway1", f"member = 101\nnodes = [{', '.join(listed)}]\n")
        self.open = ("127.0.0.1", int(re.search(r"memcache=[^ ]*:(\d+)", ready).group(1)))
        return self

    def start(self, role, name, fleet):
        data = os.path.join(self.folder, name)
        os.mkdir(data)
        config = data + ".toml"
        listen = '[listen]\nadmin = "off"\n'
        if role == "gateway":
            listen += (
                'memcache = "127.0.0.1:0"\nmemcache_auth = "127.0.0.1:0"\n'
                'status = "off"\nnbd = "off"\ntenant_console = "off"\n'
            )
        with open(config, "w") as text:
            text.write(
                f'data_dir = "{data}"\nthreads = 1\nmemory = "256MiB"\n{listen}'
                f'[fleet]\nname = "{name}"\nplaintext = true\n{fleet}'
            )
        log = open(data + ".log", "w")
        process = subprocess.Popen(
            [BINARY, role, "--config", config], stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.processes.append(process)
        ready = process.stdout.readline()
        with open(data + ".log") as text:
            assert ready.startswith("ready"), (ready, text.read())
        return ready

    def log(self):
        with open(os.path.join(self.folder, "gateway1.log")) as text:
            return text.read()

    def ask(self, *args):
        done = subprocess.run(
            [BINARY, *args, "--json", "--data-dir", os.path.join(self.folder, "gateway1")],
            capture_output=True, timeout=30,
        )
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def states(self):
        """What became of the third node since the start."""
        return [past["state"] for past in self.ask("node", "explain", "node3")["past"]]

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.stdout.close()
        self.way.stop()


def text_of(fleet, *args):
    done = subprocess.run(
        [BINARY, *args, "--data-dir", os.path.join(fleet.folder, "gateway1")], capture_output=True, timeout=30
    )
    return done.stdout.decode() + done.stderr.decode()


def get(conn, key):
    """Seconds, and whether it was there."""
    began = time.monotonic()
    conn.send(f"get {key}\r\n")
    is_hit = conn.line().startswith(b"VALUE")
    if is_hit:
        conn.line()
        conn.line()
    return time.monotonic() - began, is_hit


def load(conn, seconds):
    """All gets of so many seconds: durations and hits."""
    until, answers, number = time.monotonic() + seconds, [], 0
    while time.monotonic() < until:
        answers.append(get(conn, KEYS[number % len(KEYS)]))
        number += 1
    return answers


def fill(conn):
    for key in KEYS:
        conn.send(f"set {key} 0 0 1\r\nx\r\n")
        if conn.line() != b"STORED\r\n":
            return False
    return True


@suite.test
def a_slow_node_is_taken_out_in_seconds_and_no_client_waits_half_a_second():
    with Fleet() as fleet, Conn(fleet.open) as conn:
        eventually(lambda: fill(conn), 10, "all nodes are reached")
        load(conn, 3)
        node = fleet.ask("node", "explain", "node3")
        assert (node["state"], node["past"]) == ("serving", []), node
        fleet.way.delay_s = 0.05
        answers, began = [], time.monotonic()
        while "ejected" not in fleet.states():
            assert time.monotonic() - began < 15, fleet.log()
            answers += load(conn, 0.2)
        taken_s = time.monotonic() - began
        assert max(took for took, _ in answers) < 0.5, max(answers)
        assert fleet.states() == ["suspect", "ejected"]
        blame = fleet.ask("node", "explain", "node3")["past"][-1]["blaming"][0]
        assert blame["observer"] == "gateway1", blame
        finding = blame["finding"]
        if finding["ours"] is None:
            # So it is only where half of the requests, or more, had no answer in their time.
            assert 2 * finding["unanswered"] >= finding["requests"] > 0, blame
        else:
            assert finding["ours"] > 20 * finding["peers"], blame
        assert blame["sentence"].startswith(
            (
                "read: half of its requests",
                "read: three quarters of its requests",
                "read: its fastest quarter",
            )
        ), blame
        said = text_of(fleet, "node", "explain", "node3")
        assert blame["sentence"] in said and "gateway1 decides this for itself alone" in said, said
        assert "there are node1, node2" in text_of(fleet, "node", "explain", "nobody")

        def events():
            return text_of(fleet, "events", "--json")

        eventually(lambda: '"node_ejected"' in events(), 5, "the event")
        time.sleep(0.5)
        after = load(conn, 2)
        hits = sum(is_hit for _, is_hit in after) / len(after)
        slow = sum(took > 0.04 for took, _ in after)
        assert 0.6 < hits < 0.9 and slow <= len(after) / 100, (taken_s, hits, slow, len(after))


@suite.test
def nobody_is_taken_out_when_the_gateway_itself_is_stopped_for_a_while():
    with Fleet() as fleet, Conn(fleet.open) as conn:
        eventually(lambda: fill(conn), 10, "all nodes are reached")
        load(conn, 2)
        fleet.processes[-1].send_signal(signal.SIGSTOP)
        time.sleep(3)
        fleet.processes[-1].send_signal(signal.SIGCONT)
        load(conn, 3)
        for node in range(1, NODES + 1):
            past = [it["state"] for it in fleet.ask("node", "explain", f"node{node}")["past"]]
            assert "ejected" not in past, text_of(fleet, "node", "explain", f"node{node}") + fleet.log()


suite.main()
