"""The status page: from green to red to resolved, its feeds and API through real readers, its bad guests."""

import contextlib
import http.client
import json
import math
import os
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from email import message_from_bytes, policy

import certificates
import status_past
import harness
from harness import BINARY, ROOT, Server, Suite, address, eventually

suite = Suite("status", server=False)

SCRIPT = os.path.join(ROOT, "tests", "clients", "status_browser.js")
# Pictures are kept in docs/ when asked for; else nowhere, as they differ with every run.
PICTURES = os.environ.get("COFFERDAM_PICTURES", "-")
# What is not about how soon something is seen is not made to wait for it.
OFTEN = "500ms"
FOLDER = tempfile.TemporaryDirectory()


class StatusProcess:
    """A status page of its own, which watches a server from outside."""

    def __init__(self, server, more="", gateway="", has_past=False, before="[status]\n", every=OFTEN):
        self.dir = tempfile.mkdtemp(prefix="cofferdam-status-")
        if has_past:
            wave = lambda back: int(620 + 180 * math.sin(back / 229) + (back * 7919 % 61))  # noqa: E731
            status_past.write(self.dir, days=90, latency_us=wave, failed=lambda back: False)
        canary = server.tenant("canary", memory="1MiB", *("--item-size", "1KiB"))
        with open(os.path.join(self.dir, "password"), "w") as file:
            file.write(canary["password"])
        config = os.path.join(self.dir, "status.toml")
        with open(config, "w") as file:
            file.write(f"""
data_dir = "{self.dir}"
[listen]
status = "127.0.0.1:0"
{before}name = "Example status"
every = "{every}"
url = "https://status.example"
export = "{self.dir}/export"
events_from = "{server.ready['admin']}"
events_token_file = "{server.data_dir}/admin.token"
{more}
[[status.gateways]]
name = "Cache"
address = "{server.ready['memcache_auth']}"
username = "{canary['username']}"
password_file = "{self.dir}/password"
{gateway}
""")
        self.log = open(os.path.join(self.dir, "log"), "ab")
        self.process = subprocess.Popen(
            [BINARY, "status", "--config", config], stdout=subprocess.PIPE, stderr=self.log
        )
        line = self.process.stdout.readline().decode()
        assert line.startswith("ready status="), (line, open(os.path.join(self.dir, "log")).read())
        self.addr = address(line.split("=", 1)[1].strip())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.process.stdout.close()
        self.log.close()


