"""The meta commands byte for byte: every flag, every status, every error line.

Verified against memcached: `raw_meta.py --against HOST:PORT`. What 1.6.18 does not know yet
(`ms E`, `mg C`, `md x` ...) is known from proto_parser.c of 1.6.42 and later.
"""

import base64
import time

from harness import MODERN, Suite, like

suite = Suite("raw_meta", oracle=True)

BAD = "CLIENT_ERROR bad command line format\r\n"
BAD_TOKEN = "CLIENT_ERROR bad token in command line format\r\n"
DUPLICATE = "CLIENT_ERROR duplicate flag\r\n"
INVALID = "CLIENT_ERROR invalid flag\r\n"


def stored(c, key, value, flags=""):
    c(f"ms {key} {len(value)} {flags}\r\n{value}\r\n", "HD\r\n")


def number(c, send, pattern):
    (found,) = c(send, like(pattern))
    return int(found)


def cas_of(c, key):
    return number(c, f"mg {key} c u\r\n", rb"HD c(\d+)\r\n")


@suite.golden
def mn_and_me(c):
    c("mn\r\n", "MN\r\n")
    c("me none\r\n", "EN\r\n")
    stored(c, "a", "x", "T100")
    # Before 1.6.42 the sign of the seconds left was wrong.
    c("me a\r\n", like(rb"ME a exp=-?(?:9\d|100) la=\d+ cas=\d+ fetch=no cls=\d+ size=\d+\r\n"))
    c("mg a v\r\n", "VA 1\r\nx\r\n")
    c("me a\r\n", like(rb"ME a exp=-?\d+ la=\d+ cas=\d+ fetch=yes cls=\d+ size=\d+\r\n"))
    stored(c, "b", "x")
    # The whole item counts, its header too.
    c("me b\r\n", like(rb"ME b exp=-1 la=\d+ cas=\d+ fetch=no cls=\d+ size=61\r\n"))


@suite.golden
def mg_without_flags_only_says_hit_or_miss(c):
    c("mg a\r\n", "EN\r\n")
    stored(c, "a", "x")
    c("mg a\r\n", "HD\r\n")


@suite.golden
def mg_returns_what_it_is_asked_for_in_the_order_asked(c):
    stored(c, "a", "abc", "F7 T0")
    c("mg a v\r\n", "VA 3\r\nabc\r\n")
    c("mg a f s v t k\r\n", "VA 3 f7 s3 t-1 ka\r\nabc\r\n")
    c("mg a k t s f\r\n", "HD ka t-1 s3 f7\r\n")
    c("mg a s v c\r\n", like(rb"VA 3 s3 c\d+\r\nabc\r\n"))
    c("mg a Oopaque v\r\n", "VA 3 Oopaque\r\nabc\r\n")
    stored(c, "b", "", "T100")
    c("mg b v s t\r\n", like(rb"VA 0 s0 t(?:100|9\d)\r\n\r\n"))


@suite.golden
def mg_h_l_and_u_tell_of_accesses(c):
    stored(c, "a", "x")
    c("mg a h u\r\n", "HD h0\r\n")
    c("mg a h\r\n", "HD h0\r\n")
    c("mg a h\r\n", "HD h1\r\n")
    c("mg a l\r\n", like(rb"HD l[01]\r\n"))
    stored(c, "b", "x")
    c("mg b u v\r\n", "VA 1\r\nx\r\n")
    c("mg b h u\r\n", "HD h0\r\n")


@suite.golden
def mg_q_hides_misses_only(c):
    c("mg none v q\r\n", "")
    c("mg none k q O1\r\nmn\r\n", "MN\r\n")
    stored(c, "a", "x")
    c("mg a v q\r\n", "VA 1\r\nx\r\n")
    c("mg a q\r\n", "HD\r\n")


@suite.golden
def mg_k_and_O_on_a_miss(c):
    c("mg none v\r\n", "EN\r\n")
    c("mg none k O77\r\n", "EN knone O77\r\n", old=like(rb"EN(?: knone O77)?\r\n"))


