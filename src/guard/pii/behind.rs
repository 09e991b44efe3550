//! What stands behind a card in other words: its date, and the code that protects it.

use std::ops::Range;

use super::{
    card::is_amount,
    context::{Context, Named},
    run::{Group, Run, digits_of, ends_freely},
    vocabulary::{Class, Role},
};

/// Longest way in bytes from a card to its date, and from there to its code.
const FAR: usize = 40;

/// Where a card ended, and whether its date was read since then.
#[derive(Clone, Copy)]
pub(super) struct Behind {
    pub(super) end: usize,
    dated: bool,
}

impl Behind {
    pub(super) fn card(end: usize) -> Self {
        Self { end, dated: false }
    }

    /// The place behind the card's date, if `run` is that: "exp 12/27".
    pub(super) fn date(self, text: &str, run: &Run) -> Option<Self> {
        let near = run.range.start.saturating_sub(self.end) <= FAR;
        let dated = !self.dated && near && is_date(text, &run.groups);
        dated.then_some(Self { end: run.range.end, dated })
    }

    /// The card's code, if `run` is its date with the code right behind it: "exp 12/27 123".
    pub(super) fn code_with_date(
        self,
        text: &str,
        run: &Run,
        context: &Context<'_>,
    ) -> Option<Range<usize>> {
        let last = run.groups.len().checked_sub(1).filter(|last| *last > 0)?;
        let dated = self.date(text, &run.part(text, 0..last))?;
        let code = run.part(text, last..last + 1);
        dated.is_code(text, &code, context).then_some(code.range)
    }

    /// Whether `run` is the code of the card: "exp 12/27 code 123", "the code is 123".
    pub(super) fn is_code(self, text: &str, run: &Run, context: &Context<'_>) -> bool {
        let range = &run.range;
        let gap = self.end..range.start.max(self.end);
        let called = context.between(gap.clone()).any(|word| {
            let class = word.meaning.and_then(|meaning| meaning.class);
            matches!(class, Some(Class::Cvv | Class::Pin)) || word.is(Role::Number)
        });
        run.groups.len() == 1
            && (3..=4).contains(&run.digits())
            && !run.plus
            && (self.dated || called)
            && gap.len() <= FAR
            && !is_amount(text, range, context)
            && ends_freely(text, range.end)
            && context.named(range) != Named::Yes
    }
}

/// The code of a card behind its word, with the card's date before or behind it: "cvc 847 12/27".
pub(super) fn code_beside_date(
    text: &str,
    run: &Run,
    context: &Context<'_>,
) -> Option<Range<usize>> {
    let [first, middle @ .., last] = &run.groups[..] else { return None };
    let called = context.adjacent(run.range.start) == Some(Class::Cvv);
    let code = |group: &Group| (3..=4).contains(&group.digits);
    let groups = &run.groups;
    if !called || middle.len() > 1 || run.plus {
        None
    } else if code(first) && is_date(text, &groups[1..]) {
        Some(first.range.clone())
    } else if code(last) && is_date(text, &groups[..groups.len() - 1]) {
        Some(last.range.clone())
    } else {
        None
    }
}

/// "12/27", "1227"
fn is_date(text: &str, groups: &[Group]) -> bool {
    let parts: Vec<String> =
        groups.iter().map(|group| digits_of(text, group.range.clone())).collect();
    let month = |part: &str| part.len() <= 2 && (1..=12).contains(&part.parse().unwrap_or(0));
    match &parts[..] {
        [first, year] => month(first) && matches!(year.len(), 2 | 4),
        [date] => matches!(date.len(), 4 | 6) && month(&date[..2]),
        _ => false,
    }
}
