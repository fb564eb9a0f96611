"""Short slices of load in turns, and which of them nothing from outside disturbed.

Whether a slice counts is decided by causes alone, the same for either side, and never by its latencies.
"""

import os
from collections import Counter
from dataclasses import dataclass
from statistics import median

import histogram
from cases import AddedCase
from measure import Load
from servers import Running

SLICE_S = 0.1
# A server has come out of its sleep by then.
WARMUP_S = 0.1
# What a slice may have of each: time that the host took from both cores, time that others ran, and time
# that the generator waited for its core.
DISTURBANCE_MAX_MS = 0.2
# So many of a side are enough; with fewer the figure says nothing.
KEPT_MIN = 60
# The kernel's own threads that work for whoever has something sent, written or freed.
SERVANTS = ("ksoftirqd/", "rcu_", "kworker/", "migration/")
HELP = (
    f"added_p99_ms is measured in slices of {SLICE_S:g} s in turns. A slice counts if the host took, others on the "
    f"machine ran, and the load waited for its core, for at most {DISTURBANCE_MAX_MS:g} ms each, whatever its "
    f"latencies were; it goes on until {KEPT_MIN} of each side count, for PAIRS times SECONDS of each at most. With "
    "fewer it could not be measured. Mount debugfs to have the host's time to the microsecond, not in ticks of 10 ms."
)


@dataclass(frozen=True)
class Slice:
    """One slice of load on one server."""

    latencies: Counter
    ops_per_s: float
    lag_p99_us: float
    stolen_ms: float
    others_ms: float
    waited_ms: float

    @classmethod
    def of(cls, report: dict, ours: set[int]) -> "Slice":
        """From what the generator says; the processes of the measurement itself disturb nothing."""
        generator = report["generator"]
        outside = generator["outside"]
        others = (one for one in outside["others"] if one["pid"] not in ours)
        return cls(
            latencies=histogram.read(report["histogram"]),
            ops_per_s=report["ops_per_s"],
            lag_p99_us=generator["lag"]["p99_us"],
            stolen_ms=outside["stolen_ms"],
            others_ms=sum(one["ran_ms"] for one in others if not one["name"].startswith(SERVANTS)),
            waited_ms=outside["waited_ms"],
        )

    def for_json(self) -> dict:
        figures = {name: figure for name, figure in vars(self).items() if name != "latencies"}
        return {"p99_us": p99_us([self]), **figures, "is_undisturbed": self.is_undisturbed}

    @property
    def is_undisturbed(self) -> bool:
        return max(self.stolen_ms, self.others_ms, self.waited_ms) <= DISTURBANCE_MAX_MS


@dataclass(frozen=True)
class Side:
    """All slices of one server."""

    slices: list[Slice]

    @property
    def kept(self) -> list[Slice]:
        return [one for one in self.slices if one.is_undisturbed]

    @property
    def p99_us(self) -> float:
        """Of all requests of the undisturbed slices."""
        return p99_us(self.kept)

    @property
    def p99_of_all_us(self) -> float:
        return p99_us(self.slices)

    @property
    def lag_p99_us(self) -> float:
        """By how much the load was late in the middle one of the undisturbed slices, or of all."""
        return median(one.lag_p99_us for one in self.kept or self.slices)

    @property
    def ops_per_s(self) -> float:
        return median(one.ops_per_s for one in self.slices)


def p99_us(slices: list[Slice]) -> float:
    return histogram.quantile_us(sum((one.latencies for one in slices), Counter()), 0.99)


def added(case: AddedCase, fleet, alone, load: Load, rounds: int, seconds: float) -> tuple[Side, Side]:
    """Slices of either side until enough of both are undisturbed, as many as fit in so many rounds at most:
    through gateway and node, and of one process."""
    flags = case.load.flags()
    running = [server.start(256, 1024) for server in (fleet, alone)]
    try:
        for server in running:
            load.fill(server, flags)
        rate = load.sample(running[0], flags, seconds).ops_per_s / 2
        paced = [*flags, "--rate", f"{rate:.0f}"]
        ours = {os.getpid(), *(pid for server in running for pid in server.pids)}
        sides = Side([]), Side([])
        for number in range(max(1, round(rounds * seconds / SLICE_S))):
            for index in (0, 1) if number % 2 == 0 else (1, 0):
                sides[index].slices.append(one_slice(load, running[index], paced, ours, seed=number))
            if all(len(side.kept) >= KEPT_MIN for side in sides):
                break
        return sides
    finally:
        for server in running:
            server.stop()


def one_slice(load: Load, server: Running, flags: list[str], ours: set[int], seed: int) -> Slice:
    times = ["--warmup", f"{WARMUP_S * 1000:.0f}ms", "--duration", f"{SLICE_S * 1000:.0f}ms"]
    report = load.run(server, [*flags, *times, "--no-prefill", "--histogram", "--seed", str(seed)])
    if report["misses"]:
        raise RuntimeError(f"{report['misses']} misses where every key should be there")
    return Slice.of(report, ours)
