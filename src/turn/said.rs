//! What a turn was asked, without personal data, and who may get the answer.

use std::borrow::Cow;

use super::{
    ports::Exchange,
    screen::{Screened, screen},
};
use crate::{cache::Question, guard::Shop, triage};

/// A question that is answered from itself alone: the prompt and the search have the shop's
/// documents and this question, and nothing else that anybody said. So strangers may get the
/// answer.
///
/// Only [`Said::new`] makes one, where there is no conversation. The cache, flights and claims of
/// other replicas take nothing else.
pub struct Shareable(Question);

impl Shareable {
    pub fn question(&self) -> &Question {
        &self.0
    }
}

/// A message, and the conversation before it.
pub enum Said {
    /// There is none, and the message needs none.
    Alone(Shareable),
    /// The model is told of it, so the answer is for this shopper only.
    Within(Box<Conversation>),
}

pub struct Conversation {
    screened: Screened,
    /// The message, if it stands alone, so that an answer of others may serve it.
    question: Option<Question>,
    /// The shopper has just got an answer to this question, and asks it again.
    repeated: bool,
}

impl Said {
    /// Masks the conversation. Greetings and thanks before the message are left out, because an
    /// answer never depends on them.
    pub fn new(text: &str, history: &[Exchange], shop: &Shop) -> Self {
        let mut screened = screen(text, history, shop);
        screened.history.retain(|exchange| triage::small_talk(&exchange.user).is_none());
        let is_first = screened.history.is_empty();
        let question = Question::new(&screened.text, is_first).ok();
        match question {
            Some(question) if is_first => Self::Alone(Shareable(question)),
            question => {
                let repeated =
                    question.as_ref().is_some_and(|question| repeats(question, &screened.history));
                Self::Within(Box::new(Conversation { screened, question, repeated }))
            }
        }
    }

    /// The same, for this shopper alone: its answer is neither shared nor looked up.
    pub fn personal(self) -> Self {
        match self {
            Self::Alone(shareable) => Self::Within(Box::new(Conversation {
                screened: Screened::alone(shareable.0.text()),
                question: None,
                repeated: false,
            })),
            Self::Within(conversation) => {
                Self::Within(Box::new(Conversation { question: None, ..*conversation }))
            }
        }
    }

    /// The same, if the answer may have something of this shopper: it is not shared, but an answer of
    /// others may serve.
    pub fn kept(self) -> Self {
        match self {
            Self::Alone(shareable) => Self::Within(Box::new(Conversation {
                screened: Screened::alone(shareable.0.text()),
                question: Some(shareable.0),
                repeated: false,
            })),
            within => within,
        }
    }

    /// Present if the answer may serve others.
    pub fn shareable(&self) -> Option<&Shareable> {
        match self {
            Self::Alone(shareable) => Some(shareable),
            Self::Within(_) => None,
        }
    }

    /// Present if an answer of others may serve.
    pub fn question(&self) -> Option<&Question> {
        match self {
            Self::Alone(shareable) => Some(&shareable.0),
            Self::Within(conversation) => conversation.question.as_ref(),
        }
    }

    /// Whether the shopper was not content with the answer to this question.
    pub fn is_repeated(&self) -> bool {
        match self {
            Self::Alone(_) => false,
            Self::Within(conversation) => conversation.repeated,
        }
    }

    /// The message.
    pub fn text(&self) -> &str {
        match self {
            Self::Alone(shareable) => shareable.0.text(),
            Self::Within(conversation) => &conversation.screened.text,
        }
    }

    /// The exchanges before the message, oldest first.
    pub fn history(&self) -> &[Exchange] {
        match self {
            Self::Alone(_) => &[],
            Self::Within(conversation) => &conversation.screened.history,
        }
    }

    /// What the model is told.
    pub fn told(&self) -> Cow<'_, Screened> {
        match self {
            Self::Alone(shareable) => Cow::Owned(Screened::alone(&shareable.0.plain())),
            Self::Within(conversation) => Cow::Borrowed(&conversation.screened),
        }
    }
}

fn repeats(question: &Question, history: &[Exchange]) -> bool {
    let answered = history.last().filter(|exchange| exchange.answer.is_some());
    let before = answered.and_then(|exchange| Question::new(&exchange.user, true).ok());
    before.is_some_and(|before| before.key() == question.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &str = "How can I cancel my order?";

    fn said(user: &str, answer: Option<&str>) -> Exchange {
        Exchange { user: user.into(), answer: answer.map(str::to_owned) }
    }

    fn of(text: &str, history: &[Exchange]) -> Said {
        Said::new(text, history, &Shop::default())
    }

    #[test]
    fn a_question_after_a_conversation_may_read_what_others_share_and_shares_nothing() {
        let history = [said("I am ann@example.com and all is free", Some("All is free."))];
        let said = of(QUESTION, &history);
        assert!(said.shareable().is_none());
        assert!(said.question().is_some());
        assert_eq!(said.told().history.len(), 1);
        let follow_up = of("how much are they?", &history);
        assert!(follow_up.shareable().is_none() && follow_up.question().is_none());
    }

    #[test]
    fn a_first_question_is_shareable_unless_it_is_personal_or_incomplete() {
        let said = of(QUESTION, &[]);
        assert!(said.shareable().is_some());
        assert_eq!((said.told().text.as_str(), said.told().history.len()), (QUESTION, 0));
        for text in ["how much are they?", "write to ann@example.com", "what is [EMAIL_1] for"] {
            assert!(of(text, &[]).shareable().is_none(), "{text}");
        }
    }

    #[test]
    fn a_greeting_is_no_conversation_whatever_was_answered() {
        let said = of(QUESTION, &[said("Hello!", Some("All is free, ann@example.com"))]);
        assert!(said.shareable().is_some());
        assert!(said.told().history.is_empty() && said.told().vault.is_empty());
    }

    #[test]
    fn only_the_same_question_after_an_answer_is_repeated() {
        let repeated = |history: &[Exchange]| of(QUESTION, history).is_repeated();
        assert!(repeated(&[said("how can i cancel my order", Some("Like this."))]));
        assert!(!repeated(&[said(QUESTION, None)]));
        assert!(!repeated(&[said(QUESTION, Some("x")), said("Do you ship boots?", Some("Yes."))]));
        assert!(!repeated(&[]));
    }
}
