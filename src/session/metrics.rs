//! What sessions count.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tracing::Span;

use crate::{
    domain::{ActionStatus, Answer, Append, Decision, Fact, Help, People, Route},
    telemetry::declare,
};

declare! {
    LIVE: gauge "rushdesk_sessions_live" [] "Sessions in memory of this process";
    OPENED: counter "rushdesk_sessions_opened_total" []
        "Sessions that came into memory, new ones too";
    PASSIVATED: counter "rushdesk_sessions_passivated_total" []
        "Sessions that left memory after `sessions.idle_timeout_s` without traffic";
    EVICTED: counter "rushdesk_sessions_evicted_total" []
        "Idle sessions that left memory because `sessions.max_sessions` were in it";
    RUNNING: gauge "rushdesk_turns_running" [] "Turns that run in this process";
    TURNS: counter "rushdesk_turns_total" ["outcome", "route"]
        "Ended turns: `completed` by a route, `failed` or `cancelled`";
    FAILURES: counter "rushdesk_turn_failures_total" ["code"]
        "Failed turns by error code" when "after the first";
    INTERRUPTED: counter "rushdesk_turns_interrupted_total" []
        "Turns that were ended because their replica had died or had no task for them";
    SECONDS: histogram(SECONDS) "rushdesk_turn_seconds" ["route"]
        "Time from a message to the end of its answer";
    ACTIONS: counter "rushdesk_actions_total" ["step"]
        "Changes that were `proposed`, `confirmed`, `declined` or had `expired`, and what became of those confirmed: `done`, `failed`, or for now `unknown` or `waiting`"
        when "after the first";
    DOUBT: histogram(LONG) "rushdesk_action_doubt_seconds" []
        "Time from a confirmation until it was known what became of it, of changes whose call had no answer"
        when "after the first";
    UNSETTLED: gauge "rushdesk_actions_unsettled" []
        "Confirmed changes whose result is not known yet, on all replicas";
    WAITING: gauge "rushdesk_actions_waiting" []
        "Confirmed changes that wait for a person of the shop, on all replicas";
    HANDOFFS: counter "rushdesk_handoffs_total" ["step"]
        "Handoffs to people that were `requested`, `accepted` or `ended`"
        when "after the first";
    LOST: counter "rushdesk_handoffs_lost_total" ["reason"]
        "Conversations that went back to the queue because nothing was heard of their agent (`agent_away`) or the account was disabled (`agent_disabled`)"
        when "after the first";
    CSAT: counter "rushdesk_csat_total" ["of", "score"]
        "Ratings of shoppers, 1 to 5, of the help of a person (`handoff`) or of a late answer (`ticket`)"
        when "after the first";
    AGENT_MESSAGES: counter "rushdesk_agent_messages_total" [] "Messages of people of the shops";
    FIRST_TOKEN: histogram(SECONDS) "rushdesk_turn_first_token_seconds" ["route"]
        "Time from a message to the first piece of its answer";
}

/// The values of the label `score`.
const SCORES: [&str; 5] = ["1", "2", "3", "4", "5"];

pub fn opened() {
    counter!(OPENED).increment(1);
}

pub fn passivated() {
    counter!(PASSIVATED).increment(1);
}

pub fn evicted() {
    counter!(EVICTED).increment(1);
}

pub fn session_started() {
    gauge!(LIVE).increment(1);
}

pub fn session_stopped() {
    gauge!(LIVE).decrement(1);
}

pub fn turn_started() {
    gauge!(RUNNING).increment(1);
}

pub fn turn_interrupted() {
    counter!(INTERRUPTED).increment(1);
}

/// Counts one ended turn, in whose span this is called. Every label is from a closed set.
pub fn turn_ended(fact: &Fact) {
    gauge!(RUNNING).decrement(1);
    let (outcome, route) = match fact {
        Fact::MessageCreated { .. }
        | Fact::ActionProposed(_)
        | Fact::ActionResult(_)
        | Fact::People(_)
        | Fact::Unknown(_) => return,
        Fact::AnswerCompleted(Answer { route, timings, .. }) => {
            let label = route.as_str();
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a turn are small")]
            let seconds = |millis: u64| millis as f64 / 1_000.0;
            histogram!(SECONDS, "route" => label).record(seconds(timings.total_ms));
            if let Some(first) = timings.first_token_ms {
                histogram!(FIRST_TOKEN, "route" => label).record(seconds(first));
            }
            ("completed", Some(*route))
        }
        Fact::TurnFailed { problem, .. } => {
            counter!(FAILURES, "code" => problem.code.as_str()).increment(1);
            ("failed", None)
        }
        Fact::TurnCancelled { .. } => ("cancelled", None),
    };
    let route = route.map_or("none", Route::as_str);
    counter!(TURNS, "outcome" => outcome, "route" => route).increment(1);
    Span::current().record("outcome", outcome).record("route", route);
}

/// Counts what a step did about changes, and what people did.
pub fn acted(append: &Append) {
    let count = |step| counter!(ACTIONS, "step" => step).increment(1);
    if append.decided.as_ref().is_some_and(|decided| decided.calls) {
        count(Decision::Confirmed.as_str());
    }
    for event in &append.events {
        match &event.fact {
            Fact::ActionProposed(_) => count("proposed"),
            // Counted when nobody may confirm it any more, also if nobody tries.
            Fact::ActionResult(outcome) if outcome.status == ActionStatus::Expired => {}
            Fact::ActionResult(outcome) => count(outcome.status.as_str()),
            Fact::MessageCreated { .. }
            | Fact::AnswerCompleted(_)
            | Fact::TurnFailed { .. }
            | Fact::TurnCancelled { .. }
            | Fact::People(_)
            | Fact::Unknown(_) => {}
        }
    }
    people(append);
}

/// Counts what people did.
fn people(append: &Append) {
    for event in &append.events {
        let Fact::People(people) = &event.fact else { continue };
        let step = match people {
            People::HandoffRequested { .. } => "requested",
            People::HandoffAccepted { .. } => "accepted",
            People::HandoffEnded { reason, .. } => {
                if let Some(reason) = reason {
                    counter!(LOST, "reason" => reason.as_str()).increment(1);
                }
                "ended"
            }
            People::AgentMessage { .. } => {
                counter!(AGENT_MESSAGES).increment(1);
                continue;
            }
            People::HandoffQueued { .. }
            | People::ControlChanged { .. }
            | People::MessageDelivered { .. }
            | People::SessionClosed { .. }
            | People::SessionReopened => continue,
            People::SessionRated { of, score, .. } => {
                let of = match of {
                    Help::Handoff(_) => "handoff",
                    Help::Ticket(_) => "ticket",
                };
                let score = SCORES.get(usize::from(*score).saturating_sub(1)).unwrap_or(&"none");
                counter!(CSAT, "of" => of, "score" => *score).increment(1);
                continue;
            }
        };
        counter!(HANDOFFS, "step" => step).increment(1);
    }
}

pub fn actions_expired(count: u64) {
    if count > 0 {
        counter!(ACTIONS, "step" => ActionStatus::Expired.as_str()).increment(count);
    }
}

pub fn action_settled(doubt: Duration) {
    histogram!(DOUBT).record(doubt);
}

/// A person of the shop approved it, and the shop is asked now.
pub fn action_confirmed() {
    counter!(ACTIONS, "step" => Decision::Confirmed.as_str()).increment(1);
}

pub fn actions_waiting(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "there are not that many changes")]
    gauge!(WAITING).set(count as f64);
}

pub fn actions_unsettled(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "there are not that many changes")]
    gauge!(UNSETTLED).set(count as f64);
}
