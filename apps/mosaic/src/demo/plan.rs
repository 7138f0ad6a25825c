//! Who is where when, and wants what. Everything follows from the seed.

use std::{path::PathBuf, time::Duration};

use mosaic_geo::{
    LocalTime, PlaceIndex, Provenance, Residents, Traces, distance_m,
    movement::{Gathering, position_at, stay_points},
    residents::Purpose,
    synthetic_city,
};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::{ClassId, ContextText, LatLng, Timestamp};
use rand::{
    RngExt as _, SeedableRng as _,
    seq::{IteratorRandom as _, SliceRandom as _},
};
use rand_chacha::ChaCha8Rng;

use crate::{
    commands::agent::CITY_SEED,
    exit::{Failure, Outcome},
};

/// What the person at the keyboard asked for.
pub(crate) struct Script {
    /// Real or built-in places.
    pub(crate) places: Option<PlaceIndex>,
    /// Real movement, or none.
    pub(crate) traces: Option<Traces>,
    /// How many people.
    pub(crate) agents: usize,
    /// How long, in hours of the evening.
    pub(crate) hours: f64,
    /// How many times faster than life.
    pub(crate) speed: f64,
    /// Seed of everything random in the plan.
    pub(crate) seed: u64,
    /// How many of the people have spent their location ledger before.
    pub(crate) exhausted: usize,
    /// Where the run keeps its folders meanwhile.
    pub(crate) folder: Option<PathBuf>,
}

/// Somebody says something.
#[derive(Clone)]
pub(crate) struct Wish {
    /// When.
    pub(crate) at: Timestamp,
    /// Where, truly.
    pub(crate) place: LatLng,
    /// What they mean.
    pub(crate) class: ClassId,
    /// In their own words.
    pub(crate) words: String,
}

/// One person.
#[derive(Clone)]
pub(crate) struct Person {
    /// Name, which occurs in their words and contact and must be found nowhere else.
    pub(crate) name: String,
    /// How they can be reached: what everybody gets whom a card led to them.
    pub(crate) contact: String,
    /// How the partner of the token can reach them: another number, so that a contact shows which way it came.
    pub(crate) token_contact: String,
    /// What they want tonight, by time.
    pub(crate) wishes: Vec<Wish>,
    /// Where their location ledger is spent before the evening; nowhere for most.
    pub(crate) spent_at: Vec<LatLng>,
    /// With whom they associate by a token: both know it, the lower number makes the token.
    pub(crate) partner: Option<usize>,
}

/// The evening.
pub(crate) struct Plan {
    /// Public places.
    pub(crate) places: PlaceIndex,
    /// Name of the area.
    pub(crate) area: String,
    /// The people, in no order.
    pub(crate) people: Vec<Person>,
    /// First instant.
    pub(crate) start: Timestamp,
    /// Last instant.
    pub(crate) end: Timestamp,
    /// How many times faster than life.
    pub(crate) speed: f64,
    /// What the plan follows from, and the devices with it.
    pub(crate) seed: u64,
}

/// From the first instant until everything runs and the first wish is said.
pub(crate) const PRELUDE: Duration = Duration::from_mins(20);
/// What a wish is given to be found in.
pub(crate) const FINDING: Duration = Duration::from_hours(1);
/// Left at the end, so that the last finding lies inside the evening.
const CODA: Duration = Duration::from_mins(65);
/// How many far-apart places spend a week's ledger: each costs ln 4 of 10.
const SPENDING: usize = 7;
/// Farther than one remembered point reaches.
const APART_M: f64 = 800.0;
/// How often recorded people say what they want: where they stop, else on the way.
const MOMENTS: usize = 3;
/// A Friday at 17:40 UTC: a table ends at 20:00, in the middle of the evening.
const FRIDAY: Timestamp = Timestamp::from_secs(1_780_681_200);

