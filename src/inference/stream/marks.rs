//! The marks that models put around their thoughts, and how to find them in the text of an answer.

use memchr::memchr3;

/// What a mark means for the text after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A thought begins. Only a [`Mark::Close`] of the same kind ends it.
    Open(Kind),
    Close(Kind),
    /// Punctuation of a format around thoughts and answers; it belongs to neither.
    Frame,
}

/// Which marks belong together. `[/THINK]` closes `<think>`, too: some models mix them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Thought,
    Reasoning,
    Reflection,
    Scratchpad,
    /// The channels of gpt-oss ("harmony").
    Channel,
    /// The same channels if the server removed their marks and left the names.
    BareChannel,
}

/// All marks, in lower case; the case of the text does not matter.
const MARKS: [(&str, Mark); 42] = {
    use Kind::{Channel, Reasoning, Reflection, Scratchpad, Thought};
    use Mark::{Close, Frame, Open};
    [
        // DeepSeek-R1, Qwen, GLM, MiniMax and most others.
        ("<think>", Open(Thought)),
        ("</think>", Close(Thought)),
        ("<thinking>", Open(Thought)),
        ("</thinking>", Close(Thought)),
        ("<thought>", Open(Thought)),
        ("</thought>", Close(Thought)),
        ("<thoughts>", Open(Thought)),
        ("</thoughts>", Close(Thought)),
        ("<antthinking>", Open(Thought)),
        ("</antthinking>", Close(Thought)),
        ("<reasoning>", Open(Reasoning)),
        ("</reasoning>", Close(Reasoning)),
        ("<reflection>", Open(Reflection)),
        ("</reflection>", Close(Reflection)),
        ("<scratchpad>", Open(Scratchpad)),
        ("</scratchpad>", Close(Scratchpad)),
        // Magistral.
        ("[think]", Open(Thought)),
        ("[/think]", Close(Thought)),
        // Seed-OSS, LongCat, Kimi-VL.
        ("<seed:think>", Open(Thought)),
        ("</seed:think>", Close(Thought)),
        ("<longcat_think>", Open(Thought)),
        ("</longcat_think>", Close(Thought)),
        ("◁think▷", Open(Thought)),
        ("◁/think▷", Close(Thought)),
        // OpenThinker.
        ("<|begin_of_thought|>", Open(Thought)),
        ("<|end_of_thought|>", Close(Thought)),
        ("<|begin_of_solution|>", Frame),
        ("<|end_of_solution|>", Frame),
        // Command A Reasoning.
        ("<|start_thinking|>", Open(Thought)),
        ("<|end_thinking|>", Close(Thought)),
        ("<|start_response|>", Frame),
        ("<|end_response|>", Frame),
        // gpt-oss. Commentary is addressed to tools.
        ("<|channel|>analysis", Open(Channel)),
        ("<|channel|>commentary", Open(Channel)),
        ("<|channel|>final<|message|>", Close(Channel)),
        ("<|start|>assistant", Frame),
        ("<|end|>", Frame),
        ("<|return|>", Frame),
        ("<|call|>", Frame),
        // Hunyuan and models trained like DeepSeek-R1-Zero.
        ("<answer>", Frame),
        ("</answer>", Frame),
        ("<|im_end|>", Frame),
    ]
};

/// How gpt-oss starts, and how it switches to its answer, once its marks are removed.
const BARE_ANALYSIS: &str = "analysis";
const BARE_FINAL: &str = "assistantfinal";

/// A mark in a text, or the start of a possible mark that needs more text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Whole { at: usize, length: usize, mark: Mark },
    Begun { at: usize },
}

/// The first mark in `text` at or after the byte `from`.
pub fn find(text: &str, from: usize) -> Option<Found> {
    let mut at = from;
    while let Some(step) = memchr3(b'<', b'[', "◁".as_bytes()[0], &text.as_bytes()[at..]) {
        at += step;
        let rest = &text.as_bytes()[at..];
        for (name, mark) in MARKS {
            let common = rest.len().min(name.len());
            if rest[..common].eq_ignore_ascii_case(&name.as_bytes()[..common]) {
                let whole = common == name.len();
                return Some(if whole {
                    Found::Whole { at, length: name.len(), mark }
                } else {
                    Found::Begun { at }
                });
            }
        }
        at += 1;
    }
    None
}

/// The name of gpt-oss's thinking channel at the very start of an answer: `analysisWe need …`. No
/// sentence starts like that, because a capital letter follows without a space.
pub fn find_bare_channel(text: &str) -> Option<Found> {
    let common = text.len().min(BARE_ANALYSIS.len());
    if text.as_bytes()[..common] != BARE_ANALYSIS.as_bytes()[..common] {
        return None;
    }
    match text[common..].chars().next() {
        None => Some(Found::Begun { at: 0 }),
        Some(next) if next.is_uppercase() => Some(Found::Whole {
            at: 0,
            length: BARE_ANALYSIS.len(),
            mark: Mark::Open(Kind::BareChannel),
        }),
        Some(_) => None,
    }
}

/// The end of a thought that started with [`find_bare_channel`].
pub fn find_bare_final(text: &str) -> Option<Found> {
    if let Some(at) = text.find(BARE_FINAL) {
        let mark = Mark::Close(Kind::BareChannel);
        return Some(Found::Whole { at, length: BARE_FINAL.len(), mark });
    }
    let begun = (1..BARE_FINAL.len()).rev().find(|&length| text.ends_with(&BARE_FINAL[..length]));
    begun.map(|length| Found::Begun { at: text.len() - length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_whatever_its_case_and_whatever_stands_before_it() {
        let found = find("a < b [x] … <ThInK>", 0);
        let mark = Mark::Open(Kind::Thought);
        assert_eq!(found, Some(Found::Whole { at: 14, length: 7, mark }));
        assert_eq!(find("◁think▷", 0), Some(Found::Whole { at: 0, length: 11, mark }));
        assert_eq!(find("<thinker> <b> […] …", 0), None);
    }

    #[test]
    fn a_mark_that_is_not_whole_yet_is_a_beginning() {
        for text in ["x<", "x</", "x[TH", "x<|chan", "x<|channel|>final<|mess"] {
            assert_eq!(find(text, 0), Some(Found::Begun { at: 1 }), "{text}");
        }
    }

    #[test]
    fn no_mark_is_the_beginning_of_another() {
        for (name, _) in MARKS {
            assert_eq!(name.to_ascii_lowercase(), name);
            let longer = MARKS.iter().filter(|(other, _)| other.starts_with(name)).count();
            assert_eq!(longer, 1, "{name}");
        }
    }

    #[test]
    fn a_channel_without_its_marks_is_told_from_a_word() {
        assert!(matches!(find_bare_channel("analysisWe"), Some(Found::Whole { .. })));
        assert_eq!(find_bare_channel("analy"), Some(Found::Begun { at: 0 }));
        assert_eq!(find_bare_channel("analysis of the order"), None);
        assert_eq!(find_bare_final("hm.assist"), Some(Found::Begun { at: 3 }));
    }
}
