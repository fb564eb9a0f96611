"""How soon the status page tells of an outage, and how light it is for 50 tenants x 20 nodes x 90 days.

    bench/seeing.sh

The outage is a server that is stopped (SIGSTOP) under a status page of another process; the light
page is that of a process over a past that is written into its store. False incidents are those of
the simulated healthy days of `cargo test -p status`, which fails if there is one.
"""

import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
BINARY = os.environ.get("COFFERDAM_BIN", os.path.join(TARGET, "debug", "cofferdam"))
GATEWAYS, DAYS = 20, 90


def outage(folder):
    """The suite's own measurement."""
    result = os.path.join(folder, "seeing.json")
    suite = os.path.join(ROOT, "tests", "clients", "status.py")
    subprocess.run([sys.executable, suite, "-k", "from_green"], check=True,
                   env={**os.environ, "COFFERDAM_SEEING": result}, stdout=sys.stderr)
    with open(result) as file:
        return json.load(file)


def past(folder):
    """Ninety days of changing fortune, a day of minutes, as the store keeps them."""
    store = sqlite3.connect(os.path.join(folder, "status.db"))
    store.execute("CREATE TABLE document (kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, "
                  "PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID")
    now = int(time.time())
    rows = []
    for component in [f"g{n}.{way}" for n in range(1, GATEWAYS + 1) for way in ("new", "kept")]:
        for back in range(DAYS):
            ms = [86_400_000, 0, 0, 0]
            ms[(back * 7 + len(rows)) % 4] += 90_000
            names = ("operational_ms", "degraded_ms", "partial_ms", "major_ms")
            day = now // 86_400 - back
            rows.append(("day", f"{day:08}|{component}", json.dumps(dict(zip(names, ms)))))
        for back in range(1, 1_440):
            minute = now // 60 - back
            figures = {"minute": minute, "answered": 30, "failed": back % 50 == 0,
                       "median_us": 400 + back * 13 % 5_000, "longest_us": 9_000}
            figures["failed"] = int(figures["failed"])
            rows.append(("minute", f"{minute:012}|{component}", json.dumps(figures)))
    store.executemany("INSERT INTO document VALUES (?, ?, ?)", rows)
    store.commit()
    store.close()


def light(folder):
    """Bytes of the first page, and the milliseconds that it took when nothing was ready."""
    past(folder)
    config = os.path.join(folder, "status.toml")
    with open(config, "w") as file:
        file.write(f'data_dir = "{folder}"\n[listen]\nstatus = "127.0.0.1:0"\n')
        file.write("[status]\nevery = \"1m\"\n")
        for n in range(GATEWAYS):
            file.write(f'[[status.gateways]]\nname = "Zone {n}"\naddress = "127.0.0.1:1"\n'
                       f'username = "u"\npassword_file = "{config}"\n')
    process = subprocess.Popen([BINARY, "status", "--config", config], stdout=subprocess.PIPE)
    try:
        host, _, port = process.stdout.readline().decode().split("=")[1].strip().rpartition(":")
        times, size = [], 0
        for _ in range(5):
            # Longer than a page is given to all who ask.
            time.sleep(1.1)
            with contextlib.closing(http.client.HTTPConnection(host, int(port))) as connection:
                connection.connect()
                began = time.monotonic()
                connection.request("GET", "/")
                size = len(connection.getresponse().read())
                times.append((time.monotonic() - began) * 1_000)
        return {"page_bytes": size, "page_ms": round(sorted(times)[len(times) // 2], 2)}
    finally:
        process.terminate()
        process.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        calm = subprocess.run(
            ["cargo", "test", "--quiet", "-p", "status", "a_day_of_noise_is_a_day_without_incidents"],
            cwd=ROOT, stdout=sys.stderr)
        if calm.returncode != 0:
            sys.exit("the simulated days have false incidents: see above")
        result = {**outage(folder), "false_incidents": 0, **light(folder)}
    path = os.path.join(TARGET, "bench", "seeing.json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(result, file)
    print(json.dumps(result))


main()
