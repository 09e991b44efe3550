//! What an answer of the model may rest on, and what becomes of what does not.

use std::sync::Arc;

use super::results::Found;
use crate::{
    config::Grounding,
    guard::{Checked, ClaimFilter, Evidence, Policy, Source, Vault},
    inference::ChatRequest,
    knowledge::Passage,
    turn::{ask::Ask, ports::Ports, screen::Screened},
};

/// Makes the filter of each attempt at an answer.
pub struct Ground {
    /// Absent if the site's answers are not checked.
    checks: Option<(Arc<Evidence>, Arc<Policy>)>,
    language: String,
}

/// The filter of one attempt.
pub struct Grounded(Option<ClaimFilter>);

impl Ground {
    pub fn new(
        ports: &Ports,
        ask: &Ask,
        told: &Screened,
        passages: &[Passage],
        found: &[Found],
        chat: &ChatRequest,
    ) -> Self {
        let policy = ports.guards.of(&ask.site);
        let checks = match policy.grounding {
            Grounding::Always => true,
            Grounding::Knowledge => ports.knowledge.has_passages(&ask.site),
            Grounding::Off => false,
        };
        let checks = checks.then(|| {
            let titles: Vec<String> = found.iter().map(Found::title).collect();
            let results = found.iter().zip(&titles).map(|(found, title)| Source {
                title,
                heading: "",
                text: &found.text,
                url: found.page.as_ref().map(|page| page.url.as_str()),
                is_looked_up: found.page.is_none(),
            });
            let sources: Vec<Source<'_>> = passages.iter().map(source).chain(results).collect();
            // The passages follow the instructions.
            let system = chat.messages.first().map_or("", |message| message.content.as_str());
            let instructions = system.split("\n\n[").next().unwrap_or_default();
            let evidence = Evidence::new(&told.text, &sources, &policy.hosts, instructions);
            (Arc::new(evidence), policy)
        });
        Self { checks, language: ask.language.code().to_owned() }
    }

    pub fn filter(&self, vault: &Vault) -> Grounded {
        Grounded(self.checks.as_ref().map(|(evidence, policy)| {
            let (evidence, policy) = (Arc::clone(evidence), Arc::clone(policy));
            ClaimFilter::new(evidence, policy, vault, &self.language)
        }))
    }
}

fn source(passage: &Passage) -> Source<'_> {
    let Passage { title, heading, text, url, .. } = passage;
    Source { title, heading, text, url: url.as_deref(), is_looked_up: false }
}

impl Grounded {
    pub fn push(&mut self, piece: String) -> String {
        match &mut self.0 {
            Some(filter) => filter.push(&piece),
            None => piece,
        }
    }

    pub fn is_blocked(&self) -> bool {
        self.0.as_ref().is_some_and(ClaimFilter::is_blocked)
    }

    /// `None` if nothing was checked.
    pub fn finish(self) -> Option<Checked> {
        self.0.map(ClaimFilter::finish)
    }
}
