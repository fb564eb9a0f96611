"""`cofferdam upgrade`: nobody is refused, connections are let go one by one, and a failure changes
nothing."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from certificates import Authority
from harness import BINARY, Conn, Mismatch, Server, Skipped, Suite, address, eventually

suite = Suite("upgrade", server=False)

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy")


class Setting:
    """A server that lets its connections go within so many seconds, and whatever succeeds it."""

    def __init__(self, drain_s=2, *flags):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-upgrade-")
        self.config = os.path.join(self.folder, "cofferdam.toml")
        self.unix = os.path.join(self.folder, "m.sock")
        self.write(f'[listen]\nunix = "{self.unix}"\n[limits]\ndrain_time = "{drain_s}s"\n')
        self.flags = flags

    def write(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def __enter__(self):
        self.server = Server("--config", self.config, *self.flags)
        return self

    def __exit__(self, *_):
        # The successor is no child of ours.
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(self.server.data_dir, "lock")) as lock:
                pid = int(lock.read())
            if pid != self.server.process.pid:
                os.kill(pid, signal.SIGTERM)
                eventually(lambda: gone(pid), 20, "the successor ends")
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def upgrade(self, *args, check=True):
        return self.server.cli("upgrade", *args, check=check)

    def serving_pid(self):
        with Conn(self.server.open) as conn:
            return int(conn.stats()["pid"])


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class ConnectLoop:
    """Connects, asks and leaves, again and again; counts what did not work."""

    def __init__(self, where, tenant=None):
        self.where, self.tenant = where, tenant
        self.done, self.slowest, self.failures = 0, 0.0, []
        self.stop = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # One that failed must not go on beside the tests that follow.
        self.end()

    def run(self):
        while not self.stop:
            began = time.monotonic()
            try:
                with Conn(self.where) as conn:
                    if self.tenant:
                        conn.login(self.tenant)
                    conn.in_step()
                self.done += 1
            except (OSError, Mismatch) as why:
                self.failures.append(why)
            self.slowest = max(self.slowest, time.monotonic() - began)

    def end(self):
        self.stop = True
        self.thread.join()


@suite.test
def no_connect_is_refused_or_lost():
    with Setting() as setting, contextlib.ExitStack() as stack:
        tenant = setting.server.tenant("acme")
        before = setting.serving_pid()
        server = setting.server
        loops = [stack.enter_context(ConnectLoop(*to)) for to in
                 ((server.open,), (server.auth, tenant), (setting.unix,))]
        time.sleep(0.3)
        for _ in range(2):
            setting.upgrade()
            time.sleep(0.5)
        for loop in loops:
            loop.end()
            assert not loop.failures, (loop.where, loop.failures[:3], loop.done)
            assert loop.done > 20 and loop.slowest < 5.0, (loop.done, loop.slowest)
        assert setting.serving_pid() != before


@suite.test
def the_old_process_lets_its_connections_go_one_by_one_and_ends():
    with Setting(drain_s=2) as setting:
        old = setting.server.process
        conns = [Conn(setting.server.open) for _ in range(40)]
        for conn in conns:
            conn.in_step()
        setting.upgrade()
        began = time.monotonic()
        ends = []
        left = list(conns)
        while left and time.monotonic() - began < 15:
            for conn in list(left):
                conn.sock.settimeout(0.001)
                with contextlib.suppress(TimeoutError):
                    assert conn.sock.recv(1) == b""
                    ends.append(time.monotonic() - began)
                    left.remove(conn)
        assert not left
        # Evenly: about half of them in about half of the time.
        half = sum(end < 1.0 for end in ends)
        assert 10 <= half <= 30, (half, ends)
        assert old.wait(15) == 0
        assert setting.serving_pid() != old.pid


@suite.test
def no_reply_is_cut_off():
    with Setting(drain_s=1) as setting:
        value = b"x" * 200_000
        with Conn(setting.server.open) as conn:
            conn(b"set k 0 0 %d\r\n%b\r\n" % (len(value), value), "STORED\r\n")
        expected = b"VALUE k 0 %d\r\n%b\r\nEND\r\n" % (len(value), value)
        partial = []

        def ask():
            conn = Conn(setting.server.open)
            with contextlib.suppress(OSError):
                for _ in range(100_000):
                    conn.send("get k\r\n")
                    got = conn.take(len(expected))
                    if got != expected:
                        if got not in (b"", b"END\r\n"):
                            partial.append(got[:50])
                        return

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        setting.upgrade()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert not partial, partial


@suite.test
def tenants_and_the_admin_api_go_over():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        setting.upgrade()
        with Conn(setting.server.auth) as conn:
            conn.login(tenant)("set k 0 0 1\r\nx\r\n", "STORED\r\n")
        assert setting.server.tenant("umbrella")
        listed = setting.server.cli("tenant", "list", "--json").stdout
        assert "acme" in listed and "umbrella" in listed
        with socket.create_connection(setting.server.admin, timeout=5) as sock:
            sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"200 OK" in sock.recv(1000)


@suite.test
def who_is_revoked_loses_the_connections_of_the_old_process_too():
    with Setting(drain_s=30) as setting, contextlib.ExitStack() as stack:
        stays, revoked, removed = [setting.server.tenant(name, memory="8MiB")
                                   for name in ("stays", "revoked", "removed")]
        conns = {}
        for tenant in (stays, revoked, removed):
            conn = stack.enter_context(Conn(setting.server.auth))
            conns[tenant["tenant"]] = conn.login(tenant)
        old = setting.server.process
        setting.upgrade()
        ends = {"revoked": ("revoke", "revoked", revoked["username"]),
                "removed": ("remove", "removed")}
        for name, command in ends.items():
            began = time.monotonic()
            setting.server.cli("tenant", *command)
            conns[name].sock.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert conns[name].sock.recv(1) == b"", name
            # From the beginning of the command, which on a slow machine takes a part of it.
            took_s = time.monotonic() - began
            assert took_s < 5, (name, took_s)
        assert old.poll() is None, "the old process was to be serving still"
        conns["stays"]("get k\r\n", "END\r\n")


@suite.test
def who_is_added_meanwhile_is_let_in_at_once():
    with Setting(drain_s=5) as setting:
        upgrade = threading.Thread(target=setting.upgrade)
        upgrade.start()
        after = 0
        while after < 10:
            after += not upgrade.is_alive()
            tenant = setting.server.tenant(f"t{time.monotonic_ns()}", memory="4MiB")
            # Whichever process answers knows the tenant.
            with Conn(setting.server.auth) as conn:
                conn.login(tenant)
        upgrade.join()


@suite.test
def a_program_that_does_not_come_up_changes_nothing():
    with Setting() as setting:
        tenant = setting.server.tenant("acme")
        before = setting.serving_pid()
        with Conn(setting.server.auth) as conn:
            conn.login(tenant)
            for program in ("/bin/false", "/nonexistent/cofferdam"):
                done = setting.upgrade("--binary", program, check=False)
                assert done.returncode == 1 and "cofferdam:" in done.stderr, done
            setting.write("[listen]\nnonsense = 1\n")
            done = setting.upgrade(check=False)
            assert done.returncode == 1 and "goes on as before" in done.stderr, done
            conn.in_step()
        assert setting.serving_pid() == before
        assert setting.server.tenant("umbrella")


@suite.test
def one_that_fails_once_it_has_the_state_gives_it_back():
    with Setting() as setting:
        setting.server.tenant("acme")
        before = setting.serving_pid()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            # A listener that the old one had not, on a port that is taken.
            setting.write(f'[listen]\nmemcache_tls = "127.0.0.1:{port}"\n[tls]\n'
                          'certificate = "x"\nkey = "y"\n')
            done = setting.upgrade(check=False)
            assert done.returncode == 1 and "goes on as before" in done.stderr, done
        assert setting.serving_pid() == before
        assert setting.server.tenant("umbrella")
        with Conn(setting.unix) as conn:
            conn.in_step()


@suite.test
def a_signal_ends_the_old_one_early():
    with Setting(drain_s=60) as setting:
        with Conn(setting.server.open) as conn:
            conn.in_step()
            setting.upgrade()
            setting.server.process.send_signal(signal.SIGTERM)
            assert setting.server.process.wait(15) == 0
        setting.serving_pid()


@suite.test
def sockets_of_the_service_manager_are_taken():
    with socket.socket() as memcache, socket.socket() as auth:
        for sock in (memcache, auth):
            sock.bind(("127.0.0.1", 0))
            sock.listen()
        folder = tempfile.mkdtemp(prefix="cofferdam-activation-")
        # The shell gives the descriptors their numbers and becomes the process that they are for.
        script = (f"exec 3<&{memcache.fileno()} 4<&{auth.fileno()}; "
                  "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=memcache:memcache_auth "
                  'exec "$0" "$@"')
        process = subprocess.Popen(
            ["/bin/bash", "-c", script, BINARY, "up", "--data-dir", folder, "--memory", "64MiB",
             "--admin", "off", "--nbd", "off", "--status", "off"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            pass_fds=(memcache.fileno(), auth.fileno()))
        try:
            line = process.stdout.readline().decode()
            assert "memcache=%s:%d" % memcache.getsockname() in line, line
            assert "memcache_auth=%s:%d" % auth.getsockname() in line, line
            with Conn(memcache.getsockname()) as conn:
                conn.in_step()
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()
            shutil.rmtree(folder, ignore_errors=True)


@suite.test
def whoever_wakes_a_socket_of_systemd_is_served():
    activator = shutil.which("systemd-socket-activate")
    if not activator:
        raise Skipped("no systemd-socket-activate")
    # As the units name them.
    names = {}
    for unit in ("cofferdam.socket", "cofferdam-auth.socket", "cofferdam-admin.socket"):
        with open(os.path.join(DEPLOY, unit)) as text:
            keys = dict(line.strip().split("=", 1) for line in text if "=" in line and line[0] != "#")
        names[keys["FileDescriptorName"]] = free_port()
    folder = tempfile.mkdtemp(prefix="cofferdam-activate-")
    listens = [f"--listen=127.0.0.1:{port}" for port in names.values()]
    process = subprocess.Popen(
        [activator, *listens, f"--fdname={':'.join(names)}", BINARY, "up", "--data-dir", folder,
         "--memory", "64MiB", "--nbd", "off", "--status", "off"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: is_listening(names["memcache"]), 10, "systemd listens")
        # The program is started by the first connection, which it then answers.
        with Conn(("127.0.0.1", names["memcache"])) as conn:
            conn.in_step()
        line = process.stdout.readline().decode()
        for name, port in names.items():
            assert f"{name}=127.0.0.1:{port}" in line, (name, line)
        with Conn(("127.0.0.1", names["memcache_auth"])) as conn:
            conn.send("version\r\n")
            assert conn.line().startswith((b"CLIENT_ERROR", b"VERSION"))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def is_listening(port):
    """Told by the kernel's table: a connection would start it."""
    with open("/proc/net/tcp") as table:
        return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in table)


