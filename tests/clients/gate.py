"""A node that comes to a fleet is tested beside those that serve before it has any key: one behind a narrow
way is refused with the figures, the same one with a good way is admitted; one that is slow only once
requests come goes back by their copies, before it has any key; one that dies in the middle of its test is
refused; and whoever asks for a test is answered, whoever began it and whichever gateway ends it."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BINARY, Conn, Suite, eventually
from way import Way

suite = Suite("gate", server=False)
NODES = 3


class Traffic(threading.Thread):
    """A client that writes and reads a few keys, as fast as it is answered."""

    KEYS, VALUE = [f"key{number}" for number in range(100)], b"v" * 100

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.stopping = address, False
        self.start()

    def run(self):
        with Conn(self.address) as conn:
            while not self.stopping:
                conn.send(b"".join(b"set %s 0 0 100\r\n%s\r\n" % (key.encode(), self.VALUE) for key in self.KEYS))
                for _ in self.KEYS:
                    conn.line()
                for _ in range(4):
                    conn.send("".join(f"get {key}\r\n" for key in self.KEYS))
                    for _ in self.KEYS:
                        while conn.line() != b"END\r\n":
                            pass

    def stop(self):
        self.stopping = True
        self.join(20)
        assert not self.is_alive(), "the client is answered"


class Stumbling(threading.Thread):
    """A process that stands still most of the time."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.over = process, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            self.process.send_signal(signal.SIGSTOP)
            self.over.wait(0.15)
            self.process.send_signal(signal.SIGCONT)
            self.over.wait(0.01)

    def stop(self):
        self.over.set()
        self.join()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class Fleet:
    """An etcd, three nodes and a gateway."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-gate-")
        self.processes, self.ways, self.named, self.addresses = [], [], {}, {}
        self.etcd, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        etcd = [
            "etcd", "--name", "gate", "--data-dir", self.path("etcd"), "--logger", "zap", "--log-level", "error",
            "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"gate={peer}",
        ]
        with open(self.path("etcd.log"), "w") as log:
            self.processes.append(subprocess.Popen(etcd, stdout=log, stderr=log))
        for number in range(1, NODES + 1):
            self.node(f"mc{number}", free_port())
        self.gateway("gateway1")
        self.address = self.addresses["gateway1"]
        eventually(lambda: self.slots() == [1366, 1365, 1365], 30, "all nodes have their keys")
        return self

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def gateway(self, name):
        ready = self.start("gateway", name, """[listen]
memcache = "127.0.0.1:0"
memcache_auth = "127.0.0.1:0"
admin = "off"
nbd = "off"
status = "off"
tenant_console = "off"
""", "")
        self.addresses[name] = ready.split("memcache=")[1].split(" ")[0].split(":")

    def node(self, name, port, more="", advertise=None):
        self.start("node", name, '[listen]\nadmin = "off"\n', f"""listen = "127.0.0.1:{port}"
advertise = "127.0.0.1:{advertise or port}"
{more}""")

    def start(self, role, name, listen, fleet):
        config = self.path(name + ".toml")
        with open(config, "w") as file:
            file.write(f"""data_dir = "{self.path(name)}"
memory = "64MiB"
threads = 1
{listen}[store]
endpoints = ["{self.etcd}"]
[fleet]
name = "{name}"
plaintext = true
{fleet}""")
        log = open(self.path(name + ".log"), "w")
        process = subprocess.Popen([BINARY, role, "--config", config], stdout=subprocess.PIPE, stderr=log, text=True)
        self.processes.append(process)
        self.named[name] = process
        ready = process.stdout.readline()
        assert ready.startswith("ready"), self.log(name)
        return ready

    def log(self, name):
        with open(self.path(name + ".log")) as file:
            return file.read()

    def logs(self):
        """What gateways have said."""
        return {name: self.log(name) for name in self.named if name.startswith("gateway")}

    def cli(self, *args, at="gateway1"):
        return subprocess.run(
            [BINARY, *args, "--data-dir", self.path(at)], capture_output=True, text=True, timeout=120
        )

    def asking(self, name, at="gateway1"):
        """`gate run` in the background; what it tells, line by line, is to be read from its standard error."""
        asking = [BINARY, "gate", "run", "--candidate", name, "--data-dir", self.path(at)]
        return subprocess.Popen(asking, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def newcomer(self, name):
        """A node that is a member and waits to be tested, or is tested already."""
        # The fleet is young: else it would take the node in as one of its founders.
        self.node(name, free_port(), '[gate]\nfounding = "0s"\n')
        eventually(lambda: (self.member(name) or {}).get("alive"), 10, "it is a member")

    def ask(self, *args):
        done = self.cli(*args, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def member(self, name):
        members = self.ask("node", "list")["members"]
        return next((member for member in members if member["name"] == name), None)

    def figure(self, name):
        """A metric of the gateway's."""
        with Conn(self.path("gateway1", "admin.sock")) as conn:
            conn.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: conn.sock.recv(1 << 18), b"")).decode()
        return float(re.search(rf"^cofferdam_fleet_{re.escape(name)} (\S+)$", text, re.M).group(1))

    def slots(self):
        return [member["slots"] for member in self.ask("node", "list")["members"] if member["role"] == "cache"]

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        for way in self.ways:
            way.stop()


