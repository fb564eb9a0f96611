"""PostgreSQL on a volume: pgbench through kills of the server, then e2fsck and pg_amcheck.

Takes about a minute; scripts/nightly.sh runs it. `COFFERDAM_SECONDS` says how long pgbench goes on.
"""

import os
import re
import shutil
import time

from harness import Suite, Skipped
from volume_stack import Load, Stack, needs_mounts, postgres_bin, run

suite = Suite("volume_postgres", server=False)
SECONDS = int(os.environ.get("COFFERDAM_SECONDS", "30"))
KILLS = 3


class Postgres:
    """A cluster in a folder, owned by the user postgres, at a socket in another."""

    def __init__(self, folder, sockets):
        self.bin, self.folder, self.sockets = postgres_bin(), folder, sockets
        try:
            shutil.chown(sockets, "postgres", "postgres")
        except LookupError as why:
            raise Skipped("no user postgres here") from why
        os.chmod(os.path.dirname(sockets), 0o755)

    def tool(self, name, *arguments):
        return ("runuser", "-u", "postgres", "--", os.path.join(self.bin, name), *arguments)

    def run(self, name, *arguments, **how):
        return run(*self.tool(name, *arguments), cwd="/", timeout=280, **how)

    def make(self):
        os.mkdir(self.folder, 0o700)
        shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-D", self.folder, "--data-checksums", "-A", "trust")

    def start(self):
        options = f"-k {self.sockets} -h '' -c shared_buffers=16MB -c max_wal_size=64MB"
        self.run("pg_ctl", "-D", self.folder, "-w", "-t", "120", "-l",
                 os.path.join(self.sockets, "log"), "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-D", self.folder, "-w", "-m", "fast", "stop")


@suite.test
def pgbench_goes_on_over_kills_and_nothing_is_corrupt():
    needs_mounts()
    postgres_bin()
    with Stack("1GiB") as stack:
        sockets = os.path.join(stack.folder, "run")
        os.mkdir(sockets)
        postgres = Postgres(os.path.join(stack.mount, "pg"), sockets)
        postgres.make()
        postgres.start()
        running = True
        try:
            where = ("-h", sockets, "-U", "postgres")
            postgres.run("createdb", *where, "bench")
            postgres.run("pgbench", *where, "-q", "-i", "-s", "5", "bench")
            bench = Load(*postgres.tool("pgbench", *where, "-c", "4", "-j", "2", "-T",
                                        str(SECONDS), "bench"), cwd="/")
            for _ in range(KILLS):
                time.sleep(SECONDS / (KILLS + 1))
                stack.kill()
                stack.again()
            told = bench.succeed(SECONDS + 200)
            assert re.search(r"number of failed transactions: 0 ", told), told
            done = int(re.search(r"actually processed: (\d+)", told).group(1))
            assert done > 0, told
            print(f"      pgbench: {done} transactions over {KILLS} kills", flush=True)
            # Every transaction moved the same amount in three tables.
            sums = postgres.run(
                "psql", *where, "-At", "-c",
                "select (select sum(abalance) from pgbench_accounts), (select sum(bbalance) from "
                "pgbench_branches), (select sum(delta) from pgbench_history), "
                "(select count(*) from pgbench_history)", "bench").stdout.strip().split("|")
            assert sums[0] == sums[1] == sums[2] and int(sums[3]) == done, (sums, done)
            # One that is killed comes back from its log, which is on the volume.
            postgres.run("pg_ctl", "-D", postgres.folder, "-w", "-m", "immediate", "stop")
            running = False
            stack.unmount()
            stack.check()
            stack.mount_it()
            postgres.start()
            running = True
            postgres.run("pg_amcheck", *where, "--install-missing", "--heapallindexed",
                         "--rootdescend", "bench")
        finally:
            if running:
                postgres.stop()
        stack.unmount()
        stack.check()


suite.main()
