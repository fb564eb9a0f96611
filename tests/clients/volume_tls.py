"""Volumes by NBD over TLS: client certificates, tenants, and what is refused without."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile

from certificates import Authority
from harness import BINARY, Server, Skipped, Suite

suite = Suite("volume_tls", server=False, workers=2)
MIB = 1 << 20
STARTTLS, LIST = 5, 3
ERR_TLS_REQD = (1 << 31) + 5


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skipped(f"no {name} here")
    return path


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} says {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Setting:
    """A server whose NBD port wants certificates; `acme` and `umbrella` have a volume each."""

    def __init__(self, where="127.0.0.1:0"):
        self.folder = tempfile.mkdtemp(prefix="cofferdam-nbds-")
        self.authority = Authority(self.folder)
        self.authority.issue("server", "server")
        config = os.path.join(self.folder, "cofferdam.toml")
        with open(config, "w") as text:
            text.write(f'[listen]\nnbd = "{where}"\n[tls]\nlisteners = ["nbd"]\n'
                       f'certificate = "{self.folder}/server.pem"\n'
                       f'key = "{self.folder}/server.key"\n'
                       f'client_ca = "{self.authority.certificate}"\n')
        self.server = Server("--config", config, "--nbd", where, memory="64MiB")
        self.port = self.server.ready["nbd"].rpartition(":")[2]
        for tenant in ("acme", "umbrella"):
            self.server.tenant(tenant, memory="4MiB")
            self.server.cli("volume", "create", f"{tenant}/data", "--size", "64MiB")

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, name, common_name=None, authority=None):
        """A folder with the files that libnbd and qemu want."""
        folder = os.path.join(self.folder, f"client-{name}")
        os.mkdir(folder)
        certificate, key = (authority or self.authority).issue(name, common_name or name)
        shutil.copy(self.authority.certificate, os.path.join(folder, "ca-cert.pem"))
        shutil.copy(certificate, os.path.join(folder, "client-cert.pem"))
        shutil.copy(key, os.path.join(folder, "client-key.pem"))
        return folder

    def uri(self, export, folder):
        return f"nbds://localhost:{self.port}/{export}?tls-certificates={folder}"


@suite.test
def a_certificate_opens_its_tenant_s_volumes_and_no_others():
    nbdinfo, nbdcopy = tool("nbdinfo"), tool("nbdcopy")
    with Setting() as setting:
        acme = setting.client("acme")
        told = json.loads(run(nbdinfo, "--json", setting.uri("acme/data", acme)).stdout)
        assert told["TLS"] is True and told["exports"][0]["export-size"] == 64 * MIB, told
        listed = json.loads(run(nbdinfo, "--list", "--json", setting.uri("", acme)).stdout)
        assert [one["export-name"] for one in listed["exports"]] == ["acme/data"], listed
        there, back = (os.path.join(setting.folder, name) for name in ("there", "back"))
        with open(there, "wb") as file:
            file.write(os.urandom(40 * MIB) + bytes(24 * MIB))
        run(nbdcopy, "--flush", there, setting.uri("acme/data", acme))
        run(nbdcopy, setting.uri("acme/data", acme), back)
        with open(there, "rb") as one, open(back, "rb") as other:
            assert one.read() == other.read()
        refused = run(nbdinfo, setting.uri("umbrella/data", acme), check=False)
        assert refused.returncode != 0, refused


@suite.test
def qemu_reads_and_writes_under_tls():
    qemu_io = tool("qemu-io")
    with Setting() as setting:
        folder = setting.client("umbrella")
        opts = (f"driver=nbd,server.type=inet,server.host=127.0.0.1,server.port={setting.port},"
                "export=umbrella/data,tls-creds=tls,reconnect-delay=5")
        done = run(qemu_io, "--object", f"tls-creds-x509,id=tls,endpoint=client,dir={folder}",
                   "--image-opts", opts, "-c", "write -P 9 1M 3M", "-c", "flush",
                   "-c", "read -P 9 1M 3M", "-c", "read -P 0 0 1M")
        assert "failed" not in done.stdout + done.stderr, done.stdout + done.stderr
        assert done.stdout.count("read ") >= 2, done.stdout


@suite.test
def our_own_client_speaks_tls():
    with Setting() as setting:
        folder = setting.client("acme")
        torture = [BINARY, "volume", "torture", setting.uri("acme/data", folder), "--time", "1s",
                   "--size", "8MiB"]
        done = run(*torture)
        assert "0 crashes" in done.stdout, done.stdout
        torture[3] = setting.uri("umbrella/data", folder)
        refused = run(*torture, check=False)
        assert refused.returncode != 0, refused.stdout


@suite.test
def nobody_without_a_certificate_of_a_tenant_is_let_in():
    nbdinfo = tool("nbdinfo")
    with Setting() as setting:
        plain = run(nbdinfo, f"nbd://localhost:{setting.port}/acme/data", check=False)
        assert plain.returncode != 0, plain
        bare = os.path.join(setting.folder, "bare")
        os.mkdir(bare)
        shutil.copy(setting.authority.certificate, os.path.join(bare, "ca-cert.pem"))
        forged = Authority(setting.folder, "stranger")
        folders = (bare, setting.client("nobody"), setting.client("forged", "acme", forged))
        for folder in folders:
            refused = run(nbdinfo, setting.uri("acme/data", folder), check=False)
            assert refused.returncode != 0, (folder, refused)
        assert setting.server.alive()


@suite.test
def in_the_clear_only_starttls_is_answered():
    with Setting() as setting:
        with socket.create_connection(("127.0.0.1", int(setting.port)), 10) as raw:
            file = raw.makefile("rb")
            assert file.read(18)[:8] == b"NBDMAGIC"
            raw.sendall((3).to_bytes(4, "big"))
            raw.sendall(b"IHAVEOPT" + LIST.to_bytes(4, "big") + bytes(4))
            assert int.from_bytes(file.read(20)[12:16], "big") == ERR_TLS_REQD
            # Whatever follows STARTTLS in the clear may be anybody's.
            raw.sendall(b"IHAVEOPT" + STARTTLS.to_bytes(4, "big") + bytes(4)
                        + b"IHAVEOPT" + LIST.to_bytes(4, "big") + bytes(4))
            with contextlib.suppress(ConnectionResetError):
                assert file.read() == b""
        assert setting.server.alive()


@suite.test
def a_second_certificate_of_the_tenant_is_a_second_client():
    nbdinfo = tool("nbdinfo")
    python = "/usr/bin/python3"
    if run(python, "-c", "import nbd", check=False).returncode != 0:
        raise Skipped("no python3-libnbd here")
    hold = "import nbd, sys; h = nbd.NBD(); h.set_uri_allow_local_file(True); " \
           "h.connect_uri(sys.argv[1]); print('held', flush=True); sys.stdin.read(1)"
    with Setting() as setting:
        setting.server.cli("volume", "create", "acme/open", "--size", "64MiB", "--shared")
        first, second = setting.client("first", "acme"), setting.client("second", "acme")
        for export, is_let_in in (("acme/data", False), ("acme/open", True)):
            holder = subprocess.Popen([python, "-c", hold, setting.uri(export, first)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert holder.stdout.readline() == "held\n"
            again = run(nbdinfo, setting.uri(export, first), check=False)
            assert again.returncode == 0, again.stderr
            other = run(nbdinfo, setting.uri(export, second), check=False)
            assert (other.returncode == 0) is is_let_in, (export, other)
            holder.communicate("x", timeout=20)


@suite.test
def off_loopback_is_served_with_certificates_and_not_without():
    done = subprocess.run([BINARY, "up", "--nbd", "0.0.0.0:0"], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 1 and "client certificates" in done.stderr, done
    with Setting(where="0.0.0.0:0") as setting:
        assert setting.server.ready["nbd"].startswith("0.0.0.0:"), setting.server.ready
        nbdinfo = tool("nbdinfo")
        run(nbdinfo, setting.uri("acme/data", setting.client("acme")))


@suite.test
def a_reload_takes_another_certificate_and_drops_nobody():
    nbdinfo = tool("nbdinfo")
    with Setting() as setting:
        folder = setting.client("acme")
        run(nbdinfo, setting.uri("acme/data", folder))
        stranger = Authority(setting.folder, "stranger")
        certificate, key = stranger.issue("server2", "server")
        shutil.copy(certificate, os.path.join(setting.folder, "server.pem"))
        shutil.copy(key, os.path.join(setting.folder, "server.key"))
        setting.server.cli("reload")
        refused = run(nbdinfo, setting.uri("acme/data", folder), check=False)
        assert refused.returncode != 0, "the new certificate is not of the client's authority"
        shutil.copy(stranger.certificate, os.path.join(folder, "ca-cert.pem"))
        run(nbdinfo, setting.uri("acme/data", folder))


suite.main()