@suite.test
def who_is_behind_a_narrow_way_is_refused_and_who_is_as_the_others_comes_in():
    with Fleet() as fleet:
        wrong = fleet.cli("gate", "run", "--candidate", "127.0.0.1:1")
        assert wrong.returncode == 2 and "no node of this fleet is at 127.0.0.1:1" in wrong.stderr, wrong
        serving = fleet.cli("gate", "run", "--candidate", "mc1")
        assert serving.returncode == 2 and "has served already" in serving.stderr, serving
        port = free_port()
        way = Way(port, 250_000)
        fleet.ways.append(way)
        began = time.monotonic()
        # The fleet is young: else it would take the node in as one of its founders.
        fleet.node("mc4", port, '[gate]\nfounding = "0s"\n', advertise=way.port)
        eventually(lambda: (fleet.member("mc4") or {}).get("alive"), 10, "it is a member")
        done = fleet.cli("gate", "run", "--candidate", f"127.0.0.1:{way.port}", "--json")
        took_s = time.monotonic() - began
        assert done.returncode == 1 and took_s < 60, (took_s, done, fleet.log("gateway1"))
        record = json.loads(done.stdout)
        failed = {it["test"]: it for it in record["verdict"]["outcomes"] if not it["passed"]}
        assert record["outcome"] == "refused" and record["verdict"]["against"] == "fleet", record
        narrow = failed["inward"]
        assert narrow["ours"] < 4 < narrow["limit"] < narrow["fleet"], failed
        told = [json.loads(line) for line in done.stderr.splitlines()]
        assert any("mc4 with mc" in it.get("note", "") for it in told), told
        member = fleet.member("mc4")
        assert (member["state"], member["slots"]) == ("quarantined", 0), member
        said = fleet.cli("node", "explain", "mc4").stdout
        assert "mc4 is refused, compared with 3 nodes that serve" in said and "throughput towards it" in said, said
        eventually(lambda: '"node_refused"' in fleet.cli("events", "--json").stdout, 5, "the event")
        # The same node, reached as the others are.
        fleet.named["mc4"].terminate()
        fleet.named["mc4"].wait(15)
        fleet.node("mc4", port)
        eventually(lambda: fleet.member("mc4")["address"] == f"127.0.0.1:{port}", 10, "its address is known")
        done = fleet.cli("gate", "run", "--candidate", "mc4")
        assert done.returncode == 0, (done, fleet.log("gateway1"))
        assert "mc4 is admitted, compared with 3 nodes that serve" in done.stdout, done
        assert "memory, patterns lost: 0 words" in done.stdout, done
        eventually(lambda: fleet.member("mc4")["state"] == "shadow", 5, "it has passed")
        again = fleet.cli("gate", "run", "--candidate", "mc4")
        assert again.returncode == 2 and "on its way in" in again.stderr, again
        it_goes_back_by_copies(fleet, "mc4")


