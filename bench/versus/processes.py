"""Starting processes on a core, and ending every one of them whatever happens."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

_running: list[subprocess.Popen] = []
_folders: list[Path] = []


def start(command: list[str], core: int, **options) -> subprocess.Popen:
    """Starts a process that may run on one core only."""

    def on_core():
        os.sched_setaffinity(0, {core})

    process = subprocess.Popen(command, preexec_fn=on_core, **options)
    _running.append(process)
    return process


def stop(process: subprocess.Popen) -> None:
    """Ends a process and waits for it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()
    if process in _running:
        _running.remove(process)


def folder() -> Path:
    """A folder of its own for a server's data."""
    path = Path(tempfile.mkdtemp(prefix="versus-"))
    _folders.append(path)
    return path


def remove(path: Path) -> None:
    """Removes a folder of `folder`."""
    shutil.rmtree(path, ignore_errors=True)
    if path in _folders:
        _folders.remove(path)


def clean_up() -> None:
    """Ends all that still runs, and removes all folders."""
    for process in list(_running):
        stop(process)
    for path in list(_folders):
        remove(path)


def clean_up_at_exit() -> None:
    """From now on cleans up at the end, by whatever way it comes."""
    atexit.register(clean_up)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
