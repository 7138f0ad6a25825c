use proptest::{prelude::*, sample::subsequence};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;

const WINDOW: Window = Window(490_573);

/// The bundles that a reader reads: those of this window and of the one before.
fn read_at_once() -> Vec<Carrier> {
    [WINDOW.previous(), WINDOW].into_iter().flat_map(|window| [8, 7, 6].map(|r| Carrier::of(window, r))).collect()
}

fn all_carriers() -> Vec<Carrier> {
    (0..4).flat_map(|at| [8, 7, 6].map(|r| Carrier::of(Window(WINDOW.0 + at), r))).collect()
}

fn part(text: &CardText, carrier: Carrier) -> TextPart {
    match text.carried(carrier) {
        TextField::Part(part) => part,
        TextField::Whole(_) => panic!("{} bytes stand whole", text.as_str().len()),
    }
}

fn gather(text: &CardText, carriers: &[Carrier]) -> GatheredText {
    let mut gathered = GatheredText::default();
    carriers.iter().for_each(|carrier| gathered.add(*carrier, &part(text, *carrier)));
    gathered
}

fn words(bytes: usize, rng: &mut impl Rng) -> CardText {
    let text: String = (0..bytes).map(|_| char::from(rng.random_range(b' '..=b'~'))).collect();
    CardText::clipped(&format!("{}x", &text[1..]))
}

#[test]
fn the_twelve_bundles_of_four_windows_carry_different_parts() {
    for start in [0, 7, WINDOW.0, u32::MAX - 3] {
        let mut carriers: Vec<u8> =
            (0..4).flat_map(|at| [8, 7, 6].map(|r| Carrier::of(Window(start + at), r).0)).collect();
        carriers.sort_unstable();
        assert_eq!(carriers, (0..12).collect::<Vec<_>>(), "{start}");
    }
}

#[test]
fn lengths_have_their_number_of_parts() {
    let parts = |bytes| PartsNeeded::of_length(bytes).count();
    assert_eq!([0, 41, 42, 72, 73, 108, 109].map(parts), [1, 1, 2, 2, 3, 3, 3]);
    assert_eq!(CardText::clipped(&"ä".repeat(99)).as_str().len(), CardText::MAX_BYTES);
    assert_eq!(CardText::clipped("a\u{7}b\nc").as_str(), "ab\nc");
}

/// L3-16, L3-17, C-08: of every length from 42 to 108 bytes, every choice of as many parts as are needed, in both
/// orders, gives the text, and no choice of fewer gives anything (L3-21). So of the six bundles that one reader reads,
/// any four may be lost of a text of two parts (67 %) and any three of a text of three.
#[test]
fn any_parts_enough_read_and_fewer_do_not() {
    let mut rng = ChaCha20Rng::seed_from_u64(15);
    for bytes in 42..=CardText::MAX_BYTES {
        let text = words(bytes, &mut rng);
        let needed = text.parts_needed().count();
        let six = read_at_once();
        for chosen in 0_u32..1 << six.len() {
            let mut carriers: Vec<_> = (0..6).filter(|at| chosen >> at & 1 == 1).map(|at| six[at]).collect();
            if chosen % 2 == 1 {
                carriers.reverse();
            }
            let gathered = gather(&text, &carriers);
            assert_eq!(gathered.text(), (carriers.len() >= needed).then_some(&text), "{bytes} bytes from {carriers:?}");
        }
    }
}

/// L3-15: the limit as it is. A part that is changed is no longer one: this code restores what is missing and corrects
/// nothing, and the check of the whole text sees to it that nothing wrong is read.
#[test]
fn a_changed_part_is_worth_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(16);
    for needed in [PartsNeeded::Two, PartsNeeded::Three] {
        let text = words(needed.most_bytes(), &mut rng);
        let carriers = read_at_once();
        for _ in 0..200 {
            let mut changed = part(&text, carriers[0]);
            changed.shard[rng.random_range(0..SHARD)] ^= rng.random_range(1..=u8::MAX);
            let mut gathered = GatheredText::default();
            gathered.add(carriers[0], &changed);
            carriers[1..needed.count()].iter().for_each(|carrier| gathered.add(*carrier, &part(&text, *carrier)));
            assert_eq!(gathered.text(), None);
            gathered.add(carriers[4], &part(&text, carriers[4]));
            assert_eq!(gathered.text(), Some(&text), "one more right part makes up for it");
        }
    }
}

