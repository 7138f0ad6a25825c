//! Twelve hundred people report about a day, one of them with a whole device, and everybody learns what was counted.

use mosaic_aggregate::{Answer, Counted, PartOfDay, Published, SignedStatement, aggregators};
use mosaic_api::SettingsChange;
use mosaic_federation::{Federation, Issuers, Purchase, Span, hour};
use mosaic_release::ReleasedReport;
use mosaic_types::{ClassId, ProviderId, Reporting, Sensitive, Timestamp};
use mosaic_wire::{Call, CellReply, CellRequest, Reply, ReportFields, TokenPurpose, WireToken, encode};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::*;

/// People who only report, and buy their tokens together.
struct Reporters {
    rng: ChaCha20Rng,
    tokens: Option<Purchase>,
}

impl Reporters {
    fn token(&mut self, world: &mut World, federation: &Federation, provider: ProviderId) -> WireToken {
        let present = hour(world.now());
        let kept = |tokens: &mut Option<Purchase>| tokens.as_mut()?.take(provider, TokenPurpose::Deposit, present);
        if let Some(token) = kept(&mut self.tokens) {
            return token;
        }
        let span = Span { first: present, hours: 1, units: 220 };
        let mut purchase = Purchase::new(&Issuers::of(federation.descriptor()), span, &mut self.rng);
        for issuer in world.providers() {
            let Ok(Reply::Terms(terms)) = world.ask(issuer, Call::Terms) else { panic!("no terms") };
            let query = purchase.ask(issuer, &mut self.rng).unwrap().solved(&terms).unwrap();
            let Ok(Reply::Tokens(reply)) = world.ask(issuer, Call::Tokens(query)) else { panic!("no tokens") };
            purchase.take_reply(issuer, &reply).unwrap();
        }
        self.tokens = Some(purchase);
        kept(&mut self.tokens).unwrap()
    }

    /// Both shares of a report, after `spoil`, each to its aggregator.
    fn report(
        &mut self,
        world: &mut World,
        federation: &Federation,
        (counted, truth): (Counted, Answer),
        spoil: impl Fn(&mut [u8]),
    ) {
        let ids: Vec<ProviderId> = federation.descriptor().ids().collect();
        let pair = aggregators(&ids, counted.day).unwrap();
        let released = ReleasedReport::pair(counted, &Sensitive::new(truth), &mut self.rng).unwrap();
        let mut shares = released.map(|share| encode(&share));
        spoil(&mut shares[0]);
        for (provider, share) in pair.into_iter().zip(shares) {
            let token = self.token(world, federation, provider);
            let share: [u8; ReportFields::SIZE] = share.try_into().unwrap();
            let reply = world.ask(provider, Call::Cell(CellRequest::Report { token, share }));
            assert_eq!(reply, Ok(Reply::Cell(CellReply::Taken)));
        }
    }
}

/// Where a leader's share begins behind side, area, day, name and public share.
const SHARE: usize = 26 + ReportFields::PUBLIC_SHARE;

/// 1,199 people, ten whose share is garbage and ten who cast ten votes; after each group the helper is down for an hour.
fn everybody_reports(world: &mut World, counted: Counted, helper: ProviderId) {
    let federation = world.federation().clone();
    let mut reporters = Reporters { rng: ChaCha20Rng::seed_from_u64(32), tokens: None };
    let wish = |class, part| Answer::wish(ClassId::new(class).unwrap(), part);
    let groups = [(wish(0, PartOfDay::Evening), 700), (wish(3, PartOfDay::Morning), 300), (Answer::NOTHING, 199)];
    for (number, (truth, people)) in groups.into_iter().enumerate() {
        (0..people).for_each(|_| reporters.report(world, &federation, (counted, truth), |_| ()));
        match number {
            0 => (0..10).for_each(|_| {
                reporters.report(world, &federation, (counted, truth), |share| share[SHARE..].fill(7));
            }),
            1 => (0..10).for_each(|_| {
                let ten = |share: &mut [u8]| share[SHARE] = share[SHARE].wrapping_add(9);
                reporters.report(world, &federation, (counted, truth), ten);
            }),
            _ => {}
        }
        world.down(helper);
        world.advance(minutes(60));
        world.up(helper);
        world.advance(minutes(5));
    }
}

