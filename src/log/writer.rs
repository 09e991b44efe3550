//! The writing half of a log.

use std::sync::{Arc, MutexGuard};

use bytes::Bytes;
use serde::Deserialize;

use super::{
    frame::{Frame, Place},
    transcript::Transcript,
    turn::TurnLog,
};
use crate::{
    clock,
    domain::{Answer, ErrorCode, Event, Fact, Live, Part, Problem},
};

/// The only writer of a log. A log has exactly one end: the one that its writer sets, or
/// `turn.failed` with `interrupted` if the writer is dropped before that.
#[must_use = "a dropped writer ends its log"]
pub struct Writer {
    log: Arc<TurnLog>,
}

/// Which event the process that runs a mirrored turn sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Mirrored {
    /// A live event, which was added.
    Live,
    /// A durable event. It was not added, because the journal has it.
    Durable,
    /// Not an event.
    Nonsense,
}

impl Writer {
    /// For a turn that this process runs. `max_bytes`: the longest answer.
    pub fn new(place: Place, max_bytes: usize) -> Self {
        Self { log: TurnLog::new(place, max_bytes, false) }
    }

    /// For a turn that another process runs; [`Writer::mirror`] fills it. If the writer is dropped
    /// before the end is known, the log breaks off: only the process that runs the turn may set its
    /// end.
    pub fn mirror_of(place: Place, max_bytes: usize) -> Self {
        Self { log: TurnLog::new(place, max_bytes, true) }
    }

    pub fn log(&self) -> &Arc<TurnLog> {
        &self.log
    }

    /// Appends one live event. Ignored once the log is ended.
    pub fn push(&self, live: &Live) {
        if let Live::AnswerDelta { text, .. } = live {
            let _ = self.push_text(text);
            return;
        }
        self.add(live, self.log.place.render(live));
    }

    /// Appends a piece of the answer. Returns false once the answer has reached its limit; the rest
    /// is dropped.
    #[must_use]
    pub fn push_text(&self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        let Some(mut transcript) = self.open() else { return true };
        let fits = transcript.add_piece(text);
        self.grown(transcript);
        fits
    }

    /// Appends a live event in the form in which another process rendered it.
    pub fn mirror(&self, json: Bytes) -> Mirrored {
        /// Live events carry the `seq` of the event that began their turn.
        #[derive(Deserialize)]
        struct Head {
            seq: u64,
            #[serde(rename = "type")]
            name: String,
        }
        let Ok(head) = serde_json::from_slice::<Head>(&json) else { return Mirrored::Nonsense };
        let base = self.log.place.base_seq;
        if Fact::knows(&head.name) || (base > 0 && head.seq > base) {
            return Mirrored::Durable;
        }
        match serde_json::from_slice(&json) {
            Err(_) => return Mirrored::Nonsense,
            Ok(Live::AnswerDelta { text, .. }) => {
                let _ = self.push_text(&text);
            }
            Ok(live) => self.add(&live, json),
        }
        Mirrored::Live
    }

    /// Ends the log with the durable events that end the turn: first asides, then the end itself.
    /// Later calls are ignored.
    pub fn close(&self, events: &[Event]) {
        let Some(mut transcript) = self.open() else { return };
        for event in events {
            if event.fact.part() == Part::Ends {
                self.correct(&mut transcript, &event.fact);
                // Set before the readers wake, so that a reader that sees the end also sees the
                // outcome.
                let _ = self.log.outcome.set(Arc::new(event.clone()));
            }
            transcript.add_event(Frame::of_event(event));
        }
        transcript.end();
        self.grown(transcript);
    }

    /// Readers must end with the text of the end event. They have seen another one if another
    /// replica ended the turn, or less of it if pieces of a mirrored turn never arrived here.
    fn correct(&self, transcript: &mut Transcript, end: &Fact) {
        let (Fact::AnswerCompleted(Answer { text, .. })
        | Fact::TurnFailed { text, .. }
        | Fact::TurnCancelled { text, .. }) = end
        else {
            return;
        };
        let shown = transcript.text();
        if self.log.is_mirror
            && let Some(rest) = text.strip_prefix(shown)
        {
            transcript.add_rest(rest);
        } else if *text != shown && !shown.is_empty() {
            let live = Live::AnswerReplaced { reason: "corrected".to_owned(), text: text.clone() };
            transcript.add(&live, self.log.place.render(&live));
        }
    }

    /// Ends the log of a turn without a journal here, with `fact`.
    pub fn end(&self, fact: Fact) {
        let Place { session_id, turn_id, epoch, base_seq } = self.log.place;
        let (seq, at) = (base_seq + 1, clock::now());
        self.close(&[Event { v: 1, seq, session_id, turn_id, epoch, at, fact }]);
    }

    fn add(&self, live: &Live, json: Bytes) {
        let Some(mut transcript) = self.open() else { return };
        transcript.add(live, json);
        self.grown(transcript);
    }

    /// The transcript for appending; `None` once the log has ended.
    fn open(&self) -> Option<MutexGuard<'_, Transcript>> {
        Some(self.log.transcript()).filter(|transcript| !transcript.is_ended())
    }

    /// Wakes the readers without delaying the writer.
    fn grown(&self, transcript: MutexGuard<'_, Transcript>) {
        let length = transcript.length();
        drop(transcript);
        self.log.length.send_replace(length);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.log.is_ended() {
            return;
        }
        if self.log.is_mirror {
            self.close(&[]);
        } else {
            self.end(Fact::failed(Problem::new(ErrorCode::Interrupted), self.log.text()));
        }
    }
}