@suite.golden
def mg_T_touches(c):
    stored(c, "a", "x")
    c("mg a t T100\r\n", like(rb"HD t(?:-1|100|9\d)\r\n"))
    c("mg a t\r\n", like(rb"HD t(?:100|9\d)\r\n"))
    c("mg a T0 t\r\n", "HD t-1\r\n")
    c("mg a T-1\r\n", "HD\r\n")
    c("mg a\r\n", "EN\r\n")


@suite.golden
def mg_N_vivifies_and_one_client_wins(c):
    c("mg a s c v N30 t\r\n", like(rb"VA 0 s0 c\d+ t(?:30|29|-1) W\r\n\r\n"))
    cas = number(c, "mg a s c v N30 t\r\n", rb"VA 0 s0 c(\d+) t(?:30|29) Z\r\n\r\n")
    c(f"ms a 2 C{cas + 1} T90\r\nno\r\n", "EX\r\n")
    c(f"ms a 2 C{cas} T90\r\nok\r\n", "HD\r\n")
    c("mg a v N30\r\n", "VA 2\r\nok\r\n")


@suite.golden
def mg_R_lets_one_client_recache(c):
    stored(c, "a", "x", "T20")
    c("mg a v R10\r\n", "VA 1\r\nx\r\n")
    c("mg a v R30\r\n", "VA 1 W\r\nx\r\n")
    c("mg a v R30\r\n", "VA 1 Z\r\nx\r\n")
    c("mg a v\r\n", "VA 1 Z\r\nx\r\n")
    stored(c, "a", "y", "T20")
    c("mg a v\r\n", "VA 1\r\ny\r\n")
    stored(c, "forever", "x")
    c("mg forever v R30\r\n", "VA 1\r\nx\r\n")


@suite.golden(since=MODERN)
def mg_flags_act_in_the_order_they_are_written(c):
    stored(c, "forever", "x")
    c("mg forever T7 R50\r\n", "HD W\r\n")
    stored(c, "forever", "x")
    c("mg forever R50 T7\r\n", "HD\r\n")
    stored(c, "soon", "x", "T40")
    c("mg soon T700 R50 t\r\n", like(rb"HD t(?:700|699)\r\n"))
    stored(c, "soon", "x", "T40")
    c("mg soon R50 T700 t\r\n", like(rb"HD t(?:700|699) W\r\n"))
    c("mg soon t T10\r\n", like(rb"HD t(?:700|69\d) Z\r\n"))
    c("mg soon t T0\r\n", like(rb"HD t(?:10|9) Z\r\n"))
    c("mg soon t T9\r\n", "HD t-1 Z\r\n")
    c("mg new1 t N30\r\n", "HD t-1 W\r\n")
    c("mg new1 t\r\n", like(rb"HD t(?:30|29) Z\r\n"))
    c("mg new2 N30 T60 t\r\n", like(rb"HD t(?:60|59) W\r\n"))
    c("mg new3 T60 N30 t\r\n", like(rb"HD t(?:30|29) W\r\n"))
    c("mg new2 t\r\n", like(rb"HD t(?:60|5\d) Z\r\n"))
    c("mg new3 t\r\n", like(rb"HD t(?:30|2\d) Z\r\n"))


@suite.golden(since=MODERN)
def mg_C_leaves_out_a_value_that_is_known(c):
    stored(c, "a", "x", "E42")
    c("mg a v c C42\r\n", "HD c42\r\n")
    c("mg a v c C41\r\n", "VA 1 c42\r\nx\r\n")


