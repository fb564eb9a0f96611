"""Runs the black-box suites side by side, each against a server of its own, and sums them up.

    target/clients/venv/bin/python tests/clients/run.py [-j JOBS] [SUITE ...]

The Python clients live in the virtual environment that scripts/test.sh makes.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

HERE = os.path.dirname(os.path.abspath(__file__))

# The longest first, so that the others fit beside them.
SUITES = [
    "console",
    "console_prometheus",
    "console_nodes",
    "status",
    "tenant_console",
    "observe",
    "volume",
    "volume_files",
    "hostile",
    "judging",
    "limits",
    "full_disk",
    "throttle",
    "load",
    "tenants",
    "connections",
    "tls",
    "volume_tls",
    "upgrade",
    "fleet",
    "cluster",
    "proxy",
    "deadlines",
    "raw_text",
    "raw_meta",
    "raw_binary",
    "python_pymemcache",
    "python_bmemcached",
    "python_async",
    "node",
    "readme",
    "tools",
]
LIMIT_S = 600


def run(suite):
    """Exit status, seconds and output of one suite."""
    began = time.monotonic()
    command = [sys.executable, os.path.join(HERE, suite + ".py")]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S
        )
        return done.returncode, time.monotonic() - began, done.stdout
    except subprocess.TimeoutExpired as why:
        output = (why.stdout or b"").decode(errors="replace")
        return -1, LIMIT_S, f"{output}\nFAIL {suite}: not done after {LIMIT_S} s\n"


def count(output, words):
    found = re.search(r"^\S+: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?", output, re.MULTILINE)
    return int(found.group(words) or 0) if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-j", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    passed = failed = skipped = 0
    began = time.monotonic()
    with ThreadPoolExecutor(options.j) as pool:
        running = {pool.submit(run, suite): suite for suite in options.suites or SUITES}
        for future in as_completed(running):
            status, seconds, output = future.result()
            bad = count(output, 2)
            passed, failed = passed + count(output, 1), failed + bad
            skipped += count(output, 3)
            if status != 0:
                failed += 0 if bad else 1
                print(output, end="")
            # What is left out is said, with why.
            why = [line for line in output.splitlines() if line.startswith("skip ")]
            print("\n".join([*why, f"{running[future]:20} {count(output, 1):4} passed {bad:4} failed {seconds:7.1f} s"]),
                  flush=True)
    left_out = f", {skipped} SKIPPED" if skipped else ""
    print(f"black-box suite: {passed} passed, {failed} failed{left_out} in {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


main()
