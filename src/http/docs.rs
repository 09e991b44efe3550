//! The OpenAPI 3.1 document, generated from the handlers, and a page that shows it.

use std::{collections::HashMap, sync::LazyLock};

use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder, Schema,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

use super::{
    actions, admin, assistants, auth, csat, customers, decisions, desk, desk_ended, desk_events,
    events, export, feedback, handoff, health, knowledge, modes, notes, openai, reviews, say,
    sessions, socket, tools, turns, users,
};
use crate::domain;

const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rushdesk",
        description = "The self-hosted customer-service chat backend that a sales event cannot break.",
        license(name = "Apache-2.0")
    ),
    paths(
        auth::visitor, auth::register, auth::login, auth::identify, auth::refresh, auth::logout, auth::me,
        auth::change_password, auth::reset_password,
        sessions::create_session, sessions::list_sessions, sessions::get_session, sessions::erase_session,
        customers::erase_customer, export::export_customer,
        turns::send_message, turns::list_messages, turns::cancel_turn,
        actions::confirm_action, actions::decline_action,
        handoff::request_handoff, handoff::accept_handoff, handoff::release_session,
        handoff::transfer_session, handoff::close_session, handoff::typing, csat::rate_session, desk::desk_queue, desk::set_presence,
        desk_events::desk_events, desk_ended::desk_ended, notes::get_notes, notes::set_tags,
        events::events, socket::socket, feedback::feedback,
        openai::models, openai::chat_completions,
        knowledge::put_document, knowledge::list_documents, knowledge::get_document,
        knowledge::delete_document, knowledge::search_knowledge,
        admin::list_cache, admin::purge_cache, admin::list_keys, admin::create_key, admin::revoke_key,
        users::create_reset, admin::list_audit, admin::backends, decisions::list_decisions, reviews::list_actions, reviews::approve_action, reviews::refuse_action, tools::list::list_tools, modes::modes, modes::set_modes,
        assistants::versions::list_assistants, assistants::versions::draft_assistants, assistants::versions::get_assistants,
        assistants::check::check_assistants, assistants::versions::activate_assistants, assistants::versions::roll_back_assistants,
        assistants::conversations::get_tests, assistants::conversations::put_tests,
        tools::write::list_written, tools::write::put_tool, tools::write::delete_tool, tools::import::import_tools,
        health::livez, health::startupz, health::readyz, health::status, health::metrics,
    ),
    components(schemas(domain::Event, domain::Live, domain::People, domain::Problem, export::Line, say::SaidView, notes::NotedView)),
    modifiers(&Bearer, &Problems, &NewerEvents),
    tags(
        (name = "auth", description = "Who calls"),
        (name = "sessions", description = "Conversations"),
        (name = "customers", description = "What is held of a person"),
        (name = "messages", description = "Questions, answers and their events"),
        (name = "people", description = "Conversations that people take over"),
        (name = "openai", description = "OpenAI-compatible"),
        (name = "knowledge", description = "What the shop's answers rest on"),
        (name = "admin", description = "Operators"),
        (name = "operations", description = "Health and metrics"),
    )
)]
pub struct ApiDoc;

/// The value of the `Allow` header for each route.
static METHODS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap_or_default();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let methods = |operations: serde_json::Value| -> String {
        let names = operations.as_object().into_iter().flatten();
        names.map(|(name, _)| name.to_uppercase()).collect::<Vec<_>>().join(", ")
    };
    paths.into_iter().map(|(path, operations)| (path, methods(operations))).collect()
});

/// Allowed methods of `route`; `None` for pages.
pub fn allowed(route: &str) -> Option<&'static str> {
    METHODS.get(route).map(String::as_str)
}

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", scheme);
    }
}

/// Adds to every operation that any other status is a problem, with the media type of problems.
struct Problems;

impl Modify for Problems {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for item in openapi.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                for (status, response) in responses.iter_mut() {
                    let RefOr::T(response) = response else { continue };
                    if status.starts_with(['4', '5'])
                        && let Some(content) = response.content.shift_remove(JSON)
                    {
                        response.content.insert(PROBLEM_JSON.to_owned(), content);
                    }
                }
                let problem = Ref::from_schema_name("Problem");
                let content = ContentBuilder::new().schema(Some(problem)).build();
                let other = ResponseBuilder::new()
                    .description("a problem, for example an invalid request, a missing right or a rate limit")
                    .content(PROBLEM_JSON, content);
                responses.insert("default".to_owned(), other.build().into());
            }
        }
    }
}

/// Describes what a client does with an unlisted event type, instead of listing one.
struct NewerEvents;

impl Modify for NewerEvents {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        for name in ["Fact", "Live"] {
            if let Some(RefOr::T(Schema::OneOf(events))) = components.schemas.get_mut(name) {
                // The variant for unknown types is the last one. The one before it, of facts, has
                // a schema of its own, which names its types.
                events.items.pop();
                if name == "Fact" {
                    events.items.pop();
                    events.items.push(Ref::from_schema_name("People").into());
                }
                let known = events.description.take().unwrap_or_default();
                events.description = Some(format!("{known}\n\nMore types may come: ignore them."));
            }
        }
    }
}

/// Serves `/docs` and `/openapi.json` from the binary.
pub fn ui() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", ApiDoc::openapi())
}
