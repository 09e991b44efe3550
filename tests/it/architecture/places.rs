//! Words that stand in some files only: what is counted, in `metrics.rs`; the actor crate, in doors
//! and shells.

use super::source::{Source, Token};

/// Files that name `actix` though they are neither a door nor a shell, with the reason.
const USERS_OF_ACTIX: &[(&str, &str)] = &[
    ("runtime.rs", "makes the thread on which actors run"),
    ("supervisor/door.rs", "opens a session and asks its actor again if that was just leaving"),
];

/// Calls of the macros that count, outside of `metrics.rs` and of the module that is about them.
pub fn strays_that_count(sources: &[Source]) -> Vec<String> {
    let others = sources.iter().filter(|s| !s.is_in("metrics") && !s.is_in("telemetry"));
    let is_macro = |word: &str| {
        ["counter", "gauge", "histogram"].contains(&word) || word.starts_with("describe_")
    };
    let calls = |source: &Source| -> Vec<String> {
        let is_call = |at: &usize| {
            source.word(*at).is_some_and(is_macro)
                && source.tokens.get(at + 1) == Some(&Token::Sign('!'))
                && source.tokens.get(at + 2) != Some(&Token::Sign('='))
        };
        let found = (0..source.tokens.len()).filter(is_call).filter_map(|at| source.word(at));
        found.map(|word| format!("{}: {word}!", source.file)).collect()
    };
    others.flat_map(calls).collect()
}

/// Files that name the actor crate and may not.
pub fn strays_that_act(sources: &[Source]) -> Vec<String> {
    let may = |source: &Source| {
        ["messages", "actor", "ports"].iter().any(|name| source.is_in(name))
            || USERS_OF_ACTIX.iter().any(|(file, _)| *file == source.file)
    };
    let strays = sources.iter().filter(|source| !may(source) && names_actix(source));
    strays.map(|source| format!("{}: names actix", source.file)).collect()
}

/// Entries of the list that are not needed.
pub fn needless_exceptions(sources: &[Source]) -> Vec<&'static str> {
    let is_needed = |file: &str| sources.iter().any(|s| s.file == file && names_actix(s));
    USERS_OF_ACTIX.iter().map(|(file, _)| *file).filter(|file| !is_needed(file)).collect()
}

fn names_actix(source: &Source) -> bool {
    (0..source.tokens.len()).any(|at| {
        let is_path = source.tokens.get(at + 1) == Some(&Token::Separator);
        let is_use = at > 0 && source.word(at - 1) == Some("use");
        let is_part = at > 0 && source.tokens[at - 1] == Token::Separator;
        source.word(at) == Some("actix") && (is_path || is_use) && !is_part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(file, code)| Source::new(file, code)).collect()
    }

    #[test]
    fn a_counter_stands_in_metrics_only() {
        let count =
            "fn f() { counter!(X).increment(1); metrics::gauge!(Y); describe_counter!(X); }";
        let files = made(&[
            ("a/metrics.rs", count),
            ("a/metrics/b.rs", count),
            ("telemetry/metric.rs", count),
            ("a/b.rs", count),
            (
                "a/c.rs",
                "use metrics::counter; // counter!(X)\nfn f() { counter != 1; \"gauge!\"; }",
            ),
        ]);
        assert_eq!(
            strays_that_count(&files),
            ["a/b.rs: counter!", "a/b.rs: gauge!", "a/b.rs: describe_counter!",]
        );
    }

    #[test]
    fn the_actor_crate_is_named_in_doors_and_shells_only() {
        let files = made(&[
            ("a/messages.rs", "use actix::Message;"),
            ("a/actor.rs", "use actix::prelude::*;"),
            ("a/actor/turn.rs", "use actix::Context;"),
            ("a/ports.rs", "use actix::Recipient;"),
            ("runtime.rs", "use actix::Arbiter;"),
            ("a/b.rs", "use {tokio::time, actix::Addr};"),
            ("a/c.rs", "fn f() { actix::spawn(x); }"),
            ("a/d.rs", "use actix_web::web; use actix_rt::spawn; // actix::Addr\n"),
            ("a/e.rs", "#[cfg(test)]\nmod tests {\n    use actix::Actor;\n}"),
        ]);
        assert_eq!(strays_that_act(&files), ["a/b.rs: names actix", "a/c.rs: names actix"]);
        assert_eq!(needless_exceptions(&files), ["supervisor/door.rs"]);
    }
}
