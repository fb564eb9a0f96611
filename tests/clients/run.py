"""Runs the black-box suites side by side, each against a server of its own, and sums them up.

    target/clients/venv/bin/python tests/clients/run.py [-j JOBS] [SUITE ...]

Many of their bounds are in seconds, and suites that run side by side take them from each other. So a
suite that failed runs a second time when all others have ended, and what fails then has failed. What
passes only then is named at the end as FLAKY, with what it said: a defect to be found, of the test or
of the server.

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
    "fleet",
    "status",
    "console",
    "console_prometheus",
    "console_nodes",
    "tenant_console",
    "observe",
    "volume",
    "volume_files",
    "hostile",
    "judging",
    "gate",
    "limits",
    "full_disk",
    "throttle",
    "load",
    "tenants",
    "connections",
    "tls",
    "volume_tls",
    "volume_node",
    "upgrade",
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
    # Suites wait more than they work: of two processors three of them keep less than half busy.
    parser.add_argument("-j", type=int, default=max(3, os.cpu_count() or 2))
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    began = time.monotonic()
    suites = options.suites or SUITES
    results = {}
    with ThreadPoolExecutor(options.j) as pool:
        running = {pool.submit(run, suite): suite for suite in suites}
        for future in as_completed(running):
            suite = running[future]
            results[suite] = future.result()
            tell(suite, results[suite])
    flaky = []
    for suite in [suite for suite in suites if results[suite][0] != 0 and len(suites) > 1]:
        print(f"{suite}: once more, with nothing beside it", flush=True)
        results[suite] = run(suite)
        tell(suite, results[suite])
        if results[suite][0] == 0:
            flaky.append(suite)
    passed, failed, skipped = (sum(count(output, words) for _, _, output in results.values()) for words in (1, 2, 3))
    # A suite that broke off counts as one that failed.
    failed += sum(status != 0 and count(output, 2) == 0 for status, _, output in results.values())
    left_out = f", {skipped} SKIPPED" if skipped else ""
    passed_late = f", FLAKY: {' '.join(flaky)}" if flaky else ""
    print(
        f"black-box suite: {passed} passed, {failed} failed{left_out}{passed_late} "
        f"in {time.monotonic() - began:.0f} s"
    )
    sys.exit(1 if failed else 0)


def tell(suite, result):
    """What one suite came to; all that it printed if it failed, and always what it left out and why."""
    status, seconds, output = result
    if status != 0:
        print(output, end="")
    for line in output.splitlines():
        if line.startswith("skip "):
            print(line)
    print(f"{suite:20} {count(output, 1):4} passed {count(output, 2):4} failed {seconds:7.1f} s", flush=True)


main()
