use mosaic_api::{
    DENIABILITY, EXPORT_FORMAT, ExportDocument, ImportReply, OpenDoorReply, Problem, ProblemKind, SettingsBody,
    SettingsChange, SettingsView,
};
use mosaic_types::{ContactText, Reporting, Timestamp};
use thiserror::Error;

use super::{associate::kept_person, count};
use crate::{core::AgentCore, state::KeptPerson};

/// How long an open door stays open (DESIGN section 4).
const DOOR: std::time::Duration = std::time::Duration::from_hours(2);

/// Why a document was not imported. Nothing of it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Not in the format of an export.
    #[error("the document does not say it is a {EXPORT_FORMAT}")]
    Format,
    /// A setting is out of bounds.
    #[error("a setting is out of bounds")]
    Setting(#[source] Problem),
    /// A person without a sound id or contact.
    #[error("person {number} of the document has no sound id or contact")]
    Person {
        /// Which, counted from 1.
        number: usize,
    },
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Setting(problem) => problem,
            other => Self::new(ProblemKind::InvalidImport).with_detail(other),
        }
    }
}

/// Whether an import takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// It does.
    Apply,
    /// It is only checked.
    Validate,
}

impl AgentCore {
    /// The settings.
    pub fn settings(&self) -> SettingsView {
        SettingsView {
            privacy_mode: self.settings.mode,
            ttl_default: self.settings.ttl().hours().into(),
            noise_default: self.settings.noise().map(mosaic_types::NoiseRatio::get),
            anonymity_floor: self.settings.floor().map(mosaic_types::AnonymityFloor::get),
            risk_level: self.settings.risk,
            aggregate: self.settings.reporting,
            matching_threshold: self.settings.threshold.get(),
            warnings: self.path_warning().into_iter().collect(),
        }
    }

    /// Changes what is named.
    pub fn change_settings(&mut self, now: Timestamp, change: &SettingsChange) -> SettingsView {
        self.attend(now);
        if let Some(mode) = change.mode {
            self.settings.mode = mode;
        }
        if let Some(ttl) = change.ttl {
            self.settings.set_ttl(ttl);
        }
        if let Some(noise) = change.noise {
            self.settings.set_noise(noise);
        }
        if let Some(floor) = change.floor {
            self.settings.set_floor(floor);
        }
        if let Some(risk) = change.risk {
            self.settings.risk = risk;
        }
        if let Some(reporting) = change.reporting {
            self.settings.reporting = reporting;
            self.answers.set(reporting == Reporting::On, now);
        }
        if let Some(threshold) = change.threshold {
            self.settings.threshold = threshold;
        }
        if change.floor.is_some() || change.mode.is_some() {
            self.trail.forget_held();
            self.schedule.prepared = false;
        }
        self.turn(now);
        self.replan(now);
        self.dirty = true;
        self.settings()
    }

    /// Books an open door: two hours with an event a minute, visible as such to the network.
    pub fn open_door(&mut self, now: Timestamp) -> OpenDoorReply {
        self.attend(now);
        let until = now.after(DOOR);
        self.door_until = Some(until);
        self.turn(now);
        OpenDoorReply {
            until: until.as_secs(),
            visible: "the network and the relay see that a door is open; what is said and where stays hidden".into(),
        }
    }

    /// Settings, broadcasts as the public vocabulary names them, and kept people, in clear.
    pub fn export(&self, now: Timestamp) -> ExportDocument {
        ExportDocument {
            format: EXPORT_FORMAT.to_owned(),
            exported_at: now.as_secs(),
            settings: self.settings().into(),
            broadcasts: self.broadcasts(now).broadcasts.into_iter().map(Into::into).collect(),
            people: self.kept.iter().map(|(id, kept)| kept_person(id, kept)).collect(),
            deniability: DENIABILITY.to_owned(),
            anonymity: self.anonymity_views(),
        }
    }

    /// Takes settings and people of an export; all of it or nothing.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn import(
        &mut self,
        now: Timestamp,
        document: ExportDocument,
        mode: ImportMode,
    ) -> Result<ImportReply, ImportError> {
        if !document.is_known_format() {
            return Err(ImportError::Format);
        }
        let change = document.settings.clone().check().map_err(ImportError::Setting)?;
        let people = checked_people(&document)?;
        let ignored = document.broadcasts.len() + people.iter().filter(|(id, _)| self.kept.contains_key(id)).count();
        let new: Vec<_> = people.into_iter().filter(|(id, _)| !self.kept.contains_key(id)).collect();
        let settings_differ = SettingsBody::from(self.settings()) != document.settings;
        let changed = new.len() + usize::from(settings_differ);
        let reply = |changed| ImportReply { changed, ignored: count(ignored) };
        if mode == ImportMode::Validate {
            return Ok(reply(0));
        }
        self.kept.extend(new);
        self.change_settings(now, &change);
        Ok(reply(count(changed)))
    }
}

fn checked_people(document: &ExportDocument) -> Result<Vec<(String, KeptPerson)>, ImportError> {
    let check = |(at, person): (usize, &mosaic_api::Person)| {
        let refused = ImportError::Person { number: at + 1 };
        let id: mosaic_discovery::AssociationId = person.id.parse().map_err(|_| refused.clone())?;
        let contact = ContactText::new(&person.contact).map_err(|_| refused)?;
        Ok((id.to_string(), KeptPerson::new(&contact, Timestamp::from_secs(person.since))))
    };
    document.people.iter().enumerate().map(check).collect()
}
