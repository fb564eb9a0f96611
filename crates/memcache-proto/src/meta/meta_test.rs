//! Tests of the meta commands, as conversations.

use crate::Limits;
use crate::testing::{Server, talk_text};

/// What comes after a value `hi` was stored under `a` with the CAS 1.
fn after_set(input: &str) -> String {
    let answer = talk_text(&format!("ms a 2 F7 T100\r\nhi\r\n{input}"));
    answer.strip_prefix("HD\r\n").expect("stored").to_owned()
}

#[test]
fn a_get_gives_what_is_asked_in_the_order_asked() {
    assert_eq!(after_set("mg a\r\n"), "HD\r\n");
    assert_eq!(after_set("mg a v\r\n"), "VA 2\r\nhi\r\n");
    assert_eq!(
        after_set("mg a s v t f c k Oabc l h\r\nmg a h\r\n"),
        "VA 2 s2 t100 f7 c1 ka Oabc l0 h0\r\nhi\r\nHD h1\r\n"
    );
    assert_eq!(after_set("mg a Oabc k c\r\n"), "HD Oabc ka c1\r\n");
    assert_eq!(after_set("mg a u\r\nmg a h\r\n"), "HD\r\nHD h0\r\n");
}

#[test]
fn a_miss_gives_opaque_and_key() {
    assert_eq!(talk_text("mg a v k O1 c\r\n"), "EN ka O1\r\n");
    assert_eq!(talk_text("mg a v q k\r\nmn\r\n"), "MN\r\n");
    assert_eq!(after_set("mg a v q k\r\nmn\r\n"), "VA 2 ka\r\nhi\r\nMN\r\n");
}

#[test]
fn tokens_of_proxies_are_ignored_by_a_get() {
    assert_eq!(
        after_set("mg a P L Pabc\r\n"),
        "CLIENT_ERROR duplicate flag\r\n"
    );
    assert_eq!(after_set("mg a Pabc Lxyz v\r\n"), "VA 2\r\nhi\r\n");
}

#[test]
fn a_get_leaves_out_a_value_that_is_known() {
    assert_eq!(after_set("mg a v C1\r\n"), "HD\r\n");
    assert_eq!(
        after_set("mg a s v t f c k Oabc l h q C1\r\n"),
        "HD s2 t100 f7 c1 ka Oabc l0 h0\r\n"
    );
    assert_eq!(
        after_set("mg a v C2\r\nmg a v C0\r\nmg a C2 c\r\n"),
        "VA 2\r\nhi\r\nVA 2\r\nhi\r\nHD c1\r\n"
    );
    assert_eq!(talk_text("mg a v C1 k\r\n"), "EN ka\r\n");
    assert_eq!(
        after_set("mg a v Cx\r\n"),
        "CLIENT_ERROR bad token in command line format\r\n"
    );
    assert_eq!(
        after_set("md a I E9\r\nmg a v C9\r\nmg a v C9\r\nmg a v C1\r\n"),
        "HD\r\nHD X W\r\nHD Z X\r\nVA 2 Z X\r\nhi\r\n"
    );
}

#[test]
fn a_get_touches() {
    assert_eq!(
        after_set("mg a T30 t\r\nmg a t\r\n"),
        "HD t30\r\nHD t30\r\n"
    );
    assert_eq!(after_set("mg a T0 t\r\n"), "HD t-1\r\n");
    assert_eq!(
        after_set("mg a t T30\r\nmg a t\r\n"),
        "HD t100\r\nHD t30\r\n"
    );
    assert_eq!(
        talk_text("mg a t N30\r\nmg b N30 T60 t\r\nmg c T60 N30 t\r\nmg a t u\r\n"),
        "HD t-1 W\r\nHD t60 W\r\nHD t30 W\r\nHD t30 Z\r\n"
    );
    assert_eq!(after_set("mg a T-1\r\nmg a\r\n"), "HD\r\nEN\r\n");
}

#[test]
fn a_miss_may_be_filled_by_one_client() {
    assert_eq!(
        talk_text("mg a N30 E77 t c v\r\nmg a N30 c v\r\nms a 1\r\nx\r\nmg a N30 v\r\n"),
        "VA 0 t30 c77 W\r\n\r\nVA 0 c77 Z\r\n\r\nHD\r\nVA 1\r\nx\r\n"
    );
}

