//! How much each term of a question weighs, and how much of it a text has.

use std::collections::{HashMap, HashSet};

use crate::knowledge::{
    asking::said::Said, spelling::is_near, synonyms::query_terms, terms::Language,
};

/// A word that no sentence has weighs as if so many had it.
const MISSING: f32 = 3.0;
/// The weight of a corrected word; a correct word counts 1.
const MISSPELT: f32 = 0.8;

/// The terms of a question. A term in fewer sentences of the found passages weighs more.
#[derive(Default)]
pub struct Weights {
    language: Language,
    terms: Vec<Term>,
    whole: f32,
}

struct Term {
    alternatives: HashMap<String, f32>,
    weight: f32,
}

/// The terms of a text.
pub struct Stems(HashSet<String>);

impl Weights {
    /// `sentences` are those of the passages found for the question.
    pub fn new(question: &Said, language: Language, sentences: &[&Stems]) -> Self {
        let weigh = |mut alternatives: HashMap<String, f32>| {
            let has = |stems: &&&Stems| alternatives.keys().any(|stem| stems.0.contains(stem));
            let mut count = sentences.iter().filter(has).count() as f32;
            if count == 0.0 {
                // Misspelt, or a word that tells less than one that the pages do have.
                count = MISSING;
                let own = alternatives.keys().next().cloned().unwrap_or_default();
                let near =
                    sentences.iter().flat_map(|stems| &stems.0).find(|stem| is_near(&own, stem));
                if let Some(stem) = near {
                    alternatives.insert(stem.clone(), MISSPELT);
                }
            }
            Term { alternatives, weight: (sentences.len() as f32 / (count + 0.5)).ln_1p() }
        };
        let terms: Vec<Term> = query_terms(question.words().to_vec(), language)
            .into_iter()
            .map(|term| weigh(term.alternatives.into_iter().collect()))
            .collect();
        let whole = terms.iter().map(|term| term.weight).sum::<f32>().max(f32::MIN_POSITIVE);
        Self { language, terms, whole }
    }

    pub fn stems(language: Language, said: &Said) -> Stems {
        Stems(language.stems(said.words().iter()).into_iter().collect())
    }

    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether the question has a word like this one.
    pub fn asks(&self, word: &str) -> bool {
        let stems = self.language.terms(word);
        stems.iter().any(|stem| self.terms.iter().any(|term| term.alternatives.contains_key(stem)))
    }

    /// The share of the question that these texts have together, 0 to 1. Each has a factor.
    pub fn coverage<'a>(&self, texts: impl Iterator<Item = (&'a Stems, f32)> + Clone) -> f32 {
        let of_term = |term: &Term| {
            let in_one = |(stems, counts): (&Stems, f32)| {
                let found = term.alternatives.iter().filter(|(stem, _)| stems.0.contains(*stem));
                counts * found.map(|(_, weight)| *weight).fold(0.0, f32::max)
            };
            term.weight * texts.clone().map(in_one).fold(0.0, f32::max)
        };
        self.terms.iter().map(of_term).sum::<f32>() / self.whole
    }
}
