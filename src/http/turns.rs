//! Sending a message, reading the history, stopping a turn.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::{
    error::ApiError,
    extract::{Body, Caller, IdempotencyKey, Query, Reader, id, page_limit},
    headers::{rate_limit, server_timing},
    notes::note,
    say::{SaidView, Words, say},
    sender::Sender,
    sse,
    state::App,
};
use crate::{
    domain::{
        ActionOutcome, Answer, CacheInfo, Card, Choice, Citation, ErrorCode, Event, Fact,
        FinishReason, Intent, Language, Message, MessageId, Problem, Role, Route, ServiceLevel,
        SessionId, Ticket, Timings, TurnId, Usage, Wants, is_blank, one_time,
    },
    limits::Quota,
    log::TurnLog,
    session::{
        history,
        messages::{Asked, Attach, CancelTurn, Cancelled, Progress, StartTurn, Started},
    },
    tools::Customer,
};

/// Longest wait for the text so far of a turn that another replica runs.
const AWAKENING: std::time::Duration = std::time::Duration::from_millis(400);
/// Most messages in one page of the history.
const MAX_PAGE: u32 = 200;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// 1 to `sessions.max_message_chars` characters.
    pub text: String,
    /// The client's own id, returned in `message.created`.
    #[serde(default)]
    pub client_message_id: Option<String>,
    #[serde(default)]
    pub locale: Option<String>,
    /// Of agents, who must send it: `seq` of the shopper's newest message that they have read.
    #[serde(default)]
    pub last_seen_seq: Option<u64>,
    /// Of agents: `note` is read by the people of the shop alone, and needs no control.
    #[serde(default)]
    pub visibility: Option<Visibility>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    Public,
    Note,
}

impl NewMessage {
    /// # Errors
    /// 422 for a message that is empty, too long or contains a NUL.
    pub fn check(&self, max_chars: usize) -> Result<(), ApiError> {
        let chars = self.text.chars().count();
        if is_blank(&self.text) {
            return Err(ApiError::field("text", "must not be empty: write what you want to know"));
        }
        if chars > max_chars {
            let detail = format!("may have at most {max_chars} characters, has {chars}");
            return Err(ApiError::field("text", detail));
        }
        if self.text.contains('\0') {
            return Err(ApiError::field("text", "must not contain NUL"));
        }
        if self.client_message_id.as_ref().is_some_and(|id| id.len() > 128) {
            return Err(ApiError::field("client_message_id", "may have at most 128 bytes"));
        }
        if self.locale.as_ref().is_some_and(|locale| !is_locale(locale)) {
            return Err(ApiError::field(
                "locale",
                "must be a language tag such as `en` or `de-AT`",
            ));
        }
        Ok(())
    }

    /// Hash of the fields that matter. The same key with another hash is refused.
    ///
    /// A one-time code is left out: its hash would tell it to everybody who can count to a million.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let (text, _) = one_time::hide(&self.text);
        for part in [Some(&text), self.client_message_id.as_ref(), self.locale.as_ref()] {
            let part = part.map_or("", String::as_str);
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hex::encode(hasher.finalize())
    }
}

