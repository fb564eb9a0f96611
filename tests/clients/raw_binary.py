"""The binary protocol byte for byte: every opcode, quiet and loud, and its errors.

Verified against memcached: `raw_binary.py --against HOST:PORT`.
"""

import struct
import time

from harness import Mismatch, Skipped, Suite

suite = Suite("raw_binary", oracle=True)

GET, SET, ADD, REPLACE, DELETE, INCR, DECR, QUIT, FLUSH, GETQ, NOOP, VERSION = range(12)
GETK, GETKQ, APPEND, PREPEND, STAT = range(0x0C, 0x11)
SETQ, ADDQ, REPLACEQ, DELETEQ, INCRQ, DECRQ, QUITQ, FLUSHQ, APPENDQ, PREPENDQ = range(0x11, 0x1B)
VERBOSITY, TOUCH, GAT, GATQ = range(0x1B, 0x1F)
SASL_LIST, SASL_AUTH, SASL_STEP, GATK, GATKQ = range(0x20, 0x25)

OK, NOT_FOUND, EXISTS, TOO_LARGE, INVALID, NOT_STORED, NON_NUMERIC = range(7)
UNKNOWN, NO_MEMORY = 0x81, 0x82
HEADER = struct.Struct(">BBHBBHIIQ")


def packet(opcode, key=b"", value=b"", extras=b"", cas=0, opaque=0xBEEF, **wrong):
    body = wrong.get("body_len", len(extras) + len(key) + len(value))
    key_len, extras_len = wrong.get("key_len", len(key)), wrong.get("extras_len", len(extras))
    magic, data_type = wrong.get("magic", 0x80), 0
    header = HEADER.pack(magic, opcode, key_len, extras_len, data_type, 0, body, opaque, cas)
    return header + extras + key + value


class Binary:
    """A connection that speaks the binary protocol."""

    def __init__(self, conn):
        self.conn = conn
        self.opaque = 0

    def send(self, opcode, *args, **kwargs):
        self.opaque = (self.opaque + 1) & 0xFFFFFFFF
        self.conn.send(packet(opcode, *args, opaque=self.opaque, **kwargs))
        return self.opaque

    def reply(self):
        head = self.conn.take(24)
        if len(head) < 24:
            raise Mismatch(self.conn.sent, "a reply of 24 bytes and more", head)
        magic, opcode, key_len, extras_len, _, status, body_len, opaque, cas = HEADER.unpack(head)
        body = self.conn.take(body_len)
        assert magic == 0x81, head
        extras, key = body[:extras_len], body[extras_len : extras_len + key_len]
        return Reply(opcode, status, opaque, cas, extras, key, body[extras_len + key_len :])

    def __call__(self, opcode, *args, status=OK, **kwargs):
        opaque = self.send(opcode, *args, **kwargs)
        reply = self.reply()
        if (reply.opcode, reply.opaque) != (opcode, opaque) or reply.status != status:
            wanted = f"opcode {opcode:#x}, status {status:#x}, opaque {opaque}"
            raise Mismatch(self.conn.sent, wanted, repr(reply))
        return reply

    def silent(self, opcode, *args, **kwargs):
        """A quiet request that must get no answer: the next one is the noop's."""
        self.send(opcode, *args, **kwargs)
        self(NOOP)

    def set(self, key, value, flags=0, exptime=0, **kwargs):
        return self(SET, key, value, struct.pack(">II", flags, exptime), **kwargs)

    def holds(self, key, value, flags=0):
        reply = self(GET, key)
        assert (reply.value, reply.extras) == (value, struct.pack(">I", flags)), reply
        return reply


class Reply:
    def __init__(self, opcode, status, opaque, cas, extras, key, value):
        self.opcode, self.status, self.opaque, self.cas = opcode, status, opaque, cas
        self.extras, self.key, self.value = extras, key, value

    def __repr__(self):
        return (
            f"opcode {self.opcode:#x}, status {self.status:#x}, opaque {self.opaque}, cas {self.cas}, "
            f"extras {self.extras!r}, key {self.key!r}, value {self.value[:80]!r}"
        )


def store_extras(flags=0, exptime=0):
    return struct.pack(">II", flags, exptime)


def counter_extras(delta, initial=0, exptime=0):
    return struct.pack(">QQI", delta, initial, exptime)


def counted(reply):
    return struct.unpack(">Q", reply.value)[0]


def golden(function):
    def run(env):
        with env.connect() as conn:
            b = Binary(conn)
            b(FLUSH)
            function(b)
            b(NOOP)

    run.__name__ = function.__name__
    return suite.test(run)