@suite.golden(since=MODERN)
def E_gives_the_next_cas(c):
    stored(c, "a", "1", "E1000")
    c("mg a c\r\n", "HD c1000\r\n")
    c("ms a 1 C1000 E2000 c\r\n2\r\n", "HD c2000\r\n")
    c("ma a E3000 c\r\n", "HD c3000\r\n")
    c("md a I E4000\r\n", "HD\r\n")
    c("mg a c\r\n", "HD c4000 X W\r\n")
    c("mg new N30 E5000 c\r\n", "HD c5000 W\r\n")
    stored(c, "large", "1", "E18446744073709551615")
    c("mg large c\r\n", "HD c18446744073709551615\r\n")
    c("ms large 1 C18446744073709551615\r\n2\r\n", "HD\r\n")


@suite.golden
def ms_stores_with_flags_and_end(c):
    c("ms a 3 F9 T100\r\nabc\r\n", "HD\r\n")
    c("get a\r\n", "VALUE a 9 3\r\nabc\r\nEND\r\n")
    c("mg a t\r\n", like(rb"HD t(?:100|9\d)\r\n"))
    c("ms a 1 T-1\r\nx\r\n", "HD\r\n")
    c("mg a\r\n", "EN\r\n")
    c("ms a 0\r\n\r\n", "HD\r\n")
    c("mg a v\r\n", "VA 0\r\n\r\n")


@suite.golden
def ms_returns_key_opaque_and_cas(c):
    c("ms a 1 k Oop\r\nx\r\n", "HD ka Oop\r\n")
    cas = number(c, "ms a 1 c\r\nx\r\n", rb"HD c(\d+)\r\n")
    assert cas == cas_of(c, "a")
    c("ms a 1 O1 C1 k\r\nx\r\n", "EX O1 ka\r\n")


@suite.golden(since=MODERN)
def ms_s_returns_the_size_after_appending(c):
    c("ms a 3 s\r\nabc\r\n", "HD s3\r\n")
    c("ms a 2 MA s\r\nde\r\n", "HD s5\r\n")


@suite.golden(since=MODERN)
def ms_that_fails_returns_the_length_sent_and_no_cas(c):
    c("ms a 1 MR s c\r\nx\r\n", "NS s1 c0\r\n")
    c("ms a 3 C1 c s\r\nxxx\r\n", "NF c0 s3\r\n")
    stored(c, "a", "x")
    c("ms a 2 ME s c k O1\r\nxx\r\n", "NS s2 c0 ka O1\r\n")
    c("ms a 3 C1 c s q\r\nxxx\r\n", "EX c0 s3\r\n")
    c("ms a 3 MA C1 s\r\nxxx\r\n", "EX s3\r\n")
    large = "x" * 100_000
    c(f"ms a {len(large)} C1 c s\r\n{large}\r\n", "EX c0 s100000\r\n")


@suite.golden(since=MODERN)
def modes_are_capital_letters(c):
    for mode in ("Ma", "Me", "Mp", "Mr", "Ms", "Mset", "Mappend", "M"):
        c(f"ms a 1 {mode}\r\nx\r\n", "CLIENT_ERROR invalid mode for ms M token\r\n")
    c("ms a 1 MSet\r\n5\r\n", "HD\r\n")
    for mode in ("Mi", "Md", "Mincr", "Mdecr", "M"):
        c(f"ma a {mode}\r\n", "CLIENT_ERROR invalid mode for ma M token\r\n")
    c("ma a MIncr v\r\n", "VA 1\r\n6\r\n")
    c("ma a M-1 v\r\n", "VA 1\r\n5\r\n")


@suite.golden
def ms_modes(c):
    c("ms a 1 MR\r\nx\r\n", "NS\r\n")
    c("ms a 1 MA\r\nx\r\n", "NS\r\n")
    c("ms a 1 MP\r\nx\r\n", "NS\r\n")
    c("ms a 1 ME F3\r\nm\r\n", "HD\r\n")
    c("ms a 1 ME\r\nn\r\n", "NS\r\n")
    c("ms a 1 MA\r\n>\r\n", "HD\r\n")
    c("ms a 1 MP\r\n<\r\n", "HD\r\n")
    c("mg a v f\r\n", "VA 3 f3\r\n<m>\r\n")
    c("ms a 1 MR\r\nr\r\n", "HD\r\n")
    c("ms a 1 MS\r\ns\r\n", "HD\r\n")
    c("mg a v\r\n", "VA 1\r\ns\r\n")
    c("ms a 4 MX\r\ndata\r\n", like(rb"CLIENT_ERROR invalid mode for ms M token\r\n"))
    c("ms a 4 M\r\ndata\r\n", like(rb"CLIENT_ERROR [^\r\n]*\r\n"))
    c("mg a v\r\n", "VA 1\r\ns\r\n")