@suite.test
def the_service_manager_takes_our_units():
    """Checked by its own tool; a made-up key would be a warning."""
    verifier = shutil.which("systemd-analyze")
    if not verifier:
        raise Skipped("no systemd-analyze")
    folder = tempfile.mkdtemp(prefix="cofferdam-units-")
    try:
        for where in (DEPLOY, os.path.join(DEPLOY, "fleet")):
            for unit in os.listdir(where):
                if not unit.endswith((".service", ".socket", ".timer")):
                    continue
                with open(os.path.join(where, unit)) as text:
                    installed = text.read().replace("/usr/bin/cofferdam", BINARY)
                with open(os.path.join(folder, unit), "w") as text:
                    text.write(installed)
        units = [os.path.join(folder, unit) for unit in sorted(os.listdir(folder))]
        assert len(units) == 10, units
        done = subprocess.run([verifier, "verify", *units], capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if "cofferdam" in line]
        assert done.returncode == 0 and not ours, done.stderr
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@suite.test
def session_tickets_outlive_it():
    setting = Setting(1)
    authority = Authority(setting.folder)
    certificate, key = authority.issue("server", "server")
    setting.write(f'[listen]\nmemcache_tls = "127.0.0.1:0"\n[limits]\ndrain_time = "1s"\n'
                  f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\n')
    with setting:
        tenant = setting.server.tenant("acme")
        login = f"{tenant['username']} {tenant['password']}"
        login = f"set auth 0 0 {len(login)}\r\n{login}\r\n".encode()
        where = address(setting.server.ready["memcache_tls"])

        def visit(context, session=None):
            plain = socket.create_connection(where, timeout=15)
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as conn:
                conn.sendall(login)
                assert conn.recv(100) == b"STORED\r\n"
                return conn.session_reused, conn.session

        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = authority.context(version=version)
            _, session = visit(context)
            before = setting.serving_pid()
            setting.upgrade()
            eventually(lambda before=before: setting.serving_pid() != before, 20, "it serves")
            reused, _ = visit(context, session)
            assert reused, version


suite.main()