#[test]
fn an_item_about_to_end_may_be_refilled_by_one_client() {
    assert_eq!(
        after_set("mg a R50\r\nmg a R200 t\r\nmg a R200\r\n"),
        "HD\r\nHD t100 W\r\nHD Z\r\n"
    );
    assert_eq!(talk_text("ms a 0\r\n\r\nmg a R30\r\n"), "HD\r\nHD\r\n");
    assert_eq!(after_set("mg a T7 R50\r\n"), "HD W\r\n");
    assert_eq!(after_set("mg a R50 T7\r\n"), "HD\r\n");
    assert_eq!(after_set("mg a T700 R200 t\r\n"), "HD t700\r\n");
    assert_eq!(after_set("mg a R200 T700 t\r\n"), "HD t700 W\r\n");
}

#[test]
fn a_stale_item_may_be_refilled_by_one_client() {
    assert_eq!(
        after_set("md a I T30\r\nmg a t c v\r\nmg a v\r\nms a 3 C2\r\nnew\r\nmg a v\r\n"),
        "HD\r\nVA 2 t30 c2 X W\r\nhi\r\nVA 2 Z X\r\nhi\r\nHD\r\nVA 3\r\nnew\r\n"
    );
    assert_eq!(
        after_set("md a I E50\r\nms a 3 I C2\r\nold\r\nmg a v\r\n"),
        "HD\r\nHD\r\nVA 3 X W\r\nold\r\n"
    );
}

#[test]
fn a_key_may_be_base64() {
    assert_eq!(
        talk_text("ms Zm9v 2 b k\r\nhi\r\nmg foo v k\r\nmg Zm9v b v k O1\r\nmg YmFy k b\r\n"),
        "HD kZm9v b\r\nVA 2 kfoo\r\nhi\r\nVA 2 kZm9v b O1\r\nhi\r\nEN kYmFy b\r\n"
    );
    assert_eq!(
        talk_text("ms AA0K 1 b\r\nx\r\nmg AA0K b k v\r\nmd AA0K b k\r\nme AA0K b\r\n"),
        "HD\r\nVA 1 kAA0K b\r\nx\r\nHD kAA0K b\r\nEN\r\n"
    );
    for line in ["mg a b", "md Y b", "mg ==== b"] {
        assert_eq!(
            talk_text(&format!("{line}\r\n")),
            "CLIENT_ERROR error decoding key\r\n"
        );
    }
    assert_eq!(
        talk_text("ms a 1 b\r\nx\r\nmn\r\n"),
        "CLIENT_ERROR error decoding key\r\nMN\r\n"
    );
}

#[test]
fn a_set_has_modes() {
    assert_eq!(
        talk_text(
            "ms a 1 MR\r\nx\r\nms a 1 ME\r\nb\r\nms a 1 ME\r\nb\r\nms a 1 MA s c\r\nc\r\n\
             ms a 1 MP\r\na\r\nms a 1 MR\r\nx\r\nms a 3 MS\r\nabc\r\nmg a v\r\n"
        ),
        "NS\r\nHD\r\nNS\r\nHD s2 c2\r\nHD\r\nHD\r\nHD\r\nVA 3\r\nabc\r\n"
    );
    assert_eq!(
        talk_text("ms a 1 MEx\r\nb\r\nms a 1 MAppend s\r\nc\r\nms a 1 MSet s\r\na\r\n"),
        "HD\r\nHD s2\r\nHD s1\r\n"
    );
    for mode in ["MX", "M", "Ma", "Me", "Mset", "Mappend"] {
        assert_eq!(
            talk_text(&format!("ms a 1 {mode}\r\nx\r\nmn\r\n")),
            "CLIENT_ERROR invalid mode for ms M token\r\nMN\r\n"
        );
    }
}

#[test]
fn an_append_may_create() {
    assert_eq!(
        talk_text("ms a 1 MA\r\nx\r\nms a 1 MA N60\r\nx\r\nms a 1 MP N9\r\ny\r\nmg a v t\r\n"),
        "NS\r\nHD\r\nHD\r\nVA 2 t60\r\nyx\r\n"
    );
}

#[test]
fn a_set_compares_and_gives_cas() {
    assert_eq!(
        after_set("ms a 1 C9 c k\r\nx\r\nms a 1 C1 E99 c O1\r\nx\r\nms b 1 C1\r\nx\r\n"),
        "EX c0 ka\r\nHD c99 O1\r\nNF\r\n"
    );
    assert_eq!(
        after_set("ms a 1 MR C1\r\nx\r\nms a 1 ME C2\r\nx\r\nms a 3 ME s c\r\nabc\r\n"),
        "HD\r\nNS\r\nNS s3 c0\r\n"
    );
}

