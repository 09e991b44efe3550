//! Plays the site's test conversations against the assistants that answer now and against a draft.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, post, web};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::{
    conversations::{TestConversation, TestConversations},
    versions::version_of,
};
use crate::{
    assistant::document::Document,
    cache::Witness,
    domain::{
        Answer, ErrorCode, Fact, Lane, PrincipalId, Problem, Role, Route, SessionId, Topic, TurnId,
    },
    http::{error::ApiError, extract::Caller, state::App},
    log::{Writer, frame::Place},
    turn::{
        ask::Ask,
        attend::{Bounds, attend},
        muster::muster,
        ports::{Exchange, Purpose, TurnInput},
        reply::Reply,
        roster::Duty,
    },
};

/// Conversations that are played at the same time.
const AT_ONCE: usize = 4;
/// What has no answer by then is reported as such.
const LONGEST: Duration = Duration::from_secs(100);

/// What two versions of the assistants answer to the same conversations.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckReport {
    /// The version that was checked.
    pub version: u64,
    /// The version that answers now.
    pub active: u64,
    /// Conversations with another answer than now.
    pub changed: usize,
    /// Conversations in which the checked version breaks `must_say` or `must_not_say`, or has no
    /// answer.
    pub failed: usize,
    pub conversations: Vec<Compared>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Compared {
    pub name: String,
    pub turns: Vec<ComparedTurn>,
    pub changed: bool,
    /// What the version that answers now breaks.
    pub active_faults: Vec<String>,
    /// What the checked version breaks.
    pub faults: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedTurn {
    pub message: String,
    pub active: Said,
    pub checked: Said,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Said {
    /// Absent if there was none; `problem` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Topic>,
    /// Ids of the cited documents.
    pub documents: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ErrorCode>,
}

/// Plays the site's test conversations against a version and against the one that answers now.
///
/// Nothing is stored, no tool is called, and no cached answer is used. It takes as long as the
/// model needs, at most 100 seconds; what has no answer by then fails.
#[utoipa::path(post, path = "/v1/admin/assistants/{version}/check", tag = "admin", params(("version" = u64, Path)),
    responses(
        (status = 200, body = CheckReport), (status = 404, body = Problem),
        (status = 409, description = "`conflict`: there are no test conversations", body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/admin/assistants/{version}/check")]
pub async fn check_assistants(
    app: web::Data<App>,
    caller: Caller,
    version: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let row = version_of(&app, &caller, &version).await?;
    let tests = TestConversations::of(&app, &caller).await?.conversations;
    if tests.is_empty() {
        let detail = "there are no test conversations: PUT /v1/admin/assistants/tests first";
        return Err(ApiError::with_detail(ErrorCode::Conflict, detail));
    }
    let document: Document = serde_json::from_value(row.document.0).map_err(|_| {
        ApiError::with_detail(ErrorCode::Conflict, "a newer version of the service wrote it")
    })?;
    let (ports, site) = (&app.ports, &caller.principal.site_id);
    let draft = muster(ports, site, &document, row.version.0).await;
    let active = ports.duty(site);
    let deadline = Instant::now() + LONGEST;
    let played = tests.into_iter().map(|test| {
        let (app, caller) = (&app, &caller);
        let (active, draft) = (&active, &draft);
        async move {
            let before = play(app, caller, &test, active, deadline).await;
            let after = play(app, caller, &test, draft, deadline).await;
            compare(test, before, after)
        }
    });
    let conversations: Vec<Compared> = stream::iter(played).buffered(AT_ONCE).collect().await;
    let count = |of: fn(&Compared) -> bool| conversations.iter().filter(|c| of(c)).count();
    let (changed, failed) = (count(|c| c.changed), count(|c| !c.faults.is_empty()));
    let (version, active) = (draft.version, active.version);
    Ok(HttpResponse::Ok().json(CheckReport { version, active, changed, failed, conversations }))
}

fn compare(test: TestConversation, before: Vec<Said>, after: Vec<Said>) -> Compared {
    let (active_faults, faults) = (broken(&test, &before), broken(&test, &after));
    let changed = before != after;
    let answers = before.into_iter().zip(after);
    let turns = test.messages.into_iter().zip(answers);
    let turns = turns.map(|(message, (active, checked))| ComparedTurn { message, active, checked });
    Compared { name: test.name, turns: turns.collect(), changed, active_faults, faults }
}

/// What the answers break of what the conversation asks for.
fn broken(test: &TestConversation, answers: &[Said]) -> Vec<String> {
    let says = |said: &Said, words: &str| {
        let text = said.text.as_deref().unwrap_or_default().to_lowercase();
        text.contains(&words.to_lowercase())
    };
    let mut faults = Vec::new();
    for (number, said) in (1..).zip(answers) {
        if let Some(problem) = said.problem {
            faults.push(format!("message {number} has no answer: {}", problem.as_str()));
        }
        let said_of = test.must_not_say.iter().filter(|words| says(said, words));
        faults.extend(said_of.map(|words| format!("answer {number} says \"{words}\"")));
    }
    if let Some(last) = answers.last() {
        let missing = test.must_say.iter().filter(|words| !says(last, words));
        faults.extend(missing.map(|words| format!("the last answer does not say \"{words}\"")));
    }
    faults
}

async fn play(
    app: &App,
    caller: &Caller,
    test: &TestConversation,
    duty: &Arc<Duty>,
    deadline: Instant,
) -> Vec<Said> {
    // A shopper whom nobody knows.
    let shopper = PrincipalId::new();
    let mut history: Vec<Exchange> = Vec::new();
    let mut answers = Vec::new();
    for message in &test.messages {
        let input = TurnInput {
            purpose: Purpose::Check,
            site: caller.principal.site_id.clone(),
            visitor: shopper,
            from: None,
            witness: Witness::new(shopper, None),
            locale: "en".to_owned(),
            page: None,
            text: message.clone(),
            lane: Lane::Background,
            history: history.clone(),
            duty: Some(Arc::clone(duty)),
            code: None,
            handoff: None,
            made: Vec::new(),
            customer: None,
        };
        let said = match tokio::time::timeout_at(deadline, answer(app, input)).await {
            Ok(Ok(answer)) => Said::of(answer),
            Ok(Err(problem)) => Said::none(problem),
            Err(_elapsed) => Said::none(ErrorCode::UpstreamTimeout),
        };
        history.push(Exchange { user: message.clone(), answer: said.text.clone() });
        answers.push(said);
    }
    answers
}

async fn answer(app: &App, input: TurnInput) -> Result<Answer, ErrorCode> {
    let permit = app.turn_permits.acquire().await;
    let _permit = permit.map_err(|_| ErrorCode::Draining)?;
    let (session_id, turn_id) = (SessionId::new(), TurnId::new());
    let place = Place { session_id, turn_id, epoch: 0, base_seq: 1 };
    let ask = Ask::new(&app.ports, input);
    let mut reply = Reply::new(Writer::new(place, app.config.turn.max_answer_bytes), &ask);
    let bounds = Bounds {
        timeout: app.config.turn.timeout,
        cancel: CancellationToken::new(),
        supersede: CancellationToken::new(),
        stopping: app.draining.clone(),
        resume_grace: None,
    };
    let end = attend(&app.ports, &ask, &mut reply, &bounds).await.end;
    reply.end(end.clone());
    match end {
        Fact::AnswerCompleted(answer) => Ok(answer),
        Fact::TurnFailed { problem, .. } => Err(problem.code),
        Fact::MessageCreated { .. }
        | Fact::TurnCancelled { .. }
        | Fact::ActionProposed(_)
        | Fact::ActionResult(_)
        | Fact::People(_)
        | Fact::Unknown(_) => Err(ErrorCode::Interrupted),
    }
}

impl Said {
    fn of(answer: Answer) -> Self {
        let Answer { text, route, intent, citations, .. } = answer;
        let mut documents: Vec<String> =
            citations.into_iter().map(|citation| citation.document_id).collect();
        documents.dedup();
        let topic = intent.map(|intent| intent.topic);
        Self { text: Some(text), route: Some(route), topic, documents, problem: None }
    }

    fn none(problem: ErrorCode) -> Self {
        let documents = Vec::new();
        Self { text: None, route: None, topic: None, documents, problem: Some(problem) }
    }
}
