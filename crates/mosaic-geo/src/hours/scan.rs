use super::{DAY, Rule, UnknownHours};

/// Reads one rule after the other.
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
    additional: bool,
}

/// A word that names days or dates, or says what holds then.
enum Word {
    Weekday(u8),
    Month(u16),
    PublicHoliday,
    SchoolHoliday,
    Open,
    Closed,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.as_bytes(), additional: false }
    }

    /// The next rule; `None` at the end.
    pub(super) fn next_rule(&mut self) -> Result<Option<Rule>, UnknownHours> {
        while self.take(b';') {
            self.additional = false;
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let mut rule = Rule { additional: self.additional, ..Rule::default() };
        let said = self.read_into(&mut rule)?;
        if !said {
            return Err(UnknownHours); // a comment alone
        }
        if rule.spans.items().is_empty() && !rule.closed {
            rule.spans.push((0, DAY))?;
        }
        // `||` begins what holds when nothing else does; too rare to be worth a third kind of rule.
        self.additional = match self.peek() {
            None | Some(b';') => false,
            Some(b',') if self.take(b',') => true,
            _ => return Err(UnknownHours),
        };
        Ok(Some(rule))
    }

    /// Everything up to the separator; whether it said anything.
    fn read_into(&mut self, rule: &mut Rule) -> Result<bool, UnknownHours> {
        let mut said = false;
        while let Some(next) = self.peek() {
            match next {
                b';' | b',' | b'|' => break,
                b':' if said => {
                    self.take(b':');
                    continue;
                }
                b'"' => {
                    self.skip_comment()?;
                    continue;
                }
                b'0'..=b'9' => self.times(rule)?,
                _ => self.named(rule)?,
            }
            said = true;
        }
        Ok(said)
    }

    fn named(&mut self, rule: &mut Rule) -> Result<(), UnknownHours> {
        if !rule.spans.items().is_empty() {
            return Err(UnknownHours); // days belong before times
        }
        match self.word()? {
            Word::Weekday(first) => self.weekdays(rule, first)?,
            Word::Month(first) => self.dates(rule, first)?,
            Word::PublicHoliday => (rule.named_days, rule.public_holidays) = (true, true),
            // Nobody tells when they are: the rule holds on no day.
            Word::SchoolHoliday => rule.named_days = true,
            Word::Open => return rule.spans.push((0, DAY)),
            Word::Closed => {
                rule.closed = true;
                return Ok(());
            }
        }
        // More days after a comma belong to the same rule; times would begin with a digit.
        let mut ahead = Self { rest: self.rest, additional: false };
        if ahead.take(b',') && ahead.peek().is_some_and(|next| next.is_ascii_alphabetic()) {
            self.rest = ahead.rest;
        }
        Ok(())
    }

    fn weekdays(&mut self, rule: &mut Rule, first: u8) -> Result<(), UnknownHours> {
        let mut last = first;
        if self.dash() {
            let Word::Weekday(day) = self.word()? else { return Err(UnknownHours) };
            last = day;
        }
        let count = (7 + last - first) % 7;
        (0..=count).for_each(|step| rule.weekdays |= 1 << ((first + step) % 7));
        rule.named_days = true;
        Ok(())
    }

    /// `Apr`, `Apr-Sep`, `Apr 15`, `Apr 15-30` or `Apr 15-Sep 30`.
    fn dates(&mut self, rule: &mut Rule, first: u16) -> Result<(), UnknownHours> {
        let from_day = self.day_of_month();
        let (mut month, mut until_day) = (first, from_day);
        if self.dash() {
            if self.peek().is_some_and(|next| next.is_ascii_digit()) {
                until_day = Some(self.day_of_month().ok_or(UnknownHours)?);
            } else {
                let Word::Month(last) = self.word()? else { return Err(UnknownHours) };
                (month, until_day) = (last, self.day_of_month());
            }
        }
        rule.dates.push((first * 32 + from_day.unwrap_or(1), month * 32 + until_day.unwrap_or(31)))
    }

    /// A number up to 31 that is no time.
    fn day_of_month(&mut self) -> Option<u16> {
        let mut ahead = Self { rest: self.rest, additional: false };
        let day = ahead.number().ok().filter(|day| (1..=31).contains(day))?;
        if ahead.rest.first() == Some(&b':') {
            return None;
        }
        self.rest = ahead.rest;
        Some(day)
    }

    /// `24/7`, or spans with commas between them.
    fn times(&mut self, rule: &mut Rule) -> Result<(), UnknownHours> {
        if let Some(rest) = self.rest.strip_prefix(b"24/7") {
            self.rest = rest;
            return rule.spans.push((0, DAY));
        }
        loop {
            let from = self.time()?;
            let until = if self.take(b'+') {
                DAY // an open end: until midnight at least
            } else if self.dash() {
                self.time()?
            } else {
                return Err(UnknownHours);
            };
            self.take(b'+');
            rule.spans.push((from, if until <= from { until + DAY } else { until }))?;
            let mut ahead = Self { rest: self.rest, additional: false };
            if !ahead.take(b',') || !ahead.peek().is_some_and(|next| next.is_ascii_digit()) {
                return Ok(());
            }
            self.rest = ahead.rest;
        }
    }

    /// `hh:mm` in minutes, up to two days.
    fn time(&mut self) -> Result<u16, UnknownHours> {
        let hours = self.number()?;
        let Some((b':', rest)) = self.rest.split_first() else { return Err(UnknownHours) };
        self.rest = rest;
        let minutes = self.number()?;
        if hours > 48 || minutes > 59 { Err(UnknownHours) } else { Ok((hours * 60 + minutes).min(2 * DAY)) }
    }

    /// One or two digits.
    fn number(&mut self) -> Result<u16, UnknownHours> {
        self.peek();
        let digits = self.rest.iter().take_while(|letter| letter.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        match number {
            [ones] => Ok(u16::from(ones - b'0')),
            [tens, ones] => Ok(u16::from(tens - b'0') * 10 + u16::from(ones - b'0')),
            _ => Err(UnknownHours),
        }
    }

    fn word(&mut self) -> Result<Word, UnknownHours> {
        self.peek();
        let letters = self.rest.iter().take_while(|letter| letter.is_ascii_alphabetic()).count();
        let (word, rest) = self.rest.split_at(letters);
        self.rest = rest;
        let mut small = [0; 6];
        let lower = small.get_mut(..letters).ok_or(UnknownHours)?;
        lower.copy_from_slice(word);
        lower.make_ascii_lowercase();
        match &*lower {
            b"open" => Ok(Word::Open),
            b"off" | b"closed" => Ok(Word::Closed),
            b"ph" => Ok(Word::PublicHoliday),
            b"sh" => Ok(Word::SchoolHoliday),
            lower => weekday(lower).map(Word::Weekday).or_else(|| month(lower).map(Word::Month)).ok_or(UnknownHours),
        }
    }

    /// A hyphen or the dash that some mappers type.
    fn dash(&mut self) -> bool {
        self.peek();
        let found = [&b"-"[..], "–".as_bytes()].into_iter().find_map(|dash| self.rest.strip_prefix(dash));
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn skip_comment(&mut self) -> Result<(), UnknownHours> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let end = inside.iter().position(|&letter| letter == b'"').ok_or(UnknownHours)?;
        self.rest = inside.get(end + 1..).unwrap_or_default();
        Ok(())
    }

    /// The next letter that is no space.
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn take(&mut self, letter: u8) -> bool {
        let here = self.peek() == Some(letter);
        if here {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        here
    }
}

/// `mo` or `mon`, Monday being 0.
fn weekday(word: &[u8]) -> Option<u8> {
    const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
    let short = DAYS.iter().position(|day| word.len() >= 2 && word.len() <= 3 && day.starts_with(word))?;
    u8::try_from(short).ok()
}

/// `jan` to `dec`, January being 1.
fn month(word: &[u8]) -> Option<u16> {
    const MONTHS: [&[u8]; 12] =
        [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    (1_u16..).zip(MONTHS).find(|(_, month)| *month == word).map(|(number, _)| number)
}
