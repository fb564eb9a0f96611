"""The console: in a real browser, and against those who should not get in.

With COFFERDAM_PICTURES=docs the browser leaves its pictures there; docs/ has them from such a run.
"""

import fcntl
import http.client
import json
import os
import pty
import re
import socket
import struct
import tarfile
import tempfile
import termios
import threading
import time
import urllib.parse

import harness
from harness import Mismatch, Server, Suite, eventually

suite = Suite("console", server=False)

COOKIE = re.compile(r"cofferdam_session=(\w{26}); Path=/console; HttpOnly; SameSite=Strict; Max-Age=86400")


class Load(threading.Thread):
    """One tenant's clients: so many requests a second in batches, a share of them sets."""

    def __init__(self, server, tenant, per_second, keys=500, reconnects=False):
        super().__init__(daemon=True)
        self.server, self.tenant, self.per_second = server, tenant, per_second
        self.keys, self.reconnects = keys, reconnects
        self.ended = threading.Event()
        self.start()

    def run(self):
        count, batch = 0, max(1, self.per_second // 20)
        conn = None
        while not self.ended.wait(0.05):
            try:
                if conn is None or self.reconnects:
                    if conn:
                        conn.close()
                    conn = self.server.connect(self.tenant)
                if self.reconnects:
                    continue
                count += 1
                # A load that swells and ebbs is one that a graph shows.
                now = int(batch * (1 + 0.5 * ((count // 20) % 3)))
                lines = []
                for n in range(now):
                    key = f"user:{(count * 7 + n * 13) % self.keys}"
                    if n % 8 == 0:
                        lines.append(f"set {key} 0 0 200\r\n{'x' * 200}\r\n")
                    else:
                        lines.append(f"get {key}\r\n")
                conn.send("".join(lines) + "mn\r\n")
                conn.lines_until("MN")
            except (OSError, Mismatch):
                conn = None

    def stop(self):
        self.ended.set()
        self.join()


def token(server):
    with open(os.path.join(server.data_dir, "admin.token")) as file:
        return file.read().strip()


class Browser:
    """One that keeps its cookie and does what it is told."""

    def __init__(self, server):
        self.server, self.cookie = server, None

    def ask(self, method, path, form=None, headers=None):
        """Status, headers and text."""
        connection = http.client.HTTPConnection(*self.server.admin, timeout=15)
        headers = dict(headers or {})
        if self.cookie:
            headers.setdefault("Cookie", f"other=1; cofferdam_session={self.cookie}")
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer, text

    def login(self):
        status, answer, _ = self.ask("POST", "/console/login", {"token": token(self.server)})
        assert status == 303, status
        self.cookie = COOKIE.fullmatch(answer.headers["Set-Cookie"]).group(1)
        return self

    def form_token(self, path="/console/events"):
        _, _, text = self.ask("GET", path)
        return re.search(r'name="form_token" value="(\w+)"', text).group(1)


@suite.test
def a_person_with_a_browser():
    """Everything that needs a real one: see console_browser.js."""
    harness.need_browser()
    with Server() as server:
        tenants = [server.tenant(name) for name in ("acme", "globex", "initech", "umbrella")]
        server.cli("tenant", "limit", "globex", "--ops", "400", "--max-delay-ms", "20")
        loads = [Load(server, tenant, rate) for tenant, rate in zip(tenants, (1600, 900, 300, 120))]
        loads.append(Load(server, tenants[3], 1, reconnects=True))
        try:
            settle = int(os.environ.get("SETTLE", "0"))
            time.sleep(settle / 1000)
            harness.person("console_browser.js", URL=f"http://127.0.0.1:{server.admin[1]}",
                           TOKEN=token(server), TENANT="acme")
        finally:
            for load in loads:
                load.stop()
        shown = json.loads(server.cli("tenant", "show", "acme", "--json").stdout)
        assert shown["traffic"]["ops_per_second"] == 50, shown
        assert len(shown["credentials"]) == 2, shown


@suite.test
def nothing_is_told_to_strangers():
    with Server() as server:
        stranger = Browser(server)
        for path in ("/console/", "/console/tenants/default", "/console/events", "/console/audit"):
            status, answer, text = stranger.ask("GET", path)
            assert (status, answer.headers["Location"]) == (303, "/console/login"), (path, status)
            assert "default" not in text
        for path in ("/console/live", "/console/data/history", "/console/data/events"):
            assert stranger.ask("GET", path)[0] == 401, path
        for path in ("flush", "limit", "rotate"):
            assert stranger.ask("POST", f"/console/tenants/default/{path}", {})[0] == 401, path
        stranger.cookie = "a" * 26
        assert stranger.ask("GET", "/console/data/events")[0] == 401
        # The API behind it still wants its own proof, and a session is none.
        logged_in = Browser(server).login()
        assert logged_in.ask("GET", "/v1/tenants")[0] == 401


@suite.test
def guessing_is_slow_and_told():
    with Server() as server:
        guesser = Browser(server)
        statuses = [guesser.ask("POST", "/console/login", {"token": "x" * 26})[0] for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2, statuses
        status, answer, _ = guesser.ask("POST", "/console/login", {"token": token(server)})
        assert status == 429 and 1 <= int(answer.headers["Retry-After"]) <= 11
        # Wrong tokens of any length cost the same and are no error of ours.
        for wrong in ("", "x", "y" * 5000):
            assert guesser.ask("POST", "/console/login", {"token": wrong})[0] == 429
        assert "panicked" not in server.log_text()


@suite.test
def forms_of_other_pages_do_nothing():
    with Server() as server:
        server.tenant("acme")
        browser = Browser(server).login()
        good = browser.form_token()
        path = "/console/tenants/acme/flush"
        for wrong in ({}, {"form_token": ""}, {"form_token": good[:-1]}, {"form_token": "a" * 26}):
            assert browser.ask("POST", path, wrong)[0] == 403, wrong
        foreign = {"Sec-Fetch-Site": "cross-site"}
        assert browser.ask("POST", path, {"form_token": good}, foreign)[0] == 403
        assert browser.ask("POST", "/console/login", {"token": token(server)}, foreign)[0] == 403
        other = Browser(server).login()
        assert other.ask("POST", path, {"form_token": good})[0] == 403
        assert browser.ask("POST", path, {"form_token": good})[0] == 303
        stat = json.loads(server.cli("stat", "--tenant", "acme", "--json").stdout)
        assert stat["tenants"][0]["cache"]["cmd_flush"] == 1, stat


@suite.test
def a_foreign_name_reaches_nothing():
    with Server() as server:
        browser = Browser(server).login()
        for host in ("evil.example", "evil.example:8311", "localhost.evil.example", ""):
            for path in ("/", "/console/", "/console/login", "/console/static/app.js"):
                status, _, text = browser.ask("GET", path, headers={"Host": host})
                assert status == 421 and "<" not in text, (host, path, status)


@suite.test
def names_are_shown_and_not_obeyed():
    """A tenant in an address, a limit typed in, whatever a journal says: all are text."""
    evil = "<script>alert(1)</script>"
    with tempfile.TemporaryDirectory() as folder:
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        event = {"id": 1, "at": at, "onset": at, "event": "tenant_throttled", "cause": evil, "state": "began",
                 "tenant": evil, "sentence": f"Says {evil}", "advice": f"Do {evil} `{evil}`",
                 "evidence": [{"name": evil, "value": 1.0, "unit": evil}]}
        with open(os.path.join(folder, "events.jsonl"), "w") as journal:
            journal.write(json.dumps(event) + "\n")
        deed = {"at": at, "who": evil, "from": evil, "action": evil, "tenant": evil, "detail": evil,
                "outcome": evil}
        with open(os.path.join(folder, "audit.jsonl"), "w") as record:
            record.write(json.dumps(deed) + "\n")
        with Server(data_dir=folder) as server:
            shown_and_not_obeyed(server, evil)


def shown_and_not_obeyed(server, evil):
    browser = Browser(server).login()
    quoted = urllib.parse.quote(evil, safe="")
    for path in ("/console/", "/console/events", "/console/audit",
                 f"/console/tenants/{quoted}", f"/console/events?tenant={quoted}"):
        _, _, text = browser.ask("GET", path)
        assert evil not in text and "&#60;script" in text, path
    # What scripts are given is no page.
    _, answer, text = browser.ask("GET", "/console/data/events")
    assert evil in json.loads(text)[0]["sentence"], text
    assert answer.headers["Content-Type"] == "application/json", answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.headers
    form = {"form_token": browser.form_token(), "ops_per_second": f'"{evil}'}
    status, _, text = browser.ask("POST", "/console/tenants/default/limit", form)
    assert status == 422 and evil not in text and "&#60;script" in text
    _, answer, _ = browser.ask("GET", "/console/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy, policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"


@suite.test
def long_and_slow_questions_harm_nobody():
    with Server() as server:
        browser = Browser(server).login()
        with socket.create_connection(server.admin) as long:
            try:
                long.sendall(b"GET /console/events?tenant=" + b"x" * (1 << 20) + b" HTTP/1.1\r\n\r\n")
            except OSError:
                pass
            try:
                assert not long.recv(100).startswith(b"HTTP/1.1 200")
            except ConnectionResetError:
                pass
        names = ",".join(["service/reads"] * 65)
        assert browser.ask("GET", f"/console/data/history?names={names}")[0] == 400
        slow = [socket.create_connection(server.admin) for _ in range(60)]
        for one in slow:
            one.sendall(b"GET /console/ HTTP/1.1\r\nHost: localhost\r\nX-")
        assert browser.ask("GET", "/console/")[0] == 200
        eventually(lambda: all(gone(one) for one in slow), 15, "slow questions are cut off")


def gone(sock):
    """Whether the other side has closed."""
    sock.setblocking(False)
    try:
        return sock.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@suite.test
def followers_are_bounded_and_let_go():
    with Server() as server:
        browser = Browser(server).login()
        request = f"GET /console/live HTTP/1.1\r\nHost: localhost\r\nCookie: cofferdam_session={browser.cookie}\r\n\r\n"
        open_ones = []
        for _ in range(24):
            one = socket.create_connection(server.admin, timeout=5)
            one.sendall(request.encode())
            assert b"text/event-stream" in one.recv(4096)
            open_ones.append(one)
        with socket.create_connection(server.admin, timeout=5) as late:
            late.sendall(request.encode())
            assert late.recv(4096).startswith(b"HTTP/1.1 503")
        for one in open_ones:
            one.close()
        eventually(lambda: browser.ask("GET", "/console/live-not")[0] == 404, 5, "it serves on")

        def follows():
            with socket.create_connection(server.admin, timeout=5) as again:
                again.sendall(request.encode())
                return again.recv(4096).startswith(b"HTTP/1.1 200")

        eventually(follows, 5, "a place comes free")


@suite.test
def the_history_is_that_of_the_tenants():
    """What was asked of the cache is what the history tells, over the API and over the console."""
    with Server() as server:
        acme = server.tenant("acme")
        browser = Browser(server).login()
        began = int(time.time()) - 2

        def told(name):
            path = f"/console/data/history?names={name}&from={began}"
            status, _, text = browser.ask("GET", path)
            if status == 503:  # The files are being opened.
                return []
            assert status == 200, text
            answer = json.loads(text)
            assert answer["step_s"] == 1, answer["step_s"]
            return [mean for mean in answer["figures"][name]["mean"] if mean is not None]

        eventually(lambda: told("tenant/acme/misses"), 15, "a first second in the history")
        with server.connect(acme) as conn:
            for _ in range(500):
                conn.send("get missing\r\n")
                conn.lines_until("END")
        misses = "tenant/acme/misses"
        eventually(lambda: abs(sum(told(misses)) - 500) <= 75, 10, "500 misses in the history")


@suite.test
def the_same_at_a_glance_in_a_terminal():
    with Server() as server:
        acme = server.tenant("acme")
        server.cli("tenant", "limit", "acme", "--ops", "20", "--max-delay-ms", "20")
        load = Load(server, acme, 400)
        try:
            def shown():
                text = server.cli("top", "--once").stdout
                row = next((line for line in text.splitlines() if line.startswith("acme")), "")
                return "held to its limits" in text and "/s" in row and "%" in row

            eventually(shown, 15, "top tells of the tenant that waits")
        finally:
            load.stop()
        board = json.loads(server.cli("top", "--json").stdout)
        assert len(board["tiles"]) == 6 and board["tenants"][0]["tenant"] == "acme", board


@suite.test
def top_in_a_real_terminal_draws_and_ends_as_it_came():
    with Server() as server:
        for rows, columns, shown in ((30, 120, "MEMORY"), (24, 80, "HELD")):
            pid, terminal = pty.fork()
            if pid == 0:
                os.environ["TERM"] = "xterm"
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execv(harness.BINARY, [harness.BINARY, "top", "--data-dir", server.data_dir])
            seen = b""
            deadline = time.monotonic() + 20
            while not (b"Requests a second" in seen and shown.encode() in seen) and time.monotonic() < deadline:
                seen += os.read(terminal, 65536)
            assert b"Requests a second" in seen and shown.encode() in seen, (columns, seen)
            os.write(terminal, b"q")
            while True:
                try:
                    more = os.read(terminal, 65536)
                except OSError:
                    break
                if not more:
                    break
                seen += more
            assert os.waitpid(pid, 0)[1] == 0
            assert b"\x1b[?1049l" in seen, "the screen is not given back"


@suite.test
def a_bundle_tells_what_happened_and_no_secret():
    planted = "hunter2hunter2hunter2"
    with Server() as server:
        acme = server.tenant("acme")
        with server.connect(acme) as conn:
            conn("mn\r\n", "MN\r\n")
        browser = Browser(server).login()
        form = {"form_token": browser.form_token(), "ops_per_second": planted}
        assert browser.ask("POST", "/console/tenants/acme/limit", form)[0] == 422
        with open(os.path.join(server.data_dir, "events.jsonl"), "a") as journal:
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            lines = [f'token={token(server)}', f'password: {planted}', acme["password"]]
            for line in lines:
                event = {"id": 0, "at": at, "sentence": line}
                journal.write(json.dumps(event, separators=(",", ":")) + "\n")
        config = os.path.join(server.data_dir, "planted.toml")
        with open(config, "w") as file:
            file.write(f'# password = "{planted}"\nlog_level = "info"\n')
        def is_kept():
            query = "names=service/connections&points=2000"
            status, _, text = browser.ask("GET", f"/console/data/history?{query}")
            return status == 200 and re.search(r"[0-9.]+\]", text)

        eventually(is_kept, 15, "a first second in the history")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bundle.tar.gz")
            said = server.cli("support-bundle", "--output", path, "--config", config)
            assert "log.txt" in said.stdout, said.stdout
            assert os.stat(path).st_mode & 0o777 == 0o600
            files = {}
            with tarfile.open(path) as archive:
                for member in archive:
                    files[os.path.basename(member.name)] = archive.extractfile(member).read().decode()
        for name in ("about.json", "cofferdam.toml", "events.jsonl", "audit.jsonl", "stat.json",
                     "tenants.json", "board.json", "metrics.txt", "log.txt", "readyz.txt"):
            assert name in files, (name, sorted(files))
        assert "service/connections" in files["history-last-hour.csv"], sorted(files)
        assert "acme" in files["stat.json"] and "tenant added" in files["log.txt"]
        for name, text in files.items():
            for secret in (planted, token(server), acme["password"], browser.cookie):
                assert secret not in text, (name, secret)
        again = server.cli("support-bundle", "--output", server.data_dir + "/x.tar.gz", check=False)
        assert again.returncode == 1 and "data folder" in again.stderr, again.stderr


if __name__ == "__main__":
    suite.main()
