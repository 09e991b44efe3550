use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use actix::{Actor, Arbiter, Context, Handler};
use futures_util::future::join;
use tokio::{sync::oneshot, time::Instant};
use tokio_util::task::TaskTracker;

use super::super::{
    EmbedderHandle,
    card::Card,
    error::EmbedError,
    messages::{Embed, EmbedderStatus, Embedding, ObserveEmbedder, Role, embed, embed_as},
    ports::handle,
    queue::{Queue, Ready, Work},
    tokenizer::Tokens,
    worker::{Encoder, spawn},
};

const LONG: Duration = Duration::from_secs(20);

/// Treats each character as a token; the vector is the number of tokens. Each batch waits until the
/// test lets it continue.
struct Slow {
    batches: Arc<Mutex<Vec<Vec<String>>>>,
    started: mpsc::Sender<()>,
    go_on: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Encoder for Slow {
    fn tokenize(&self, text: &str) -> Result<Tokens, EmbedError> {
        assert_ne!(text, "unreadable", "made to panic");
        Ok(Tokens { ids: text.chars().map(u32::from).collect(), truncated: false })
    }

    fn embed(&mut self, batch: &[Tokens]) -> Result<Vec<Arc<[f32]>>, EmbedError> {
        let text =
            |tokens: &Tokens| tokens.ids.iter().filter_map(|&id| char::from_u32(id)).collect();
        let texts: Vec<String> = batch.iter().map(text).collect();
        self.batches.lock().unwrap().push(texts.clone());
        self.started.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        assert!(!texts.iter().any(|text| text == "poison"), "made to panic");
        Ok(batch.iter().map(|tokens| Arc::from([tokens.ids.len() as f32])).collect())
    }
}

struct Bench {
    handle: EmbedderHandle,
    batches: Arc<Mutex<Vec<Vec<String>>>>,
    started: mpsc::Receiver<()>,
    go_on: mpsc::Sender<()>,
}

impl Bench {
    fn new(bound: usize) -> Self {
        Self::with_card(bound, Arc::default())
    }

    fn with_card(bound: usize, card: Arc<Card>) -> Self {
        let batches = Arc::default();
        let (started, has_started) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let encoder =
            Slow { batches: Arc::clone(&batches), started, go_on: Arc::new(Mutex::new(may_go_on)) };
        let queue = Arc::new(Queue::new(bound, 1024));
        let threads = TaskTracker::new();
        spawn(0, Arc::clone(&queue), encoder, &threads).unwrap();
        let handle = handle(queue, threads, "slow".into(), 1, card, &Arbiter::current());
        Self { handle, batches, started: has_started, go_on }
    }

    async fn send(&self, text: &str) -> oneshot::Receiver<Result<Embedding, EmbedError>> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + LONG;
        self.handle
            .embed
            .send(Embed { text: text.to_owned(), role: Role::Question, deadline, reply })
            .await
            .unwrap();
        answer
    }

    /// Sends a text and waits until the model processes it.
    async fn occupy(&self) -> oneshot::Receiver<Result<Embedding, EmbedError>> {
        let answer = self.send("first").await;
        self.started.recv_timeout(LONG).unwrap();
        answer
    }

    fn let_batches_run(&self, count: usize) {
        (0..count).for_each(|_| self.go_on.send(()).unwrap());
    }

    async fn status(&self) -> EmbedderStatus {
        self.handle.observe.send(ObserveEmbedder).await.unwrap()
    }

    fn computed(&self) -> Vec<Vec<String>> {
        self.batches.lock().unwrap().clone()
    }
}

#[actix::test]
async fn a_lone_text_runs_at_once() {
    let bench = Bench::new(8);
    bench.let_batches_run(1);
    let embedding = embed(&bench.handle.embed, "hello".to_owned(), LONG).await.unwrap();
    assert_eq!(*embedding.vector, [5.0]);
    assert_eq!(bench.status().await.batches, 1);
}

#[actix::test]
async fn texts_that_come_while_a_batch_runs_form_the_next_one() {
    let bench = Bench::new(8);
    let first = bench.occupy().await;
    let mut rest = Vec::new();
    for text in ["aaaa", "bbbbb", "ccc"] {
        rest.push(bench.send(text).await);
    }
    assert_eq!(bench.status().await.queued, 3);
    bench.let_batches_run(2);
    assert_eq!(*first.await.unwrap().unwrap().vector, [5.0]);
    for (answer, length) in rest.into_iter().zip([4.0, 5.0, 3.0]) {
        assert_eq!(*answer.await.unwrap().unwrap().vector, [length], "each gets its own");
    }
    assert_eq!(bench.computed(), [vec!["first"], vec!["aaaa", "bbbbb", "ccc"]]);
}

#[actix::test]
async fn a_caller_who_has_left_is_never_computed() {
    let bench = Bench::new(8);
    let first = bench.occupy().await;
    drop(bench.send("gone").await);
    let stays = bench.send("stays").await;
    bench.let_batches_run(2);
    first.await.unwrap().unwrap();
    stays.await.unwrap().unwrap();
    assert_eq!(bench.computed(), [["first"], ["stays"]]);
    assert_eq!(bench.status().await.queued, 0, "its place is free again");
}

#[actix::test]
async fn a_full_queue_refuses_at_once() {
    let bench = Bench::new(2);
    let _first = bench.occupy().await;
    let _waiting = (bench.send("a").await, bench.send("b").await);
    let refused = embed(&bench.handle.embed, "c".to_owned(), LONG).await;
    assert_eq!(refused, Err(EmbedError::Overloaded));
    bench.let_batches_run(2);
}