@suite.golden(since=MODERN)
def ms_append_may_vivify(c):
    c("ms a 1 MA N100\r\nx\r\n", "HD\r\n")
    c("mg a v t\r\n", like(rb"VA 1 t(?:100|9\d)\r\nx\r\n"))
    c("ms b 1 MP N0\r\ny\r\n", "HD\r\n")
    c("ms b 1 MP N0\r\nz\r\n", "HD\r\n")
    c("mg b v t\r\n", "VA 2 t-1\r\nzy\r\n")


@suite.golden
def ms_C_compares(c):
    c("ms a 1 C1\r\nx\r\n", "NF\r\n")
    stored(c, "a", "1")
    cas = cas_of(c, "a")
    c(f"ms a 1 C{cas + 1}\r\nx\r\n", "EX\r\n")
    c(f"ms a 1 C{cas}\r\n2\r\n", "HD\r\n")
    c("mg a v\r\n", "VA 1\r\n2\r\n")


@suite.golden
def ms_I_stores_older_data_as_stale(c):
    stored(c, "a", "1")
    cas = cas_of(c, "a")
    c("ms a 1 I C1 T90\r\n2\r\n", "HD\r\n")
    c("mg a v\r\n", like(rb"VA 1 X W\r\n2\r\n|VA 1 W X\r\n2\r\n"))
    c("mg a v\r\n", like(rb"VA 1 (?:X Z|Z X)\r\n2\r\n"))
    stored(c, "b", "1")
    cas = cas_of(c, "b")
    c(f"ms b 1 I C{cas + 1000}\r\n2\r\n", "EX\r\n")
    c("mg b v\r\n", "VA 1\r\n1\r\n")


@suite.golden
def ms_q_hides_success_only(c):
    c("ms a 1 q\r\nx\r\n", "")
    c("mg a v\r\n", "VA 1\r\nx\r\n")
    c("ms a 1 q ME\r\nx\r\n", "NS\r\n")
    c("ms a 1 q C1\r\nx\r\n", "EX\r\n")
    c("ms none 1 q C1\r\nx\r\n", "NF\r\n")
    c("ms a 1 q\r\nabc\r\n", like(rb"CLIENT_ERROR bad data chunk\r\n(?:ERROR\r\n|CLIENT_ERROR bad command line format\r\n)?"))


@suite.golden
def ms_lines_that_are_malformed(c):
    c("ms\r\n", BAD, old="ERROR\r\n")
    c("ms a\r\n", BAD)
    c("ms a x\r\n", like(rb"CLIENT_ERROR bad (?:data chunk|command line format)\r\n"))
    c("ms a -1\r\n", like(rb"CLIENT_ERROR bad (?:data chunk|command line format)\r\n"))
    c("ms a 2147483647\r\n", like(rb"CLIENT_ERROR bad (?:data chunk|command line format)\r\n"))
    c("ms a 4 T\r\ndata\r\n", BAD_TOKEN)
    c("ms a 4 Tx\r\ndata\r\n", BAD_TOKEN)
    c("ms a 4 Cx\r\ndata\r\n", BAD_TOKEN)
    c("ms a 4 y\r\ndata\r\n", INVALID)
    c("ms a 4 !\r\ndata\r\n", like(rb"CLIENT_ERROR (?:invalid flag|bad command line format)\r\n"),
      newer=BAD + "ERROR\r\n")
    c("ms a 4 c c\r\ndata\r\n", DUPLICATE)
    c("ms a 4 Fx\r\ndata\r\n", like(rb"CLIENT_ERROR [^\r\n]*\r\n"))
    c(f"ms {'k' * 251} 4\r\ndata\r\n", BAD, old=BAD + "ERROR\r\n")
    c(f"ms a 4 O{'o' * 40}\r\ndata\r\n", "CLIENT_ERROR opaque token too long\r\n")
    c("mg a\r\n", "EN\r\n")