/// L3-17: noise adds records, it takes none away. At 70 % noise, seven parts of other people's for three right ones in
/// any order, all naming this text, seed 17: all of 300 are read. The Wilson 95 % lower bound of 300 of 300 is 0.987.
#[test]
fn seventy_percent_of_foreign_parts_hide_nothing() {
    let mut rng = ChaCha20Rng::seed_from_u64(17);
    let all = all_carriers();
    for _ in 0..300 {
        let text = words(rng.random_range(42..=CardText::MAX_BYTES), &mut rng);
        let of = part(&text, all[0]).of;
        let mut parts: Vec<_> = (0..3).map(|at| (all[at * 4], part(&text, all[at * 4]))).collect();
        for _ in 0..7 {
            let carrier = all[rng.random_range(0..all.len())];
            let at = rng.random_range(0..=parts.len());
            parts.insert(at, (carrier, TextPart { of, shard: rng.random() }));
        }
        let mut gathered = GatheredText::default();
        parts.iter().for_each(|(carrier, part)| gathered.add(*carrier, part));
        assert_eq!(gathered.text(), Some(&text));
    }
}

/// L3-15, loss instead of noise: each of the six bundles is lost with probability 0.3, independently. By the binomial
/// law a text of two parts is read with probability 0.989 and one of three with 0.930; seed 18, 4,000 trials of each,
/// five standard errors.
#[test]
fn what_is_read_under_loss_follows_the_binomial_law() {
    let mut rng = ChaCha20Rng::seed_from_u64(18);
    for (bytes, law) in [(60, 0.989), (100, 0.930)] {
        let text = words(bytes, &mut rng);
        let read = (0..4_000).filter(|_| {
            let left: Vec<_> = read_at_once().into_iter().filter(|_| rng.random_bool(0.7)).collect();
            gather(&text, &left).text().is_some()
        });
        let (share, error) = (read.count() as f64 / 4_000.0, (law * (1.0_f64 - law) / 4_000.0).sqrt());
        assert!((share - law).abs() < 5.0 * error + 0.000_5, "{bytes} bytes: {share}");
    }
}

/// Whoever floods a text with parts can keep it from being read, and can neither fill memory, nor spend time, nor have
/// another one read.
#[test]
fn a_flood_of_parts_is_bounded() {
    let mut rng = ChaCha20Rng::seed_from_u64(19);
    let text = words(100, &mut rng);
    let mut gathered = GatheredText::default();
    for _ in 0..500 {
        let forged = TextPart { of: part(&text, all_carriers()[0]).of, shard: rng.random() };
        gathered.add(all_carriers()[rng.random_range(0..12_usize)], &forged);
    }
    read_at_once().iter().for_each(|carrier| gathered.add(*carrier, &part(&text, *carrier)));
    assert_eq!((gathered.parts.len(), gathered.tried, gathered.text()), (MOST_KEPT, MOST_TRIES, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// L3-16: any text, of any script, whole or coded, from any order of enough of its twelve parts.
    #[test]
    fn every_text_is_read_again(raw in "\\PC{0,120}", order in subsequence((0..12_usize).collect::<Vec<_>>(), 3).prop_shuffle()) {
        let text = CardText::clipped(&raw);
        let carriers: Vec<_> = order.iter().map(|at| all_carriers()[*at]).collect();
        match text.carried(carriers[0]) {
            TextField::Whole(whole) => prop_assert_eq!(whole.as_str(), text.as_str()),
            TextField::Part(_) => {
                // a text that ends in zeros does not exist: the character is left out
                let gathered = gather(&text, &carriers);
                prop_assert_eq!(gathered.text(), Some(&text));
            },
        }
    }

    /// L3-21: whatever stands in the fields, what is read is what their publisher coded.
    #[test]
    fn made_up_parts_never_read(fields in prop::collection::vec((0..12_u8, any::<[u8; 36]>()), 0..12)) {
        let of = TextRef { needed: PartsNeeded::Two, id: [1, 2, 3, 4] };
        let mut gathered = GatheredText::default();
        fields.iter().for_each(|(at, shard)| gathered.add(Carrier(*at), &TextPart { of, shard: *shard }));
        prop_assert!(gathered.text().is_none_or(|text| id(text.as_str()) == of.id));
    }
}
