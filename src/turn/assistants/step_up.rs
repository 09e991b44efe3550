//! A call that needs a one-time code: the shop sends one, the shopper types it, and the call goes on.

use super::{
    errands::{Why, caller, failed, found, plain},
    proposal::propose,
};
use crate::{
    assistant::{
        actions,
        errand::{self, Reply as Said},
    },
    config::Effect,
    domain::{Answer, Draft, OneTimeCode, Route, Stage, Wants},
    tools::{Prepared, Sent},
    turn::{
        ask::Ask,
        codes::{Typed, Wanting},
        kept::Kept,
        ports::Ports,
        reply::Reply,
    },
};

/// Has a code sent, and asks for it.
pub async fn send(ports: &Ports, ask: &Ask, reply: &mut Reply, wanting: &Wanting) -> Answer {
    let session = reply.log().session_id();
    let deadline = ask.begun + ports.turn.timeout;
    let language = ask.language;
    let kept = Kept::waiting(&wanting.arguments, &wanting.caller).sealed();
    let sent = ports.codes.send(&ports.tools, session, (wanting, kept), deadline).await;
    let (text, wants) = match sent {
        Ok(Sent::Challenge { .. }) => (actions::code_sent(language), Some(Wants::Code)),
        Ok(Sent::NotFound) => (Said::NotFound.text(language), None),
        Ok(Sent::Refused(reason)) => (errand::refused(&reason, language), None),
        Err(error) => (failed(error).text(language), None),
    };
    let answer = reply.say(text, Route::Tool, Vec::new());
    Answer { wants, ..answer }
}

/// What a typed code leads to: the call that waited for it, or another try.
pub async fn typed(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    code: &OneTimeCode,
) -> (Answer, Option<Draft>) {
    reply.stage(Stage::Searching);
    let session = reply.log().session_id();
    let deadline = ask.begun + ports.turn.timeout;
    let language = ask.language;
    let caller = caller(ask);
    let checked = ports.codes.check(&ports.tools, session, (&caller, code), deadline).await;
    let (text, wants) = match checked {
        Ok(Typed::Right(tool, kept)) => {
            if let Some(call) = Kept::after_code(&ports.tools, &caller, &tool, &kept) {
                return go_on(ports, ask, reply, &call).await;
            }
            (Said::Unavailable.text(language), None)
        }
        Ok(Typed::Wrong) => (actions::code_wrong(language), Some(Wants::Code)),
        Err(error) => (failed(error).text(language), Some(Wants::Code)),
    };
    let answer = reply.say(text, Route::Tool, Vec::new());
    (Answer { wants, ..answer }, None)
}

/// The call that waited for the code.
async fn go_on(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    call: &Prepared,
) -> (Answer, Option<Draft>) {
    if call.tool().effect == Effect::Write {
        return propose(ports, ask, reply, call, &Why::Asked(Vec::new())).await;
    }
    let deadline = ask.begun + ports.turn.timeout;
    let found = found(ports, ask, call, deadline).await;
    let found = found.unwrap_or_else(|| plain(Said::NotFound.text(ask.language)));
    let answer = reply.say(&found.text, Route::Tool, Vec::new());
    (Answer { cards: found.cards, ..answer }, None)
}
