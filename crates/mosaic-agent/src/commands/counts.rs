//! Counts over many people, as the person sees them.

use mosaic_aggregate::{PartOfDay, Published};
use mosaic_api::{AggregatesReply, AnswersView, ClassCount, PartCount, StatementView};
use mosaic_types::{ClassId, Timestamp};

use super::class_name;
use crate::{answers::Answers, core::AgentCore};

impl AgentCore {
    /// What was published of the last days.
    pub fn aggregates(&self) -> AggregatesReply {
        AggregatesReply { statements: self.answers.statements().map(statement).collect() }
    }

    pub(super) fn answers_view(&self, now: Timestamp) -> AnswersView {
        let spending = self.answers.spending(now);
        AnswersView {
            aggregate: self.settings.reporting,
            days: self.answers.days_paid(now),
            epsilon_a_day: Answers::epsilon_a_day(),
            loss_a_day: Answers::loss_a_day(),
            epsilon_used: spending.used(),
            epsilon_total: spending.total,
        }
    }
}

fn statement(published: &Published) -> StatementView {
    let counted = published.counted();
    let classes = (0..ClassId::COUNT).filter_map(|class| ClassId::new(class).ok());
    StatementView {
        tile: counted.tile.0,
        day: u64::from(counted.day) * 86_400,
        reports: published.reports(),
        epsilon: published.epsilon(),
        fewest: Published::FEWEST,
        nothing: published.nothing(),
        classes: classes.map(|class| class_count(published, class)).collect(),
    }
}

fn class_count(published: &Published, class: ClassId) -> ClassCount {
    let parts = PartOfDay::ALL.into_iter().filter_map(|part| {
        let people = published.wishes(class, part)?;
        Some(PartCount { part: part.name().to_owned(), people })
    });
    ClassCount { class: class_name(class), people: published.of_class(class), parts: parts.collect() }
}
