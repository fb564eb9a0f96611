"""TLS: both versions, tickets, certificates that are swapped, and those of clients."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import tarfile
import tempfile
import time

from certificates import Authority
from harness import Conn, Server, Suite, address, eventually

suite = Suite("tls", server=False)

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class TlsConn(Conn):
    """A raw connection under TLS."""

    def __init__(self, where, context, timeout=15.0, session=None):
        plain = socket.create_connection(where, timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(plain, server_hostname="localhost", session=session)
        self.received = b""
        self.modern = True
        self.sent = b""


class Setting:
    """A server with TLS on a port of its own and, if asked for, on the two others."""

    def __init__(self, *, client_certificate=None, listeners=()):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-tls-")
        self.authority = Authority(self.folder)
        self.authority.issue("server", "server")
        self.config = os.path.join(self.folder, "cofferdam.toml")
        lines = ["[listen]", 'memcache_tls = "127.0.0.1:0"', "[tls]",
                 f'certificate = "{self.folder}/server.pem"', f'key = "{self.folder}/server.key"',
                 "listeners = [" + ", ".join(f'"{name}"' for name in listeners) + "]"]
        if client_certificate:
            lines += [f'client_ca = "{self.authority.certificate}"',
                      f'client_certificate = "{client_certificate}"']
        with open(self.config, "w") as text:
            text.write("\n".join(lines) + "\n")

    def __enter__(self):
        self.server = Server("--config", self.config)
        self.address = address(self.server.ready["memcache_tls"])
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, where=None, **how):
        session = how.pop("session", None)
        return TlsConn(where or self.address, self.authority.context(**how), session=session)


def refused(connect):
    """Whether a connection is not let in; in TLS 1.3 the client hears of it after its own part."""
    try:
        with connect() as conn:
            conn.send("version\r\n")
            return conn.until_closed() == b""
    except (ssl.SSLError, ConnectionError):
        return True


@suite.test
def tenants_authenticate_over_both_versions():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        for version in VERSIONS:
            with setting.connect(version=version) as conn:
                conn.login(tenant)("set k 0 0 5\r\nhello\r\n", "STORED\r\n")
                conn("get k\r\n", "VALUE k 0 5\r\nhello\r\nEND\r\n")
                conn.in_step()


@suite.test
def large_values_and_deep_pipelines_cross():
    with Setting() as setting:
        tenant = setting.server.tenant("acme", memory="64MiB")
        value = os.urandom(1_000_000)
        with setting.connect() as conn:
            conn.login(tenant)
            conn(b"set large 0 0 1000000\r\n" + value + b"\r\n", "STORED\r\n")
            conn("set small 0 0 1\r\nx\r\n", "STORED\r\n")
            for _ in range(20):
                conn.send("get large\r\n")
                expected = b"VALUE large 0 1000000\r\n" + value + b"\r\nEND\r\n"
                assert conn.take(len(expected)) == expected
            for _ in range(10):
                conn.send(b"get small\r\n" * 2000)
                expected = b"VALUE small 0 1\r\nx\r\nEND\r\n" * 2000
                assert conn.take(len(expected)) == expected


@suite.test
def sessions_are_resumed():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        context = setting.authority.context()
        with TlsConn(setting.address, context) as first:
            first.login(tenant)
            session = first.sock.session
        with TlsConn(setting.address, context, session=session) as second:
            second.login(tenant).in_step()
            assert second.sock.session_reused


@suite.test
def every_listener_can_speak_tls_and_then_speaks_nothing_else():
    with Setting(listeners=("memcache", "memcache_auth")) as setting:
        with setting.connect(setting.server.open) as conn:
            conn("set k 0 0 1\r\nx\r\n", "STORED\r\n")
        tenant = setting.server.tenant("acme")
        with setting.connect(setting.server.auth) as conn:
            conn.login(tenant).in_step()
        for where in (setting.server.open, setting.server.auth, setting.address):
            with Conn(where) as conn:
                conn.send("get k\r\n")
                # An alert, and the end.
                assert conn.until_closed()[:1] == b"\x15"


@suite.test
def a_reload_swaps_the_certificate_and_drops_nobody():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        shown = []
        with setting.connect() as old:
            old.login(tenant)
            for number in range(2):
                with setting.connect() as conn:
                    shown.append(conn.sock.getpeercert()["serialNumber"])
                if number == 0:
                    setting.authority.issue("server", "server")
                    assert setting.server.cli("reload").returncode == 0
            old.in_step()
        assert shown[0] != shown[1]


@suite.test
def a_bad_certificate_is_reported_and_the_old_one_stays():
    with Setting() as setting:
        path = os.path.join(setting.folder, "server.pem")
        with open(path, "w") as text:
            text.write("no certificate\n")
        done = setting.server.cli("reload", check=False)
        assert done.returncode == 1 and path in done.stderr, done.stderr
        with setting.connect() as conn:
            assert conn.sock.getpeercert()


@suite.test
def a_client_s_certificate_is_its_tenant_s():
    with Setting(client_certificate="optional") as setting:
        acme = setting.server.tenant("acme")
        setting.server.tenant("umbrella")
        by_name = setting.authority.issue("acme", "acme")
        by_uri = setting.authority.issue("web", "web-7", "URI:spiffe://example.org/tenant/umbrella")
        nobody = setting.authority.issue("nobody", "nobody")
        for own, value in ((by_name, "1"), (by_uri, "2")):
            with setting.connect(own=own) as conn:
                conn(f"set whose 0 0 1\r\n{value}\r\n", "STORED\r\n")
        with setting.connect() as conn:
            conn.login(acme)("get whose\r\n", "VALUE whose 0 1\r\n1\r\nEND\r\n")
        with setting.connect(own=nobody) as conn:
            conn.login(acme).in_step()
        stranger = Authority(setting.folder, "stranger").issue("forged", "acme")
        assert refused(lambda: setting.connect(own=stranger))
        setting.server.cli("tenant", "remove", "acme")
        with setting.connect(own=by_name) as conn:
            conn.send("get whose\r\n")
            assert b"VALUE" not in conn.line()


@suite.test
def a_required_certificate_is_required():
    with Setting(client_certificate="required") as setting:
        setting.server.tenant("acme")
        with setting.connect(own=setting.authority.issue("acme", "acme")) as conn:
            conn.in_step()
        assert refused(setting.connect)
        for name in ("nobody", "default"):
            own = setting.authority.issue(name, name)
            assert refused(lambda own=own: setting.connect(own=own)), name
        failed = setting.server.failed_connections()
        assert failed["tls_certificate"] == 3, failed


@suite.test
def bytes_that_are_no_tls_do_no_harm():
    with Setting() as setting:
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        inputs = [b"", b"\x16", hello, hello + os.urandom(600), os.urandom(4096),
                  b"\x16\x03\x01\x40\x00" + b"\x01" * 16384, b"\x17\x03\x03\x00\x01x",
                  b"\x14\x03\x03\x00\x01\x01" * 100, b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"]
        for data in inputs:
            began = time.monotonic()
            with Conn(setting.address) as conn:
                with contextlib.suppress(ConnectionError):
                    conn.send(data)
                    conn.sock.shutdown(socket.SHUT_WR)
                    conn.until_closed()
            assert time.monotonic() - began < 2.0, data[:20]
        with setting.connect() as conn:
            assert conn.sock.version()
        assert "panicked" not in setting.server.log_text()
        failed = setting.server.failed_connections()
        assert failed["tls_garbled"] >= 3 and failed["tls_ended"] >= 3, failed
        assert "a TLS handshake failed" in setting.server.log_text()


@suite.test
def what_a_client_does_not_want_is_told_apart():
    with Setting() as setting:
        strangers = ssl.create_default_context()
        with contextlib.suppress(ssl.SSLError):
            strangers.wrap_socket(socket.create_connection(setting.address),
                                  server_hostname="localhost")
        eventually(lambda: setting.server.failed_connections()["tls_refused"] == 1, 5.0, "it is counted")


@suite.test
def the_admin_port_speaks_tls_and_the_command_line_with_it():
    with Setting() as setting:
        setting.server.stop()
        files = f'certificate = "{setting.folder}/server.pem"\nkey = "{setting.folder}/server.key"'
        with open(setting.config, "a") as text:
            text.write(f"[admin]\n{files}\n")
        with Server("--config", setting.config) as server:
            assert server.failed_connections(setting.authority.context())["proxy"] == 0
            where = f"https://localhost:{server.admin[1]}"
            ca = ("--admin-ca", setting.authority.certificate)
            shown = server.cli("stat", "--json", "--admin", where, *ca)
            assert '"tenants"' in shown.stdout
            for wrong in ((where,), (f"127.0.0.1:{server.admin[1]}",)):
                done = server.cli("stat", "--admin", *wrong, check=False)
                assert done.returncode == 1 and "TLS" in done.stderr, done.stderr
            wrong = ("--admin", f"https://127.0.0.2:{server.admin[1]}", *ca)
            assert server.cli("stat", *wrong, check=False).returncode == 1
            before = ssl.get_server_certificate(server.admin)
            setting.authority.issue("server", "server")
            server.cli("reload")
            assert ssl.get_server_certificate(server.admin) != before
            # The socket in the data folder needs none of that.
            assert server.cli("tenant", "list").returncode == 0


@suite.test
def every_command_goes_over_it():
    with Setting() as setting:
        setting.server.stop()
        files = f'certificate = "{setting.folder}/server.pem"\nkey = "{setting.folder}/server.key"'
        with open(setting.config, "a") as text:
            text.write(f"[admin]\n{files}\n[limits]\ndrain_time = \"0s\"\n")
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(Server("--config", setting.config))
            where = ("--admin", f"https://localhost:{server.admin[1]}",
                     "--admin-ca", setting.authority.certificate)

            def ask(*words):
                return server.cli(*words, *where).stdout

            added = json.loads(ask("tenant", "add", "acme", "--memory", "16MiB", "--json"))
            rotated = json.loads(ask("tenant", "rotate", "acme", "--json"))
            third = json.loads(ask("tenant", "credential", "add", "acme", "--rights", "read", "--json"))
            assert len(json.loads(ask("tenant", "credential", "list", "acme", "--json"))) == 3
            ask("tenant", "credential", "promote", "acme", third["username"])
            ask("tenant", "revoke", "acme", added["username"])
            limited = json.loads(ask("tenant", "limit", "acme", "--ops", "1000", "--json"))
            assert limited["tenant"] == "acme" and "1000" in ask("tenant", "show", "acme")
            ask("tenant", "flush", "acme")
            assert "acme" in ask("tenant", "list") and "acme" in ask("stat", "--tenant", "acme")
            # The picture is of the last second.
            eventually(lambda: "acme" in ask("top", "--once"), 5, "the new tenant is in the picture")
            assert json.loads(ask("events", "--json").splitlines()[0])["event"] == "started"
            copy = os.path.join(setting.folder, "copy")
            ask("state", "backup", copy)
            assert os.path.getsize(copy) > 1000
            ask("volume", "create", "disk", "--size", "16MiB")
            assert "disk" in ask("volume", "list") and "disk" in ask("volume", "stat", "disk")
            ask("volume", "rm", "disk")
            bundle = os.path.join(setting.folder, "bundle.tar.gz")
            ask("support-bundle", "--output", bundle)
            with tarfile.open(bundle) as archive:
                assert any(name.endswith("stat.json") for name in archive.getnames()), archive.getnames()
            ask("reload")
            ask("tenant", "remove", "acme", "--yes")
            refused = server.cli("node", "list", *where, check=False)
            assert refused.returncode == 1 and "fleet" in refused.stderr, refused
            upgraded = json.loads(ask("upgrade", "--json"))
            stack.callback(os.kill, upgraded["pid"], signal.SIGTERM)
            assert "default" in ask("tenant", "list") and rotated["password"]


@suite.test
def records_are_checked_after_the_handshake_too():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        for junk in (b"\x17\x03\x03\x00\x20" + b"\0" * 32, b"\x16\x03\x03\x00\x05\x18\0\0\x01",
                     os.urandom(100)):
            conn = setting.connect()
            conn.login(tenant)
            raw = socket.socket(fileno=os.dup(conn.sock.fileno()))
            raw.sendall(junk)
            raw.shutdown(socket.SHUT_WR)
            raw.close()
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                conn.until_closed()
            conn.close()
        with setting.connect() as conn:
            conn.login(tenant).in_step()
        assert "panicked" not in setting.server.log_text()


@suite.test
def an_idle_connection_costs_little_memory():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        context = setting.authority.context()

        def open_many(count):
            conns = []
            for _ in range(count):
                # One that has shaken hands has no more than five seconds until it must have logged in.
                conns.append(TlsConn(setting.address, context))
                conns[-1].login(tenant)("set k 0 0 1\r\nx\r\n", "STORED\r\n")
            return conns

        first = open_many(100)
        before = setting.server.resident_bytes()
        more = open_many(500)
        each = (setting.server.resident_bytes() - before) / len(more)
        print(f"      {each:.0f} bytes for each idle TLS connection")
        assert each <= 8192, each
        for conn in first + more:
            conn.close()


@suite.test
def a_storm_of_handshakes_from_one_source_does_not_keep_others_out():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        silent = [socket.create_connection(setting.address) for _ in range(500)]
        began = time.monotonic()
        with setting.connect() as conn:
            conn.login(tenant).in_step()
        assert time.monotonic() - began < 2.0
        # Silent ones are let go after the time that they have to authenticate.
        eventually(lambda: setting.server.descriptors() < 300, 10.0, "the silent ones are closed")
        for sock in silent:
            sock.close()


suite.main()
