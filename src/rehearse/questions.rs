//! The questions of a rehearsal. They are never texts that shoppers wrote.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, rngs::StdRng};
use reqwest::Url;
use serde::Deserialize;

use super::options::Options;

const MAX_QUESTIONS: usize = 10_000;
const MAX_CHARS: usize = 500;
const WITHIN: Duration = Duration::from_secs(30);

/// The questions, and the share of unique ones.
pub struct Questions {
    texts: Vec<String>,
    own_share: f64,
}

impl Questions {
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// The question of message `number`.
    pub fn pick(&self, number: usize, random: &mut StdRng) -> String {
        let at = random.random_range(0..self.texts.len().max(1));
        let text = self.texts.get(at).map_or("", String::as_str);
        match random.random_bool(self.own_share) {
            true => format!("{} (article {})", text, 100_000 + number),
            false => text.to_owned(),
        }
    }
}

/// Loads them from the file if one is given, otherwise from the titles of the target's documents.
///
/// # Errors
/// If neither contains a question.
pub async fn load(
    options: &Options,
    http: &reqwest::Client,
    target: &str,
) -> anyhow::Result<Questions> {
    let texts = match (&options.questions, &options.api_key) {
        (Some(path), _) => of_file(path).await?,
        (None, Some(key)) => of_knowledge(http, target, key).await?,
        (None, None) => anyhow::bail!(
            "no questions: set --questions FILE (one a line), or RUSHDESK_API_KEY to use the titles of the site's documents"
        ),
    };
    ensure!(!texts.is_empty(), "the list of questions is empty");
    Ok(Questions { texts, own_share: options.own_share })
}

async fn of_file(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = tokio::fs::read_to_string(path)
        .await
        .with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.take(MAX_QUESTIONS).map(short).collect())
}

fn short(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Document>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    title: String,
}

async fn of_knowledge(
    http: &reqwest::Client,
    target: &str,
    key: &str,
) -> anyhow::Result<Vec<String>> {
    let (mut titles, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let limit = ("limit", "100");
        let parameters = std::iter::once(limit).chain(cursor.as_deref().map(|at| ("cursor", at)));
        let url = Url::parse_with_params(&format!("{target}/v1/knowledge/documents"), parameters)?;
        let request = http.get(url).bearer_auth(key).timeout(WITHIN);
        let response = request.send().await.context("the target did not answer")?;
        let status = response.status();
        ensure!(
            status.is_success(),
            "the target refused to list its documents ({status}): does the API key belong to this site?"
        );
        let page: Page = response.json().await.context("the list of documents cannot be parsed")?;
        titles.extend(page.items.iter().map(|document| ask(&document.title)));
        cursor = page.next_cursor;
        if cursor.is_none() || titles.len() >= MAX_QUESTIONS {
            titles.truncate(MAX_QUESTIONS);
            return Ok(titles);
        }
    }
}

/// A title as a question.
fn ask(title: &str) -> String {
    let title = short(title.trim());
    if title.ends_with('?') { title } else { format!("What do I need to know about {title}?") }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn a_title_becomes_a_question_and_a_share_of_them_is_asked_by_nobody_else() {
        assert_eq!(ask(" Returns "), "What do I need to know about Returns?");
        assert_eq!(ask("Do you ship?"), "Do you ship?");
        let asked = |own_share| {
            let questions = Questions { texts: vec!["a?".into()], own_share };
            let mut random = StdRng::seed_from_u64(1);
            let all = (0..100).map(|number| questions.pick(number, &mut random));
            all.collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!((asked(0.0), asked(1.0)), (1, 100));
    }
}
