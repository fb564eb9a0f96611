"""Putting load on a server and reading what it cost."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from statistics import median

import processes
import system
from cases import MemoryCase, SpeedCase
from servers import Running

SERVER_CORE = 0
LOAD_CORE = 1
# A run in which more than this part of the two cores' time was stolen, or used by others, is done
# again, at most so many times.
DISTURBANCE_MAX = 0.03
RETRIES_MAX = 2


@dataclass(frozen=True)
class Sample:
    """One run of load on one server."""

    ops_per_s: float
    cpu_us_per_op: float
    p99_us: float
    server_busy: float
    load_busy: float
    disturbance: float


class Load:
    """`cofferdam load` on its core."""

    def __init__(self, binary: str):
        self.binary = binary

    def command(self, server: Running, flags: list[str]) -> list[str]:
        fixed = ["--json", "--no-progress", "--threads", "1"]
        return [self.binary, "load", *fixed, *server.flags(), *flags]

    def run(self, server: Running, flags: list[str]) -> dict:
        """Runs it to its end; any error that it met is one of ours."""
        process = processes.start(
            self.command(server, flags),
            LOAD_CORE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        out, errors = process.communicate()
        processes.stop(process)
        if process.returncode != 0:
            raise RuntimeError(f"load failed: {last_line(errors)}")
        report = json.loads(out)
        wrong = {name: count for name, count in report["errors"].items() if count}
        if wrong:
            raise RuntimeError(f"load met errors: {wrong}")
        return report

    def fill(self, server: Running, flags: list[str]) -> None:
        """Stores every key and warms the server up."""
        self.run(server, [*flags, "--warmup", "0s", "--duration", "1s"])

    def sample(self, server: Running, flags: list[str], seconds: float) -> Sample:
        """One measured run; done again where others disturbed it."""
        for _ in range(RETRIES_MAX):
            sample = self.sample_once(server, flags, seconds)
            if sample.disturbance <= DISTURBANCE_MAX:
                return sample
        return self.sample_once(server, flags, seconds)

    def sample_once(self, server: Running, flags: list[str], seconds: float) -> Sample:
        cores = [SERVER_CORE, LOAD_CORE]
        busy_before, stolen_before = system.cores(cores)
        began, server_before = time.monotonic(), cpu_s(server)
        own_before = own_cpu_s()
        # No warm-up: what the server spends is divided by all requests that it gets.
        extra = ["--no-prefill", "--warmup", "0s", "--duration", f"{round(seconds * 1000)}ms"]
        report = self.run(server, [*flags, *extra])
        server_s = cpu_s(server) - server_before
        busy, stolen = system.cores(cores)
        known_s = server_s + own_cpu_s() - own_before
        foreign_s = max(0.0, busy - busy_before - known_s) + stolen - stolen_before
        if report["misses"]:
            raise RuntimeError(f"{report['misses']} misses where every key should be there")
        return Sample(
            ops_per_s=report["ops_per_s"],
            cpu_us_per_op=server_s * 1e6 / report["requests"],
            p99_us=report["latency"]["p99_us"],
            server_busy=server_s / report["elapsed_s"],
            load_busy=report["generator"]["busy"],
            disturbance=foreign_s / (2 * (time.monotonic() - began)),
        )

    def hold(self, server: Running, flags: list[str]) -> subprocess.Popen:
        """Opens idle connections and leaves them open until stopped."""
        return processes.start(
            self.command(server, flags),
            LOAD_CORE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def cpu_s(server: Running) -> float:
    """CPU of a server and of what is behind it, in seconds."""
    return sum(system.cpu_s(pid) for pid in server.pids)


def own_cpu_s() -> float:
    """CPU of this program and of all its ended children, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "without a word"


def speed(case: SpeedCase, servers: list, load: Load, pairs: int, seconds: float) -> list:
    """All servers' samples, round by round: `rounds[round][server]`.

    All servers run all the time and one of them gets load; every round begins with another.
    """
    value_mib = case.keys * (case.value_len + 200) // (1 << 20)
    running = [server.start(max(256, 2 * value_mib), 1024) for server in servers]
    try:
        for server in running:
            load.fill(server, case.flags())
        rounds = []
        for number in range(pairs):
            order = range(len(running))
            samples = {}
            for index in order if number % 2 == 0 else reversed(order):
                samples[index] = load.sample(running[index], case.flags(), seconds)
            rounds.append([samples[index] for index in order])
        return rounds
    finally:
        for server in running:
            server.stop()


def density(case: MemoryCase, server, load: Load) -> float:
    """Resident bytes per item: after storing all items less before."""
    running = server.start(1024, 1024)
    try:
        shape = ["--mix", "get=1", "--key-len", "12", "--value-len", "100"]
        load.run(running, [*shape, "--keys", "1", "--requests", "1", "--warmup", "0s"])
        before = settled_bytes(running)
        filled = [*shape, "--keys", str(case.n), "--warmup", "0s"]
        load.run(running, [*filled, "--requests", "1"])
        after = settled_bytes(running)
        # Every item must be there, else the figure is about fewer.
        walk = ["--no-prefill", "--distribution", "sequential", "--connections", "1"]
        walk += ["--pipeline", "64", "--requests", str(case.n), "--duration", "300s"]
        report = load.run(running, [*filled, *walk])
        if report["hits"] != case.n:
            raise RuntimeError(f"only {report['hits']} of {case.n} items are there")
        return (after - before) / case.n
    finally:
        running.stop()


def idle(case: MemoryCase, server, load: Load) -> float:
    """Resident bytes per idle connection: with all of them open less before."""
    running = server.start(256, case.n + 1000)
    holder = None
    try:
        shape = ["--mix", "get=1", "--keys", "1000", "--key-len", "12", "--value-len", "100"]
        load.run(running, [*shape, "--requests", "1000", "--warmup", "0s"])
        before = settled_bytes(running)
        files_before = system.open_files(running.pid)
        hold = ["--no-prefill", "--connections", str(case.n), "--hold", "600s", "--timeout", "60s"]
        holder = load.hold(running, [*shape, *hold])
        wait_for_files(running, holder, files_before + case.n)
        return (settled_bytes(running) - before) / case.n
    finally:
        if holder:
            processes.stop(holder)
        running.stop()


def wait_for_files(running: Running, holder: subprocess.Popen, count: int) -> None:
    end = time.monotonic() + 90
    while system.open_files(running.pid) < count:
        if holder.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{running.address} did not take all connections")
        time.sleep(0.1)


def settled_bytes(running: Running) -> int:
    """Resident bytes once the server is idle."""
    system.wait_until_idle(running.pid)
    return system.resident_bytes(running.pid)


def memory(case: MemoryCase, servers: list, load: Load, rounds: int) -> list[float]:
    """Each server's bytes per item or connection: the median of some fresh starts."""
    figure = {"density_100b": density, "idle_conn": idle}[case.name]
    samples = [[figure(case, server, load) for server in servers] for _ in range(rounds)]
    return [median(column) for column in zip(*samples)]
