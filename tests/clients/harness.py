"""What every suite of the black-box tests shares: a server of its own, raw connections, a runner.

A suite is a file with a `Suite`, functions marked `@suite.test`, and `suite.main()` at its end. It
runs alone (`python3 tests/clients/raw_text.py -k incr`) or through `run.py`. With
`--against HOST:PORT` the suites that allow it talk to a memcached instead, so that what they expect
is verified by the original.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
BINARY = os.environ.get("COFFERDAM_BIN", os.path.join(TARGET, "debug", "cofferdam"))

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
NODE_FOLDER = os.path.join(TARGET, "clients", "node")

# Many connections at once need as many descriptors here as there.
_, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))

# The protocol that the goldens describe, and from which on a memcached agrees with all of them.
MODERN = (1, 6, 42)

# Longest wait for an answer that must come, in seconds; generous, since builds share the machine.
PATIENCE = 15.0


class Mismatch(AssertionError):
    """Bytes sent, bytes expected, bytes got."""

    def __init__(self, sent, expected, got, why="other bytes"):
        super().__init__(why)
        self.why, self.sent, self.expected, self.got = why, sent, expected, got

    def __str__(self):
        return "\n".join(
            [self.why]
            + [
                f"      {name:9}{shorten(value)}"
                for name, value in (
                    ("sent", self.sent),
                    ("expected", self.expected),
                    ("got", self.got),
                )
            ]
        )


class Skipped(Exception):
    """The test does not apply here."""


def shorten(value, limit=600):
    """The representation of bytes, cut in the middle if it is long."""
    if isinstance(value, re.Pattern):
        return f"like {value.pattern!r}"
    if not isinstance(value, (bytes, bytearray)):
        return repr(value)
    if len(value) <= limit:
        return repr(bytes(value))
    half = limit // 2
    return f"{bytes(value[:half])!r} ... {bytes(value[-half:])!r} ({len(value)} bytes)"


def as_bytes(value):
    return value.encode("latin-1") if isinstance(value, str) else value


def like(pattern):
    """An expectation with placeholders: a regular expression over the answer's bytes."""
    return re.compile(as_bytes(pattern), re.DOTALL)


