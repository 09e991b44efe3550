//! The cache on a stream of labelled questions: how many are answered from it, and how many of those
//! with the answer to another question. Each question is asked by another visitor, and the model
//! answers equal labels with equal texts.

use std::{fmt, path::Path, sync::Arc};

use serde::Deserialize;

use super::{options::CacheOptions, rows::read, score::percent};
use crate::{
    cache::{Cache, CachedAnswer, Freshness, Hit, Origin, Partition, Question, Vote, Witness},
    config,
    domain::{CacheTier, MessageId, PrincipalId, SiteId, Timestamp},
    embedding::InlineEmbedder,
    guard::mask,
};

#[derive(Deserialize)]
struct Row {
    text: String,
    /// What the right answer is; `null` if it is not known.
    label: Option<String>,
}

/// A question as the cache sees it.
struct Asked {
    /// `None` for one that is shared with nobody.
    question: Option<(Question, Arc<[f32]>)>,
    label: Option<String>,
}

/// What became of the questions of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    pub file: String,
    pub confirmations: usize,
    pub asked: usize,
    /// Shared with nobody, such as questions with personal data.
    pub personal: usize,
    pub exact: usize,
    pub semantic: usize,
    /// Hits whose answer belongs to another label.
    pub wrong: usize,
}

/// A row for each file and number of confirmations.
pub struct CacheReport(pub Vec<Served>);

/// # Errors
/// If a file cannot be read, a line does not have its shape, or there is no embedding model.
pub fn cache(options: &CacheOptions, config: &config::Config) -> anyhow::Result<CacheReport> {
    let files: Vec<(String, Vec<Row>)> = read(&options.data)?;
    let mut embedder = InlineEmbedder::load(&config.embedding, Path::new(&config.server.data_dir))?;
    let mut report = Vec::new();
    for (file, rows) in files {
        let asked = rows.into_iter().map(|row| Asked::of(row, &mut embedder));
        let asked: Vec<Asked> = asked.collect::<anyhow::Result<_>>()?;
        for confirmations in &options.confirmations {
            let config = config::Cache { confirmations: *confirmations, ..config.cache.clone() };
            let served = Served { file: file.clone(), ..serve(&asked, &config)? };
            report.push(served);
        }
    }
    Ok(CacheReport(report))
}

impl Asked {
    fn of(row: Row, embedder: &mut InlineEmbedder) -> anyhow::Result<Self> {
        let question = match Question::new(&mask(&row.text).text, true) {
            Ok(question) => {
                let vector = embedder.embed(question.text())?;
                Some((question, vector))
            }
            Err(_) => None,
        };
        Ok(Self { question, label: row.label })
    }
}

fn serve(asked: &[Asked], config: &config::Cache) -> anyhow::Result<Served> {
    let cache = Cache::new(config);
    let site = SiteId::parse("eval").ok_or_else(|| anyhow::anyhow!("no site"))?;
    let partition = Partition {
        site,
        locale: "en".into(),
        audience: "public".into(),
        knowledge_version: 0,
        assistant: "eval".into(),
        fingerprint: "eval".into(),
        embedder: "eval".into(),
    };
    let mut served =
        Served { confirmations: config.confirmations, asked: asked.len(), ..Served::default() };
    for (second, Asked { question, label }) in asked.iter().enumerate() {
        // All within the lifetime of an answer.
        let now = Timestamp::from_millis(i64::try_from(second).unwrap_or(i64::MAX));
        let Some((question, vector)) = question else {
            served.personal += 1;
            continue;
        };
        // Without a known label, no answer is that of another question.
        let text = label.clone().unwrap_or_else(|| format!("no label {second}"));
        let hit = cache
            .exact(&partition, question, Freshness::Fresh, now)
            .or_else(|| cache.semantic(&partition, question, vector, Freshness::Fresh, now));
        if let Some(Hit { answer, tier, .. }) = hit {
            match tier {
                CacheTier::Exact => served.exact += 1,
                CacheTier::Semantic => served.semantic += 1,
            }
            served.wrong += usize::from(answer.text != text);
            continue;
        }
        let message = MessageId::new();
        let vote = Vote { by: Witness::new(PrincipalId::new(), None), message };
        let known = cache.unconfirmed(&partition, question, Some(vector), now);
        if known.is_some_and(|k| k.text == text && cache.confirm(k.message_id, vote, now)) {
            continue;
        }
        let answer = CachedAnswer {
            message_id: message,
            made_for: None,
            text,
            citations: Vec::new(),
            usage: None,
            tags: Vec::new(),
            documents: Vec::new(),
            made_at: now,
        };
        let vector = Some(Arc::clone(vector));
        cache.put(&partition, question, vector, answer, Origin::Written(vote), now);
    }
    Ok(served)
}

impl fmt::Display for CacheReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| file | confirmations | questions | shared with nobody | exact | by meaning | hits | wrong hits |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for Served { file, confirmations, asked, personal, exact, semantic, wrong } in &self.0 {
            let hits = exact + semantic;
            writeln!(
                f,
                "| {file} | {confirmations} | {asked} | {personal} | {exact} | {semantic} | {} | {} |",
                percent(hits, *asked),
                percent(*wrong, hits)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn asked(text: &str, label: &str) -> Asked {
        let question = Question::new(text, true).ok().map(|q| (q, Arc::from([1.0, 0.0])));
        Asked { question, label: Some(label.to_owned()) }
    }

    #[test]
    fn each_confirmation_costs_one_answer_of_the_model() {
        let config = Config::load(&Sources::default()).unwrap().cache;
        let stream: Vec<_> = (0..5).map(|_| asked("How do I return boots?", "return")).collect();
        for (confirmations, exact) in [(1, 4), (2, 3), (3, 2)] {
            let config = config::Cache { confirmations, ..config.clone() };
            let expected = Served { confirmations, asked: 5, exact, ..Served::default() };
            assert_eq!(serve(&stream, &config).unwrap(), expected);
        }
        let other = [asked("How do I return boots?", "a"), asked("How do I return boots?", "b")];
        let config = config::Cache { confirmations: 1, ..config };
        assert_eq!(serve(&other, &config).unwrap().wrong, 1);
    }
}
