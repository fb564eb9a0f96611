"""Volumes by NBD through real clients: libnbd, nbdinfo, nbdcopy, qemu, a retry filter, and SIGKILL.

Installed by Debian's `libnbd-bin`, `python3-libnbd`, `nbdkit` and `qemu-utils`; what is not there is
skipped by name.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from harness import BINARY, Server, Skipped, Suite

suite = Suite("volume", server=False)
MIB = 1 << 20


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skipped(f"no {name} here")
    return path


def run(*command, check=True, timeout=60):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} says {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Volumes(Server):
    """A server with one volume, `data`, at a Unix socket and over TCP."""

    def __init__(self, size="64MiB", journal="4MiB", data_dir=None, port="0", make=True):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-nbd-")
        self.socket = os.path.join(self.folder, "nbd.sock")
        super().__init__("--nbd-unix", self.socket, "--nbd", f"127.0.0.1:{port}",
                         memory="64MiB", data_dir=data_dir)
        self.uri = f"nbd+unix:///data?socket={self.socket}"
        self.tcp = f"nbd://{self.ready['nbd']}/data"
        if make:
            self.cli("volume", "create", "data", "--size", size, "--journal", journal)

    def __exit__(self, *why):
        super().__exit__(*why)
        shutil.rmtree(self.folder, ignore_errors=True)

    def json(self, *args):
        return json.loads(self.cli("volume", *args, "--json").stdout)


@suite.test
def nbdinfo_tells_what_is_offered():
    nbdinfo = tool("nbdinfo")
    with Volumes() as server:
        for uri in (server.uri, server.tcp):
            told = json.loads(run(nbdinfo, "--json", uri).stdout)["exports"][0]
            assert told["export-size"] == 64 * MIB, told
            for offered in ("can_flush", "can_fua", "can_trim", "can_zero", "can_fast_zero",
                            "can_multi_conn", "can_df", "can_cache"):
                assert told[offered] is True, (offered, told)
            assert told["is_read_only"] is False
            assert "base:allocation" in told["contexts"], told
        listed = json.loads(run(nbdinfo, "--list", "--json", f"nbd://{server.ready['nbd']}").stdout)
        assert [export["export-name"] for export in listed["exports"]] == ["data"]


@suite.test
def nbdcopy_brings_back_what_it_took():
    nbdcopy = tool("nbdcopy")
    with Volumes() as server, tempfile.TemporaryDirectory() as folder:
        there, back = os.path.join(folder, "there"), os.path.join(folder, "back")
        with open(there, "wb") as file:
            file.write(os.urandom(20 * MIB) + bytes(20 * MIB) + os.urandom(24 * MIB))
        run(nbdcopy, "--flush", there, server.uri)
        run(nbdcopy, server.tcp, back)
        with open(there, "rb") as one, open(back, "rb") as other:
            assert one.read() == other.read()


@suite.test
def qemu_io_and_qemu_img_agree():
    qemu_io, qemu_img = tool("qemu-io"), tool("qemu-img")
    with Volumes() as server:
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 7 5k 100k", "-c", "write -z 20k 9k",
            "-c", "write -f -P 9 63M 1M", "-c", "discard 1M 1M", "-c", "flush")
        done = run(qemu_io, "-f", "raw", server.tcp, "-c", "read -P 7 5k 15k", "-c",
                   "read -P 0 20k 9k", "-c", "read -P 7 29k 76k", "-c", "read -P 9 63M 1M",
                   "-c", "read -P 0 1M 1M")
        assert "verification failed" not in done.stdout + done.stderr, done.stdout
        beyond = run(qemu_io, "-f", "raw", server.uri, "-c", "write 64M 4k", check=False)
        assert beyond.returncode != 0 or "rror" in beyond.stdout + beyond.stderr, beyond
        told = json.loads(run(qemu_img, "info", "--output=json", server.tcp).stdout)
        assert told["virtual-size"] == 64 * MIB, told
        mapped = json.loads(run(qemu_img, "map", "--output=json", server.uri).stdout)
        assert any(part["zero"] for part in mapped) and any(part["data"] for part in mapped)


LIBNBD = """
import errno, nbd, sys
h = nbd.NBD()
h.set_strict_mode(0)
h.connect_uri(sys.argv[1])
size = h.get_size()
def fails(number, what, *args, **named):
    try:
        what(*args, **named)
    except nbd.Error as error:
        assert error.errno == errno.errorcode[number], (error, number)
        return
    raise AssertionError(f"{what} {args} was taken")
