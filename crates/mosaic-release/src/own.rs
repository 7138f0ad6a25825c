use std::collections::BTreeSet;

use mosaic_crypto::{
    agreement::AgreementSecret,
    kdf::{self, Label},
};
use mosaic_discovery::{CardOrigin, OwnCard};
use mosaic_types::{Timestamp, Window};
use zeroize::Zeroizing;

use crate::{Releaser, releaser::Keys, state::Source};

impl Keys {
    /// The secret of the card that `source` shows in `window`: fresh for every window, the same at
    /// every resolution, derived alike for the person and the personas.
    pub(crate) fn card_secret(&self, source: Source, window: Window) -> AgreementSecret {
        // the person, then each persona, in a round; no persona is numbered like the person
        let (who, turn) = match source {
            Source::Broadcast(_) => ([u8::MAX; 3], 0),
            Source::Persona { persona, turn, .. } => (persona.to_bytes(), turn),
        };
        let context: [&[u8]; 4] = [&who, &source.round().to_bytes(), &[turn], &window.0.to_be_bytes()];
        let bytes = Zeroizing::new(kdf::derive(self.bundles.as_slice(), Label::BundleSecret, &context));
        AgreementSecret::from_bytes(*bytes)
    }
}

impl Releaser {
    /// Every card this device wrote in the window of `at` and the two before, the person's and the
    /// personas' alike: their mailboxes are read and answered without distinction.
    pub fn own_cards(&self, at: Timestamp) -> Vec<OwnCard> {
        let last = at.window();
        let first = last.previous().previous();
        let slates = self.state.written.iter().filter(|(slate, _)| (first..=last).contains(&slate.window));
        let cards: BTreeSet<(Window, Source)> =
            slates.flat_map(|(slate, sources)| sources.iter().map(|source| (slate.window, *source))).collect();
        cards.into_iter().map(|(window, source)| self.own_card(source, window)).collect()
    }

    fn own_card(&self, source: Source, window: Window) -> OwnCard {
        let secret = self.keys.card_secret(source, window);
        let origin = match source {
            Source::Broadcast(id) => CardOrigin::Broadcast(id.0),
            Source::Persona { persona, .. } => CardOrigin::Persona(persona.member),
        };
        OwnCard { public: secret.public().to_bytes(), secret, origin, window }
    }
}
