//! The states that a volume was in, one after the other: whatever it is after a crash, it was before.

use super::world::BLOCKS;
use crate::checker::Content;

/// All changes in the order in which they were accepted.
#[derive(Default)]
pub(crate) struct Past {
    first: Option<Vec<Content>>,
    changes: Vec<Change>,
}

enum Change {
    Some(usize, usize, Content),
    All(Vec<Content>),
}

impl Past {
    /// A volume that was like this before anything happened.
    pub(crate) fn beginning(contents: Vec<Content>) -> Self {
        Self {
            first: Some(contents),
            changes: Vec::new(),
        }
    }

    pub(crate) fn happened(&mut self, block: usize, blocks: usize, content: Content) {
        self.changes.push(Change::Some(block, blocks, content));
    }

    pub(crate) fn became(&mut self, contents: Vec<Content>) {
        self.changes.push(Change::All(contents));
    }

    /// Whether it ever was like this; forgets what happened after the last time that it was.
    pub(crate) fn goes_back_to(&mut self, contents: &[Content]) -> bool {
        let zeroes = || vec![Content::Zero; BLOCKS as usize];
        let mut state = self.first.clone().unwrap_or_else(zeroes);
        let mut last = (state == contents).then_some(0);
        for (index, change) in self.changes.iter().enumerate() {
            match change {
                Change::Some(block, blocks, content) => {
                    state[*block..block + blocks].fill(*content);
                }
                Change::All(contents) => state.clone_from(contents),
            }
            if state == contents {
                last = Some(index + 1);
            }
        }
        self.changes.truncate(last.unwrap_or(self.changes.len()));
        last.is_some()
    }
}
