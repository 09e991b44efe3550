//! Faults by order number. Each of these orders belongs to Anna.

/// What an order does instead of an answer, or to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Answers late.
    Slow,
    /// 500, and nothing is done.
    Broken,
    /// Never answers, and nothing is done.
    Hangs,
    /// Does it, and the connection ends within the answer.
    Cut,
    /// 200 with bytes that are no JSON.
    Garbage,
    /// 200 with 10 MB.
    Huge,
    /// Its texts hold instructions for a model and links.
    Hostile,
    /// Does it, and answers 500.
    BrokenAfter,
    /// 429, and nothing is done.
    Busy,
}

pub const FAULTS: [(&str, Fault); 9] = [
    ("FJ-90001", Fault::Slow),
    ("FJ-90002", Fault::Broken),
    ("FJ-90003", Fault::Hangs),
    ("FJ-90004", Fault::Cut),
    ("FJ-90005", Fault::Garbage),
    ("FJ-90006", Fault::Huge),
    ("FJ-90007", Fault::Hostile),
    ("FJ-90008", Fault::BrokenAfter),
    ("FJ-90009", Fault::Busy),
];

impl Fault {
    pub fn of(number: &str) -> Self {
        let found = FAULTS.iter().find(|(known, _)| *known == number);
        found.map_or(Self::None, |(_, fault)| *fault)
    }
}
