//! What an assistant does next. Pure and bounded: a turn searches once and asks the model once, and
//! every other step ends it.
//!
//! What is certain is answered at once: small talk, the wish for a person, a bare number. For all
//! else the knowledge is searched. Only then is it known whether the question must be asked back.

use super::{
    catalog::{Assistant, Catalog},
    sentences::Sentence,
};
use crate::domain::{Intent, SmallTalk, Topic};

/// Choices that a shopper can take in at a glance.
const MOST_CHOICES: usize = 3;
/// A passage with at least this confidence answers the question, whatever its topic seems to be.
const SURE: f32 = 0.75;
/// With this confidence a passage has to do with the question.
const RELATED: f32 = 0.4;
/// With less, nothing that was found has to do with the question.
const UNRELATED: f32 = 0.2;

/// What is known in the turn so far.
#[derive(Clone, Debug)]
pub struct Scratch<'a> {
    pub intent: &'a Intent,
    pub small_talk: Option<SmallTalk>,
    /// The message is nothing but an order or tracking number.
    pub number: bool,
    pub asks_for_person: bool,
    /// A tool of the shop can do what the shopper wants.
    pub errand: bool,
    /// The last answer offered a person.
    pub offered: bool,
    /// And the shopper says no to it.
    pub declines: bool,
    /// So many answers before this message, in a row, did not help.
    pub helpless: usize,
    /// There was a conversation before, which a model can read.
    pub follows: bool,
    /// A model is configured and may be asked.
    pub model: bool,
    /// The shop has documents.
    pub knowledge: bool,
    /// `None` before the search.
    pub search: Option<Search>,
    /// The model was asked and gave no answer.
    pub failed: bool,
}

/// What the search found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Search {
    /// The confidence of the best passage.
    pub confidence: f32,
    /// Meanings were compared, and not only words.
    pub by_meaning: bool,
    /// A passage answers the question without a model.
    pub quotable: bool,
}

/// The next step of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ends the turn with this sentence.
    Say(Sentence),
    /// Ends it with a question and topics to choose from.
    AskBack(Sentence, Vec<Topic>),
    /// Ends it with what a tool finds, or with a question for what it needs.
    Errand,
    /// Ends it with how to reach a person.
    Reach,
    Search,
    /// Ends it with what was found, word for word.
    Quote,
    /// Asks the model. If it fails, the plan goes on.
    Generate,
    /// The model failed, and nothing can stand in for it.
    GiveUp,
}

/// The next step of `scratch`, for the shop with this `catalog`.
pub fn next(scratch: &Scratch<'_>, catalog: &Catalog) -> Step {
    let intent = scratch.intent;
    if scratch.errand {
        return Step::Errand;
    }
    if scratch.declines {
        return Step::Say(Sentence::Nod);
    }
    if let Some(small_talk) = scratch.small_talk {
        return match small_talk {
            SmallTalk::Assent if scratch.offered => Step::Reach,
            // "Yes" answers what the model has asked.
            SmallTalk::Assent if scratch.model && scratch.follows && !scratch.failed => {
                after_search(scratch, catalog)
            }
            said => Step::Say(said.into()),
        };
    }
    if scratch.asks_for_person {
        return Step::Reach;
    }
    if scratch.number && !(scratch.model && scratch.follows) {
        return Step::AskBack(Sentence::Number, vec![Topic::Orders, Topic::Shipping]);
    }
    if scratch.search.is_none() {
        return Step::Search;
    }
    let covered = is_sure(scratch) || scratch.model && is_related(scratch);
    if scratch.knowledge && is_elsewhere(intent, catalog) && !covered {
        return Step::Say(Sentence::OutOfScope);
    }
    after_search(scratch, catalog)
}