@suite.golden
def ms_with_a_value_too_large(c):
    stored(c, "a", "old")
    value = "x" * (1024 * 1024 + 1)
    c(f"ms a {len(value)} q\r\n{value}\r\n", "SERVER_ERROR object too large for cache\r\n")
    c("mg a\r\n", "EN\r\n")


@suite.golden
def md_deletes(c):
    c("md a\r\n", "NF\r\n")
    c("md a k O9\r\n", "NF ka O9\r\n")
    stored(c, "a", "x")
    c("md a k O9\r\n", "HD ka O9\r\n")
    c("mg a\r\n", "EN\r\n")


@suite.golden
def md_C_compares(c):
    stored(c, "a", "x")
    cas = cas_of(c, "a")
    c(f"md a C{cas + 1}\r\n", "EX\r\n")
    c(f"md a C{cas}\r\n", "HD\r\n")
    c("mg a\r\n", "EN\r\n")


@suite.golden
def md_q_hides_success(c):
    stored(c, "a", "x")
    c("md a q\r\n", "")
    c("mg a\r\n", "EN\r\n")
    stored(c, "a", "x")
    c("md a q C1\r\n", "EX\r\n")


@suite.golden
def md_I_marks_stale(c):
    stored(c, "a", "x")
    before = cas_of(c, "a")
    c("md a I T30\r\n", "HD\r\n")
    # Who cannot be told to refill it does not take the turn of those who can.
    c("get a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n")
    c("touch a 30\r\n", "TOUCHED\r\n")
    c("me a\r\n", like(rb"ME a .*\r\n"))
    cas = number(c, "mg a v t c\r\n", rb"VA 1 t(?:30|29) c(\d+) (?:W X|X W)\r\nx\r\n")
    assert cas != before
    c("mg a v\r\n", like(rb"VA 1 (?:X Z|Z X)\r\nx\r\n"))
    c("md a I\r\n", "HD\r\n")
    c("mg a\r\n", like(rb"HD (?:W X|X W)\r\n"))
    stored(c, "a", "y")
    c("mg a v\r\n", "VA 1\r\ny\r\n")


@suite.golden(since=MODERN)
def md_x_drops_the_value_and_keeps_the_item(c):
    stored(c, "a", "value", "F5")
    c("md a x\r\n", "HD\r\n")
    c("mg a v f s\r\n", "VA 0 f0 s0\r\n\r\n")
    stored(c, "b", "value", "F5")
    c("md b x I T30\r\n", "HD\r\n")
    c("mg b v t\r\n", like(rb"VA 0 t(?:30|29) X W\r\n\r\n"))


@suite.golden
def ma_counts(c):
    c("ma n\r\n", "NF\r\n")
    c("ms n 2\r\n10\r\n", "HD\r\n")
    c("ma n\r\n", "HD\r\n")
    c("ma n v\r\n", "VA 2\r\n12\r\n")
    c("ma n v D8\r\n", "VA 2\r\n20\r\n")
    c("ma n v MD D5\r\n", "VA 2\r\n15\r\n")
    c("ma n v M- D100\r\n", "VA 1\r\n0\r\n")
    for mode in ("MI", "M+", "MINCR"):
        c(f"ma n {mode}\r\n", like(rb"(?:HD|CLIENT_ERROR [^\r\n]*)\r\n"))
    c("ma n D18446744073709551615\r\n", "HD\r\n")
    c("ma n k O3 v t\r\n", like(rb"VA \d+ kn O3 t-1\r\n\d+\r\n"))


