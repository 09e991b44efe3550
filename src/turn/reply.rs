//! The output of a turn: the only way into its log.

use std::sync::Arc;

use tokio::time::Instant;

use super::ask::Ask;
use crate::{
    cache::{self, Hit},
    domain::{
        Answer, CacheInfo, CacheTier, Citation, Event, Fact, FinishReason, Intent, Language, Live,
        MessageId, Route, ServiceLevel, Stage, Timings, TurnId,
    },
    inference::QueuePosition,
    log::{TurnLog, Writer},
};

/// The answer in progress. Dropping it ends the log, see [`Writer`].
pub struct Reply {
    writer: Writer,
    level: ServiceLevel,
    begun: Instant,
    intent: Option<Intent>,
    language: Option<Language>,
    /// Before a text that is said at once.
    opening: &'static str,
    pub timings: Timings,
    /// Id of the answer. It is set before the answer is complete, because a cached copy is found by
    /// it.
    pub message_id: MessageId,
}

impl Reply {
    pub fn new(writer: Writer, ask: &Ask) -> Self {
        let timings = Timings { cache_ms: ask.looked_up_ms, ..Timings::default() };
        let (level, begun) = (ask.service.level, ask.begun);
        Self::of(writer, level, begun, timings)
    }

    /// For a turn without an ask.
    pub fn silent(writer: Writer) -> Self {
        let (level, begun) = (ServiceLevel::FULL, Instant::now());
        let timings = Timings::default();
        Self::of(writer, level, begun, timings)
    }

    fn of(writer: Writer, level: ServiceLevel, begun: Instant, timings: Timings) -> Self {
        let message_id = MessageId::new();
        let (intent, language, opening) = (None, None, "");
        Self { writer, level, begun, intent, language, opening, timings, message_id }
    }

    /// What the answer says about the question.
    pub fn understand(&mut self, intent: &Intent, language: Language) {
        self.intent = Some(intent.clone());
        self.language = Some(language);
    }

    pub fn log(&self) -> &Arc<TurnLog> {
        self.writer.log()
    }

    pub fn turn_id(&self) -> TurnId {
        self.log().turn_id()
    }

    /// The text as it is shown now.
    pub fn text(&self) -> String {
        self.log().text()
    }

    /// Reports how the turn is answered.
    pub fn start(&self, route: Route) {
        self.writer.push(&Live::TurnStarted { route, service_level: self.level });
    }

    pub fn stage(&self, stage: Stage) {
        self.writer.push(&Live::TurnStatus { stage });
    }

    pub fn queued(&self, QueuePosition { position, eta }: QueuePosition) {
        let eta_ms = u64::try_from(eta.as_millis()).unwrap_or(u64::MAX);
        self.writer.push(&Live::TurnQueued { position, eta_ms });
    }

    /// Adds a piece of the answer. Returns false if it exceeds the longest answer.
    #[must_use]
    pub fn add(&mut self, text: &str) -> bool {
        if !text.is_empty() {
            let elapsed = millis(self.begun);
            self.timings.first_token_ms.get_or_insert(elapsed);
        }
        self.writer.push_text(text)
    }

    /// Withdraws the shown text, if there is any. The reader sees this.
    pub fn withdraw(&self, reason: &str) {
        if !self.text().is_empty() {
            self.replace(reason, String::new());
        }
    }

    /// Shows `text` in place of the text shown so far.
    pub fn replace(&self, reason: &str, text: String) {
        self.writer.push(&Live::AnswerReplaced { reason: reason.to_owned(), text });
    }

    pub fn cite(&self, citations: &[Citation]) {
        for citation in citations {
            self.writer.push(&Live::AnswerCitation { citation: citation.clone() });
        }
    }

    /// What the next text begins with that is said at once.
    pub fn open_with(&mut self, sentence: &'static str) {
        self.opening = sentence;
    }

    /// Shows a whole text at once.
    pub fn say(&mut self, text: &str, route: Route, citations: Vec<Citation>) -> Answer {
        self.start(route);
        let complete = match std::mem::take(&mut self.opening) {
            "" => self.add(text),
            opening => self.add(&format!("{opening} {text}")),
        };
        self.cite(&citations);
        let finish_reason = if complete { FinishReason::Stop } else { FinishReason::Length };
        Answer { citations, finish_reason, ..Answer::new(self.text(), route) }
    }

    /// Answers with a cache entry.
    pub fn serve(&mut self, hit: &Hit) -> Fact {
        let route = match hit.tier {
            CacheTier::Exact => Route::Exact,
            CacheTier::Semantic => Route::Semantic,
        };
        if let Some(usage) = hit.answer.usage {
            cache::metrics::saved(usage);
        }
        let age_ms = u64::try_from(hit.age.as_millis()).ok();
        let cache = Some(CacheInfo { tier: hit.tier, age_ms, entry: Some(hit.answer.message_id) });
        let answer = self.say(&hit.answer.text, route, hit.answer.citations.clone());
        self.complete(Answer { cache, ..answer })
    }

    /// Answers with a fixed text, before anything was searched.
    pub fn refuse(&mut self, text: &str) -> Fact {
        let answer = self.say(text, Route::Template, Vec::new());
        self.complete(answer)
    }

    /// The event that ends the turn with `answer`.
    pub fn complete(&self, answer: Answer) -> Fact {
        Fact::AnswerCompleted(Answer {
            message_id: self.message_id,
            service_level: self.level,
            timings: Timings { total_ms: millis(self.begun), ..self.timings },
            intent: answer.intent.or_else(|| self.intent.clone()),
            language: answer.language.or(self.language),
            ..answer
        })
    }

    /// Ends the log with the events that ended the turn.
    pub fn close(&self, events: &[Event]) {
        self.writer.close(events);
    }

    /// Ends the log of a turn without a journal.
    pub fn end(&self, fact: Fact) {
        self.writer.end(fact);
    }
}

/// Whole milliseconds since `since`.
pub fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
