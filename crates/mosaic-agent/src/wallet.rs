use std::{collections::BTreeMap, time::Duration};

use mosaic_federation::{Issuers, Purchase, Span, hour};
use mosaic_types::{ProviderId, ServiceClass, Timestamp};
use mosaic_wire::{SignedTerms, TokenPurpose, TokensQuery, TokensReply, WireToken};
use rand::{CryptoRng, RngExt as _};

/// Tokens of one device, each good at one provider for one purpose in one hour. In memory only: whoever takes the
/// device finds none, and a restart buys the rest of the day anew.
///
/// When and how much is bought follows from the clock and the service class, which the network sees anyway. What is
/// spent shows in neither.
pub(crate) struct Wallet {
    issuers: Issuers,
    orders: BTreeMap<u64, Order>,
    last: u64,
    /// When the next day is bought, and its first hour.
    tomorrow: Option<(u32, Timestamp)>,
}

/// A purchase and how far each issuer is.
struct Order {
    purchase: Purchase,
    issuers: BTreeMap<ProviderId, Progress>,
}

#[derive(Clone, Copy)]
struct Progress {
    next: Next,
    /// Whether it has failed once, or was down.
    failed: bool,
    /// Queries made for it: each cost a puzzle.
    queries: u32,
}

#[derive(Clone, Copy)]
enum Next {
    /// To be asked, from an instant on.
    Ask(Timestamp),
    /// Terms or tokens are on their way.
    Answer,
    /// Its authenticators are there.
    Done,
}

/// Rest after a query that nobody answered.
pub(crate) const REST: Duration = Duration::from_secs(5);

/// Hours of a day.
const DAY: u32 = 24;

/// Tomorrow is bought at a time drawn from these last hours of a day.
const AHEAD: Duration = Duration::from_hours(6);

/// And this long before the day at the latest, since a puzzle takes a while.
const SPARE: Duration = Duration::from_mins(10);

/// An open door's tokens reach over its two hours, wherever in an hour it begins.
const DOOR_HOURS: u8 = 3;

impl Wallet {
    pub(crate) const fn new(issuers: Issuers) -> Self {
        Self { issuers, orders: BTreeMap::new(), last: 0, tomorrow: None }
    }

    /// Units an hour that a class is given: a unit is three deposits at each provider and hour. Ten events an hour fit
    /// two units with one of three providers down and some sent twice; an emergency adds ten; a door has sixty more.
    const fn units(class: ServiceClass) -> u8 {
        match class {
            ServiceClass::Balanced | ServiceClass::Maximum => 2,
            ServiceClass::Emergency => 4,
            ServiceClass::OpenDoor => 10,
        }
    }

    /// Opens the orders that time asks for.
    pub(crate) fn order(&mut self, now: Timestamp, class: ServiceClass, rng: &mut impl CryptoRng) {
        let present = hour(now);
        self.orders.retain(|_, order| order.purchase.span().hours().end > present);
        let held = self.units_in(present);
        if held < Self::units(class) {
            let rest = u8::try_from(DAY - present % DAY).unwrap_or(1);
            let hours = if class == ServiceClass::OpenDoor { DOOR_HOURS } else { rest };
            self.open(now, Span { first: present, hours, units: Self::units(class) - held }, rng);
        }
        let first = present - present % DAY + DAY;
        let at = match self.tomorrow {
            Some((drawn_for, at)) if drawn_for == first => at,
            _ => draw_before(first, now, rng),
        };
        self.tomorrow = Some((first, at));
        if now >= at && self.units_in(first + DAY - 1) == 0 {
            // a door that stands open today says nothing about tomorrow
            let units =
                if class == ServiceClass::OpenDoor { Self::units(ServiceClass::Balanced) } else { Self::units(class) };
            self.open(now, Span { first, hours: DAY as u8, units }, rng);
        }
    }

    fn units_in(&self, hour: u32) -> u8 {
        let spans = self.orders.values().map(|order| order.purchase.span());
        spans.filter(|span| span.hours().contains(&hour)).fold(0, |units, span| units.saturating_add(span.units))
    }

    fn open(&mut self, now: Timestamp, span: Span, rng: &mut impl CryptoRng) {
        self.last += 1;
        let wanted = Progress { next: Next::Ask(now), failed: false, queries: 0 };
        let issuers = self.issuers.ids().map(|id| (id, wanted)).collect();
        self.orders.insert(self.last, Order { purchase: Purchase::new(&self.issuers, span, rng), issuers });
    }

