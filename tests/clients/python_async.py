"""emcache and aiomcache: the asynchronous Python clients, text protocol."""

import asyncio

import aiomcache
import emcache
from harness import Skipped, Suite

suite = Suite("async", oracle=True)


def run(steps):
    return asyncio.run(asyncio.wait_for(steps, 60))


async def emcache_steps(name, c):
    k, other = name.encode(), name.encode() + b"2"
    assert await c.get(k) is None
    await c.set(k, b"value", flags=5)
    item = await c.get(k, return_flags=True)
    assert (item.value, item.flags) == (b"value", 5)
    item = await c.gets(k)
    await c.cas(k, b"mine", item.cas)
    try:
        await c.cas(k, b"late", item.cas)
        raise AssertionError("a late cas was stored")
    except emcache.NotStoredStorageCommandError:
        pass
    await c.add(other, b"1")
    await c.replace(k, b"m")
    await c.append(k, b">")
    await c.prepend(k, b"<")
    many = await c.get_many([k, other, b"none"])
    assert {key: item.value for key, item in many.items()} == {k: b"<m>", other: b"1"}
    assert await c.increment(other, 41) == 42 and await c.decrement(other, 2) == 40
    await c.touch(k, 1000)
    assert (await c.gat(1000, k)).value == b"<m>"
    await c.delete(k)
    assert await c.get(k) is None
    await asyncio.gather(*(c.set(k + b"-%d" % n, b"%d" % n) for n in range(200)))
    found = await asyncio.gather(*(c.get(k + b"-%d" % n) for n in range(200)))
    assert [item.value for item in found] == [b"%d" % n for n in range(200)]


@suite.test
def emcache_every_command(env):
    async def steps():
        c = await emcache.create_client([emcache.MemcachedHostAddress(*env.address)], timeout=15)
        await emcache_steps(env.name("em"), c)
        await c.close()

    run(steps())


@suite.test
def emcache_batches_by_itself(env):
    async def steps():
        node = emcache.MemcachedHostAddress(*env.address)
        c = await emcache.create_client([node], timeout=15, autobatching=True)
        k = env.name("em").encode()
        await asyncio.gather(*(c.set(k + b"-%d" % n, b"%d" % n) for n in range(300)))
        found = await asyncio.gather(*(c.get(k + b"-%d" % n) for n in range(300)))
        assert [item.value for item in found] == [b"%d" % n for n in range(300)]
        await c.close()

    run(steps())


@suite.test
def emcache_authenticated(env):
    if env.oracle:
        raise Skipped("needs tenants")
    tenant = env.server.tenant(env.name("em"))

    async def steps():
        c = await emcache.create_client(
            [emcache.MemcachedHostAddress(*env.server.auth)],
            timeout=15,
            username=tenant["username"],
            password=tenant["password"],
        )
        await emcache_steps(env.name("em"), c)
        await c.close()

    run(steps())


@suite.test
def aiomcache_every_command(env):
    async def steps():
        c = aiomcache.Client(*env.address, pool_size=4)
        k = env.name("aio").encode()
        assert await c.get(k) is None
        assert await c.set(k, b"value") is True
        assert await c.get(k) == b"value"
        value, cas = await c.gets(k)
        assert await c.cas(k, b"mine", cas) is True
        assert await c.add(k, b"x") is False
        assert await c.replace(k, b"m") is True
        assert await c.append(k, b">") is True
        assert await c.prepend(k, b"<") is True
        assert await c.multi_get(k, b"none") == (b"<m>", None)
        await c.set(k, b"40")
        assert await c.incr(k, 2) == 42 and await c.decr(k, 50) == 0
        assert await c.touch(k, 1000) is True
        assert await c.delete(k) is True
        assert (await c.stats())[b"pid"]
        assert await c.version()
        await c.flush_all()
        await c.close()

    run(steps())


suite.main()
