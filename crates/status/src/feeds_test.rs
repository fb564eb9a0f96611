//! Feeds are XML whatever is in a title, and entries keep their names.

use super::*;
use crate::incident::Phase;
use crate::sample::{NOW, board, site};

/// Whether every element that opens closes in turn, and no bare `&` or `<` is in between.
fn is_well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        if text
            .replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "")
            .replace("&quot;", "")
            .replace("&#39;", "")
            .contains('&')
        {
            return false;
        }
        let Some(end) = rest[at..].find('>') else {
            return false;
        };
        let tag = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        let name = tag
            .split_whitespace()
            .next()
            .unwrap_or("")
            .trim_end_matches('/');
        match tag {
            tag if tag.starts_with('?') || tag.ends_with('/') => {}
            tag if tag.starts_with('/') => {
                if open.pop() != Some(&name[1..]) {
                    return false;
                }
            }
            _ => open.push(name),
        }
    }
    open.is_empty()
}

#[test]
fn both_are_well_formed_and_bounded() {
    let (board, site) = (board(1), site());
    let view = View::of(&board, &site, NOW);
    for xml in [atom(&view), rss(&view)] {
        assert!(is_well_formed(&xml), "{xml}");
        assert!(!xml.contains("<script"));
    }
    assert_eq!(atom(&view).matches("<entry>").count(), ENTRIES_MAX);
    assert!(!is_well_formed("<a><b></a></b>"));
    assert!(!is_well_formed("<a>x & y</a>"));
}

#[test]
fn an_entry_s_name_outlives_its_updates() {
    let (mut board, site) = (board(1), site());
    let id = |board: &crate::board::Board| {
        let xml = atom(&View::of(board, &site, NOW));
        xml.split("<id>")
            .nth(2)
            .unwrap()
            .split("</id>")
            .next()
            .unwrap()
            .to_owned()
    };
    let before = id(&board);
    board
        .update(NOW, 31, Phase::Identified, "We know.".into())
        .unwrap();
    assert_eq!(id(&board), before);
    assert!(before.ends_with(":i31"), "{before}");
}

#[test]
fn what_xml_cannot_hold_is_left_out() {
    assert_eq!(
        escape("a\u{0}\u{8}b\u{fffe}<'\">&"),
        "ab&lt;&#39;&quot;&gt;&amp;"
    );
}