class Conn:
    """A raw connection: bytes out, bytes in."""

    def __init__(self, address, timeout=PATIENCE, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        if family == socket.AF_INET:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.modern = True
        self.oracle = False
        self.sent = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with a RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data):
        self.sent = as_bytes(data)
        self.sock.sendall(self.sent)

    def _fill(self):
        """Reads once more; False at the end of the stream."""
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        self.received += data
        return bool(data)

    def take(self, count):
        """Exactly so many bytes, or as many as come before the end or the timeout."""
        parts, have = [self.received[:count]], min(count, len(self.received))
        self.received = self.received[count:]
        with contextlib.suppress(TimeoutError):
            while have < count:
                data = self.sock.recv(min(1 << 20, count - have))
                if not data:
                    break
                parts.append(data)
                have += len(data)
        return b"".join(parts)

    def line(self):
        """One line with its end, or what there is of it."""
        with contextlib.suppress(TimeoutError):
            while b"\n" not in self.received and self._fill():
                pass
        line, end, rest = self.received.partition(b"\n")
        self.received = rest
        return line + end

    def lines_until(self, *ends):
        """Lines up to and with one that equals one of `ends`."""
        ends = [as_bytes(end) for end in ends]
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if not line.endswith(b"\n") or line.rstrip(b"\r\n") in ends:
                return lines

    def until_closed(self):
        """Everything up to the end of the stream; a timeout is a failure."""
        try:
            while self._fill():
                pass
        except TimeoutError:
            raise Mismatch(self.sent, "end of stream", self.received, "still open") from None
        everything, self.received = self.received, b""
        return everything

    def __call__(self, send, expect, old=None, newer=None):
        """Sends, and compares the answer with `expect`.

        `old` is what a memcached before 1.6.42 answers where it differs, `newer` what one from then
        on does where ours differs on purpose; neither is what ours may answer.
        """
        if old is not None and not self.modern:
            expect = old
        if newer is not None and self.oracle and self.modern:
            expect = newer
        self.send(send)
        return self.expect(expect)

    def expect(self, expect):
        if isinstance(expect, re.Pattern):
            return self._expect_like(expect)
        expect = as_bytes(expect)
        got, checked = bytearray(self.received), 0
        self.received = b""
        while True:
            end = min(len(got), len(expect))
            if got[checked:end] != expect[checked:end]:
                raise Mismatch(self.sent, expect, bytes(got) + self._rest())
            checked = end
            if len(got) >= len(expect):
                self.received = bytes(got[len(expect) :])
                return expect
            try:
                alive = self._fill()
            except TimeoutError:
                raise Mismatch(self.sent, expect, bytes(got), "no more came") from None
            if not alive:
                raise Mismatch(self.sent, expect, bytes(got), "closed") from None
            got += self.received
            self.received = b""

    def _expect_like(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = pattern.match(self.received)
            if found:
                self.received = self.received[found.end() :]
                return found.groups()
            wait = deadline - time.monotonic()
            # Bytes that do not match yet may be the beginning of what does.
            settled = self.received and not select.select([self.sock], [], [], 1.0)[0]
            if wait <= 0 or settled or not self._fill():
                raise Mismatch(self.sent, pattern, self.received)

    def _rest(self):
        """What else is there, for a message."""
        with contextlib.suppress(TimeoutError, OSError):
            self.sock.settimeout(0.2)
            while len(self.received) < 4096 and self._fill():
                pass
        return self.received

    def closes(self, send, expect=b""):
        """Sends, and wants exactly `expect` and then the end of the stream."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send(send)
        got = self.until_closed()
        if isinstance(expect, re.Pattern):
            if not expect.fullmatch(got):
                raise Mismatch(send, expect, got)
        elif got != as_bytes(expect):
            raise Mismatch(send, expect, got)
        return got

    def in_step(self):
        """Nothing more is under way: the next answer is the next question's."""
        self("mn\r\n", "MN\r\n")

    def login(self, tenant):
        """Authenticates the way memcached's own `-Y` wants it."""
        body = f"{tenant['username']} {tenant['password']}"
        self(f"set auth 0 0 {len(body)}\r\n{body}\r\n", "STORED\r\n")
        return self

    def stats(self, *args):
        self.send(" ".join(("stats",) + args) + "\r\n")
        lines = self.lines_until("END", "ERROR")
        pairs = [line.decode().split(None, 2)[1:] for line in lines if line.startswith(b"STAT ")]
        return {pair[0]: (pair[1].rstrip("\r\n") if len(pair) > 1 else "") for pair in pairs}


class Server:
    """A Cofferdam of its own, on free ports and with a data directory of its own."""

    def __init__(self, *flags, memory="512MiB", data_dir=None, env=None):
        self.own_dir = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="cofferdam-test-")
        self.log_path = os.path.join(self.data_dir, "stderr.log")
        command = [BINARY, "up", "--data-dir", self.data_dir, "--memory", memory]
        for flag in ("--memcache", "--memcache-auth", "--admin", "--nbd"):
            if flag not in flags:
                command += [flag, "127.0.0.1:0"]
        if "--status" not in flags:
            # Its prober is one more client; the suites that are about it ask for it.
            command += ["--status", "off"]
        if "--tenant-console" not in flags:
            command += ["--tenant-console", "off"]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            command + list(flags),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, **(env or {})},
        )
        self.ready = self._await_ready()
        self.open = address(self.ready["memcache"])
        self.auth = address(self.ready["memcache_auth"])
        self.admin = address(self.ready["admin"])

    def _await_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], 30)
        line = self.process.stdout.readline().decode() if readable else ""
        if not line.startswith("ready "):
            self.stop(signal.SIGKILL)
            raise RuntimeError(f"no ready line but {line!r}; its log says:\n{self.log_text()}")
        return dict(word.split("=", 1) for word in line.split()[1:])

    def log_text(self):
        with contextlib.suppress(OSError), open(self.log_path, errors="replace") as log:
            return log.read()[-4000:]
        return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def alive(self):
        return self.process.poll() is None

    def stop(self, how=signal.SIGTERM, patience=20):
        """Ends it; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cli(self, *args, check=True):
        """Runs the command line against this server's data directory."""
        return cli("--data-dir", self.data_dir, *args, check=check)

    def metrics(self, context=None):
        """The page of metrics, over TLS if there is a context for it."""
        scheme, host = ("https", "localhost") if context else ("http", self.admin[0])
        with open(os.path.join(self.data_dir, "admin.token")) as token:
            headers = {"Authorization": f"Bearer {token.read().strip()}"}
        url = f"{scheme}://{host}:{self.admin[1]}/metrics"
        question = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(question, context=context, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def failed_connections(self, context=None):
        """Connections that ended on their way to the door, by cause."""
        pattern = r'^cofferdam_connections_failed_total\{cause="(\w+)"\} (\d+)'
        found = re.findall(pattern, self.metrics(context), re.M)
        return {cause: int(count) for cause, count in found}

    def tenant(self, name, *flags, memory="16MiB"):
        """Adds a tenant; what `tenant add --json` prints."""
        done = self.cli("tenant", "add", name, "--memory", memory, "--json", *flags)
        return json.loads(done.stdout)

    def connect(self, tenant=None, **how):
        """A connection to the open listener, or an authenticated one."""
        if tenant is None:
            return Conn(self.open, **how)
        return Conn(self.auth, **how).login(tenant)


def cli(*args, check=True):
    done = subprocess.run(
        [BINARY, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if check and done.returncode != 0:
        raise AssertionError(
            f"`cofferdam {' '.join(args)}` ended with {done.returncode}: {done.stderr.strip()}"
        )
    return done


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def eventually(condition, within, what):
    """Asks until the answer is true; the seconds that it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within:
            raise AssertionError(f"not within {within} s: {what}")
        time.sleep(0.01)
    return time.monotonic() - began


class Env:
    """What a test is given."""

    def __init__(self, server, against):
        self.server = server
        self.oracle = against is not None
        self.address = against or server.open
        self.version = self._version() if self.oracle else MODERN
        self.counter = 0
        self.lock = threading.Lock()

    def _version(self):
        with Conn(self.address) as conn:
            conn.send("version\r\n")
            found = re.search(rb"(\d+)\.(\d+)\.(\d+)", conn.line())
            return tuple(int(part) for part in found.groups())

    def connect(self, **how):
        conn = Conn(self.address, **how)
        conn.modern = self.version >= MODERN
        conn.oracle = self.oracle
        return conn

    def name(self, prefix="t"):
        """A name that no other test uses."""
        with self.lock:
            self.counter += 1
            return f"{prefix}{self.counter}"


class Suite:
    """A list of tests and a way to run them."""

    def __init__(self, name, *flags, memory="512MiB", oracle=False, server=True, workers=1):
        self.name, self.flags, self.memory = name, flags, memory
        self.oracle, self.server, self.workers = oracle, server, workers
        self.tests = []

    def test(self, function=None, *, since=None):
        """Marks a test; `since` is the oracle's version from which on it applies."""
        if function is None:
            return lambda real: self.test(real, since=since)
        function.since = since
        self.tests.append(function)
        return function

    def golden(self, function=None, *, since=None):
        """Marks a test that is given a connection to an empty cache, and must leave it in step."""
        if function is None:
            return lambda real: self.golden(real, since=since)

        def run(env):
            with env.connect() as conn:
                conn("flush_all\r\n", "OK\r\n")
                function(conn)
                conn.in_step()

        run.__name__, run.__doc__ = function.__name__, function.__doc__
        return self.test(run, since=since)

    def main(self):
        parser = argparse.ArgumentParser(description=f"Suite {self.name}")
        parser.add_argument("-k", default="", help="only tests whose name holds this")
        if self.oracle:
            parser.add_argument("--against", type=address, help="HOST:PORT of a memcached")
        options = parser.parse_args()
        against = getattr(options, "against", None)
        chosen = [test for test in self.tests if options.k in test.__name__]
        with contextlib.ExitStack() as stack:
            server = None
            if self.server and not against:
                server = stack.enter_context(Server(*self.flags, memory=self.memory))
            env = Env(server, against) if server or against else None
            outcomes = self._run(chosen, env)
            if server and not server.alive():
                print(f"FAIL {self.name}: the server has ended\n{server.log_text()}")
                outcomes.append("FAIL")
            if server and "panicked" in server.log_text():
                print(f"FAIL {self.name}: the server panicked\n{server.log_text()}")
                outcomes.append("FAIL")
        passed, failed = outcomes.count("ok"), outcomes.count("FAIL")
        print(f"{self.name}: {passed} passed, {failed} failed", end="")
        print(f", {outcomes.count('skip')} skipped" if "skip" in outcomes else "")
        sys.exit(1 if failed else 0)

    def _run(self, chosen, env):
        if self.workers == 1:
            return [self._run_one(test, env) for test in chosen]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(lambda test: self._run_one(test, env), chosen))

    def _run_one(self, test, env):
        began = time.monotonic()
        outcome, message = "ok", ""
        try:
            if test.since and env and env.version < test.since:
                raise Skipped(f"memcached {'.'.join(map(str, test.since))} and later")
            test(env) if env else test()
        except Skipped as why:
            outcome, message = "skip", f" ({why})"
        except Mismatch as why:
            outcome, message = "FAIL", f"\n    {why}\n      at {where(why)}"
        except Exception as why:  # noqa: BLE001: a test may fail in any way
            details = "" if isinstance(why, AssertionError) else traceback.format_exc()
            outcome = "FAIL"
            message = f"\n    {type(why).__name__}: {why}\n      at {where(why)}\n{details}"
        took = time.monotonic() - began
        slow = f" [{took:.1f} s]" if took > 5 else ""
        print(f"{outcome:5}{self.name}: {test.__name__}{slow}{message}", flush=True)
        return outcome


def need_browser():
    """Without a browser what needs one fails, unless somebody has said that there is to be none."""
    missing = [name for name, is_there in (
        ("chromium", os.path.exists(CHROMIUM)),
        ("node", shutil.which("node")),
        ("playwright-core", os.path.isdir(os.path.join(NODE_FOLDER, "node_modules", "playwright-core"))),
    ) if not is_there]
    if not missing:
        return
    why = f"{' and '.join(missing)} not installed"
    if os.environ.get("COFFERDAM_NO_BROWSER"):
        raise Skipped(why)
    raise AssertionError(f"{why}: run scripts/test.sh, or set COFFERDAM_NO_BROWSER=1 to leave out what needs a browser")


def person(script, timeout=180, **environment):
    """Has a person with a browser, a script beside this file, look at pages."""
    need_browser()
    done = subprocess.run(
        ["node", os.path.join(ROOT, "tests", "clients", script)],
        env={**os.environ, "CHROMIUM": CHROMIUM, "NODE_FOLDER": NODE_FOLDER, **environment},
        capture_output=True, text=True, timeout=timeout,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def where(why):
    """The line of the suite in which it happened."""
    frames = traceback.extract_tb(why.__traceback__)
    outside = [frame for frame in frames if os.path.basename(frame.filename) != "harness.py"]
    frame = outside[-1] if outside else frames[-1]
    return f"{os.path.basename(frame.filename)}:{frame.lineno}: {frame.line}"