/// A plain check of a BCP 47 tag: subtags of 1 to 8 letters or digits.
pub fn is_locale(text: &str) -> bool {
    text.len() <= 35
        && text.split('-').all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// A turn as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnView {
    pub turn_id: TurnId,
    pub message: Message,
    /// Absent while the turn runs, and if it failed or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
    /// `running`, `completed`, `failed` or `cancelled`; `delivered` if a person has control and
    /// there is no turn.
    pub status: &'static str,
    /// Of a message that was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Why the turn failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerView {
    pub message_id: MessageId,
    pub text: String,
    pub route: Route,
    pub service_level: ServiceLevel,
    pub citations: Vec<Citation>,
    pub cache: Option<CacheInfo>,
    pub usage: Option<Usage>,
    pub timings: Timings,
    pub finish_reason: FinishReason,
    /// Set if the question became a ticket, which is answered later in this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// What the question was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The language of the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What the shopper can pick if the service asks back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// What a tool found or offers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// What became of a change that the shopper has decided about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ActionOutcome>,
    /// What the service waits for, if it is more than words: `code`, a one-time code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wants: Option<Wants>,
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        Self {
            message_id: answer.message_id,
            text: answer.text.clone(),
            route: answer.route,
            service_level: answer.service_level,
            citations: answer.citations.clone(),
            cache: answer.cache,
            usage: answer.usage,
            timings: answer.timings,
            finish_reason: answer.finish_reason,
            ticket: answer.ticket,
            intent: answer.intent.clone(),
            language: answer.language,
            choices: answer.choices.clone(),
            cards: answer.cards.clone(),
            outcome: answer.outcome.clone(),
            wants: answer.wants,
        }
    }
}

impl TurnView {
    /// # Errors
    /// If `message` is not a user's message, which is a bug and answered as 500.
    fn new(message: &Event, end: Option<&Event>) -> Result<Self, ApiError> {
        let shown = history::messages(std::slice::from_ref(message), None).into_iter().next();
        let message_view = shown.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
        let (status, answer, problem) = match end.map(|event| &event.fact) {
            None
            | Some(
                Fact::MessageCreated { .. }
                | Fact::ActionProposed(_)
                | Fact::ActionResult(_)
                | Fact::People(_)
                | Fact::Unknown(_),
            ) => ("running", None, None),
            Some(Fact::TurnFailed { problem, .. }) => ("failed", None, Some(problem.clone())),
            Some(Fact::TurnCancelled { .. }) => ("cancelled", None, None),
            Some(Fact::AnswerCompleted(answer)) => ("completed", Some(answer.into()), None),
        };
        let (turn_id, message) = (message.turn_id, message_view);
        Ok(Self { turn_id, message, answer, status, seq: None, problem })
    }
}

/// Sends a message and answers it.
///
/// Of an agent it is what they say to the shopper; only the one who has control may. With the
/// visibility `note` it is for the people of the shop alone, and may be written by each of them.
///
/// With `Accept: text/event-stream` the response streams the turn. With `Prefer: respond-async` it
/// is 202 with the turn's id. Otherwise it is JSON, or 202 if the answer takes too long.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/messages", tag = "messages",
    params(("id" = String, Path), ("Idempotency-Key" = String, Header, description = "1 to 255 visible characters")),
    request_body = NewMessage,
    responses(
        (status = 200, description = "the whole turn, or its stream", body = TurnView),
        (status = 201, description = "what an agent said; a note has `note` and the status `noted`", body = SaidView),
        (status = 202, description = "the turn runs, or the message was delivered to a person", body = TurnView),
        (status = 409, description = "`turn_active`; for agents `control_conflict`, `stale_view`", body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem),
    ),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/messages")]
pub async fn send_message(
    app: web::Data<App>,
    caller: Caller,
    sender: Sender,
    path: web::Path<String>,
    key: IdempotencyKey,
    request: HttpRequest,
    body: Body<NewMessage>,
) -> Result<HttpResponse, ApiError> {
    let session = id(&path)?;
    if matches!(caller.principal.role, Role::Agent | Role::Admin) {
        return say_to_shopper(&app, &caller, session, &key, &body).await;
    }
    let (started, quota) = start(&app, &caller, sender, session, &key, &body).await?;
    answer(&app, &caller, &request, started, quota.as_ref()).await
}

async fn say_to_shopper(
    app: &App,
    caller: &Caller,
    session: SessionId,
    key: &IdempotencyKey,
    message: &NewMessage,
) -> Result<HttpResponse, ApiError> {
    message.check(app.config.sessions.max_message_chars)?;
    if message.visibility == Some(Visibility::Note) {
        return note(app, caller, session, key, &message.text).await;
    }
    let last_seen_seq = message.last_seen_seq.ok_or_else(|| {
        ApiError::field("last_seen_seq", "must be the seq of the shopper's newest message")
    })?;
    let client_message_id = message.client_message_id.as_deref();
    let words = Words { text: &message.text, client_message_id, last_seen_seq };
    say(app, caller, session, key, &words).await
}

