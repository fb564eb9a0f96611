"""`cofferdam node` with `fleet.role = "volume"`: volumes through real clients, and no cache."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import BINARY, Server, Skipped, Suite, address

suite = Suite("volume_node", server=False)


class VolumeNode(Server):
    """A volume node, on free ports; its flags are in its configuration."""

    def __init__(self, data_dir=None):
        self.own_dir = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="cofferdam-node-")
        self.config = os.path.join(self.data_dir, "node.toml")
        with open(self.config, "w") as file:
            file.write(f'data_dir = "{self.data_dir}"\n[listen]\nnbd = "127.0.0.1:0"\n'
                       'admin = "127.0.0.1:0"\n[fleet]\nname = "node9"\nrole = "volume"\n')
        self.log_path = os.path.join(self.data_dir, "stderr.log")
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [BINARY, "node", "--config", self.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        self.ready = self._await_ready()
        self.admin = address(self.ready["admin"])


def qemu_io(uri, *commands):
    path = shutil.which("qemu-io")
    if not path:
        raise Skipped("no qemu-io here")
    words = [word for command in commands for word in ("-c", command)]
    done = subprocess.run([path, "-f", "raw", uri, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "failed" not in done.stdout + done.stderr, done


def listening(pid):
    """How many TCP sockets of a process listen."""
    mine = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            mine.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        except OSError:
            pass
    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return len([row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine])


@suite.test
def a_volume_node_serves_volumes_and_no_cache():
    with VolumeNode() as node:
        assert node.ready["node"] == "node9" and set(node.ready) == {"node", "nbd", "admin"}, node.ready
        assert listening(node.process.pid) == 2, "NBD and the admin API"
        node.cli("volume", "create", "data", "--size", "64MiB", "--journal", "4MiB")
        tcp = f"nbd://{node.ready['nbd']}/data"
        assert tcp in node.cli("volume", "attach", "data").stdout
        qemu_io(tcp, "write -P 7 1M 9M", "flush")
        # Another tenant's are seen over the socket alone.
        node.tenant("acme")
        node.cli("volume", "create", "acme/disk", "--size", "16MiB", "--journal", "4MiB")
        qemu_io(f"nbd+unix:///acme/disk?socket={node.data_dir}/nbd.sock", "write -P 9 0 1M", "flush")
        page = node.metrics()
        assert 'cofferdam_volume_operations_total{volume="data",operation="write"}' in page
        node.cli("reload")
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
        node.process.stdout.close()
        with VolumeNode(node.data_dir) as again:
            qemu_io(f"nbd://{again.ready['nbd']}/data", "read -P 7 1M 9M", "read -P 0 10M 50M")
            listed = json.loads(again.cli("volume", "list", "--json").stdout)
            assert {one["volume"] for one in listed} == {"data", "acme/disk"}, listed
            events = again.cli("events", "--json").stdout
            assert '"event":"started"' in events.replace(" ", ""), events
            assert again.stop() == 0, "a node that is asked to ends well"


@suite.test
def a_volume_node_is_in_no_store():
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "node.toml")
        with open(config, "w") as file:
            file.write(f'data_dir = "{folder}"\n[fleet]\nrole = "volume"\n'
                       '[store]\nendpoints = ["http://127.0.0.1:2379"]\n')
        done = subprocess.run([BINARY, "node", "--config", config], capture_output=True, text=True,
                              timeout=20)
        assert done.returncode != 0 and "fleet.role" in done.stderr, done


suite.main()
