//! Answers without a model, measured on questions with rules that say what an answer must contain.
//! Questions go the way of a turn: [`Search`] and [`extract`].

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::civil::{Date, date};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{options::AnswerOptions, rows::read, score::percent};
use crate::{
    archive::Archive,
    clock,
    config::{self, Config},
    domain::SiteId,
    embedding::{self, EmbedderHandle},
    knowledge::{Extract, Knowledge, Query, extract, import},
    runtime::Services,
    turn::{
        ports::EmbedPort,
        retrieve::{Retrieved, Search, setting_of},
    },
};

/// The day of a question that names none.
const ANY_DAY: Date = date(2026, 6, 15);

#[derive(Deserialize)]
struct Row {
    kind: String,
    question: String,
    /// The shopper's messages before, oldest first.
    #[serde(default)]
    history: Vec<String>,
    #[serde(default = "english")]
    language: String,
    today: Option<Date>,
    /// Of each list an answer has one text. Empty: the pages have no answer.
    has: Vec<Vec<String>>,
    /// An answer has none of these.
    #[serde(default)]
    not: Vec<String>,
    /// If the pages have no answer: an answer with one of these does no harm.
    #[serde(default)]
    fine: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Useful,
    Partly,
    Unknown,
    Wrong,
}

impl Row {
    fn judge(&self, answer: Option<&str>) -> Verdict {
        let Some(answer) = answer else {
            return if self.has.is_empty() { Verdict::Useful } else { Verdict::Unknown };
        };
        let says = |text: &String| answer.contains(text.as_str());
        if self.has.is_empty() {
            return if self.fine.iter().any(says) { Verdict::Useful } else { Verdict::Wrong };
        }
        let found = self.has.iter().filter(|texts| texts.iter().any(says)).count();
        match found {
            _ if self.not.iter().any(says) => Verdict::Wrong,
            found if found == self.has.len() => Verdict::Useful,
            0 => Verdict::Wrong,
            _ => Verdict::Partly,
        }
    }

    /// Half of the questions, by their hash: a change that helps one half only fits its words.
    fn is_of_other_half(&self) -> bool {
        Sha256::digest(self.question.as_bytes())[0] % 2 == 1
    }
}

#[derive(Default)]
struct Tally(BTreeMap<Verdict, usize>);

impl Tally {
    fn count(&mut self, verdict: Verdict) {
        *self.0.entry(verdict).or_default() += 1;
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }

    fn of(&self, verdict: Verdict) -> usize {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    fn share(&self, verdict: Verdict) -> f64 {
        self.of(verdict) as f64 / self.all().max(1) as f64
    }
}

/// The tables.
#[derive(Default)]
pub struct Answered {
    one: Tally,
    other: Tally,
    all: Tally,
    nearest: Tally,
    kinds: BTreeMap<String, Tally>,
    faults: Vec<String>,
}

impl Answered {
    /// Of all questions.
    pub fn useful(&self) -> f64 {
        self.all.share(Verdict::Useful)
    }

    pub fn wrong(&self) -> f64 {
        self.all.share(Verdict::Wrong)
    }

