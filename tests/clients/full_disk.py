"""A data folder on a disk that is full, or can only be read: what must go on, and what is told."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

from harness import Conn, Server, Suite, cli, eventually

suite = Suite("full_disk", server=False)

ROOM = "600k"
INSIDE = "COFFERDAM_TEST_OWN_MOUNTS"


def run(*command):
    subprocess.run(command, check=True)


class Disk:
    """A small disk of its own, within this process's own mounts."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="cofferdam-disk-")
        run("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", self.path)
        return self

    def __exit__(self, *_):
        run("umount", "--lazy", self.path)
        os.rmdir(self.path)

    def fill(self):
        with open(os.path.join(self.path, f"fill{os.urandom(4).hex()}"), "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096) == 4096:
                    pass
            except OSError:
                pass

    def free(self):
        for name in os.listdir(self.path):
            if name.startswith("fill"):
                os.unlink(os.path.join(self.path, name))

    def only_read(self):
        run("mount", "-o", "remount,ro", self.path)

    def end_successor(self, first_pid):
        """Ends the process that serves now, unless it is the first one."""
        with open(os.path.join(self.path, "lock")) as lock:
            pid = int(lock.read())
        if pid != first_pid:
            os.kill(pid, signal.SIGTERM)

    def ours(self, *args):
        return cli("--data-dir", self.path, *args, check=False)


def serve(disk):
    return Server("--status", "127.0.0.1:0", memory="64MiB", data_dir=disk.path)


def add(disk, name):
    done = disk.ours("tenant", "add", name, "--memory", "4MiB", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def login(server, tenant):
    """A connection, and what the login was answered."""
    conn = Conn(server.auth)
    body = f"{tenant['username']} {tenant['password']}"
    conn.send(f"set auth 0 0 {len(body)}\r\n{body}\r\n")
    return conn, conn.line()


def restores(copy, *names):
    with tempfile.TemporaryDirectory() as other:
        assert cli("--data-dir", other, "state", "restore", copy).returncode == 0
        listed = json.loads(cli("--data-dir", other, "tenant", "list", "--json").stdout)
        assert [tenant["tenant"] for tenant in listed] == ["default", *names], listed


@suite.test
def a_leaked_credential_is_cut_off_although_that_cannot_be_saved():
    with contextlib.ExitStack() as stack:
        disk, elsewhere = stack.enter_context(Disk()), stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(serve(disk))
        tenant = add(disk, "acme")
        open_one, answer = login(server, tenant)
        assert answer == b"STORED\r\n", answer
        disk.fill()
        told = disk.ours("tenant", "revoke", "acme", tenant["username"])
        assert told.returncode == 1, told
        for word in ("cut off now", "not saved", "state.db", "free space"):
            assert word in told.stderr, told.stderr
        open_one.until_closed()
        again, answer = login(server, tenant)
        assert answer.startswith(b"CLIENT_ERROR"), answer
        again.close()
        # What publishes the directory anew does not bring it back, and nor does a successor.
        refused = disk.ours("tenant", "add", "other", "--memory", "4MiB")
        assert refused.returncode == 1 and "state.db is full" in refused.stderr, refused
        stack.callback(disk.end_successor, server.process.pid)
        done = disk.ours("upgrade")
        assert done.returncode == 0, done.stderr
        assert login(server, tenant)[1].startswith(b"CLIENT_ERROR")
        copy = os.path.join(elsewhere, "copy")
        done = disk.ours("state", "backup", copy)
        assert done.returncode == 0, done.stderr
        restores(copy, "acme")
        disk.free()
        other = add(disk, "other")
        assert login(server, other)[1] == b"STORED\r\n"
        assert login(server, tenant)[1].startswith(b"CLIENT_ERROR")
        # There is room now, and nobody has to run it again.
        shown = json.loads(disk.ours("tenant", "show", "acme", "--json").stdout)
        assert shown["credentials"] == [], shown
        saved = lambda: "the end of a credential is saved now" in server.log_text()
        eventually(saved, 10, "the credential's end is saved")
        again = disk.ours("tenant", "revoke", "acme", tenant["username"])
        assert again.returncode == 1 and "no credential" in again.stderr, again


@suite.test
def a_start_on_a_full_disk_serves_what_is_there():
    with Disk() as disk, tempfile.TemporaryDirectory() as elsewhere:
        with serve(disk):
            tenant = add(disk, "acme")
        disk.fill()
        copy = os.path.join(elsewhere, "copy")
        assert disk.ours("state", "backup", copy).returncode == 0
        restores(copy, "acme")
        with serve(disk) as server:
            assert login(server, tenant)[1] == b"STORED\r\n"
            said = lambda: server.log_text().count("changes cannot be saved")
            eventually(said, 5, "a log line that says so")


@suite.test
def a_folder_that_can_only_be_read_can_be_copied():
    with Disk() as disk, tempfile.TemporaryDirectory() as elsewhere:
        with serve(disk):
            add(disk, "acme")
        disk.only_read()
        copy = os.path.join(elsewhere, "copy")
        done = disk.ours("state", "backup", copy)
        assert done.returncode == 0, done.stderr
        restores(copy, "acme")
        refused = disk.ours("tenant", "rotate", "acme")
        assert refused.returncode == 1 and "can only be read" in refused.stderr, refused


if INSIDE not in os.environ:
    own_mounts = ["unshare", "--mount", "--map-root-user"]
    if subprocess.run([*own_mounts, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("full_disk: 0 passed, 0 failed (no mounts of its own here)")
        sys.exit(0)
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", [*own_mounts, sys.executable, *sys.argv])
suite.main()