@golden
def set_and_get(b):
    assert b(GET, b"a", status=NOT_FOUND).value == b"Not found"
    stored = b.set(b"a", b"abc", flags=0xDEADBEEF)
    assert stored.cas != 0 and stored.value == b""
    got = b.holds(b"a", b"abc", flags=0xDEADBEEF)
    assert got.cas == stored.cas and got.key == b""
    b.set(b"a", b"")
    b.holds(b"a", b"")


@golden
def a_reply_is_exactly_this(b):
    b.conn(
        packet(GET, b"none", opaque=0x01020304),
        bytes.fromhex("81000000 00000001 00000009 01020304 0000000000000000") + b"Not found",
    )
    b.conn(packet(NOOP, opaque=7), bytes.fromhex("810a0000 00000000 00000000 00000007" + "00" * 8))
    b.conn(
        packet(ADD, b"n", b"12", store_extras(5), cas=0, opaque=1)[:10]
        + packet(ADD, b"n", b"12", store_extras(5), cas=0, opaque=1)[10:]
        + packet(GETK, b"n", opaque=2)[:24]
        + b"n",
        like_add_and_getk(),
    )


def like_add_and_getk():
    import re

    return re.compile(
        rb"\x81\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01.{8}"
        rb"\x81\x0c\0\x01\x04\0\0\0\0\0\0\x07\0\0\0\x02.{8}\0\0\0\x05n12",
        re.DOTALL,
    )


@golden
def getk_and_the_quiet_gets(b):
    b.set(b"a", b"1", flags=1)
    got = b(GETK, b"a")
    assert (got.key, got.value) == (b"a", b"1")
    missed = b(GETK, b"none", status=NOT_FOUND)
    assert missed.key in (b"none", b"")
    b.silent(GETQ, b"none")
    b.silent(GETKQ, b"none")
    assert b(GETQ, b"a").value == b"1"
    got = b(GETKQ, b"a")
    assert (got.key, got.value) == (b"a", b"1")


@golden
def a_multi_get_of_quiet_gets_and_a_noop(b):
    for number in range(0, 200, 2):
        b.set(b"k%d" % number, b"v%d" % number)
    burst = b"".join(packet(GETKQ, b"k%d" % n, opaque=n) for n in range(200))
    b.conn.send(burst + packet(NOOP, opaque=999))
    for number in range(0, 200, 2):
        reply = b.reply()
        assert (reply.opaque, reply.key, reply.value) == (
            number, b"k%d" % number, b"v%d" % number), reply
    assert b.reply().opcode == NOOP


@golden
def add_and_replace(b):
    b(REPLACE, b"a", b"x", store_extras(), status=NOT_FOUND)
    assert b(ADD, b"a", b"1", store_extras(9)).cas
    b(ADD, b"a", b"2", store_extras(), status=EXISTS)
    b.holds(b"a", b"1", flags=9)
    b(REPLACE, b"a", b"3", store_extras(8))
    b.holds(b"a", b"3", flags=8)


@golden
def cas(b):
    seen = b.set(b"a", b"1").cas
    b.set(b"a", b"x", cas=seen + 1, status=EXISTS)
    assert b.set(b"a", b"2", cas=seen).cas != seen
    b.set(b"a", b"x", cas=seen, status=EXISTS)
    b.set(b"none", b"x", cas=5, status=NOT_FOUND)
    b(REPLACE, b"a", b"x", store_extras(), cas=seen, status=EXISTS)
    b.holds(b"a", b"2")


@golden
def quiet_stores(b):
    b.silent(SETQ, b"a", b"1", store_extras())
    b.holds(b"a", b"1")
    b.silent(REPLACEQ, b"a", b"2", store_extras())
    b.silent(ADDQ, b"b", b"3", store_extras())
    b(ADDQ, b"b", b"4", store_extras(), status=EXISTS)
    b(REPLACEQ, b"none", b"4", store_extras(), status=NOT_FOUND)
    b(SETQ, b"a", b"5", store_extras(), cas=1, status=EXISTS)
    b.silent(APPENDQ, b"a", b">")
    b.silent(PREPENDQ, b"a", b"<")
    b.holds(b"a", b"<2>")
    b(APPENDQ, b"none", b"x", status=NOT_STORED)
    b(PREPENDQ, b"none", b"x", status=NOT_STORED)


@golden
def append_and_prepend(b):
    assert b(APPEND, b"a", b"x", status=NOT_STORED).value == b"Not stored."
    b(PREPEND, b"a", b"x", status=NOT_STORED)
    b.set(b"a", b"m", flags=4)
    b(APPEND, b"a", b">>")
    b(PREPEND, b"a", b"<<")
    b.holds(b"a", b"<<m>>", flags=4)