/// Answers a request that began a turn, or repeats one, in the way that it asks for.
pub async fn answer(
    app: &web::Data<App>,
    caller: &Caller,
    request: &HttpRequest,
    started: Started,
    quota: Option<&Quota>,
) -> Result<HttpResponse, ApiError> {
    if started.replayed && matches!(started.turn, Progress::Elsewhere) {
        return Err(ApiError::new(ErrorCode::RequestInProgress));
    }
    if accepts(request, "text/event-stream") {
        return sse::turn(app, caller, request, started, quota);
    }
    let asynchronous = header_has(request, "prefer", "respond-async");
    respond(app, started, asynchronous, quota).await
}

/// Checks a message, takes it from the quota and begins its turn, for REST and sockets.
pub async fn start(
    app: &App,
    caller: &Caller,
    sender: Sender,
    session: SessionId,
    key: &IdempotencyKey,
    message: &NewMessage,
) -> Result<(Started, Option<Quota>), ApiError> {
    // Staff may read a session, but not write for the shopper.
    caller.require(&[Role::Visitor, Role::Customer, Role::Server])?;
    message.check(app.config.sessions.max_message_chars)?;
    if message.last_seen_seq.is_some() {
        return Err(ApiError::field("last_seen_seq", "is for agents; leave it out"));
    }
    if message.visibility.is_some() {
        return Err(ApiError::field("visibility", "is for agents; leave it out"));
    }
    begin(app, caller, sender, session, |asked, customer| StartTurn {
        asker: caller.asker(),
        customer,
        text: message.text.clone(),
        client_message_id: message.client_message_id.clone(),
        idempotency_key: key.0.clone(),
        body_hash: message.hash(),
        asked,
        wish: None,
    })
    .await
}

/// Takes a message from the quota and begins its turn.
pub async fn begin(
    app: &App,
    caller: &Caller,
    sender: Sender,
    session: SessionId,
    message: impl Fn(Asked, Option<Customer>) -> StartTurn,
) -> Result<(Started, Option<Quota>), ApiError> {
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    let (site, visitor) = (&caller.principal.site_id, caller.principal.id);
    let from = sender.of_caller(&caller.principal);
    let customer = match caller.principal.role {
        Role::Customer => app.customers.of(site, visitor).await,
        Role::Visitor | Role::Agent | Role::Admin | Role::Server => Ok(None),
    };
    let customer = customer.map_err(|_| ApiError::new(ErrorCode::DependencyUnavailable))?;
    let taken = app.limits.message(site, visitor, from).await?;
    let message = || message(Asked::here(from), customer.clone());
    let started = app.sessions.ask(session, message).await.map_err(ApiError::from);
    // A message whose turn did not begin costs no quota.
    if started.as_ref().is_err_and(ApiError::is_unavailable) {
        app.limits.give_back(&taken).await;
    }
    Ok((started?, taken.quota))
}

async fn respond(
    app: &App,
    started: Started,
    asynchronous: bool,
    quota: Option<&Quota>,
) -> Result<HttpResponse, ApiError> {
    let end = match &started.turn {
        Progress::Ended(event) => Some(Arc::clone(event)),
        Progress::Elsewhere | Progress::Delivered => None,
        Progress::Running(log) => wait(app, log, asynchronous).await,
    };
    let mut view = TurnView::new(&started.message, end.as_deref())?;
    if matches!(started.turn, Progress::Delivered) {
        (view.status, view.seq) = ("delivered", Some(view.message.seq));
    }
    let mut response = if end.is_some() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    if end.is_none() {
        let session = started.message.session_id;
        response.insert_header((header::LOCATION, format!("/v1/sessions/{session}/events")));
    }
    if started.replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    if let Some(answer) = &view.answer {
        response.insert_header(("server-timing", server_timing(&answer.timings)));
    }
    rate_limit(&mut response, quota);
    Ok(response.json(view))
}

