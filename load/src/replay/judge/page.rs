//! A page of the history against the list.

use super::{Contradiction, List};
use crate::replay::{
    event::Ended,
    message::Message,
    reading::{Page, Told},
};

/// What of the page is not a slice of the list that begins right after the position asked for.
pub fn check(list: &List, page: &Page) -> Vec<(Contradiction, String)> {
    let mut found = Vec::new();
    let Page { after_seq, last_seq, items } = page;
    if *last_seq > list.last_seq() {
        found.push((Contradiction::EventGone, format!("a page that ends at {last_seq}")));
    }
    let shown = |event: &&Told| event.seq > *after_seq && event.message_id.is_some();
    let mut expected = list.events().iter().filter(shown);
    for message in items.iter().filter(|message| !message.is_streaming()) {
        let what = match expected.next() {
            Some(event) if is_same(event, message) => continue,
            Some(_) => Contradiction::PageDiffers,
            None => Contradiction::EventGone,
        };
        found.push((what, format!("message {} of a page after {after_seq}", message.seq)));
        break;
    }
    // A page that claims to reach further than its messages has passed over one.
    let is_left_out = |event: &Told| event.seq <= *last_seq;
    if found.is_empty() && expected.next().is_some_and(is_left_out) {
        let text = format!("a page after {after_seq} leaves out a message up to {last_seq}");
        found.push((Contradiction::PageDiffers, text));
    }
    found
}

fn is_same(event: &Told, message: &Message) -> bool {
    let status = match event.ended() {
        None | Some(Ended::Completed) => "complete",
        Some(Ended::Failed) => "failed",
        Some(Ended::Cancelled) => "cancelled",
    };
    event.seq == message.seq
        && event.message_id.as_ref() == Some(&message.id)
        && event.turn_id.as_ref() == Some(&message.turn_id)
        && event.text.as_ref() == Some(&message.text)
        && event.begins_turn() == (message.role == "user")
        && message.status == status
}
