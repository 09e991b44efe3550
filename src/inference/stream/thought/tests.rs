use proptest::prelude::*;

use super::*;

/// Filters `text` in pieces of `size` characters.
fn filter(opening: Opening, text: &str, size: usize, cut: bool) -> Result<String, Outcome> {
    let mut filter = ThoughtFilter::new(opening);
    let mut shown = String::new();
    let characters: Vec<char> = text.chars().collect();
    for piece in characters.chunks(size) {
        shown += &filter.push(&piece.iter().collect::<String>())?;
    }
    shown += &filter.finish(cut)?;
    Ok(shown)
}

/// The same, in pieces of every size.
fn shows(text: &str, expected: &str) {
    for size in 1..=text.chars().count() {
        let shown = filter(Opening::Answer, text, size, false);
        assert_eq!(shown.as_deref(), Ok(expected), "{text:?} in pieces of {size}");
    }
}

#[test]
fn a_marked_thought_never_shows_wherever_the_pieces_are_cut() {
    let text = "\n<think>Okay, the user</think>\n\nIt is Paris. <think>more</think>Yes, a < b.";
    for opening in [Opening::Answer, Opening::Uncertain] {
        for size in 1..text.len() {
            assert_eq!(filter(opening, text, size, false).unwrap(), "It is Paris. Yes, a < b.");
        }
    }
}

#[test]
fn thoughts_in_the_marks_of_all_models_never_show() {
    for text in [
        "<think>\n\n</think>\n\nIt is Paris.",
        "<THINK>hm</THINK>It is Paris.",
        "<Thinking>hm</thinking>\nIt is Paris.",
        "<thinking>a<reflection>b</reflection>c</thinking>It is Paris.",
        "<think>write \"</think>\" at the end</think>It is Paris.",
        "<think>hm </think> It is Paris.",
        "[THINK]hm[/THINK]It is Paris.",
        "<seed:think>hm</seed:think>It is Paris.",
        "◁think▷hm◁/think▷It is Paris.",
        "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>It is Paris.<|end_of_solution|>",
        "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>It is Paris.<|END_RESPONSE|>",
        "<think>\nhm\n</think>\n<answer>It is Paris.</answer>",
        "<reasoning>hm</reasoning>It is Paris.",
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>It is Paris.<|return|>",
        "<|start|>assistant<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>It is Paris.",
        "<|channel|>final<|message|>It is Paris.<|end|>",
        "<|channel|>commentary to=functions.a <|constrain|>json<|message|>{}<|call|><|start|>assistant<|channel|>final<|message|>It is Paris.",
        "analysisWe need to think.assistantfinalIt is Paris.",
        "\u{200B}\u{FEFF}It is Paris.",
    ] {
        shows(text, "It is Paris.");
    }
}

#[test]
fn an_answer_that_speaks_of_marks_keeps_every_word() {
    for text in [
        "Models write `<think>` and `</think>` around it.",
        "The tag \"<think>\" opens it, \"</think>\" closes it.",
        "A model opens a thought with <think> and never closes it.",
        "It ends with </think>, then the answer follows.",
        "It is called [THINK]. More of that in the manual.",
        "gpt-oss ends with <|end|> or <|return|>.",
        "<b>Bold</b> is not <thinker>, 3 < 4, [1] and […].",
        "analysis of your order takes two days.",
        "Ask for the <answer> element.",
    ] {
        shows(text, text);
    }
}

#[test]
fn a_second_thought_after_a_part_of_the_answer_never_shows() {
    shows("Hello <think> hm </think> world", "Hello  world");
    shows("Hello.\n<think>hm, is that all", "Hello.\n");
    shows(
        "One.<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Two.",
        "One.Two.",
    );
}

#[test]
fn a_bare_closing_mark_takes_back_what_was_held() {
    for text in [
        "Okay, hm.</think>\n\nParis",
        "I write </think> when I am done.\n</think>\nParis",
        "Okay, hm.[/THINK]Paris",
        "hm.<|end|><|start|>assistant<|channel|>final<|message|>Paris",
    ] {
        for size in 1..20 {
            assert_eq!(filter(Opening::Uncertain, text, size, false).unwrap(), "Paris");
        }
    }
    assert_eq!(filter(Opening::Answer, "Okay</think>\n\nParis", 100, false).unwrap(), "Paris");
}

#[test]
fn a_bare_closing_mark_after_shown_text_is_an_error() {
    let shown = filter(Opening::Answer, "Okay, hm.</think>\n\nParis", 4, false);
    assert_eq!(shown, Err(Outcome::LeakedThought));
}

#[test]
fn text_held_back_is_shown_at_a_free_end_and_dropped_at_a_cut_one() {
    assert_eq!(filter(Opening::Uncertain, "Just Paris", 3, false).unwrap(), "Just Paris");
    assert_eq!(filter(Opening::Uncertain, "Okay, the us", 3, true).unwrap(), "");
    assert_eq!(filter(Opening::Answer, "<think>Okay, the us", 3, true).unwrap(), "");
    assert_eq!(filter(Opening::Answer, "So the <think> tag", 3, true).unwrap(), "So the ");
}

#[test]
fn a_field_for_reasoning_ends_the_holding_back() {
    let mut filter = ThoughtFilter::new(Opening::Uncertain);
    filter.reasoning_is_apart();
    assert_eq!(filter.push("\n\n").unwrap(), "");
    assert_eq!(filter.push("Paris").unwrap(), "Paris");
}

#[test]
fn a_second_closing_mark_is_just_dropped() {
    let text = "<think>a</think>One</think> two";
    assert_eq!(filter(Opening::Answer, text, 1, false).unwrap(), "One two");
}

#[test]
fn what_nobody_can_see_was_not_shown() {
    for text in ["", " \n", "\u{200B}", "\u{FEFF}\u{2060}\u{AD}", "<think>hm</think>\u{200B}\n"] {
        let mut filter = ThoughtFilter::new(Opening::Answer);
        let shown = filter.push(text).unwrap() + &filter.finish(false).unwrap();
        assert_eq!((shown.as_str(), filter.has_shown()), ("", false), "{text:?}");
    }
}

#[test]
fn an_aside_without_an_end_does_not_hold_memory() {
    let mut filter = ThoughtFilter::new(Opening::Answer);
    filter.push("So <think> of it: ").unwrap();
    for _ in 0..(LONGEST / 1000) + 2 {
        assert_eq!(filter.push(&"x".repeat(1000)).unwrap(), "");
    }
    assert!(filter.held.is_empty());
}

proptest! {
    #[test]
    fn text_without_marks_passes_whole(text in "[a-z<>/ äß|]{0,60}", size in 1usize..8) {
        prop_assume!(marks::find(&format!("{text}\n"), 0).is_none());
        let shown = filter(Opening::Answer, &text, size, false).unwrap();
        prop_assert_eq!(shown, text.trim_start());
    }

    #[test]
    fn a_thought_never_shows_whatever_it_says(thought in "[a-zA-Z<>/` \n]{0,40}", size in 1usize..9) {
        prop_assume!(marks::find(&format!("{thought}\n"), 0).is_none());
        prop_assume!(!thought.ends_with('`'));
        let text = format!("<think>{thought}</think>Paris");
        prop_assert_eq!(filter(Opening::Answer, &text, size, false).unwrap(), "Paris");
    }
}
