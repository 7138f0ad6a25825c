use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_types::{ProviderId, ServiceClass, Timestamp};
use mosaic_wire::{Address, CallFailure, Problem, ProblemCode, Retry};
use rand::CryptoRng;

use crate::draw;

/// How sealed requests reach a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Straight to it: it learns the device's IP address.
    Direct,
    /// Through another provider, which learns the address but sees nothing of the request.
    Relayed,
}

impl PathKind {
    /// The path of a class (DESIGN section 4). Maximum mode asks for Tor or mesh; a relay is the least it
    /// gets while neither is there.
    pub const fn of(class: ServiceClass) -> Self {
        match class {
            ServiceClass::Emergency => Self::Direct,
            ServiceClass::Balanced | ServiceClass::OpenDoor | ServiceClass::Maximum => Self::Relayed,
        }
    }

    /// Whether this path stands in for a better one that the class asks for and nothing provides yet: its
    /// person is to be told.
    pub const fn is_stand_in(class: ServiceClass) -> bool {
        matches!(class, ServiceClass::Maximum)
    }
}

/// What became of a call, as far as paths are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer, even an unwelcome one.
    Answered,
    /// The target's own refusal, from inside its sealed answer: no relay can have written it.
    Refused(Problem),
    /// No answer, or one that anybody on the path may have written.
    Failed(CallFailure),
}

/// How much of the federation answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every provider.
    Whole,
    /// Enough of them; the rest relay for each other.
    Degraded,
    /// Fewer than two: nothing can be acknowledged or evaluated.
    Insufficient,
}

#[derive(Clone, Debug, Default)]
struct Health {
    failures: u32,
    avoid_until: Option<Timestamp>,
    /// Relays that said this provider does not answer, since it last did.
    doubted_by: BTreeSet<ProviderId>,
}

/// Which providers answer, and random choices among them.
///
/// A provider that fails is left alone for a while that doubles with every further failure, then tried
/// again; one answer clears its record.
///
/// A relay could say of an honest provider that it does not answer. Its word alone puts only the relay
/// itself to rest; the target rests once two different relays said so without an answer in between, and
/// then they are cleared.
///
/// A provider that broke its word is not chosen while two others answer: [`Self::distrust`].
#[derive(Clone, Debug)]
pub struct Paths {
    health: BTreeMap<ProviderId, Health>,
    distrusted: BTreeSet<ProviderId>,
}

impl Paths {
    /// Rest after a first failure.
    pub const FIRST_REST: Duration = Duration::from_secs(5);
    /// Longest rest, whatever a provider asks for; up to a quarter of it is added at random.
    pub const LONGEST_REST: Duration = Duration::from_mins(10);
    /// Different relays that have to fail at a provider before it is held to be the cause.
    const WITNESSES: usize = 2;
    /// Providers that an acknowledgement or an evaluation takes.
    pub const QUORUM: usize = 2;

    /// All providers of a federation, none of them tried.
    pub fn new(providers: impl IntoIterator<Item = ProviderId>) -> Self {
        let health = providers.into_iter().map(|id| (id, Health::default())).collect();
        Self { health, distrusted: BTreeSet::new() }
    }

    /// Chooses `id` for nothing any more while a quorum of others answers, until it is [forgiven](Self::forgive).
    pub fn distrust(&mut self, id: ProviderId) {
        if self.health.contains_key(&id) {
            self.distrusted.insert(id);
        }
    }

    /// Chooses `id` like the others again.
    pub fn forgive(&mut self, id: ProviderId) {
        self.distrusted.remove(&id);
    }

    /// Providers to choose from at `now`, rising: none that rests, and none that broke its word unless fewer than
    /// two others are left.
    pub fn live(&self, now: Timestamp) -> Vec<ProviderId> {
        let rests = |health: &Health| health.avoid_until.is_some_and(|until| now < until);
        let answering: Vec<_> = self.health.iter().filter(|(_, health)| !rests(health)).map(|(id, _)| *id).collect();
        let trusted: Vec<_> = answering.iter().copied().filter(|id| !self.distrusted.contains(id)).collect();
        if trusted.len() >= Self::QUORUM { trusted } else { answering }
    }

    /// How much of the federation answered last time it was asked: a provider stays missing until it
    /// answers again, rest or no rest. One that broke its word is missing too.
    pub fn standing(&self) -> Standing {
        let well = self.health.keys().filter(|id| self.is_well(**id)).count();
        if well < Self::QUORUM {
            Standing::Insufficient
        } else if well < self.health.len() {
            Standing::Degraded
        } else {
            Standing::Whole
        }
    }

