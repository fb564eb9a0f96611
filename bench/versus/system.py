"""What the system says of processes and cores."""

import os
import time
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, all threads, in seconds."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    # The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, counted page by page."""
    for name in ("smaps_rollup", "status"):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(("Rss:", "VmRSS:")):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"cannot read the resident memory of process {pid}")


def open_files(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def cores(numbers: list[int]) -> tuple[float, float]:
    """Seconds that these cores were busy so far, and that were stolen from them."""
    busy = stolen = 0.0
    wanted = {f"cpu{number}" for number in numbers}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in wanted:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            busy += (user + nice + system + irq + softirq) / TICKS_PER_S
            stolen += steal / TICKS_PER_S
    return busy, stolen


def wait_until_idle(pid: int, timeout_s: float = 30.0) -> None:
    """Waits until a process has used at most one tick of CPU in a second."""
    end = time.monotonic() + timeout_s
    before = cpu_s(pid)
    while time.monotonic() < end:
        time.sleep(1.0)
        now = cpu_s(pid)
        if now - before <= 1.5 / TICKS_PER_S:
            return
        before = now
