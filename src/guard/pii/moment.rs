//! Dates, opening hours and places on the map: numbers of nobody.

use super::run::{Run, digits_of};

/// "12/05/2024", "2015-12-22 04", "30 12.05.2024".
pub(super) fn is_date(text: &str, run: &Run) -> bool {
    let groups: Vec<&str> = run.groups.iter().map(|group| &text[group.range.clone()]).collect();
    let year = |text: &str| text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    let day =
        |text: &str| text.parse().is_ok_and(|day: u32| (1..=31).contains(&day) && text.len() <= 2);
    let date = |part: &[&str]| match part[..] {
        [a, b, c] => day(a) && day(b) && year(c) || year(a) && day(b) && day(c),
        _ => false,
    };
    (0..groups.len().saturating_sub(2)).any(|first| {
        let (before, rest) = groups.split_at(first);
        date(&rest[..3]) && before.iter().chain(&rest[3..]).all(|time| time.len() <= 2)
    })
}

/// "0900 1800"
pub(super) fn is_hours(text: &str, run: &Run) -> bool {
    run.groups.iter().all(|group| {
        let value: u32 = digits_of(text, group.range.clone()).parse().unwrap_or(u32::MAX);
        group.digits == 4 && value / 100 <= 24 && value % 100 < 60
    })
}

/// Opening hours: "10-12 14-18", "9.30-12.30 14-18".
pub(super) fn is_times(text: &str, run: &Run) -> bool {
    let value = |index: usize| {
        run.groups
            .get(index)
            .filter(|group| group.digits <= 2)
            .and_then(|group| digits_of(text, group.range.clone()).parse::<u32>().ok())
    };
    let gap = |index: usize| (index + 1 < run.groups.len()).then(|| run.gap(text, index));
    let (mut at, mut times, mut before) = (0, 0, None);
    while at < run.groups.len() {
        let Some(hour) = value(at).filter(|hour| *hour <= 24) else { return false };
        let minutes = gap(at).filter(|gap| matches!(*gap, "." | ":")).and_then(|_| value(at + 1));
        let minutes = minutes.filter(|minutes| minutes.is_multiple_of(5) && *minutes < 60);
        let time = hour * 60 + minutes.unwrap_or(0);
        if before.is_some_and(|before| before >= time) {
            return false;
        }
        let last = at + usize::from(minutes.is_some());
        // From, to, from, to.
        if times % 2 == 0 && gap(last).is_none_or(|gap| gap.trim() != "-") {
            return false;
        }
        before = Some(time);
        times += 1;
        at = last + 1;
    }
    times >= 2 && times % 2 == 0
}

/// Degrees of latitude and longitude: "48.2082 16.3738".
pub(super) fn is_place(text: &str, run: &Run) -> bool {
    let whole = |index: usize| {
        let degrees = digits_of(text, run.groups[index].range.clone());
        degrees.len() <= 3
            && (degrees == "0" || !degrees.starts_with('0'))
            && degrees.parse().is_ok_and(|degrees: u32| degrees <= 180)
    };
    let fine = |index: usize| run.groups[index].digits >= 3 && run.gap(text, index - 1) == ".";
    run.groups.len() == 4 && whole(0) && fine(1) && whole(2) && fine(3) && run.gap(text, 1) != "."
}
