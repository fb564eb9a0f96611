//! Whether a text may be public: it names no tenant, no host, no address and nothing like a secret.
//!
//! What the desk writes is made of fixed words and figures and passes by construction, which the
//! tests prove; what operators write is checked here before it is published.

use std::net::IpAddr;

/// The first word of `text` that must not be public, if there is one: an address, a name of a
/// machine, or one of `names`.
pub fn first_secret<'a>(
    text: &'a str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let words = text.split(|letter: char| letter.is_whitespace() || "\"'()<>,;!?".contains(letter));
    for word in words {
        let word = word.trim_end_matches(['.', ':']);
        let is_name = names.iter().any(|name| word.eq_ignore_ascii_case(name));
        if is_name || is_address(word) || is_machine(word) {
            return Some(word);
        }
    }
    None
}

/// `192.0.2.1`, `192.0.2.1:80`, `192.0.2.0/24`, `2001:db8::1`, `[2001:db8::1]:80`.
fn is_address(word: &str) -> bool {
    let word = word.split_once('/').map_or(word, |(address, _)| address);
    let bare = match word.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => word,
    };
    let without_port = bare.rsplit_once(':').map_or(bare, |(host, _)| host);
    [bare, without_port]
        .iter()
        .any(|text| text.parse::<IpAddr>().is_ok())
}

/// `node-3.internal`, `cache.example.com:11211`: letters with a dot between them. A sentence whose
/// space was forgotten looks the same, and is better written anew than published.
fn is_machine(word: &str) -> bool {
    let host = word.rsplit_once(':').map_or(word, |(host, _)| host);
    let mut labels = host.split('.').peekable();
    let mut count = 0;
    while let Some(label) = labels.next() {
        let fits = !label.is_empty()
            && label
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
        let is_last = labels.peek().is_none();
        let has_letters = label.chars().filter(char::is_ascii_alphabetic).count() >= 2;
        if !fits || (is_last && !has_letters) {
            return false;
        }
        count += 1;
    }
    count > 1
}

#[cfg(test)]
#[path = "privacy_test.rs"]
mod tests;
