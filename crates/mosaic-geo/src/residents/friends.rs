//! Who is whose friend, and when friends are together.

use mosaic_types::{LatLng, Timestamp};

use super::{DayPlan, NoPlaces, Resident, Residents, timetable::Date};
use crate::{PlaceIndex, seeded::Seeded};

/// Residents with friendships. Friends agree, now and then, on an evening at one venue; everything else they do is as
/// without friends. The same places, number and seed always give the same society.
#[derive(Clone, Debug, PartialEq)]
pub struct Society {
    residents: Residents,
    friends: Friends,
    seed: u64,
}

/// Friendships: who knows whom, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Friends {
    /// Where each person's friends begin in `of`; one more at the end.
    from: Vec<u32>,
    of: Vec<u32>,
}

/// How likely friends want to meet on a given day: once in ten days.
const OFTEN: f64 = 0.1;
/// How many friends a person looks for, at least and at most; as many look for them.
const SOUGHT: (usize, usize) = (1, 4);

impl Society {
    /// Draws `count` residents and their friendships.
    ///
    /// # Errors
    /// [`NoPlaces`] when the index is empty.
    pub fn generate(places: &PlaceIndex, count: usize, seed: u64) -> Result<Self, NoPlaces> {
        let residents = Residents::generate(places, count, seed)?;
        let friends = Friends::draw(residents.all(), seed);
        Ok(Self { residents, friends, seed })
    }

    /// Everybody, by number.
    pub fn residents(&self) -> &[Resident] {
        self.residents.all()
    }

    /// Who knows whom.
    pub const fn friends(&self) -> &Friends {
        &self.friends
    }

    /// The plan of the day of a person that holds this instant, with the evening among friends if there is one;
    /// `None` for nobody.
    pub fn day(&self, person: u32, at: Timestamp) -> Option<DayPlan> {
        let resident = self.residents().get(person as usize)?;
        let date = self.meets(person, at).and_then(|friend| self.date(person, friend, at));
        Some(resident.day_with(at, date))
    }

    /// The friend with whom a person spends the evening of that day. Two meet when each is the other's first choice.
    pub fn meets(&self, person: u32, at: Timestamp) -> Option<u32> {
        let day = self.residents().get(person as usize)?.day_number(at).0;
        let friend = self.choice(person, day)?;
        (self.choice(friend, day) == Some(person)).then_some(friend)
    }

    /// Of the friends who want to meet that day, the one it is most urgent with.
    fn choice(&self, person: u32, day: i64) -> Option<u32> {
        let wish = |friend: &u32| {
            let (low, high) = (person.min(*friend), person.max(*friend));
            let urgency = Seeded::new(&[self.seed, 4, low.into(), high.into(), day.cast_unsigned()]).unit();
            (urgency < OFTEN).then_some((urgency, *friend))
        };
        let wishes = self.friends.of(person).iter().filter_map(wish);
        wishes.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(_, friend)| friend)
    }

    /// Where and when: one of the haunts of the one or the other. The same, whoever of the two is asked.
    fn date(&self, person: u32, friend: u32, at: Timestamp) -> Option<Date> {
        let (low, high) = (person.min(friend), person.max(friend));
        let [first, second] = [low, high].map(|number| self.residents().get(number as usize));
        let (first, second) = (first?, second?);
        let day = first.day_number(at).0.cast_unsigned();
        let mut draw = Seeded::new(&[self.seed, 5, low.into(), high.into(), day]);
        let host = if draw.chance(0.5) { first } else { second };
        let venue = draw.pick(host.outings()).copied()?;
        let from = draw.between(19.5, 20.5);
        Some(Date { venue, from, until: from + draw.between(1.5, 3.5) })
    }
}

impl Friends {
    /// Each person looks for a few friends: half of them among those with the same favourite venue, the others among
    /// colleagues, neighbours and, seldom, anywhere.
    fn draw(people: &[Resident], seed: u64) -> Self {
        let circles = [
            Circles::by(people, |person| person.outings().first().copied()),
            Circles::by(people, Resident::work),
            Circles::by(people, |person| Some(person.home())),
        ];
        let mut pairs = Vec::new();
        for (number, _) in (0_u32..).zip(people) {
            let draw = &mut Seeded::new(&[seed, 3, number.into()]);
            for _ in 0..SOUGHT.0 + draw.below(SOUGHT.1 - SOUGHT.0 + 1) {
                let kind = draw.unit();
                let circle = circles.get(usize::from(kind > 0.5) + usize::from(kind > 0.75) + usize::from(kind > 0.9));
                let friend = match circle {
                    Some(circle) => circle.near(number, draw),
                    None => u32::try_from(draw.below(people.len())).ok(),
                };
                pairs.extend(friend.filter(|friend| *friend != number).map(|friend| (number, friend)));
            }
        }
        Self::from_pairs(people.len(), &pairs)
    }

    fn from_pairs(people: usize, pairs: &[(u32, u32)]) -> Self {
        let mut both: Vec<(u32, u32)> = pairs.iter().flat_map(|&(a, b)| [(a, b), (b, a)]).collect();
        both.sort_unstable();
        both.dedup();
        let start = |number: usize| both.partition_point(|(a, _)| (*a as usize) < number);
        let from = (0..=people).map(|number| u32::try_from(start(number)).unwrap_or(u32::MAX)).collect();
        Self { from, of: both.into_iter().map(|(_, b)| b).collect() }
    }

    /// A person's friends, ascending; none for nobody.
    pub fn of(&self, person: u32) -> &[u32] {
        let at = |number: usize| self.from.get(number).map(|start| *start as usize);
        let range = at(person as usize).zip(at(person as usize + 1));
        range.and_then(|(from, until)| self.of.get(from..until)).unwrap_or_default()
    }

    /// Every friendship once, the lower number first, ascending.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        let people = u32::try_from(self.from.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let above = |person: u32| self.of(person).iter().filter(move |friend| **friend > person);
        (0..people).flat_map(move |person| above(person).map(move |friend| (person, *friend)))
    }
}

/// People in an order that puts those who share something side by side.
struct Circles {
    order: Vec<u32>,
    /// Where each person stands in the order.
    place: Vec<u32>,
}

/// How far along the order friends are looked for.
const AROUND: usize = 40;

impl Circles {
    fn by(people: &[Resident], shared: impl Fn(&Resident) -> Option<LatLng>) -> Self {
        // positions are compared by their bits: what matters is that equal ones meet
        let key = |person: &Resident| shared(person).map(|at| (at.lat().to_bits(), at.lng().to_bits()));
        let mut order: Vec<_> = (0_u32..).zip(people).map(|(number, person)| (key(person), number)).collect();
        order.sort_unstable();
        let order: Vec<u32> = order.into_iter().map(|(_, number)| number).collect();
        let mut place = vec![0; order.len()];
        for (at, number) in (0_u32..).zip(&order) {
            if let Some(slot) = place.get_mut(*number as usize) {
                *slot = at;
            }
        }
        Self { order, place }
    }

    /// Somebody among the next ones in the order, going round.
    fn near(&self, person: u32, draw: &mut Seeded) -> Option<u32> {
        let at = *self.place.get(person as usize)? as usize;
        let step = 1 + draw.below(AROUND.min(self.order.len().saturating_sub(1)).max(1));
        self.order.get((at + step) % self.order.len().max(1)).copied()
    }
}
