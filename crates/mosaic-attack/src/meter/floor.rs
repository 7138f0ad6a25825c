use mosaic_types::{AnonymityFloor, Mode};

/// What happens to a bundle that an attacker would be too sure of.
///
/// The rule knows nothing of whose a bundle is: if one of ten stands out, all ten give way and another round takes
/// their place, so who misses a round learns that the meter found one of its bundles conspicuous, which whoever
/// knows the code can compute, and nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorAction {
    /// It is sent and shown to the person: who is in danger is never held back (emergency).
    Show,
    /// It is written once in each table at each resolution and gives way after that: half as often as without
    /// the meter, and never later (balanced).
    Slow,
    /// It gives way, and another bundle is sent in its place at the same instant (maximum).
    Withhold,
}

impl From<Mode> for FloorAction {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Emergency => Self::Show,
            Mode::Balanced => Self::Slow,
            Mode::Maximum => Self::Withhold,
        }
    }
}

impl FloorAction {
    /// The bundle that gives way, if one does: of those the posterior names with more than `1 / floor`, the
    /// likeliest that this action may hold back. `earlier` says of each whether it was written in an earlier
    /// window of the same table at this resolution.
    pub fn gives_way(self, floor: AnonymityFloor, posterior: &[f64], earlier: &[bool]) -> Option<usize> {
        let may = |at: usize| match self {
            Self::Show => false,
            Self::Slow => earlier.get(at).copied().unwrap_or_default(),
            Self::Withhold => true,
        };
        // a floor of one is never fallen below, whatever rounding makes of a certainty
        let below = |share: f64| floor > AnonymityFloor::NONE && share > floor.highest();
        let named = posterior.iter().copied().enumerate().filter(|(at, share)| below(*share) && may(*at));
        named.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_does_its_own() {
        let floor = AnonymityFloor::new(2.0).unwrap();
        let (sure, early, late) = ([0.1, 0.6, 0.3], [false; 3], [true; 3]);
        assert_eq!(FloorAction::Show.gives_way(floor, &sure, &late), None);
        assert_eq!(FloorAction::Slow.gives_way(floor, &sure, &early), None);
        assert_eq!(FloorAction::Slow.gives_way(floor, &sure, &late), Some(1));
        assert_eq!(FloorAction::Withhold.gives_way(floor, &sure, &early), Some(1));
        assert_eq!(FloorAction::Withhold.gives_way(floor, &[0.5, 0.5], &early), None);
        assert_eq!(FloorAction::Withhold.gives_way(AnonymityFloor::NONE, &[1.0 + 1e-9], &late), None);
    }

    #[test]
    fn modes_have_their_actions() {
        let actions = [Mode::Emergency, Mode::Balanced, Mode::Maximum].map(FloorAction::from);
        assert_eq!(actions, [FloorAction::Show, FloorAction::Slow, FloorAction::Withhold]);
    }
}
