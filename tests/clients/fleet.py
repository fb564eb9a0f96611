"""Three etcd, two gateways and four nodes, each a process: real clients, large values, and machines that
stop, die, join and come back, under load."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BINARY, ROOT, Conn, Mismatch, Suite, eventually

suite = Suite("fleet", server=False)
SCRIPT = os.path.join(ROOT, "scripts", "local-fleet.sh")


def free_ports():
    """A base with free ports behind it, as the script lays them out; below those that the system
    gives to clients."""
    for base in range(20000 + os.getpid() % 150 * 70, 32000, 70):
        with contextlib.ExitStack() as held:
            try:
                for offset in (0, 1, 10, 11, *range(21, 26), 30, 31, *range(41, 44), *range(51, 54), *range(61, 66)):
                    held.enter_context(socket.create_server(("127.0.0.1", base + offset)))
            except OSError:
                continue
            return base
    raise RuntimeError("no free ports")


class Fleet:
    """What scripts/local-fleet.sh starts."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-fleet-")
        self.port = free_ports()
        self.run("up", BINARY)
        self.look()
        return self

    def look(self):
        lines = self.run("pids").split("\n")
        self.pids = {name: int(pid) for name, pid in (line.split() for line in lines if line)}

    def __exit__(self, *_):
        # Those that end in order take their time; one fleet of all does: see `end`.
        for pid in self.pids.values():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.end()

    def end(self):
        self.run("down")
        panicked = []
        for file in os.listdir(self.folder):
            if file.endswith(".log"):
                with open(os.path.join(self.folder, file), errors="replace") as log:
                    panicked += [f"{file}: {line}" for line in log if "panicked" in line]
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not panicked, panicked

    def run(self, *args):
        env = dict(os.environ, COFFERDAM_FLEET_DIR=self.folder, COFFERDAM_FLEET_PORT=str(self.port))
        log = os.path.join(self.folder, "script.log")
        with open(log, "w+") as out:
            # Not a pipe: what it has started would keep that open.
            done = subprocess.run([SCRIPT, *args], env=env, stdout=out, stderr=out, timeout=60)
            out.seek(0)
            text = out.read()
        if done.returncode != 0:
            raise AssertionError(f"local-fleet.sh {' '.join(args)}: {text}")
        return text

    def conn(self, gateway=1):
        return Conn(("127.0.0.1", self.port + gateway - 1))

    def add(self, number):
        """One more node."""
        self.run("add", str(number), BINARY)
        self.look()

    def start(self, name):
        """One that has ended, again."""
        self.run("start", name, BINARY)
        self.look()

    def kill(self, name):
        self.signal(name, signal.SIGKILL)

    def ask(self, *args, gateway=1, fails=False):
        """The command line at a gateway; JSON where there is any."""
        done = subprocess.run(
            [BINARY, *args, "--json", "--data-dir", os.path.join(self.folder, f"gateway{gateway}")],
            capture_output=True,
            timeout=30,
        )
        if (done.returncode != 0) != fails:
            raise AssertionError(f"{args}: {done}")
        return json.loads(done.stderr if fails else done.stdout)

    def upgrade(self, gateway):
        """Has a gateway hand over; the process that lets its connections go."""
        done = self.ask("upgrade", gateway=gateway)
        name = f"gateway{gateway}"
        assert done["old_pid"] == self.pids[name], (done, self.pids)
        with open(os.path.join(self.folder, f"{name}.pid"), "w") as file:
            file.write(str(done["pid"]))
        self.look()
        return done["old_pid"]

    def members(self, gateway=1):
        report = self.ask("node", "list", gateway=gateway)
        return {member["name"]: member for member in report["members"]}

    def signal(self, name, number):
        os.kill(self.pids[name], number)
        if number == signal.SIGSTOP:
            # One of its threads takes the signal and then stops the others; until it gets a processor
            # they serve on.
            eventually(lambda: is_stopped(self.pids[name]), 10, f"{name} stands still")

    def await_whole(self):
        eventually(self.is_whole, 20, "all nodes have their keys")
        eventually(self.is_ready, 10, "all nodes are reached")

    def is_whole(self):
        slots = [member["slots"] for member in self.members().values() if member["role"] == "cache"]
        return slots == [1024] * 4

    def is_ready(self):
        with self.conn() as conn:
            return all(set_one(conn, f"ready{i}", "1") == b"STORED\r\n" for i in range(64))


