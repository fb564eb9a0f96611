"""The tenants' console: in a real browser, over TLS, and against those who should not get in; and signed
webhooks, to operators and to tenants.

With COFFERDAM_PICTURES=docs the browser leaves its pictures there.
"""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import socket
import tempfile
import threading
import time
import urllib.parse

import certificates
import harness
from console import Load
from harness import Server, Suite, address, eventually

# Most of them wait for what takes its time, each at a server of its own.
suite = Suite("tenant_console", server=False, workers=2)

FLAGS = ("--tenant-console", "127.0.0.1:0")


def place(server):
    return address(server.ready["tenant_console"])


class Browser:
    """One that keeps its cookie and does what it is told."""

    def __init__(self, server, context=None):
        self.address, self.context, self.cookie = place(server), context, None

    def ask(self, method, path, form=None, headers=None):
        """Status, headers and text."""
        if self.context:
            connection = http.client.HTTPSConnection(*self.address, timeout=15, context=self.context)
        else:
            connection = http.client.HTTPConnection(*self.address, timeout=15)
        headers = dict(headers or {})
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return answer.status, answer, text

    def token(self, path):
        _, _, text = self.ask("GET", path)
        return re.search(r'name="form_token" value="(\w+)"', text).group(1)

    def login(self, tenant):
        form = {"form_token": self.token("/login"), "username": tenant["username"]}
        status, answer, text = self.ask("POST", "/login", {**form, "password": tenant["password"]})
        assert status == 303, (status, text)
        return self


class Hook:
    """A place that is told; keeps what it was sent."""

    def __init__(self, answers=()):
        hook = self
        self.got, self.answers = [], list(answers)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.headers, body))
                status = hook.answers.pop(0) if hook.answers else 204
                said = json.loads(body)
                answer = said.get("challenge", "").encode()
                status = 200 if answer and status == 204 else status
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def messages(self):
        return [json.loads(body) for _, body in list(self.got)]

    def check(self, secret):
        """Every message is signed with `secret`, and of now."""
        for headers, body in list(self.got):
            said = dict(part.split("=") for part in headers["Cofferdam-Signature"].split(","))
            signed = hmac.new(secret.encode(), said["t"].encode() + b"." + body, hashlib.sha256)
            assert hmac.compare_digest(signed.hexdigest(), said["v1"]), headers
            assert abs(time.time() - int(said["t"])) < 60, headers
            assert headers["Content-Type"] == "application/json", headers


def configured(folder, text):
    path = os.path.join(folder, "cofferdam.toml")
    with open(path, "w") as file:
        file.write(text)
    return ("--config", path)


@suite.test
def a_tenants_developer_with_a_browser():
    """Everything that needs a real one: see tenant_console_browser.js."""
    harness.need_browser()
    with Server(*FLAGS) as server:
        acme, globex = server.tenant("acme"), server.tenant("globex")
        server.cli("tenant", "limit", "acme", "--connections", "20", "--ops", "4000")
        loads = [Load(server, acme, 1600, keys=40), Load(server, globex, 300)]
        try:
            time.sleep(int(os.environ.get("SETTLE", "0")) / 1000)
            harness.person(
                "tenant_console_browser.js",
                URL=f"http://127.0.0.1:{place(server)[1]}",
                TENANT=json.dumps(acme),
                OTHER="globex",
                CLI=json.dumps([harness.BINARY, "--data-dir", server.data_dir]),
            )
        finally:
            for load in loads:
                load.stop()
        assert "panicked" not in server.log_text()


@suite.test
def the_busiest_keys_are_those_that_are_asked_for():
    with Server(*FLAGS) as server:
        acme, globex = server.tenant("acme"), server.tenant("globex")
        browser = Browser(server).login(acme)
        other = Browser(server).login(globex)
        browser.ask("GET", "/")
        with server.connect(acme) as conn:

            def seen():
                for _ in range(20):
                    hot = "".join(["get user:hot<b>:1\r\n"] * 60)
                    cold = "".join(f"get cold/{n}\r\n" for n in range(30))
                    conn.send(hot + cold + "mn\r\n")
                    conn.lines_until("MN")
                _, _, text = browser.ask("GET", "/")
                return "user:hot&#60;b&#62;:1" in text and "cold/" in text

            eventually(seen, 20, "the key that is asked for most")
        assert "hot" not in other.ask("GET", "/")[2]


@suite.test
def what_is_revoked_is_logged_out_and_hears_no_more():
    with Server(*FLAGS) as server:
        acme = server.tenant("acme")
        browser = Browser(server).login(acme)
        with socket.create_connection(place(server), timeout=10) as live:
            live.sendall(f"GET /live HTTP/1.1\r\nHost: localhost\r\nCookie: {browser.cookie}\r\n\r\n".encode())
            said = live.recv(4096)
            assert b"text/event-stream" in said, said
            made = json.loads(server.cli("tenant", "rotate", "acme", "--json").stdout)
            server.cli("tenant", "revoke", "acme", acme["username"])
            deadline = time.monotonic() + 10
            # The stream ends with its last chunk; the connection may serve another question.
            heard = b""
            while not heard.endswith(b"\r\n0\r\n\r\n"):
                assert time.monotonic() < deadline, "it is still told"
                part = live.recv(65536)
                assert part, "closed in the middle of an answer"
                heard += part
        assert browser.ask("GET", "/")[0] == 303
        assert Browser(server).login(made).ask("GET", "/")[0] == 200


