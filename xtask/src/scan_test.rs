//! Tests of the scanner on the corners of Rust's lexical grammar.

use super::scan;

fn code(source: &str) -> String {
    let lines: Vec<String> = scan(source).into_iter().map(|line| line.code).collect();
    lines.join("\n")
}

fn comments(source: &str) -> String {
    scan(source).into_iter().map(|line| line.comment).collect()
}

#[test]
fn comments_are_told_from_code() {
    let source = "let a = 1; // why\n/* x /* y */ z */ let b = 2;";
    assert_eq!(code(source), "let a = 1; \n let b = 2;");
    assert_eq!(comments(source), "// why x  y  z ");
}

#[test]
fn strings_are_blanked_and_do_not_open_comments() {
    assert_eq!(code("f(\"// no\", 1)"), "f(\"\", 1)");
    assert_eq!(code(r#"f("a\"b", 1)"#), "f(\"\", 1)");
    assert_eq!(comments("f(\"// no\")"), "");
}

#[test]
fn raw_strings_end_at_their_own_hashes() {
    assert_eq!(code("f(r#\"a\"b\"#, 1)"), "f(\"\", 1)");
    assert_eq!(code("f(br\"a\\\", 1)"), "f(\"\", 1)");
    assert_eq!(code("for r in x {}"), "for r in x {}");
}

#[test]
fn characters_and_lifetimes() {
    assert_eq!(code("['\"', 'x', '\\'', '\\u{1}']"), "[', ', ', ']");
    assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
}

#[test]
fn lines_are_kept_through_strings_of_many_lines() {
    let lines = scan("let a = \"one\n two \\\n three\"; // end\nlet b;");
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[2].comment, "// end");
    assert_eq!(lines[3].code, "let b;");
}

#[test]
fn what_never_ends_does_not_hang() {
    for source in ["\"", "r#\"", "/*", "'", "'\\", "//", "b'\\"] {
        assert_eq!(scan(source).len(), 1, "{source}");
    }
}
