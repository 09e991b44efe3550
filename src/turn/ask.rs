//! The input of a turn. Every step reads it, and none changes it.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    exact, language,
    page::Page,
    ports::{Ports, Purpose, TurnInput},
    roster::Duty,
    said::Said,
};
use crate::{
    brownout::Service,
    cache::{Freshness, Hit, Partition, Question, Witness},
    clock,
    domain::{
        AddressBlock, Lane, Language, PrincipalId, ServiceLevel, SiteId, Ticket, Timestamp, TurnId,
    },
    guard::{self, Look},
};

pub struct Ask {
    pub purpose: Purpose,
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub from: Option<AddressBlock>,
    /// The visitor, for the trust in cached answers.
    pub witness: Witness,
    pub locale: String,
    /// The page that the shopper looked at, if the message does not stand alone.
    pub page: Option<Page>,
    /// The language of the message, which the answer follows.
    pub language: Language,
    pub lane: Lane,
    /// Without personal data; model, cache and index receive only this.
    pub said: Said,
    /// The assistants when the turn began.
    pub duty: Arc<Duty>,
    /// The service level when the turn began.
    pub service: Service,
    pub partition: Arc<Partition>,
    pub began_at: Timestamp,
    pub begun: Instant,
    /// What the message is before anybody knows what it asks.
    pub look: Look,
    exact: Option<Hit>,
    /// How long the exact look-up took; absent if none was made.
    pub looked_up_ms: Option<u64>,
}

impl Ask {
    /// Masks the conversation and looks up an answer to exactly this question. It never waits, so
    /// the caller can store question and answer in one step.
    pub fn new(ports: &Ports, input: TurnInput) -> Self {
        let TurnInput {
            purpose,
            site,
            visitor,
            from,
            witness,
            locale,
            page,
            text,
            lane,
            history,
            duty,
        } = input;
        let before = history.last().map(|exchange| exchange.user.as_str());
        let look = guard::look(&text, before);
        let own = ports.own_of(&site);
        let said = Said::new(&text, &history, &own);
        // What a check finds is not given to shoppers, nor taken from what they got.
        let said = if purpose == Purpose::Check { said.personal() } else { said };
        let earlier = said.history().iter().map(|exchange| exchange.user.as_str());
        let language = language::of(said.text(), earlier, &locale);
        // Others who ask the same look at other pages.
        let page =
            page.filter(|_| said.question().is_none()).and_then(|page| Page::of(&page, &own));
        let service = match purpose {
            Purpose::Conversation | Purpose::Completion => ports.brownout.service(),
            Purpose::Ticket | Purpose::Check => Service::FULL,
        };
        let duty = duty.unwrap_or_else(|| ports.duty(&site));
        let locale_of_pages = search_locale(&locale, language);
        let partition = exact::partition(ports, &site, &duty.catalog, locale_of_pages);
        let partition = Arc::new(partition);
        let mut ask = Self {
            purpose,
            site,
            visitor,
            from,
            witness,
            locale,
            page,
            language,
            lane,
            said,
            duty,
            service,
            partition,
            began_at: clock::now(),
            begun: Instant::now(),
            look,
            exact: None,
            looked_up_ms: None,
        };
        let (partition, freshness) = (&ask.partition, ask.freshness());
        let looked_up = exact::look_up(ports, partition, &ask.said, witness, freshness);
        if let Some((hit, took)) = looked_up {
            ask.exact = hit;
            ask.looked_up_ms = Some(took);
        }
        ask
    }

    /// The language tag of documents that answer the message: that of the session, if the message
    /// is in its language.
    pub fn search_locale(&self) -> &str {
        search_locale(&self.locale, self.language)
    }

    /// The whole answer, if the cache has one for exactly this question.
    pub fn exact(&self) -> Option<&Hit> {
        self.exact.as_ref()
    }

    /// Whether a reader waits for the answer.
    pub fn is_waited_for(&self) -> bool {
        self.purpose != Purpose::Ticket
    }

    /// The question, if it may follow another turn: a reader waits who has not just got an answer
    /// to it.
    pub fn followable(&self) -> Option<&Question> {
        let follows = self.is_waited_for() && !self.said.is_repeated();
        self.said.question().filter(|_| follows)
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

fn search_locale(locale: &str, language: Language) -> &str {
    if Language::parse(locale) == Some(language) { locale } else { language.code() }
}
