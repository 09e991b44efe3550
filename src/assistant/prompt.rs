//! Builds the prompt within a token budget: instructions, passages, the newest exchanges, the
//! question.

use sha2::{Digest, Sha256};

/// Name of the only assistant; part of every cache partition.
pub const ASSISTANT: &str = "general";

const INSTRUCTIONS: &str = "\
You are the customer-service assistant of an online shop. Answer in the language of the customer, in at most \
six short sentences, friendly and concrete. Use only the numbered passages below as facts about the shop, and \
name the passage after each fact, like [1]. If the passages do not hold the answer, say that you do not know and \
offer to bring in a person. Never invent prices, dates, order states or links. Placeholders such as [EMAIL_1] \
stand for personal data of the customer: repeat them unchanged where needed.";

const SHORT: &str =
    " Many customers are waiting: answer in at most two short sentences, without an introduction.";

/// How long the answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Normal,
    /// For times with many questions. Such an answer is not cached, so it is not part of the
    /// fingerprint.
    Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    System,
    User,
    Assistant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub speaker: Speaker,
    pub text: String,
}

/// Estimated tokens of the parts of a prompt.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub total: usize,
    pub history: usize,
}

/// A text from the shop that may be quoted.
pub struct Source<'a> {
    pub title: &'a str,
    pub text: &'a str,
}

/// One earlier message and its answer, both masked.
#[derive(Clone)]
pub struct Earlier<'a> {
    pub user: &'a str,
    pub answer: Option<&'a str>,
}

/// Hash of everything in the prompt that is the same for all turns.
pub fn fingerprint(models: &str) -> String {
    let digest = Sha256::new().chain_update(INSTRUCTIONS).chain_update(models).finalize();
    hex::encode(&digest[..8])
}

/// The instructions and the question are always included. Next come the passages, best first, and
/// then the newest exchanges. `tokens` estimates the tokens of a text.
pub fn build(
    question: &str,
    sources: &[Source<'_>],
    history: &[Earlier<'_>],
    length: Length,
    budget: Budget,
    tokens: impl Fn(&str) -> usize,
) -> Vec<Line> {
    let mut system = INSTRUCTIONS.to_owned();
    if length == Length::Short {
        system.push_str(SHORT);
    }
    let mut left = budget.total.saturating_sub(tokens(&system) + tokens(question));
    for (index, source) in sources.iter().enumerate() {
        let passage = format!("\n\n[{}] {}\n{}", index + 1, source.title, source.text);
        let cost = tokens(&passage);
        if cost > left {
            break;
        }
        left -= cost;
        system.push_str(&passage);
    }
    let mut left = left.min(budget.history);
    let mut kept = 0;
    for exchange in history.iter().rev() {
        let cost = tokens(exchange.user) + exchange.answer.map_or(0, &tokens);
        if cost > left {
            break;
        }
        left -= cost;
        kept += 1;
    }
    let mut lines = vec![Line { speaker: Speaker::System, text: system }];
    for exchange in &history[history.len() - kept..] {
        // A message without an answer would put two user messages in a row, which some templates
        // refuse.
        let Some(answer) = exchange.answer else { continue };
        lines.push(Line { speaker: Speaker::User, text: exchange.user.to_owned() });
        lines.push(Line { speaker: Speaker::Assistant, text: answer.to_owned() });
    }
    lines.push(Line { speaker: Speaker::User, text: question.to_owned() });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    const EXCHANGES: [Earlier<'static>; 3] = [
        Earlier { user: "question 0", answer: Some("answer 0") },
        Earlier { user: "question 1", answer: Some("answer 1") },
        Earlier { user: "question 2", answer: Some("answer 2") },
    ];

    #[test]
    fn the_newest_exchanges_fill_the_history_and_the_question_is_always_last() {
        let budget = Budget { total: 10_000, history: 8 };
        let lines = build("and now?", &[], &EXCHANGES, Length::Normal, budget, words);
        let texts: Vec<&str> = lines.iter().skip(1).map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["question 1", "answer 1", "question 2", "answer 2", "and now?"]);
    }

    #[test]
    fn a_question_over_the_budget_is_kept_and_everything_else_left_out() {
        let question = "why ".repeat(5_000);
        let source = Source { title: "t", text: "x" };
        let budget = Budget { total: 100, history: 100 };
        let lines = build(&question, &[source], &EXCHANGES[..1], Length::Normal, budget, words);
        assert_eq!(lines.len(), 2);
        assert!(!lines[0].text.contains("[1] t"));
        assert_eq!(lines[1].text, question);
    }

    #[test]
    fn an_exchange_without_an_answer_never_puts_two_questions_in_a_row() {
        let history = [EXCHANGES[0].clone(), Earlier { user: "lost", answer: None }];
        let lines = build(
            "now",
            &[],
            &history,
            Length::Normal,
            Budget { total: 9_999, history: 99 },
            words,
        );
        let speakers: Vec<Speaker> = lines.iter().map(|line| line.speaker).collect();
        use Speaker::{Assistant, System, User};
        assert_eq!(speakers, [System, User, Assistant, User]);
    }
}
