//! The same conversation over a WebSocket.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use goose::prelude::*;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};
use uuid::Uuid;

use super::{
    scenarios::Questions,
    shopper::{Shopper, report},
};

const TURNS: usize = 3;
const WITHIN: Duration = Duration::from_secs(60);

/// Opens a session, follows it over a socket and sends a question there.
pub async fn visit(user: &mut GooseUser, key: Arc<str>, questions: Questions) -> TransactionResult {
    let shopper = Shopper::arrives(user, &key).await?;
    let url = user.build_url(&format!("/v1/sessions/{}/socket", shopper.session))?;
    let Some(address) = url.strip_prefix("http://") else {
        return fail(user, "sockets need an http:// host here; use Locust for TLS").await;
    };
    let begun = Instant::now();
    let connecting = connect_async(format!("ws://{address}"));
    let Ok(Ok((mut socket, _))) = timeout(WITHIN, connecting).await else {
        return fail(user, "no connection").await;
    };
    let hello = json!({"type": "auth", "token": shopper.token});
    let is_open = socket.send(Message::text(hello.to_string())).await.is_ok();
    user.record_custom_request_duration("WS", "open", begun.elapsed(), is_open, None, None).await?;
    for turn in 0..TURNS {
        let text = questions.pick(user, turn);
        let question = json!({"type": "message", "text": text,
            "idempotency_key": Uuid::new_v4().to_string()});
        let (sent, mut first_token) = (Instant::now(), None);
        let answer = async {
            socket.send(Message::text(question.to_string())).await.map_err(|_| "connection")?;
            loop {
                let frame = match socket.next().await {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err("connection"),
                    Some(Ok(_)) => continue,
                };
                let frame: Value = serde_json::from_str(&frame).unwrap_or_default();
                match frame["type"].as_str() {
                    Some("answer.delta") => {
                        first_token.get_or_insert_with(|| sent.elapsed());
                    }
                    Some("answer.completed") => {
                        first_token.get_or_insert_with(|| sent.elapsed());
                        return Ok(());
                    }
                    Some("turn.failed") => return Err("turn.failed"),
                    Some("turn.cancelled") => return Err("turn.cancelled"),
                    Some("error") => return Err("error"),
                    _ => {}
                }
            }
        };
        let end = timeout(WITHIN, answer).await.unwrap_or(Err("timeout")).map_err(str::to_owned);
        report(user, "WS", first_token, end, sent.elapsed()).await?;
    }
    let _ = timeout(WITHIN, socket.close(None)).await;
    Ok(())
}

async fn fail(user: &mut GooseUser, why: &str) -> TransactionResult {
    user.record_custom_request_duration("WS", "open", Duration::ZERO, false, None, Some(why)).await
}
