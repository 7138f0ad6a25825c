use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer to `GET /v1/people/{id}/vcard`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VcardReply {
    /// One vCard 4.0 (RFC 6350), its lines ended by CR LF: fit for a file of type `text/vcard`.
    #[schema(example = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ana\r\nNOTE:Ana\\, +351 900\r\nEND:VCARD\r\n")]
    pub vcard: String,
}

/// The longest line in bytes, without its end (RFC 6350, 3.2).
const LINE: usize = 75;
/// The longest name that is shown, in characters.
const NAME: usize = 60;
/// Digits of an international number with its country (ITU-T E.164: at most 15).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A contact as a vCard 4.0 (RFC 6350): its words in full as the note, the first of them as the name, and of e-mail
/// addresses and international telephone numbers that stand in it, each once, what address books look for. Nothing else
/// goes in: no identifier, no date, no place.
pub fn vcard(contact: &str) -> String {
    let mut card = String::from("BEGIN:VCARD\r\nVERSION:4.0\r\n");
    let mut put = |property: &str, value: &str| card += &folded(&format!("{property}:{value}"));
    put("FN", &escaped(&name(contact)));
    for address in once_each(words(contact).filter(|word| is_email(word)).map(without_scheme)) {
        put("EMAIL", &escaped(&address));
    }
    for number in once_each(numbers(contact)) {
        put("TEL;VALUE=uri", &format!("tel:+{number}"));
    }
    put("NOTE", &escaped(contact));
    card + "END:VCARD\r\n"
}

/// What stands before the first comma, semicolon or line break, shortened; the whole where nothing does.
fn name(contact: &str) -> String {
    let parts = contact.split([',', ';', '\n']).map(str::trim);
    parts.into_iter().find(|part| !part.is_empty()).unwrap_or(contact).chars().take(NAME).collect()
}

fn words(contact: &str) -> impl Iterator<Item = &str> {
    let ends = |letter: char| letter.is_whitespace() || ",;<>()[]\"".contains(letter);
    contact.split(ends).map(|word| word.trim_matches(['.', ':', '!', '?', '\''])).filter(|word| !word.is_empty())
}

fn without_scheme(address: &str) -> String {
    address.trim_start_matches("mailto:").to_owned()
}

/// A plain address: what needs quotes, or is no ASCII, stays in the note alone.
fn is_email(word: &str) -> bool {
    let plain = |part: &str, also: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric() || also.contains(letter))
    };
    let Some((local, domain)) = word.trim_start_matches("mailto:").split_once('@') else { return false };
    plain(local, "!#$%&*+-/=?^_`{|}~.") && plain(domain, "-.") && domain.contains('.')
}

/// The digits behind a plus, with what people put between them.
fn numbers(contact: &str) -> impl Iterator<Item = String> {
    contact.split('+').skip(1).filter_map(|behind| {
        let written = behind.split(|letter: char| !letter.is_ascii_digit() && !" -./()".contains(letter)).next()?;
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        DIGITS.contains(&digits.len()).then_some(digits)
    })
}

fn once_each(found: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    found.for_each(|one| {
        if !kept.contains(&one) {
            kept.push(one);
        }
    });
    kept
}

/// RFC 6350, 3.4. A carriage return would end the line for some readers: it is left out.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' | ',' | ';' => text.extend(['\\', letter]),
            '\n' => text += "\\n",
            letter if letter.is_control() => {}
            letter => text.push(letter),
        }
    }
    text
}

/// The line with its end, continued on lines that begin with a space; no character is cut (RFC 6350, 3.2).
fn folded(line: &str) -> String {
    let (mut text, mut length) = (String::with_capacity(line.len() + 8), 0);
    for letter in line.chars() {
        if length + letter.len_utf8() > LINE {
            text += "\r\n ";
            length = 1;
        }
        text.push(letter);
        length += letter.len_utf8();
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reader as RFC 6350 has it: lines unfolded, then name and value, then escapes undone.
    fn read(card: &str) -> Vec<(String, String)> {
        let (lines, end) = (card.replace("\r\n ", ""), "\r\n");
        assert!(card.ends_with(end) && !card.replace(end, "").contains(['\r', '\n']));
        let property = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            let (mut text, mut letters) = (String::new(), value.chars());
            while let Some(letter) = letters.next() {
                assert!(!",;".contains(letter), "an unescaped {letter} separates values");
                match letter {
                    '\\' => match letters.next().unwrap() {
                        'n' => text.push('\n'),
                        other => text.push(other),
                    },
                    letter => text.push(letter),
                }
            }
            (name.to_owned(), text)
        };
        lines.split_terminator(end).map(property).collect()
    }

    fn values<'a>(card: &'a [(String, String)], of: &str) -> Vec<&'a str> {
        card.iter().filter(|(name, _)| name == of).map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn what_address_books_look_for_is_found() {
        let card = read(&vcard("Ana Sousa, +351 900 000-000; ana@example.org or (ana@example.org)\nafter six"));
        assert_eq!(values(&card, "FN"), ["Ana Sousa"]);
        assert_eq!(
            (values(&card, "EMAIL"), values(&card, "TEL;VALUE=uri")),
            (vec!["ana@example.org"], vec!["tel:+351900000000"])
        );
        assert_eq!(
            values(&card, "NOTE"),
            ["Ana Sousa, +351 900 000-000; ana@example.org or (ana@example.org)\nafter six"]
        );
        assert_eq!(
            (card[0].1.as_str(), card[1].1.as_str(), card[card.len() - 1].1.as_str()),
            ("VCARD", "4.0", "VCARD")
        );
        for no in ["@", "a@b", "two@@example.org", "ünï@example.org", "+12", "1+1", "c++ 17"] {
            let card = read(&vcard(no));
            assert_eq!((values(&card, "EMAIL").len(), values(&card, "TEL;VALUE=uri").len()), (0, 0), "{no}");
            assert_eq!((values(&card, "FN"), values(&card, "NOTE")), (vec![no], vec![no]));
        }
    }

    /// Nobody writes properties of their own into somebody's address book.
    #[test]
    fn a_contact_cannot_break_out_of_its_note() {
        let card = read(&vcard("x\nEND:VCARD\nBEGIN:VCARD\r\nPHOTO;VALUE=uri:https://track.example/pixel"));
        let names: Vec<_> = card.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["BEGIN", "VERSION", "FN", "NOTE", "END"]);
    }

    proptest! {
        /// Any contact comes back whole from its note, in lines of at most 75 bytes that cut no character.
        #[test]
        fn any_contact_is_read_back(contact in "[\\PC\n,;:\\\\+@ ]{1,300}") {
            prop_assume!(!contact.chars().any(|letter| letter.is_control() && letter != '\n'));
            let text = vcard(&contact);
            prop_assert!(text.split("\r\n").all(|line| line.len() <= LINE));
            let card = read(&text);
            prop_assert_eq!(values(&card, "NOTE"), vec![contact.as_str()]);
            prop_assert_eq!(values(&card, "FN").len(), 1);
            prop_assert!(!values(&card, "FN")[0].is_empty());
        }
    }
}
