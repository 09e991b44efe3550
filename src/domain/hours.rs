//! When the people of a shop are there.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

/// Days that are looked at for the next opening.
const AHEAD: usize = 60;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The hours of each week, in the shop's own time zone, without some days.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    zone: TimeZone,
    /// By their beginning.
    spans: Vec<Span>,
    closed: BTreeSet<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    day: Weekday,
    from: Time,
    /// `None`: midnight at the end of the day.
    until: Option<Time>,
}

/// Whether somebody is there by the hours.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    Now,
    At(Zoned),
    /// Not within the next two months.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    #[error("`{0}` is no opening; write one such as `mon-fri 09:00-17:30`")]
    Span(String),
    #[error("`{0}` is no day; write one such as `2026-12-25`")]
    Day(String),
}

impl Hours {
    /// `open`: each as `mon-fri 09:00-17:30` or `sat 10:00-24:00`. `closed`: days as `2026-12-25`.
    ///
    /// # Errors
    /// The first part that cannot be read.
    pub fn new(zone: TimeZone, open: &[String], closed: &[String]) -> Result<Self, HoursError> {
        let mut spans = Vec::new();
        for text in open {
            let read = opening(text).ok_or_else(|| HoursError::Span(text.clone()))?;
            spans.extend(read);
        }
        spans.sort_by_key(|span| span.from);
        let day = |text: &String| text.parse().map_err(|_| HoursError::Day(text.clone()));
        let closed = closed.iter().map(day).collect::<Result<_, _>>()?;
        Ok(Self { zone, spans, closed })
    }

    pub fn at(&self, now: Timestamp) -> Opening {
        let here = now.to_zoned(self.zone.clone());
        let mut day = here.date();
        for _ in 0..AHEAD {
            let is_open = !self.closed.contains(&day);
            for span in self.spans.iter().filter(|span| is_open && span.day == day.weekday()) {
                let Some((from, until)) = self.bounds(*span, day) else { continue };
                if until <= here {
                    continue;
                }
                return if from <= here { Opening::Now } else { Opening::At(from) };
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Opening::Unknown
    }

    fn bounds(&self, span: Span, day: Date) -> Option<(Zoned, Zoned)> {
        let zoned = |at: DateTime| at.to_zoned(self.zone.clone()).ok();
        let until = match span.until {
            Some(until) => day.to_datetime(until),
            None => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        Some((zoned(day.to_datetime(span.from))?, zoned(until)?))
    }
}

/// `mon-fri 09:00-17:30`: the same hours on each of the days.
fn opening(text: &str) -> Option<Vec<Span>> {
    let (days, hours) = text.split_once(' ')?;
    let (from, until) = hours.trim().split_once('-')?;
    let from = time(from)?;
    let until = if until == "24:00" { None } else { Some(time(until)?) };
    if until.is_some_and(|until| until <= from) {
        return None;
    }
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (place(first)?, place(last)?);
    let count = (last + DAYS.len() - first) % DAYS.len();
    let each = DAYS.iter().cycle().skip(first).take(count + 1);
    Some(each.map(|(_, day)| Span { day: *day, from, until }).collect())
}

fn place(name: &str) -> Option<usize> {
    DAYS.iter().position(|(known, _)| name.eq_ignore_ascii_case(known))
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(open: &[&str], closed: &[&str]) -> Result<Hours, HoursError> {
        let own = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        Hours::new(TimeZone::get("Europe/Berlin").unwrap(), &own(open), &own(closed))
    }

    /// What the hours say at a moment in UTC.
    fn at(hours: &Hours, moment: &str) -> String {
        match hours.at(moment.parse().unwrap()) {
            Opening::Now => "now".to_owned(),
            Opening::At(at) => at.strftime("%a %F %H:%M").to_string(),
            Opening::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn the_next_opening_is_found_in_the_shop_s_own_time() {
        let shop = hours(
            &["mon-fri 09:00-12:30", "mon-fri 13:30-17:00", "sat 10:00-24:00"],
            &["2026-12-25"],
        )
        .unwrap();
        for (moment, expected) in [
            // Monday; Berlin is an hour ahead in winter.
            ("2026-11-30T07:59:59Z", "Mon 2026-11-30 09:00"),
            ("2026-11-30T08:00:00Z", "now"),
            ("2026-11-30T11:30:00Z", "Mon 2026-11-30 13:30"),
            ("2026-11-30T16:00:00Z", "Tue 2026-12-01 09:00"),
            ("2026-12-05T22:59:59Z", "now"),
            ("2026-12-05T23:00:00Z", "Mon 2026-12-07 09:00"),
            // A day on which nobody comes, and the summer.
            ("2026-12-24T18:00:00Z", "Sat 2026-12-26 10:00"),
            ("2026-07-01T07:00:00Z", "now"),
            ("2026-07-01T06:59:59Z", "Wed 2026-07-01 09:00"),
        ] {
            assert_eq!(at(&shop, moment), expected, "{moment}");
        }
        assert_eq!(at(&hours(&[], &[]).unwrap(), "2026-11-30T08:00:00Z"), "unknown");
    }

    #[test]
    fn days_go_round_the_week() {
        let shop = hours(&["sat-mon 08:00-09:00"], &[]).unwrap();
        let days: Vec<Weekday> = shop.spans.iter().map(|span| span.day).collect();
        assert_eq!(days, [Weekday::Saturday, Weekday::Sunday, Weekday::Monday]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for open in [
            "",
            "mon",
            "mon 9:00-17:00",
            "mon 09:00-25:00",
            "mon 17:00-09:00",
            "mon 09:00-09:00",
            "xyz 09:00-10:00",
            "mon-xyz 09:00-10:00",
            "mon 09:00",
        ] {
            assert_eq!(hours(&[open], &[]), Err(HoursError::Span(open.to_owned())));
        }
        assert_eq!(hours(&[], &["25.12."]), Err(HoursError::Day("25.12.".to_owned())));
    }
}
