//! Which number is what: cards first, then what commas and line breaks part.

use std::ops::Range;

use super::{
    account,
    behind::{self, Behind},
    card,
    claims::Claims,
    context::{Context, Named},
    iban,
    kind::Kind,
    phone, pin,
    run::Run,
    ssn,
    vocabulary::{Class, Role},
};

/// Digits of an account that is no card.
const LONG_ACCOUNT: usize = 20;

/// The numbers of a text.
pub(super) struct Numbers<'a> {
    pub(super) text: &'a str,
    pub(super) context: &'a Context<'a>,
    /// Has the shop's formats.
    pub(super) own: Vec<Range<usize>>,
    /// Shape and end of the last number that was named as the shop's: another one of that shape may
    /// follow.
    pub(super) named: Option<(Vec<usize>, usize)>,
    /// The last card: its code may follow.
    pub(super) card: Option<Behind>,
}

impl Numbers<'_> {
    pub(super) fn read(mut self, claims: &mut Claims) {
        for run in Run::all(self.text) {
            let own = |range: &Range<usize>| {
                self.own.iter().any(|own| own.start < range.end && range.start < own.end)
            };
            let taken = |range: &Range<usize>| claims.touches(range) || own(range);
            for part in self.free(&run, taken) {
                self.cards(part, claims);
            }
        }
    }

    /// The parts of a run between what is taken.
    fn free(&self, run: &Run, taken: impl Fn(&Range<usize>) -> bool) -> Vec<Run> {
        let mut parts = Vec::new();
        let mut first = 0;
        for at in 0..=run.groups.len() {
            if run.groups.get(at).is_none_or(|group| taken(&group.range)) {
                if first < at {
                    parts.push(run.part(self.text, first..at));
                }
                first = at + 1;
            }
        }
        parts
    }

    fn cards(&mut self, run: Run, claims: &mut Claims) {
        let mut left = vec![run];
        while let Some(run) = left.pop() {
            // "nr konta 61 1090 1014 …" may begin with a card's digits.
            if run.digits() >= LONG_ACCOUNT && account::is_number(self.text, &run, self.context) {
                claims.add(Kind::Account, run.range);
                continue;
            }
            let Some(groups) = card::find(self.text, &run, self.context) else {
                self.segments(&run, claims);
                continue;
            };
            let card = run.groups[groups.start].range.start..run.groups[groups.end - 1].range.end;
            let code = card::code_after(self.text, &card, &run);
            claims.add(Kind::Card, card.clone());
            let taken = |range: &Range<usize>| {
                let is = |other: &Range<usize>| other.start < range.end && range.start < other.end;
                is(&card) || code.as_ref().is_some_and(is)
            };
            let mut rest = self.free(&run, taken);
            rest.reverse();
            left.extend(rest);
            if let Some(code) = code.clone() {
                claims.add(Kind::Cvv, code);
            }
        }
    }

    /// The numbers that commas and line breaks part.
    fn segments(&mut self, run: &Run, claims: &mut Claims) {
        let gaps = run.groups.len().saturating_sub(1);
        let loose: Vec<usize> =
            (0..gaps).filter(|gap| Run::is_loose(run.gap(self.text, *gap))).collect();
        let called = || {
            let near = self.context.near(run.range.start);
            near == Some(Class::Phone) || near == Some(Class::Ssn)
        };
        let whole = loose.len() == gaps && called() || self.is_broken(run, &loose);
        if !loose.is_empty() && whole && !self.one(run, claims) {
            return;
        }
        let mut first = 0;
        for end in loose.into_iter().map(|gap| gap + 1).chain([run.groups.len()]) {
            let part = run.part(self.text, first..end);
            if !claims.touches(&part.range) {
                self.one(&part, claims);
            }
            first = end;
        }
    }

    /// A phone number or a social security number that goes on in the next line.
    fn is_broken(&self, run: &Run, loose: &[usize]) -> bool {
        let lines = loose.iter().all(|gap| run.gap(self.text, *gap).trim().is_empty());
        let phone = (10..=12).contains(&run.digits())
            && self.text[run.groups[0].range.clone()].starts_with('0');
        lines && (phone || run.shape() == [3, 2, 4])
    }

    /// Whether the number is still free after all.
    fn one(&mut self, run: &Run, claims: &mut Claims) -> bool {
        if run.digits() < 3 || self.follows_named(run) {
            return true;
        }
        let (text, context) = (self.text, self.context);
        // "last 4 4821"
        if let [count, _] = &run.groups[..]
            && count.digits == 1
            && card::is_after_last(text, count.range.start, context)
        {
            return self.one(&run.part(text, 1..2), claims);
        }
        if context.named(&run.range) == Named::Yes {
            self.named = Some((run.shape(), run.range.end));
        }
        let card = claims.last_before(Kind::Card, run.range.start);
        if let Some(end) = card.filter(|end| self.card.is_none_or(|card| card.end < *end)) {
            self.card = Some(Behind::card(end));
        }
        if let Some(code) = self.card.and_then(|card| card.code_with_date(text, run, context)) {
            claims.add(Kind::Cvv, code);
            return false;
        }
        if let Some(code) = behind::code_beside_date(text, run, context) {
            claims.add(Kind::Cvv, code);
            return false;
        }
        if let Some(dated) = self.card.and_then(|card| card.date(text, run)) {
            self.card = Some(dated);
            return true;
        }
        let kind = if card::is_code(text, run, context)
            || self.card.is_some_and(|card| card.is_code(text, run, context))
        {
            Kind::Cvv
        } else if run.groups.len() <= 3
            && card::is_with_rest(text, &run.groups[0])
            && context.named(&run.range) != Named::Yes
        {
            Kind::Card
        } else if pin::is_pin(text, run, context) {
            Kind::Pin
        } else if ssn::is_number(text, run, context) {
            Kind::Ssn
        } else if card::is_ending(text, run, context) {
            match context.near(run.range.start) {
                Some(Class::Ssn) => Kind::Ssn,
                Some(Class::Account) => Kind::Account,
                Some(Class::Iban) => Kind::Iban,
                Some(Class::Phone) => Kind::Phone,
                _ => Kind::Card,
            }
        } else if account::is_number(text, run, context) {
            Kind::Account
        } else if iban::is_without_country(run, context) {
            Kind::Iban
        } else {
            let mut free = true;
            phone::find(text, run, context, &mut |range| {
                free = false;
                claims.add(Kind::Phone, range);
            });
            return free;
        };
        claims.add(kind, run.range.clone());
        false
    }

    /// "orders 4155552671 and 4155552672"
    fn follows_named(&mut self, run: &Run) -> bool {
        const FAR: usize = 8;
        let Some((shape, end)) = &mut self.named else { return false };
        let gap = *end..run.range.start.max(*end);
        let joined = gap.len() <= FAR
            && self.context.between(gap.clone()).all(|word| word.is(Role::Joint))
            && self.text[gap].chars().all(|c| c.is_alphabetic() || " ,&/+#\n".contains(c));
        let follows = joined && *shape == run.shape();
        if follows {
            *end = run.range.end;
        }
        follows
    }
}