impl Plan {
    /// Draws the evening.
    pub(crate) fn draw(script: &mut Script) -> Outcome<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(script.seed);
        let length = Duration::from_secs_f64(script.hours * 3_600.0);
        if length < PRELUDE + CODA + Duration::from_mins(15) {
            return Err(Failure::usage("an evening lasts at least 1.7 hours"));
        }
        let (places, area, start, spots) = match script.traces.take() {
            Some(traces) => recorded(&traces, script, length, &mut rng)?,
            None => resident(script, length)?,
        };
        let mut people: Vec<Person> =
            spots.into_iter().enumerate().map(|(number, spots)| person(number, spots, &mut rng)).collect();
        for person in people.iter_mut().take(script.exhausted) {
            person.spent_at = far_apart(&places, &person.wishes);
        }
        pair_up(&mut people, &mut rng);
        Ok(Self { places, area, people, start, end: start.after(length), speed: script.speed, seed: script.seed })
    }
}

/// Public places far from each other and from where the wishes will be said, nearest first: each costs the ledger anew.
fn far_apart(places: &PlaceIndex, wishes: &[Wish]) -> Vec<LatLng> {
    let Some(first) = wishes.first() else { return Vec::new() };
    let mut chosen: Vec<LatLng> = Vec::new();
    for (place, _) in places.nearest(first.place, places.len()) {
        let said = wishes.iter().map(|wish| wish.place);
        if said.chain(chosen.iter().copied()).all(|other| distance_m(other, place.position) >= APART_M) {
            chosen.push(place.position);
        }
        if chosen.len() == SPENDING {
            break;
        }
    }
    chosen
}

/// Where somebody says something, when, and about which class.
type Spots = Vec<(Timestamp, LatLng, ClassId)>;

type Drawn = (PlaceIndex, String, Timestamp, Vec<Spots>);

/// When wishes may be said.
fn stage(start: Timestamp, length: Duration) -> (Timestamp, Timestamp) {
    (start.after(PRELUDE), start.after(length).before(CODA))
}

/// Generated residents, in the built-in city or on real places: each says what they want when their outing begins,
/// or from home at some moment.
fn resident(script: &mut Script, length: Duration) -> Outcome<Drawn> {
    let (places, area) = match script.places.take() {
        Some(places) => (places, "the places given".to_owned()),
        None => (synthetic_city(CITY_SEED), "Tessera, the built-in city".to_owned()),
    };
    let residents = Residents::generate(&places, script.agents, script.seed).map_err(Failure::usage)?;
    let offset = places.center().map_or(0.0, |center| f64::from(LocalTime::sun_ahead_h(center)) * 3_600.0);
    let start = if offset < 0.0 {
        FRIDAY.after(Duration::from_secs_f64(-offset))
    } else {
        FRIDAY.before(Duration::from_secs_f64(offset))
    };
    let (from, until) = stage(start, length);
    let span = until.since(from).as_secs().max(1);
    let spots = residents.all().iter().enumerate().map(|(number, resident)| {
        let plan = resident.day(from);
        let out = plan.stops().iter().find(|stop| stop.purpose == Purpose::Outing && stop.leave > from);
        // spread over the evening by number; who goes out speaks when they arrive
        let spread = from.after(Duration::from_secs((number as u64).wrapping_mul(7_919) % span));
        let at = out.map_or(spread, |stop| stop.arrive.clamp(from, until));
        let at = if at == from || at == until { spread } else { at };
        let place = out.map_or_else(|| plan.position_at(at).unwrap_or(resident.home()), |stop| stop.position);
        vec![(at, place, resident.interests()[0])]
    });
    let spots = spots.collect();
    Ok((places, area, start, spots))
}

