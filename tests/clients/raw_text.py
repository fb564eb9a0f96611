"""The text protocol byte for byte: every command, every option, every error line.

Verified against memcached: `raw_text.py --against HOST:PORT`. Where 1.6.18 and 1.6.45 differ
(`old=`), the newer one is meant, known from its proto_parser.c and proto_text.c; the one exception
is `delete`, where clients of the old form are still served.
"""

import re
import time

from harness import MODERN, Suite, like

suite = Suite("raw_text", oracle=True)

LONG = "k" * 250
TOO_LONG = "k" * 251
BAD = "CLIENT_ERROR bad command line format\r\n"

# Every name that memcached 1.6.18 prints, by kind, the class before it left out.
# What newer versions do not tell any more, or only where they are built with TLS, and ours does.
GONE = re.compile(r"slab_reassign_evictions_nomem|ssl_\w+")
# What older ones do not tell yet.
NEW = re.compile(r"slab_reassign_(busy_nomem|last_busy_status)|client_flags_size")

STATS_NAMES = {
    "": """pid uptime time version libevent pointer_size rusage_user rusage_system
        max_connections curr_connections total_connections rejected_connections
        connection_structures response_obj_oom response_obj_count response_obj_bytes
        read_buf_count read_buf_bytes read_buf_bytes_free read_buf_oom reserved_fds cmd_get
        cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses get_expired get_flushed
        delete_misses delete_hits incr_misses incr_hits decr_misses decr_hits cas_misses
        cas_hits cas_badval touch_hits touch_misses store_too_large store_no_memory
        auth_cmds auth_errors bytes_read bytes_written limit_maxbytes accepting_conns
        listen_disabled_num time_in_listen_disabled_us threads conn_yields hash_power_level
        hash_bytes hash_is_expanding slab_reassign_rescues slab_reassign_chunk_rescues
        slab_reassign_evictions_nomem slab_reassign_inline_reclaim slab_reassign_busy_items
        slab_reassign_busy_deletes slab_reassign_busy_nomem
        slab_reassign_last_busy_status slab_reassign_running slabs_moved lru_crawler_running
        lru_crawler_starts lru_maintainer_juggles malloc_fails log_worker_dropped
        log_worker_written log_watcher_skipped log_watcher_sent log_watchers
        unexpected_napi_ids round_robin_fallback bytes curr_items total_items
        slab_global_page_pool expired_unfetched evicted_unfetched evicted_active evictions
        reclaimed crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold
        moves_to_warm moves_within_lru direct_reclaims lru_bumps_dropped""".split(),
    "settings": """client_flags_size maxbytes maxconns tcpport udpport inter verbosity oldest evictions domain_socket
        umask shutdown_command growth_factor chunk_size num_threads num_threads_per_udp
        stat_key_prefix detail_enabled reqs_per_event cas_enabled tcp_backlog
        binding_protocol auth_enabled_sasl auth_enabled_ascii item_size_max maxconns_fast
        hashpower_init slab_reassign slab_automove slab_automove_ratio slab_automove_window
        slab_chunk_max lru_crawler lru_crawler_sleep lru_crawler_tocrawl tail_repair_time
        flush_enabled dump_enabled hash_algorithm lru_maintainer_thread lru_segmented
        hot_lru_pct warm_lru_pct hot_max_factor warm_max_factor temp_lru temporary_ttl
        idle_timeout watcher_logbuf_size worker_logbuf_size read_buf_mem_limit track_sizes
        inline_ascii_response ext_item_size ext_item_age ext_low_ttl ext_recache_rate
        ext_wbuf_size ext_compact_under ext_drop_under ext_max_sleep ext_max_frag
        slab_automove_freeratio ext_drop_unread ssl_enabled ssl_chain_cert ssl_key
        ssl_verify_mode ssl_keyformat ssl_ciphers ssl_ca_cert ssl_wbuf_size
        ssl_session_cache ssl_kernel_tls ssl_min_version num_napi_ids memory_file""".split(),
    "items": """number number_hot number_warm number_cold age_hot age_warm age mem_requested evicted
        evicted_nonzero evicted_time outofmemory tailrepairs reclaimed expired_unfetched
        evicted_unfetched evicted_active crawler_reclaimed crawler_items_checked
        lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru direct_reclaims
        hits_to_hot hits_to_warm hits_to_cold hits_to_temp""".split(),
    "slabs": """chunk_size chunks_per_page total_pages total_chunks used_chunks free_chunks
        free_chunks_end get_hits cmd_set delete_hits incr_hits decr_hits cas_hits cas_badval
        touch_hits active_slabs total_malloced""".split(),
}


