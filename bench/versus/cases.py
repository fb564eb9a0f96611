"""What is measured, and what the figures are to be."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Bounds:
    """The ratios ours / peer that are asked for; None where none is."""

    cpu_max: float
    cpu_max_newer: float | None = None
    ops_min: float | None = None
    p99_max: float | None = None
    # Requests per second are to rise as CPU per request falls.
    ops_follow_cpu: bool = False

    def cpu_for(self, is_debians: bool) -> float:
        """The bound on CPU per request beside Debian's memcached, or beside a newer one."""
        if is_debians or self.cpu_max_newer is None:
            return self.cpu_max
        return self.cpu_max_newer

    def ops_for(self, is_debians: bool) -> float | None:
        """The bound on requests per second beside the same."""
        return 1 / self.cpu_for(is_debians) if self.ops_follow_cpu else self.ops_min


@dataclass(frozen=True)
class SpeedCase:
    """One load, given to each server in turn."""

    name: str
    text: str
    bounds: Bounds
    mix: str = "get=1"
    keys: int = 100_000
    value_len: int = 100
    connections: int = 50
    pipeline: int = 1
    # Gateway and node, beside a proxy and its memcached.
    is_proxied: bool = False

    def flags(self) -> list[str]:
        """The flags of `cofferdam load` that make it."""
        return [
            "--mix", self.mix,
            "--keys", str(self.keys),
            "--key-len", "12",
            "--value-len", str(self.value_len),
            "--connections", str(self.connections),
            "--pipeline", str(self.pipeline),
        ]


@dataclass(frozen=True)
class MemoryCase:
    """Resident bytes per item or per connection."""

    name: str
    text: str
    n: int
    ratio_max: float
    flags: list[str] = field(default_factory=list)


SPEED = [
    SpeedCase(
        "get_100b",
        "50 connections, one get at a time",
        Bounds(cpu_max=0.80, ops_min=1.20, p99_max=1.0),
    ),
    SpeedCase(
        "get_100b_p16",
        "16 gets pipelined",
        Bounds(cpu_max=0.20, cpu_max_newer=0.55, ops_follow_cpu=True),
        pipeline=16,
    ),
    SpeedCase("mixed_90_10", "90 % get, 10 % set", Bounds(cpu_max=0.80), mix="get=90,set=10"),
    SpeedCase("mget_50", "50 keys in one get", Bounds(cpu_max=0.65), mix="mget=1/50"),
    SpeedCase(
        "get_10k", "values of 10,000 bytes", Bounds(cpu_max=0.90), keys=20_000, value_len=10_000
    ),
    SpeedCase("set_100b", "sets only", Bounds(cpu_max=0.80), mix="set=1"),
]

PROXY = [
    SpeedCase(
        "proxy_get_100b",
        "through gateway and node: 100 connections, one get at a time",
        Bounds(cpu_max=0.70, ops_min=1.50),
        connections=100,
        is_proxied=True,
    ),
    SpeedCase(
        "proxy_get_100b_p16",
        "through gateway and node: 16 gets pipelined",
        Bounds(cpu_max=0.50),
        connections=100,
        pipeline=16,
        is_proxied=True,
    ),
]


@dataclass(frozen=True)
class AddedCase:
    """What a gateway adds to the latency of a process that has the data itself, at the same rate."""

    name: str
    text: str
    # The load whose half is given.
    load: SpeedCase
    added_ms_max: float


ADDED = AddedCase(
    "added_p99_ms",
    "p99 through gateway and node less p99 of one process, at half of what gateway and node can do",
    PROXY[0],
    0.5,
)

MEMORY = [
    MemoryCase("density_100b", "bytes per item of 12 + 100 bytes", 2_000_000, 0.75),
    MemoryCase("idle_conn", "bytes per idle connection after one get", 15_000, 0.5),
]

# What admission may cost where nobody contends.
ADMISSION_CPU_MAX = 1.05
ADMISSION = [
    replace(case, bounds=Bounds(cpu_max=ADMISSION_CPU_MAX))
    for case in SPEED
    if case.name in ("get_100b", "get_100b_p16", "mixed_90_10")
]
ADMISSION_PAIRS = 20

NAMES = [case.name for case in [*SPEED, *PROXY, ADDED, *MEMORY]]
