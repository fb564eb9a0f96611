//! Takes secrets out of text that leaves the house: what is known, and what looks like one.

/// What stands in a secret's place.
pub(super) const REDACTED: &str = "[redacted]";

/// Names whose values are secrets, in lower case; part of a longer name as well.
const NAMES: [&str; 7] = [
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "api_key",
    "private_key",
];
/// Letters of the passwords and tokens that Cofferdam makes, and how many there are in one.
const OWN_ALPHABET: &str = "abcdefghjkmnpqrstuvwxyz023456789";
const OWN_LEN: usize = 26;

const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";

/// Knows the secrets of this installation.
#[derive(Clone, Debug, Default)]
pub(super) struct Redactor {
    known: Vec<String>,
}

impl Redactor {
    /// With these; short ones are no secrets and would tear text apart.
    pub(super) fn new(known: impl IntoIterator<Item = String>) -> Self {
        let known = known.into_iter().map(|secret| secret.trim().to_owned());
        Self {
            known: known.filter(|secret| secret.len() >= 8).collect(),
        }
    }

    /// `text` without secrets. It rather takes too much than too little.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = without_private_keys(text);
        for secret in &self.known {
            text = text.replace(secret, REDACTED);
        }
        let lines = text.split_inclusive('\n');
        lines
            .map(|line| own_words(&users_in_urls(&named_values(line))))
            .collect()
    }
}

/// Takes the whole of each private key in PEM.
fn without_private_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(PEM_BEGIN) {
        let (before, block) = rest.split_at(begin);
        out.push_str(before);
        let title = block.lines().next().unwrap_or_default();
        let end = block.find(PEM_END).map(|end| {
            let tail = block.get(end..).unwrap_or_default();
            end + tail.find('\n').unwrap_or(tail.len())
        });
        // One that is cut off is one all the same.
        let (block, after) = block.split_at(end.unwrap_or(block.len()));
        out.push_str(if title.contains("PRIVATE KEY") {
            REDACTED
        } else {
            block
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Takes what follows `password=`, `"token": "` and the like, and a scheme before it.
fn named_values(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some((from, to)) = next_named_value(&lower, at) {
        out.push_str(line.get(at..from).unwrap_or_default());
        out.push_str(REDACTED);
        at = to;
    }
    out.push_str(line.get(at..).unwrap_or_default());
    out
}

/// Where the first value of a secret's name is, from `at` on; `lower` has the bytes of the line.
fn next_named_value(lower: &str, at: usize) -> Option<(usize, usize)> {
    let mut search = at;
    loop {
        let rest = lower.get(search..)?;
        let found = NAMES
            .iter()
            .filter_map(|name| Some((rest.find(name)?, name.len())));
        let (start, len) = found.min()?;
        search += start + len;
        if let Some((from, to)) = value_after(lower, search) {
            return Some((from, to));
        }
    }
}

/// The value after a name that ends at `at`, if one is set to it.
fn value_after(lower: &str, at: usize) -> Option<(usize, usize)> {
    let rest = lower.get(at..)?;
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-".contains(c));
    let open = name.trim_start_matches(['"', '\'', '\\', ' ', '\t']);
    let set = open.strip_prefix([':', '='])?;
    let mut value = set.trim_start_matches(['"', '\'', '\\', ' ', '\t']);
    for scheme in ["bearer ", "basic "] {
        value = value.strip_prefix(scheme).unwrap_or(value);
    }
    let end = value.find(|c: char| c.is_whitespace() || "\"'\\,&;}])".contains(c));
    let from = lower.len() - value.len();
    let to = from + end.unwrap_or(value.len());
    (to > from).then_some((from, to))
}

/// Takes name and password out of `scheme://name:password@host`.
fn users_in_urls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(found) = rest.find("://") {
        let (before, after) = rest.split_at(found + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/\"'?#".contains(c));
        let (host, tail) = after.split_at(end.unwrap_or(after.len()));
        match host.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(REDACTED);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(host),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Takes words that look like passwords and tokens of Cofferdam's own, wherever they stand.
fn own_words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut word = String::new();
    for c in line.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_alphanumeric() => word.push(c),
            other => {
                let is_own =
                    word.len() == OWN_LEN && word.chars().all(|c| OWN_ALPHABET.contains(c));
                out.push_str(if is_own { REDACTED } else { &word });
                word.clear();
                out.extend(other);
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "support_redact_test.rs"]
mod tests;
