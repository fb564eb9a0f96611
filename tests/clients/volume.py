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
import urllib.request

from harness import BINARY, Server, Skipped, Suite, eventually
from volume_stack import needs_mounts

# The kills take longest, and leave the processor idle for the others.
suite = Suite("volume", server=False, workers=2)
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

    def __init__(self, size="64MiB", journal="4MiB", data_dir=None, port="0", make=True, at=None):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-nbd-")
        self.socket = at or os.path.join(self.folder, "nbd.sock")
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
def a_check_names_what_has_rotted():
    qemu_io = tool("qemu-io")
    with Volumes() as server:
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 7 0 24M", "-c", "flush")
        server.cli("volume", "snapshot", "data", "monday")
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 8 4M 24M", "-c", "flush")
        eventually(lambda: not server.json("stat", "data")["clients"], 10, "nobody uses it")
        well = server.json("check", "data")
        assert well["defects"] == [] and well["objects"] > 5, well
        objects = []
        for folder, _, names in os.walk(os.path.join(server.data_dir, "volumes", "store")):
            objects += [os.path.join(folder, name) for name in names if "/segment" in folder]
        rotten = max(objects, key=os.path.getsize)
        with open(rotten, "r+b") as file:
            file.seek(os.path.getsize(rotten) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        told = server.cli("volume", "check", "data", check=False)
        name = os.path.relpath(rotten, os.path.join(server.data_dir, "volumes", "store"))
        assert told.returncode == 1 and f"{name}: " in told.stderr, told
        assert "damaged" in told.stderr, told
        # A client is told of an error, and never of other bytes.
        read = run(qemu_io, "-f", "raw", server.uri, "-c", "read -P 7 0 4M", "-c", "read -P 8 4M 24M",
                   check=False)
        assert "Pattern verification failed" not in read.stdout + read.stderr, read


@suite.test
def a_second_copy_takes_the_place_of_the_first():
    qemu_io = tool("qemu-io")
    with Volumes() as server, tempfile.TemporaryDirectory() as second:
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 7 0 8M", "-c", "flush")
        eventually(lambda: not server.json("stat", "data")["clients"], 10, "nobody uses it")
        told = server.json("mirror", "data", second)["attached"]["mirror"]
        assert told == {"dir": second, "behind": None}, told
        assert 'cofferdam_volume_mirror_behind{volume="data"} 0\n' in metrics(server)
        run(qemu_io, "-f", "raw", server.uri, "-c", "write -P 8 4M 16M", "-c", "flush")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        # The first disk is lost, and the second stands in for it.
        volumes = os.path.join(server.data_dir, "volumes")
        shutil.rmtree(volumes)
        shutil.copytree(second, volumes)
        with Volumes(data_dir=server.data_dir, make=False) as again:
            done = run(qemu_io, "-f", "raw", again.uri, "-c", "read -P 7 0 4M",
                       "-c", "read -P 8 4M 16M", "-c", "read -P 0 20M 40M")
            assert "failed" not in done.stdout + done.stderr, done.stdout
            assert again.json("stat", "data")["attached"]["mirror"] is None


@suite.test
def limits_hold_live_and_are_seen():
    with Volumes() as server:
        limited = server.json("limit", "data", "--iops", "50", "--bytes", "1MiB")
        assert (limited["iops_max"], limited["bytes_per_second_max"]) == (50, MIB), limited
        began = time.monotonic()
        run(tool("qemu-io"), "-f", "raw", server.uri, *(("-c", "write -P 1 0 4k") * 100))
        took = time.monotonic() - began
        assert 0.8 < took < 20, took
        attached = server.json("stat", "data")["attached"]
        writes = next(one for one in attached["operations"] if one["operation"] == "write")
        assert writes["count"] == 100 and writes["bytes"] == 100 * 4096, attached
        assert attached["iops_balance_permille"] < 500, attached
        page = metrics(server)
        assert 'cofferdam_volume_operations_total{volume="data",operation="write"} 100\n' in page
        assert 'cofferdam_volume_burst_balance_ratio{volume="data",limit="operations"}' in page
        free = server.json("limit", "data", "--iops", "none", "--bytes", "none")
        assert (free["iops_max"], free["bytes_per_second_max"]) == (None, None), free
        began = time.monotonic()
        run(tool("qemu-io"), "-f", "raw", server.uri, *(("-c", "write -P 1 0 4k") * 100))
        assert time.monotonic() - began < took, "nothing is limited any more"
        nothing = server.cli("volume", "limit", "data", "--iops", "0", check=False)
        assert nothing.returncode == 1 and "at least 1" in nothing.stderr, nothing
        server.json("limit", "data", "--iops", "70")
        server.stop()
        with Volumes(data_dir=server.data_dir, make=False) as again:
            assert again.json("stat", "data")["iops_max"] == 70


def metrics(server):
    """The page, which promtool finds in order."""
    token = open(os.path.join(server.data_dir, "admin.token")).read().strip()
    request = urllib.request.Request(f"http://{server.ready['admin']}/metrics",
                                     headers={"Authorization": f"Bearer {token}"})
    page = urllib.request.urlopen(request, timeout=10).read().decode()
    promtool = shutil.which("promtool")
    if promtool:
        checked = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True,
                                 text=True, timeout=30)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    return page