fn after_search(scratch: &Scratch<'_>, catalog: &Catalog) -> Step {
    let Some(search) = scratch.search else { return Step::Search };
    let intent = scratch.intent;
    let certain = intent.confidence >= catalog.confidence;
    if scratch.model && !scratch.failed {
        let unrelated = search.by_meaning && search.confidence < UNRELATED;
        let lost = scratch.knowledge && !scratch.follows && unrelated && !certain;
        if !lost {
            return Step::Generate;
        }
    }
    if search.quotable {
        return Step::Quote;
    }
    if scratch.failed {
        return Step::GiveUp;
    }
    let Assistant { person_after, .. } = catalog.of(intent.topic);
    if intent.topic == Topic::Human || scratch.helpless >= *person_after {
        return Step::Reach;
    }
    if !certain && !scratch.follows && scratch.knowledge {
        return Step::AskBack(Sentence::AskBack, choices(intent));
    }
    Step::Say(Sentence::Unknown)
}

/// Nothing that this shop is asked about.
fn is_elsewhere(intent: &Intent, catalog: &Catalog) -> bool {
    intent.topic == Topic::OutOfScope && intent.confidence >= catalog.confidence
}

fn is_sure(scratch: &Scratch<'_>) -> bool {
    scratch.search.is_some_and(|search| search.confidence >= SURE && search.quotable)
}

/// A model may compare and explain what pages are about, whatever the topic seems to be.
fn is_related(scratch: &Scratch<'_>) -> bool {
    scratch.search.is_some_and(|search| search.confidence >= RELATED)
}

