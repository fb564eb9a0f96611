"""An ext4 file system on a volume: retry filter, nbdfuse, loop device, mount; and what kills under it.

Needs root, /dev/fuse and a loop device, and Debian's nbdkit, nbdfuse (package nbdfuse or libnbd-bin),
e2fsprogs and mount; where the machine has none of a kind the tests that want it are skipped by name.
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

from harness import Server, Skipped, eventually

TOOLS = ("nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "e2fsck", "mount", "umount", "fstrim")


def run(*command, check=True, timeout=120, **how):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **how)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} says {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def needs_mounts():
    """Says which of what a mounted volume takes this machine does not have."""
    if os.geteuid() != 0:
        raise Skipped("only root mounts: run this as root")
    for tool in TOOLS:
        if not shutil.which(tool):
            raise Skipped(f"no {tool} here")
    for device in ("/dev/fuse", "/dev/loop-control"):
        try:
            os.close(os.open(device, os.O_RDWR))
        except OSError as why:
            raise Skipped(f"{device}: {why.strerror}") from why


class VolumeServer(Server):
    """A server with the volume `data` at a Unix socket that stays where it is over restarts."""

    def __init__(self, folder, data_dir, size=None):
        self.socket = os.path.join(folder, "nbd.sock")
        super().__init__("--nbd-unix", self.socket, memory="64MiB", data_dir=data_dir)
        if size:
            self.cli("volume", "create", "data", "--size", size, "--journal", "64MiB")


class Stack:
    """The whole way from a server's volume to a folder; `kill` kills the server, `again` restarts it."""

    def __init__(self, size):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-fs-")
        self.data_dir = os.path.join(self.folder, "data")
        os.mkdir(self.data_dir)
        self.mount = os.path.join(self.folder, "mnt")
        self.image = os.path.join(self.folder, "volume.img")
        self.between = os.path.join(self.folder, "retry.sock")
        os.mkdir(self.mount)
        self.ends = contextlib.ExitStack()
        self.ends.callback(shutil.rmtree, self.folder, True)
        self.server = VolumeServer(self.folder, self.data_dir, size)
        self.ends.callback(lambda: self.server.stop())
        try:
            self.attach()
            run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.device)
            self.mount_it()
        except BaseException:
            self.ends.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ends.close()

    def attach(self):
        uri = f"uri=nbd+unix:///data?socket={self.server.socket}"
        self.start("nbdkit", "-f", "-U", self.between, "--filter=retry", "nbd", uri,
                   "retry-delay=1", "retry-exponential=no", "retries=60")
        eventually(lambda: os.path.exists(self.between), 10, "nbdkit listens")
        open(self.image, "wb").close()
        self.start("nbdfuse", self.image, f"nbd+unix:///?socket={self.between}")
        self.ends.callback(run, "umount", "-l", self.image, check=False)
        eventually(lambda: os.path.getsize(self.image) > 0, 10, "nbdfuse serves")
        self.device = run("losetup", "--find", "--show", self.image).stdout.strip()
        self.ends.callback(run, "losetup", "-d", self.device, check=False)

    def start(self, *command):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self.ends.callback(end)

    def mount_it(self):
        run("mount", self.device, self.mount)
        self.ends.callback(run, "umount", "-l", self.mount, check=False)

    def kill(self):
        """The server is gone at once, with whatever it had in memory."""
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()
        self.server.stop()

    def again(self):
        self.server = VolumeServer(self.folder, self.data_dir)

    def unmount(self):
        run("umount", self.mount)

    def check(self):
        """What the file system says of itself once it is unmounted."""
        run("e2fsck", "-fn", self.device)


def postgres_bin():
    """The folder of PostgreSQL's programs, of the newest release there is."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_amcheck"))
    if not found:
        raise Skipped("no PostgreSQL with pg_amcheck here")
    return os.path.dirname(found[-1])


class Load(subprocess.Popen):
    """A command that goes on while its surroundings are killed."""

    def __init__(self, *command, **how):
        super().__init__(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
        self.began = time.monotonic()

    def succeed(self, timeout):
        output, _ = self.communicate(timeout=timeout)
        assert self.returncode == 0, f"{self.args} says {self.returncode}\n{output}"
        return output
