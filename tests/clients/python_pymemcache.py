"""pymemcache: every command through its `Client` and `HashClient`, open and authenticated."""

import time

from harness import Skipped, Suite
from pymemcache import MemcacheClientError, MemcacheIllegalInputError, MemcacheServerError
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient
from pymemcache import serde

suite = Suite("pymemcache", oracle=True)
SECONDS = 15


class LoginClient(Client):
    """A client that authenticates by a first `set`; `make_set` says in which dialect."""

    make_set = None

    def _connect(self):
        super()._connect()
        key, body = type(self).make_set
        self.sock.sendall(b"set %b 0 0 %d\r\n%b\r\n" % (key, len(body), body))
        answer = b""
        while not answer.endswith(b"\r\n"):
            part = self.sock.recv(100)
            if not part:
                break
            answer += part
        if answer != b"STORED\r\n":
            raise MemcacheClientError(answer.decode())


def login_client(tenant, dialect):
    user, password = tenant["username"].encode(), tenant["password"].encode()
    make_set = (b"auth", user + b" " + password) if dialect == "user pass" else (user, password)
    return type("Client", (LoginClient,), {"make_set": make_set})


def client(env, **options):
    return Client(env.address, timeout=SECONDS, connect_timeout=SECONDS, **options)


def every_command(env, c):
    """What a user may ask of a client; `c` is any kind of pymemcache client."""
    k = env.name("py-")
    other = k + "-other"
    assert c.get(k) is None and c.get(k, default="none") == "none"
    assert c.set(k, b"value", noreply=False) is True
    assert c.get(k) == b"value"
    assert c.set(k, "text", expire=1000, flags=7, noreply=False) is True
    assert c.get(k) == b"text"
    assert c.add(k, b"x", noreply=False) is False
    assert c.add(other, b"x", noreply=False) is True
    assert c.replace(k, b"new", noreply=False) is True
    assert c.replace(k + "-none", b"x", noreply=False) is False
    assert c.append(k, b">", noreply=False) is True
    assert c.prepend(k, b"<", noreply=False) is True
    assert c.get(k) == b"<new>"
    value, cas = c.gets(k)
    assert value == b"<new>" and cas.isdigit()
    assert c.cas(k, b"mine", cas, noreply=False) is True
    assert c.cas(k, b"late", cas, noreply=False) is False
    assert c.cas(k + "-none", b"x", cas, noreply=False) is None
    assert c.get_many([k, other, k + "-none"]) == {k: b"mine", other: b"x"}
    assert {key: v for key, (v, _) in c.gets_many([k, other]).items()} == {k: b"mine", other: b"x"}
    assert c.set_many({k: b"1", other: b"2"}, noreply=False) == []
    assert c.incr(k, 41) == 42 and c.decr(k, 2) == 40 and c.incr(k + "-none", 1) is None
    assert c.touch(k, 1000, noreply=False) is True
    assert c.touch(k + "-none", 1000, noreply=False) is False
    assert c.delete(k, noreply=False) is True and c.delete(k, noreply=False) is False
    c.delete_many([other], noreply=False)
    assert c.get(other) is None


@suite.test
def client_every_command(env):
    c = client(env)
    every_command(env, c)
    c.close()


@suite.test
def client_without_replies(env):
    c = client(env, default_noreply=True)
    k = env.name("py-")
    for number in range(200):
        c.set(k, str(number))
    assert c.get(k) == b"199"
    c.incr(k, 1, noreply=True)
    c.append(k, b"0")
    assert c.get(k) == b"2000"
    c.delete(k)
    assert c.get(k) is None
    c.close()


@suite.test
def client_pooled(env):
    c = PooledClient(env.address, timeout=SECONDS, max_pool_size=4)
    every_command(env, c)
    c.close()


