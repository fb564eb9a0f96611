"""What the README shows, run as it stands: only the port is another, and the last value is printed."""

import os
import re
import subprocess
import sys

from harness import ROOT, TARGET, Suite

suite = Suite("readme")

OPEN = "127.0.0.1:11211"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def fences(language):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = [text for name, text in FENCE.findall(file.read()) if name == language]
    assert found, f"the README has no {language}"
    return found


def snippet(language, containing, env):
    """The one snippet of this language with these words, pointed at the server under test."""
    host, port = env.address
    (text,) = [text for text in fences(language) if containing in text]
    text = text.replace(OPEN, f"{host}:{port}")
    return text.replace("'127.0.0.1', 11211", f"'{host}', {port}")


def run(command, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MEMCACH")}
    done = subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def printing(text, form):
    """The snippet with its last line's value printed in this form."""
    lines = text.rstrip().splitlines()
    return "\n".join([*lines[:-1], form.format(lines[-1].rstrip(";").lstrip(";"))])


@suite.test
def bash(env):
    (session,) = fences("console")
    host, port = env.address
    session = session.replace(OPEN.replace(":", "/"), f"{host}/{port}")
    commands = [line[2:] for line in session.splitlines() if line.startswith("$ ")]
    expected = [line for line in session.splitlines() if not line.startswith("$ ")]
    assert run(["bash", "-c", "\n".join(commands)]).splitlines() == expected


@suite.test
def python(env):
    text = printing(snippet("python", "pymemcache", env), "print({})")
    assert run([sys.executable, "-c", text]) == "b'hello'\n"


@suite.test
def python_sasl(env):
    """The three variables that `tenant add` prints are what the snippet reads."""
    tenant = env.server.tenant("readme", memory="16MiB")
    text = snippet("python", "bmemcached", env)
    text += "\ncache.set('greeting', 'hello')\nprint(cache.get('greeting'))"
    out = run(
        [sys.executable, "-c", text],
        MEMCACHE_SERVERS=",".join(tenant["servers"]),
        MEMCACHE_USERNAME=tenant["username"],
        MEMCACHE_PASSWORD=tenant["password"],
    )
    assert out == "hello\n", out


@suite.test
def node(env):
    text = printing(snippet("js", "memjs", env), "console.log({}); cache.close()")
    modules = os.path.join(TARGET, "clients", "node", "node_modules")
    out = run(["node", "-e", f"(async () => {{ {text} }})()"], NODE_PATH=modules)
    assert out == "hello\n", out


@suite.test
def ruby(env):
    assert run(["ruby", "-e", printing(snippet("ruby", "dalli", env), "puts({})")]) == "hello\n"


@suite.test
def ruby_sasl(env):
    """Dalli reads the three variables by itself."""
    tenant = env.server.tenant("dalli", memory="16MiB")
    script = 'require "dalli"; c = Dalli::Client.new; c.set("a", "hello"); puts(c.get("a"))'
    out = run(
        ["ruby", "-e", script],
        MEMCACHE_SERVERS=",".join(tenant["servers"]),
        MEMCACHE_USERNAME=tenant["username"],
        MEMCACHE_PASSWORD=tenant["password"],
    )
    assert out.endswith("hello\n"), out


@suite.test
def php(env):
    text = printing(snippet("php", "Memcached", env), "echo {};")
    assert run(["php", "-r", text]) == "hello"


suite.main()