#[test]
fn a_quiet_set_says_only_what_went_wrong() {
    assert_eq!(
        after_set(
            "ms a 1 q c\r\nx\r\nms a 1 q ME\r\nx\r\nms a 1 q C9\r\nx\r\nms b 1 q C9 k\r\nx\r\n"
        ),
        "NS\r\nEX\r\nNF kb\r\n"
    );
    assert_eq!(
        talk_text("ms a 1 q\r\nxyzms a 1 q\r\nx\r\nmn\r\n"),
        "CLIENT_ERROR bad data chunk\r\nMN\r\n"
    );
}

#[test]
fn a_bad_set_takes_its_value_with_it() {
    for (line, answer) in [
        ("ms a 1 z", "CLIENT_ERROR invalid flag"),
        ("ms a 1 k k", "CLIENT_ERROR duplicate flag"),
        ("ms a 1 Tx", "CLIENT_ERROR bad token in command line format"),
        ("ms a 1 Fx", "CLIENT_ERROR bad command line format"),
        ("ms a 1 Cx", "CLIENT_ERROR bad token in command line format"),
    ] {
        assert_eq!(
            talk_text(&format!("{line}\r\nx\r\nmn\r\n")),
            format!("{answer}\r\nMN\r\n")
        );
    }
    let key = "k".repeat(251);
    assert_eq!(
        talk_text(&format!("ms {key} 1\r\nx\r\nmn\r\n")),
        "CLIENT_ERROR bad command line format\r\nMN\r\n"
    );
}

#[test]
fn a_set_needs_a_length() {
    for line in [
        "ms",
        "ms a",
        "ms a S2",
        "ms a -1",
        "ms a x",
        "ms a 2147483646",
    ] {
        assert_eq!(
            talk_text(&format!("{line}\r\nmn\r\n")),
            "CLIENT_ERROR bad command line format\r\nMN\r\n"
        );
    }
}

#[test]
fn a_set_too_large_is_skipped_and_takes_the_old_item_with_it() {
    let mut server = Server::new();
    server.limits = Limits { item_size_max: 3 };
    let answer = server.talk(b"ms a 1\r\nx\r\nms a 4 q\r\nxxxx\r\nmg a\r\nms a 3\r\nabc\r\n");
    assert_eq!(
        String::from_utf8_lossy(&answer),
        "HD\r\nSERVER_ERROR object too large for cache\r\nEN\r\nHD\r\n"
    );
}

#[test]
fn a_large_meta_value_is_pinned() {
    let value = "v".repeat(100_000);
    assert_eq!(
        talk_text(&format!(
            "ms a 100000 c\r\n{value}\r\nmg a s\r\nmg a v q\r\n"
        )),
        format!("HD c1\r\nHD s100000\r\nVA 100000\r\n{value}\r\n")
    );
    assert_eq!(
        talk_text(&format!(
            "ms a 100000 q\r\n{value}\r\nmg a v s C1\r\nmg a v C2\r\n"
        )),
        format!("HD s100000\r\nVA 100000\r\n{value}\r\n")
    );
    let answer = talk_text(&format!("ms a 100000 q\r\n{value}xxmn\r\n"));
    assert_eq!(answer, "CLIENT_ERROR bad data chunk\r\nMN\r\n");
}

#[test]
fn a_delete_compares_marks_and_clears() {
    assert_eq!(
        after_set("md a k O1\r\nmd a k O1\r\n"),
        "HD ka O1\r\nNF ka O1\r\n"
    );
    assert_eq!(
        after_set("md a C9\r\nmd a C0\r\nmd a C1\r\n"),
        "EX\r\nEX\r\nHD\r\n"
    );
    assert_eq!(after_set("md a q\r\nmd a q\r\nmn\r\n"), "NF\r\nMN\r\n");
    assert_eq!(after_set("md a x\r\nmg a v f\r\n"), "HD\r\nVA 0 f0\r\n\r\n");
    assert_eq!(
        after_set("md a I x E9\r\nmg a v c\r\n"),
        "HD\r\nVA 0 c9 X W\r\n\r\n"
    );
}