@golden
def delete(b):
    assert b(DELETE, b"a", status=NOT_FOUND).value == b"Not found"
    seen = b.set(b"a", b"1").cas
    b(DELETE, b"a", cas=seen + 1, status=EXISTS)
    b(DELETE, b"a", cas=seen)
    b(GET, b"a", status=NOT_FOUND)
    b.set(b"a", b"1")
    b.silent(DELETEQ, b"a")
    b(DELETEQ, b"a", status=NOT_FOUND)


@golden
def incr_and_decr(b):
    b(INCR, b"n", b"", counter_extras(1, 5, 0xFFFFFFFF), status=NOT_FOUND)
    assert counted(b(INCR, b"n", b"", counter_extras(1, 5))) == 5
    assert counted(b(INCR, b"n", b"", counter_extras(37, 5))) == 42
    assert counted(b(DECR, b"n", b"", counter_extras(2))) == 40
    assert counted(b(DECR, b"n", b"", counter_extras(100))) == 0
    assert counted(b(INCR, b"n", b"", counter_extras(2**64 - 1))) == 2**64 - 1
    assert counted(b(INCR, b"n", b"", counter_extras(2))) == 1
    assert counted(b(DECR, b"m", b"", counter_extras(1, 7))) == 7
    b.set(b"t", b"abc")
    refused = b(INCR, b"t", b"", counter_extras(1), status=NON_NUMERIC)
    assert refused.value == b"Non-numeric server-side value for incr or decr", refused
    b.silent(INCRQ, b"n", b"", counter_extras(9))
    b.silent(DECRQ, b"n", b"", counter_extras(5))
    assert b(GET, b"n").value.rstrip() == b"5"
    b(INCRQ, b"none", b"", counter_extras(1, 0, 0xFFFFFFFF), status=NOT_FOUND)


@golden
def incr_with_a_cas(b):
    seen = b.set(b"n", b"5").cas
    b(INCR, b"n", b"", counter_extras(1), cas=seen + 1, status=EXISTS)
    reply = b(INCR, b"n", b"", counter_extras(1), cas=seen)
    assert counted(reply) == 6 and reply.cas not in (0, seen)
    seen = b.set(b"t", b"abc").cas
    b(INCR, b"t", b"", counter_extras(1), cas=seen + 1, status=EXISTS)
    b(INCR, b"t", b"", counter_extras(1), cas=seen, status=NON_NUMERIC)
    # Where there is nothing to count in, the CAS is not looked at.
    seen = b.set(b"e", b"").cas
    b(DECR, b"e", b"", counter_extras(1), cas=seen + 1, status=NON_NUMERIC)


@golden
def sasl_is_unknown_where_nobody_authenticates(b):
    assert b(SASL_LIST, status=UNKNOWN).value == b"Unknown command"
    for opcode in (SASL_AUTH, SASL_STEP):
        reply = b(opcode, b"PLAIN", b"\0user\0secret", status=UNKNOWN)
        assert reply.value == b"Unknown command", reply
    b.set(b"a", b"x")


@golden
def touch_and_gat(b):
    exptime = struct.pack(">I", 1000)
    b(TOUCH, b"a", b"", exptime, status=NOT_FOUND)
    b.set(b"a", b"x", flags=6)
    b(TOUCH, b"a", b"", exptime)
    got = b(GAT, b"a", b"", exptime)
    assert (got.value, got.extras) == (b"x", struct.pack(">I", 6))
    assert b(GATQ, b"a", b"", exptime).value == b"x"
    got = b(GATK, b"a", b"", exptime)
    assert (got.key, got.value) == (b"a", b"x")
    got = b(GATKQ, b"a", b"", exptime)
    assert (got.key, got.value) == (b"a", b"x")
    b(GAT, b"none", b"", exptime, status=NOT_FOUND)
    b.silent(GATQ, b"none", b"", exptime)
    b.silent(GATKQ, b"none", b"", exptime)


@golden
def the_end_of_life(b):
    b.set(b"a", b"x", exptime=2)
    b.set(b"b", b"x", exptime=int(time.time()) + 1000)
    b(TOUCH, b"b", b"", struct.pack(">I", 2))
    b.holds(b"a", b"x")
    time.sleep(2.2)
    b(GET, b"a", status=NOT_FOUND)
    b(GET, b"b", status=NOT_FOUND)


@golden
def flush(b):
    b.set(b"a", b"x")
    b(FLUSH)
    b(GET, b"a", status=NOT_FOUND)
    b.set(b"a", b"x")
    b.silent(FLUSHQ)
    b(GET, b"a", status=NOT_FOUND)
    b.set(b"a", b"x")
    b(FLUSH, extras=struct.pack(">I", 1000))
    b.holds(b"a", b"x")
    b(FLUSH, extras=struct.pack(">I", 0))
    b(GET, b"a", status=NOT_FOUND)


@golden
def version(b):
    assert b(VERSION).value[:1].isdigit()


