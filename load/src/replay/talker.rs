//! One shopper: a visitor with one session, who sends one message after the other and reads each
//! answer to its end.

use std::{rc::Rc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{
    Run, Transport,
    api::{Api, Failed, Visitor},
    check::{Created, Seen, SessionCheck, Terminal, TurnCheck, Violation},
    event::{Ended, Problem},
    ledger::{Entry, Expected},
    line::{Came, Line, NotOpened},
    reading::{Recorder, SharedReader},
};

/// Most cuts of one turn.
const MOST_CUTS: u32 = 3;
/// The response must end within this time after the terminal event.
const END_WITHIN: Duration = Duration::from_secs(5);

pub struct Talker {
    run: Rc<Run>,
    visitor: Visitor,
    session_id: String,
    transport: Transport,
    check: SessionCheck,
    /// A socket is kept from turn to turn; an SSE response never is.
    line: Option<Line>,
    reader: SharedReader,
    random: StdRng,
    pub expected: Expected,
}

/// The state of a turn.
struct Turn {
    text: String,
    key: String,
    check: TurnCheck,
    begun: Instant,
    /// When the current attempt was sent.
    sent: Instant,
    /// Whether the message was sent over the open connection.
    is_said: bool,
    /// Whether it ran without disturbance, so that its times are the server's.
    is_smooth: bool,
    has_delta: bool,
    cuts: u32,
    frames: usize,
    /// Number of frames until the connection is cut.
    cut_after: Option<usize>,
    /// Broken connections in a row; a frame resets the count.
    broken: u32,
    away_since: Instant,
}

impl Talker {
    /// A new visitor with a new session.
    ///
    /// # Errors
    /// See [`Failed`].
    pub async fn arrive(run: Rc<Run>, number: usize) -> Result<Self, Failed> {
        let transport = run.transport.of(number);
        let random = StdRng::seed_from_u64(run.seed ^ (number as u64).wrapping_mul(0x9e37_79b9));
        let mut visitor = run.api.visitor(&run.site_key).await?;
        let session_id = run.api.session(&mut visitor).await?;
        run.gather_audience(&session_id, &visitor, number);
        let mut talker = Self {
            check: SessionCheck::new(&session_id),
            reader: run.readings.reader(&session_id, "shopper"),
            line: None,
            expected: Expected::default(),
            run,
            visitor,
            session_id,
            transport,
            random,
        };
        talker.note(talker.session_entry()).await?;
        Ok(talker)
    }

    fn session_entry(&self) -> Entry {
        Entry::Session {
            session_id: self.session_id.clone(),
            access_token: self.visitor.access_token.clone(),
            refresh_token: self.visitor.refresh_token.clone(),
        }
    }

    fn api(&self) -> &Api {
        &self.run.api
    }

    async fn note(&mut self, entry: Entry) -> Result<(), Failed> {
        if let Some(ledger) = &self.run.ledger {
            ledger.note(&entry).await.map_err(Failed::Broken)?;
        }
        self.expected.add(entry);
        Ok(())
    }

    /// Sends `text` and reads its turn to the terminal event.
    ///
    /// # Errors
    /// [`Failed::Gone`] ends the conversation; a message that is refused finally does not.
    pub async fn say(&mut self, text: &str) -> Result<(), Failed> {
        let now = Instant::now();
        let mut turn = Turn {
            text: text.to_owned(),
            key: Uuid::new_v4().to_string(),
            check: TurnCheck::default(),
            begun: now,
            sent: now,
            is_said: false,
            is_smooth: true,
            has_delta: false,
            cuts: 0,
            frames: 0,
            cut_after: None,
            broken: 0,
            away_since: now,
        };
        self.api().tally.borrow_mut().report.turns += 1;
        let (session_id, key) = (self.session_id.clone(), turn.key.clone());
        self.note(Entry::Sent { session_id, key, text: turn.text.clone() }).await?;
        let outcome = self.read_turn(&mut turn).await;
        self.report_violations();
        match outcome {
            Err(Failed::Refused(_)) if !turn.check.is_acknowledged() => {
                self.api().tally.borrow_mut().report.refused += 1;
                let (session_id, key) = (self.session_id.clone(), turn.key);
                self.note(Entry::Refused { session_id, key }).await
            }
            outcome => outcome,
        }
    }

    async fn read_turn(&mut self, turn: &mut Turn) -> Result<(), Failed> {
        let deadline = turn.begun + self.run.turn_timeout;
        while Instant::now() < deadline {
            if self.line.is_none() {
                let line = self.open(turn).await?;
                self.line = Some(line);
                turn.cut_after = self.pick_cut(turn.cuts);
            } else if !turn.is_said {
                self.say_on_open_line(turn).await;
                continue;
            }
            if turn.cut_after == Some(0) {
                self.cut(turn);
                continue;
            }
            let Some(line) = &mut self.line else { continue };
            let came = match timeout(deadline - Instant::now(), line.next()).await {
                Ok(came) => came,
                Err(_) => break,
            };
            turn.cut_after = turn.cut_after.map(|left| left - 1);
            match came {
                Came::Frame(frame) => {
                    turn.broken = 0;
                    turn.frames += 1;
                    let seen = self.check.see(&mut turn.check, *frame);
                    if self.act(turn, seen).await? {
                        return Ok(());
                    }
                }
                Came::Nonsense => self.check.report(Violation::BadFrame),
                Came::End | Came::Broken => self.lost_line(turn).await?,
                Came::Closed(reason) => self.closed(turn, reason).await?,
            }
        }
        self.line = None;
        self.api().tally.borrow_mut().count_error("turn_timeout");
        if turn.check.is_acknowledged() {
            self.check.report(Violation::NoTerminal);
        }
        Ok(())
    }

    /// Acts on a frame; returns `true` once the turn is over.
    async fn act(&mut self, turn: &mut Turn, seen: Seen) -> Result<bool, Failed> {
        match seen {
            Seen::Other => {}
            Seen::Created(created) => self.acknowledged(turn, created).await?,
            Seen::Delta => self.first_token(turn),
            Seen::Terminal(terminal) => {
                self.ended(turn, terminal).await?;
                return Ok(true);
            }
            Seen::Refused(problem) => self.refused(turn, problem).await?,
            Seen::Draining(after) => {
                self.drop_line(turn);
                sleep(after).await;
            }
            Seen::Reset => {
                self.api().tally.borrow_mut().count_error("stream_reset");
                self.drop_line(turn);
                self.check.reset(&mut turn.check);
                sleep(Duration::from_millis(200)).await;
            }
        }
        Ok(false)
    }

    async fn acknowledged(&mut self, turn: &Turn, created: Created) -> Result<(), Failed> {
        let Created { message_id, turn_id, seq, text } = created;
        {
            let mut tally = self.run.api.tally.borrow_mut();
            tally.report.acknowledged += 1;
            if text != turn.text {
                tally.count_error("message_rewritten");
            }
        }
        let (session_id, key) = (self.session_id.clone(), turn.key.clone());
        self.note(Entry::Acknowledged { session_id, key, message_id, turn_id, seq, text }).await
    }

    fn first_token(&self, turn: &mut Turn) {
        if !std::mem::replace(&mut turn.has_delta, true) && turn.is_smooth {
            self.api().tally.borrow_mut().first_token.record(turn.sent.elapsed());
        }
    }

    async fn ended(&mut self, turn: &Turn, terminal: Terminal) -> Result<(), Failed> {
        let Terminal { ended, turn_id, message_id, text, route, problem, .. } = terminal;
        {
            let mut tally = self.run.api.tally.borrow_mut();
            match ended {
                Ended::Completed => {
                    let route = route.unwrap_or_else(|| "unnamed".to_owned());
                    *tally.report.answers_by_route.entry(route).or_default() += 1;
                }
                Ended::Failed => {
                    let code = problem.map(|problem| problem.code).unwrap_or_default();
                    tally.count_error(&format!("turn_failed {code}"));
                }
                Ended::Cancelled => tally.count_error("turn_cancelled"),
            }
            if turn.is_smooth {
                tally.total.record(turn.sent.elapsed());
                self.run.usual_frames.set(turn.frames);
            }
        }
        let session_id = self.session_id.clone();
        self.note(Entry::Ended { session_id, turn_id, ended, message_id, text }).await?;
        if self.transport == Transport::Sse {
            self.expect_end(turn).await;
        }
        Ok(())
    }

    /// The response to a message ends after the terminal event; a session's stream continues.
    async fn expect_end(&mut self, turn: &Turn) {
        let Some(mut line) = self.line.take() else { return };
        if turn.is_smooth && !matches!(timeout(END_WITHIN, line.next()).await, Ok(Came::End)) {
            self.check.report(Violation::NoEndAfterTerminal);
        }
    }

    async fn refused(&mut self, turn: &mut Turn, problem: Problem) -> Result<(), Failed> {
        turn.is_smooth = false;
        if problem.code == "token_expired" {
            return self.refresh(turn).await;
        }
        self.api().refused(problem, turn.begun).await?;
        turn.is_said = turn.check.is_acknowledged();
        Ok(())
    }

    async fn closed(&mut self, turn: &mut Turn, code: String) -> Result<(), Failed> {
        match code.as_str() {
            "token_expired" => self.refresh(turn).await,
            "token_invalid" | "not_found" | "erased" => {
                self.line = None;
                Err(Failed::Refused(Problem { code, ..Problem::default() }))
            }
            _ => self.lost_line(turn).await,
        }
    }

    /// Gets a new access token, and opens a new connection with it.
    async fn refresh(&mut self, turn: &mut Turn) -> Result<(), Failed> {
        self.drop_line(turn);
        self.run.api.refresh(&mut self.visitor).await?;
        self.note(self.session_entry()).await
    }

    fn pick_cut(&mut self, cuts: u32) -> Option<usize> {
        let strikes = cuts < MOST_CUTS && self.random.random_bool(self.run.cut);
        strikes.then(|| self.random.random_range(0..=self.run.usual_frames.get()))
    }

    fn cut(&mut self, turn: &mut Turn) {
        turn.cuts += 1;
        self.api().tally.borrow_mut().report.cuts += 1;
        self.drop_line(turn);
    }

    fn drop_line(&mut self, turn: &mut Turn) {
        self.line = None;
        turn.is_smooth = false;
        turn.cut_after = None;
        turn.check.resumed();
    }

    async fn lost_line(&mut self, turn: &mut Turn) -> Result<(), Failed> {
        self.drop_line(turn);
        if turn.broken == 0 {
            turn.away_since = Instant::now();
        }
        turn.broken += 1;
        let (since, attempt) = (turn.away_since, turn.broken);
        self.api().away(since, attempt).await
    }

    /// Opens a connection for this turn. While the message is not acknowledged it is sent (again);
    /// otherwise the session is resumed.
    async fn open(&mut self, turn: &mut Turn) -> Result<Line, Failed> {
        let is_first = turn.is_smooth && turn.cuts == 0;
        if turn.check.is_acknowledged() {
            self.api().tally.borrow_mut().report.resumes += 1;
        } else if !is_first {
            self.api().tally.borrow_mut().report.retries += 1;
        }
        turn.is_said = true;
        match self.transport {
            Transport::Socket => self.open_socket(turn).await,
            Transport::Sse if turn.check.is_acknowledged() => {
                let run = self.run.clone();
                let url = run.api.url(&format!("/v1/sessions/{}/events", self.session_id));
                let last_id = self.check.last_id().to_owned();
                self.request(Some(&last_id), |visitor| {
                    run.api
                        .http
                        .get(&url)
                        .bearer_auth(&visitor.access_token)
                        .header("accept", "text/event-stream")
                        .header("last-event-id", &last_id)
                })
                .await
            }
            Transport::Sse => {
                let run = self.run.clone();
                let url = run.api.url(&format!("/v1/sessions/{}/messages", self.session_id));
                let body = json!({"text": turn.text});
                turn.sent = Instant::now();
                self.request(None, |visitor| {
                    run.api
                        .http
                        .post(&url)
                        .bearer_auth(&visitor.access_token)
                        .header("accept", "text/event-stream")
                        .header("idempotency-key", &turn.key)
                        .json(&body)
                })
                .await
            }
        }
    }

    /// `after`: the position that is asked for.
    async fn request(
        &mut self,
        after: Option<&str>,
        build: impl Fn(&Visitor) -> reqwest::RequestBuilder,
    ) -> Result<Line, Failed> {
        let token = self.visitor.access_token.clone();
        let response = self.run.api.send(&mut self.visitor, build).await?;
        if token != self.visitor.access_token {
            self.note(self.session_entry()).await?;
        }
        Line::of_response(response, self.record(after)).map_err(Failed::Broken)
    }

    fn record(&self, after: Option<&str>) -> Recorder {
        self.reader.borrow_mut().open(&self.session_id, after)
    }

    async fn open_socket(&mut self, turn: &mut Turn) -> Result<Line, Failed> {
        let base = self.api().base.replacen("http", "ws", 1);
        let url = format!("{base}/v1/sessions/{}/socket", self.session_id);
        let since = Instant::now();
        for attempt in 0.. {
            let token = &self.visitor.access_token;
            let after = self.check.last_id();
            let record = || self.record(Some(after));
            let mut line = match Line::socket(&url, token, after, record).await {
                Ok(line) => line,
                Err(NotOpened::Away) => {
                    self.api().away(since, attempt).await?;
                    continue;
                }
                Err(NotOpened::Refused(problem)) => {
                    self.api().refused(problem, since).await?;
                    continue;
                }
            };
            turn.sent = Instant::now();
            if turn.check.is_acknowledged() || line.say(&turn.text, &turn.key).await.is_ok() {
                return Ok(line);
            }
            self.api().away(since, attempt).await?;
        }
        Err(Failed::Gone)
    }

    /// The socket is open from an earlier turn, or after waiting because of a refusal.
    async fn say_on_open_line(&mut self, turn: &mut Turn) {
        turn.is_said = true;
        turn.sent = Instant::now();
        turn.cut_after = self.pick_cut(turn.cuts);
        let Some(line) = &mut self.line else { return };
        if line.say(&turn.text, &turn.key).await.is_err() {
            self.drop_line(turn);
        }
    }

    fn report_violations(&mut self) {
        let violations = self.check.take_violations();
        let mut tally = self.run.api.tally.borrow_mut();
        for violation in violations {
            *tally.report.violations.entry(violation).or_default() += 1;
            tally.report.find(|| format!("session {}: {violation:?}", self.session_id));
        }
    }
}
