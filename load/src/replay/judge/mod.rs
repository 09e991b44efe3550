//! The judge: holds the final list of a session against what was acknowledged, and every reading against the list.
//!
//! Pure. Each reading must be a beginning or a slice of the list; the list must have each acknowledged message once and
//! one end for each turn.

mod list;
mod page;
mod stream;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::list::List;
use super::{
    ledger::Acknowledged,
    reading::{Reader, Reading},
};

/// What does not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contradiction {
    /// The list does not count 1, 2, 3, ...
    ListGap,
    /// A turn of the list has no end.
    NoEnd,
    /// A turn of the list has more than one end.
    SecondEnd,
    /// A turn begins in the list while another one runs.
    TurnsOverlap,
    /// An acknowledged message is not in the list, or with another place, turn or text.
    AcknowledgedLost,
    /// An acknowledged message is in the list more than once.
    AcknowledgedTwice,
    /// A reader saw an event that the list has otherwise.
    EventDiffers,
    /// A reader saw an event behind the end of the list.
    EventGone,
    /// `seq` went back or was repeated on one stream.
    SeqBack,
    /// A stream passed over an event.
    SeqGap,
    /// `stream.reset` for a position that the list has.
    ValidPositionReset,
    /// A piece of the answer was passed over.
    PieceLost,
    PieceRepeated,
    /// A piece of another turn than the one that runs.
    PieceOutOfPlace,
    /// The pieces that were shown are only the beginning of the completed text.
    TextCutShort,
    /// The shown text is not the completed text.
    TextDiffers,
    /// A page is no slice of the list.
    PageDiffers,
    /// 404 or 410 for a session that lives.
    SessionDenied,
    /// A follower never read the last event.
    FellBehind,
    ForeignSession,
    /// A frame that is no event.
    BadFrame,
}

/// One contradiction and where it was found, without any text of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub what: Contradiction,
    /// The turn or message that it is about, where there is one.
    pub subject: Option<String>,
    pub place: String,
}

/// What the final list itself lacks.
pub fn judge_list(list: &List, acknowledged: &[Acknowledged]) -> Vec<Found> {
    list.faults(acknowledged)
}

/// What `readers` saw that is not in the list.
pub fn judge_readers(list: &List, readers: &[Reader]) -> Vec<Found> {
    readers.iter().flat_map(|reader| judge_reader(list, reader)).collect()
}

fn judge_reader(list: &List, reader: &Reader) -> Vec<Found> {
    let mut place = stream::Place::new(list);
    for reading in &reader.readings {
        match reading {
            Reading::Stream(stream) => place.read(&stream.borrow()),
            Reading::Page(page) => place.found.extend(page::check(list, page)),
            Reading::Snapshot(last_seq) if *last_seq > list.last_seq() => {
                let text = format!("a snapshot at {last_seq}");
                place.found.push((Contradiction::EventGone, text));
            }
            Reading::Refused(status) if matches!(status, 404 | 410) && !list.is_empty() => {
                place.found.push((Contradiction::SessionDenied, format!("status {status}")));
            }
            Reading::Snapshot(_) | Reading::Refused(_) => {}
        }
    }
    if reader.follows_to_the_end && place.furthest() < list.last_seq() {
        let text = format!("at {} of {}", place.furthest(), list.last_seq());
        place.found.push((Contradiction::FellBehind, text));
    }
    let name = &reader.name;
    let found = place.found.chunk_by(|one, next| one.0 == next.0 && is_of_piece(one.0));
    found
        .filter_map(|run| Some((run.first()?, run.len() - 1)))
        .map(|((what, text), others)| {
            let more = if others > 0 { format!(" and {others} more") } else { String::new() };
            Found { what: *what, subject: None, place: format!("{name}: {text}{more}") }
        })
        .collect()
}

/// One answer has many pieces: what is wrong with several in a row counts once.
fn is_of_piece(what: Contradiction) -> bool {
    matches!(
        what,
        Contradiction::PieceLost | Contradiction::PieceRepeated | Contradiction::PieceOutOfPlace
    )
}
