//! How many requests of each kind came in each minute, and the plan of a rehearsal made from them.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{bail, ensure};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Most minutes from the first to the last request: 31 days.
const MAX_MINUTES: i64 = 31 * 24 * 60;
/// One generator cannot rehearse more messages than this.
const MAX_MESSAGES: usize = 2_000_000;

/// The kinds of requests that a rehearsal distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A question.
    Message,
    /// A new session.
    Session,
    /// A sign-in of a visitor or a customer.
    SignIn,
    /// Reading history or events.
    Read,
    /// A page of the shop, or anything else.
    Other,
}

impl Kind {
    /// The kind of a method with a path or route; the query is ignored.
    pub fn of(method: &str, path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
        let is_post = method.eq_ignore_ascii_case("post");
        let Some((_, rest)) = path.split_once("/v1/") else { return Self::Other };
        match rest.split('/').collect::<Vec<_>>().as_slice() {
            ["sessions", _, "messages"] | ["chat", "completions"] if is_post => Self::Message,
            ["sessions"] if is_post => Self::Session,
            ["auth", ..] if is_post => Self::SignIn,
            ["sessions", ..] if method.eq_ignore_ascii_case("get") => Self::Read,
            _ => Self::Other,
        }
    }
}

/// Requests of one minute by kind. Rates can give fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Minute {
    pub messages: f64,
    pub sessions: f64,
    pub sign_ins: f64,
    pub reads: f64,
    pub others: f64,
}

/// Traffic by minute, without personal data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Keys are minutes since 1970.
    minutes: BTreeMap<i64, Minute>,
    /// Lines that were parsed, and those that were not.
    pub lines: u64,
    pub bad_lines: u64,
}

impl Curve {
    /// Adds `count` requests at `second` (Unix time).
    pub fn add(&mut self, second: i64, kind: Kind, count: f64) {
        let minute = self.minutes.entry(second.div_euclid(60)).or_default();
        let field = match kind {
            Kind::Message => &mut minute.messages,
            Kind::Session => &mut minute.sessions,
            Kind::SignIn => &mut minute.sign_ins,
            Kind::Read => &mut minute.reads,
            Kind::Other => &mut minute.others,
        };
        *field += count;
    }

    pub fn total(&self) -> Minute {
        self.minutes.values().fold(Minute::default(), |sum, minute| Minute {
            messages: sum.messages + minute.messages,
            sessions: sum.sessions + minute.sessions,
            sign_ins: sum.sign_ins + minute.sign_ins,
            reads: sum.reads + minute.reads,
            others: sum.others + minute.others,
        })
    }

