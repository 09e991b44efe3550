//! A model in this process, driven through the pool. The test is the engine.

use super::*;
use crate::domain::Usage;

fn text(text: &str) -> Piece {
    Piece::Text(text.into())
}

/// A pool over one local model with two slots, and the engine's end of the channel.
fn local_pool(config: &config::Inference) -> (Pool, Jobs) {
    let (model, jobs) = LocalModel::new("here", "tiny", 2);
    (pool(config, vec![Source::Local(model)]), jobs)
}

#[actix::test]
async fn a_turn_is_answered_by_a_model_in_this_process() {
    let config = config();
    let (pool, mut jobs) = local_pool(&config);
    let engine = actix::spawn(async move {
        let job = jobs.recv().await.unwrap();
        let usage = Usage { prompt_tokens: 9, completion_tokens: 3 };
        for piece in [
            text("<think>hm"),
            text("</think>Par"),
            text("is."),
            Piece::Usage(usage),
            Piece::Finished(FinishReason::Stop),
        ] {
            job.answer.send(piece).await.unwrap();
        }
        (job.chat, jobs)
    });
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    assert_eq!((generation.backend(), generation.model()), ("here", "tiny"));
    let usage = Some(Usage { prompt_tokens: 9, completion_tokens: 3 });
    assert_eq!(listen(&mut generation).await, (Told { usage, ..Told::said("Paris.") }, Ok(())));
    assert_eq!(status(&pool).await.backends[0].in_flight, 0);
    let (chat, _jobs) = engine.await.unwrap();
    assert_eq!(chat.messages, super::chat().messages);
}

#[actix::test]
async fn an_engine_that_drops_an_answer_has_truncated_it_and_dropping_a_generation_stops_it() {
    let config = config();
    let (pool, mut jobs) = local_pool(&config);
    let engine = actix::spawn(async move {
        let first = jobs.recv().await.unwrap();
        first.answer.send(text("Par")).await.unwrap();
        drop(first);
        let second = jobs.recv().await.unwrap();
        second.answer.send(text("On and on")).await.unwrap();
        second.answer.closed().await;
        jobs
    });
    let mut broken = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let (told, end) = listen(&mut broken).await;
    assert_eq!(told.text, "Par");
    assert_eq!(end, Err(GenerateError::Upstream(Outcome::Truncated)));
    let left = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    drop(left);
    let _jobs = engine.await.unwrap();
    until(&pool, |status| status.backends[0].in_flight == 0).await;
}

#[actix::test]
async fn a_call_of_a_local_model_reaches_the_caller_and_its_result_goes_back() {
    let config = config();
    let (pool, mut jobs) = local_pool(&config);
    let arguments = serde_json::json!({"id": 7}).as_object().unwrap().clone();
    let call = ToolCall { id: "c1".into(), name: "order".into(), arguments };
    let asked = call.clone();
    let engine = actix::spawn(async move {
        let job = jobs.recv().await.unwrap();
        job.answer.send(Piece::ToolCall(asked)).await.unwrap();
        job.answer.send(Piece::Finished(FinishReason::ToolCalls)).await.unwrap();
        let job = jobs.recv().await.unwrap();
        job.answer.send(text("Shipped.")).await.unwrap();
        job.answer.send(Piece::Finished(FinishReason::Stop)).await.unwrap();
        (job.chat.messages, jobs)
    });
    let mut request = request(&config);
    let mut generation = Generation::start(&pool.acquire, request.clone()).await.unwrap();
    let (told, end) = listen(&mut generation).await;
    assert_eq!((told.calls, end), (vec![call.clone()], Ok(())));
    request.chat.messages.push(ChatMessage::calls("", vec![call.clone()]));
    request.chat.messages.push(ChatMessage::result(&call, "shipped yesterday"));
    let mut generation = Generation::start(&pool.acquire, request).await.unwrap();
    assert_eq!(listen(&mut generation).await, (Told::said("Shipped."), Ok(())));
    let (messages, _jobs) = engine.await.unwrap();
    assert_eq!(messages.last().unwrap().answers.as_ref().unwrap().id, "c1");
}

#[actix::test]
async fn a_model_whose_engine_is_gone_is_out_of_service() {
    let config = config::Inference { health_interval: Duration::from_millis(20), ..config() };
    let (pool, jobs) = local_pool(&config);
    until(&pool, |status| status.backends[0].healthy).await;
    drop(jobs);
    until(&pool, |status| !status.backends[0].healthy).await;
    let refused = Generation::start(&pool.acquire, request(&config)).await.unwrap_err();
    assert!(matches!(refused, GenerateError::Refused(Refused::NoBackend { .. })), "{refused:?}");
}
