//! A failure names what is to be mended.

use super::*;

#[test]
fn a_missing_login_is_not_blamed_on_memory() {
    let told = |first_error: &str| {
        let first_error = first_error.to_owned();
        let (stored, asked) = (0, 10);
        LoadError::Prefill {
            stored,
            asked,
            first_error,
        }
        .to_string()
    };
    for reply in [
        "CLIENT_ERROR unauthenticated",
        "CLIENT_ERROR authentication failure",
        "Auth failure.",
    ] {
        let told = told(reply);
        assert!(
            told.contains("--login") && !told.contains("memory"),
            "{told}"
        );
    }
    assert!(told("CLIENT_ERROR access denied").contains("may not write"));
    assert!(told("SERVER_ERROR out of memory storing object").contains("memory enough"));
}