def stored(c, key, value, flags=0, exptime=0):
    c(f"set {key} {flags} {exptime} {len(value)}\r\n{value}\r\n", "STORED\r\n")


def holds(c, key, value, flags=0):
    c(f"get {key}\r\n", f"VALUE {key} {flags} {len(value)}\r\n{value}\r\nEND\r\n")


def lacks(c, key):
    c(f"get {key}\r\n", "END\r\n")


def cas_of(c, key):
    (cas,) = c(f"gets {key}\r\n", like(rf"VALUE {key} \d+ \d+ (\d+)\r\n.*?\r\nEND\r\n"))
    return int(cas)


@suite.golden
def set_and_get(c):
    stored(c, "a", "abc", flags=5)
    holds(c, "a", "abc", flags=5)
    stored(c, "a", "other")
    holds(c, "a", "other")


@suite.golden
def get_of_many_keys(c):
    stored(c, "a", "1")
    stored(c, "b", "22", flags=7)
    c("get a none b a\r\n",
      "VALUE a 0 1\r\n1\r\nVALUE b 7 2\r\n22\r\nVALUE a 0 1\r\n1\r\nEND\r\n")
    c("get none\r\n", "END\r\n")


@suite.golden
def get_of_a_thousand_keys_in_one_line(c):
    for number in range(1000):
        c.send(f"set k{number} 0 0 4 noreply\r\n{number:04}\r\n")
    keys = [f"k{number}" for number in range(1000)]
    hits = "".join(f"VALUE k{number} 0 4\r\n{number:04}\r\n" for number in range(1000))
    c(f"get {' '.join(keys)}\r\n", hits + "END\r\n")


@suite.golden
def gets_shows_a_cas_that_changes(c):
    stored(c, "a", "1")
    first = cas_of(c, "a")
    assert first == cas_of(c, "a") and first > 0
    stored(c, "a", "1")
    assert cas_of(c, "a") != first
    c("gets none\r\n", "END\r\n")


@suite.golden
def values_are_any_bytes(c):
    value = bytes(range(256)).decode("latin-1") + "\r\nEND\r\n"
    stored(c, "a", value)
    holds(c, "a", value)
    stored(c, "empty", "")
    holds(c, "empty", "")


