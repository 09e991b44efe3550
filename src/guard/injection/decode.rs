//! Texts that a message hides in another spelling. Everything is bounded: a few pieces of a few
//! thousand characters, each decoded once.

use std::collections::HashSet;

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::{guard::input, words::sentence::Text};

/// Longest message that is decoded, in bytes; a longer one is decoded to here.
const LONGEST: usize = 16_384;
const PIECES: usize = 6;
/// Shorter runs are words.
const BASE64: usize = 16;
const HEX: usize = 24;
/// So many letters that stand alone are spelled out.
const SPELLED: usize = 6;
/// Longer words may be several without spaces.
const JOINED: usize = 13;
/// Share of such a word that must be known words, in percent.
const KNOWN: usize = 80;

/// Frequent words of an attack and around it.
const FREQUENT: [&str; 22] = [
    "the",
    "your",
    "you",
    "and",
    "all",
    "instructions",
    "ignore",
    "previous",
    "system",
    "prompt",
    "rules",
    "show",
    "tell",
    "forget",
    "disregard",
    "reveal",
    "repeat",
    "print",
    "what",
    "are",
    "customers",
    "now",
];
/// So many of them show that a text is turned or shifted.
const ENOUGH: usize = 2;

/// A decoded text.
pub struct Decoded {
    pub text: String,
    /// Nobody writes so by chance: a hint in it is enough.
    pub on_purpose: bool,
}

/// `words` are those that joined words are cut into.
pub fn decode(original: &str, text: &Text, words: &HashSet<Box<str>>) -> Vec<Decoded> {
    let original = &original[..original.floor_char_boundary(LONGEST)];
    let mut found = Vec::new();
    let mut add = |text: Option<String>, on_purpose| {
        if found.len() < PIECES {
            found.extend(text.map(|text| Decoded { text, on_purpose }));
        }
    };
    add(input::hidden(original), true);
    for run in original.split(|c: char| !is_code(c)).filter(|run| run.len() >= BASE64) {
        add(hex(run).or_else(|| base64(run)), true);
    }
    add(spaced_hex(original), true);
    add(percent(original), false);
    add(escapes(original), true);
    add(disguised(text, rot13), true);
    add(disguised(text, turned), true);
    add(spelled(text, words), false);
    for long in text.words().filter(|word| word.len() >= JOINED).take(PIECES) {
        add(cut(long, words), false);
    }
    leet(original).into_iter().for_each(|text| add(Some(text), false));
    found
}

const fn is_code(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '+' | '/' | '-' | '_')
}

fn base64(run: &str) -> Option<String> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let run: String = run
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            c => c,
        })
        .collect();
    let mut bytes = GeneralPurpose::new(&URL_SAFE, CONFIG).decode(run).ok()?;
    // Once more, if it was done twice.
    if bytes.len() >= BASE64 && bytes.iter().all(|b| is_code(char::from(*b)) || *b == b'=') {
        let inner: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'=').collect();
        bytes = GeneralPurpose::new(&URL_SAFE, CONFIG).decode(inner).unwrap_or(bytes);
    }
    readable(bytes)
}

fn hex(run: &str) -> Option<String> {
    let run = run.strip_prefix("0x").unwrap_or(run);
    if run.len() < HEX || !run.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    readable(hex::decode(&run[..run.len() / 2 * 2]).ok()?)
}

/// `69 67 6e`, `\x69\x67`
fn spaced_hex(text: &str) -> Option<String> {
    let digits = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|part| !part.is_empty());
    let (mut bytes, mut longest) = (Vec::new(), Vec::new());
    for part in digits {
        match part {
            pair if pair.len() == 2 => bytes.extend(u8::from_str_radix(pair, 16).ok()),
            _ => bytes.clear(),
        }
        if bytes.len() > longest.len() {
            longest.clone_from(&bytes);
        }
    }
    if longest.len() * 2 < HEX { None } else { readable(longest) }
}

fn percent(text: &str) -> Option<String> {
    const LEAST: usize = 3;
    memchr::memchr_iter(b'%', text.as_bytes()).nth(LEAST - 1)?;
    let decoded = form_urlencoded::parse(text.as_bytes());
    let decoded: String =
        decoded.flat_map(|(name, value)| [name, value]).collect::<Vec<_>>().join(" ");
    (decoded != text).then_some(decoded)
}

