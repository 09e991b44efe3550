//! Everything that is held of a customer or visitor, as a stream of lines.

use std::{convert::Infallible, time::Duration};

use actix_web::{HttpResponse, get, http::header, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use utoipa::ToSchema;

use super::{
    admin::audit, customers::customer, error::ApiError, extract::Caller, sessions::SessionView,
    state::App,
};
use crate::{
    archive::{Archive, ArchiveError, AuditEntry, Held, Note, RecordId},
    clock,
    domain::{
        ActionId, ErrorCode, Event, MessageId, PrincipalId, Problem, Rating, Role, SessionId,
        SessionMeta, TicketId, Timestamp, TurnId,
    },
};

/// Rows that are read at once. An event may be as long as an answer.
const PAGE: u32 = 25;
/// Pages that wait for a reader.
const AHEAD: usize = 1;
/// A reader has this long for all of it.
const LONGEST: Duration = Duration::from_mins(30);
/// Cached answers in an export. There are as many as somebody can ask within `cache.ttl_s`.
const MAX_CACHED: usize = 10_000;

/// One line of an export.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// The first line.
    Customer {
        id: PrincipalId,
        exported_at: Timestamp,
    },
    /// Visitors have none.
    Account {
        email: Option<String>,
        /// The `sub` by which the shop's own identity tokens name the customer.
        external_sub: Option<String>,
        display_name: Option<String>,
        has_password: bool,
        created_at: Timestamp,
        updated_at: Timestamp,
        disabled_at: Option<Timestamp>,
    },
    /// A refresh token. The token itself is not kept.
    SignIn {
        created_at: Timestamp,
        expires_at: Timestamp,
        used_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
    },
    Session {
        session: SessionView,
    },
    Event {
        event: Box<Event>,
    },
    Rating {
        message_id: MessageId,
        rating: Rating,
        comment: Option<String>,
        created_at: Timestamp,
        updated_at: Timestamp,
    },
    Ticket {
        id: TicketId,
        session_id: SessionId,
        created_at: Timestamp,
        answered_at: Option<Timestamp>,
    },
    /// A change that was proposed in a session.
    Action {
        id: ActionId,
        session_id: SessionId,
        tool: String,
        effect: String,
        /// With which the shop is asked.
        #[schema(value_type = Object)]
        arguments: Value,
        /// `proposed`, `calling` (confirmed, and nobody heard the shop's answer), or what became of
        /// it, as in `action.result`.
        state: &'static str,
        proposed_at: Timestamp,
        decided_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
    },
    /// What somebody of the shop wrote about a session for the others; in exports for the shop.
    Note {
        session_id: SessionId,
        text: String,
        author: Option<String>,
        created_at: Timestamp,
    },
    Tag {
        session_id: SessionId,
        tag: String,
    },
    /// The `Idempotency-Key` of a request.
    RequestKey {
        turn_id: TurnId,
        key: String,
    },
    /// What staff did to the customer or to one of the sessions.
    Audit {
        at: Timestamp,
        actor_role: Role,
        action: String,
        target: String,
        #[schema(value_type = Object)]
        detail: Value,
    },
    /// An answer to a question of the customer that other shoppers may get, until it expires.
    CachedAnswer {
        question: String,
        expires_at: Timestamp,
    },
    /// The last line of a whole export.
    End {
        lines: u64,
    },
    /// The last line of one that was cut off: try again.
    Error {
        problem: Problem,
    },
}

/// Exports everything that is held of a customer or visitor.
///
/// One JSON object in each line. A whole export ends with a line of kind `end`. Notes and tags of the
/// shop's people are left out if the person asks, and there if the shop does.
#[utoipa::path(
    get, path = "/v1/customers/{id}/export", tag = "customers", params(("id" = String, Path)),
    responses(
        (status = 200, description = "one `Line` in each line", body = Line, content_type = "application/x-ndjson"),
        (status = 404, body = Problem), (status = 410, body = Problem)
    ),
    security(("bearer" = []))
)]
#[get("/v1/customers/{id}/export")]
pub async fn export_customer(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let customer = customer(&app, &caller, &path).await?;
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    if app.archive.erasure(customer).await?.is_some() {
        return Err(ApiError::new(ErrorCode::Erased));
    }
    let place = app.streams.take(&caller.principal)?;
    if customer != caller.principal.id {
        audit(&app, &caller, "customer.export", &customer.to_string(), json!({})).await?;
    }
    let (pages, mut written) = mpsc::channel(AHEAD);
    let mut export = Export {
        archive: app.archive.clone(),
        customer,
        to_the_shop: customer != caller.principal.id,
        pages,
        page: Vec::new(),
        lines: 0,
    };
    let cached = app.cache.as_ref().map_or_else(Vec::new, |cache| {
        let found = cache.made_for(customer, MAX_CACHED, clock::now());
        let line = |listed: crate::cache::Listed| Line::CachedAnswer {
            question: listed.question,
            expires_at: listed.expires_at,
        };
        found.into_iter().map(line).collect()
    });
    let draining = app.draining.clone();
    app.tasks.spawn(async move {
        let ended = match draining.run_until_cancelled(timeout(LONGEST, export.write(cached))).await
        {
            None => Err(Problem::new(ErrorCode::Draining)),
            Some(Err(_)) => Err(Problem::new(ErrorCode::RequestTimeout)),
            Some(Ok(Err(Cut::Archive(error)))) => Err(Problem::new(error.code())),
            Some(Ok(Err(Cut::Left) | Ok(()))) => Ok(()),
        };
        if let Err(problem) = ended {
            export.page.clear();
            export.add(&Line::Error { problem });
            let _ = timeout(Duration::from_secs(1), export.send()).await;
        }
    });
    let body = stream::poll_fn(move |cx| {
        let _held = &place;
        written.poll_recv(cx).map(|page| page.map(Ok::<Bytes, Infallible>))
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"customer-{customer}.ndjson\""),
        ))
        .streaming(body))
}

