//! The input of a turn. Every step reads it, and none changes it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    exact,
    ports::{Exchange, Ports, Purpose, TurnInput},
    screen::{Screened, screen},
};
use crate::{
    brownout::Service,
    cache::{Freshness, Hit, Partition, Question},
    clock,
    domain::{AddressBlock, Lane, PrincipalId, ServiceLevel, SiteId, Ticket, Timestamp, TurnId},
    guard::Vault,
};

pub struct Ask {
    pub purpose: Purpose,
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub from: Option<AddressBlock>,
    pub locale: String,
    pub lane: Lane,
    /// The message without personal data; model, cache and index receive only this.
    pub text: String,
    /// Earlier exchanges without personal data, oldest first.
    pub history: Vec<Exchange>,
    pub vault: Vault,
    /// The service level when the turn began.
    pub service: Service,
    pub partition: Arc<Partition>,
    /// Absent if another shopper's answer cannot serve this one.
    pub question: Option<Question>,
    pub began_at: Timestamp,
    pub begun: Instant,
    exact: Option<Hit>,
    /// How long the exact look-up took; absent if none was made.
    pub looked_up_ms: Option<u64>,
}

impl Ask {
    /// Masks the conversation and looks up an answer to exactly this question. It never waits, so
    /// the caller can store question and answer in one step.
    pub fn new(ports: &Ports, input: TurnInput) -> Self {
        let TurnInput { purpose, site, visitor, from, locale, text, lane, history } = input;
        let Screened { text, history, vault } = screen(&text, &history, &ports.formats_of(&site));
        let service = match purpose {
            Purpose::Conversation | Purpose::Completion => ports.brownout.service(),
            Purpose::Ticket => Service::FULL,
        };
        let partition = Arc::new(exact::partition(ports, &site, &locale));
        let question = Question::new(&text, history.is_empty()).ok();
        let mut ask = Self {
            purpose,
            site,
            visitor,
            from,
            locale,
            lane,
            text,
            history,
            vault,
            service,
            partition,
            question,
            began_at: clock::now(),
            begun: Instant::now(),
            exact: None,
            looked_up_ms: None,
        };
        let looked_up = ask
            .question
            .as_ref()
            .and_then(|question| exact::look_up(ports, &ask.partition, question, ask.freshness()));
        if let Some((hit, took)) = looked_up {
            ask.exact = hit;
            ask.looked_up_ms = Some(took);
        }
        ask
    }

    /// The whole answer, if the cache has one for exactly this question.
    pub fn exact(&self) -> Option<&Hit> {
        self.exact.as_ref()
    }

    /// Whether a reader waits for the answer.
    pub fn is_waited_for(&self) -> bool {
        self.purpose != Purpose::Ticket
    }

    /// Whether the answer may serve other shoppers. An answer based on a conversation with personal
    /// data may repeat that data.
    pub fn may_be_shared(&self) -> bool {
        self.question.is_some() && self.vault.is_empty()
    }

    /// The ticket that the turn may open.
    pub fn ticket(&self, ports: &Ports, turn: TurnId) -> Option<Ticket> {
        let deliverable = self.purpose == Purpose::Conversation;
        (deliverable && ports.brownout.tickets()).then(|| Ticket::opened_by(turn))
    }

    /// At a reduced service level an older answer is better than none.
    pub fn freshness(&self) -> Freshness {
        match self.service.level >= ServiceLevel::KNOWLEDGE {
            true => Freshness::Stale,
            false => Freshness::Fresh,
        }
    }
}
