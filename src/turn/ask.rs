//! The input of a turn. Every step reads it, and none changes it.

use std::sync::Arc;

use jiff::{civil::Date, tz::TimeZone};
use tokio::time::Instant;

use super::{
    errands, exact, language,
    page::{self, Page},
    ports::{Ports, Purpose, TurnInput},
    roster::Duty,
    said::Said,
};
use crate::{
    assistant::errand::Errand,
    brownout::Service,
    cache::{Freshness, Hit, Partition, Question, Witness},
    clock,
    domain::{
        AddressBlock, HandoffId, Lane, Language, OneTimeCode, PrincipalId, ServiceLevel, SiteId,
        Ticket, Timestamp, TurnId,
    },
    guard::{self, Look},
    tools::Customer,
};

pub struct Ask {
    pub purpose: Purpose,
    pub site: SiteId,
    pub visitor: PrincipalId,
    /// The visitor, if the shop knows them.
    pub customer: Option<Customer>,
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
    /// The handoff of the session, if the shopper waits for a person.
    pub handoff: Option<HandoffId>,
    /// What the shopper wants to have done with a tool of the shop.
    pub errand: Option<Errand>,
    /// The message was a one-time code, which stands in no text.
    pub code: Option<OneTimeCode>,
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
            customer,
            from,
            witness,
            locale,
            page,
            text,
            lane,
            history,
            duty,
            code,
            handoff,
            made,
        } = input;
        let before = history.last().map(|exchange| exchange.user.as_str());
        let look = guard::look(&text, before);
        let own = ports.own_of(&site);
        let said = Said::new(&text, &history, &own);
        // What a check finds is not given to shoppers, nor taken from what they got.
        let said = if purpose == Purpose::Check { said.personal() } else { said };
        let earlier = said.history().iter().map(|exchange| exchange.user.as_str());
        let language = language::of(said.text(), earlier, &locale);
        let wishes = purpose == Purpose::Conversation && code.is_none();
        let errand =
            wishes.then(|| errands::read(ports, &site, &said, language, customer.is_some(), made));
        let errand = errand.flatten();
        // What a tool finds is for this shopper alone.
        let said = match &errand {
            Some(_) => said.personal(),
            None if code.is_some() => said.personal(),
            // The model may look up what belongs to a customer whom the shop knows.
            None if customer.is_some() && ports.tools.of(&site).has_personal() => said.kept(),
            None => said,
        };
        // "How heavy is it?" on the page of a tent and on that of a stove are two questions.
        let points = page.is_some() && page::points(said.text());
        let said = if points { said.personal() } else { said };
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
            customer,
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
            handoff,
            errand,
            code,
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

    /// The day of the message, in UTC.
    pub fn day(&self) -> Date {
        let at = jiff::Timestamp::from_millisecond(self.began_at.as_millis()).unwrap_or_default();
        at.to_zoned(TimeZone::UTC).date()
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
