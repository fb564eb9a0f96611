//! The manual page has what a reader looks for.

use super::*;

#[test]
fn the_page_has_its_sections_in_order() {
    let page = String::from_utf8(page().unwrap()).unwrap();
    let mut from = 0;
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "SUBCOMMANDS",
        "FILES",
        "ENVIRONMENT",
        "EXIT STATUS",
    ] {
        let at = page[from..]
            .find(&format!(".SH {section}"))
            .map(|at| at + from);
        let quoted = page[from..]
            .find(&format!(".SH \"{section}\""))
            .map(|at| at + from);
        from = at
            .or(quoted)
            .unwrap_or_else(|| panic!("{section} is missing:\n{page}"));
    }
    assert!(page.contains("COFFERDAM_ADMIN_TOKEN"), "{page}");
}
