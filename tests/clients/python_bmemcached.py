"""python-binary-memcached: every command over the binary protocol, authenticated with SASL PLAIN."""

import time

import bmemcached
from bmemcached.exceptions import MemcachedException
from harness import Skipped, Suite

suite = Suite("bmemcached", oracle=True)


def client(env, **options):
    """A client of a tenant of its own; against a memcached a plain one."""
    if env.oracle:
        return bmemcached.Client(["%s:%d" % env.address], socket_timeout=15, **options)
    tenant = env.server.tenant(env.name("sasl"))
    return bmemcached.Client(
        ["%s:%d" % env.server.auth],
        tenant["username"],
        tenant["password"],
        socket_timeout=15,
        **options,
    )


@suite.test
def every_command(env):
    c = client(env)
    k = env.name("b")
    assert c.get(k) is None
    assert c.set(k, "value") is True
    assert c.get(k) == "value"
    assert c.add(k, "x") is False
    assert c.add(k + "2", "x", time=1000) is True
    assert c.replace(k, "new") is True
    assert c.replace(k + "none", "x") is False
    value, cas = c.gets(k)
    assert value == "new" and cas > 0
    assert c.cas(k, "mine", cas) is True
    assert c.cas(k, "late", cas) is False
    assert c.get(k) == "mine"
    assert c.set_multi({k: "1", k + "2": "2"}) == []
    assert c.get_multi([k, k + "2", k + "none"]) == {k: "1", k + "2": "2"}
    assert c.incr(k + "n", 5, default=7) == 7
    assert c.incr(k + "n", 5) == 12
    assert c.decr(k + "n", 20) == 0
    assert c.delete(k) is True
    assert c.delete_multi([k + "2", k + "n"]) is True
    assert c.get(k + "2") is None
    c.set(k, "x")
    assert c.flush_all() is True
    assert c.get(k) is None
    c.disconnect_all()


@suite.test
def values_of_all_kinds(env):
    c = client(env)
    k = env.name("b")
    for value in ("text", b"bytes", 17, 2**40, {"a": [1, None]}, "x" * 500000):
        assert c.set(k, value) is True
        assert c.get(k) == value, type(value)
    assert c.set(k, "y" * 200000, compress_level=9) is True
    assert c.get(k) == "y" * 200000
    c.disconnect_all()


@suite.test
def many_keys_at_once(env):
    c = client(env)
    k = env.name("b")
    many = {f"{k}-{number}": f"v{number}" for number in range(500)}
    assert c.set_multi(many) == []
    assert c.get_multi(list(many) + [k]) == many
    assert c.delete_multi(list(many)) is True
    assert c.get_multi(list(many)) == {}
    c.disconnect_all()


@suite.test
def end_of_life(env):
    c = client(env)
    k = env.name("b")
    c.set(k, "v", time=2)
    assert c.get(k) == "v"
    time.sleep(2.2)
    assert c.get(k) is None
    c.disconnect_all()


@suite.test
def stats(env):
    c = client(env)
    (figures,) = c.stats().values()
    assert int(figures["curr_items"]) >= 0 and "version" in figures
    (figures,) = c.stats("settings").values()
    assert "maxbytes" in figures
    c.disconnect_all()


@suite.test
def a_wrong_password_is_refused(env):
    if env.oracle:
        raise Skipped("needs tenants")
    tenant = env.server.tenant(env.name("sasl"))
    for user, password in ((tenant["username"], "wrong"), ("nobody", tenant["password"]), ("", "")):
        c = bmemcached.Client(["%s:%d" % env.server.auth], user, password, socket_timeout=5)
        try:
            stored = c.set("a", "x")
        except MemcachedException:
            stored = False
        assert not stored, (user, password)
        c.disconnect_all()


suite.main()