    /// Whose terms are to be asked for now, for which order; marks them as asked. Nobody waits for who is down.
    pub(crate) fn claim_queries(&mut self, now: Timestamp, live: &[ProviderId]) -> Vec<(u64, ProviderId)> {
        let mut claimed = Vec::new();
        for (id, order) in &mut self.orders {
            for (issuer, progress) in &mut order.issuers {
                let due = matches!(progress.next, Next::Ask(from) if from <= now);
                if due && live.contains(issuer) {
                    progress.next = Next::Answer;
                    claimed.push((*id, *issuer));
                } else if due {
                    progress.failed = true;
                }
            }
        }
        claimed
    }

    /// The query for an issuer whose terms came; `None` when the order is gone, or asks for what nobody should pay.
    pub(crate) fn ask(
        &mut self,
        order: u64,
        issuer: ProviderId,
        terms: &SignedTerms,
        rng: &mut impl CryptoRng,
    ) -> Option<TokensQuery> {
        let order = self.orders.get_mut(&order)?;
        let query = order.purchase.ask(issuer, rng).ok()?;
        let paid = terms.puzzle(&query).is_reasonable();
        order.issuers.get_mut(&issuer)?.queries += u32::from(paid);
        paid.then_some(query)
    }

    /// Takes what an issuer evaluated; false when it is not of its public key.
    pub(crate) fn take_reply(&mut self, order: u64, issuer: ProviderId, reply: &TokensReply) -> bool {
        let Some(order) = self.orders.get_mut(&order) else { return true };
        let taken = order.purchase.take_reply(issuer, reply).is_ok();
        if taken && let Some(progress) = order.issuers.get_mut(&issuer) {
            progress.next = Next::Done;
        }
        taken
    }

    /// Asks again after `wait`, and after a time that doubles with each puzzle that brought nothing: who takes solutions
    /// and gives no tokens does not keep a device busy.
    pub(crate) fn failed(&mut self, order: u64, issuer: ProviderId, now: Timestamp, wait: Duration) {
        if let Some(progress) = self.orders.get_mut(&order).and_then(|order| order.issuers.get_mut(&issuer)) {
            let patience = if progress.queries == 0 { Duration::ZERO } else { REST * (1 << progress.queries.min(7)) };
            (progress.next, progress.failed) = (Next::Ask(now.after(wait.max(patience))), true);
        }
    }

    pub(crate) fn has(&self, now: Timestamp, provider: ProviderId, purpose: TokenPurpose) -> bool {
        self.settled().any(|order| order.purchase.count(provider, purpose, hour(now)) > 0)
    }

    pub(crate) fn take(&mut self, now: Timestamp, provider: ProviderId, purpose: TokenPurpose) -> Option<WireToken> {
        let orders = self.orders.values_mut().filter(|order| order.is_settled());
        orders.filter_map(|order| order.purchase.take(provider, purpose, hour(now))).next()
    }

    /// Drops this hour's tokens of a provider that does not take them.
    pub(crate) fn discard(&mut self, now: Timestamp, provider: ProviderId, purpose: TokenPurpose) {
        self.orders.values_mut().for_each(|order| order.purchase.discard(provider, purpose, hour(now)));
    }

    /// When there is something to buy, or tokens of another hour to use.
    pub(crate) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let wanted =
            self.orders.values().flat_map(|order| order.issuers.values()).filter_map(|progress| match progress.next {
                Next::Ask(from) => Some(from),
                _ => None,
            });
        let times = wanted.chain(self.tomorrow.map(|(_, at)| at)).chain([next_hour(now)]);
        times.filter(|at| *at > now).min()
    }

    /// Whether all that will come for the present hour, as far as is known, is there.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        self.units_in(hour(now)) > 0 && self.orders.values().all(Order::is_settled)
    }

    fn settled(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| order.is_settled())
    }
}

impl Order {
    /// Whether every issuer has answered or failed once: a token that leaves before lacks an authenticator that others
    /// have, which would tell it apart.
    fn is_settled(&self) -> bool {
        self.issuers.values().all(|progress| progress.failed || matches!(progress.next, Next::Done))
    }
}

/// When other tokens are good.
pub(crate) fn next_hour(now: Timestamp) -> Timestamp {
    Timestamp::from_secs((u64::from(hour(now)) + 1) * 3_600)
}

