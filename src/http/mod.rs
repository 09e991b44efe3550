//! The API. A handler reads and checks a request, calls a module of a lower row, and writes the
//! response.

// A new variant of the contract must be decided at every match.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod actions;
pub mod admin;
pub mod assistants;
pub mod auth;
pub mod connection;
pub mod csat;
pub mod customers;
pub mod decisions;
pub mod desk;
pub mod desk_ended;
pub mod desk_events;
pub mod docs;
pub mod document;
pub mod error;
pub mod events;
pub mod export;
pub mod extract;
pub mod feedback;
pub mod frames;
pub mod handoff;
mod head;
mod headers;
pub mod health;
pub mod knowledge;
mod metrics;
pub mod modes;
pub mod notes;
pub mod openai;
pub mod origins;
mod page;
mod paid;
mod parameters;
pub mod places;
pub mod readiness;
pub mod reviews;
pub mod say;
mod security;
pub mod sender;
pub mod sessions;
pub mod socket;
mod sse;
pub mod state;
mod stay;
pub mod tools;
mod trace;
pub mod turns;
pub mod users;

use actix_web::{dev::HttpServiceFactory, web};

/// All routes except `/docs` and `/openapi.json`, which `docs.rs` serves. A test checks that the
/// OpenAPI document describes each of them except the pages for browsers.
pub fn routes() -> impl HttpServiceFactory {
    web::scope("")
        .service(auth::visitor)
        .service(auth::register)
        .service(auth::login)
        .service(auth::identify)
        .service(auth::refresh)
        .service(auth::logout)
        .service(auth::change_password)
        .service(auth::reset_password)
        .service(auth::me)
        .service(sessions::create_session)
        .service(sessions::list_sessions)
        .service(sessions::get_session)
        .service(sessions::erase_session)
        .service(customers::erase_customer)
        .service(export::export_customer)
        .service(turns::send_message)
        .service(turns::list_messages)
        .service(turns::cancel_turn)
        .service(actions::confirm_action)
        .service(actions::decline_action)
        .service(handoff::request_handoff)
        .service(handoff::accept_handoff)
        .service(handoff::release_session)
        .service(handoff::transfer_session)
        .service(handoff::close_session)
        .service(handoff::typing)
        .service(csat::rate_session)
        .service(desk::desk_queue)
        .service(desk::set_presence)
        .service(desk_events::desk_events)
        .service(desk_ended::desk_ended)
        .service(notes::get_notes)
        .service(notes::set_tags)
        .service(events::events)
        .service(socket::socket)
        .service(feedback::feedback)
        .service(openai::models)
        .service(openai::chat_completions)
        .service(knowledge::search_knowledge)
        .service(knowledge::list_documents)
        .service(knowledge::put_document)
        .service(knowledge::get_document)
        .service(knowledge::delete_document)
        .service(admin::list_cache)
        .service(admin::purge_cache)
        .service(admin::list_keys)
        .service(admin::create_key)
        .service(admin::revoke_key)
        .service(users::create_reset)
        .service(admin::list_audit)
        .service(admin::backends)
        .service(decisions::list_decisions)
        .service(reviews::list_actions)
        .service(reviews::approve_action)
        .service(reviews::refuse_action)
        // `tests` and `rollback` before what takes any name there.
        .service(assistants::conversations::get_tests)
        .service(assistants::conversations::put_tests)
        .service(assistants::versions::roll_back_assistants)
        .service(assistants::versions::list_assistants)
        .service(assistants::versions::draft_assistants)
        .service(assistants::versions::get_assistants)
        .service(assistants::check::check_assistants)
        .service(assistants::versions::activate_assistants)
        .service(tools::list::list_tools)
        .service(tools::write::list_written)
        .service(tools::import::import_tools)
        .service(tools::write::put_tool)
        .service(tools::write::delete_tool)
        .service(modes::modes)
        .service(modes::set_modes)
        .service(health::livez)
        .service(health::startupz)
        .service(health::readyz)
        .service(health::status)
        .service(health::metrics)
        .service(page::index)
        .service(page::reset)
        .service(page::console)
        .service(page::asset)
        .service(page::docs)
}

pub use head::head;
pub use metrics::METRICS;
pub use parameters::parameters;
pub use trace::trace;