/// Waits for the end of a turn. A 202 promises an answer, so the turn then continues without
/// readers.
async fn wait(app: &App, log: &Arc<TurnLog>, asynchronous: bool) -> Option<Arc<Event>> {
    if !asynchronous {
        let _reader = log.read(None);
        if let Ok(end) = tokio::time::timeout(app.config.sessions.max_wait, log.ended()).await {
            return end;
        }
    }
    log.keep();
    None
}

fn accepts(request: &HttpRequest, media_type: &str) -> bool {
    header_has(request, "accept", media_type)
}

fn header_has(request: &HttpRequest, name: &str, wanted: &str) -> bool {
    request
        .headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Only messages with a `seq` above this.
    #[serde(default)]
    after_seq: u64,
    /// 1 to 200.
    #[serde(default)]
    limit: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    pub items: Vec<Message>,
    /// `seq` of the last event that these messages include. Follow the events after it.
    pub last_seq: u64,
    /// The `after_seq` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Reads the history.
///
/// A running answer comes last, with its text so far.
#[utoipa::path(
    get, path = "/v1/sessions/{id}/messages", tag = "messages", params(("id" = String, Path), HistoryQuery),
    responses((status = 200, body = MessagePage), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[get("/v1/sessions/{id}/messages")]
pub async fn list_messages(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<String>,
    query: Query<HistoryQuery>,
) -> Result<HttpResponse, ApiError> {
    let session: SessionId = id(&path)?;
    let limit = page_limit(query.limit, 50, MAX_PAGE)?;
    let attached = app.sessions.ask(session, || Attach { asker: caller.asker(), seen: 0 }).await?;
    let running = attached.feed.turn();
    if let Some(log) = running.as_ref().filter(|log| attached.is_elsewhere && log.length() == 0) {
        log.awaken(AWAKENING).await;
    }
    let mut events = app.journal.events(session, query.after_seq, limit + 1).await?;
    let has_more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let last_seq = events.last().map_or(query.after_seq, |event| event.seq);
    let mut items = history::messages(&events, running.as_deref().filter(|_| !has_more));
    // Messages without ratings are better than no messages.
    let ratings = app.archive.feedback_of(session).await.unwrap_or_default();
    for message in &mut items {
        message.feedback = ratings.iter().find(|r| r.message_id == message.id).map(|r| r.rating);
    }
    let next_cursor = has_more.then(|| last_seq.to_string());
    Ok(HttpResponse::Ok().json(MessagePage { items, last_seq, next_cursor }))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CancelView {
    pub turn_id: TurnId,
    /// `stopping`, or `not_running` if there was nothing to stop.
    pub status: &'static str,
}

/// Stops a turn.
///
/// Idempotent; the connection to the model is closed.
#[utoipa::path(
    post, path = "/v1/sessions/{id}/turns/{turn}/cancel", tag = "messages",
    params(("id" = String, Path), ("turn" = String, Path)),
    responses((status = 200, body = CancelView), (status = 404, body = Problem)),
    security(("bearer" = []))
)]
#[post("/v1/sessions/{id}/turns/{turn}/cancel")]
pub async fn cancel_turn(
    app: web::Data<App>,
    Reader(caller): Reader,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (session, turn_id) = (id(&path.0)?, id(&path.1)?);
    let ask = || CancelTurn { asker: caller.asker(), turn_id };
    let status = match app.sessions.ask(session, ask).await? {
        Cancelled::Stopping => "stopping",
        Cancelled::NotRunning => "not_running",
    };
    Ok(HttpResponse::Ok().json(CancelView { turn_id, status }))
}
