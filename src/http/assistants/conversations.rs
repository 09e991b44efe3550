//! The conversations that a draft is checked against.

use actix_web::{HttpResponse, get, put, web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    domain::{FieldError, Problem, Role},
    http::{
        admin::audit,
        error::ApiError,
        extract::{Body, Caller},
        state::App,
    },
};

const MOST: usize = 50;
const MOST_MESSAGES: usize = 10;
const NAME_CHARS: usize = 100;
const MOST_WORDS: usize = 10;

/// A conversation that is played against assistants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConversation {
    /// 1 to 100 characters.
    pub name: String,
    /// 1 to 10 messages of a shopper, in their order.
    pub messages: Vec<String>,
    /// What the last answer must say, in upper or lower case; at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_say: Vec<String>,
    /// What no answer may say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_not_say: Vec<String>,
}

/// At most 50.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestConversations {
    pub conversations: Vec<TestConversation>,
}

impl TestConversations {
    /// What the archive has of a site.
    pub(super) async fn of(app: &App, caller: &Caller) -> Result<Self, ApiError> {
        let kept = app.archive.assistant_tests(&caller.principal.site_id).await?;
        Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default())
    }

    fn faults(&self, max_chars: usize) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut require = |holds: bool, field: String, detail: String| {
            if !holds {
                faults.push(FieldError { field, detail });
            }
        };
        let count = self.conversations.len();
        require(count <= MOST, "conversations".into(), format!("may have at most {MOST} items"));
        for (index, test) in self.conversations.iter().enumerate() {
            let field = |name: &str| format!("conversations[{index}].{name}");
            let within = |text: &str, most| (1..=most).contains(&text.trim().chars().count());
            require(
                within(&test.name, NAME_CHARS),
                field("name"),
                format!("must have 1 to {NAME_CHARS} characters"),
            );
            let messages = &test.messages;
            require(
                (1..=MOST_MESSAGES).contains(&messages.len())
                    && messages.iter().all(|text| within(text, max_chars) && !text.contains('\0')),
                field("messages"),
                format!("must have 1 to {MOST_MESSAGES} messages of 1 to {max_chars} characters"),
            );
            for (name, words) in
                [("must_say", &test.must_say), ("must_not_say", &test.must_not_say)]
            {
                require(
                    words.len() <= MOST_WORDS && words.iter().all(|word| within(word, NAME_CHARS)),
                    field(name),
                    format!("may have at most {MOST_WORDS} items of 1 to {NAME_CHARS} characters"),
                );
            }
        }
        faults
    }
}

/// Shows the conversations that drafts are checked against.
#[utoipa::path(get, path = "/v1/admin/assistants/tests", tag = "admin",
    responses((status = 200, body = TestConversations), (status = 403, body = Problem)), security(("bearer" = [])))]
#[get("/v1/admin/assistants/tests")]
pub async fn get_tests(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    Ok(HttpResponse::Ok().json(TestConversations::of(&app, &caller).await?))
}

/// Replaces the conversations that drafts are checked against.
#[utoipa::path(put, path = "/v1/admin/assistants/tests", tag = "admin", request_body = TestConversations,
    responses((status = 200, body = TestConversations), (status = 403, body = Problem), (status = 422, body = Problem)),
    security(("bearer" = [])))]
#[put("/v1/admin/assistants/tests")]
pub async fn put_tests(
    app: web::Data<App>,
    caller: Caller,
    body: Body<TestConversations>,
) -> Result<HttpResponse, ApiError> {
    caller.require(&[Role::Admin])?;
    let faults = body.faults(app.config.sessions.max_message_chars);
    if !faults.is_empty() {
        return Err(ApiError::fields(faults));
    }
    // Plain data with text keys, so this never fails.
    let value = serde_json::to_value(&body.0).unwrap_or_default();
    app.archive.set_assistant_tests(&caller.principal.site_id, &value).await?;
    let detail = json!({ "conversations": body.conversations.len() });
    audit(&app, &caller, "assistants.tests", "assistants", detail).await?;
    Ok(HttpResponse::Ok().json(&body.0))
}