fails(errno.ENOSPC, h.pwrite, b'x' * 512, size - 511)
fails(errno.EINVAL, h.pread, 512, size)
fails(errno.EINVAL, h.trim, 512, size)
fails(errno.ENOSPC, h.zero, 512, size)
fails(errno.EINVAL, h.pwrite, b'x' * 512, 0, nbd.CMD_FLAG_DF)
fails(errno.EINVAL, h.pread, 512, 0, nbd.CMD_FLAG_FAST_ZERO)
fails(errno.EINVAL, h.flush, nbd.CMD_FLAG_NO_HOLE)
h.pwrite(b'still here' * 50, 100, nbd.CMD_FLAG_FUA)
assert h.pread(500, 100) == b'still here' * 50
h.flush()
h.shutdown()
"""


@suite.test
def libnbd_is_told_the_right_errors():
    python = "/usr/bin/python3"
    if run(python, "-c", "import nbd", check=False).returncode != 0:
        raise Skipped("no python3-libnbd here")
    with Volumes() as server:
        run(python, "-c", LIBNBD, server.uri)


@suite.test
def unknown_options_do_not_lose_the_stream():
    with Volumes() as server:
        host, port = server.ready["nbd"].split(":")
        with socket.create_connection((host, int(port)), 10) as raw:
            file = raw.makefile("rb")
            assert file.read(18)[:8] == b"NBDMAGIC"
            raw.sendall((3).to_bytes(4, "big"))
            for option, data in ((77, b"what"), (3, b"")):
                raw.sendall(b"IHAVEOPT" + option.to_bytes(4, "big")
                            + len(data).to_bytes(4, "big") + data)
            kinds = []
            while not kinds or kinds[-1] != 1:
                header = file.read(20)
                kinds.append(int.from_bytes(header[12:16], "big"))
                file.read(int.from_bytes(header[16:20], "big"))
            assert kinds == [(1 << 31) + 1, 2, 1], kinds


@suite.test
def a_volume_goes_to_a_file_and_back_raw_and_qcow2():
    qemu_io = tool("qemu-io")
    with Volumes() as server, tempfile.TemporaryDirectory() as folder:
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 7 1M 3M", "-c", "write -P 8 60M 1M")
        server.cli("volume", "snapshot", "data", "monday")
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 9 1M 1M")
        for ending in ("raw", "qcow2"):
            now, then = (os.path.join(folder, f"{name}.{ending}") for name in ("now", "then"))
            server.cli("volume", "export", "data", now)
            server.cli("volume", "export", "data@monday", then)
            assert [one["volume"] for one in server.json("list")] == ["data"]
            assert os.stat(now).st_blocks * 512 < 8 * MIB, "what is a hole stays one"
            refused = server.cli("volume", "export", "data", now, check=False)
            assert refused.returncode == 1 and "--force" in refused.stderr, refused
            server.cli("volume", "export", "data", now, "--force")
            for name, file, first in (("one", now, 9), ("two", then, 7)):
                made = server.json("import", name, file)
                assert made["size_bytes"] in (64 * MIB, None), made
                uri = f"nbd+unix:///{name}?socket={server.socket}"
                done = run(qemu_io, "-f", "raw", uri, "-c", f"read -P {first} 1M 1M",
                           "-c", "read -P 7 2M 2M", "-c", "read -P 8 60M 1M", "-c", "read -P 0 8M 48M")
                assert "failed" not in done.stdout + done.stderr, done.stdout
                server.cli("volume", "rm", name)
        gone = server.cli("volume", "import", "three", os.path.join(folder, "gone"), check=False)
        assert gone.returncode == 1 and "gone" in gone.stderr, gone
        small = server.cli("volume", "import", "three", now, "--size", "1MiB", check=False)
        assert small.returncode == 1 and "--size" in small.stderr, small
        assert [one["volume"] for one in server.json("list")] == ["data"]


@suite.test
def up_needs_no_set_up_to_print_both_uris():
    with Server(memory="64MiB") as server:
        server.cli("volume", "create", "data", "--size", "32MiB")
        told = server.cli("volume", "attach", "data").stdout
        assert f"nbd://{server.ready['nbd']}/data" in told, told
        place = os.path.join(server.data_dir, "nbd.sock")
        assert f"nbd+unix:///data?socket={place}" in told, told
        run(tool("nbdinfo"), f"nbd+unix:///data?socket={place}")


@suite.test
def snapshots_clones_and_sizes():
    qemu_io = tool("qemu-io")
    with Volumes() as server:
        def io(export, *commands):
            uri = f"nbd+unix:///{export}?socket={server.socket}"
            flags = [word for command in commands for word in ("-c", command)]
            done = run(qemu_io, "-f", "raw", uri, *flags)
            assert "failed" not in done.stdout + done.stderr, done.stdout
        io("data", "write -P 1 0 8M")
        server.cli("volume", "snapshot", "data", "monday")
        io("data", "write -P 2 0 1M")
        server.cli("volume", "clone", "data@monday", "copy")
        io("copy", "read -P 1 0 8M", "write -P 3 4M 1M")
        io("data", "read -P 2 0 1M", "read -P 1 1M 7M")
        assert [one["snapshot"] for one in server.json("snapshots", "data")] == ["monday"]
        refused = server.cli("volume", "rm", "data@monday", check=False)
        assert refused.returncode == 1 and "clones" in refused.stderr, refused
        server.cli("volume", "restore", "data@monday")
        io("data", "read -P 1 0 8M")
        io("copy", "read -P 3 4M 1M")
        assert server.json("resize", "data", "--size", "80MiB")["size_bytes"] == 80 * MIB
        io("data", "write -P 5 72M 1M", "flush")
        refused = server.cli("volume", "resize", "data", "--size", "64MiB", check=False)
        assert refused.returncode == 1 and "data" in refused.stderr, refused
        server.cli("volume", "resize", "data", "--size", "64MiB", "--force")
        server.cli("volume", "rm", "copy")
        server.cli("volume", "rm", "data@monday")
        server.cli("volume", "rm", "data")
        assert server.json("list") == []


@suite.test
def a_copy_goes_on_over_a_restart():
    nbdkit, nbdcopy = tool("nbdkit"), tool("nbdcopy")
    with Volumes(size="32MiB") as server, tempfile.TemporaryDirectory() as folder:
        source, back = os.path.join(folder, "source"), os.path.join(folder, "back")
        with open(source, "wb") as file:
            file.write(os.urandom(32 * MIB))
        path = os.path.join(folder, "retry.sock")
        port = server.ready["nbd"].split(":")[1]
        between = subprocess.Popen(
            [nbdkit, "-f", "-U", path, "--filter=retry", "nbd", f"uri={server.tcp}",
             "retry-delay=1", "retries=20"], stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(path):
                time.sleep(0.05)
            copying = subprocess.Popen(
                [nbdcopy, "--flush", "--connections=1", source, f"nbd+unix:///?socket={path}"],
                stderr=subprocess.PIPE)
            time.sleep(0.1)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            with Volumes(data_dir=server.data_dir, port=port, make=False) as second:
                assert copying.wait(60) == 0, copying.stderr.read()
                run(nbdcopy, second.uri, back)
            with open(source, "rb") as one, open(back, "rb") as other:
                assert one.read() == other.read()
        finally:
            between.kill()
            between.wait()


def torture(server_command, uri, kills, *more):
    return subprocess.run(
        [BINARY, "volume", "torture", uri, "--kills", str(kills), "--time", "1s", "--size", "2MiB",
         *more, "--", *server_command], capture_output=True, text=True, timeout=280)


@suite.test
def nothing_acknowledged_is_lost_over_sigkills():
    kills = os.environ.get("COFFERDAM_KILLS", "200")
    with Volumes(size="8MiB", journal="1MiB") as server:
        server.stop()
        command = [BINARY, "up", "--data-dir", server.data_dir, "--memory", "64MiB", "--threads",
                   "1", "--memcache", "off", "--memcache-auth", "127.0.0.1:0", "--admin", "off",
                   "--nbd", "off", "--nbd-unix", server.socket]
        done = torture(command, server.uri, kills, "--trim-zeroes")
        assert done.returncode == 0, done.stderr[-4000:]
        assert f"{kills} crashes" in done.stdout, done.stdout
        print(f"      {done.stdout.strip()}", file=sys.stderr)


@suite.test
def a_server_that_forgets_is_caught():
    nbdkit = tool("nbdkit")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "nbd.sock")
        script = 'rm -f "$1"; exec "$0" -f -U "$1" memory 8M'
        command = ["/bin/sh", "-c", script, nbdkit, path]
        done = torture(command, f"nbd+unix:///?socket={path}", 3)
        assert done.returncode == 1 and "not what they may be" in done.stderr, done



suite.main()