@suite.test
def verbosity_changes_nothing_of_others(env):
    if env.oracle:
        raise Skipped("memcached 1.6.18 never answers it")
    with env.connect() as conn:
        b = Binary(conn)
        b.send(VERBOSITY, extras=struct.pack(">I", 1))
        assert b.reply().status in (OK, UNKNOWN)
        b(NOOP)


@golden
def stat(b):
    b.send(STAT)
    stats = {}
    while True:
        reply = b.reply()
        assert reply.opcode == STAT and reply.status == OK, reply
        if not reply.key:
            break
        stats[reply.key] = reply.value
    assert int(stats[b"pid"]) > 0 and b"curr_items" in stats
    b.send(STAT, b"settings")
    while b.reply().key:
        pass
    b(STAT, b"nosuch", status=NOT_FOUND)
    reply = b(STAT, b"reset")
    assert reply.key in (b"", b"reset"), reply


@suite.test
def requests_that_are_malformed_may_close(env):
    """An answer of `invalid arguments`, or the end; never anything else, and nobody else notices."""
    cases = {
        "get without key": packet(GET),
        "key too long": packet(GET, b"k" * 251),
        "set without extras": packet(SET, b"a", b"x"),
        "set without key": packet(SET, b"", b"x", store_extras()),
        "get with extras": packet(GET, b"a", b"", b"1234"),
        "get with value": packet(GET, b"a", b"value"),
        "incr without extras": packet(INCR, b"a"),
        "delete with extras": packet(DELETE, b"a", b"", b"1234"),
        "touch without extras": packet(TOUCH, b"a"),
        "gat without extras": packet(GAT, b"a"),
        "noop with key": packet(NOOP, b"a"),
        "quit with key": packet(QUIT, b"a"),
        "version with key": packet(VERSION, b"a"),
        "append with extras": packet(APPEND, b"a", b"x", b"1234"),
        "flush with wrong extras": packet(FLUSH, extras=b"12"),
        "key longer than body": packet(GET, b"a", key_len=200),
        "extras longer than body": packet(SET, b"a", b"x", store_extras(), extras_len=250),
    }
    for what, sent in cases.items():
        with env.connect() as conn:
            b = Binary(conn)
            conn.send(sent)
            conn.sock.settimeout(2)
            head = conn.take(24)
            if head:
                status = HEADER.unpack(head)[5]
                assert status in (INVALID, UNKNOWN, 0x20), f"{what}: status {status:#x}"
        with env.connect() as conn:
            Binary(conn)(NOOP)


@suite.test
def an_unknown_opcode_is_said_to_be_one(env):
    for opcode in (0x25, 0x40, 0x70, 0xFF):
        with env.connect() as conn:
            b = Binary(conn)
            reply = b(opcode, status=UNKNOWN)
            assert reply.value == b"Unknown command", reply


@suite.test
def a_wrong_magic_closes(env):
    with env.connect() as conn:
        b = Binary(conn)
        b(NOOP)
        conn.closes(packet(NOOP, magic=0x7F))


@suite.test
def quit_says_goodbye_and_quitq_does_not(env):
    with env.connect() as conn:
        got = conn.closes(packet(QUIT, opaque=3), expect=HEADER.pack(0x81, QUIT, 0, 0, 0, 0, 0, 3, 0))
        assert got
    with env.connect() as conn:
        conn.closes(packet(QUITQ))


@golden
def what_is_too_large_is_refused_and_drops_the_old_value(b):
    b.set(b"a", b"old")
    value = b"x" * (1024 * 1024 + 1)
    assert b.set(b"a", value, status=TOO_LARGE).value == b"Too large."
    b(GET, b"a", status=NOT_FOUND)
    b(SETQ, b"a", value, store_extras(), status=TOO_LARGE)


@golden
def values_of_many_sizes_come_back(b):
    for size in (1, 1024, 16384, 65535, 65536, 65537, 500000, 1000000):
        value = (b"%d-" % size * (size // 2 + 1))[:size]
        b.set(b"v%d" % size, value)
        b.holds(b"v%d" % size, value)


@golden
def keys_are_any_250_bytes(b):
    key = bytes(range(250))
    b.set(key, b"x")
    assert b(GETK, key).key == key
    b.set(b" \r\n\0", b"y")
    b.holds(b" \r\n\0", b"y")


@suite.test
def requests_may_arrive_byte_by_byte(env):
    with env.connect() as conn:
        b = Binary(conn)
        for byte in packet(SET, b"slow", b"value", store_extras(), opaque=1) + packet(
            GET, b"slow", opaque=2
        ):
            conn.send(bytes([byte]))
        assert b.reply().status == OK
        assert b.reply().value == b"value"


suite.main()