def page(addr, path="/", headers=None, method="GET", body=None):
    """Status, headers and text."""
    connection = http.client.HTTPConnection(*addr, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read().decode()


def summary(addr):
    return json.loads(page(addr, "/api/v2/summary.json")[2])


def indicator(addr):
    return summary(addr)["status"]["indicator"]


def browser(addr, phase, *more, wait=None):
    """What Chromium and axe-core say."""
    harness.need_browser()
    process = subprocess.Popen(
        ["node", SCRIPT, "http://%s:%d" % addr, PICTURES, phase, *more],
        env={**os.environ, "NODE_PATH": os.path.join(harness.NODE_FOLDER, "node_modules"), "CHROMIUM": harness.CHROMIUM},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    if wait:
        process.stderr.readline()
        wait()
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    seen = json.loads(out)
    assert not seen["violations"], seen["violations"]
    assert not seen["errors"], seen["errors"]
    return seen["told"]


def own_page(*flags):
    """A server with a page of its own."""
    config = os.path.join(FOLDER.name, "often.toml")
    with open(config, "w") as file:
        file.write(f'[status]\nevery = "{OFTEN}"\n')
    return Server("--config", config, "--status", "127.0.0.1:0", *flags, memory="64MiB")


def green(addr):
    eventually(lambda: indicator(addr) == "none", 15, "a green page")


@suite.test
def from_green_to_red_to_resolved():
    with Server(memory="64MiB") as server, StatusProcess(server, has_past=True, every="2s") as status:
        addr = status.addr
        green(addr)
        assert browser(addr, "green")["headline"] == "All systems operational"
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            appears = eventually(lambda: "Major outage" in page(addr)[2], 12, "an outage on the page")
            draft = eventually(lambda: summary(addr)["incidents"], 6, "an incident") + appears
            told = browser(addr, "red")
            assert told["headline"] == "Major outage", told
            assert "The service does not answer" in told["text"], told
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        def is_gone():
            now = summary(addr)
            return now["status"]["indicator"] == "none" and not now["incidents"]
        gone = eventually(is_gone, 35, "a green page without an incident")
        print(f"      appears {appears:.1f} s, draft {draft:.1f} s, gone {gone:.1f} s")
        assert appears <= 10 and draft <= 15 and gone <= 30, (appears, draft, gone)
        if os.environ.get("COFFERDAM_SEEING"):
            with open(os.environ["COFFERDAM_SEEING"], "w") as file:
                json.dump({"appears_ms": int(appears * 1000), "draft_ms": int(draft * 1000),
                           "gone_ms": int(gone * 1000)}, file)
        told = browser(addr, "resolved")
        assert "It is over. It lasted" in told["text"], told
        incident = json.loads(page(addr, "/api/v2/incidents.json")[2])["incidents"][0]
        states = [update["status"] for update in incident["incident_updates"]]
        assert states[0] == "resolved" and states[-1] == "investigating", states
        readers(addr, incident)
        exported = os.path.join(status.dir, "export", "incidents", "1.html")
        eventually(lambda: os.path.exists(exported), 12, "the incident as a file")


def as_an_exporter_sees(url):
    """What a program of others, which keeps what it has read in the folder that it is in, makes of it."""
    from statuspage_prometheus_exporter.service_checker import check_status_page_service

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return check_status_page_service("cofferdam", {"url": url, "name": "Cofferdam"})


def readers(addr, incident):
    """The feeds and the API as programs of others read them."""
    import feedparser

    for feed, version in (("history.atom", "atom10"), ("history.rss", "rss20")):
        read = feedparser.parse(page(addr, "/" + feed)[2])
        assert not read.bozo and read.version == version, (feed, read.get("bozo_exception"))
        assert read.feed.title == "Example status", read.feed
        entry = read.entries[0]
        assert entry.title == incident["name"] and entry.link == incident["shortlink"], entry
        assert "It is over" in (entry.get("summary") or entry.content[0].value), entry
        assert entry.get("published_parsed"), entry
    url = "http://%s:%d/api/v2/summary.json" % addr
    told = as_an_exporter_sees(url)
    assert told["success"] and told["raw_status"] == "none" and told["status"] == 1, told


@suite.test
def what_watches_the_dead_is_up_and_never_green():
    with Server(memory="64MiB") as server, StatusProcess(server) as status:
        green(status.addr)
        server.stop(signal.SIGKILL)
        colours = set()
        # Five seconds more once it is red, in which it must not change its mind.
        end = time.monotonic() + 20
        while time.monotonic() < end:
            code, headers, text = page(status.addr)
            assert code == 200 and "max-age=5" in headers["cache-control"], headers
            colour = re.search(r'class="overall (\w+)"', text).group(1)
            if colour == "maj" and "maj" not in colours:
                end = time.monotonic() + 5
            colours.add(colour)
            last = text
            time.sleep(0.2)
        assert "maj" in colours and 'class="overall maj"' in last, colours
        url = "http://%s:%d/api/v2/summary.json" % status.addr
        told = as_an_exporter_sees(url)
        assert told["status"] == 0 and told["raw_status"] == "critical", told
        assert told["incident_metadata"][0]["impact"] == "critical", told
        # No tenant, no key, no host, no address.
        for path in ("/", "/history", "/history.atom", "/history.rss", "/api/v2/summary.json"):
            text = page(status.addr, path)[2]
            for secret in ("canary", "127.0.0.1", str(server.auth[1]), server.data_dir):
                assert secret not in text.replace("https://status.example", ""), (path, secret)


@suite.test
def up_serves_it_without_further_set_up():
    with own_page() as server:
        addr = address(server.ready["status"])
        green(addr)
        listed = json.loads(server.cli("tenant", "list", "--json").stdout)
        assert [tenant["tenant"] for tenant in listed] == ["default"], listed
        assert "canary" not in server.cli("stat", "--json").stdout
        tenant = server.tenant("acme")
        other = server.tenant("umbrella")
        told = browser(addr, "me", tenant["username"], tenant["password"])
        assert "acme" in told["headline"] and "umbrella" not in told["text"], told
        assert other["tenant"] == "umbrella"
        with open(os.path.join(server.data_dir, "status.token")) as file:
            token = file.read().strip()
        assert browser(addr, "operator", token)["headline"] == "Operators"
        for phase in ("component", "history", "login"):
            browser(addr, phase)
        stops = browser(addr, "keyboard")["stops"]
        assert stops[0] == "Skip to the content" and "New connections" in stops[2], stops
        # A restart goes on where it ended.
        assert os.path.getsize(os.path.join(server.data_dir, "status.db")) > 0


@suite.test
def a_reader_s_page_does_not_stay_green_when_its_server_is_gone():
    with own_page() as server:
        addr = address(server.ready["status"])
        green(addr)
        told = browser(addr, "orphan", wait=lambda: server.stop(signal.SIGKILL))
        assert told["stale"] and "could not be renewed" in told["text"], told


@suite.test
def the_page_survives_an_upgrade_and_a_restart():
    with own_page() as server:
        addr = address(server.ready["status"])
        green(addr)
        server.cli("upgrade")
        eventually(lambda: indicator(addr) == "none", 20, "a green page of the successor")
        # The successor is no child of ours; it is asked to end by its number.
        stat = json.loads(server.cli("stat", "--json").stdout)
        os.kill(stat["pid"], signal.SIGTERM)


@suite.test
def bad_guests_get_nothing_and_keep_nobody_out():
    with own_page() as server:
        addr = address(server.ready["status"])
        green(addr)
        for host in ("evil.example", "localhost.evil.example", ""):
            assert page(addr, headers={"Host": host})[0] == 421, host
        # A query of a mebibyte.
        with socket.create_connection(addr, timeout=10) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(b"GET /?" + b"q" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert not sock.recv(64).startswith(b"HTTP/1.1 2")
        # A script in every place that takes a text.
        evil = urllib.parse.quote("<script>alert(1)</script>")
        for path in (f"/{evil}", f"/components/{evil}", f"/incidents/{evil}", f"/?x={evil}"):
            assert "<script>alert" not in page(addr, path)[2], path
        # Forms of strangers.
        for path in ("/login", "/operator/login", "/logout"):
            code, _, text = page(addr, path, method="POST", body="username=a&password=b&token=c&csrf=d",
                                 headers={"Content-Type": "application/x-www-form-urlencoded",
                                          "Origin": "http://evil.example"})
            assert code == 403 and "did not come from a page of ours" in text, (path, code)
        # Wrong passwords are braked.
        codes = [login(addr, "acme", "wrong") for _ in range(7)]
        assert codes[:5] == [403] * 5 and codes[5:] == [429] * 2, codes
        # Requests that never end, more than there are places.
        slow = []
        for _ in range(400):
            sock = socket.create_connection(addr, timeout=10)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: local")
            slow.append(sock)
        worst = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert page(addr)[0] == 200
            worst = max(worst, time.monotonic() - began)
        assert worst < 1.0, worst
        for sock in slow:
            sock.close()


def login(addr, username, password):
    """The status of a login with a form that was given to us."""
    _, headers, text = page(addr, "/login")
    cookie = headers["set-cookie"].split(";")[0]
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=Strict" in headers["set-cookie"]
    csrf = re.search(r'name="csrf" value="(\w+)"', text).group(1)
    form = urllib.parse.urlencode({"username": username, "password": password, "csrf": csrf})
    return page(addr, "/login", method="POST", body=form, headers={
        "Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"})[0]


class Post:
    """A mail server that keeps what it is given (RFC 5321, as much as one client needs)."""

    def __init__(self):
        post = self
        self.letters = []

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                self.say("220 post.example ESMTP")
                while line := self.rfile.readline():
                    verb = line.split()[0].upper() if line.split() else b""
                    if verb == b"EHLO":
                        self.say("250-post.example")
                        self.say("250 8BITMIME")
                    elif verb == b"DATA":
                        self.say("354 go on")
                        letter = b""
                        while (line := self.rfile.readline()) != b".\r\n":
                            letter += line.removeprefix(b".")
                        post.letters.append(message_from_bytes(letter, policy=policy.default))
                        self.say("250 kept")
                    elif verb == b"QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def texts(self):
        return [letter.get_body(("plain",)).get_content() for letter in list(self.letters)]


def subscribe(addr, way, to):
    """Status and text of what a reader is told who subscribes with a form of ours."""
    _, headers, text = page(addr, "/subscribe")
    csrf = re.search(r'name="csrf" value="(\w+)"', text).group(1)
    return form(addr, "/subscribe", {"way": way, "to": to, "csrf": csrf},
                headers["set-cookie"].split(";")[0])


def form(addr, path, fields, cookie=""):
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    code, _, text = page(addr, path, method="POST", body=urllib.parse.urlencode(fields), headers=headers)
    return code, text


def link_in(text, path):
    return re.search(r"https://status\.example(" + re.escape(path) + r"\?token=\w+)", text).group(1)


@suite.test
def subscribers_are_told_once_they_have_confirmed():
    from tenant_console import Hook

    with Post() as post, Hook() as hook, Hook(answers=[404] * 9) as silent, Server(memory="64MiB") as server:
        mail = (f'mail_server = "127.0.0.1:{post.port}"\nmail_tls = "off"\n'
                'mail_from = "Example status <status@status.example>"\n[webhooks]\nprivate_addresses = true\n')
        with StatusProcess(server, mail) as status:
            addr = status.addr
            green(addr)
            for to in ("ann@mail.example", "bob@mail.example"):
                assert subscribe(addr, "mail", to)[0] == 200
            code, text = subscribe(addr, "webhook", hook.url)
            secret = re.findall(r"<code tabindex=\"0\">(\w+)</code>", text)[0]
            assert code == 200 and subscribe(addr, "webhook", silent.url)[0] == 200
            eventually(lambda: len(post.letters) == 2 and hook.got and silent.got, 20, "the questions")
            assert hook.messages()[0]["type"] == "challenge"
            ann = next(t for t, one in zip(post.texts(), post.letters) if "ann@" in one["To"])
            link = link_in(ann, "/subscribe/confirm")
            assert page(addr, link)[0] == 200
            assert form(addr, "/subscribe/confirm", {"token": link.split("=")[1]})[0] == 200
            os.kill(server.process.pid, signal.SIGSTOP)
            try:
                eventually(lambda: len(post.letters) >= 3 and len(hook.got) >= 2, 30, "news of the outage")
            finally:
                os.kill(server.process.pid, signal.SIGCONT)

            def is_told_of_the_end():
                last = hook.messages()[-1]
                return last["incident"]["status"] == "resolved" and "Resolved:" in post.letters[-1]["Subject"]

            eventually(is_told_of_the_end, 40, "news of the end")
            hook.check(secret)
            letters = post.letters[2:]
            assert {one["To"] for one in letters} == {"ann@mail.example"}, "only who has confirmed is told"
            assert "[Example status] Investigating:" in letters[0]["Subject"], letters[0]["Subject"]
            assert letters[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            states = [one["incident"]["status"] for one in hook.messages()[1:]]
            assert states[0] == "investigating" and states[-1] == "resolved", states
            updates = [json.dumps(one["incident"], sort_keys=True) for one in hook.messages()[1:]]
            assert len(updates) == len(set(updates)), f"nothing is told twice: {updates}"
            told = "".join(post.texts()[2:]) + json.dumps(hook.messages()[1:])
            for name in ("canary", "127.0.0.1", server.data_dir):
                assert name not in told, name
            # Who never answered was asked some times, and told nothing.
            assert all(one["type"] == "challenge" for one in silent.messages()), silent.messages()
            leave = letters[0]["List-Unsubscribe"].strip("<>").removeprefix("https://status.example")
            assert form(addr, leave, {"List-Unsubscribe": "One-Click"})[0] == 200
            assert page(addr, leave)[0] == 404


@suite.test
def a_gateway_that_speaks_tls_is_probed_over_it():
    with tempfile.TemporaryDirectory() as folder:
        authority = certificates.Authority(folder)
        certificate, key = authority.issue("server", "localhost")
        config = os.path.join(folder, "cofferdam.toml")
        with open(config, "w") as file:
            file.write(f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\nlisteners = ["memcache_auth"]\n')
        with Server("--config", config, memory="64MiB") as server:
            tls = f'tls = true\nca = "{authority.certificate}"'
            with StatusProcess(server, gateway=tls) as status:
                green(status.addr)
            # Whom no authority of ours vouches for is not believed.
            stranger = certificates.Authority(folder, "stranger")
            with Server("--config", config, memory="64MiB") as other:
                tls = f'tls = true\nca = "{stranger.certificate}"'
                with StatusProcess(other, gateway=tls) as status:
                    eventually(lambda: indicator(status.addr) == "critical", 20, "an outage")


@suite.test
def the_page_itself_speaks_tls_where_that_is_set_up():
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        authority = certificates.Authority(folder)
        certificate, key = authority.issue("page", "localhost")
        tls = f'[tls]\nlisteners = ["status"]\ncertificate = "{certificate}"\nkey = "{key}"\n[status]\n'
        with StatusProcess(server, before=tls) as status:
            where = f"https://localhost:{status.addr[1]}/"

            def shown():
                context = authority.context()
                with urllib.request.urlopen(where, context=context, timeout=20) as answer:
                    assert answer.status == 200 and "Example status" in answer.read().decode()
                return ssl.get_server_certificate(status.addr)

            first = shown()
            with socket.create_connection(status.addr, timeout=20) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert not plain.recv(100).startswith(b"HTTP")
            authority.issue("page", "localhost")
            status.process.send_signal(signal.SIGHUP)
            eventually(lambda: shown() != first, 10, "the new certificate")


if __name__ == "__main__":
    suite.main()
