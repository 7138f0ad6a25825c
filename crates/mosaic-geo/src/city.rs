//! Tessera, the small built-in city, for whoever has no map at hand. It is fictional and public, and lies in the open
//! South Atlantic around 45° S 0° E, where it can be mistaken for no real place and where local time is UTC.

use mosaic_types::LatLng;

use crate::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, offset_m, seeded::Seeded};

/// Half the side of the city's square, in metres.
const HALF_SIDE: f64 = 4_000.0;

/// How many people the built-in city is enough for.
const PEOPLE: usize = 2_000;

/// The middle of the city: 45° S, 0° E.
pub fn city_center() -> LatLng {
    LatLng::wrapped(-45.0, 0.0)
}

/// About 1,500 places within 8 by 8 km: an old town, four district centres with high streets, offices, parks, and homes
/// between them. The same seed always gives the same city.
pub fn synthetic_city(seed: u64) -> PlaceIndex {
    synthetic_city_for(seed, PEOPLE)
}

/// A city that is as dense whatever its size: 1,500 places on 64 km² for every 2,000 people, rounded up, at most for
/// half a million. For up to 2,000 it is [`synthetic_city`].
pub fn synthetic_city_for(seed: u64, people: usize) -> PlaceIndex {
    let boroughs = u32::try_from(people.div_ceil(PEOPLE).clamp(1, 256)).unwrap_or(256);
    let mut draw = Seeded::new(&[seed, 0x7e55]);
    let districts = Districts::draw(boroughs, &mut draw);
    let mut places = Vec::new();
    for &(tag, value, count, site) in INVENTORY {
        let kind = PlaceKind::new(tag, value);
        for _ in 0..count * boroughs {
            let position = districts.place(site, &mut draw);
            let name = name(&kind, &mut draw);
            places.push(Place { position, kind: kind.clone(), name, hours: hours(&kind).map(str::to_owned) });
        }
    }
    PlaceIndex::from_places(places, Provenance::new("Tessera, a generated city; public domain (CC0 1.0)", None))
}

/// Where a kind of place stands.
#[derive(Clone, Copy)]
enum Site {
    /// In the old town.
    OldTown,
    /// In the old town or a district centre.
    Centre,
    /// In or around a park.
    Park,
    /// Anywhere.
    Anywhere,
}

use Site::{Anywhere, Centre, OldTown, Park};

/// What there is, how many, and where. 1,500 places in the proportions of a European city, homes added.
const INVENTORY: &[(PlaceTag, &str, u32, Site)] = &[
    (PlaceTag::Building, "apartments", 340, Anywhere),
    (PlaceTag::Building, "house", 180, Anywhere),
    (PlaceTag::Amenity, "cafe", 60, Centre),
    (PlaceTag::Amenity, "restaurant", 90, Centre),
    (PlaceTag::Amenity, "fast_food", 35, Centre),
    (PlaceTag::Amenity, "bar", 40, Centre),
    (PlaceTag::Amenity, "pub", 16, Centre),
    (PlaceTag::Amenity, "nightclub", 5, OldTown),
    (PlaceTag::Amenity, "cinema", 4, Centre),
    (PlaceTag::Amenity, "theatre", 4, OldTown),
    (PlaceTag::Amenity, "library", 5, Centre),
    (PlaceTag::Amenity, "community_centre", 7, Centre),
    (PlaceTag::Amenity, "marketplace", 3, OldTown),
    (PlaceTag::Amenity, "townhall", 1, OldTown),
    (PlaceTag::Amenity, "bank", 14, Centre),
    (PlaceTag::Amenity, "post_office", 6, Centre),
    (PlaceTag::Amenity, "police", 2, Centre),
    (PlaceTag::Amenity, "fire_station", 2, Anywhere),
    (PlaceTag::Amenity, "place_of_worship", 12, Anywhere),
    (PlaceTag::Amenity, "school", 16, Anywhere),
    (PlaceTag::Amenity, "kindergarten", 16, Anywhere),
    (PlaceTag::Amenity, "university", 3, Centre),
    (PlaceTag::Amenity, "pharmacy", 18, Centre),
    (PlaceTag::Amenity, "doctors", 16, Anywhere),
    (PlaceTag::Amenity, "dentist", 14, Centre),
    (PlaceTag::Amenity, "hospital", 2, Anywhere),
    (PlaceTag::Amenity, "fuel", 8, Anywhere),
    (PlaceTag::Amenity, "bench", 50, Park),
    (PlaceTag::Amenity, "bicycle_parking", 36, Centre),
    (PlaceTag::Shop, "supermarket", 30, Anywhere),
    (PlaceTag::Shop, "bakery", 30, Anywhere),
    (PlaceTag::Shop, "convenience", 36, Anywhere),
    (PlaceTag::Shop, "clothes", 44, Centre),
    (PlaceTag::Shop, "hairdresser", 32, Anywhere),
    (PlaceTag::Shop, "books", 10, OldTown),
    (PlaceTag::Shop, "florist", 10, Centre),
    (PlaceTag::Shop, "electronics", 12, Centre),
    (PlaceTag::Shop, "bicycle", 8, Centre),
    (PlaceTag::Office, "company", 56, Centre),
    (PlaceTag::Office, "it", 20, Centre),
    (PlaceTag::Office, "government", 8, OldTown),
    (PlaceTag::Office, "lawyer", 10, OldTown),
    (PlaceTag::Office, "ngo", 8, Centre),
    (PlaceTag::Craft, "carpenter", 8, Anywhere),
    (PlaceTag::Craft, "electrician", 8, Anywhere),
    (PlaceTag::Craft, "brewery", 3, Centre),
    (PlaceTag::Craft, "tailor", 5, OldTown),
    (PlaceTag::Healthcare, "physiotherapist", 8, Centre),
    (PlaceTag::Leisure, "park", 16, Park),
    (PlaceTag::Leisure, "garden", 8, Park),
    (PlaceTag::Leisure, "playground", 26, Park),
    (PlaceTag::Leisure, "pitch", 18, Park),
    (PlaceTag::Leisure, "fitness_centre", 10, Centre),
    (PlaceTag::Leisure, "sports_centre", 5, Anywhere),
    (PlaceTag::Leisure, "swimming_pool", 3, Anywhere),
    (PlaceTag::Tourism, "hotel", 12, OldTown),
    (PlaceTag::Tourism, "hostel", 4, Centre),
    (PlaceTag::Tourism, "museum", 6, OldTown),
    (PlaceTag::Tourism, "gallery", 6, OldTown),
    (PlaceTag::Tourism, "attraction", 8, OldTown),
    (PlaceTag::Tourism, "viewpoint", 4, Anywhere),
];