@suite.golden
def ma_vivifies(c):
    c("ma n N0 J13 v\r\n", "VA 2\r\n13\r\n")
    c("ma n N0 J13 v\r\n", "VA 2\r\n14\r\n")
    c("ma m N90 v t\r\n", like(rb"VA 1 t(?:90|89|-1)\r\n0\r\n"))
    c("mg m t\r\n", like(rb"HD t(?:90|8\d)\r\n"))
    c("ma m T30 v\r\n", "VA 1\r\n1\r\n")
    c("mg m t\r\n", like(rb"HD t(?:30|29)\r\n"))


@suite.golden
def ma_compares_and_quiets(c):
    c("ms n 1 c\r\n5\r\n", like(rb"HD c\d+\r\n"))
    cas = cas_of(c, "n")
    c(f"ma n C{cas + 1}\r\n", "EX\r\n")
    c(f"ma n C{cas} v\r\n", "VA 1\r\n6\r\n")
    c("ma n q\r\n", "")
    c("mg n v\r\n", "VA 1\r\n7\r\n")
    new = number(c, "ma n c\r\n", rb"HD c(\d+)\r\n")
    assert new == cas_of(c, "n")


@suite.golden
def ma_refuses(c):
    stored(c, "a", "abc")
    c("ma a\r\n", "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n")
    c("ma a q\r\n", "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n")
    c("ma a MX\r\n", "CLIENT_ERROR invalid mode for ma M token\r\n")
    either = like(rb"CLIENT_ERROR (?:invalid or duplicate flag|invalid numeric delta value)\r\n")
    c("ma a Dx\r\n", either)
    c("ma a D-1\r\n", either)
    c("ma a c c\r\n", like(rb"CLIENT_ERROR (?:invalid or )?duplicate flag\r\n"))


@suite.golden(since=MODERN)
def ma_compares_before_it_reads_unless_there_is_nothing_to_read(c):
    refused = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    stored(c, "text", "abc", "E10")
    c("ma text C5\r\n", "EX\r\n")
    c("ma text C10\r\n", refused)
    stored(c, "empty", "", "E10")
    c("ma empty C5\r\n", refused)
    c("ma empty C10\r\n", refused)


@suite.golden(since=MODERN)
def ma_says_nothing_of_staleness(c):
    stored(c, "n", "5")
    c("md n I\r\n", "HD\r\n")
    c("ma n v\r\n", "VA 1\r\n6\r\n")
    c("mg n\r\n", "HD X W\r\n")
    c("ma n t\r\n", "HD t-1\r\n")


@suite.golden(since=MODERN)
def ma_flags_act_in_the_order_they_are_written(c):
    c("ma n t N30\r\n", "HD t-1\r\n")
    c("ma n t T50\r\n", like(rb"HD t(?:30|29)\r\n"))
    c("ma n t\r\n", like(rb"HD t(?:50|49)\r\n"))
    c("ma m T60 N30 t\r\n", like(rb"HD t(?:30|29)\r\n"))
    c("ma o N30 T60 t\r\n", like(rb"HD t(?:60|59)\r\n"))


@suite.golden(since=MODERN)
def of_several_mistakes_in_flags_one_is_told(c):
    delta = "CLIENT_ERROR invalid numeric delta value\r\n"
    initial = "CLIENT_ERROR invalid numeric initial value\r\n"
    for flags, line in (
        ("Dx", delta),
        ("D", delta),
        ("D-1", delta),
        ("D+1", delta),
        ("Jx", initial),
        ("Dx Jx", initial),
        ("Jx Dx", delta),
        ("Dx y", INVALID),
        ("y Dx", INVALID),
        ("Dx k k", DUPLICATE),
        ("Dx Fx", delta),
        ("Fx Dx", delta),
        ("Tx Fx", BAD_TOKEN),
        (f"Dx O{'o' * 40}", delta),
    ):
        for head, end in (("mg a", ""), ("md a", ""), ("ms a 1", "x\r\n")):
            c(f"{head} {flags}\r\n{end}", line)
        c(f"ma a {flags}\r\n", "CLIENT_ERROR invalid or duplicate flag\r\n")


