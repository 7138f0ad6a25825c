use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Which tag of OpenStreetMap makes an object a place; the first one present, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaceTag {
    /// `amenity=…`
    Amenity,
    /// `shop=…`
    Shop,
    /// `leisure=…`
    Leisure,
    /// `tourism=…`
    Tourism,
    /// `office=…`
    Office,
    /// `craft=…`
    Craft,
    /// `healthcare=…`
    Healthcare,
    /// A place where several people of a trace stopped; what it is nobody said.
    Stop,
    /// A home of a generated city. Never read from a map.
    Building,
}

impl PlaceTag {
    /// All, in the order of their numbers in a places file.
    pub const ALL: [Self; 9] = [
        Self::Amenity,
        Self::Shop,
        Self::Leisure,
        Self::Tourism,
        Self::Office,
        Self::Craft,
        Self::Healthcare,
        Self::Stop,
        Self::Building,
    ];
    /// The seven tags that are read from OpenStreetMap.
    pub const FROM_MAP: [Self; 7] =
        [Self::Amenity, Self::Shop, Self::Leisure, Self::Tourism, Self::Office, Self::Craft, Self::Healthcare];

    /// The tag's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Amenity => "amenity",
            Self::Shop => "shop",
            Self::Leisure => "leisure",
            Self::Tourism => "tourism",
            Self::Office => "office",
            Self::Craft => "craft",
            Self::Healthcare => "healthcare",
            Self::Stop => "stop",
            Self::Building => "building",
        }
    }
}

/// What a place is good for, in a dozen words that decide where people go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Restaurants, cafés, fast food.
    Food,
    /// Bars, pubs, clubs.
    Nightlife,
    /// Museums, cinemas, theatres, sights, libraries.
    Culture,
    /// Parks, gardens, playgrounds.
    Park,
    /// Pitches, gyms, swimming pools.
    Sport,
    /// Shops and markets.
    Shopping,
    /// Doctors, pharmacies, hospitals.
    Health,
    /// Schools and universities.
    Education,
    /// Offices, workshops, public bodies.
    Work,
    /// Hotels and hostels.
    Lodging,
    /// Places of worship.
    Worship,
    /// Banks, post offices, fuel and other services.
    Service,
    /// Benches, bins, parking and other things nobody arranges to meet for.
    Furniture,
    /// Homes of a generated city.
    Home,
    /// Whatever is none of these.
    Other,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Food,
        Self::Nightlife,
        Self::Culture,
        Self::Park,
        Self::Sport,
        Self::Shopping,
        Self::Health,
        Self::Education,
        Self::Work,
        Self::Lodging,
        Self::Worship,
        Self::Service,
        Self::Furniture,
        Self::Home,
        Self::Other,
    ];

    /// Its name in one word, as files and maps have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Food => "food",
            Self::Nightlife => "nightlife",
            Self::Culture => "culture",
            Self::Park => "park",
            Self::Sport => "sport",
            Self::Shopping => "shopping",
            Self::Health => "health",
            Self::Education => "education",
            Self::Work => "work",
            Self::Lodging => "lodging",
            Self::Worship => "worship",
            Self::Service => "service",
            Self::Furniture => "furniture",
            Self::Home => "home",
            Self::Other => "other",
        }
    }

    /// Whether people arrange to meet at such places: an evening's venues.
    pub const fn is_venue(self) -> bool {
        matches!(self, Self::Food | Self::Nightlife | Self::Culture | Self::Park | Self::Sport)
    }

    /// Whether somebody can plausibly be at such a place for a while, a home apart: a venue of a plausibility check.
    pub const fn is_visited(self) -> bool {
        !matches!(self, Self::Furniture | Self::Home)
    }

    /// Whether people work at such places.
    pub const fn employs(self) -> bool {
        !matches!(self, Self::Park | Self::Furniture | Self::Home | Self::Other)
    }
}

/// What a place is: a tag of OpenStreetMap and its value, such as `amenity=cafe`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceKind {
    tag: PlaceTag,
    value: Arc<str>,
    /// These two follow from the others; they are asked for far more often than kinds are made.
    category: Category,
    rhythm: Rhythm,
}

/// Which table of hours holds for a kind of place (L3-40).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rhythm {
    Cafe,
    Bar,
    Restaurant,
    Unknown,
}