    pub fn questions(&self) -> usize {
        self.all.all()
    }
}

/// A shop in a folder of its own, which is removed in the end.
struct Shop {
    knowledge: Knowledge,
    site: SiteId,
    folder: PathBuf,
}

impl Drop for Shop {
    fn drop(&mut self) {
        // What is left is in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Shop {
    async fn open(
        config: &Config,
        documents: &Path,
        embedder: Option<&EmbedderHandle>,
    ) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("rushdesk-eval-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(&folder)?;
        let archive = Archive::open_sqlite(&folder.join("eval.db"), &config.store).await?;
        archive.migrate().await?;
        let site = SiteId::parse("eval").context("the site has no name")?;
        let configured = config::Site::new(site.clone(), "Eval", "pk_eval");
        archive.put_sites(std::slice::from_ref(&configured), clock::now()).await?;
        let embedder = embedder.map(|embedder| {
            (embedder.embed.clone(), embedder.embedder_id.clone(), embedder.card.clone())
        });
        let sites = [configured];
        let knowledge = Knowledge::load(archive, embedder, &config.knowledge, &sites).await?;
        let bounds = import::Bounds {
            max_document_bytes: config.knowledge.max_document_bytes,
            max_documents: config.knowledge.max_documents,
        };
        for document in import::read_folder(documents, bounds)?.documents {
            knowledge.upsert(&site, document, None).await?;
        }
        Ok(Self { knowledge, site, folder })
    }

    async fn retrieved(&self, row: &Row, embedder: Option<&EmbedPort>, most: usize) -> Retrieved {
        let search = Search {
            knowledge: &self.knowledge,
            embedder,
            site: &self.site,
            locale: &row.language,
            tags: &[],
            most,
        };
        let earlier: Vec<&str> = row.history.iter().map(String::as_str).collect();
        search.read(&earlier, &row.question, &row.language, None).await
    }

    /// The nearest passage to the message, if it is near enough.
    async fn nearest(&self, row: &Row, embedder: Option<&EmbedPort>, least: f32) -> Option<String> {
        let vector = match embedder {
            Some(port) => {
                let text = row.question.clone();
                embedding::messages::embed(&port.embed, text, port.timeout).await.ok()
            }
            None => None,
        };
        let vector = vector.as_ref().map(|embedding| &*embedding.vector);
        let query = Query { vector, ..Query::new(&row.question) };
        let found = self.knowledge.search(&self.site, &query, 1).into_iter().next();
        found.filter(|passage| passage.confidence >= least).map(|passage| passage.text)
    }
}

/// Imports the pages and asks every question.
///
/// # Errors
/// If a file cannot be read or a line does not have its shape.
pub async fn answers(options: &AnswerOptions, config: &Config) -> anyhow::Result<Answered> {
    let services = Services::start();
    let (folder, arbiter) = (&config.server.data_dir, services.arbiter());
    let handle = match embedding::start(&config.embedding, folder, &arbiter) {
        Ok(handle) => Some(handle),
        Err(error) => {
            eprintln!("without vectors: {error}");
            None
        }
    };
    let port = handle.as_ref().map(|handle| EmbedPort {
        embed: handle.embed.clone(),
        id: handle.embedder_id.clone(),
        timeout: std::time::Duration::from_secs(60),
        like_example: handle.card.cosine.of_standard(crate::triage::LIKE_EXAMPLE),
    });
    let shop = Shop::open(config, &options.knowledge, handle.as_ref()).await?;
    let least = options.confidence.unwrap_or(config.turn.answer_confidence);
    let mut features = options.features.as_ref().map(fs::File::create).transpose()?;
    let mut answered = Answered::default();
    for (_, rows) in read::<Row>(&options.data)? {
        for row in &rows {
            let retrieved = shop.retrieved(row, port.as_ref(), config.turn.passages).await;
            let today = row.today.unwrap_or(ANY_DAY);
            let setting = setting_of(port.as_ref(), today, &row.language, least);
            let found = extract(&retrieved.questions, &setting);
            if let Some(file) = &mut features {
                let judged = |text: &str| row.judge(Some(text)) == Verdict::Useful;
                for example in crate::knowledge::examples(&retrieved.questions, &setting) {
                    let right = !row.has.is_empty() && judged(&example.text);
                    let line = serde_json::json!({
                        "question": row.question, "other_half": row.is_of_other_half(), "right": right,
                        "features": example.features, "text": example.text,
                    });
                    writeln!(file, "{line}")?;
                }
            }
            answered.count(row, found.as_ref(), options.show);
            let near = shop.nearest(row, port.as_ref(), config.turn.answer_confidence).await;
            answered.nearest.count(row.judge(near.as_deref()));
        }
    }
    if let Some(handle) = handle {
        handle.stop().await;
    }
    services.stop();
    Ok(answered)
}

impl Answered {
    fn count(&mut self, row: &Row, found: Option<&Extract>, show: bool) {
        let text = found.map(|found| found.text.as_str());
        let verdict = row.judge(text);
        self.all.count(verdict);
        self.kinds.entry(row.kind.clone()).or_default().count(verdict);
        let half = if row.is_of_other_half() { &mut self.other } else { &mut self.one };
        half.count(verdict);
        if show && verdict != Verdict::Useful {
            let sure = found.map_or(0.0, |found| found.confidence);
            let shown = text.unwrap_or("–");
            let asked = row.history.iter().chain([&row.question]);
            let asked = asked.map(String::as_str).collect::<Vec<_>>().join(" → ");
            self.faults.push(format!("{verdict:?} {sure:.2} {}: {asked} | {shown:?}", row.kind));
        }
    }
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| questions | number | useful | partly | does not know | wrong |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        let mut row = |name: &str, tally: &Tally| {
            let [useful, partly, unknown, wrong] =
                [Verdict::Useful, Verdict::Partly, Verdict::Unknown, Verdict::Wrong]
                    .map(|verdict| percent(tally.of(verdict), tally.all()));
            writeln!(f, "| {name} | {} | {useful} | {partly} | {unknown} | {wrong} |", tally.all())
        };
        row("all", &self.all)?;
        row("one half", &self.one)?;
        row("other half", &self.other)?;
        row("all, nearest passage", &self.nearest)?;
        self.kinds.iter().try_for_each(|(kind, tally)| row(kind, tally))?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "    {fault}"))
    }
}
