"""A fleet with an authority of its own: machines join with tokens, speak mutual TLS with each other and
with etcd, and renew their certificates while they run."""

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time

from harness import BINARY, Conn, Suite, eventually

suite = Suite("cluster", server=False)
# Short, so that all certificates end while the test looks on.
LIFETIME_S = 16


def free_port():
    """One that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# Frames of the protocol between gateways and nodes (crates/node-proto).
HELLO, PING, PONG = 1, 13, 14


def frame(kind, content):
    return struct.pack("<IBBBBQ", 16 + len(content), kind, 0, 0, 0, 0) + content


def kinds(heard):
    """The kinds of the frames that have come."""
    found = []
    while len(heard) >= 16:
        found.append(heard[4])
        heard = heard[struct.unpack("<I", heard[:4])[0]:]
    return found


class Cluster:
    """An authority, and processes whose certificates are from it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-cluster-")
        self.running = {}
        self.authority_port, self.etcd_port, self.peer_port = free_port(), free_port(), free_port()
        self.node_port, self.client_port = free_port(), free_port()
        self.authority = f"127.0.0.1:{self.authority_port}"

    def __enter__(self):
        self.founded = self.cluster(
            "init", "--address", self.authority, "--store", f"https://127.0.0.1:{self.etcd_port}",
            "--lifetime", f"{LIFETIME_S}s", "--dir", self.path("gateway1", "fleet"),
        )
        self.start("authority", "cluster", "serve", "--data-dir", self.path("authority"))
        return self

    def __exit__(self, *_):
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def command(self, *args, stdin=None):
        return subprocess.run([BINARY, *args, "--json"], input=stdin, capture_output=True, text=True, timeout=30)

    def cluster(self, *args, stdin=None, fails=False):
        """`cofferdam cluster …`, for the authority unless it is said otherwise."""
        where = [] if "--data-dir" in args else ["--data-dir", self.path("authority")]
        done = self.command("cluster", *args, *where, stdin=stdin)
        if (done.returncode != 0) != fails:
            raise AssertionError(f"cluster {args}: {done}")
        return json.loads(done.stderr if fails else done.stdout)

    def token(self, role, *more):
        return self.cluster("token", "--role", role, *more)["token"]

    def join(self, name, token, *more, fails=False):
        """Joins as a machine of its own, the token by standard input."""
        return self.cluster(
            "join", self.authority, "--name", name, "--token-file", "-", "--data-dir", self.path(name),
            *more, stdin=token, fails=fails,
        )

    def start(self, name, *args):
        with open(self.path(name + ".log"), "a") as log:
            self.running[name] = subprocess.Popen([BINARY, *args], stdout=log, stderr=log)
        eventually(lambda: self.log(name).count("ready ") > 0, 40, f"{name} is ready")

    def log(self, name):
        with open(self.path(name + ".log")) as log:
            return log.read()

    def start_etcd(self):
        own = self.path("etcd1", "tls")
        self.join("etcd1", self.token("etcd", "--name", "etcd1"), "--address", "127.0.0.1", "--dir", own)
        files = [
            f"--{kind}{key}={os.path.join(own, file)}"
            for kind in ("", "peer-")
            for key, file in (("cert-file", "member.pem"), ("key-file", "member.key"), ("trusted-ca-file", "ca.pem"))
        ]
        client, peer = (f"https://127.0.0.1:{port}" for port in (self.etcd_port, self.peer_port))
        with open(self.path("etcd1.log"), "w") as log:
            self.running["etcd1"] = subprocess.Popen(
                ["etcd", "--name", "etcd1", "--data-dir", self.path("etcd1", "data"), "--logger", "zap",
                 "--log-level", "error", "--client-cert-auth", "--peer-client-cert-auth", *files,
                 f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                 f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                 f"--initial-cluster=etcd1={peer}"],
                stdout=log, stderr=log,
            )

    def configure(self, name, text):
        path = self.path(name + ".toml")
        with open(path, "a") as file:
            file.write(text)
        return path

    def start_node(self):
        config = self.path("node1.toml")
        if not os.path.exists(config):
            listen = f"127.0.0.1:{self.node_port}"
            self.join("node1", self.token("node"), "--listen", listen, "--write-config", config)
            with open(config) as file:
                text = 'memory = "64MiB"\nthreads = 1\n' + file.read()
            with open(config, "w") as file:
                file.write(text.replace("[fleet]", '[listen]\nadmin = "127.0.0.1:0"\n[fleet]'))
        self.start("node1", "node", "--config", config)

    def start_gateway(self):
        config = self.configure("gateway1", f"""
data_dir = "{self.path('gateway1')}"
threads = 1
[listen]
memcache = "127.0.0.1:{self.client_port}"
memcache_auth = "127.0.0.1:0"
admin = "127.0.0.1:0"
nbd = "off"
status = "off"
tenant_console = "off"
[fleet]
name = "gateway1"
[store]
endpoints = ["https://127.0.0.1:{self.etcd_port}"]
""")
        self.start("gateway1", "gateway", "--config", config)

    def certificate(self, *parts):
        with open(self.path(*parts, "member.pem")) as file:
            return file.read()

    def stores(self, key):
        with Conn(("127.0.0.1", self.client_port)) as conn:
            conn.send(f"set {key} 0 0 1\r\nx\r\n")
            return conn.line() == b"STORED\r\n"

    def context_of(self, member):
        """What a member shows, and whom it believes."""
        own = self.path(*member)
        while True:
            context = ssl.create_default_context(cafile=os.path.join(own, "ca.pem"))
            try:
                context.load_cert_chain(os.path.join(own, "member.pem"), os.path.join(own, "member.key"))
                return context
            except ssl.SSLError as why:
                # It was renewed between one file and the other.
                if why.reason != "KEY_VALUES_MISMATCH":
                    raise

    def serves_as_node(self, member):
        """Whether the node lets this member in as if it were a gateway."""
        with socket.create_connection(("127.0.0.1", self.node_port), timeout=20) as plain:
            try:
                with self.context_of(member).wrap_socket(plain, server_hostname="node1") as conn:
                    conn.sendall(frame(HELLO, b"CFDN" + struct.pack("<HHQIQIB", 1, 1, 7, 0, 0, 0, 2) + b"me"))
                    heard = b""
                    # Nobody may ask before the node has said who it is.
                    for asked, expected in ((b"", [HELLO]), (frame(PING, b""), [HELLO, PONG])):
                        conn.sendall(asked)
                        while kinds(heard) != expected:
                            more = conn.recv(4096)
                            if not more:
                                return False
                            heard += more
                    return True
            except (ssl.SSLError, ConnectionError):
                return False


