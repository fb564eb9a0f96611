//! What a detector says, second by second, before it becomes an event.

use std::borrow::Cow;
use std::sync::Arc;

use base::Timestamp;
use base::event::{EventKind, Figure};

/// Something that is so now, or that has just happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Signal {
    pub(crate) kind: EventKind,
    /// With kind and tenant, which affair it belongs to.
    pub(crate) cause: Cow<'static, str>,
    pub(crate) tenant: Option<Arc<str>>,
    /// When it began, as far as this signal knows.
    pub(crate) onset: Timestamp,
    /// When it was decided as it is now, where somebody decides: what is decided anew is told at once.
    pub(crate) decided: Option<Timestamp>,
    pub(crate) length: Length,
    pub(crate) sentence: String,
    pub(crate) advice: Option<String>,
    pub(crate) evidence: Vec<Figure>,
}

/// Whether it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// As long as it is signalled again and again; then it ended as this sentence tells, to which
    /// "after so long" is added.
    Lasts { ended: String },
    /// It has no length.
    Moment,
}

impl Signal {
    /// A condition that is so since `onset`; `ended` is what will be said when it is no more.
    pub(crate) fn lasting(
        kind: EventKind,
        onset: Timestamp,
        sentence: String,
        ended: impl Into<String>,
    ) -> Self {
        let length = Length::Lasts {
            ended: ended.into(),
        };
        Self::new(kind, onset, length, sentence)
    }

    /// Something that happened at `onset`.
    pub(crate) fn moment(kind: EventKind, onset: Timestamp, sentence: String) -> Self {
        Self::new(kind, onset, Length::Moment, sentence)
    }

    fn new(kind: EventKind, onset: Timestamp, length: Length, sentence: String) -> Self {
        Self {
            kind,
            cause: Cow::Borrowed(""),
            tenant: None,
            onset,
            decided: None,
            length,
            sentence,
            advice: None,
            evidence: Vec::new(),
        }
    }

    pub(crate) fn decided(mut self, at: Timestamp) -> Self {
        self.decided = Some(at);
        self
    }

    pub(crate) fn cause(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.cause = cause.into();
        self
    }

    pub(crate) fn tenant(mut self, tenant: Option<&Arc<str>>) -> Self {
        self.tenant = tenant.cloned();
        self
    }

    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    pub(crate) fn evidence(mut self, evidence: impl IntoIterator<Item = Figure>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}