def it_goes_back_by_copies(fleet, name):
    """It has passed, and is slow from now on: copies of a client's requests tell, and nothing else of them is
    to be seen."""
    address = (fleet.address[0], int(fleet.address[1]))
    stumbling = Stumbling(fleet.named[name])
    try:
        traffic = Traffic(address)
        eventually(lambda: fleet.member(name)["state"] != "shadow", 55, "it is found slow")
        member = fleet.member(name)
        assert (member["state"], member["slots"]) == ("quarantined", 0), member
        traffic.stop()
    finally:
        stumbling.stop()
    past = fleet.ask("node", "explain", name)["past"]
    assert "ramping" not in [it["state"] for it in past], past
    assert past[-1]["event"] == "suspected" and past[-1]["blaming"][0]["sentence"], past
    told = lambda: fleet.cli("node", "explain", name).stdout
    eventually(lambda: f"{name} was admitted, but slow on its way in" in told(), 10, "the gate's word")
    assert "its peers'" in told(), told()
    outcomes = [f'copies_total{{outcome="{it}"}}' for it in ("answered", "unanswered")]
    # A twentieth of what one of three is asked.
    sampled = lambda: 0 < sum(fleet.figure(it) for it in outcomes) < 0.02 * fleet.figure("requests_sent_total")
    eventually(sampled, 5, "some copies, and not many")


@suite.test
def who_asks_is_answered_by_the_test_that_began_by_itself():
    with Fleet() as fleet:
        fleet.newcomer("mc4")
        asked_at = time.monotonic()
        all_asking = [fleet.asking("mc4") for _ in range(3)]
        for asking in all_asking:
            out, err = asking.communicate(timeout=60)
            assert asking.returncode == 0 and "mc4 is admitted" in out, (out, err, fleet.log("gateway1"))
        took_s = time.monotonic() - asked_at
        assert took_s < 40, (took_s, fleet.log("gateway1"))


@suite.test
def two_nodes_that_are_asked_for_at_once_are_both_answered_and_who_dies_in_the_middle_is_refused():
    with Fleet() as fleet:
        for name in ("mc4", "mc5"):
            fleet.newcomer(name)
        both = {name: fleet.asking(name) for name in ("mc4", "mc5")}
        # Whichever is first: it dies while it is tested, and the other one has its turn.
        first, told = None, []
        while first is None:
            line = both["mc4"].stderr.readline()
            assert line, (told, fleet.log("gateway1"))
            told.append(line)
            found = re.search(r"round 2 of 3: (mc[45]) with", line)
            first = found and found.group(1)
        fleet.named[first].kill()
        other = "mc4" if first == "mc5" else "mc5"
        done = {name: (*asking.communicate(timeout=100), asking.returncode) for name, asking in both.items()}
        assert done[first][2] == 1 and f"{first} is refused" in done[first][0], (done, fleet.log("gateway1"))
        assert "FAILED mc" in done[first][0] and f"cannot use {first}" in done[first][0], done
        assert done[other][2] == 0 and f"{other} is admitted" in done[other][0], (done, fleet.log("gateway1"))
        member = fleet.member(first)
        assert (member["state"], member["slots"]) == ("quarantined", 0), member


@suite.test
def a_successor_answers_who_asked_before_the_gateway_that_tests_died():
    with Fleet() as fleet:
        fleet.gateway("gateway2")
        fleet.newcomer("mc4")
        asking, told = fleet.asking("mc4", at="gateway2"), []
        while not any("round 1 of 3" in line for line in told):
            line = asking.stderr.readline()
            assert line, (told, asking.communicate(timeout=10), asking.returncode, fleet.logs())
            told.append(line)
        fleet.named["gateway1"].kill()
        out, err = asking.communicate(timeout=110)
        assert asking.returncode == 0 and "mc4 is admitted" in out, (told, out, err, fleet.logs())


@suite.test
def a_fleet_whose_nodes_were_all_drained_and_let_in_again_tests_who_comes():
    with Fleet() as fleet:
        founded = time.monotonic()
        eventually(lambda: time.monotonic() > founded + 5, 10, "the fleet is not younger than five seconds")
        for number in range(1, NODES + 1):
            fleet.ask("node", "drain", f"mc{number}")
            eventually(lambda: fleet.member(f"mc{number}")["state"] == "drained", 5, "it is out")
            fleet.ask("node", "readmit", f"mc{number}")
            eventually(lambda: fleet.member(f"mc{number}")["state"] != "drained", 5, "it is back")
        fleet.node("mc4", free_port(), '[gate]\nfounding = "5s"\n')
        eventually(lambda: fleet.member("mc4"), 10, "it is a member")
        member = fleet.member("mc4")
        assert (member["state"], member["slots"]) == ("quarantined", 0), member


if __name__ == "__main__":
    suite.main()