@suite.test
def machines_join_with_tokens_and_their_certificates_are_renewed_while_they_serve():
    with Cluster() as cluster:
        cluster.start_etcd()
        cluster.start_node()
        joined = time.monotonic()
        cluster.start_gateway()
        eventually(lambda: cluster.stores("a"), 20, "the fleet serves")
        assert cluster.serves_as_node(["gateway1", "fleet"])
        assert not cluster.serves_as_node(["node1", "fleet"]), "a node passes for a gateway"
        first = [cluster.certificate(name, "fleet") for name in ("gateway1", "node1")]
        # What a timer does on the machines of etcd, which reads its files for each connection.
        while time.monotonic() - joined < LIFETIME_S + 2:
            time.sleep(2)
            cluster.cluster("renew", "--dir", cluster.path("etcd1", "tls"))
        now = [cluster.certificate(name, "fleet") for name in ("gateway1", "node1")]
        assert first[0] != now[0] and first[1] != now[1]
        # Both have only what they were given later: connections that are made anew are taken.
        cluster.running["node1"].kill()
        cluster.running["node1"].wait()
        os.remove(cluster.path("node1.log"))
        cluster.cluster("renew", "--dir", cluster.path("etcd1", "tls"))
        cluster.start_node()
        eventually(lambda: all(cluster.stores(f"k{i}") for i in range(8)), 60, "the node is back")
        log = cluster.log("gateway1")
        assert "this member's certificate was renewed" in log, log
        listed = {member["name"]: member["role"] for member in cluster.cluster("list")["members"]}
        assert listed == {"gateway1": "gateway", "node1": "node", "etcd1": "etcd"}, listed


@suite.test
def a_token_is_good_once_in_its_time_for_its_authority_and_is_written_nowhere():
    with Cluster() as cluster:
        token = cluster.founded["join"]["token"]
        assert token in cluster.founded["join"]["command"]
        assert cluster.join("node1", token)["role"] == "node"
        assert "used already" in cluster.join("node2", token, fails=True)["error"]
        short = cluster.token("node", "--ttl", "1s")
        time.sleep(2)
        assert "time is over" in cluster.join("node2", short, fails=True)["error"]
        named = cluster.token("node", "--name", "node7")
        assert "node7" in cluster.join("node2", named, fails=True)["error"]
        wrong = cluster.token("node")
        other = re.sub(r"[0-9a-f]{64}$", "0" * 64, wrong)
        assert "not the authority" in cluster.join("node2", other, fails=True)["error"]
        # Nobody gets a gateway's name for a node, and the token stays good.
        assert "already" in cluster.join("gateway1", wrong, fails=True)["error"]
        cluster.join("node2", wrong)
        cluster.cluster("revoke", "node2")
        assert "revoked" in cluster.cluster("renew", "--data-dir", cluster.path("node2"), fails=True)["error"]
        if os.geteuid() == 0:
            # What root does to a service's folder is the service's to read.
            folder = cluster.path("authority", "authority")
            os.chown(folder, 65534, 65534)
            cluster.token("node")
            for file in ("register.json", "lock"):
                assert os.stat(os.path.join(folder, file)).st_uid == 65534, file
        secrets = [token.split(".")[2] for token in (token, short, named, wrong)]
        for folder, _, files in os.walk(cluster.folder):
            for file in files:
                with open(os.path.join(folder, file), errors="replace") as text:
                    content = text.read()
                assert not any(secret in content for secret in secrets), file


@suite.test
def without_a_certificate_nobody_is_let_in_and_it_is_said_how_to_get_one():
    with Cluster() as cluster:
        config = cluster.configure("stranger", f"""
data_dir = "{cluster.path('stranger')}"
[fleet]
name = "stranger"
listen = "127.0.0.1:{cluster.node_port}"
""")
        done = subprocess.run([BINARY, "node", "--config", config], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and "cofferdam cluster join" in done.stderr, done
        done = cluster.cluster("init", "--address", cluster.authority, fails=True)
        assert "already" in done["error"], done


suite.main()
