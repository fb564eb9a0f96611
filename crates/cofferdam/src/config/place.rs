//! Where the keys of a configuration stand in its text.

use toml::de::{DeTable, DeValue};

/// The line, counted from 1, of the first key that `message` names by its full name and `text` sets.
pub(super) fn line_of_first_named(text: &str, message: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let is_part = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
    let words = message.split(|c| !is_part(c));
    let mut places = words.filter_map(|word| {
        let (start, _) = find(table.get_ref(), word.trim_end_matches('.'))?;
        Some(line_of(text, start))
    });
    places.next()
}

/// Says where `listen.unix_mode` is a number that is not written in octal, as `:LINE: …`: 600 would
/// be 0o1130, and 384 hides what it means.
pub(super) fn refuse_decimal_mode(text: &str) -> Result<(), String> {
    let key = "listen.unix_mode";
    let table = DeTable::parse(text).ok();
    let found = table.as_ref().and_then(|table| find(table.get_ref(), key));
    let Some((start, DeValue::Integer(mode))) = found else {
        return Ok(());
    };
    if mode.radix() == 8 {
        return Ok(());
    }
    let line = line_of(text, start);
    let digits = mode.as_str();
    Err(format!(
        ":{line}: {key} is {mode}, and not octal: write 0o{digits} or \"0{digits}\" if that is meant"
    ))
}

/// The line of what begins at `offset`, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// Where a key of this full name begins, and its value.
fn find<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<(usize, &'a DeValue<'i>)> {
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    match (rest, value.get_ref()) {
        (None, value) => Some((key.span().start, value)),
        (Some(rest), DeValue::Table(inner)) => find(inner, rest),
        _ => None,
    }
}

#[cfg(test)]
#[path = "place_test.rs"]
mod tests;