/// Recorded people: the busiest stretch of the recording, and what they said where they stopped or passed.
fn recorded(traces: &Traces, script: &mut Script, length: Duration, rng: &mut ChaCha8Rng) -> Outcome<Drawn> {
    let start = busiest(traces, length).ok_or_else(|| Failure::usage("the traces hold no movement"))?;
    let (from, until) = stage(start, length);
    let mut users: Vec<&str> = traces.users().map(|(user, _)| user).collect();
    users.shuffle(rng);
    let mut spots: Vec<Spots> = Vec::new();
    for user in users {
        if spots.len() == script.agents {
            break;
        }
        let fixes = traces.fixes(user);
        let stops = stay_points(fixes, 100.0, Duration::from_mins(3));
        let inside = stops.iter().filter(|stop| stop.arrive >= from && stop.arrive <= until);
        let mut moments: Vec<(Timestamp, LatLng)> =
            inside.map(|stop| (stop.arrive, stop.position)).sample(rng, MOMENTS);
        for _ in moments.len()..MOMENTS {
            let any = from.after(Duration::from_secs(rng.random_range(0..until.since(from).as_secs().max(1))));
            moments.extend(position_at(fixes, any).map(|place| (any, place)));
        }
        moments.sort_by_key(|(at, _)| *at);
        // everywhere they want the same
        let class = class(rng);
        let said: Spots = moments.into_iter().map(|(at, place)| (at, place, class)).collect();
        if !said.is_empty() {
            spots.push(said);
        }
    }
    if spots.len() < 2 {
        return Err(Failure::usage("fewer than two recorded people move in the busiest stretch"));
    }
    let fits = |index: &PlaceIndex| {
        let near =
            spots.iter().flatten().filter(|(_, place, _)| index.nearest(*place, 1).iter().any(|(_, m)| *m < 500.0));
        2 * near.count() >= spots.len()
    };
    let (places, area) = match script.places.take().filter(fits) {
        Some(places) => (places, "the places given".to_owned()),
        None => {
            let own = Provenance::new("stops of the recorded movement", None);
            (PlaceIndex::from_stays(traces, Gathering::default(), own), "the recording's own stops".to_owned())
        }
    };
    if places.is_empty() {
        return Err(Failure::usage("no place fits the traces, and their stops are too few to make some"));
    }
    Ok((places, area, start, spots))
}

/// The start, on a whole hour, of the stretch in which most people move.
fn busiest(traces: &Traces, length: Duration) -> Option<Timestamp> {
    const HOUR: u64 = 3_600;
    let (first, last) = traces.span()?;
    let hours = usize::try_from(last.since(first).as_secs() / HOUR).ok()? + 1;
    let mut present = vec![0_u32; hours];
    for (_, fixes) in traces.users() {
        let mut seen: Vec<usize> = fixes.iter().map(|fix| (fix.at.since(first).as_secs() / HOUR) as usize).collect();
        seen.dedup();
        seen.into_iter().for_each(|hour| present[hour] += 1);
    }
    let wide = usize::try_from(length.as_secs().div_ceil(HOUR)).ok()?.min(hours);
    let best =
        present.windows(wide).enumerate().max_by_key(|(at, counts)| (counts.iter().sum::<u32>(), usize::MAX - at));
    best.map(|(at, _)| first.after(Duration::from_secs(at as u64 * HOUR)))
}

/// A class as common as among people's wishes.
fn class(rng: &mut ChaCha8Rng) -> ClassId {
    let classes = Vocabulary::builtin().classes();
    let mut point: f64 = rng.random_range(0.0..1.0);
    let found = classes.iter().find(|class| {
        point -= class.prior;
        point < 0.0
    });
    found.or_else(|| classes.first()).map_or_else(first_class, |class| class.id)
}

fn first_class() -> ClassId {
    match ClassId::new(0) {
        Ok(class) => class,
        Err(_) => unreachable!("zero is a class"),
    }
}

const NAMES: [&str; 20] = [
    "Anahita",
    "Bartolome",
    "Cassiopeia",
    "Desdemona",
    "Eleutherio",
    "Fiammetta",
    "Guillermina",
    "Hildegard",
    "Ignacio",
    "Jacquetta",
    "Kunigunde",
    "Leopoldine",
    "Melchiorre",
    "Nepomuk",
    "Ottavia",
    "Pantaleone",
    "Quirina",
    "Rosamunde",
    "Sebastiana",
    "Theodelinde",
];