@suite.golden
def keys_are_up_to_250_bytes(c):
    stored(c, LONG, "x")
    holds(c, LONG, "x")
    c(f"get {TOO_LONG}\r\n", BAD, newer=BAD + "\r\n")
    c(f"get a {TOO_LONG}\r\n", BAD, newer=BAD + "\r\n")
    c(f"gets {TOO_LONG}\r\n", BAD, newer=BAD + "\r\n")
    c(f"set {TOO_LONG} 0 0 4\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    c(f"delete {TOO_LONG}\r\n", BAD)
    c(f"incr {TOO_LONG} 1\r\n", BAD)
    c(f"touch {TOO_LONG} 1\r\n", BAD)
    c(f"gat 0 {TOO_LONG}\r\n", BAD, newer=BAD + "\r\n")
    c("set \xfe\xff 0 0 1\r\nx\r\n", "STORED\r\n")
    c("get \xfe\xff\r\n", "VALUE \xfe\xff 0 1\r\nx\r\nEND\r\n")


@suite.golden
def a_bare_newline_ends_a_line(c):
    c("set a 0 0 1\nx\r\n", "STORED\r\n")
    c("get a\n", "VALUE a 0 1\r\nx\r\nEND\r\n")


@suite.golden
def spaces_between_words_do_not_matter(c):
    c("set  a   0 0  1\r\nx\r\n", "STORED\r\n")
    c("get a  a \r\n", "VALUE a 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\nEND\r\n")


@suite.golden
def flags_are_32_bits(c):
    stored(c, "a", "x", flags=4294967295)
    holds(c, "a", "x", flags=4294967295)
    c("set a -1 0 4\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    c("set a x 0 4\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    holds(c, "a", "x", flags=4294967295)
    c("set b 18446744073709551616 0 1\r\nx\r\n", BAD, old=BAD + "ERROR\r\n")
    # memcached keeps the lower 32 bits.
    c("set b 4294967296 0 1\r\nx\r\n", BAD, old=like(rb"STORED\r\n|[^\r\n]*\r\nERROR\r\n"),
      newer="STORED\r\n")


@suite.golden(since=MODERN)
def flags_and_exptime_may_have_a_sign(c):
    for text, flags in (("+1", 1), ("-0", 0), ("007", 7)):
        stored(c, "a", "x", flags=text)
        holds(c, "a", "x", flags=flags)
    stored(c, "a", "x", exptime="+100")
    c("mg a t\r\n", like(rb"HD t(?:100|9\d)\r\n"))
    for text in ("9223372036854775808", "+", "-", "+-1"):
        c(f"set a 0 {text} 1\r\nx\r\n", BAD)


@suite.golden(since=MODERN)
def an_exptime_may_have_more_than_31_bits(c):
    stored(c, "a", "x", exptime=4294967296)
    holds(c, "a", "x")
    # memcached keeps the lower 32 bits, with a sign: it is over.
    stored(c, "b", "x", exptime=2147483648)
    c("mg b\r\n", "HD\r\n", newer="EN\r\n")


@suite.golden
def storage_lines_that_are_malformed(c):
    c("set\r\n", BAD, old="ERROR\r\n")
    c("set a 0 0\r\n", BAD, old="ERROR\r\n")
    c("set a 0 0 x\r\n", BAD)
    c("set a 0 0 -1\r\n", BAD)
    c("set a 0 0 4294967295\r\n", BAD)
    c("set a 0 0 2147483647\r\n", BAD)
    c("set a 0 0 99999999999999999999\r\n", BAD)
    c("set a 0 x 4\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    c("cas a 0 0 4 x\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    lacks(c, "a")


@suite.golden
def a_value_without_its_end_is_a_bad_chunk(c):
    c("set a 0 0 3\r\nabcdefgh\r\n", like(rb"CLIENT_ERROR bad data chunk\r\nERROR\r\n"))
    lacks(c, "a")
    # One byte less than announced: the end of the line counts as data, and what follows is lost.
    c("set a 0 0 5\r\nabcd\r\nget a\r\n", like(rb"CLIENT_ERROR bad data chunk\r\n(ERROR|END)\r\n"))
    c.in_step()
    lacks(c, "a")


@suite.golden
def add_replace_append_prepend(c):
    c("replace a 0 0 1\r\nx\r\n", "NOT_STORED\r\n")
    c("append a 0 0 1\r\nx\r\n", "NOT_STORED\r\n")
    c("prepend a 0 0 1\r\nx\r\n", "NOT_STORED\r\n")
    lacks(c, "a")
    c("add a 3 0 1\r\nm\r\n", "STORED\r\n")
    c("add a 4 0 1\r\nn\r\n", "NOT_STORED\r\n")
    holds(c, "a", "m", flags=3)
    c("append a 9 0 2\r\n>>\r\n", "STORED\r\n")
    c("prepend a 9 0 2\r\n<<\r\n", "STORED\r\n")
    holds(c, "a", "<<m>>", flags=3)
    c("replace a 8 0 1\r\nr\r\n", "STORED\r\n")
    holds(c, "a", "r", flags=8)


@suite.golden
def append_and_prepend_keep_the_end_of_life(c):
    stored(c, "a", "x", exptime=100)
    c("append a 0 0 1\r\ny\r\n", "STORED\r\n")
    (left,) = c("mg a t\r\n", like(rb"HD t(\d+)\r\n"))
    assert 95 <= int(left) <= 100, left


@suite.golden
def cas_stores_only_over_what_was_seen(c):
    c("cas a 0 0 1 1\r\nx\r\n", "NOT_FOUND\r\n")
    stored(c, "a", "1")
    seen = cas_of(c, "a")
    c(f"cas a 6 0 1 {seen + 1}\r\nx\r\n", "EXISTS\r\n")
    holds(c, "a", "1")
    c(f"cas a 6 0 1 {seen}\r\n2\r\n", "STORED\r\n")
    holds(c, "a", "2", flags=6)
    c(f"cas a 6 0 1 {seen}\r\n3\r\n", "EXISTS\r\n")
    c("cas a 0 0 4\r\ndata\r\n", BAD, old="ERROR\r\nERROR\r\n")
    c(f"cas a 0 0 1 {seen} noreply\r\n3\r\n", "")
    holds(c, "a", "2", flags=6)


@suite.golden
def delete(c):
    c("delete a\r\n", "NOT_FOUND\r\n")
    stored(c, "a", "x")
    c("delete a\r\n", "DELETED\r\n")
    lacks(c, "a")
    c("delete\r\n", BAD, old="ERROR\r\n")


@suite.golden
def delete_in_its_historic_form(c):
    stored(c, "a", "x")
    c("delete a 0\r\n", "DELETED\r\n")
    usage = "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n"
    c("delete a 1\r\n", usage, newer="NOT_FOUND\r\n")
    c("delete a b c\r\n", usage, newer="NOT_FOUND\r\n")
    c("delete a 0 noreply\r\n", "")


@suite.golden
def incr_and_decr(c):
    c("incr n 1\r\n", "NOT_FOUND\r\n")
    c("decr n 1\r\n", "NOT_FOUND\r\n")
    stored(c, "n", "5", flags=3)
    c("incr n 37\r\n", "42\r\n")
    c("decr n 2\r\n", "40\r\n")
    c("decr n 100\r\n", "0\r\n")
    c("incr n 18446744073709551615\r\n", "18446744073709551615\r\n")
    c("incr n 1\r\n", "0\r\n")
    c("incr n 00000000000000000010\r\n", "10\r\n")
    c("decr n 1\r\n", "9\r\n")
    invalid = "CLIENT_ERROR invalid numeric delta argument\r\n"
    c("incr n 0000000000000000000000000\r\n", "9\r\n", newer=invalid)
    c("get n\r\n", like(rb"VALUE n 3 (?:1\r\n9|\d+\r\n9 +)\r\nEND\r\n"))


@suite.golden
def incr_and_decr_refuse_what_is_no_number(c):
    not_numeric = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    for value in ("abc", "", "-5", "111111111111111111111", "18446744073709551616"):
        stored(c, "n", value)
        c("incr n 1\r\n", not_numeric)
        c("decr n 1\r\n", not_numeric)
        holds(c, "n", value)
    stored(c, "n", "5")
    for delta in ("x", "-1", "18446744073709551616"):
        c(f"incr n {delta}\r\n", "CLIENT_ERROR invalid numeric delta argument\r\n")
        c(f"decr n {delta}\r\n", "CLIENT_ERROR invalid numeric delta argument\r\n")
    c("incr n\r\n", BAD, old="ERROR\r\n")
    c("decr\r\n", BAD, old="ERROR\r\n")
    holds(c, "n", "5")


@suite.golden
def touch(c):
    c("touch a 10\r\n", "NOT_FOUND\r\n")
    stored(c, "a", "x")
    c("touch a 100\r\n", "TOUCHED\r\n")
    (left,) = c("mg a t\r\n", like(rb"HD t(\d+)\r\n"))
    assert 95 <= int(left) <= 100, left
    c("touch a 0\r\n", "TOUCHED\r\n")
    c("mg a t\r\n", "HD t-1\r\n")
    c("touch a x\r\n", "CLIENT_ERROR invalid exptime argument\r\n")
    c("touch a\r\n", BAD, old="ERROR\r\n")
    c("touch a -1\r\n", "TOUCHED\r\n")
    lacks(c, "a")


@suite.golden
def gat_and_gats(c):
    stored(c, "a", "x", flags=1)
    stored(c, "b", "yy", flags=2)
    c("gat 100 a none b\r\n", "VALUE a 1 1\r\nx\r\nVALUE b 2 2\r\nyy\r\nEND\r\n")
    (left,) = c("mg b t\r\n", like(rb"HD t(\d+)\r\n"))
    assert 95 <= int(left) <= 100, left
    c("gats 0 a b\r\n", like(rb"VALUE a 1 1 \d+\r\nx\r\nVALUE b 2 2 \d+\r\nyy\r\nEND\r\n"))
    c("mg b t\r\n", "HD t-1\r\n")
    c("gat x a\r\n", "CLIENT_ERROR invalid exptime argument\r\n")
    c("gat 10\r\n", BAD, old="END\r\n")
    c("gat\r\n", BAD, old="ERROR\r\n")
    c("gat -1 a\r\n", "VALUE a 1 1\r\nx\r\nEND\r\n")
    lacks(c, "a")


@suite.golden
def the_end_of_life(c):
    stored(c, "negative", "x", exptime=-1)
    lacks(c, "negative")
    stored(c, "past", "x", exptime=2592001)
    lacks(c, "past")
    stored(c, "absolute", "x", exptime=int(time.time()) + 1000)
    (left,) = c("mg absolute t\r\n", like(rb"HD t(\d+)\r\n"))
    assert 990 <= int(left) <= 1001, left
    stored(c, "month", "x", exptime=2592000)
    (left,) = c("mg month t\r\n", like(rb"HD t(\d+)\r\n"))
    assert 2591990 <= int(left) <= 2592000, left
    stored(c, "soon", "x", exptime=2)
    holds(c, "soon", "x")
    c("add soon 0 0 1\r\ny\r\n", "NOT_STORED\r\n")
    time.sleep(2.2)
    lacks(c, "soon")
    c("replace soon 0 0 1\r\ny\r\n", "NOT_STORED\r\n")
    c("add soon 0 0 1\r\ny\r\n", "STORED\r\n")


@suite.golden
def noreply_says_nothing(c):
    c("set a 0 0 1 noreply\r\n5\r\n", "")
    c("add a 0 0 1 noreply\r\nx\r\n", "")
    c("incr a 1 noreply\r\n", "")
    c("decr a 2 noreply\r\n", "")
    c("append a 0 0 1 noreply\r\n0\r\n", "")
    c("prepend a 0 0 1 noreply\r\n1\r\n", "")
    c("replace none 0 0 1 noreply\r\nx\r\n", "")
    c("touch a 0 noreply\r\n", "")
    c("delete none noreply\r\n", "")
    c("verbosity 1 noreply\r\n", "")
    holds(c, "a", "140")
    c("delete a noreply\r\n", "")
    lacks(c, "a")
    stored(c, "a", "x")
    c("flush_all noreply\r\n", "")
    lacks(c, "a")
    c("flush_all 0 noreply\r\n", "")
    c("set a 0 0 1 other\r\nx\r\n", "STORED\r\n")


@suite.golden
def flush_all(c):
    stored(c, "a", "x")
    c("flush_all\r\n", "OK\r\n")
    lacks(c, "a")
    stored(c, "a", "y")
    holds(c, "a", "y")
    c("flush_all 0\r\n", "OK\r\n")
    lacks(c, "a")
    c("flush_all x\r\n", "CLIENT_ERROR invalid exptime argument\r\n")


@suite.golden
def flush_all_at_a_time_long_past_flushes_nothing(c):
    stored(c, "a", "x")
    c("flush_all 2592001\r\n", "OK\r\n")
    holds(c, "a", "x")


@suite.golden
def flush_all_in_the_future(c):
    stored(c, "a", "x")
    c("flush_all 2\r\n", "OK\r\n")
    holds(c, "a", "x")
    time.sleep(3.2)
    lacks(c, "a")
    stored(c, "a", "y")
    holds(c, "a", "y")


@suite.golden
def version_verbosity_and_unknown_commands(c):
    version = like(rb"VERSION \d+\.\d+\.\d+[^\r\n]*\r\n")
    c("version\r\n", version)
    c("version foo bar\r\n", version)
    # What only answers has no quiet form.
    c("version noreply\r\n", version)
    c("stats noreply\r\n", "ERROR\r\n")
    c("mn noreply\r\n", "MN\r\n")
    c("verbosity 1\r\n", "OK\r\n")
    c("verbosity\r\n", like(rb"(ERROR|CLIENT_ERROR bad command line format)\r\n"))
    c("verbosity x\r\n", BAD)
    c("nope\r\n", "ERROR\r\n")
    c("GET a\r\n", "ERROR\r\n")
    c("getx a\r\n", "ERROR\r\n")
    c("get\r\n", BAD, old="ERROR\r\n")
    c("gets\r\n", BAD, old="ERROR\r\n")
    c("\r\n", BAD, old="ERROR\r\n")
    c("\n", BAD, old="ERROR\r\n")


@suite.golden
def what_would_reach_beyond_the_tenant_is_refused(c):
    answer = c("misbehave\r\n", "ERROR\r\n")
    assert answer
    c("shutdown\r\n", like(rb"(?:SERVER_)?ERROR[^\r\n]*\r\n"))


@suite.golden
def stats_count_what_was_done(c):
    stored(c, "a", "x")
    c("get a none\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n")
    stats = c.stats()
    assert int(stats["curr_items"]) >= 1
    assert int(stats["get_hits"]) >= 1 and int(stats["get_misses"]) >= 1


@suite.golden
def stats_of_every_kind_carry_all_names(c):
    stored(c, "a", "x")
    for kind, names in STATS_NAMES.items():
        told = [re.sub(r"^(?:items:)?\d+:", "", name) for name in c.stats(kind)]
        missing = [name for name in names if name not in told]
        if c.oracle:
            unknown = GONE if c.modern else NEW
            missing = [name for name in missing if not unknown.fullmatch(name)]
        assert not missing, f"stats {kind}: missing: {missing}"


@suite.golden
def stats_of_all_kinds(c):
    stored(c, "a", "x")
    settings = c.stats("settings")
    for name in ("maxbytes", "maxconns", "item_size_max", "evictions", "cas_enabled"):
        assert name in settings, name
    assert settings["item_size_max"] == "1048576", settings["item_size_max"]
    for name in ("maxconns", "tcpport", "tcp_backlog"):
        assert int(settings[name]) > 0, name
    for kind in ("items", "slabs", "sizes", "conns"):
        c.stats(kind)
        c.in_step()
    host, port = c.sock.getpeername()
    conns = c.stats("conns")
    assert f"tcp:{host}:{port}" in [
        value for name, value in conns.items() if name.endswith(":listen_addr")
    ], conns
    c("stats nosuch\r\n", "ERROR\r\n")
    c("stats detail\r\n", "CLIENT_ERROR usage: stats detail on|off|dump\r\n")
    c("stats detail on\r\n", "OK\r\n")
    c("set pfx:1 0 0 1\r\nx\r\n", "STORED\r\n")
    c("get pfx:1 pfx:2 plain\r\n", "VALUE pfx:1 0 1\r\nx\r\nEND\r\n")
    c("touch pfx:1 0\r\n", "TOUCHED\r\n")
    c("delete pfx:1\r\n", "DELETED\r\n")
    assert c.stats("settings")["detail_enabled"] == "yes"
    c("stats detail dump\r\n", "PREFIX pfx get 2 hit 1 set 1 del 1\r\nEND\r\n")
    c("stats detail off\r\n", "OK\r\n")
    c("get pfx:1\r\n", "END\r\n")
    c("stats detail dump\r\n", "PREFIX pfx get 2 hit 1 set 1 del 1\r\nEND\r\n")
    c("stats reset\r\n", "RESET\r\n")
    c("stats detail dump\r\n", "END\r\n")


@suite.golden
def stats_reset_begins_anew(c):
    stored(c, "a", "x")
    c("get a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n")
    c("stats reset\r\n", "RESET\r\n")
    stats = c.stats()
    assert stats["get_hits"] == "0" and stats["cmd_set"] == "0", stats
    assert int(stats["curr_items"]) >= 1, stats["curr_items"]


@suite.golden
def what_is_too_large_is_refused_and_drops_the_old_value(c):
    stored(c, "a", "old")
    value = "x" * (1024 * 1024 + 1)
    c(f"set a 0 0 {len(value)}\r\n{value}\r\n", "SERVER_ERROR object too large for cache\r\n")
    lacks(c, "a")
    stored(c, "b", "old")
    c(f"add b 0 0 {len(value)}\r\n{value}\r\n", "SERVER_ERROR object too large for cache\r\n")
    c(f"set b 0 0 {len(value)} noreply\r\n{value}\r\n", "")
    lacks(c, "b")


@suite.golden
def values_of_many_sizes_come_back(c):
    for size in (1, 1023, 1024, 4095, 4097, 16383, 16385, 65535, 65536, 65537, 500000, 1000000):
        value = (f"{size}-" * (size // 2 + 1))[:size]
        stored(c, f"v{size}", value)
        holds(c, f"v{size}", value)


@suite.golden
def pipelined_commands_are_answered_in_order(c):
    sent, expected = [], []
    for number in range(500):
        sent.append(f"set p{number} {number} 0 3\r\n{number:03}\r\nget p{number}\r\ndelete none\r\n")
        expected.append(f"STORED\r\nVALUE p{number} {number} 3\r\n{number:03}\r\nEND\r\nNOT_FOUND\r\n")
    c("".join(sent), "".join(expected))


@suite.golden
def commands_may_arrive_byte_by_byte(c):
    for byte in b"set a 5 0 3\r\nabc\r\nget a none\r\nmg a v\r\n":
        c.send(bytes([byte]))
    c.expect("STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\nVA 3\r\nabc\r\n")


@suite.test
def quit_closes(env):
    for line in ("quit\r\n", "quit\r\nget a\r\n"):
        with env.connect() as c:
            c.closes(line)


@suite.test
def lines_too_long_close(env):
    for line in ("x" * 3000, "set " + "x" * 3000):
        with env.connect() as c:
            c.closes(line, like(rb"(?:CLIENT_ERROR line too long\r\n)?"))


@suite.test
def http_is_not_spoken(env):
    with env.connect() as c:
        c.closes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")


suite.main()
