"""memjs, the Node.js client: binary protocol with SASL, configured by environment variables."""

import os
import subprocess

from harness import ROOT, TARGET, Suite

suite = Suite("memjs", oracle=True)

SCRIPT = os.path.join(ROOT, "tests", "clients", "node_memjs.js")
MODULES = os.path.join(TARGET, "clients", "node", "node_modules")
TESTS = "everyCommand manyAtOnce largeValues statsAndFlush aWrongPasswordIsRefused".split()


def outcome(env):
    """What the script says, by test; it runs once."""
    if not hasattr(env, "memjs"):
        variables = {"MEMCACHE_SERVERS": "%s:%d" % env.address}
        if not env.oracle:
            tenant = env.server.tenant("memjs", memory="32MiB")
            variables = {
                "MEMCACHE_SERVERS": ",".join(tenant["servers"]),
                "MEMCACHE_USERNAME": tenant["username"],
                "MEMCACHE_PASSWORD": tenant["password"],
            }
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MEMCACH")}
        done = subprocess.run(
            ["node", SCRIPT],
            env={**clean, "NODE_PATH": MODULES, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        env.memjs = done.stdout + done.stderr
    return env.memjs


def add(name):
    def check(env):
        text = outcome(env)
        assert f"ok {name}\n" in text, text

    check.__name__ = name
    suite.test(check)


for test in TESTS:
    add(test)

suite.main()
