//! Tests of the rules on one file: each trips on what it forbids, and on nothing else.

use super::check;
use crate::tree::File;

fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
    let file = File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let findings = check(&file);
    findings.iter().map(|f| (f.rule, f.line)).collect()
}

const CORE: &str = "crates/gateway/src/x.rs";

fn core(body: &str) -> Vec<(&'static str, usize)> {
    rules(CORE, &format!("//! A file.\n{body}"))
}

#[test]
fn a_plain_file_passes() {
    assert_eq!(core("pub fn f() {}\n"), []);
    assert_eq!(rules(CORE, "//! A sentence over\n//! two lines.\n"), []);
    assert_eq!(rules(CORE, "//! A sentence. (And more.)\n"), []);
}

#[test]
fn a_file_opens_with_a_sentence() {
    assert_eq!(rules(CORE, "use x;\n"), [("opening", 1)]);
    assert_eq!(rules(CORE, "//! no end\n"), [("opening", 1)]);
    assert_eq!(rules(CORE, ""), [("opening", 1)]);
}

#[test]
fn nothing_is_left_for_later() {
    let mark = ["TO", "DO"].concat();
    assert_eq!(core(&format!("// {mark}: x\n")), [("unfinished", 2)]);
    assert_eq!(core("fn f() { todo!() }\n"), [("unfinished", 2)]);
    assert_eq!(core(&format!("let x = \"{mark}\";\n")), []);
    assert_eq!(core("let todo = 1;\n"), []);
}

#[test]
fn lints_are_mended_not_silenced() {
    assert_eq!(core("#[allow(dead_code)]\nfn f() {}\n"), [("silenced", 2)]);
    assert_eq!(core("#[expect(x)]\nfn f() {}\n"), [("silenced", 2)]);
    assert_eq!(core("#[expect(x, reason = \"y\")]\nfn f() {}\n"), []);
    assert_eq!(
        core("#[expect(\n  x,\n  reason = \"y\"\n)]\nfn f() {}\n"),
        []
    );
}

#[test]
fn tests_live_in_a_sibling_file() {
    assert_eq!(core("#[cfg(test)]\nmod tests {\n}\n"), [("tests", 3)]);
    assert_eq!(core("#[cfg(test)]\nmod checks {\n}\n"), [("tests", 3)]);
    let sibling = "#[cfg(test)]\n#[path = \"x_test.rs\"]\nmod tests;\n";
    assert_eq!(core(sibling), []);
    assert_eq!(core("mod inner {\n}\n"), []);
}

#[test]
fn unsafe_has_its_places_and_its_reason() {
    assert_eq!(core("unsafe { f() }\n"), [("unsafe", 2)]);
    let cache = "crates/cache/src/x.rs";
    assert_eq!(
        rules(cache, "//! A file.\nunsafe { f() }\n"),
        [("unsafe", 2)]
    );
    let stated = "//! A file.\n// SAFETY: checked above.\nunsafe { f() }\n";
    assert_eq!(rules(cache, stated), []);
    assert_eq!(core("#![forbid(unsafe_code)]\n"), []);
}

#[test]
fn clocks_sockets_and_randomness_stay_at_the_edge() {
    assert_eq!(core("let now = Instant::now();\n"), [("edge", 2)]);
    assert_eq!(core("let s: TcpStream;\n"), [("edge", 2)]);
    assert_eq!(core("use std::fs;\n"), [("edge", 2)]);
    assert_eq!(core("// no Instant::now here\n"), []);
    for path in ["crates/runtime/src/x.rs", "crates/gateway/src/x_test.rs"] {
        assert_eq!(rules(path, "//! A file.\nInstant::now();\n"), [], "{path}");
    }
}

#[test]
fn only_programs_print() {
    assert_eq!(core("println!(\"x\");\n"), [("printing", 2)]);
    assert_eq!(core("dbg!(x);\n"), [("printing", 2)]);
    let program = "crates/cofferdam/src/x.rs";
    assert_eq!(rules(program, "//! A file.\nprintln!(\"x\");\n"), []);
}