/// Middles of what stands together, in metres east and north of the city's.
struct Districts {
    half_side: f64,
    centres: Vec<(f64, f64)>,
    parks: Vec<(f64, f64)>,
}

impl Districts {
    fn draw(boroughs: u32, draw: &mut Seeded) -> Self {
        let half_side = HALF_SIDE * f64::from(boroughs).sqrt();
        let mut around = |east: f64, north: f64| (east + 250.0 * draw.normal(), north + 250.0 * draw.normal());
        let mut centres = vec![
            around(2_000.0, 1_800.0),
            around(-2_100.0, 1_700.0),
            around(-1_900.0, -2_000.0),
            around(2_100.0, -1_900.0),
        ];
        let mut inside = |edge: f64| (draw.between(-edge, edge), draw.between(-edge, edge));
        let parks = (0..16 * boroughs).map(|_| inside(half_side - 600.0)).collect();
        centres.extend((4..4 * boroughs).map(|_| inside(half_side - 1_000.0)));
        Self { half_side, centres, parks }
    }

    fn place(&self, site: Site, draw: &mut Seeded) -> LatLng {
        let old_town = (0.0, 0.0);
        let ((east, north), spread) = match site {
            Site::OldTown => (old_town, 420.0),
            Site::Centre if draw.chance(0.4) => (old_town, 480.0),
            Site::Centre => (draw.pick(&self.centres).copied().unwrap_or(old_town), 380.0),
            Site::Park => (draw.pick(&self.parks).copied().unwrap_or(old_town), 110.0),
            Site::Anywhere => {
                ((draw.between(-self.half_side, self.half_side), draw.between(-self.half_side, self.half_side)), 0.0)
            }
        };
        let within = |metres: f64| metres.clamp(-self.half_side, self.half_side);
        let (east, north) = (within(east + spread * draw.normal()), within(north + spread * draw.normal()));
        offset_m(city_center(), east, north)
    }
}

const FIRST: [&str; 24] = [
    "Amber", "Anchor", "Birch", "Blue", "Bridge", "Canal", "Cedar", "Copper", "Corner", "Elder", "Garden", "Golden",
    "Harbour", "Hazel", "Iron", "Juniper", "Lantern", "Linden", "Meadow", "Mill", "North", "Olive", "Orchard", "River",
];
const SECOND: [&str; 16] = [
    "Court", "Gate", "Hill", "Lane", "Market", "Passage", "Path", "Place", "Quay", "Row", "Square", "Steps", "Street",
    "Terrace", "Walk", "Yard",
];

/// Homes and street furniture have no name.
fn name(kind: &PlaceKind, draw: &mut Seeded) -> String {
    if matches!(kind.category(), crate::Category::Home | crate::Category::Furniture) {
        return String::new();
    }
    let (first, second) = (draw.pick(&FIRST).unwrap_or(&""), draw.pick(&SECOND).unwrap_or(&""));
    format!("{first} {second} {}", kind.value().replace('_', " "))
}

fn hours(kind: &PlaceKind) -> Option<&'static str> {
    match (kind.tag(), kind.value()) {
        (_, "cafe") => Some("Mo-Su 07:00-19:00"),
        (_, "restaurant") => Some("Mo-Su 12:00-15:00,18:00-23:00"),
        (_, "fast_food") => Some("Mo-Su 11:00-24:00"),
        (_, "bar" | "pub") => Some("Mo-Su 17:00-02:00"),
        (_, "nightclub") => Some("Th-Sa 22:00-05:00"),
        (_, "library" | "museum" | "gallery") => Some("Tu-Su 10:00-18:00"),
        (PlaceTag::Shop, _) => Some("Mo-Sa 09:00-19:00"),
        (PlaceTag::Office, _) => Some("Mo-Fr 09:00-18:00"),
        _ => None,
    }
}