@suite.test
def a_frozen_store_is_named_by_its_stage():
    needs_mounts()
    tool("fsfreeze")
    with tempfile.TemporaryDirectory() as folder:
        data_dir = os.path.join(folder, "data")
        store = os.path.join(data_dir, "volumes", "store")
        os.makedirs(store)
        image = os.path.join(folder, "store.img")
        with open(image, "wb") as file:
            file.truncate(128 * MIB)
        run("mkfs.ext4", "-q", image)
        run("mount", "-o", "loop", image, store)
        try:
            with Volumes(size="64MiB", journal="4MiB", data_dir=data_dir) as server:
                server.cli("volume", "attach", "data")
                run("fsfreeze", "-f", store)
                try:
                    writing = subprocess.Popen(
                        [tool("qemu-io"), "-f", "raw", server.uri, "-c", "write -P 5 0 16M",
                         "-c", "read -P 5 0 16M"], stdout=subprocess.PIPE, text=True)

                    def stalled():
                        told = server.cli("events", "--json").stdout.splitlines()
                        events = [json.loads(line) for line in told]
                        return [one for one in events if one["event"] == "volume_stalled"]

                    eventually(stalled, 30, "an event names the stage")
                    event = stalled()[0]
                    assert "storing an object" in event["sentence"], event
                    stages = server.json("stat", "data")["attached"]["stages"]
                    still = {one["stage"]: one["still_ms"] for one in stages}
                    assert still["object_write"] >= 3000, still
                    page = metrics(server)
                    assert 'cofferdam_volume_stage_still_seconds{volume="data",stage="object_write"}' \
                        in page
                finally:
                    run("fsfreeze", "-u", store)
                output, _ = writing.communicate(timeout=60)
                assert "failed" not in output, output
                eventually(lambda: any(one["state"] == "ended" for one in stalled()), 30, "it ends")
        finally:
            run("umount", "-l", store)


