use jiff::{civil::Date, tz::Offset};
use mosaic_types::{LatLng, Timestamp};

/// A day of somebody's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    /// Monday is 0.
    pub(crate) weekday: u8,
    /// January is 1.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
}

/// What the clock on the wall and the calendar beside it say: all that opening hours and habits depend on. Which offset
/// from UTC holds, and whether it is a public holiday, is the caller's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    pub(crate) today: Day,
    pub(crate) yesterday: Day,
    /// Minutes since midnight.
    pub(crate) minute: u16,
    pub(crate) holiday: bool,
}

impl LocalTime {
    /// An instant where clocks are `offset_min` minutes ahead of UTC; beyond a day of offset, UTC.
    #[expect(clippy::cast_sign_loss, reason = "hours and minutes are positive")]
    pub fn at(at: Timestamp, offset_min: i32) -> Self {
        let offset = Offset::from_seconds(offset_min.saturating_mul(60)).unwrap_or(Offset::UTC);
        let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
        let instant = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
        let local = offset.to_datetime(instant);
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let yesterday = local.date().yesterday().unwrap_or(local.date());
        Self { today: Day::of(local.date()), yesterday: Day::of(yesterday), minute, holiday: false }
    }

    /// An instant by the sun: whole hours that follow from the longitude, for whoever does not know the time zone.
    pub fn by_sun(at: Timestamp, place: LatLng) -> Self {
        Self::at(at, Self::sun_ahead_h(place) * 60)
    }

    /// Whole hours that the sun at a place is ahead of UTC, -12 to 12.
    #[expect(clippy::cast_possible_truncation, reason = "twelve hours at most")]
    pub fn sun_ahead_h(place: LatLng) -> i32 {
        (place.lng() / 15.0).round() as i32
    }

    /// The same time on a public holiday.
    #[must_use]
    pub const fn on_holiday(self) -> Self {
        Self { holiday: true, ..self }
    }

    /// The hour, 0 to 23.
    pub fn hour(self) -> u8 {
        u8::try_from(self.minute / 60).unwrap_or(23)
    }
}

impl Day {
    #[expect(clippy::cast_sign_loss, reason = "months and days are positive")]
    fn of(date: Date) -> Self {
        let weekday = date.weekday().to_monday_zero_offset() as u8;
        Self { weekday, month: date.month() as u8, day: date.day() as u8 }
    }
}
