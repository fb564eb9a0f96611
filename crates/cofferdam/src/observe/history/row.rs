//! A second's figures by name, where the names are those of the second before.

use std::sync::Arc;

/// Names and figures. Two minutes of rows are kept, so that those with the same names share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    names: Arc<[String]>,
    values: Vec<f32>,
}

impl Row {
    /// These figures; with the names of `before`, if they are the same in the same order.
    pub(crate) fn new(figures: Vec<(String, f32)>, before: &Row) -> Self {
        let (names, values): (Vec<String>, Vec<f32>) = figures.into_iter().unzip();
        let names = match before.names[..] == names[..] {
            true => Arc::clone(&before.names),
            false => Arc::from(names),
        };
        Self { names, values }
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &f32)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    /// One of them.
    pub(crate) fn get(&self, name: &str) -> Option<f32> {
        self.iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| *value)
    }
}

#[cfg(test)]
#[path = "row_test.rs"]
mod tests;