def is_stopped(pid):
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as file:
            states.append(file.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


def set_one(conn, key, value):
    conn.send(f"set {key} 0 0 {len(value)}\r\n{value}\r\n")
    return conn.line()


def get_many(conn, keys):
    """Values by key."""
    conn.send("get " + " ".join(keys) + "\r\n")
    found = {}
    while True:
        line = conn.line()
        if line == b"END\r\n":
            return found
        if not line:
            raise ConnectionResetError("closed instead of an answer")
        _, key, _, length = line.split()
        found[key.decode()] = conn.take(int(length) + 2)[:-2].decode()


@contextlib.contextmanager
def ready_fleet():
    with Fleet() as fleet:
        fleet.await_whole()
        yield fleet


calm_fleets = []


@atexit.register
def end_calm_fleets():
    """Those that no test has ended, since it was not run."""
    for fleet in calm_fleets:
        fleet.end()


@contextlib.contextmanager
def calm_fleet():
    """One fleet for all tests in which nothing dies; it ends in order."""
    if not calm_fleets:
        fleet = Fleet().__enter__()
        calm_fleets.append(fleet)
        fleet.await_whole()
    yield calm_fleets[0]


@suite.test
def real_clients_find_what_they_stored_through_either_gateway():
    from pymemcache.client.hash import HashClient

    with calm_fleet() as fleet:
        servers = [("127.0.0.1", fleet.port), ("127.0.0.1", fleet.port + 1)]
        client = HashClient(servers, timeout=5)
        for number in range(200):
            assert client.set(f"key{number}", f"value{number}", noreply=False)
        found = client.get_many([f"key{number}" for number in range(200)])
        assert len(found) == 200 and found["key7"] == b"value7", found
        assert client.incr("n", 1) is None and client.set("n", "5", noreply=False)
        assert client.incr("n", 3) == 8 and client.delete("key7", noreply=False)
        client.close()
        # What was stored through one gateway is there through the other.
        with fleet.conn(1) as one, fleet.conn(2) as other:
            assert set_one(one, "across", "x") == b"STORED\r\n"
            assert get_many(other, ["across", "nothing"]) == {"across": "x"}
        tool = subprocess.run(
            ["memccat", f"--servers=127.0.0.1:{fleet.port}", "across"], capture_output=True, timeout=20
        )
        assert tool.stdout.strip() == b"x", tool


@suite.test
def replies_keep_their_order_and_large_values_their_bytes():
    with calm_fleet() as fleet, fleet.conn() as conn:
        value = bytes(range(256)) * 2000
        conn.send(b"set big 0 0 %d\r\n" % len(value) + value + b"\r\nset s 0 0 1\r\nx\r\nget s big s\r\nmn\r\nversion\r\n")
        expected = (
            b"STORED\r\nSTORED\r\nVALUE s 0 1\r\nx\r\nVALUE big 0 %d\r\n" % len(value)
            + value
            + b"\r\nVALUE s 0 1\r\nx\r\nEND\r\nMN\r\nVERSION "
        )
        got = conn.take(len(expected))
        if got != expected:
            raise Mismatch(b"", expected, got)
        conn.line()
        # A client that half-closes is answered to its end.
        with fleet.conn(2) as half:
            half.send("get s\r\nget big\r\nget s\r\n")
            half.sock.shutdown(socket.SHUT_WR)
            length = len(value) + len("VALUE big 0 512000\r\n\r\nEND\r\n") + 2 * 21
            assert len(half.take(length + 1)) == length


@suite.test
def a_node_that_stops_costs_one_deadline_and_its_own_keys():
    with ready_fleet() as fleet, fleet.conn() as conn:
        keys = [f"k{number}" for number in range(100)]
        for key in keys:
            assert set_one(conn, key, "old") == b"STORED\r\n"
        fleet.signal("node1", signal.SIGSTOP)
        began = time.monotonic()
        found = get_many(conn, keys)
        first = time.monotonic() - began
        assert 50 < len(found) < 95, len(found)
        began = time.monotonic()
        for _ in range(5):
            assert get_many(conn, keys) == found
        assert first < 2.0 and (time.monotonic() - began) < 1.0, first
        lost = [key for key in keys if key not in found]
        assert all(set_one(conn, key, "new") == b"NOT_STORED\r\n" for key in lost)
        fleet.signal("node1", signal.SIGCONT)
        eventually(lambda: set_one(conn, lost[0], "newer") == b"STORED\r\n", 10, "the node is back")
        # What could not be replaced is gone.
        assert get_many(conn, lost) == {lost[0]: "newer"}


class Load:
    """Clients that write and read, some at each gateway; whatever they read must be what they wrote last,
    and whatever is refused must be gone."""

    def __init__(self, fleet, gateways=(1, 2)):
        self.fleet, self.gateways = fleet, gateways
        self.stop, self.wrong, self.closed = threading.Event(), [], []
        self.asked = self.found = self.refused = 0
        self.lock = threading.Lock()

    def client(self, number):
        try:
            with self.fleet.conn(self.gateways[number % len(self.gateways)]) as conn:
                self.work(conn, number)
        except (OSError, AssertionError) as error:
            if not self.stop.is_set():
                self.closed.append(repr(error))

    def work(self, conn, number):
        keys = [f"c{number}-{key}" for key in range(50)]
        stored, last, version = {}, {}, 0
        while not self.stop.is_set():
            version += 1
            for key in keys[version % 5 :: 5]:
                answer = set_one(conn, key, str(version))
                stored[key], last[key] = answer == b"STORED\r\n", str(version)
                if answer not in (b"STORED\r\n", b"NOT_STORED\r\n"):
                    self.wrong.append((key, answer))
            found = get_many(conn, keys)
            for key, value in found.items():
                if not stored[key] or last[key] != value:
                    self.wrong.append((key, value, stored[key], last[key]))
            with self.lock:
                self.asked += len(stored)
                self.found += len(found)
                self.refused += sum(not was_stored for was_stored in stored.values())

    def __enter__(self):
        self.threads = [threading.Thread(target=self.client, args=(number,)) for number in range(4)]
        [thread.start() for thread in self.threads]
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.stop.set()
        [thread.join(20) for thread in self.threads]

    def ratio(self, seconds):
        """Of what was stored, what is found, over the next seconds."""
        with self.lock:
            self.asked = self.found = self.refused = 0
        time.sleep(seconds)
        with self.lock:
            return self.found / max(self.asked, 1)

    def check(self):
        assert not self.wrong, self.wrong[:5]
        assert not self.closed, self.closed[:5]


@suite.test
def under_load_a_dead_node_takes_its_share_until_the_ring_moves_on():
    with ready_fleet() as fleet, Load(fleet) as load:
        fleet.kill("node2")
        assert 0.55 < load.ratio(1.5) < 0.95
        # Its lease ends, and its keys go to the others.
        eventually(lambda: fleet.members()["node2"]["state"] == "ejected", 30, "the node is taken out")
        eventually(lambda: load.ratio(0.5) > 0.99, 10, "its keys are stored elsewhere")
        load.check()
        # It comes back empty, and only for a few keys at first.
        fleet.start("node2")
        eventually(lambda: fleet.members()["node2"]["state"] in ("probation", "ramping"), 20, "it is back")
        ratio = load.ratio(0.5)
        assert ratio > 0.9, (ratio, fleet.members())
        load.check()


@suite.test
def under_load_a_fifth_node_takes_its_share_of_keys_and_nothing_else():
    with ready_fleet() as fleet, Load(fleet) as load:
        assert load.ratio(0.5) == 1.0
        fleet.add(5)
        dip = min(load.ratio(0.1) for _ in range(20))
        slots = {name: member["slots"] for name, member in fleet.members().items()}
        assert slots["node5"] == 819 and slots["node1"] in (819, 820), slots
        # A fifth of the keys, and what was under way while they moved.
        assert dip > 0.6, dip
        assert load.ratio(0.5) > 0.99
        load.check()


@suite.test
def with_the_store_killed_all_serve_on_and_say_so_and_a_node_starts_without_it():
    with ready_fleet() as fleet, Load(fleet) as load:
        for number in (1, 2, 3):
            fleet.kill(f"etcd{number}")
        assert fleet.ask("tenant", "add", "acme", "--memory", "64MiB", fails=True)["error"].startswith("the store cannot")
        eventually(lambda: fleet.ask("node", "list")["store"]["why"] is not None, 10, "it says so")
        assert "store does not answer" in fleet.ask("upgrade", fails=True)["error"]
        # The lease of changes, and more.
        time.sleep(5)
        assert load.ratio(1.0) == 1.0 and load.refused == 0, load.refused
        load.check()
        fleet.kill("node3")
        fleet.start("node3")
        for number in (1, 2, 3):
            fleet.start(f"etcd{number}")
        eventually(lambda: fleet.ask("node", "list")["store"]["why"] is None, 20, "the store is back")
        eventually(lambda: load.ratio(0.5) > 0.99, 20, "all is as before")
        assert fleet.ask("tenant", "add", "acme", "--memory", "64MiB")["tenant"] == "acme"
        load.check()


@suite.test
def a_gateway_and_a_node_that_are_cut_off_together_end_with_misses():
    with ready_fleet() as fleet, fleet.conn(1) as conn:
        keys = [f"k{number}" for number in range(40)]
        assert all(set_one(conn, key, "old") == b"STORED\r\n" for key in keys)
        # Gateway 1 and node 1 hear from nobody else.
        others = ["etcd1", "etcd2", "etcd3", "node2", "node3", "node4", "gateway2"]
        for other in others:
            fleet.signal(other, signal.SIGSTOP)
        cut_off = time.monotonic()
        get_many(conn, keys)
        found = get_many(conn, keys)
        assert 3 < len(found) < 25, len(found)
        # Changes end first: others may own the keys by now. What one was to replace is gone all the same.
        refused = min(found)
        eventually(lambda: set_one(conn, refused, "new") == b"NOT_STORED\r\n", 8, "it takes no changes")
        del found[refused]
        assert get_many(conn, [refused]) == {}
        # Reads go on for 30 s from the last word of the others, which was a moment ago.
        time.sleep(max(0.0, cut_off + 15 - time.monotonic()))
        assert get_many(conn, found) == found
        eventually(lambda: get_many(conn, found) == {}, 20, "it answers misses")
        assert time.monotonic() - cut_off < 33, time.monotonic() - cut_off
        for other in others:
            fleet.signal(other, signal.SIGCONT)
        eventually(lambda: set_one(conn, keys[0], "newer") == b"STORED\r\n", 15, "it serves again")
        assert get_many(conn, keys[:1]) == {keys[0]: "newer"}


@suite.test
def with_a_gateway_killed_clients_go_to_the_other_and_find_everything():
    from pymemcache.client.hash import HashClient

    with ready_fleet() as fleet, Load(fleet, gateways=(2,)) as load:
        servers = [("127.0.0.1", fleet.port), ("127.0.0.1", fleet.port + 1)]
        client = HashClient(servers, timeout=2, ignore_exc=True, retry_attempts=0, dead_timeout=60)
        keys = [f"key{number}" for number in range(200)]
        assert all(client.set(key, key, noreply=False) for key in keys)
        fleet.kill("gateway1")
        # The first request to the dead one is lost, and with it nothing else.
        lost = [key for key in keys if client.get(key) is None]
        assert len(lost) <= 2, lost
        # What is late on a busy machine is a miss once.
        eventually(lambda: all(client.get(key) == key.encode() for key in keys), 10, "the other finds them all")
        assert load.ratio(0.5) == 1.0
        load.check()
        fleet.start("gateway1")
        with fleet.conn(1) as conn:
            eventually(lambda: get_many(conn, keys[:3]) == {key: key for key in keys[:3]}, 35, "it serves again")


@suite.test
def tenants_are_the_same_at_all_gateways():
    with calm_fleet() as fleet:
        grant = fleet.ask("tenant", "add", "acme", "--memory", "64MiB")
        assert sorted(grant["servers"]) == [f"127.0.0.1:{fleet.port + 10}", f"127.0.0.1:{fleet.port + 11}"]
        assert fleet.ask("tenant", "show", "acme", gateway=2)["gateways"] == fleet.ask("tenant", "show", "acme")["gateways"]

        def conn(gateway, username=grant["username"], password=grant["password"]):
            conn = Conn(("127.0.0.1", fleet.port + 9 + gateway))
            conn.send(f"set auth 0 0 {len(username) + len(password) + 1}\r\n{username} {password}\r\n")
            return conn, conn.line()

        def enters(gateway):
            with contextlib.suppress(AssertionError, OSError):
                made, answer = conn(gateway)
                made.sock.close()
                return answer == b"STORED\r\n"

        eventually(lambda: enters(1) and enters(2), 5, "both know it")
        one, other = conn(1)[0], conn(2)[0]
        eventually(lambda: set_one(one, "a", "1") == b"STORED\r\n", 5, "it has room on the nodes")
        assert get_many(other, ["a"]) == {"a": "1"}
        # Nobody else's.
        with fleet.conn(1) as default:
            assert get_many(default, ["a"]) == {}
        fleet.ask("tenant", "flush", "acme", gateway=2)
        eventually(lambda: get_many(one, ["a"]) == {}, 5, "it is empty")
        assert fleet.ask("tenant", "limit", "acme", "--memory", "128MiB", gateway=2)["memory_bytes"] == 128 << 20
        assert fleet.ask("tenant", "show", "acme")["memory_bytes"] == 128 << 20
        assert "error" in fleet.ask("tenant", "add", "acme", "--memory", "64MiB", gateway=2, fails=True)
        assert "error" in fleet.ask("tenant", "move", "acme", fails=True)
        solo = fleet.ask("tenant", "add", "solo", "--memory", "64MiB", "--gateways", "1")
        place = 1 if solo["servers"] == [f"127.0.0.1:{fleet.port + 10}"] else 2
        moved = fleet.ask("tenant", "move", "solo", "--from", f"gateway{place}")
        assert moved["servers"] == [f"127.0.0.1:{fleet.port + 12 - place}"], moved
        assert len(fleet.ask("tenant", "show", "solo")["gateways"]) == 2
        fleet.ask("tenant", "move", "solo", "--finish")
        assert fleet.ask("tenant", "show", "solo")["gateways"] == [f"gateway{3 - place}"]
        fleet.ask("tenant", "remove", "acme", gateway=2)
        eventually(lambda: not enters(1), 5, "it is gone everywhere")


class Hitters:
    """Clients of one tenant that read one key as fast as they may, at the gateways that are on."""

    def __init__(self, fleet, grant):
        self.fleet, self.grant = fleet, grant
        self.on, self.stop = {1: False, 2: False}, threading.Event()
        self.hits = {1: 0, 2: 0}

    def conn(self, gateway):
        conn = Conn(("127.0.0.1", self.fleet.port + 9 + gateway))
        login = f"{self.grant['username']} {self.grant['password']}"
        conn.send(f"set auth 0 0 {len(login)}\r\n{login}\r\n")
        assert conn.line() == b"STORED\r\n"
        return conn

    def client(self, gateway):
        with self.conn(gateway) as conn:
            while not self.stop.is_set():
                if not self.on[gateway]:
                    time.sleep(0.02)
                elif get_many(conn, ["k"]):
                    # One writer each would need a lock for all; a lost count is no harm.
                    self.hits[gateway] += 1

    def __enter__(self):
        self.threads = [
            threading.Thread(target=self.client, args=(gateway,)) for gateway in (1, 2) for _ in range(4)
        ]
        [thread.start() for thread in self.threads]
        return self

    def __exit__(self, *_):
        self.stop.set()
        [thread.join(20) for thread in self.threads]

    def rates(self, seconds):
        """Hits a second at each gateway."""
        before = dict(self.hits)
        time.sleep(seconds)
        return [(self.hits[gateway] - before[gateway]) / seconds for gateway in (1, 2)]


@suite.test
def a_tenants_rate_follows_its_clients_from_gateway_to_gateway():
    limit = 400
    with calm_fleet() as fleet:
        grant = fleet.ask("tenant", "add", "rated", "--memory", "64MiB")
        fleet.ask("tenant", "limit", "rated", "--ops", str(limit))

        def stores():
            with contextlib.suppress(AssertionError, OSError):
                with Hitters(fleet, grant).conn(1) as conn, Hitters(fleet, grant).conn(2):
                    return set_one(conn, "k", "v") == b"STORED\r\n"

        eventually(stores, 10, "both gateways know it")
        with Hitters(fleet, grant) as hitters:
            hitters.on[1] = True
            # Half of it at first, and nearly all as soon as the other is seen to use nothing.
            eventually(lambda: hitters.rates(1.0)[0] > 0.9 * limit, 20, "all of the rate is at gateway 1")
            hitters.on.update({1: False, 2: True})
            eventually(lambda: hitters.rates(1.0)[1] > 0.9 * limit, 25, "all of the rate is at gateway 2")
            hitters.on[1] = True
            # What was saved up while it was idle is spent first.
            time.sleep(3)
            rates = hitters.rates(3.0)
            assert sum(rates) < 1.15 * limit, rates
            eventually(lambda: min(hitters.rates(2.0)) > 0.35 * limit, 25, "both have their half")


@suite.test
def a_tenants_memory_goes_where_its_bytes_are():
    with ready_fleet() as fleet:
        grant = fleet.ask("tenant", "add", "large", "--memory", "64MiB")

        def stores():
            with contextlib.suppress(AssertionError, OSError):
                with Hitters(fleet, grant).conn(1) as conn:
                    return all(set_one(conn, f"k{number}", "1") == b"STORED\r\n" for number in range(300))

        eventually(stores, 10, "it has room on the nodes")
        with Hitters(fleet, grant).conn(1) as conn:
            # The keys of one node are those that are missed without it.
            keys = [f"k{number}" for number in range(300)]
            fleet.signal("node1", signal.SIGSTOP)
            get_many(conn, keys)
            of_one = [key for key in keys if key not in get_many(conn, keys)][:40]
            fleet.signal("node1", signal.SIGCONT)
            value = "x" * 1_000_000

            def found():
                """Of 40 values of a megabyte, where the node's even part is 16 MiB."""
                for key in of_one:
                    set_one(conn, key, value)
                return len(get_many(conn, of_one))

            eventually(lambda: found() > 32, 60, "the node has what the others do not need")
            quota = fleet.ask("stat", "--tenant", "large")["tenants"][0]["cache"]["quota_bytes"]
            assert quota <= (64 << 20) * 11 // 10, quota


@suite.test
def a_gateway_answers_for_busy_keys_and_sees_its_own_changes_at_once():
    with calm_fleet() as fleet:
        grant = fleet.ask("tenant", "add", "busy", "--memory", "64MiB")
        conn = Hitters(fleet, grant).conn

        def enters():
            with contextlib.suppress(AssertionError, OSError):
                with conn(1), conn(2):
                    return True

        eventually(enters, 10, "both gateways know it")
        with conn(1) as one, conn(1) as same, conn(2) as other:
            eventually(lambda: set_one(one, "k", "0") == b"STORED\r\n", 10, "it has room on the nodes")

            def hits():
                return fleet.ask("stat", "--tenant", "busy")["tenants"][0]["cache"]["hot_hits"]

            def read(times):
                for _ in range(times):
                    get_many(one, ["k"] * 50)

            read(100)
            assert hits() == 0
            fleet.ask("tenant", "limit", "busy", "--hot-keys", "1s")
            deadline = time.monotonic() + 20
            while hits() == 0:
                assert time.monotonic() < deadline, "no key is found to be busy"
                read(100)
            read(100)
            for version in range(1, 30):
                # Through whichever connection of the same gateway, to whichever loop.
                assert set_one(same, "k", str(version)) == b"STORED\r\n"
                assert get_many(one, ["k"]) == {"k": str(version)}
                read(2)
                assert get_many(same, ["k"]) == {"k": str(version)}
            # Through another it takes a second at most.
            assert set_one(other, "k", "other") == b"STORED\r\n"
            changed = time.monotonic()
            while get_many(one, ["k"]) != {"k": "other"}:
                assert time.monotonic() - changed < 1.5, "too old"
            fleet.ask("tenant", "limit", "busy", "--hot-keys", "none")

            def has_ended():
                before = hits()
                read(20)
                return hits() == before

            eventually(has_ended, 5, "nodes are asked again")


@suite.test
def an_operator_drains_a_node_and_lets_it_in_again():
    with ready_fleet() as fleet, Load(fleet) as load:
        fleet.ask("node", "drain", "node4")
        eventually(lambda: fleet.members()["node4"]["slots"] == 0, 10, "its keys are elsewhere")
        eventually(lambda: load.ratio(0.3) > 0.99, 10, "they are stored again")
        assert "runs" in fleet.ask("node", "remove", "node4", fails=True)["error"]
        assert "no member" in fleet.ask("node", "drain", "node9", fails=True)["error"]
        fleet.ask("node", "readmit", "node4", gateway=2)
        eventually(lambda: fleet.members()["node4"]["slots"] > 0, 10, "it has some keys")
        load.check()


@suite.test
def an_operator_takes_out_no_more_than_may_be_out_and_is_told_of_at_every_gateway():
    with ready_fleet() as fleet:
        refused = lambda *args: fleet.ask("node", *args, fails=True)["error"]
        assert "is a gateway" in refused("eject", "gateway1"), fleet.members()
        assert "is a gateway" in refused("drain", "gateway2"), fleet.members()
        assert "cannot be readmitted" in refused("readmit", "node1"), fleet.members()
        fleet.ask("node", "eject", "node1", "--reason", "a new disk")
        said = refused("eject", "node2")
        assert "no more than 1" in said and "node1" in said and "--force" in said, said
        fleet.ask("node", "eject", "node2", "--force")
        for gateway in (1, 2):
            told = lambda: fleet.ask("node", "explain", "node1", gateway=gateway)["past"]
            eventually(lambda: any(it["by"] == "operator" for it in told()), 5, "who has done it")
            [deed] = [it for it in told() if it["by"] == "operator"]
            assert (deed["state"], deed["through"], deed["why"]) == ("ejected", "gateway1", "a new disk"), deed
        for node in ("node1", "node2", "node3"):
            fleet.ask("node", "drain", node)
        for deed in ("drain", "eject"):
            said = refused(deed, "node4")
            assert "the last node that serves" in said, said
        assert "the last node that serves" in refused("eject", "node4", "--force")
        assert fleet.members()["node4"]["state"] == "serving"
        at_node = [BINARY, "node", "explain", "node1", "--data-dir", os.path.join(fleet.folder, "node1")]
        said = subprocess.run(at_node, capture_output=True, timeout=30).stderr.decode()
        assert "this is a node" in said and "gateway1" in said and "gateway2" in said, said


@suite.test
def a_gateway_hands_over_as_the_same_member_while_clients_come_and_the_ring_changes():
    with ready_fleet() as fleet, Load(fleet, gateways=(2,)) as load:
        before = fleet.members()
        stop, wrong, visits, stored, found, let_go = threading.Event(), [], [0], [0], [0], [0]

        def visit():
            while not stop.is_set():
                visits[0] += 1
                value = str(visits[0])
                try:
                    with fleet.conn(1) as conn:
                        if set_one(conn, "visit", value) != b"STORED\r\n":
                            continue
                        stored[0] += 1
                        try:
                            got = get_many(conn, ["visit"])
                        except ConnectionResetError:
                            # The old process lets go of who asks nothing just then.
                            let_go[0] += 1
                            continue
                    # It is gone if its slot moved in between, and nothing else is there ever.
                    found[0] += got == {"visit": value}
                    if got not in ({}, {"visit": value}):
                        wrong.append((value, got))
                except (OSError, AssertionError) as error:
                    wrong.append(repr(error))

        visitor = threading.Thread(target=visit)
        visitor.start()
        try:
            old = fleet.upgrade(1)
            # What is changed meanwhile waits for both, or for the end of the old one.
            fleet.add(5)
            eventually(lambda: fleet.members().get("node5", {}).get("slots", 0) > 0, 30, "the ring changes")
            eventually(lambda: not is_there(old), 60, "the old one has ended")
        finally:
            stop.set()
            visitor.join(20)
        assert not wrong and stored[0] > 50 and found[0] > 0.9 * stored[0], (wrong[:5], visits, stored, found)
        # Whoever came later came to the new one.
        assert let_go[0] <= 1, let_go
        after = fleet.members()
        assert after["gateway1"]["member"] == before["gateway1"]["member"] and after["gateway1"]["alive"], after
        assert fleet.ask("tenant", "add", "later", "--memory", "64MiB")["tenant"] == "later"
        load.check()


@suite.test
def a_gateway_that_hands_over_stays_until_what_it_answered_for_a_node_is_done_there():
    with ready_fleet() as fleet:
        keys = [f"k{number}" for number in range(100)]
        with fleet.conn(1) as conn:
            for key in keys:
                assert set_one(conn, key, "old") == b"STORED\r\n"
            fleet.signal("node1", signal.SIGSTOP)
            get_many(conn, keys)
            found = get_many(conn, keys)
            lost = [key for key in keys if key not in found]
            assert lost and all(set_one(conn, key, "new") == b"NOT_STORED\r\n" for key in lost)
        old = fleet.upgrade(1)
        # Nobody is connected to it any more.
        time.sleep(4)
        assert is_there(old), "it has forgotten what the node is to remove"
        fleet.signal("node1", signal.SIGCONT)
        eventually(lambda: not is_there(old), 30, "the old one has ended")
        with fleet.conn(1) as conn:
            assert get_many(conn, lost) == {}
            assert get_many(conn, found) == found


def is_there(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@suite.test
def with_all_nodes_gone_the_gateway_says_so():
    with ready_fleet() as fleet, fleet.conn() as conn:
        for node in range(1, 5):
            fleet.signal(f"node{node}", signal.SIGKILL)
        gone = b"SERVER_ERROR no data node can be reached\r\n"

        def says_so():
            conn.send("version\r\n")
            return conn.line() == gone

        eventually(says_so, 10, "version tells")
        conn.send("mn\r\nget a\r\n")
        assert conn.line() == gone and conn.line() == b"END\r\n"
        assert set_one(conn, "a", "1") == b"NOT_STORED\r\n"


@suite.test
def a_fleet_that_is_told_to_ends_in_order():
    with calm_fleet() as fleet:
        fleet.run("down")
        for name in ("gateway1", "gateway2"):
            with open(os.path.join(fleet.folder, f"{name}.log")) as log:
                assert "stopped" in log.read(), name
        for name in ("node1", "node4"):
            with open(os.path.join(fleet.folder, f"{name}.log")) as log:
                assert "ending; gateways are told" in log.read(), name
        fleet.end()
        calm_fleets.clear()


if __name__ == "__main__":
    suite.main()
