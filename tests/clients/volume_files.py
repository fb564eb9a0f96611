"""Real use of volumes: git and ext4 over nbdfuse and a loop device, through kills of the server."""

import os
import shutil

from harness import Skipped, Suite
from volume_stack import Load, Stack, needs_mounts, run

suite = Suite("volume_files", server=False)
GIT = ("git", "-c", "user.name=volume", "-c", "user.email=volume@example.org", "-c",
       "init.defaultBranch=main", "-c", "safe.directory=*", "-c", "gc.auto=0")


def git(folder, *command):
    return run(*GIT, "-C", folder, *command)


def origin(folder, commits):
    """A repository on the machine's own disk."""
    os.mkdir(folder)
    git(folder, "init", "-q")
    for number in range(commits):
        for file in range(20):
            with open(os.path.join(folder, f"file-{number}-{file}"), "wb") as out:
                out.write(os.urandom(30_000))
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"number {number}")


@suite.test
def git_goes_on_over_a_kill_of_the_server_and_e2fsck_is_clean():
    needs_mounts()
    if not shutil.which("git"):
        raise Skipped("no git here")
    with Stack("512MiB") as stack:
        source = os.path.join(stack.folder, "origin")
        origin(source, 6)
        copy = os.path.join(stack.mount, "copy")
        cloning = Load(*GIT, "clone", "-q", "--no-local", source, copy)
        stack.kill()
        stack.again()
        cloning.succeed(100)
        for number in range(5):
            with open(os.path.join(copy, "log"), "a") as log:
                log.write(f"line {number}\n")
            git(copy, "add", ".")
            git(copy, "commit", "-q", "-m", f"on the volume {number}")
            if number == 2:
                run("sync", "-f", stack.mount)
                stack.kill()
                stack.again()
        git(copy, "fsck", "--full", "--strict")
        git(copy, "gc", "-q")
        run("fstrim", stack.mount)
        stack.unmount()
        stack.check()
        stack.mount_it()
        git(copy, "fsck", "--full", "--strict")
        assert git(copy, "rev-list", "--count", "HEAD").stdout.strip() == "11"
        for name in os.listdir(source):
            if name != ".git":
                with open(os.path.join(source, name), "rb") as one, \
                        open(os.path.join(copy, name), "rb") as other:
                    assert one.read() == other.read(), name
        stack.unmount()


@suite.test
def what_was_synced_is_there_after_server_and_client_are_killed():
    """The way of a power cut: nobody unmounts, and a new mount finds what fsync had promised."""
    needs_mounts()
    with Stack("256MiB") as stack:
        promised = {}
        for number in range(20):
            name, data = f"file-{number}", os.urandom(50_000 + number * 1000)
            with open(os.path.join(stack.mount, name), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            promised[name] = data
        run("sync", "-f", stack.mount)
        server = stack.server
        stack.kill()
        stack.again()
        # A copy of the volume as it is now, as a client that was killed left it.
        server = stack.server
        server.cli("volume", "snapshot", "data", "cut")
        server.cli("volume", "clone", "data@cut", "after")
        image = os.path.join(stack.folder, "after.img")
        server.cli("volume", "export", "after", image)
        run("e2fsck", "-fy", image, check=False)
        run("e2fsck", "-fn", image)
        folder = os.path.join(stack.folder, "after")
        os.mkdir(folder)
        run("mount", "-o", "loop", image, folder)
        try:
            for name, data in promised.items():
                with open(os.path.join(folder, name), "rb") as file:
                    assert file.read() == data, name
        finally:
            run("umount", folder)
        stack.unmount()
        stack.check()


suite.main()
