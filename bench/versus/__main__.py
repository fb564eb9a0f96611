"""Cofferdam beside memcached: starts both, puts load on them in turn, writes down the ratios."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import cases
import measure
import plot
import processes
import slices
import table
from servers import Cofferdam, Fleet, Memcached, Nutcracker, Unprotected
from verdict import AddedRow, MemoryRow, speed_rows

MEMORY_ROUNDS_MAX = 3


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/versus.sh", description=__doc__, epilog=slices.HELP)
    parser.add_argument("--memcached", metavar="PATH", help="a second, newer memcached beside Debian's")
    parser.add_argument("--cases", metavar="A,B", help=f"only these of: {', '.join(cases.NAMES)}")
    parser.add_argument(
        "--admission",
        action="store_true",
        help="measure the protections against none, instead of against memcached",
    )
    parser.add_argument("--pairs", type=int, help="measurements of each server (5; --admission: 20)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one measurement (5)")
    parser.add_argument(
        "--cofferdam", metavar="PATH", help="this binary, instead of building one"
    )
    parser.add_argument("--out", default="target/bench", help="folder of the results (target/bench)")
    chosen = parser.parse_args()
    if chosen.pairs is None:
        chosen.pairs = cases.ADMISSION_PAIRS if chosen.admission else 5
    unknown = set((chosen.cases or "").split(",")) - set(cases.NAMES) - {""}
    if unknown:
        parser.error(f"unknown cases: {', '.join(sorted(unknown))}; there are {', '.join(cases.NAMES)}")
    if chosen.pairs < 1 or chosen.seconds <= 0:
        parser.error("--pairs must be at least 1, --seconds above 0")
    if len(os.sched_getaffinity(0) & {measure.SERVER_CORE, measure.LOAD_CORE}) < 2:
        parser.error("server and load need a core each: cores 0 and 1 must both be there")
    return chosen


def main() -> int:
    chosen = arguments()
    processes.clean_up_at_exit()
    names = chosen.cases.split(",") if chosen.cases else cases.NAMES
    binary = chosen.cofferdam or str(built_binary())
    core = measure.SERVER_CORE
    if chosen.admission:
        peers, speed_cases, memory_cases = [Unprotected(binary, core)], cases.ADMISSION, []
    else:
        peers, speed_cases, memory_cases = memcacheds(chosen.memcached), [*cases.SPEED, *cases.PROXY], cases.MEMORY
    servers = [Cofferdam(binary, core), *peers]
    load = measure.Load(binary)

    speed, memory, added, details = [], [], [], {}
    for case in (case for case in speed_cases if case.name in names):
        say(f"{case.name}: {case.text}")
        beside = [Fleet(binary, core), *proxies(chosen.memcached)] if case.is_proxied else servers
        rounds = measure.speed(case, beside, load, chosen.pairs, chosen.seconds)
        speed += speed_rows(case, beside[1:], rounds)
        details[case.name] = [
            {server.label: vars(sample) for server, sample in zip(beside, samples)}
            for samples in rounds
        ]
    if cases.ADDED.name in names and not chosen.admission:
        say(f"{cases.ADDED.name}: {cases.ADDED.text}")
        alone = Cofferdam(binary, core)
        sides = slices.added(cases.ADDED, Fleet(binary, core), alone, load, chosen.pairs, chosen.seconds)
        added.append(AddedRow(cases.ADDED, *sides))
        details[cases.ADDED.name] = [[one.for_json() for one in side.slices] for side in sides]
    for case in (case for case in memory_cases if case.name in names):
        say(f"{case.name}: {case.text}")
        ours, *theirs = measure.memory(case, servers, load, min(chosen.pairs, MEMORY_ROUNDS_MAX))
        for peer, figure in zip(peers, theirs):
            memory.append(MemoryRow(case, peer.name, peer.version, ours, figure))
    text = table.markdown(speed, memory, table.setting(chosen.pairs, chosen.seconds), added)
    stem = "versus-admission" if chosen.admission else "versus"
    write(Path(chosen.out), stem, speed, memory, added, details, text)
    print(text)
    return 0


def memcacheds(newer: str | None) -> list[Memcached]:
    """Debian's, and a newer one where its path is given."""
    peers = [Memcached.find("memcached", True, measure.SERVER_CORE)]
    if newer:
        peers.append(Memcached.find(newer, False, measure.SERVER_CORE))
    return peers


def proxies(newer: str | None) -> list[Nutcracker]:
    """Nutcracker before each memcached."""
    return [Nutcracker(memcached, measure.SERVER_CORE) for memcached in memcacheds(newer)]


def built_binary() -> Path:
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    return Path(target) / "release" / "cofferdam"


def write(
    out: Path, stem: str, speed: list, memory: list, added: list, details: dict, text: str
) -> None:
    """The files: ratios in a fixed shape, every single sample, the table, the plot."""
    out.mkdir(parents=True, exist_ok=True)
    # The shape of "memory" has no place for a second peer: it is about Debian's memcached.
    first = {row.case.name: row for row in reversed(memory)}
    figures = {
        "cases": [row.for_json() for row in speed],
        "added": [row.for_json() for row in added],
        "memory": [row.for_json() for row in memory if first[row.case.name] is row],
    }
    (out / f"{stem}.json").write_text(json.dumps(figures, indent=2) + "\n")
    (out / f"{stem}-samples.json").write_text(json.dumps(details, indent=2) + "\n")
    (out / f"{stem}.md").write_text(text)
    (out / f"{stem}.svg").write_text(plot.svg(speed, memory))


def say(words: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as error:
        sys.exit(f"versus: {error}")
