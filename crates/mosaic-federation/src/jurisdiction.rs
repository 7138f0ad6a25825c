//! ISO 3166: whose law an operator is under.

/// What a practice federation may write: nobody's law is meant.
pub(crate) const NOWHERE: &str = "XX";

/// The officially assigned codes of ISO 3166-1 alpha-2. An invented code would hide that one state could
/// compel several providers.
const STATES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE \
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW \
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM \
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The state that a code names: `US` of `us-CA`.
pub(crate) fn state(code: &str) -> String {
    code.split('-').next().unwrap_or_default().to_ascii_uppercase()
}

/// Whether `code` is a state's code, alone or with one to three letters or digits of a subdivision.
pub(crate) fn is_code(code: &str) -> bool {
    let known = STATES.split_ascii_whitespace().any(|known| known == state(code));
    let subdivision = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    known && code.split_once('-').is_none_or(|(_, part)| subdivision(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        for code in ["DE", "pt", "US", "us-NY", "GB-ENG", "FR-75", "ZW"] {
            assert!(is_code(code), "{code}");
        }
        for text in ["", "D", "DEU", " DE", "UK", "EU", "AA", "XX", "U-S", "US-", "US-CALI", "US-C-A", "-CA"] {
            assert!(!is_code(text), "{text}");
        }
        assert_eq!([state("us-CA"), state("DE")], ["US", "DE"]);
    }

    #[test]
    fn no_state_is_missing_or_named_twice() {
        let states: Vec<&str> = STATES.split_ascii_whitespace().collect();
        assert_eq!(states.len(), 249);
        assert!(states.is_sorted_by(|a, b| a < b));
    }
}