/// The likeliest topics, and a person.
fn choices(intent: &Intent) -> Vec<Topic> {
    let named = std::iter::once(intent.topic).chain(intent.also.iter().copied());
    let usual = [Topic::Orders, Topic::Returns, Topic::Product];
    let mut choices: Vec<Topic> = Vec::new();
    for topic in named.chain(usual) {
        let is_choice = !matches!(topic, Topic::Smalltalk | Topic::OutOfScope | Topic::Human);
        if is_choice && !choices.contains(&topic) && choices.len() < MOST_CHOICES - 1 {
            choices.push(topic);
        }
    }
    choices.push(Topic::Human);
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(topic: Topic, confidence: f32) -> Intent {
        Intent { topic, confidence, also: Vec::new() }
    }

    fn scratch(intent: &Intent) -> Scratch<'_> {
        Scratch {
            intent,
            small_talk: None,
            number: false,
            asks_for_person: false,
            errand: false,
            offered: false,
            declines: false,
            helpless: 0,
            follows: false,
            model: false,
            knowledge: true,
            search: None,
            failed: false,
        }
    }

    fn found(confidence: f32, quotable: bool) -> Option<Search> {
        Some(Search { confidence, quotable, by_meaning: true })
    }

    fn step(scratch: &Scratch<'_>) -> Step {
        next(scratch, &Catalog::new(&[], 0.85))
    }

    #[test]
    fn what_is_certain_is_answered_without_a_search_or_a_model() {
        let general = intent(Topic::General, 0.9);
        for model in [false, true] {
            let at = Scratch { model, ..scratch(&general) };
            let said = |small_talk| step(&Scratch { small_talk: Some(small_talk), ..at.clone() });
            assert_eq!(said(SmallTalk::Greeting), Step::Say(Sentence::Greeting));
            assert_eq!(said(SmallTalk::Assent), Step::Say(Sentence::Nod));
            assert_eq!(step(&Scratch { asks_for_person: true, ..at.clone() }), Step::Reach);
            let number = step(&Scratch { number: true, ..at });
            assert!(
                matches!(number, Step::AskBack(Sentence::Number, choices) if choices.len() == 2)
            );
        }
    }

    #[test]
    fn yes_to_an_offered_person_reaches_one_and_yes_to_a_model_goes_to_the_model() {
        let small = intent(Topic::Smalltalk, 0.98);
        let yes = Scratch { small_talk: Some(SmallTalk::Assent), ..scratch(&small) };
        assert_eq!(step(&Scratch { offered: true, ..yes.clone() }), Step::Reach);
        let to_model = Scratch { model: true, follows: true, ..yes };
        assert_eq!(step(&to_model), Step::Search);
        assert_eq!(step(&Scratch { search: found(0.1, false), ..to_model }), Step::Generate);
    }

    #[test]
    fn no_to_an_offered_person_is_heard_with_and_without_a_model() {
        let human = intent(Topic::Human, 0.9);
        for model in [false, true] {
            let no =
                Scratch { offered: true, declines: true, follows: true, model, ..scratch(&human) };
            assert_eq!(step(&no), Step::Say(Sentence::Nod));
            assert_eq!(step(&Scratch { helpless: 2, ..no }), Step::Say(Sentence::Nod));
        }
    }

    #[test]
    fn a_passage_that_answers_is_quoted_and_a_model_comes_first() {
        let sure = intent(Topic::Returns, 0.95);
        let at = Scratch { search: found(0.6, true), ..scratch(&sure) };
        assert_eq!(step(&scratch(&sure)), Step::Search);
        assert_eq!(step(&at), Step::Quote);
        assert_eq!(step(&Scratch { model: true, ..at.clone() }), Step::Generate);
        assert_eq!(step(&Scratch { model: true, failed: true, ..at }), Step::Quote);
    }

    #[test]
    fn a_question_without_an_answer_is_asked_back_once_and_then_a_person_is_offered() {
        let unsure = intent(Topic::Shipping, 0.5);
        let at = Scratch { search: found(0.3, false), ..scratch(&unsure) };
        let Step::AskBack(Sentence::AskBack, choices) = step(&at) else { panic!() };
        assert_eq!(choices, [Topic::Shipping, Topic::Orders, Topic::Human]);
        assert_eq!(step(&Scratch { follows: true, helpless: 1, ..at.clone() }), Step::Reach);
        assert_eq!(step(&Scratch { follows: true, ..at }), Step::Say(Sentence::Unknown));
        let sure = intent(Topic::Shipping, 0.95);
        let at = Scratch { search: found(0.3, false), ..scratch(&sure) };
        assert_eq!(step(&at), Step::Say(Sentence::Unknown));
    }

    #[test]
    fn a_model_is_not_asked_what_nothing_in_the_shop_has_to_do_with() {
        let unsure = intent(Topic::Product, 0.4);
        let at = Scratch { model: true, search: found(0.1, false), ..scratch(&unsure) };
        assert!(matches!(step(&at), Step::AskBack(..)));
        let by_words = Some(Search { confidence: 0.1, ..Search::default() });
        assert_eq!(step(&Scratch { search: by_words, ..at.clone() }), Step::Generate);
        // A shop without documents leaves everything to its model.
        assert_eq!(step(&Scratch { knowledge: false, ..at.clone() }), Step::Generate);
        assert_eq!(step(&Scratch { follows: true, ..at }), Step::Generate);
    }

    #[test]
    fn what_the_shop_is_never_asked_is_declined_unless_a_page_surely_answers_it() {
        let elsewhere = intent(Topic::OutOfScope, 0.95);
        let related = Scratch { search: found(0.5, true), ..scratch(&elsewhere) };
        assert_eq!(step(&related), Step::Say(Sentence::OutOfScope));
        assert_eq!(step(&Scratch { model: true, ..related }), Step::Generate);
        for model in [false, true] {
            let at = Scratch { model, search: found(0.3, true), ..scratch(&elsewhere) };
            assert_eq!(step(&at), Step::Say(Sentence::OutOfScope));
            assert_ne!(
                step(&Scratch { search: found(0.9, true), ..at.clone() }),
                Step::Say(Sentence::OutOfScope)
            );
            let without = step(&Scratch { knowledge: false, ..at });
            assert_ne!(without, Step::Say(Sentence::OutOfScope));
        }
    }

    #[test]
    fn a_model_that_failed_is_not_answered_for_by_a_guess() {
        let unsure = intent(Topic::Returns, 0.4);
        let at = Scratch { model: true, failed: true, ..scratch(&unsure) };
        assert_eq!(step(&Scratch { search: found(0.3, false), ..at }), Step::GiveUp);
    }

    #[test]
    fn a_complaint_reaches_a_person_if_no_page_is_about_it() {
        let complaint = intent(Topic::Human, 0.9);
        let at = Scratch { search: found(0.3, false), ..scratch(&complaint) };
        assert_eq!(step(&at), Step::Reach);
        assert_eq!(step(&Scratch { search: found(0.6, true), ..at }), Step::Quote);
    }
}