@suite.golden
def base64_keys(c):
    raw = b"\x00 binary\r\nkey\xff"
    key = base64.b64encode(raw).decode()
    c(f"ms {key} 1 b\r\nx\r\n", "HD\r\n")
    c(f"mg {key} v b k\r\n", f"VA 1 k{key} b\r\nx\r\n")
    c(f"mg {key}\r\n", "EN\r\n")
    c(f"me {key} b\r\n", like(rf"ME {key} exp=-1 [^\r\n]*\r\n".replace("+", r"\+")),
      old=like(rb"(?:ME|EN)[^\r\n]*\r\n"), newer="EN\r\n")
    c(f"ma {key} b\r\n", "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n")
    c(f"md {key} b k\r\n", f"HD k{key} b\r\n")
    c(f"mg {key} b k\r\n", f"EN k{key} b\r\n")
    c(f"ms {key} 1 b k\r\ny\r\n", f"HD k{key} b\r\n")
    c("mg !!! b\r\n", like(rb"CLIENT_ERROR [^\r\n]*\r\n"))


@suite.golden
def P_and_L_are_for_proxies(c):
    stored(c, "a", "5", "Pproxy Llanguage")
    c("mg a v P1 L2\r\n", "VA 1\r\n5\r\n")
    c("ma a P1 L2\r\n", "HD\r\n")
    c("md a P1 L2\r\n", "HD\r\n")


@suite.golden
def mg_md_and_ma_lines_that_are_malformed(c):
    for command in ("mg", "md", "ma"):
        c(f"{command}\r\n", BAD, old="ERROR\r\n")
        c(f"{command} {'k' * 251}\r\n", like(rb"CLIENT_ERROR [^\r\n]*\r\n"))
        c(f"{command} a k k\r\n", like(rb"CLIENT_ERROR [^\r\n]*duplicate flag\r\n"))
        c(f"{command} a y\r\n", like(rb"CLIENT_ERROR [^\r\n]*invalid [^\r\n]*\r\n"))
        c(f"{command} a O{'o' * 40}\r\n", "CLIENT_ERROR opaque token too long\r\n")
    c("mg a Nx\r\n", BAD_TOKEN)
    c("mg a Tx\r\n", BAD_TOKEN)
    c("mg a Rx\r\n", BAD_TOKEN)
    c(f"mg a O{'o' * 31}\r\n", "EN O" + "o" * 31 + "\r\n")


@suite.golden
def flags_need_no_space_of_their_own_but_one(c):
    stored(c, "a", "x")
    c("mg  a   v    s\r\n", "VA 1 s1\r\nx\r\n")
    c("mg a v s\n", "VA 1 s1\r\nx\r\n")


@suite.golden
def quiet_pipelines_end_with_mn(c):
    for index in range(100):
        c.send(f"ms k{index} 1 q\r\nv\r\n")
    c("mn\r\n", "MN\r\n")
    gets = "".join(f"mg k{index} v k q\r\n" for index in range(0, 200))
    hits = "".join(f"VA 1 kk{index}\r\nv\r\n" for index in range(100))
    c(gets + "mn\r\n", hits + "MN\r\n")


@suite.golden
def items_end_in_time(c):
    stored(c, "a", "x", "T2")
    c("mg a v\r\n", "VA 1\r\nx\r\n")
    time.sleep(2.2)
    c("mg a v\r\n", "EN\r\n")
    c("ms a 1 MR\r\nx\r\n", "NS\r\n")
    c("mg a v N0\r\n", "VA 0 W\r\n\r\n")


suite.main()