@suite.test
def client_hash(env):
    c = HashClient([env.address], timeout=SECONDS, connect_timeout=SECONDS)
    every_command(env, c)
    many = {env.name("py-h"): b"x%d" % n for n in range(100)}
    assert c.set_many(many, noreply=False) == []
    assert c.get_many(list(many)) == many
    c.close()


@suite.test
def client_retrying(env):
    every_command(env, RetryingClient(client(env), attempts=3))


@suite.test
def serializers_and_flags(env):
    for kind in (serde.pickle_serde, serde.compressed_serde):
        c = client(env, serde=kind)
        k = env.name("py-")
        for value in ({"a": [1, 2, (3, None)]}, 17, "text", b"bytes", "x" * 20000):
            c.set(k, value, noreply=False)
            assert c.get(k) == value
        c.close()


@suite.test
def end_of_life(env):
    c = client(env)
    k = env.name("py-")
    c.set(k, b"v", expire=2, noreply=False)
    assert c.get(k) == b"v"
    time.sleep(2.2)
    assert c.get(k) is None
    c.close()


@suite.test
def keys_and_values_at_their_limits(env):
    c = client(env)
    long_key = "k" * 250
    c.set(long_key, b"v", noreply=False)
    assert c.get(long_key) == b"v"
    for key in ("k" * 251, "has space", "new\nline"):
        try:
            c.set(key, b"v", noreply=False)
            raise AssertionError(f"{key!r} was taken")
        except MemcacheIllegalInputError:
            pass
    unicode_client = client(env, allow_unicode_keys=True)
    unicode_client.set("schlüssel", b"v", noreply=False)
    assert unicode_client.get("schlüssel") == b"v"
    value = bytes(range(256)) * 2000
    c.set(long_key, value, noreply=False)
    assert c.get(long_key) == value
    c.close()


@suite.test
def errors_are_told_apart(env):
    c = client(env)
    k = env.name("py-")
    c.set(k, b"text", noreply=False)
    for wrong in (lambda: c.incr(k, 1),):
        try:
            wrong()
            raise AssertionError("no error")
        except MemcacheClientError:
            pass
    try:
        c.set(k, b"x" * (2 * 1024 * 1024), noreply=False)
        raise AssertionError("no error")
    except MemcacheServerError:
        pass
    assert c.get(k) is None
    c.close()


@suite.test
def stats_version_and_flush(env):
    c = client(env)
    assert c.version()
    stats = c.stats()
    assert stats[b"curr_items"] >= 0 and stats[b"pid"] > 0
    assert c.stats("settings")[b"item_size_max"] == 1048576
    k = env.name("py-")
    c.set(k, b"v", noreply=False)
    assert c.flush_all(noreply=False) is True
    assert c.get(k) is None
    c.close()


@suite.test
def meta_commands_raw(env):
    c = client(env)
    k = env.name("py-")
    c.set(k, b"v", noreply=False)
    assert c.raw_command(f"mg {k} v s", end_tokens=b"\r\n") in (b"VA 1 s1",)
    c.close()


def authenticated(env, dialect):
    if env.oracle:
        raise Skipped("needs tenants")
    tenant = env.server.tenant(env.name("py"))
    kind = login_client(tenant, dialect)
    c = kind(env.server.auth, timeout=SECONDS, connect_timeout=SECONDS)
    every_command(env, c)
    assert c.flush_all(noreply=False) is True
    c.close()
    hashed = type("H", (HashClient,), {"client_class": kind})
    c = hashed([env.server.auth], timeout=SECONDS, connect_timeout=SECONDS)
    every_command(env, c)
    c.close()
    wrong = login_client({**tenant, "password": "no"}, dialect)
    try:
        wrong(env.server.auth, timeout=SECONDS).get("a")
        raise AssertionError("a wrong password was taken")
    except (MemcacheClientError, ConnectionError):
        pass


@suite.test
def authenticated_by_user_and_password_in_the_body(env):
    authenticated(env, "user pass")


@suite.test
def authenticated_by_user_as_key(env):
    authenticated(env, "key is user")


suite.main()
