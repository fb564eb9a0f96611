"""Runs the cases of bench/volumes.sh and tells ratios to the best peer."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "bench" / "volumes.json"
COFFERDAM = os.environ.get("COFFERDAM_BIN", str(ROOT / "target" / "release" / "cofferdam"))

# Case, what fio is told, and the least ratio to the best peer.
CASES = {
    "randwrite_4k_qd1": ("--rw=randwrite --bs=4k --iodepth=1", 1.0),
    "randwrite_4k_qd32": ("--rw=randwrite --bs=4k --iodepth=32", 1.2),
    "writeflush_4k_qd1": ("--rw=randwrite --bs=4k --iodepth=1 --fsync=1", 0.9),
    "writeflush_4k_j16": (
        "--rw=randwrite --bs=4k --iodepth=1 --fsync=1 --numjobs=16 --thread --group_reporting", 1.5),
    "randread_4k_qd1": ("--rw=randread --bs=4k --iodepth=1", 0.9),
    "randread_4k_qd32": ("--rw=randread --bs=4k --iodepth=32", 1.0),
    "seqwrite_1m": ("--rw=write --bs=1m --iodepth=4 --end_fsync=1", 0.8),
    "seqread_1m": ("--rw=read --bs=1m --iodepth=4", 0.9),
}
START_TIMEOUT_S = 30

# What is measured in-process: arguments, the figure's name in the answer, and the most it may be.
MEASURE = os.environ.get(
    "COFFERDAM_MEASURE", str(ROOT / "target" / "release" / "examples" / "measure"))
MEASURED = {
    "write_amp_uniform": (["write_amp", "uniform"], "ratio", 2.0),
    "write_amp_skew": (["write_amp", "skew"], "ratio", 1.7),
    "map_1tib_bytes": (["map"], "map_bytes", 400 << 20),
    "attach_1tib_ms": (["attach"], "ms", 5000),
}
# Stored bytes are at most live bytes by this.
LIVE_OF_STORED_MIN = 0.7


class Server:
    """One server over a file or volume of its own."""

    def __init__(self, name, folder, size_mib):
        self.name, self.folder, self.size_mib = name, folder, size_mib
        self.socket = folder / f"{name}.sock"
        self.uri = f"nbd+unix:///{'data' if name == 'cofferdam' else ''}?socket={self.socket}"
        self.process = self.start()

    def start(self):
        image = self.folder / f"{self.name}.img"
        if self.name == "cofferdam":
            data = self.folder / "data"
            command = [COFFERDAM, "up", "--data-dir", str(data), "--memory", "64MiB", "--memcache",
                       "off", "--memcache-auth", "127.0.0.1:0", "--admin", "off", "--nbd", "off",
                       "--nbd-unix", str(self.socket)]
        else:
            with image.open("wb") as file:
                file.truncate(self.size_mib << 20)
            command = {
                "nbdkit": ["nbdkit", "-f", "-U", str(self.socket), "file", str(image)],
                "qemu-nbd": ["qemu-nbd", "-t", "-e", "64", "-f", "raw", "--cache=writeback",
                             "--discard=unmap", "-k", str(self.socket), "-x", "", str(image)],
            }[self.name]
        log = (self.folder / f"{self.name}.log").open("wb")
        process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        awaited = self.socket if self.name != "cofferdam" else self.folder / "data" / "admin.sock"
        while not (self.socket.exists() and awaited.exists()):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{self.name} does not start: see {log.name}")
            time.sleep(0.05)
        if self.name == "cofferdam":
            self.create()
        return process

    def create(self):
        journal = min(1024, max(64, self.size_mib))
        subprocess.run(
            [COFFERDAM, "--data-dir", str(self.folder / "data"), "volume", "create", "data",
             "--size", f"{self.size_mib}MiB", "--journal", f"{journal}MiB"],
            check=True, capture_output=True)

    def fio(self, arguments, *more):
        command = ["fio", "--name=case", "--ioengine=nbd", f"--uri={self.uri}",
                   f"--size={self.size_mib}M", "--randrepeat=0", "--norandommap",
                   "--refill_buffers", "--output-format=json", *arguments.split(), *more]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise RuntimeError(f"fio on {self.name}: {done.stderr or done.stdout}")
        jobs = json.loads(done.stdout[done.stdout.index("{"):])["jobs"]
        ops = sum(job[way]["total_ios"] for job in jobs for way in ("read", "write"))
        # With the final flush, where there is one. Of jobs that report together it is the sum.
        count = {job["jobname"]: int(job["job options"].get("numjobs", 1)) for job in jobs}
        took = max(job["job_runtime"] / count[job["jobname"]] for job in jobs) / 1000
        # Processors; of jobs that report together it is the mean. A job has one processor at most: what is
        # left of it is all that a quicker server could gain.
        busy = sum((job["usr_cpu"] + job["sys_cpu"]) * count[job["jobname"]] for job in jobs) / 100
        return ops / took, ops, busy

    def cpu_s(self):
        """What its process has used of processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def prefill(self):
        self.fio("--rw=write --bs=4k --iodepth=32 --end_fsync=1")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main():
    parser = argparse.ArgumentParser(description="Volumes beside nbdkit and qemu-nbd")
    parser.add_argument("--quick", action="store_true", help="3 s a case, one pair, 256 MiB")
    parser.add_argument("--seconds", type=int, help="of each case [default: 60]")
    parser.add_argument("--pairs", type=int, help="turns of all servers [default: 3]")
    parser.add_argument("--size-mib", type=int, help="of the volume [default: 1024]")
    parser.add_argument("--dir", type=Path, help="on the disk to measure [default: target/bench]")
    parser.add_argument("--cases", help="some of them, with commas between; or name them alone")
    parser.add_argument("cases_named", nargs="*", metavar="CASE")
    options = parser.parse_args()
    there_are = [*CASES, *MEASURED]
    named = options.cases_named + (options.cases.split(",") if options.cases else [])
    unknown = set(named) - set(there_are)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(there_are)}")
    wanted = named or there_are
    seconds = options.seconds or (3 if options.quick else 60)
    pairs = options.pairs or (1 if options.quick else 3)
    size_mib = options.size_mib or (256 if options.quick else 1024)
    parent = options.dir or OUT.parent
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="volumes-", dir=parent))
    servers, results = [], {}
    beside = [case for case in wanted if case in CASES]
    try:
        for name in ("nbdkit", "qemu-nbd", "cofferdam") if beside else ():
            servers.append(Server(name, folder, size_mib))
            servers[-1].prefill()
        for case in beside:
            results[case] = {"seconds": seconds, "pairs": pairs, "size_mib": size_mib,
                             **measure(case, servers, pairs, seconds)}
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for case in wanted:
        if case in MEASURED:
            results[case] = measure_alone(case, options.quick)
    keep(results)
    missed = [case for case, result in results.items() if not result["ok"]]
    print(f"{len(results) - len(missed)} of {len(results)} cases within their bounds; {OUT}")
    return 0 if options.quick or not missed else 1