/// `\u0069`, `&#105;`, `&#x69;`
fn escapes(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut count = 0;
    let mut rest = text;
    while let Some(at) = rest.find("&#").or_else(|| rest.find("\\u")) {
        let (before, code) = (&rest[..at], &rest[at + 2..]);
        decoded.push_str(before);
        let hexadecimal = code.starts_with(['x', 'X']) || rest[at..].starts_with("\\u");
        let digits = code.trim_start_matches(['x', 'X', '{']);
        let most = if rest[at..].starts_with("\\u") { 4 } else { 7 };
        let length = digits.bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        let radix = if hexadecimal { 16 } else { 10 };
        let c = u32::from_str_radix(&digits[..length], radix).ok().and_then(char::from_u32);
        decoded.extend(c);
        count += usize::from(c.is_some());
        rest = digits[length..].trim_start_matches([';', '}']);
    }
    decoded.push_str(rest);
    (count >= SPELLED).then_some(decoded)
}

/// The text after `undo`, if it then has frequent words.
fn disguised(text: &Text, undo: fn(&str) -> String) -> Option<String> {
    let mut seen = 0;
    for word in text.words().filter(|word| word.len() > 2 && word.is_ascii()).take(400) {
        seen += usize::from(FREQUENT.contains(&undo(word).as_str()));
        if seen >= ENOUGH {
            return Some(undo(text.folded()));
        }
    }
    None
}

fn rot13(text: &str) -> String {
    let shift = |c: char| match c {
        'a'..='m' => char::from(c as u8 + 13),
        'n'..='z' => char::from(c as u8 - 13),
        c => c,
    };
    text.chars().map(shift).collect()
}

fn turned(text: &str) -> String {
    text.chars().rev().collect()
}

/// `i g n o r e  a l l`: letters that stand alone, as words.
fn spelled(text: &Text, words: &HashSet<Box<str>>) -> Option<String> {
    let (mut run, mut longest) = (String::new(), String::new());
    for word in text.words() {
        let letter = word.len() == 1 && word.is_ascii();
        if letter {
            run.push_str(word)
        } else {
            run.clear()
        }
        if run.len() > longest.len() {
            longest.clone_from(&run);
        }
    }
    if longest.len() < SPELLED { None } else { cut(&longest, words) }
}

/// Cuts `ignoreallrules` into words, so that as many letters as possible belong to known ones.
fn cut(joined: &str, words: &HashSet<Box<str>>) -> Option<String> {
    const LONGEST_WORD: usize = 16;
    const MOST: usize = 400;
    if !joined.is_ascii() {
        return None;
    }
    let joined = &joined[..joined.len().min(MOST)];
    // How many letters before each place are known at best, and where the last word begins then.
    let mut best = vec![(0, 0); joined.len() + 1];
    for end in 1..best.len() {
        best[end] = (best[end - 1].0, end - 1);
        for start in end.saturating_sub(LONGEST_WORD)..end - 1 {
            let known = best[start].0 + end - start;
            if known > best[end].0 && words.contains(&joined[start..end]) {
                best[end] = (known, start);
            }
        }
    }
    if best[joined.len()].0 * 100 < joined.len() * KNOWN {
        return None;
    }
    let (mut parts, mut end) = (Vec::new(), joined.len());
    while end > 0 {
        let start = best[end].1;
        parts.push(&joined[start..end]);
        end = start;
    }
    parts.reverse();
    (parts.len() > 1).then(|| parts.join(" "))
}

/// `1gn0r3`: digits and signs for letters. A one may be an I or an L.
fn leet(text: &str) -> Vec<String> {
    let mixed = |word: &str| {
        let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
        letters >= 2 && word.bytes().any(|b| b"013457@$".contains(&b))
    };
    if !text.split_whitespace().any(mixed) {
        return Vec::new();
    }
    let read = |one: char| -> String {
        let letter = |c: char| match c {
            '0' => 'o',
            '1' | '!' | '|' => one,
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            c => c,
        };
        let word = |word: &str| -> String {
            if mixed(word) { word.chars().map(letter).collect() } else { word.to_owned() }
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    if text.contains(['1', '!', '|']) { vec![read('i'), read('l')] } else { vec![read('i')] }
}

/// Bytes that are text: mostly letters and spaces.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let all = text.chars().count();
    let plain = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count();
    (all >= 8 && plain * 10 >= all * 8).then_some(text)
}