/// The one statement that all providers hand out.
fn published(world: &mut World) -> Published {
    let federation = world.federation().clone();
    let ids: Vec<ProviderId> = federation.descriptor().ids().collect();
    let said: Vec<_> = ids.iter().map(|provider| world.ask(*provider, Call::Statements)).collect();
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]));
    let Some(Ok(Reply::Statements(bytes))) = said.into_iter().next() else { panic!("no statements") };
    let statement = SignedStatement::decode_all(&bytes).into_iter().next().unwrap();
    statement.verify_turn(&ids, |id| federation.signing_key(id)).unwrap()
}

/// Of 1,200 people 700 wish for something of class 0 in the evening, 300 for class 3 in the morning and 200 for nothing; one
/// of the last has a device that lives through the day. Ten send garbage and ten cast ten votes. The helper is down for an
/// hour in between, and the leader dies while the day is closed. What is published counts the 1,200 and lies within five
/// deviations of the truth, √(1,200 · 0.25 + 16) / 0.454 = 39 people; a new device's personas like what was published, and
/// those of a device that has shown something stay what they are. Seed 31.
#[test]
fn a_day_is_counted_and_a_new_device_learns_of_it() {
    let mut world = World::new(Setup::new(31)).unwrap();
    let counted = Counted { tile: world.federation().descriptor().tile.id, day: 20_415 };
    let midnight = Timestamp::from_secs(20_416 * 86_400);
    let member = world.join(Mode::Maximum);
    let on = SettingsChange { reporting: Some(Reporting::On), ..SettingsChange::default() };
    world.act(member, |core, now, _| core.change_settings(now, &on));
    world.advance(midnight.after(minutes(30)).since(world.now()));

    let [leader, helper] = [1, 2].map(|number| ProviderId::new(number).unwrap());
    everybody_reports(&mut world, counted, helper);

    // the leader dies as the day is closed
    world.advance(counted.closes_at().since(world.now()));
    world.down(leader);
    world.advance(minutes(45));
    world.up(leader);
    world.advance(minutes(10));

    let published = published(&mut world);
    assert_eq!(
        (published.counted(), published.reports()),
        (counted, 1_200),
        "with the device's own, and nobody's ten votes"
    );
    let [food, outdoors] = [0, 3].map(|class| ClassId::new(class).unwrap());
    let found = [
        (published.wishes(food, PartOfDay::Evening), 700.0),
        (published.wishes(outdoors, PartOfDay::Morning), 300.0),
        (published.nothing(), 200.0),
    ];
    for (found, truth) in found {
        assert!((found.unwrap() - truth).abs() < 5.0 * 39.0, "{found:?} of {truth}");
    }

    let newcomer = world.join(Mode::Balanced);
    world.advance(minutes(2));
    let liked = |world: &mut World, person| world.act(person, |core, _, _| core.snapshot()).liked();
    assert_eq!(liked(&mut world, newcomer), Some(published.class_shares().unwrap()));
    assert_eq!(world.person(newcomer).agent().aggregates().statements.len(), 1);
    assert_eq!(liked(&mut world, member), None);
    let answers = world.person(member).agent().status(world.now()).answers;
    assert_eq!((answers.aggregate, answers.days), (Reporting::On, 2), "the next one is paid for before it leaves");
    let quiet = world.person(newcomer).agent().status(world.now()).answers;
    assert_eq!((quiet.aggregate, quiet.days, quiet.epsilon_used), (Reporting::Off, 0, 0.0));
}
