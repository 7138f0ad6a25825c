//! The words of the grammar. `*` stands for the topic. Written for this program; no person's words are among them.

use mosaic_types::ClassId;

pub(super) const OPENINGS: &[&str] =
    &["hi", "hey", "hello,", "hi all,", "so,", "ok", "good morning,", "new here,", "random but", "hey neighbours,"];
pub(super) const TIMES: &[&str] = &[
    "tonight",
    "tomorrow",
    "now",
    "right now",
    "this evening",
    "after work",
    "around 6",
    "at noon",
    "7pm",
    "on sunday",
    "saturday morning",
    "friday",
    "this weekend",
    "next week",
    "in an hour",
    "later today",
    "thursday evening",
    "before dinner",
    "every tuesday",
    "early tomorrow",
];
pub(super) const PLACES: &[&str] = &[
    "near the station",
    "downtown",
    "in the park",
    "at my place",
    "by the river",
    "in the old town",
    "around here",
    "close to uni",
    "on the square",
    "at the corner",
    "near the church",
    "in my street",
    "by the bridge",
    "in the centre",
];
pub(super) const GROUPS: &[&str] = &[
    "need one more",
    "we are 3",
    "small group",
    "just the two of us",
    "max 5",
    "up to 6 people",
    "2 spots left",
    "alone so far",
    "me and a friend",
    "the more the better",
    "one place free",
];
const LIGHT: &[&str] = &[
    "no pressure",
    "beginners ok",
    "all welcome",
    "first time for me",
    "bring friends",
    "i'm new in town",
    "i'm really bad at it",
    "nothing serious",
    "my english is not perfect",
    "don't be shy",
    "i bring snacks",
    "rain or shine",
    "dont want to go alone",
    "because why not",
    "my friends are all busy",
    "been ages",
    "it's free",
];
const GRAVE: &[&str] = &[
    "please",
    "no judgement",
    "just to talk",
    "first time, nervous",
    "would mean a lot",
    "thank you",
    "short notice sorry",
    "anyone can come",
    "i'm not from here",
    "quiet company is fine",
    "don't know who to ask",
];

/// Cores that fit every topic.
pub(super) const OF_ANYTHING: &[&str] = &[
    "*",
    "*?",
    "* anyone",
    "anyone for *?",
    "up for *?",
    "looking for * people",
    "who is into * here",
    "would like company for *",
    "searching for somebody for *",
    "i want to try *",
    "anybody else into *?",
    "let's do *",
    "thinking about *, join?",
    "i miss *",
    "is there any * around",
    "where do people go for *",
];

/// Cores for kinds of places.
pub(super) const OF_PLACES: &[&str] = &[
    "anyone at the *?",
    "going to the *, join?",
    "is the * any good?",
    "meet at the *",
    "who knows a good *",
    "* nearby?",
    "never been to the *",
    "the * and then a coffee",
    "someone to come to the * with me",
    "a * that is open late?",
    "i work at the *, come by",
    "waiting at the *",
    "showing a friend the *",
    "bored at the *",
];

pub(super) const fn asides(class: ClassId) -> &'static [&'static str] {
    match class.get() {
        12..=14 => GRAVE,
        _ => LIGHT,
    }
}