impl PlaceKind {
    /// Joins a tag and its value.
    pub fn new(tag: PlaceTag, value: impl Into<Arc<str>>) -> Self {
        let value = value.into();
        let (category, rhythm) = (category(tag, &value), rhythm(tag, &value));
        Self { tag, value, category, rhythm }
    }

    /// The tag.
    pub const fn tag(&self) -> PlaceTag {
        self.tag
    }

    /// The value, such as `cafe`.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What such a place is good for.
    pub const fn category(&self) -> Category {
        self.category
    }

    /// Which table of hours holds for it.
    pub(crate) const fn rhythm(&self) -> Rhythm {
        self.rhythm
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.tag.key(), self.value)
    }
}

fn category(tag: PlaceTag, value: &str) -> Category {
    match tag {
        PlaceTag::Amenity => amenity(value),
        PlaceTag::Shop => Category::Shopping,
        PlaceTag::Leisure => leisure(value),
        PlaceTag::Tourism => tourism(value),
        PlaceTag::Office | PlaceTag::Craft => Category::Work,
        PlaceTag::Healthcare => Category::Health,
        PlaceTag::Building => Category::Home,
        PlaceTag::Stop => Category::Other,
    }
}

fn rhythm(tag: PlaceTag, value: &str) -> Rhythm {
    match (tag, value) {
        (PlaceTag::Amenity, "cafe") => Rhythm::Cafe,
        (PlaceTag::Amenity, "bar" | "pub") => Rhythm::Bar,
        (PlaceTag::Amenity, "restaurant") => Rhythm::Restaurant,
        _ => Rhythm::Unknown,
    }
}

fn amenity(value: &str) -> Category {
    match value {
        "restaurant" | "cafe" | "fast_food" | "food_court" | "ice_cream" | "biergarten" => Category::Food,
        "bar" | "pub" | "nightclub" | "casino" | "stripclub" | "hookah_lounge" | "karaoke_box" => Category::Nightlife,
        "cinema" | "theatre" | "arts_centre" | "library" | "community_centre" | "events_venue" | "music_venue"
        | "concert_hall" | "exhibition_centre" | "social_centre" | "planetarium" | "conference_centre" => {
            Category::Culture
        }
        "dojo" | "gym" => Category::Sport,
        "marketplace" => Category::Shopping,
        "pharmacy" | "doctors" | "dentist" | "clinic" | "hospital" | "veterinary" | "nursing_home" => Category::Health,
        "school" | "university" | "college" | "kindergarten" | "language_school" | "music_school"
        | "driving_school" | "childcare" | "prep_school" | "research_institute" => Category::Education,
        "townhall" | "courthouse" | "police" | "fire_station" | "public_building" | "embassy" | "coworking_space"
        | "studio" => Category::Work,
        "place_of_worship" | "monastery" => Category::Worship,
        "bank" | "post_office" | "bureau_de_change" | "car_rental" | "fuel" | "car_wash" | "bus_station" | "taxi"
        | "ferry_terminal" | "money_transfer" | "internet_cafe" | "social_facility" => Category::Service,
        _ => Category::Furniture,
    }
}

fn leisure(value: &str) -> Category {
    match value {
        "park" | "garden" | "playground" | "dog_park" | "nature_reserve" | "common" | "marina" | "picnic_table" => {
            Category::Park
        }
        "pitch" | "sports_centre" | "fitness_centre" | "fitness_station" | "swimming_pool" | "stadium" | "track"
        | "ice_rink" | "dance" | "bowling_alley" | "miniature_golf" | "golf_course" | "sports_hall" => Category::Sport,
        "amusement_arcade" | "adult_gaming_centre" | "escape_game" | "hackerspace" => Category::Culture,
        _ => Category::Other,
    }
}

fn tourism(value: &str) -> Category {
    match value {
        "hotel" | "hostel" | "guest_house" | "apartment" | "motel" | "camp_site" | "chalet" => Category::Lodging,
        "museum" | "gallery" | "attraction" | "viewpoint" | "zoo" | "aquarium" | "theme_park" => Category::Culture,
        "picnic_site" => Category::Park,
        _ => Category::Furniture,
    }
}