fn person(number: usize, spots: Spots, rng: &mut ChaCha8Rng) -> Person {
    let name = format!("{}{}", NAMES[number % NAMES.len()], 100 + number);
    let mut contact = || format!("{name}, +351 9{:08}", rng.random_range(0..100_000_000_u32));
    let (contact, token_contact) = (contact(), contact());
    let wishes = spots.into_iter().map(|(at, place, class)| Wish { at, place, class, words: words(class, &name, rng) });
    Person { name: name.clone(), contact, token_contact, wishes: wishes.collect(), spent_at: Vec::new(), partner: None }
}

/// A sentence around a topic of the class that is read as that class.
fn words(class: ClassId, name: &str, rng: &mut ChaCha8Rng) -> String {
    let vocabulary = Vocabulary::builtin();
    let mut topics: Vec<_> = vocabulary.topics_of(class).collect();
    topics.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
    let topics: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let sentence = |topic: &str| format!("{topic}, anybody? Ask for {name}");
    let read_as_class = |topic: &&&str| {
        ContextText::new(&sentence(topic)).is_ok_and(|words| vocabulary.classify(&words).class == class)
    };
    let understood: Vec<&str> = topics.iter().filter(read_as_class).copied().collect();
    sentence(popular(&understood, rng).or_else(|| topics.first().copied()).unwrap_or("company"))
}

/// The n-th of a list with weight 1 / n: on one evening, many want the same few things.
fn popular<'a>(list: &[&'a str], rng: &mut ChaCha8Rng) -> Option<&'a str> {
    #[expect(clippy::cast_precision_loss, reason = "some hundred topics")]
    let weight = |rank: usize| 1.0 / (rank + 1) as f64;
    let total: f64 = (0..list.len()).map(weight).sum();
    let mut point = rng.random_range(0.0..1.0) * total;
    let found = (0..list.len()).find(|rank| {
        point -= weight(*rank);
        point < 0.0
    });
    found.and_then(|rank| list.get(rank)).or(list.first()).copied()
}

/// One in six associates by a token.
fn pair_up(people: &mut [Person], rng: &mut ChaCha8Rng) {
    let mut numbers: Vec<usize> = (0..people.len()).collect();
    numbers.shuffle(rng);
    let pairs = (people.len() / 12).max(1);
    for pair in numbers.chunks_exact(2).take(pairs) {
        if let [a, b] = *pair {
            people[a].partner = Some(b);
            people[b].partner = Some(a);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(agents: usize) -> Script {
        Script { places: None, traces: None, agents, hours: 3.0, speed: 120.0, seed: 7, exhausted: 2, folder: None }
    }

    #[test]
    fn the_same_seed_plays_the_same_evening() {
        let (a, b) = (Plan::draw(&mut script(12)).unwrap(), Plan::draw(&mut script(12)).unwrap());
        let essence = |plan: &Plan| -> Vec<_> {
            let said = plan.people.iter().flat_map(|person| person.wishes.iter());
            said.map(|wish| (wish.at, wish.words.clone(), wish.place.lat().to_bits())).collect()
        };
        assert_eq!(essence(&a), essence(&b));
        assert_eq!(a.people.iter().filter(|person| person.spent_at.len() == SPENDING).count(), 2);
    }

    #[test]
    fn a_ledger_is_spent_at_public_places_far_apart() {
        let plan = Plan::draw(&mut script(12)).unwrap();
        let person = &plan.people[0];
        for (number, place) in person.spent_at.iter().enumerate() {
            let others = person.spent_at[..number].iter().copied().chain(person.wishes.iter().map(|wish| wish.place));
            assert!(others.into_iter().all(|other| distance_m(other, *place) >= APART_M));
            assert!(plan.places.nearest(*place, 1)[0].1 < 1.0);
        }
        assert!(plan.people[5].spent_at.is_empty());
    }

    #[test]
    fn wishes_leave_time_to_be_found() {
        let plan = Plan::draw(&mut script(40)).unwrap();
        for wish in plan.people.iter().flat_map(|person| &person.wishes) {
            assert!(wish.at >= plan.start.after(PRELUDE) && wish.at.after(FINDING) < plan.end);
        }
        assert!(Plan::draw(&mut Script { hours: 1.0, ..script(4) }).is_err());
    }
}