#[actix::test]
async fn a_panic_fails_only_its_batch() {
    let bench = Bench::new(8);
    bench.let_batches_run(2);
    let poisoned = embed(&bench.handle.embed, "poison".to_owned(), LONG).await;
    assert_eq!(poisoned, Err(EmbedError::Failed));
    embed(&bench.handle.embed, "sound".to_owned(), LONG).await.unwrap();
    assert_eq!(bench.status().await.threads_alive, 1);
}

#[actix::test]
async fn a_text_that_cannot_be_tokenised_fails_alone() {
    let bench = Bench::new(8);
    let first = bench.occupy().await;
    let unreadable = bench.send("unreadable").await;
    let readable = bench.send("readable").await;
    bench.let_batches_run(2);
    first.await.unwrap().unwrap();
    assert_eq!(unreadable.await.unwrap(), Err(EmbedError::Failed));
    readable.await.unwrap().unwrap();
}

#[actix::test]
async fn stopping_answers_those_who_wait_and_ends_the_threads() {
    let bench = Bench::new(8);
    let first = bench.occupy().await;
    let waiting = bench.send("waiting").await;
    // The queue closes when `stop` is first polled; only then may the running batch end.
    let stopped = join(bench.handle.stop(), async { bench.let_batches_run(1) });
    tokio::time::timeout(LONG, stopped).await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(waiting.await.unwrap(), Err(EmbedError::Closed));
    assert_eq!(bench.status().await.threads_alive, 0);
    let late = embed(&bench.handle.embed, "late".to_owned(), LONG).await;
    assert_eq!(late, Err(EmbedError::Closed));
}

/// Keeps every request without an answer.
#[derive(Default)]
struct Silent(Vec<Embed>);

impl Actor for Silent {
    type Context = Context<Self>;
}

impl Handler<Embed> for Silent {
    type Result = ();

    fn handle(&mut self, request: Embed, _: &mut Self::Context) {
        self.0.push(request);
    }
}

#[actix::test]
async fn a_caller_waits_no_longer_than_it_said() {
    tokio::time::pause();
    let port = Silent::default().start().recipient();
    let before = Instant::now();
    let wait = Duration::from_millis(250);
    assert_eq!(embed(&port, "hello".to_owned(), wait).await, Err(EmbedError::Timeout));
    assert!((wait..wait * 2).contains(&before.elapsed()));
}

fn request(
    text: &str,
    wait: Duration,
) -> (Embed, oneshot::Receiver<Result<Embedding, EmbedError>>) {
    let (reply, answer) = oneshot::channel();
    let deadline = Instant::now() + wait;
    (Embed { text: text.to_owned(), role: Role::Question, deadline, reply }, answer)
}

fn tokenise(queue: &Queue) {
    let Some(Work::Tokenize(jobs)) = queue.take() else { panic!("no raw texts") };
    let tokens = || Tokens { ids: vec![1; 4], truncated: false };
    queue.push_ready(jobs.into_iter().map(|job| Ready { job, tokens: tokens() }).collect());
}

#[tokio::test(start_paused = true)]
async fn a_text_whose_deadline_passed_leaves_the_queue_uncomputed() {
    let queue = Queue::new(8, 1024);
    let (hurried, late) = request("hurried", Duration::from_millis(100));
    let (patient, _answer) = request("patient", Duration::from_millis(200));
    queue.push(hurried);
    queue.push(patient);
    tokenise(&queue);
    tokio::time::advance(Duration::from_millis(150)).await;
    let Some(Work::Batch(batch)) = queue.take() else { panic!("no batch") };
    let texts: Vec<&str> = batch.iter().map(|text| text.job.text.as_str()).collect();
    assert_eq!(texts, ["patient"]);
    assert_eq!(late.await.unwrap(), Err(EmbedError::Timeout));
}

#[tokio::test(start_paused = true)]
async fn texts_keep_their_age_when_two_threads_tokenise() {
    let queue = Queue::new(8, 4);
    let mut answers = Vec::new();
    for text in ["older", "newer"] {
        let (request, answer) = request(text, LONG);
        answers.push(answer);
        queue.push(request);
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    let Some(Work::Tokenize(mut jobs)) = queue.take() else { panic!("no raw texts") };
    while let Some(job) = jobs.pop() {
        let tokens = Tokens { ids: vec![1; 4], truncated: false };
        queue.push_ready(vec![Ready { job, tokens }]);
    }
    let Some(Work::Batch(batch)) = queue.take() else { panic!("no batch") };
    assert_eq!(batch[0].job.text, "older");
}

#[test]
fn debug_output_hides_the_text() {
    let (reply, _answer) = oneshot::channel();
    let deadline = Instant::now();
    let text = "my card is 4111".to_owned();
    let request = Embed { text, role: Role::Question, deadline, reply };
    assert_eq!(format!("{request:?}"), "Embed[15 chars]");
}

#[actix::test]
async fn a_text_reaches_the_model_with_the_prefix_of_its_role() {
    let card = r#"{"prefixes": {"question": "query: ", "passage": "passage: "}}"#;
    let bench = Bench::with_card(4, Arc::new(serde_json::from_str(card).unwrap()));
    let port = bench.handle.embed.clone();
    bench.go_on.send(()).unwrap();
    embed(&port, "one".to_owned(), LONG).await.unwrap();
    bench.go_on.send(()).unwrap();
    embed_as(Role::Passage, &port, "two".to_owned(), LONG).await.unwrap();
    bench.handle.stop().await;
    assert_eq!(*bench.batches.lock().unwrap(), [["query: one"], ["passage: two"]]);
}
