//! What a person is told before and after a broadcast: words that point at them, an area with few people, a moment that
//! what they do elsewhere can give away.

use mosaic_api::{BroadcastWarning, IdentifierName, WarningKind};
use mosaic_obfuscate::identifiers::{self, Finding, IdentifierKind, Reaches};
use mosaic_types::ContextText;
use mosaic_wire::{CardText, PartsNeeded};

/// What four habits give away when the risk is high (L6-44). Told once.
const HABITS: [&str; 4] = [
    "write nothing about it where others read it: who joins your posts with the cards of that hour finds yours",
    "do not publish anything else at the same moment",
    "use another network than the one you usually publish from",
    "act half an hour before or after the moment that somebody could expect; this broadcast waits up to half an hour too",
];

/// What the words hold that points at a person.
pub(crate) struct Review {
    text: String,
    found: Vec<Finding>,
}

impl Review {
    /// Looks at the words as they would be released.
    pub(crate) fn of(words: &ContextText) -> Self {
        let text = words.expose(identifiers::released_form);
        let found = identifiers::first_of_each_kind(&text);
        Self { text, found }
    }

    /// Kinds that would leave the device and are to be confirmed first.
    pub(crate) fn to_confirm(&self) -> Vec<IdentifierKind> {
        let leaving = self.found.iter().filter(|finding| finding.is_to_confirm(&self.text));
        leaving.map(|finding| finding.kind).collect()
    }

    /// One warning for each kind, in the order of the words.
    pub(crate) fn warnings(&self) -> Vec<BroadcastWarning> {
        let warning = |finding: &Finding| BroadcastWarning {
            kind: WarningKind::IdentifyingWords,
            text: sentence(finding.kind, finding.reaches(&self.text)),
            identifier: Some(name(finding.kind)),
            suggestion: identifiers::suggestion(&self.text, finding.kind),
        };
        self.found.iter().map(warning).collect()
    }
}

fn sentence(kind: IdentifierKind, reaches: Reaches) -> String {
    let what = kind.words();
    match reaches {
        Reaches::Readers => {
            format!("the words hold {what}: who knows it from elsewhere can tell that this card is yours")
        }
        Reaches::Nobody => format!("the words hold {what}, behind the 108 bytes that leave this device"),
    }
}

/// What becomes of words that one card does not hold.
pub(crate) fn long_words(words: &ContextText) -> Option<String> {
    let (text, given) = words.expose(|words| (CardText::clipped(words), words.trim().len()));
    let seen = match text.parts_needed() {
        PartsNeeded::One => return None,
        PartsNeeded::Two => "twice",
        PartsNeeded::Three => "three times",
    };
    let leaving = text.as_str().len();
    let cut = if leaving < given {
        format!("the first {leaving} of {given} bytes leave this device; ")
    } else {
        String::new()
    };
    let whole = PartsNeeded::One.most_bytes();
    Some(format!(
        "{cut}others read these words once they saw the card {seen}, within an hour mostly; up to {whole} bytes are read at once"
    ))
}

/// The four habits.
pub(crate) fn habits() -> Vec<BroadcastWarning> {
    HABITS.into_iter().map(|text| plain(WarningKind::HighRisk, text.to_owned())).collect()
}

pub(crate) const fn plain(kind: WarningKind, text: String) -> BroadcastWarning {
    BroadcastWarning { kind, text, identifier: None, suggestion: None }
}

const fn name(kind: IdentifierKind) -> IdentifierName {
    match kind {
        IdentifierKind::Email => IdentifierName::Email,
        IdentifierKind::Account => IdentifierName::Account,
        IdentifierKind::Handle => IdentifierName::Handle,
        IdentifierKind::Link => IdentifierName::Link,
        IdentifierKind::Coordinates => IdentifierName::Coordinates,
        IdentifierKind::Address => IdentifierName::Address,
        IdentifierKind::Phone => IdentifierName::Phone,
        IdentifierKind::Plate => IdentifierName::Plate,
        IdentifierKind::Hashtag => IdentifierName::Hashtag,
        IdentifierKind::Name => IdentifierName::Name,
        IdentifierKind::RareWord => IdentifierName::RareWord,
    }
}
