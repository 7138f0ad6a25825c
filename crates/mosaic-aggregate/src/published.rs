use std::fmt;

use mosaic_types::{ClassId, ClassShares, InvalidShares};

use crate::{Answer, Counted, NoisedAnswer, PartOfDay, Statement};

/// A statement that two providers signed: the only thing that is shown to people or written to other systems (L4-09). It is
/// made by [`crate::SignedStatement::verify`] alone, so whatever is in it has the noise of both aggregators on it.
#[derive(Clone, PartialEq, Eq)]
pub struct Published(Statement);

impl Published {
    /// Below so many people nothing is said of an answer (C-70).
    pub const FEWEST: f64 = 10.0;

    pub(crate) const fn new(statement: Statement) -> Self {
        Self(statement)
    }

    /// What was counted.
    pub const fn counted(&self) -> Counted {
        self.0.counted
    }

    /// ε of each aggregator's noise, for one report more, less or other; δ is 0.
    pub fn epsilon(&self) -> f64 {
        self.0.epsilon.get()
    }

    /// How many reports were counted, rounded down to whole hundreds.
    pub const fn reports(&self) -> u32 {
        self.0.hundreds.saturating_mul(100)
    }

    /// About how many people wished for something of a class in a part of the day; nothing below [`Self::FEWEST`].
    pub fn wishes(&self, class: ClassId, part: PartOfDay) -> Option<f64> {
        Self::shown(self.estimate(Answer::wish(class, part)))
    }

    /// About how many people wished for something of a class.
    pub fn of_class(&self, class: ClassId) -> Option<f64> {
        Self::shown(PartOfDay::ALL.iter().map(|part| self.estimate(Answer::wish(class, *part))).sum())
    }

    /// About how many people wished for nothing.
    pub fn nothing(&self) -> Option<f64> {
        Self::shown(self.estimate(Answer::NOTHING))
    }

    /// How popular every class is. A class of which nothing is said counts as one that [`Self::FEWEST`] people wish for: it
    /// may be that popular.
    ///
    /// # Errors
    /// [`InvalidShares`] never: every number is [`Self::FEWEST`] or more.
    pub fn class_shares(&self) -> Result<ClassShares, InvalidShares> {
        let mut people = [Self::FEWEST; ClassId::COUNT as usize];
        for (number, people) in (0..).zip(&mut people) {
            let class = ClassId::new(number).ok();
            *people = class.and_then(|class| self.of_class(class)).unwrap_or(Self::FEWEST);
        }
        ClassShares::new(people)
    }

    fn shown(estimate: f64) -> Option<f64> {
        (estimate >= Self::FEWEST).then_some(estimate)
    }

    /// The number of people without the randomised response: of n reports an answer gets n q from others and p - q of its
    /// own. All counts together are the reports but for the noise, and more exact than their hundreds.
    fn estimate(&self, answer: Answer) -> f64 {
        let all: f64 = self.0.counts.iter().map(|count| f64::from(*count)).sum();
        let (kept, other) = NoisedAnswer::probabilities();
        let count = self.0.counts.get(usize::from(answer.number())).copied().unwrap_or_default();
        (f64::from(count) - all * other) / (kept - other)
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