/// Why an export ends early.
enum Cut {
    Archive(ArchiveError),
    /// The reader has left.
    Left,
}

impl From<ArchiveError> for Cut {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

struct Export {
    archive: Archive,
    customer: PrincipalId,
    /// And not to the person, who reads nothing that the people of the shop write for each other.
    to_the_shop: bool,
    pages: mpsc::Sender<Bytes>,
    page: Vec<u8>,
    lines: u64,
}

impl Export {
    async fn write(&mut self, cached: Vec<Line>) -> Result<(), Cut> {
        self.add(&Line::Customer { id: self.customer, exported_at: clock::now() });
        if let Some(user) = self.archive.user(self.customer).await? {
            self.add(&Line::Account {
                email: user.email,
                external_sub: user.external_sub,
                display_name: user.display_name,
                has_password: user.password_hash.is_some(),
                created_at: user.created_at,
                updated_at: user.updated_at,
                disabled_at: user.disabled_at,
            });
        }
        self.send().await?;
        self.sign_ins().await?;
        self.audit(&self.customer.to_string()).await?;
        let mut before = None;
        loop {
            let sessions = self.archive.sessions_of(self.customer, before, PAGE).await?;
            let Some(last) = sessions.last() else { break };
            before = Some(last.id);
            for meta in sessions {
                self.session(meta).await?;
            }
        }
        for line in cached {
            self.add(&line);
        }
        self.add(&Line::End { lines: self.lines });
        self.send().await
    }

    async fn sign_ins(&mut self) -> Result<(), Cut> {
        let mut after = None;
        loop {
            let tokens = self.archive.sign_ins(self.customer, after, PAGE).await?;
            let Some(last) = tokens.last() else { return Ok(()) };
            after = Some(last.id);
            for token in tokens {
                self.add(&Line::SignIn {
                    created_at: token.created_at,
                    expires_at: token.expires_at,
                    used_at: token.used_at,
                    revoked_at: token.revoked_at,
                });
            }
            self.send().await?;
        }
    }

    async fn audit(&mut self, target: &str) -> Result<(), Cut> {
        let mut after: Option<RecordId> = None;
        loop {
            let entries = self.archive.audit_of(target, after, PAGE).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            after = Some(last.id);
            for AuditEntry { at, actor_role, action, target, detail, .. } in entries {
                self.add(&Line::Audit { at, actor_role, action, target, detail });
            }
            self.send().await?;
        }
    }

    async fn session(&mut self, meta: SessionMeta) -> Result<(), Cut> {
        let id = meta.id;
        self.add(&Line::Session { session: SessionView::from(meta) });
        let mut after = 0;
        loop {
            let Held { events, ratings, tickets, keys } =
                self.archive.held(id, after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in events {
                self.add(&Line::Event { event: Box::new(event) });
            }
            for rating in ratings {
                self.add(&Line::Rating {
                    message_id: rating.message_id,
                    rating: rating.rating,
                    comment: rating.comment,
                    created_at: rating.created_at,
                    updated_at: rating.updated_at,
                });
            }
            for ticket in tickets {
                self.add(&Line::Ticket {
                    id: ticket.id,
                    session_id: id,
                    created_at: ticket.created_at,
                    answered_at: ticket.answered_at,
                });
            }
            for key in keys {
                self.add(&Line::RequestKey { turn_id: key.turn_id, key: key.idempotency_key });
            }
            self.send().await?;
        }
        self.actions(id).await?;
        if self.to_the_shop {
            self.notes(id).await?;
        }
        self.audit(&id.to_string()).await?;
        self.send().await
    }

    async fn notes(&mut self, session_id: SessionId) -> Result<(), Cut> {
        for note in self.archive.notes_of(session_id).await? {
            let Note { text, author_name: author, created_at, .. } = note;
            self.add(&Line::Note { session_id, text, author, created_at });
        }
        for tag in self.archive.tags_of(session_id).await? {
            self.add(&Line::Tag { session_id, tag });
        }
        Ok(())
    }

    async fn actions(&mut self, session: SessionId) -> Result<(), Cut> {
        let mut after = None;
        loop {
            let page = self.archive.actions_of(session, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for action in page {
                self.add(&Line::Action {
                    id: action.id,
                    session_id: session,
                    tool: action.tool,
                    effect: action.effect,
                    arguments: action.arguments.into(),
                    state: action.state.as_str(),
                    proposed_at: action.proposed_at,
                    decided_at: action.decided_at,
                    ended_at: action.ended_at,
                });
            }
            self.send().await?;
        }
    }

    fn add(&mut self, line: &Line) {
        // Keys are texts and numbers are finite, so this cannot fail.
        if serde_json::to_writer(&mut self.page, line).is_ok() {
            self.page.push(b'\n');
            self.lines += 1;
        }
    }

    /// Waits until the reader has taken what came before.
    async fn send(&mut self) -> Result<(), Cut> {
        if self.page.is_empty() {
            return Ok(());
        }
        let page = std::mem::take(&mut self.page).into();
        self.pages.send(page).await.map_err(|_| Cut::Left)
    }
}
