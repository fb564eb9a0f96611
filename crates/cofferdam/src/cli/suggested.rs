//! Values of flags that completion scripts offer, beside others that may be typed.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

/// Reads a `T`, and offers some words for it.
#[derive(Clone, Debug)]
pub(super) struct Suggested<T> {
    words: &'static [&'static str],
    kind: PhantomData<T>,
}

impl<T> Suggested<T> {
    pub(super) fn of(words: &'static [&'static str]) -> Self {
        Self {
            words,
            kind: PhantomData,
        }
    }
}

impl<T> TypedValueParser for Suggested<T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: Display,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value)?;
        text.parse().map_err(|why| {
            let flag = arg.map(ToString::to_string).unwrap_or_default();
            let said = format!("invalid value '{text}' for '{flag}': {why}\n");
            Error::raw(ErrorKind::ValueValidation, said).with_cmd(command)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.words.iter().map(PossibleValue::new)))
    }
}

#[cfg(test)]
#[path = "suggested_test.rs"]
mod tests;
