//! Access tokens and keys of programs: by a prefix that their issuer gives them, by the words
//! before them, or as JSON Web Tokens (RFC 7519) and private keys (RFC 7468).

use std::ops::Range;

use super::{
    context::{Context, Named},
    fold::PLACEHOLDER,
    value::leading,
    vocabulary::{Class, Role},
};

/// Beginning of a token, and the fewest characters behind it. Lower case, as folded texts are.
const PREFIXES: [(&str, usize); 46] = [
    ("akia", 16),
    ("asia", 16),
    ("aiza", 30),
    ("ya29.", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gldt-", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 16),
    ("sk-ant-", 16),
    ("sk-proj-", 16),
    ("sk-", 20),
    ("rdk_", 20),
    ("hf_", 20),
    ("npm_", 30),
    ("pypi-", 20),
    ("dop_v1_", 20),
    ("shpat_", 20),
    ("shpss_", 20),
    ("shpca_", 20),
    ("shppa_", 20),
    ("sq0atp-", 16),
    ("sq0csp-", 16),
    ("eaaa", 30),
    ("sg.", 30),
    ("key-", 30),
    ("dckr_pat_", 16),
    ("atatt3", 20),
    ("lin_api_", 16),
    ("ntn_", 20),
    ("vault:hvs.", 16),
    ("hvs.", 20),
];

/// Addresses that let everybody who has them write.
const HOOKS: [&str; 3] =
    ["hooks.slack.com/services/", "api.telegram.org/bot", "discord.com/api/webhooks/"];

/// Shortest token after its words.
const SHORTEST: usize = 5;
/// Of a token that has no digit.
const SHORTEST_WORD: usize = 20;
/// Of hexadecimal digits that stand alone.
const LONG_HEX: usize = 24;
const MOST_FILLERS: usize = 4;

pub(super) fn find(
    text: &str,
    context: &Context<'_>,
    is_mixed_case: impl Fn(&Range<usize>) -> bool,
    found: &mut impl FnMut(Range<usize>),
) {
    private_keys(text, found);
    for told in context.told().iter() {
        let value = || after(text, context, told.range.end);
        match told.class {
            Class::Token => value().into_iter().for_each(&mut *found),
            // "backup code 8k3d-92mx"
            Class::Pin => {
                value()
                    .filter(|range| is_code(&text[range.clone()]))
                    .into_iter()
                    .for_each(&mut *found);
            }
            _ => {}
        }
    }
    let mut at = 0;
    while let Some(start) = text[at..].find(is_of_token).map(|n| at + n) {
        let end = text[start..].find(|c| !is_of_token(c)).map_or(text.len(), |n| start + n);
        at = end;
        if end - start < 16 {
            continue;
        }
        let whole = text[start..end].trim_end_matches(['.', '-', '_', '=', '/', '+']);
        // "token=ghp_…"
        let skipped = whole.rfind('=').map_or(0, |n| n + 1);
        let range = start + skipped..start + whole.len();
        let before = &text[..start];
        // "5839201746:AAHk…" is no link.
        let numbered = before
            .strip_suffix(':')
            .is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
        let of_link = before.ends_with([':', '/', '@', '.']) && !numbered;
        if has_prefix(&text[range.clone()])
            || HOOKS.iter().any(|hook| text[range.clone()].contains(hook))
            || is_json_web_token(&text[range.clone()])
            || (!of_link && is_random(&text[range.clone()]) && is_mixed_case(&range))
            || (!of_link && is_hex(&text[range.clone()]) && context.named(&range) != Named::Yes)
        {
            found(range);
        }
    }
}

/// Letters and digits take turns, or signs part them.
fn is_code(token: &str) -> bool {
    const SHORTEST: usize = 6;
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
    token.len() >= SHORTEST && digits >= 2 && letters >= 2 && token.is_ascii()
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.=+/".contains(c)
}

fn has_prefix(token: &str) -> bool {
    PREFIXES.iter().any(|(prefix, fewest)| {
        token.strip_prefix(prefix).is_some_and(|rest| {
            // A short prefix may begin a word.
            let sure = prefix.len() > 4 || rest.len() > 30;
            rest.len() >= *fewest && (sure || rest.contains(|c: char| c.is_ascii_digit()))
        })
    })
}

/// Three parts of base64url, of which the first is a JSON object.
fn is_json_web_token(token: &str) -> bool {
    let mut parts = token.split('.');
    token.starts_with("eyj") && parts.clone().count() >= 2 && parts.all(|part| part.len() >= 4)
}

/// Long, and letters and digits take turns as they do in no word and no number.
fn is_random(token: &str) -> bool {
    const LONG: usize = 30;
    let digits = token.chars().filter(char::is_ascii_digit).count();
    let turns = token
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    let parts = token.contains(['/', '.', '=', '+']);
    token.len() >= LONG && digits >= 3 && turns >= 6 && !parts
}

/// Long, and letters and digits are those of hexadecimal numbers.
fn is_hex(token: &str) -> bool {
    const FEWEST: usize = 4;
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    token.len() >= LONG_HEX
        && token.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits >= FEWEST
        && token.len() - digits >= FEWEST
}

/// "api key: 5f4dcc3b5aa765d6", "Bearer abc…", "secret: sunshine".
fn after(text: &str, context: &Context<'_>, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    // Something says that a value follows; a sign does it best.
    let (mut linked, mut shown) = (false, false);
    for _ in 0..=MOST_FILLERS {
        let signs = leading(&text[at..], |c| " \t\n\r:=->\"'`".contains(c));
        shown |= signs.contains([':', '=']);
        at += signs.len();
        let rest = &text[at..];
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`,;<>&".contains(c));
        let token = &rest[..end.unwrap_or(rest.len())];
        let token = token.trim_end_matches(['.', ')', '?', '!']);
        let digits = token.chars().filter(char::is_ascii_digit).count();
        let known = context.after(at).filter(|word| word.range.start == at);
        let passed = known.is_some_and(|word| {
            word.range.len() == token.len()
                && ([Role::Filler, Role::Link, Role::Preposition, Role::Number, Role::Hedge]
                    .into_iter()
                    .any(|role| word.is(role))
                    || word.meaning.is_some_and(|m| m.class == Some(Class::Token)))
        });
        if !passed {
            let letters = token.contains(char::is_alphabetic);
            let long = token.len() >= SHORTEST;
            let word = shown
                && long
                && token.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
                && known.is_none_or(|word| word.meaning.is_none());
            let whole = token.len() >= SHORTEST_WORD
                || long && letters && digits >= 2
                || token.len() >= 8 && digits >= 2
                || long && letters && digits > 0 && (linked || shown)
                || long && digits == token.len() && shown
                || word;
            return (whole && !token.contains(PLACEHOLDER)).then(|| at..at + token.len());
        }
        linked |= known.is_some_and(|word| word.is(Role::Link));
        at += token.len();
    }
    None
}

/// "-----BEGIN PRIVATE KEY----- … -----END PRIVATE KEY-----"; without its end, all that follows.
fn private_keys(text: &str, found: &mut impl FnMut(Range<usize>)) {
    let mut at = 0;
    while let Some(start) = text[at..].find("-----begin ").map(|n| at + n) {
        let line = text[start..].find("key-----");
        let Some(begin) = line.filter(|n| *n < 48).map(|n| start + n + 8) else {
            at = start + 1;
            continue;
        };
        let is_private = text[start..begin].contains("private");
        let end = text[begin..].find("key-----").map_or(text.len(), |n| begin + n + 8);
        if is_private && begin < end {
            found(start..end);
        }
        at = end.max(begin);
    }
}