/// An instant in the last hours before `first`, not before `now`; late in a day, at once.
fn draw_before(first: u32, now: Timestamp, rng: &mut impl CryptoRng) -> Timestamp {
    let end = Timestamp::from_secs(u64::from(first) * 3_600);
    let (from, until) = (end.before(AHEAD).max(now).as_millis(), end.before(SPARE).as_millis());
    if from >= until { now } else { Timestamp::from_millis(rng.random_range(from..until)) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::fixtures::federation;

    const MORNING: Timestamp = Timestamp::from_secs(20_411 * 86_400 + 8 * 3_600);

    fn wallet() -> (Wallet, ChaCha20Rng) {
        (Wallet::new(Issuers::of(federation().descriptor())), ChaCha20Rng::seed_from_u64(3))
    }

    fn spans(wallet: &Wallet) -> Vec<(u32, u8, u8)> {
        let span = |order: &Order| order.purchase.span();
        wallet.orders.values().map(span).map(|span| (span.first, span.hours, span.units)).collect()
    }

    #[test]
    fn a_day_is_bought_at_its_start_and_the_next_one_ahead_whatever_was_spent() {
        let (mut wallet, mut rng) = wallet();
        let first = hour(MORNING);
        wallet.order(MORNING, ServiceClass::Balanced, &mut rng);
        assert_eq!(spans(&wallet), [(first, 16, 2)]);
        let (drawn_for, at) = wallet.tomorrow.unwrap();
        let midnight = Timestamp::from_secs(20_412 * 86_400);
        assert_eq!(drawn_for, first + 16);
        assert!(midnight.before(AHEAD) <= at && at < midnight.before(SPARE));
        for minute in 0..24 * 60 {
            wallet.order(MORNING.after(Duration::from_mins(minute)), ServiceClass::Balanced, &mut rng);
        }
        assert_eq!(spans(&wallet), [(first + 16, 24, 2)], "one order a day, and yesterday's is gone");
    }

    #[test]
    fn a_door_and_an_emergency_add_what_they_need() {
        let (mut wallet, mut rng) = wallet();
        let first = hour(MORNING);
        wallet.order(MORNING, ServiceClass::Balanced, &mut rng);
        wallet.order(MORNING, ServiceClass::OpenDoor, &mut rng);
        wallet.order(MORNING, ServiceClass::OpenDoor, &mut rng);
        assert_eq!(spans(&wallet), [(first, 16, 2), (first, 3, 8)]);
        let later = MORNING.after(Duration::from_hours(4));
        wallet.order(later, ServiceClass::Emergency, &mut rng);
        assert_eq!(spans(&wallet), [(first, 16, 2), (first + 4, 12, 2)]);
    }

    #[test]
    fn nothing_leaves_before_every_issuer_answered_or_failed() {
        let (mut wallet, mut rng) = wallet();
        wallet.order(MORNING, ServiceClass::Maximum, &mut rng);
        let ids: Vec<ProviderId> = wallet.issuers.ids().collect();
        assert_eq!(wallet.claim_queries(MORNING, &ids[..2]), [(1, ids[0]), (1, ids[1])], "who is down is not asked");
        assert_eq!(wallet.claim_queries(MORNING, &ids[..2]), [], "nobody is asked twice");
        let until = MORNING.after(REST);
        assert_eq!(wallet.settled().count(), 0);
        wallet.failed(1, ids[0], MORNING, REST);
        assert_eq!((wallet.settled().count(), wallet.next_wake(MORNING)), (0, Some(until)));
        wallet.failed(1, ids[1], MORNING, REST);
        assert_eq!(wallet.settled().count(), 1, "and nobody waits for who is down");
        assert_eq!(wallet.claim_queries(until, &ids).len(), 3, "again, after a rest");
        assert_eq!(wallet.settled().count(), 1, "what is there may be spent meanwhile");
    }

    #[test]
    fn a_price_beyond_reason_is_not_paid() {
        let (mut wallet, mut rng) = wallet();
        wallet.order(MORNING, ServiceClass::Maximum, &mut rng);
        let provider = wallet.issuers.ids().next().unwrap();
        let good = SignedTerms {
            provider,
            memory_kib: 1 << 16,
            passes: 1,
            stamp_bits: 18,
            work: 16,
            seed: [0; 32],
            signature: [0; 64],
        };
        assert!(wallet.ask(1, provider, &good, &mut rng).is_some());
        for dear in [SignedTerms { memory_kib: 1 << 20, ..good }, SignedTerms { work: u32::MAX, ..good }] {
            assert!(wallet.ask(1, provider, &dear, &mut rng).is_none(), "{dear:?}");
        }
        // one puzzle was paid for and brought nothing
        wallet.failed(1, provider, MORNING, REST);
        assert_eq!(wallet.next_wake(MORNING), Some(MORNING.after(2 * REST)));
        for _ in 0..20 {
            wallet.ask(1, provider, &good, &mut rng).unwrap();
        }
        wallet.failed(1, provider, MORNING, REST);
        assert_eq!(wallet.next_wake(MORNING), Some(MORNING.after(128 * REST)), "ten minutes and a little at most");
    }
}
