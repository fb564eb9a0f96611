"""From samples to ratios, and from ratios to whether they hold."""

from dataclasses import dataclass
from statistics import median

from cases import AddedCase, MemoryCase, SpeedCase
from measure import Sample
from slices import KEPT_MIN, Side

# Above this the load generator is the limit, and requests per second say nothing of the server.
LOAD_BUSY_MAX = 0.95


@dataclass(frozen=True)
class Figure:
    """A ratio ours / peer, what is asked of it, and whether that holds."""

    value: float | None
    bound: float | None
    is_floor: bool = False

    @property
    def holds(self) -> bool | None:
        """None where nothing is asked, or the figure says nothing."""
        if self.value is None or self.bound is None:
            return None
        return self.value >= self.bound if self.is_floor else self.value <= self.bound

    @property
    def text(self) -> str:
        """The figure, its bound and the verdict, for a cell of a table."""
        if self.value is None:
            return "load is the limit"
        if self.bound is None:
            return f"{self.value:.2f}"
        sign = "≥" if self.is_floor else "≤"
        mark = "holds" if self.holds else "**missed**"
        return f"{self.value:.2f} ({sign} {self.bound:.2f} {mark})"


@dataclass(frozen=True)
class SpeedRow:
    """One case beside one peer: medians over all pairs."""

    case: SpeedCase
    peer: str
    peer_version: str
    cpu: Figure
    ops: Figure
    p99: Figure
    ours: Sample
    theirs: Sample

    def for_json(self) -> dict:
        return {
            "name": self.case.name,
            "peer": self.peer,
            "peer_version": self.peer_version,
            "ops_ratio": rounded(self.ops.value),
            "cpu_per_op_ratio": rounded(self.cpu.value),
            "p99_ratio": rounded(self.p99.value),
            "server_busy": rounded(self.ours.server_busy),
            "load_busy": rounded(self.ours.load_busy),
            "peer_server_busy": rounded(self.theirs.server_busy),
            "peer_load_busy": rounded(self.theirs.load_busy),
        }


@dataclass(frozen=True)
class MemoryRow:
    """One memory case beside one peer."""

    case: MemoryCase
    peer: str
    peer_version: str
    ours_bytes: float
    peer_bytes: float

    @property
    def ratio(self) -> Figure:
        return Figure(self.ours_bytes / max(self.peer_bytes, 1e-9), self.case.ratio_max)

    def for_json(self) -> dict:
        return {
            "name": self.case.name,
            "ours_bytes": rounded(self.ours_bytes),
            "peer_bytes": rounded(self.peer_bytes),
            "bytes_ratio": rounded(self.ratio.value),
            "n": self.case.n,
        }


@dataclass(frozen=True)
class AddedRow:
    """What a gateway adds to the p99, in milliseconds."""

    case: AddedCase
    fleet: Side
    alone: Side

    @property
    def figure(self) -> Figure:
        """Of the undisturbed slices; without a value if these are too few."""
        kept = min(len(self.fleet.kept), len(self.alone.kept))
        added_ms = (self.fleet.p99_us - self.alone.p99_us) / 1000
        return Figure(added_ms if kept >= KEPT_MIN else None, self.case.added_ms_max)

    @property
    def of_all_ms(self) -> float:
        """The same of all slices, disturbed or not."""
        return (self.fleet.p99_of_all_us - self.alone.p99_of_all_us) / 1000

    def for_json(self) -> dict:
        return {
            "name": self.case.name,
            "added_ms": rounded(self.figure.value),
            "fleet": side_for_json(self.fleet),
            "alone": side_for_json(self.alone),
            "of_all_added_ms": rounded(self.of_all_ms),
        }


def side_for_json(side: Side) -> dict:
    return {
        "p99_us": rounded(side.p99_us),
        "p99_of_all_us": rounded(side.p99_of_all_us),
        "lag_p99_us": rounded(side.lag_p99_us),
        "ops_per_s": rounded(side.ops_per_s),
        "slices": len(side.slices),
        "kept": len(side.kept),
    }


def speed_rows(case: SpeedCase, peers: list, rounds: list[list[Sample]]) -> list[SpeedRow]:
    """One row per peer; in each round ours comes first, then the peers in their order."""
    rows = []
    for column, peer in enumerate(peers, start=1):
        pairs = [(samples[0], samples[column]) for samples in rounds]
        rows.append(speed_row(case, peer, pairs))
    return rows


def speed_row(case: SpeedCase, peer, pairs: list[tuple[Sample, Sample]]) -> SpeedRow:
    ours = middle([pair[0] for pair in pairs])
    theirs = middle([pair[1] for pair in pairs])
    is_load_the_limit = max(ours.load_busy, theirs.load_busy) > LOAD_BUSY_MAX
    ops = None if is_load_the_limit else ratio(pairs, "ops_per_s")
    bounds = case.bounds
    return SpeedRow(
        case=case,
        peer=peer.name,
        peer_version=peer.version,
        cpu=Figure(ratio(pairs, "cpu_us_per_op"), bounds.cpu_for(peer.is_debians)),
        ops=Figure(ops, bounds.ops_for(peer.is_debians), is_floor=True),
        p99=Figure(ratio(pairs, "p99_us"), bounds.p99_max),
        ours=ours,
        theirs=theirs,
    )


def ratio(pairs: list[tuple[Sample, Sample]], name: str) -> float:
    """The median of the pairs' ratios of one figure."""
    return median(getattr(ours, name) / max(getattr(theirs, name), 1e-9) for ours, theirs in pairs)


def middle(samples: list[Sample]) -> Sample:
    """The median of each figure."""
    names = Sample.__dataclass_fields__
    return Sample(**{name: median(getattr(sample, name) for sample in samples) for name in names})


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