def keep(results):
    """Single cases do not make those of an earlier run forgotten."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    try:
        report = json.loads(OUT.read_text())
    except (OSError, ValueError):
        report = {}
    cases = {**report.get("cases", {}), **results}
    cases = {case: cases[case] for case in (*CASES, *MEASURED) if case in cases}
    OUT.write_text(json.dumps({"cases": cases}, indent=1) + "\n")


def measure_alone(case, quick):
    arguments, figure, bound = MEASURED[case]
    size = ["1"] if quick and arguments[0] == "write_amp" else []
    done = subprocess.run([MEASURE, *arguments, *size], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    ok = told[figure] <= bound
    live = told.get("least_live_of_stored")
    if live is not None:
        ok = ok and live >= LIVE_OF_STORED_MIN
    words = "" if live is None else f"  live of stored at least {live:.2f}"
    print(f"{case:20} {told[figure]:,}  bound {bound:,}{words}  {'ok' if ok else 'MISSED'}", flush=True)
    return {"figure": told[figure], "bound": bound, "ok": ok, "told": told}


def measure(case, servers, pairs, seconds):
    arguments, bound = CASES[case]
    runs = {server.name: [] for server in servers}
    cpu = {server.name: [] for server in servers}
    load_busy = {server.name: [] for server in servers}
    for turn in range(pairs):
        order = servers if turn % 2 == 0 else servers[::-1]
        for server in order:
            before = server.cpu_s()
            ops, count, busy = server.fio(arguments, "--time_based", f"--runtime={seconds}")
            load_busy[server.name].append(busy)
            runs[server.name].append(ops)
            cpu[server.name].append(1e6 * (server.cpu_s() - before) / max(1, count))
    medians = {name: statistics.median(ops) for name, ops in runs.items()}
    ours = medians.pop("cofferdam")
    best = max(medians, key=medians.get)
    ratio = ours / medians[best]
    costs = {name: statistics.median(micros) for name, micros in cpu.items()}
    load = {name: statistics.median(busy) for name, busy in load_busy.items()}
    verdict = "ok" if ratio >= bound else "MISSED"
    print(f"{case:20} ours {ours:9.0f}/s  {best} {medians[best]:9.0f}/s  "
          f"ratio {ratio:5.2f}  bound {bound:.1f}  {verdict}  "
          f"cpu us/op {costs['cofferdam']:.1f} to {costs[best]:.1f}  "
          f"load busy {load['cofferdam']:.2f} and {load[best]:.2f}", flush=True)
    return {"ops_per_second": {**medians, "cofferdam": ours}, "best_peer": best, "ratio": ratio,
            "cpu_us_per_op": costs, "load_busy": load, "bound": bound, "ok": ratio >= bound,
            "runs": runs}


if __name__ == "__main__":
    sys.exit(main())
