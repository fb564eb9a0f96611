"""`cofferdam load`: all protocols, logins and modes, every byte verified, evictions at work."""

import json
import signal
import subprocess

from harness import BINARY, Conn, Server, Skipped, Suite, eventually

suite = Suite("load", oracle=True)


def load(env, *args, tenants=(), seconds="1s"):
    """A short run; its report, which must be free of errors."""
    target = env.server.auth if tenants else env.address
    command = [BINARY, "load", "--json", "--verify", "--warmup", "0s", "--duration", seconds]
    command += ["--target", "%s:%d" % target, "--threads", "1", *args]
    for tenant in tenants:
        command += ["--login", f"{tenant['username']}:{tenant['password']}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    report = json.loads(done.stdout)
    wrong = {name: count for name, count in report["errors"].items() if count}
    # On a machine that others use, too, a request may wait so long for its turn that it is refused.
    refused = wrong.pop("not_stored", 0)
    first_errors = (None, "NotStored") if refused else (None,)
    assert not wrong and report["first_error"] in first_errors, (wrong, report["first_error"])
    assert report["requests"] > 100 and report["reconnects"] == 0, report
    return report


def tenants(env, count, memory="16MiB"):
    if env.oracle:
        raise Skipped("needs tenants")
    return [env.server.tenant(env.name("load"), memory=memory) for _ in range(count)]


@suite.test
def every_protocol(env):
    for protocol in ("text", "meta", "binary"):
        report = load(env, "--protocol", protocol, "--keys", "2000")
        assert report["hits"] > 0 and report["misses"] == 0, report


@suite.test
def every_operation(env):
    mix = "get=40,set=20,mget=20/30,delete=10,touch=10"
    for protocol in ("text", "meta", "binary"):
        load(env, "--protocol", protocol, "--mix", mix, "--keys", "2000", "--pipeline", "16")


@suite.test
def every_way_to_log_in(env):
    many = tenants(env, 3, memory="4MiB")
    for args in (["--auth", "body"], ["--auth", "key"], ["--protocol", "binary", "--auth", "sasl"]):
        report = load(env, *args, "--keys", "500", tenants=many)
        assert len(report["by_tenant"]) == 3, report["by_tenant"]


@suite.test
def no_byte_is_wrong_while_items_are_evicted(env):
    """Values of all sizes in a tenant that cannot hold a tenth of them."""
    small = tenants(env, 2, memory="4MiB")
    args = ["--keys", "4000", "--value-len", "0..30000", "--mix", "get=50,set=50", "--no-prefill"]
    report = load(env, *args, "--pipeline", "4", tenants=small, seconds="4s")
    assert report["misses"] > 0, "nothing was evicted"
    for tenant in small:
        with env.server.connect(tenant) as conn:
            assert int(conn.stats()["evictions"]) > 0


@suite.test
def no_byte_is_wrong_in_large_values(env):
    (large,) = tenants(env, 1, memory="64MiB")
    args = ["--keys", "200", "--value-len", "60000,70000,300000,1000000", "--mix", "get=70,set=30"]
    load(env, *args, "--connections", "8", "--no-prefill", tenants=[large], seconds="4s")


@suite.test
def an_open_loop_keeps_its_rate(env):
    report = load(env, "--rate", "2000", "--keys", "1000", seconds="2s")
    assert 3000 < report["requests"] < 5000, report["requests"]
    assert report["open"] is not None


@suite.test
def so_many_requests_are_measured(env):
    for count in (1, 10, 1000):
        for args in ((), ("--rate", "5000"), ("--threads", "2")):
            command = [BINARY, "load", "--json", "--target", "%s:%d" % env.address, "--keys", "100"]
            command += ["--warmup", "100ms", "--requests", str(count), *args]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["requests"] == count, (count, args, done.stdout)


@suite.test
def a_login_that_is_missing_is_named(env):
    tenants(env, 1)
    command = [BINARY, "load", "--target", "%s:%d" % env.server.auth, "--keys", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done
    assert "--login" in done.stderr and "memory" not in done.stderr, done.stderr


@suite.test
def a_run_whose_server_dies_has_failed(env):
    tenants(env, 0)
    with Server(memory="64MiB") as server:
        command = [BINARY, "load", "--json", "--target", "%s:%d" % server.open, "--keys", "100"]
        command += ["--warmup", "0s", "--duration", "2s", "--timeout", "500ms"]
        load = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with Conn(server.open) as conn:
            eventually(lambda: int(conn.stats()["cmd_get"]) > 100, 30, "requests of the load")
        server.stop(signal.SIGKILL)
        _, told = load.communicate(timeout=60)
    assert load.returncode == 1 and "failed" in told, (load.returncode, told)


suite.main()
