"""The servers: ours with an authenticated tenant, and memcached, each on one core and one thread."""

import json
import os
import pwd
import re
import selectors
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import processes

START_TIMEOUT_S = 20.0


@dataclass
class Running:
    """A server that takes requests: where, as whom, and how to end it."""

    process: subprocess.Popen
    address: str
    logins: Path | None = None
    folder: Path | None = None
    # What it needs beside itself, whose processor time is its own.
    behind: list["Running"] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def pids(self) -> list[int]:
        return [self.pid, *(pid for other in self.behind for pid in other.pids)]

    def flags(self) -> list[str]:
        """The flags of `cofferdam load` that reach it."""
        flags = ["--target", self.address]
        if self.logins:
            flags += ["--logins", str(self.logins)]
        return flags

    def stop(self) -> None:
        processes.stop(self.process)
        for other in self.behind:
            other.stop()
        if self.folder:
            processes.remove(self.folder)


@dataclass(frozen=True)
class Memcached:
    """A memcached binary."""

    path: str
    version: str
    is_debians: bool
    core: int

    name = "memcached"

    @classmethod
    def find(cls, path: str, is_debians: bool, core: int) -> "Memcached":
        """Asks the binary for its version."""
        text = subprocess.run([path, "-V"], capture_output=True, text=True, check=True).stdout
        return cls(path, text.split()[-1], is_debians, core)

    @property
    def label(self) -> str:
        return f"memcached {self.version}"

    def start(self, memory_mib: int, connections: int) -> Running:
        port = free_port()
        command = [self.path, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "1"]
        command += ["-m", str(memory_mib), "-c", str(connections)]
        if os.getuid() == 0:
            command += ["-u", unprivileged_user()]
        process = processes.start(command, self.core, stdout=subprocess.DEVNULL)
        wait_for_port(port, process, self.label)
        return Running(process, f"127.0.0.1:{port}")


@dataclass(frozen=True)
class Cofferdam:
    """Our own binary."""

    path: str
    core: int
    protections: bool = True

    label = "cofferdam"

    def start(self, memory_mib: int, connections: int) -> Running:
        folder = processes.folder()
        command = [self.path, "up", "--data-dir", str(folder), "--threads", "1"]
        # The open tenant keeps a part; the tenant under test gets what memcached gets.
        command += ["--memory", f"{memory_mib + 64}MiB", "--max-connections", str(connections)]
        for flag in ("--memcache", "--memcache-auth", "--admin", "--nbd", "--status"):
            command += [flag, "127.0.0.1:0"]
        environment = dict(os.environ)
        if not self.protections:
            command += ["--protections", "off"]
            environment["COFFERDAM_DRILL"] = "1"
        log = (folder / "log").open("wb")
        process = processes.start(
            command, self.core, stdout=subprocess.PIPE, stderr=log, env=environment
        )
        log.close()
        ready = self.ready_line(process, folder)
        return Running(process, ready["memcache_auth"], self.add_tenant(folder, memory_mib), folder)

    def ready_line(self, process: subprocess.Popen, folder: Path) -> dict[str, str]:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(START_TIMEOUT_S) else b""
        if not line.startswith(b"ready "):
            log = (folder / "log").read_text(errors="replace")
            raise RuntimeError(f"cofferdam did not start: {line!r}\n{log[-2000:]}")
        return dict(re.findall(r"(\w+)=(\S+)", line.decode()))

    def add_tenant(self, folder: Path, memory_mib: int) -> Path:
        """Adds the tenant under test; the file says how to log in as it."""
        command = [self.path, "tenant", "add", "versus", "--memory", f"{memory_mib}MiB"]
        command += ["--json", "--data-dir", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        tenant = json.loads(done.stdout)
        logins = folder / "logins"
        logins.touch(mode=0o600)
        logins.write_text(f"{tenant['username']}:{tenant['password']}\n")
        return logins


@dataclass(frozen=True)
class Unprotected(Cofferdam):
    """Our own without admission, as a peer: what the protections cost is the ratio to it."""

    protections: bool = False

    label = "cofferdam without protections"
    name = "cofferdam"
    version = "without protections"
    is_debians = False


@dataclass(frozen=True)
class Fleet(Cofferdam):
    """Our gateway and one node, each a process with one thread, both on the same core."""

    label = "cofferdam gateway and node"

    def start(self, memory_mib: int, connections: int) -> Running:
        folder = processes.folder()
        node_folder, node_port = folder / "node", free_port()
        node_folder.mkdir()
        listen = f"127.0.0.1:{node_port}"
        node, _ = self.run_role("node", node_folder, f"""
            memory = "{memory_mib + 64}MiB"
            threads = 1
            [listen]
            admin = "127.0.0.1:0"
            [fleet]
            name = "node1"
            member = 1
            plaintext = true
            listen = "{listen}"
        """)
        gateway, ready = self.run_role("gateway", folder, f"""
            memory = "{memory_mib + 64}MiB"
            threads = 1
            [listen]
            memcache = "127.0.0.1:0"
            memcache_auth = "127.0.0.1:0"
            admin = "127.0.0.1:0"
            nbd = "off"
            status = "off"
            tenant_console = "off"
            [limits]
            max_connections = {connections}
            [fleet]
            name = "gateway1"
            plaintext = true
            nodes = [{{ member = 1, name = "node1", addr = "{listen}", weight = 100 }}]
        """)
        behind = [Running(node, listen)]
        logins = self.add_tenant(folder, memory_mib)
        return Running(gateway, ready["memcache_auth"], logins, folder, behind)

    def run_role(self, role: str, folder: Path, text: str) -> tuple[subprocess.Popen, dict[str, str]]:
        config = folder / f"{role}.toml"
        config.write_text(f'data_dir = "{folder}"\n' + text)
        with (folder / "log").open("wb") as log:
            process = processes.start(
                [self.path, role, "--config", str(config)], self.core, stdout=subprocess.PIPE, stderr=log
            )
        return process, self.ready_line(process, folder)


@dataclass(frozen=True)
class Nutcracker:
    """Debian's nutcracker before a memcached, both on the same core."""

    memcached: Memcached
    core: int

    name = "nutcracker and memcached"
    is_debians = True

    @property
    def version(self) -> str:
        return self.memcached.version

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    def start(self, memory_mib: int, connections: int) -> Running:
        memcached = self.memcached.start(memory_mib, connections)
        folder, port = processes.folder(), free_port()
        config = folder / "nutcracker.yml"
        config.write_text(
            f"pool:\n  listen: 127.0.0.1:{port}\n  hash: fnv1a_64\n  distribution: ketama\n"
            f"  timeout: 400\n  backlog: 1024\n  servers:\n   - {memcached.address}:1\n"
        )
        command = ["nutcracker", "-c", str(config), "-s", str(free_port()), "-a", "127.0.0.1"]
        command += ["-p", str(folder / "pid"), "-v", "4", "-o", str(folder / "log")]
        process = processes.start(command, self.core, stdout=subprocess.DEVNULL)
        wait_for_port(port, process, self.name)
        return Running(process, f"127.0.0.1:{port}", folder=folder, behind=[memcached])


def unprivileged_user() -> str:
    """Whom memcached is to run as when started by root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("memcache", "nobody") if name in names), "root")


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, label: str) -> None:
    end = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{label} did not start on port {port}")
