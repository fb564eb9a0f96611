//! What operators do at the desk: publish, discard, write.

use base::Timestamp;

use super::{Desk, DeskError};
use crate::incident::{Impact, Incident, Origin, Phase, Visibility};

impl Desk {
    /// Publishes a draft.
    pub fn publish(&mut self, now: Timestamp, id: u64) -> Result<(), DeskError> {
        let incident = self.open_incident(id)?;
        incident.visibility = Visibility::Published;
        incident.published = incident.published.or(Some(now));
        Ok(())
    }

    /// Takes an incident away from everybody's eyes; one that was drafted is not drafted again
    /// while it goes on.
    pub fn discard(&mut self, now: Timestamp, id: u64) -> Result<(), DeskError> {
        let incident = self.open_incident(id)?;
        incident.visibility = Visibility::Discarded;
        incident.resolved = Some(now);
        Ok(())
    }

    /// Adds an update in an operator's own words.
    pub fn update(
        &mut self,
        now: Timestamp,
        id: u64,
        phase: Phase,
        text: String,
    ) -> Result<(), DeskError> {
        self.open_incident(id)?.tell(now, phase, text);
        Ok(())
    }

    /// Publishes an incident of an operator's own. He alone ends it.
    pub fn write(
        &mut self,
        now: Timestamp,
        title: String,
        impact: Impact,
        components: Vec<String>,
        text: String,
    ) -> u64 {
        let id = self.draft(
            now,
            now,
            title,
            Origin::Operator,
            Phase::Investigating,
            text,
        );
        if let Some(incident) = self.incidents.back_mut() {
            incident.impact = impact;
            incident.confidence_percent = 100;
            incident.components = components;
            incident.visibility = Visibility::Published;
            incident.published = Some(now);
        }
        id
    }

    fn open_incident(&mut self, id: u64) -> Result<&mut Incident, DeskError> {
        let found = self.incidents.iter_mut().find(|one| one.id == id);
        let incident = found.ok_or(DeskError::Unknown)?;
        if !incident.is_open() {
            return Err(DeskError::Over);
        }
        self.changed.insert(id);
        Ok(incident)
    }
}
