"""A past for a status page, written into its store before it starts: what ninety days of watching leave."""

import json
import os
import sqlite3
import time

DAY_MS = 86_400_000
NAMES = ("operational_ms", "degraded_ms", "partial_ms", "major_ms")


def mixed(back, component):
    """Every day something else went wrong: the longest page that there is."""
    ms = [DAY_MS, 0, 0, 0]
    ms[(back * 7 + component) % 4] += 90_000
    return ms


def good(back, component):
    """Two bad days in three months; open connections hardly noticed one of them."""
    bad = {23: (0, 0, 47 * 60_000), 61: (95 * 60_000, 12 * 60_000, 0)}.get(back, (0, 0, 0))
    bad = (0, bad[2] // 20, 0) if back == 23 and component % 2 else bad
    return [DAY_MS - sum(bad), *bad]


def write(folder, gateways=1, days=90, fortune=good, latency_us=lambda back: 400 + back * 13 % 5_000, failed=lambda back: back % 50 == 0):
    """Into `status.db` of `folder`; days and minutes before the present one are back 1, 2, …"""
    store = sqlite3.connect(os.path.join(folder, "status.db"))
    store.execute("CREATE TABLE document (kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL, "
                  "PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID")
    now, rows = int(time.time()), []
    components = [f"g{n}.{way}" for n in range(1, gateways + 1) for way in ("new", "kept")]
    for number, component in enumerate(components):
        for back in range(days):
            day = now // 86_400 - back
            rows.append(("day", f"{day:08}|{component}", json.dumps(dict(zip(NAMES, fortune(back, number))))))
        for back in range(1, 1_440):
            minute = now // 60 - back
            figures = {"minute": minute, "answered": 30, "failed": int(failed(back)),
                       "median_us": latency_us(back) // (1 + number % 2), "longest_us": 9_000}
            rows.append(("minute", f"{minute:012}|{component}", json.dumps(figures)))
    store.executemany("INSERT INTO document VALUES (?, ?, ?)", rows)
    store.commit()
    store.close()