@suite.test
def qemu_connects_again_and_loses_nothing():
    qemu_io = tool("qemu-io")
    with Volumes() as server:
        opts = (f"driver=nbd,server.type=unix,server.path={server.socket},export=data,"
                "reconnect-delay=60")
        client = subprocess.Popen([qemu_io, "--image-opts", opts], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        def say(command):
            # It takes one line at a time, and looks for the next only when more comes.
            client.stdin.write(command + "\n")
            client.stdin.flush()

        def done():
            lines = []
            while not lines or "ops/sec" not in lines[-1]:
                lines.append(client.stdout.readline())
                assert lines[-1] and "failed" not in lines[-1], lines
            return "".join(lines)

        say("write -P 3 0 8M")
        assert "wrote 8388608/8388608" in done()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        # Asked of nobody, and answered by the next.
        say("write -P 4 4M 8M")
        with Volumes(data_dir=server.data_dir, make=False, at=server.socket):
            assert "wrote 8388608/8388608" in done()
            for pattern, at in ((3, "0 4M"), (4, "4M 8M")):
                say(f"read -P {pattern} {at}")
                assert "read " in done()
            client.communicate("quit\n", timeout=20)


@suite.test
def an_upgrade_sends_clients_to_the_successor_and_loses_nothing():
    nbdkit, nbdcopy = tool("nbdkit"), tool("nbdcopy")
    with Volumes(size="128MiB") as server, tempfile.TemporaryDirectory() as folder:
        source, back = os.path.join(folder, "source"), os.path.join(folder, "back")
        with open(source, "wb") as file:
            file.write(os.urandom(128 * MIB))
        path = os.path.join(folder, "retry.sock")
        between = subprocess.Popen(
            [nbdkit, "-f", "-U", path, "--filter=retry", "nbd", f"uri={server.uri}",
             "retry-delay=1", "retries=20"], stderr=subprocess.DEVNULL)
        successor = None
        try:
            eventually(lambda: os.path.exists(path), 10, "nbdkit listens")
            copying = subprocess.Popen(
                [nbdcopy, "--flush", "--connections=1", "--requests=1", source,
                 f"nbd+unix:///?socket={path}"], stderr=subprocess.PIPE)
            eventually(lambda: writes(server) > 10, 20, "the copy is under way")
            done = server.cli("upgrade")
            assert copying.poll() is None, "the copy was done before the upgrade"
            with open(os.path.join(server.data_dir, "lock")) as lock:
                successor = int(lock.read())
            assert successor != server.process.pid, done.stdout
            assert copying.wait(60) == 0, copying.stderr.read()
            run(nbdcopy, server.uri, back)
            with open(source, "rb") as one, open(back, "rb") as other:
                assert one.read() == other.read()
        finally:
            between.kill()
            between.wait()
            if successor:
                os.kill(successor, signal.SIGTERM)
                eventually(lambda: not os.path.exists(f"/proc/{successor}")
                           or "Z" in open(f"/proc/{successor}/stat").read().rsplit(")", 1)[1],
                           20, "the successor ends")


def writes(server):
    attached = server.json("stat", "data")["attached"]
    operations = attached["operations"] if attached else []
    return sum(one["count"] for one in operations if one["operation"] == "write")


DRAIN = """
import errno, nbd, os, signal, sys
h = nbd.NBD()
h.connect_uri(sys.argv[1])
cookies = [h.aio_pwrite(b"d" * 65536, at * 65536) for at in range(512)]
done, refused, lost = 0, 0, 0
for at, cookie in enumerate(cookies):
    if at == 32:
        os.kill(int(sys.argv[2]), signal.SIGTERM)
    try:
        while not h.aio_command_completed(cookie):
            h.poll(10000)
        done += 1
    except nbd.Error as error:
        if error.errno == "ESHUTDOWN":
            refused += 1
        else:
            lost += 1
print(done, refused, lost)
"""


@suite.test
def a_drain_answers_what_was_asked_or_says_that_it_ends():
    python = "/usr/bin/python3"
    if run(python, "-c", "import nbd", check=False).returncode != 0:
        raise Skipped("no python3-libnbd here")
    with Volumes() as server:
        told = run(python, "-c", DRAIN, server.uri, str(server.process.pid)).stdout.split()
        done, refused, lost = map(int, told)
        assert done + refused + lost == 512 and done >= 32, told
        assert server.process.wait(20) == 0
        with Volumes(data_dir=server.data_dir, make=False) as again:
            script = "import nbd, sys; h = nbd.NBD(); h.connect_uri(sys.argv[1]); n = int(sys.argv[2])\n" \
                     "assert h.pread(n * 65536, 0) == b'd' * (n * 65536)"
            # All that was answered is there; they were answered in order of their offsets.
            run(python, "-c", script, again.uri, str(min(done, 512)))


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
         *more, "--", *server_command], capture_output=True, text=True,
        timeout=max(280, int(kills)))


@suite.test
def nothing_acknowledged_is_lost_over_sigkills():
    kills = os.environ.get("COFFERDAM_KILLS", "200")
    with Volumes(size="8MiB", journal="1MiB") as server:
        server.stop()
        command = [BINARY, "up", "--data-dir", server.data_dir, "--memory", "64MiB", "--threads",
                   "1", "--memcache", "off", "--memcache-auth", "127.0.0.1:0", "--admin", "off",
                   "--nbd", "off", "--nbd-unix", server.socket]
        done = torture(command, server.uri, kills, "--trim-zeroes", "--keeps-answered")
        assert done.returncode == 0, done.stderr[-4000:]
        assert f"{kills} crashes" in done.stdout, done.stdout
        print(f"      {done.stdout.strip()}", file=sys.stderr)


@suite.test
def histories_on_disk_outlive_the_checker():
    with Volumes(size="8MiB", journal="1MiB") as server, tempfile.TemporaryDirectory() as folder:
        history = os.path.join(folder, "history")
        command = [BINARY, "volume", "torture", server.uri, "--size", "2MiB", "--trim-zeroes",
                   "--keeps-answered", "--history", history]
        seed = time.time_ns()
        print(f"      seed {seed}", file=sys.stderr)
        for life in range(5):
            checker = subprocess.Popen([*command, "--time", "1m", "--seed", str(seed + life)],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            before = writes(server)
            eventually(lambda: writes(server) > before + 100 or checker.poll() is not None, 60,
                       "the checker writes")
            checker.kill()
            _, told = checker.communicate()
            assert not told, told
            # What it had sent is done, or the next one would see blocks change after it has read them.
            eventually(lambda: not server.json("stat", "data")["clients"], 30, "it is gone")
        done = run(*command, "--time", "200ms")
        assert "no violation" in done.stdout, done
        # Somebody takes the volume back behind the checker's back.
        eventually(lambda: not server.json("stat", "data")["clients"], 10, "nobody uses it")
        server.cli("volume", "snapshot", "data", "before")
        run(*command, "--time", "500ms")
        eventually(lambda: not server.json("stat", "data")["clients"], 10, "nobody uses it")
        server.cli("volume", "restore", "data@before")
        caught = run(*command, "--time", "200ms", check=False)
        assert caught.returncode == 1 and "not what they may be" in caught.stderr, caught


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