#[test]
fn arithmetic_counts_creates_and_tells() {
    assert_eq!(
        talk_text(
            "ma n\r\nma n N0 J13 v t k\r\nma n v\r\nma n D5 v O1\r\nma n MD D100 v\r\n\
             ma n MI v\r\nma n M+ v\r\nma n M- v\r\nma n MDecr v\r\nma n MIncr\r\n"
        ),
        "NF\r\nVA 2 t-1 kn\r\n13\r\nVA 2\r\n14\r\nVA 2 O1\r\n19\r\nVA 1\r\n0\r\n\
         VA 1\r\n1\r\nVA 1\r\n2\r\nVA 1\r\n1\r\nVA 1\r\n0\r\nHD\r\n"
    );
}

#[test]
fn arithmetic_compares_and_touches() {
    assert_eq!(
        talk_text("ms n 1\r\n5\r\nma n C9 k\r\nma n C1 E50 T30 c t\r\nma n C0 v\r\n"),
        "HD\r\nEX kn\r\nHD c50 t30\r\nVA 1\r\n7\r\n"
    );
    assert_eq!(
        talk_text("ma n t N30\r\nma n t T50\r\nma n t\r\nma m T60 N30 t\r\n"),
        "HD t-1\r\nHD t30\r\nHD t50\r\nHD t30\r\n"
    );
}

#[test]
fn arithmetic_says_nothing_of_staleness() {
    assert_eq!(
        talk_text("ms n 1\r\n5\r\nmd n I\r\nma n v\r\nmg n\r\nma n\r\n"),
        "HD\r\nHD\r\nVA 1\r\n6\r\nHD X W\r\nHD\r\n"
    );
}

#[test]
fn quiet_arithmetic_says_only_what_went_wrong() {
    assert_eq!(
        talk_text("ma n q\r\nma n N0 q v\r\nma n q v\r\nms n 1\r\nx\r\nma n q\r\nmn\r\n"),
        "NF\r\nHD\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\nMN\r\n"
    );
}

#[test]
fn bad_arithmetic_is_one_error_for_all() {
    for line in ["ma n Dx", "ma n Jx", "ma n z", "ma n k k", "ma n D"] {
        assert_eq!(
            talk_text(&format!("{line}\r\n")),
            "CLIENT_ERROR invalid or duplicate flag\r\n"
        );
    }
    let key = "k".repeat(251);
    assert_eq!(
        talk_text(&format!("ma {key}\r\n")),
        "CLIENT_ERROR invalid or duplicate flag\r\n"
    );
    assert_eq!(
        talk_text("ma\r\nma \r\n"),
        "CLIENT_ERROR bad command line format\r\n".repeat(2)
    );
    for mode in ["MQ", "Mi", "Md", "Mincr", "Mdecr", "M"] {
        assert_eq!(
            talk_text(&format!("ma n {mode}\r\n")),
            "CLIENT_ERROR invalid mode for ma M token\r\n"
        );
    }
}

#[test]
fn debug_shows_an_item() {
    assert_eq!(
        after_set("me a\r\nmg a\r\nme a\r\nme b\r\nme\r\nme YQ== b\r\n"),
        "ME a exp=100 la=0 cas=1 fetch=no cls=1 size=66\r\nHD\r\n\
         ME a exp=100 la=0 cas=1 fetch=yes cls=1 size=66\r\nEN\r\n\
         CLIENT_ERROR bad command line format\r\n\
         ME YQ== exp=100 la=0 cas=1 fetch=yes cls=1 size=66\r\n"
    );
}

#[test]
fn a_key_must_be_there_and_short() {
    let key = "k".repeat(251);
    for command in ["mg", "md", "me"] {
        for line in [
            command.to_owned(),
            format!("{command} "),
            format!("{command} {key}"),
        ] {
            assert_eq!(
                talk_text(&format!("{line}\r\nmn\r\n")),
                "CLIENT_ERROR bad command line format\r\nMN\r\n"
            );
        }
    }
}

#[test]
fn a_denied_command_says_so() {
    let mut server = Server::new();
    server.denies = true;
    let answer = server.talk(b"mg a q v\r\nmd a q\r\nma a q\r\nme a\r\nmn\r\n");
    let line = "CLIENT_ERROR permission denied\r\n";
    assert_eq!(
        String::from_utf8_lossy(&answer),
        format!("{line}{line}{line}{line}MN\r\n")
    );
}
