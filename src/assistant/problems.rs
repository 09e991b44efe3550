//! Problems in the language of their reader.

use std::sync::LazyLock;

use crate::{
    domain::{ErrorCode, Problem},
    words::{self, Problems},
};

const ENGLISH: &str = "en";

static LISTS: LazyLock<Vec<(&str, Problems)>> = LazyLock::new(|| {
    let list = |language| (language, words::of(language));
    words::languages::<Problems>().map(list).collect()
});

/// The language of `locales`, best first, that sentences are available in.
pub fn language<'a>(locales: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let mut codes = locales.into_iter().map(|tag| tag.split(['-', '_']).next().unwrap_or(tag));
    codes.find_map(|code| known().find(|language| language.eq_ignore_ascii_case(code)))
}

/// `problem` in a language of [`language`]. What names fields stays as it is.
pub fn translate(problem: &mut Problem, language: &str) {
    let Some(sentence) = sentence(problem.code, language) else { return };
    if is_sentence(&problem.detail, problem.code) {
        sentence.clone_into(&mut problem.detail);
    }
    sentence.clone_into(&mut problem.title);
}

/// The language of a problem's title.
pub fn language_of(problem: &Problem) -> Option<&'static str> {
    known().find(|language| sentence(problem.code, language) == Some(&problem.title))
}

fn known() -> impl Iterator<Item = &'static str> {
    std::iter::once(ENGLISH).chain(words::languages::<Problems>())
}

fn is_sentence(text: &str, code: ErrorCode) -> bool {
    known().any(|language| sentence(code, language) == Some(text))
}

/// `None` for a language without sentences.
fn sentence(code: ErrorCode, language: &str) -> Option<&'static str> {
    if language == ENGLISH {
        return Some(code.sentence());
    }
    let (_, list) = LISTS.iter().find(|(known, _)| *known == language)?;
    match code {
        ErrorCode::InvalidRequest => list.invalid_request,
        ErrorCode::IdempotencyKeyMissing => list.idempotency_key_missing,
        ErrorCode::TokenExpired => list.token_expired,
        ErrorCode::TokenInvalid => list.token_invalid,
        ErrorCode::Forbidden => list.forbidden,
        ErrorCode::OriginNotAllowed => list.origin_not_allowed,
        ErrorCode::NotFound => list.not_found,
        ErrorCode::MethodNotAllowed => list.method_not_allowed,
        ErrorCode::RequestTimeout => list.request_timeout,
        ErrorCode::RequestInProgress => list.request_in_progress,
        ErrorCode::ControlConflict => list.control_conflict,
        ErrorCode::TurnActive => list.turn_active,
        ErrorCode::Conflict => list.conflict,
        ErrorCode::EffectChanged => list.effect_changed,
        ErrorCode::IdentityRequired => list.identity_required,
        ErrorCode::StaleView => list.stale_view,
        ErrorCode::NobodyOnDuty => list.nobody_on_duty,
        ErrorCode::AgentUnavailable => list.agent_unavailable,
        ErrorCode::Erased => list.erased,
        ErrorCode::PreconditionFailed => list.precondition_failed,
        ErrorCode::PayloadTooLarge => list.payload_too_large,
        ErrorCode::UnsupportedMediaType => list.unsupported_media_type,
        ErrorCode::HeadersTooLarge => list.headers_too_large,
        ErrorCode::UriTooLong => list.uri_too_long,
        ErrorCode::IdempotencyKeyReused => list.idempotency_key_reused,
        ErrorCode::SchemaViolation => list.schema_violation,
        ErrorCode::RateLimited => list.rate_limited,
        ErrorCode::ProofRequired => list.proof_required,
        ErrorCode::Overloaded => list.overloaded,
        ErrorCode::Draining => list.draining,
        ErrorCode::DependencyUnavailable => list.dependency_unavailable,
        ErrorCode::UpstreamTimeout => list.upstream_timeout,
        ErrorCode::Interrupted => list.interrupted,
        ErrorCode::Internal => list.internal,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CODES: [ErrorCode; 33] = [
        ErrorCode::EffectChanged,
        ErrorCode::IdentityRequired,
        ErrorCode::StaleView,
        ErrorCode::NobodyOnDuty,
        ErrorCode::AgentUnavailable,
        ErrorCode::InvalidRequest,
        ErrorCode::IdempotencyKeyMissing,
        ErrorCode::TokenExpired,
        ErrorCode::TokenInvalid,
        ErrorCode::Forbidden,
        ErrorCode::OriginNotAllowed,
        ErrorCode::NotFound,
        ErrorCode::MethodNotAllowed,
        ErrorCode::RequestTimeout,
        ErrorCode::RequestInProgress,
        ErrorCode::ControlConflict,
        ErrorCode::TurnActive,
        ErrorCode::Conflict,
        ErrorCode::Erased,
        ErrorCode::PreconditionFailed,
        ErrorCode::PayloadTooLarge,
        ErrorCode::UnsupportedMediaType,
        ErrorCode::HeadersTooLarge,
        ErrorCode::IdempotencyKeyReused,
        ErrorCode::SchemaViolation,
        ErrorCode::RateLimited,
        ErrorCode::ProofRequired,
        ErrorCode::Overloaded,
        ErrorCode::Draining,
        ErrorCode::DependencyUnavailable,
        ErrorCode::UpstreamTimeout,
        ErrorCode::Interrupted,
        ErrorCode::Internal,
    ];

    #[test]
    fn every_error_has_a_sentence_of_its_own_in_eleven_languages() {
        assert_eq!(known().count(), 11);
        for language in known() {
            let sentences: BTreeSet<_> =
                CODES.iter().map(|code| sentence(*code, language).unwrap()).collect();
            assert_eq!(sentences.len(), CODES.len(), "{language}");
            let english =
                CODES.iter().filter(|code| sentence(**code, language) == sentence(**code, ENGLISH));
            assert!(language == ENGLISH || english.count() == 0, "{language}");
        }
    }

    #[test]
    fn a_problem_is_told_in_the_language_of_its_reader_and_keeps_its_code() {
        let mut problem = Problem::new(ErrorCode::NotFound);
        assert_eq!(language_of(&problem), Some("en"));
        translate(&mut problem, "de");
        assert_eq!(
            (problem.title.as_str(), &problem.detail),
            ("Das gibt es nicht.", &problem.title)
        );
        assert_eq!((problem.code, language_of(&problem)), (ErrorCode::NotFound, Some("de")));
        translate(&mut problem, "fr");
        assert_eq!(language_of(&problem), Some("fr"));
        assert_eq!(problem.detail, problem.title);
        translate(&mut problem, "xx");
        assert_eq!(language_of(&problem), Some("fr"));
    }

    #[test]
    fn a_detail_that_says_more_stays() {
        let mut problem =
            Problem::with_detail(ErrorCode::InvalidRequest, "`limit` must be a number");
        translate(&mut problem, "ja");
        assert_eq!(problem.detail, "`limit` must be a number");
        assert_eq!(language_of(&problem), Some("ja"));
    }

    #[test]
    fn the_best_language_that_there_is_is_taken() {
        assert_eq!(language(["sv", "de-AT", "fr"]), Some("de"));
        assert_eq!(language(["PT_br"]), Some("pt"));
        assert_eq!(language(["en-GB", "de"]), Some("en"));
        assert_eq!(language(["sv", "*", ""]), None);
    }
}
