use crate::Category;

/// What somebody likes, by category. Never zero: a place that nobody could ever be drawn to would betray what is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile([f64; Category::ALL.len()]);

impl Profile {
    /// The least liking there is.
    pub const LEAST: f64 = 0.05;

    /// Nothing is preferred: 0.5 everywhere.
    pub const fn neutral() -> Self {
        Self([0.5; Category::ALL.len()])
    }

    /// The same with another liking for one category, within [`Self::LEAST`] to 1; what is no number changes nothing.
    #[must_use]
    pub fn with(mut self, category: Category, liking: f64) -> Self {
        if let Some(weight) = self.0.get_mut(category as usize).filter(|_| !liking.is_nan()) {
            *weight = liking.clamp(Self::LEAST, 1.0);
        }
        self
    }

    /// How much the person likes such places, [`Self::LEAST`] to 1.
    pub fn liking(&self, category: Category) -> f64 {
        self.0.get(category as usize).copied().unwrap_or(Self::LEAST)
    }

    /// The greatest liking for any category.
    pub(super) fn greatest(&self) -> f64 {
        self.0.iter().copied().fold(Self::LEAST, f64::max)
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::neutral()
    }
}
