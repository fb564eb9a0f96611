"""The figures as a Markdown table."""

import slices
from verdict import LOAD_BUSY_MAX, AddedRow, MemoryRow, SpeedRow

HEAD = [
    "case", "peer", "CPU per op", "ops", "p99",
    "CPU µs/op", "ops/s", "p99 µs", "server busy", "load busy",
]

ADDED_HEAD = [
    "case", "added p99 ms", "p99 µs", "slices kept", "added p99 ms of all slices", "p99 µs of all slices",
    "load late µs", "ops/s",
]
SLICES = (
    f"Through the gateway / one process, in turns, in slices of {slices.SLICE_S * 1000:.0f} ms. A slice is kept if "
    "the host took, others on the machine ran, and the load waited for its core, for at most "
    f"{slices.DISTURBANCE_MAX_MS:g} ms each; with fewer than {slices.KEPT_MIN} of a side nothing is measured."
)


def markdown(
    speed: list[SpeedRow], memory: list[MemoryRow], setting: str, added: list[AddedRow] = ()
) -> str:
    """All tables, with a line on how they came about."""
    parts = [f"{setting}\n"]
    if speed:
        parts.append(table(HEAD, [speed_cells(row) for row in speed]))
    if memory:
        head = ["case", "peer", "bytes ratio", "ours", "peer's", "n"]
        parts.append(table(head, [memory_cells(row) for row in memory]))
    if added:
        parts.append(table(ADDED_HEAD, [added_cells(row) for row in added]))
        parts.append(f"{SLICES}\n")
    disturbed = [row for row in speed if max(row.ours.disturbance, row.theirs.disturbance) > 0.03]
    if disturbed:
        names = ", ".join(sorted({row.case.name for row in disturbed}))
        parts.append(f"Others used the machine meanwhile: do not trust {names}.\n")
    return "\n".join(parts)


def speed_cells(row: SpeedRow) -> list[str]:
    ours, theirs = row.ours, row.theirs
    return [
        row.case.name,
        f"{row.peer} {row.peer_version}",
        row.cpu.text,
        row.ops.text,
        row.p99.text,
        f"{ours.cpu_us_per_op:.2f} / {theirs.cpu_us_per_op:.2f}",
        f"{ours.ops_per_s:,.0f} / {theirs.ops_per_s:,.0f}",
        f"{ours.p99_us:,.0f} / {theirs.p99_us:,.0f}",
        f"{ours.server_busy:.2f} / {theirs.server_busy:.2f}",
        f"{ours.load_busy:.2f} / {theirs.load_busy:.2f}",
    ]


def added_cells(row: AddedRow) -> list[str]:
    fleet, alone, figure = row.fleet, row.alone, row.figure
    return [
        row.case.name,
        "could not be measured" if figure.value is None else figure.text,
        f"{fleet.p99_us:,.0f} / {alone.p99_us:,.0f}",
        f"{len(fleet.kept)} of {len(fleet.slices)} / {len(alone.kept)} of {len(alone.slices)}",
        f"{row.of_all_ms:.2f}",
        f"{fleet.p99_of_all_us:,.0f} / {alone.p99_of_all_us:,.0f}",
        f"{fleet.lag_p99_us:,.0f} / {alone.lag_p99_us:,.0f}",
        f"{fleet.ops_per_s:,.0f}",
    ]


def memory_cells(row: MemoryRow) -> list[str]:
    return [
        row.case.name,
        f"{row.peer} {row.peer_version}",
        row.ratio.text,
        f"{row.ours_bytes:,.1f}",
        f"{row.peer_bytes:,.1f}",
        f"{row.case.n:,}",
    ]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose columns also line up as plain text."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [line(head, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    lines += [line(row, widths) for row in rows]
    return "\n".join(lines) + "\n"


def line(cells: list[str], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"


def setting(pairs: int, seconds: float) -> str:
    return (
        f"Cofferdam / peer: medians of {pairs} pairs of {seconds:g} s, one server thread on one core, "
        f"the load on another. Where the load is more than {LOAD_BUSY_MAX:.0%} busy it is the limit, "
        "and CPU per operation decides."
    )