    /// Whether `id` answered last time it was asked, or was not asked yet, and never broke its word.
    pub fn is_well(&self, id: ProviderId) -> bool {
        self.health.get(&id).is_some_and(|health| health.failures == 0) && !self.distrusted.contains(&id)
    }

    /// When the next resting provider may be tried.
    pub fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.health.values().filter_map(|health| health.avoid_until).filter(|until| now < *until).min()
    }

    /// A random live provider to take a deposit.
    pub fn origin(&self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Option<ProviderId> {
        draw::one_of(&self.live(now), rng)
    }

    /// Two different random live providers: to evaluate, or to compare heads of.
    pub fn pair(&self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Option<[ProviderId; 2]> {
        draw::some_of(&self.live(now), 2, rng).try_into().ok()
    }

    /// A path to `target`. A relay is a random live provider, never the target, and none of `apart` when
    /// there is another (the second evaluator of a batch, who would learn half of it and the address).
    /// `None` when the path needs a relay and there is none.
    pub fn address(
        &self,
        now: Timestamp,
        target: ProviderId,
        kind: PathKind,
        apart: &[ProviderId],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Address> {
        if kind == PathKind::Direct {
            return Some(Address { provider: target, via: None });
        }
        let relays: Vec<_> = self.live(now).into_iter().filter(|id| *id != target).collect();
        let uninvolved: Vec<_> = relays.iter().copied().filter(|id| !apart.contains(id)).collect();
        let via = draw::one_of(if uninvolved.is_empty() { &relays } else { &uninvolved }, rng)?;
        Some(Address { provider: target, via: Some(via) })
    }

    /// Learns from what became of a call. Refusals that say nothing about health (a spent token, a closed
    /// table) count as answers.
    pub fn record(&mut self, now: Timestamp, at: Address, outcome: Outcome, rng: &mut (impl CryptoRng + ?Sized)) {
        let first_hop = at.via.unwrap_or(at.provider);
        match outcome {
            Outcome::Answered => self.answered(at),
            Outcome::Refused(problem) if is_unwell(problem.code) => {
                if let Some(relay) = at.via {
                    self.cleared(relay);
                }
                self.failed(at.provider, now, asked_by(problem), rng);
            }
            Outcome::Failed(CallFailure::Unreachable | CallFailure::TimedOut) => self.failed(first_hop, now, None, rng),
            Outcome::Failed(CallFailure::Refused(problem)) if is_unwell(problem.code) => {
                self.failed_somewhere(at, now, asked_by(problem), rng);
            }
            Outcome::Refused(_) | Outcome::Failed(CallFailure::Refused(_)) => self.answered(at),
            Outcome::Failed(_) => self.failed_somewhere(at, now, None, rng),
        }
    }

    /// Either hop may be the cause: the one we talk to, until relays agree that it is the other.
    fn failed_somewhere(
        &mut self,
        at: Address,
        now: Timestamp,
        asked: Option<Duration>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let Some(relay) = at.via else { return self.failed(at.provider, now, asked, rng) };
        let Some(target) = self.health.get_mut(&at.provider) else { return self.failed(relay, now, asked, rng) };
        target.doubted_by.insert(relay);
        if target.doubted_by.len() < Self::WITNESSES {
            return self.failed(relay, now, asked, rng);
        }
        let witnesses = target.doubted_by.clone();
        witnesses.into_iter().for_each(|relay| self.cleared(relay));
        // how long it rests is not for a relay to say
        self.failed(at.provider, now, None, rng);
    }

    fn answered(&mut self, at: Address) {
        for id in [Some(at.provider), at.via].into_iter().flatten() {
            self.cleared(id);
        }
        if let Some(target) = self.health.get_mut(&at.provider) {
            target.doubted_by.clear();
        }
    }

    /// It works; what others say of reaching it is another matter.
    fn cleared(&mut self, id: ProviderId) {
        if let Some(health) = self.health.get_mut(&id) {
            (health.failures, health.avoid_until) = (0, None);
        }
    }

    fn failed(&mut self, id: ProviderId, now: Timestamp, asked: Option<Duration>, rng: &mut (impl CryptoRng + ?Sized)) {
        if let Some(health) = self.health.get_mut(&id) {
            let doubled = Self::FIRST_REST * 2_u32.saturating_pow(health.failures.min(7));
            let rest = doubled.max(asked.unwrap_or_default()).min(Self::LONGEST_REST);
            health.failures = health.failures.saturating_add(1);
            // Up to a quarter more, so that the agents of a provider that returns do not return as one.
            health.avoid_until = Some(now.after(rest + draw::below(rest / 4, rng)));
        }
    }
}

/// Whether a refusal means that its author should be left alone.
fn is_unwell(code: ProblemCode) -> bool {
    code == ProblemCode::RelayUnreachable
        || (code != ProblemCode::Quota && matches!(code.retry(), Retry::Later | Retry::Elsewhere))
}

fn asked_by(problem: Problem) -> Option<Duration> {
    problem.retry_after_s.map(|seconds| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const NOW: Timestamp = Timestamp::from_secs(1_763_683_200);

    fn id(number: u8) -> ProviderId {
        ProviderId::new(number).unwrap()
    }

    fn three() -> Paths {
        Paths::new([id(1), id(2), id(3)])
    }

    fn direct(number: u8) -> Address {
        Address { provider: id(number), via: None }
    }

    #[test]
    fn a_failing_provider_rests_ever_longer_and_is_tried_again() {
        let (mut paths, mut rng, mut now) = (three(), ChaCha20Rng::seed_from_u64(1), NOW);
        let mut rests = Vec::new();
        for _ in 0..10 {
            paths.record(now, direct(2), Outcome::Failed(CallFailure::Unreachable), &mut rng);
            assert_eq!(paths.live(now), [id(1), id(3)]);
            let back = paths.next_retry(now).unwrap();
            rests.push(back.since(now).as_secs());
            now = back;
            assert_eq!(paths.live(now), [id(1), id(2), id(3)]);
            assert_eq!(paths.standing(), Standing::Degraded);
        }
        let bounds = [5, 10, 20, 40, 80, 160, 320, 600, 600, 600];
        assert!(rests.iter().zip(bounds).all(|(rest, least)| (least..=least * 5 / 4).contains(rest)), "{rests:?}");
        paths.record(now, direct(2), Outcome::Answered, &mut rng);
        assert_eq!(paths.standing(), Standing::Whole);
    }

    #[test]
    fn who_broke_its_word_is_chosen_only_when_two_others_do_not_answer() {
        let (mut paths, mut rng) = (three(), ChaCha20Rng::seed_from_u64(7));
        paths.distrust(id(3));
        paths.distrust(id(9));
        assert_eq!((paths.live(NOW), paths.standing()), (vec![id(1), id(2)], Standing::Degraded));
        for _ in 0..100 {
            assert_eq!(paths.pair(NOW, &mut rng).map(BTreeSet::from), Some([id(1), id(2)].into()));
            assert_ne!(paths.origin(NOW, &mut rng), Some(id(3)));
            let address = paths.address(NOW, id(1), PathKind::Relayed, &[], &mut rng).unwrap();
            assert_eq!(address.via, Some(id(2)));
        }
        // an answer changes nothing about it, and with one honest provider left there is no other choice
        paths.record(NOW, direct(3), Outcome::Answered, &mut rng);
        assert!(!paths.is_well(id(3)) && !paths.live(NOW).contains(&id(3)));
        paths.record(NOW, direct(1), Outcome::Failed(CallFailure::Unreachable), &mut rng);
        assert_eq!((paths.live(NOW), paths.standing()), (vec![id(2), id(3)], Standing::Insufficient));
        paths.distrust(id(2));
        let retry = paths.next_retry(NOW).unwrap();
        assert_eq!(paths.live(retry), [id(1), id(2), id(3)]);
        paths.forgive(id(3));
        assert_eq!(paths.live(retry), [id(1), id(3)]);
    }

    #[test]
    fn blame_falls_on_the_hop_that_failed() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let relayed = Address { provider: id(1), via: Some(id(2)) };
        let mut after = |outcome| {
            let mut paths = three();
            paths.record(NOW, relayed, outcome, &mut rng);
            paths.live(NOW)
        };
        let refused = |code: ProblemCode| Outcome::Failed(CallFailure::Refused(Problem::from(code)));
        assert_eq!(after(Outcome::Failed(CallFailure::Unreachable)), [id(1), id(3)]);
        assert_eq!(after(refused(ProblemCode::RelayUnreachable)), [id(1), id(3)]);
        assert_eq!(after(refused(ProblemCode::StorageFull)), [id(1), id(3)]);
        assert_eq!(after(refused(ProblemCode::TokenSpent)), [id(1), id(2), id(3)]);
        assert_eq!(after(refused(ProblemCode::Quota)), [id(1), id(2), id(3)]);
        assert_eq!(after(Outcome::Failed(CallFailure::Garbled)), [id(1), id(3)]);
        assert_eq!(after(Outcome::Refused(ProblemCode::StorageFull.into())), [id(2), id(3)], "sealed by the target");
        assert_eq!(after(Outcome::Refused(ProblemCode::TokenSpent.into())), [id(1), id(2), id(3)]);
    }

    #[test]
    fn one_relay_cannot_evict_another_provider() {
        let (mut paths, mut rng, mut now) = (three(), ChaCha20Rng::seed_from_u64(6), NOW);
        let lie = Outcome::Failed(CallFailure::Refused(Problem::after(ProblemCode::RelayUnreachable, u32::MAX)));
        for _ in 0..20 {
            paths.record(now, Address { provider: id(1), via: Some(id(2)) }, lie, &mut rng);
            assert_eq!(paths.live(now), [id(1), id(3)]);
            now = paths.next_retry(now).unwrap();
            assert!(now.since(NOW) <= Paths::LONGEST_REST * 5 / 4 * 20, "whatever it asks for");
        }
    }

    #[test]
    fn a_target_that_two_relays_cannot_reach_is_the_cause() {
        let (mut paths, mut rng) = (three(), ChaCha20Rng::seed_from_u64(7));
        let down = Outcome::Failed(CallFailure::Refused(Problem::after(ProblemCode::RelayUnreachable, u32::MAX)));
        let through = |relay| Address { provider: id(1), via: Some(id(relay)) };
        paths.record(NOW, through(2), down, &mut rng);
        paths.record(NOW, through(3), down, &mut rng);
        assert_eq!(paths.live(NOW), [id(2), id(3)], "and neither relay rests");
        let back = paths.next_retry(NOW).unwrap();
        assert!(back.since(NOW) <= Paths::FIRST_REST * 5 / 4, "a relay does not say for how long");
        paths.record(back, through(3), down, &mut rng);
        assert_eq!(paths.live(back), [id(2), id(3)], "still down, and still not their fault");
        paths.record(back, through(3), Outcome::Answered, &mut rng);
        paths.record(back, through(2), down, &mut rng);
        assert_eq!(paths.live(back), [id(1), id(3)], "an answer takes the doubts away");
    }

    #[test]
    fn no_provider_asks_for_more_than_the_longest_rest() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for (asked, granted) in [(60, 60), (3_600, 600), (u32::MAX, 600)] {
            let mut paths = three();
            let busy = CallFailure::Refused(Problem::after(ProblemCode::Overloaded, asked));
            paths.record(NOW, direct(1), Outcome::Failed(busy), &mut rng);
            let rest = paths.next_retry(NOW).unwrap().since(NOW).as_secs();
            assert!((granted..=granted * 5 / 4).contains(&rest), "{asked} s: {rest} s");
        }
    }

    #[test]
    fn with_one_down_the_other_two_relay_for_each_other_and_with_two_down_nothing_goes() {
        let (mut paths, mut rng) = (three(), ChaCha20Rng::seed_from_u64(4));
        paths.record(NOW, direct(3), Outcome::Failed(CallFailure::TimedOut), &mut rng);
        let address = paths.address(NOW, id(1), PathKind::Relayed, &[id(2)], &mut rng);
        assert_eq!(address, Some(Address { provider: id(1), via: Some(id(2)) }));
        paths.record(NOW, direct(2), Outcome::Failed(CallFailure::TimedOut), &mut rng);
        assert_eq!(paths.address(NOW, id(1), PathKind::Relayed, &[], &mut rng), None);
        assert_eq!((paths.pair(NOW, &mut rng), paths.standing()), (None, Standing::Insufficient));
    }

    /// Seed 5, 6,000 draws: each of three providers within 1,800 to 2,200 (five standard deviations).
    #[test]
    fn origins_are_uniform() {
        let (paths, mut rng) = (three(), ChaCha20Rng::seed_from_u64(5));
        let mut counts = [0; 3];
        for _ in 0..6_000 {
            let origin = paths.origin(NOW, &mut rng).unwrap();
            counts[usize::from(origin.get()) - 1] += 1;
        }
        assert!(counts.iter().all(|count| (1_800..=2_200).contains(count)), "{counts:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_relay_is_never_the_target_and_stands_apart_when_it_can(n in 2_u8..=5, seed: u64, target in 1_u8..=5) {
            let (target, mut rng) = (id(target.min(n)), ChaCha20Rng::seed_from_u64(seed));
            let paths = Paths::new((1..=n).map(id));
            let other = paths.live(NOW).into_iter().find(|id| *id != target).unwrap();
            let address = paths.address(NOW, target, PathKind::Relayed, &[target, other], &mut rng).unwrap();
            prop_assert_ne!(address.via, Some(target));
            prop_assert!(n == 2 || address.via != Some(other));
        }

        #[test]
        fn a_pair_is_two_different_live_providers(seed: u64, down in 1_u8..=4) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut paths = Paths::new((1..=4).map(id));
            paths.record(NOW, direct(down), Outcome::Failed(CallFailure::Unreachable), &mut rng);
            let [a, b] = paths.pair(NOW, &mut rng).unwrap();
            prop_assert!(a != b && a != id(down) && b != id(down));
        }
    }
}