@suite.test
def off_loopback_it_speaks_tls_or_is_not_there():
    with tempfile.TemporaryDirectory() as folder:
        done = harness.cli("up", "--data-dir", folder, "--tenant-console", "0.0.0.0:0", check=False)
        assert done.returncode != 0 and "tls.certificate" in done.stderr, done.stderr
        authority = certificates.Authority(folder)
        certificate, key = authority.issue("server", "localhost")
        config = configured(
            folder,
            f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\n'
            f'client_ca = "{authority.certificate}"\nclient_certificate = "required"\nlisteners = ["tenant_console"]\n',
        )
        with Server(*FLAGS, *config) as server:
            acme = server.tenant("acme")
            context = authority.context()
            browser = Browser(server, context).login(acme)
            status, _, text = browser.ask("GET", "/")
            assert status == 200 and acme["username"] in text
            # Browsers show no certificate, and none is asked for; the cookie stays within TLS.
            _, answer, _ = Browser(server, context).ask("GET", "/login")
            assert answer.headers["Set-Cookie"].endswith("; Secure"), answer.headers["Set-Cookie"]
            with socket.create_connection(place(server), timeout=5) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert not plain.recv(100).startswith(b"HTTP/"), "it answers unencrypted"


@suite.test
def bad_questions_reach_nothing_and_harm_nobody():
    with Server(*FLAGS) as server:
        acme = server.tenant("acme")
        browser = Browser(server).login(acme)
        for host in ("evil.example", "localhost.evil.example", ""):
            for path in ("/", "/login", "/static/app.js"):
                assert browser.ask("GET", path, headers={"Host": host})[0] == 421, (host, path)
        for path in ("/v1/tenants", "/metrics", "/console/", "/readyz", "/operator", "/../etc/passwd"):
            assert browser.ask("GET", path)[0] == 404, path
        with socket.create_connection(place(server)) as long:
            try:
                long.sendall(b"GET /?q=" + b"x" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert not long.recv(100).startswith(b"HTTP/1.1 200")
            except (ConnectionResetError, BrokenPipeError):
                pass
        slow = [socket.create_connection(place(server)) for _ in range(300)]
        for one in slow:
            try:
                one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-")
            except OSError:
                pass
        assert browser.ask("GET", "/")[0] == 200
        for one in slow:
            one.close()
        assert "panicked" not in server.log_text()


@suite.test
def events_are_posted_signed_again_until_taken_and_over_a_restart():
    with Hook(answers=[500, 302]) as hook, tempfile.TemporaryDirectory() as folder:
        secret = "operators-secret-of-this-test"
        with open(os.path.join(folder, "secret"), "w") as file:
            file.write(secret + "\n")
        config = configured(
            folder,
            "[webhooks]\nprivate_addresses = true\n"
            f'[[webhooks.targets]]\nurl = "{hook.url}"\nsecret_file = "{folder}/secret"\n'
            'events = ["tenant_throttled"]\n',
        )
        data = os.path.join(folder, "data")
        os.mkdir(data)
        with Server(*FLAGS, *config, data_dir=data) as server:
            acme = server.tenant("acme")
            server.cli("tenant", "limit", "acme", "--ops", "50")
            load = Load(server, acme, 800)
            try:
                eventually(lambda: len(hook.got) >= 3, 30, "the third attempt")
            finally:
                load.stop()
            first, second, third = hook.got[:3]
            assert first[1] == second[1] == third[1], "the same message again"
            ids = {headers["Cofferdam-Delivery"] for headers, _ in hook.got[:3]}
            assert len(ids) == 1, ids
            eventually(lambda: len(hook.got) >= 4, 30, "the end of it")
        hook.check(secret)
        told = hook.messages()
        assert all(one["event"]["event"] == "tenant_throttled" for one in told), told
        assert [one["event"]["state"] for one in told][-1] == "ended", told
        before = len(hook.got)
        with Server(*FLAGS, *config, data_dir=data):
            time.sleep(2)
        assert len(hook.got) == before, "nothing is told twice"


@suite.test
def a_tenant_is_told_of_what_it_asked_for():
    with Hook() as hook, tempfile.TemporaryDirectory() as folder:
        config = configured(folder, "[webhooks]\nprivate_addresses = true\n")
        with Server(*FLAGS, *config) as server:
            acme = server.tenant("acme", "--item-size", "4KiB", memory="1MiB")
            globex = server.tenant("globex")
            browser = Browser(server).login(acme)
            form = {"form_token": browser.token("/alerts"), "memory": "60", "webhook": hook.url}
            status, _, text = browser.ask("POST", "/alerts", form)
            assert status == 200, text
            secret = re.search(r"<pre[^>]*>(\w+)</pre>", text).group(1)
            server.cli("tenant", "limit", "globex", "--ops", "50")
            load = Load(server, globex, 800)
            try:
                with server.connect(acme) as conn:
                    for n in range(600):
                        conn(f"set k{n} 0 0 2000\r\n{'x' * 2000}\r\n", "STORED\r\n")
                    eventually(lambda: hook.got, 30, "the alert")
            finally:
                load.stop()
            hook.check(secret)
            told = hook.messages()
            assert {one["event"]["tenant"] for one in told} == {"acme"}, told
            assert told[0]["event"]["event"] == "memory_nearly_full", told
            assert "advice" not in told[0]["event"], "that is for operators"
            _, _, page = browser.ask("GET", "/")
            assert "of its memory, more than the 60 %" in page
            actions = open(os.path.join(server.data_dir, "audit.jsonl")).read()
            assert "alerts" in actions and secret not in actions


@suite.test
def nothing_is_sent_within_unless_that_is_wanted():
    with Server(*FLAGS) as server:
        browser = Browser(server).login(server.tenant("acme"))
        for url in ("http://127.0.0.1:1/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/x"):
            form = {"form_token": browser.token("/alerts"), "webhook": url}
            assert browser.ask("POST", "/alerts", form)[0] == 422, url


if __name__ == "__main__":
    suite.main()
