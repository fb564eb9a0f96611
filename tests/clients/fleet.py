"""Two gateways over four nodes, each a process: real clients, large values, and machines that stop, die
and come back, under load."""

import contextlib
import os
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
    for base in range(20000 + os.getpid() % 150 * 40, 32000, 40):
        with contextlib.ExitStack() as held:
            try:
                for offset in (0, 1, 10, 11, 21, 22, 23, 24, 31, 32):
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
        self.pids = dict(
            (name, int(pid)) for name, pid in (line.split() for line in self.run("pids").split("\n") if line)
        )
        return self

    def __exit__(self, *_):
        for pid in self.pids.values():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        self.run("down")

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

    def signal(self, name, number):
        os.kill(self.pids[name], number)

    def is_ready(self):
        with self.conn() as conn:
            return all(set_one(conn, f"ready{i}", "1") == b"STORED\r\n" for i in range(64))


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
        _, key, _, length = line.split()
        found[key.decode()] = conn.take(int(length) + 2)[:-2].decode()


@contextlib.contextmanager
def ready_fleet():
    with Fleet() as fleet:
        eventually(fleet.is_ready, 10, "all nodes are reached")
        yield fleet


@suite.test
def real_clients_find_what_they_stored_through_either_gateway():
    from pymemcache.client.hash import HashClient

    with ready_fleet() as fleet:
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
    with ready_fleet() as fleet, fleet.conn() as conn:
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


@suite.test
def under_load_a_dead_node_takes_its_share_and_no_wrong_value_is_read():
    with ready_fleet() as fleet:
        stop, wrong, counts = threading.Event(), [], [0, 0]

        def client(number):
            with fleet.conn(1 + number % 2) as conn:
                keys = [f"c{number}-{key}" for key in range(50)]
                version = 0
                while not stop.is_set():
                    version += 1
                    for key in keys:
                        answer = set_one(conn, key, str(version))
                        if answer not in (b"STORED\r\n", b"NOT_STORED\r\n"):
                            wrong.append(answer)
                    found = get_many(conn, keys)
                    counts[0] += len(keys)
                    counts[1] += len(found)
                    wrong.extend(value for value in found.values() if value != str(version))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        [thread.start() for thread in threads]
        time.sleep(0.5)
        fleet.signal("node2", signal.SIGKILL)
        time.sleep(1.5)
        counts[:] = [0, 0]
        time.sleep(1.0)
        stop.set()
        [thread.join(20) for thread in threads]
        assert not wrong, wrong[:5]
        # A quarter of the keys were there, more or less.
        assert 0.55 < counts[1] / counts[0] < 0.95, counts


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


suite.main()