    /// Minutes from the first to the last, including quiet ones.
    pub fn length(&self) -> usize {
        match (self.minutes.keys().next(), self.minutes.keys().next_back()) {
            (Some(first), Some(last)) => usize::try_from(last - first + 1).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    /// Ensures that there are chats: from the log, or as a share of its page views.
    ///
    /// # Errors
    /// If no line was parsed, the time span is too long for a log, or the log has no chats and no
    /// share is given.
    pub fn of_chats(mut self, per_thousand: Option<f64>) -> anyhow::Result<Self> {
        let (lines, bad) = (self.lines, self.bad_lines);
        ensure!(!self.minutes.is_empty(), "{lines} lines were parsed and {bad} were not");
        ensure!(self.length() as i64 <= MAX_MINUTES, "it covers more than 31 days: use one day");
        if let Some(share) = per_thousand {
            ensure!((0.0..=1000.0).contains(&share), "--per-thousand must be 0 to 1000");
            for minute in self.minutes.values_mut() {
                minute.messages += minute.others * share / 1000.0;
            }
        }
        if self.total().messages <= 0.0 {
            bail!(
                "it contains no chats: set --per-thousand to the number of chats for 1,000 page views"
            );
        }
        Ok(self)
    }

    /// The messages to send and the mix around them.
    ///
    /// # Errors
    /// If the plan would send nothing or too much.
    pub fn plan(&self, times: f64, within: Duration, seed: u64) -> anyhow::Result<Plan> {
        let first = self.minutes.keys().next().copied().unwrap_or(0);
        let real = self.length() as f64 * 60.0;
        // Never slower than in the log.
        let length = within.as_secs_f64().min(real);
        let pace = length / real;
        let mut random = StdRng::seed_from_u64(seed);
        let (mut messages, mut peak) = (Vec::new(), 0.0_f64);
        for (minute, counts) in &self.minutes {
            let rate = counts.messages / 60.0 * times;
            peak = peak.max(rate);
            if rate <= 0.0 {
                continue;
            }
            let begin = (minute - first) as f64 * 60.0 * pace;
            let end = begin + 60.0 * pace;
            // The gaps of a Poisson process are exponential.
            let gap = |random: &mut StdRng| -(1.0 - random.random::<f64>()).ln() / rate;
            let mut at = begin + gap(&mut random);
            while at < end {
                ensure!(
                    messages.len() < MAX_MESSAGES,
                    "that is more than 2,000,000 messages: lower --times or --within"
                );
                messages.push(Duration::from_secs_f64(at));
                at += gap(&mut random);
            }
        }
        ensure!(!messages.is_empty(), "the plan has no message: raise --times or --within");
        let total = self.total();
        // If the log has no sessions (an API for completions, a share of page views), each question
        // opens one.
        let new_sessions = match total.sessions > 0.0 {
            true => (total.sessions / total.messages).min(1.0),
            false => 1.0,
        };
        let reads = (total.reads / total.messages).min(10.0);
        let length = Duration::from_secs_f64(length);
        Ok(Plan { messages, length, peak, new_sessions, reads, seed })
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(
            f,
            "{} min, {} lines ({} not parsed), {:.0} messages, {:.0} sessions, {:.0} sign-ins, {:.0} reads, {:.0} others",
            self.length(),
            self.lines,
            self.bad_lines,
            total.messages,
            total.sessions,
            total.sign_ins,
            total.reads,
            total.others
        )
    }
}

/// The messages that a rehearsal sends.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// When each message is due, from the start, in order.
    pub messages: Vec<Duration>,
    pub length: Duration,
    /// Messages per second in the busiest minute.
    pub peak: f64,
    /// Share of the messages, 0 to 1, that open a session of a new visitor.
    pub new_sessions: f64,
    /// Reads of the history per message.
    pub reads: f64,
    pub seed: u64,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "plan: {} messages in {:.0} s, {:.1} a second at the peak, {:.0} % of them by new shoppers, {:.1} readings of the history each",
            self.messages.len(),
            self.length.as_secs_f64(),
            self.peak,
            self.new_sessions * 100.0,
            self.reads
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_by_method_and_path_alone() {
        for (method, path, kind) in [
            ("POST", "/v1/sessions/0192-ab/messages?x=1", Kind::Message),
            ("POST", "/chat/v1/chat/completions", Kind::Message),
            ("post", "/v1/sessions/", Kind::Session),
            ("POST", "/v1/auth/visitor", Kind::SignIn),
            ("GET", "/v1/sessions/{id}/events", Kind::Read),
            ("GET", "/v1/sessions/{id}/messages", Kind::Read),
            ("GET", "/products/tent", Kind::Other),
            ("DELETE", "/v1/sessions/1", Kind::Other),
        ] {
            assert_eq!(Kind::of(method, path), kind, "{method} {path}");
        }
    }

    fn curve(counts: &[(i64, f64)]) -> Curve {
        let mut curve = Curve { lines: counts.len() as u64, ..Curve::default() };
        for (minute, count) in counts {
            curve.add(minute * 60 + 7, Kind::Message, *count);
        }
        curve
    }

    #[test]
    fn the_rate_is_multiplied_and_only_its_length_shrinks() {
        // 60 in a minute, a quiet minute, 600 in a minute; at twenty times this is 20 and 200 per
        // second.
        let plan = curve(&[(100, 60.0), (102, 600.0)]).plan(20.0, Duration::from_secs(30), 1);
        let plan = plan.unwrap();
        assert!((plan.peak - 200.0).abs() < 1e-9);
        assert_eq!(plan.length, Duration::from_secs(30));
        let count = |from: u64, to: u64| {
            let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
            plan.messages.iter().filter(|&at| (from..to).contains(at)).count()
        };
        // Ten seconds each; a Poisson count of 200 and of 2,000, seven deviations wide.
        assert!((100..300).contains(&count(0, 10)), "{}", count(0, 10));
        assert_eq!(count(10, 20), 0);
        assert!((1687..2313).contains(&count(20, 30)), "{}", count(20, 30));
        assert!(plan.messages.is_sorted());
        assert!((plan.new_sessions - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_short_log_is_not_stretched() {
        let plan = curve(&[(1, 600.0)]).plan(1.0, Duration::from_secs(3600), 1).unwrap();
        assert_eq!(plan.length, Duration::from_secs(60));
    }

    #[test]
    fn page_views_become_chats_only_by_a_named_share() {
        let mut curve = Curve { lines: 1, ..Curve::default() };
        curve.add(0, Kind::Other, 2000.0);
        let error = curve.clone().of_chats(None).unwrap_err().to_string();
        assert!(error.contains("--per-thousand"), "{error}");
        let curve = curve.of_chats(Some(5.0)).unwrap();
        assert!((curve.total().messages - 10.0).abs() < 1e-9);
        assert!(Curve::default().of_chats(Some(5.0)).is_err());
    }

    #[test]
    fn sessions_and_reads_set_the_mix() {
        let mut curve = curve(&[(1, 400.0)]);
        curve.add(60, Kind::Session, 100.0);
        curve.add(60, Kind::Read, 200.0);
        let plan = curve.plan(1.0, Duration::from_secs(60), 1).unwrap();
        assert!((plan.new_sessions - 0.25).abs() < 1e-9 && (plan.reads - 0.5).abs() < 1e-9);
    }
}
