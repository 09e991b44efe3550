//! The source as the checks see it: modules and the paths that they name, without comments and
//! tests.

use std::{collections::BTreeSet, fs, path::Path};

/// Before the module with a file's tests, which ends the file.
const TESTS: &str = "#[cfg(test)]\n";

/// A file below `src`.
pub struct Source {
    /// Relative to `src`.
    pub file: String,
    /// `["http", "openai", "stream"]`; none for the crate's root.
    pub module: Vec<String>,
    pub tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Word(String),
    /// `::`
    Separator,
    Sign(char),
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        let mut module: Vec<String> =
            file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
        let is_tests =
            |behind: &str| behind.lines().next().is_some_and(|l| l.ends_with("mod tests {"));
        let tests = text.match_indices(TESTS).find(|(at, _)| is_tests(&text[at + TESTS.len()..]));
        let code = &text[..tests.map_or(text.len(), |(at, _)| at)];
        Self { file: file.to_owned(), module, tokens: tokens(code) }
    }

    /// All files of `root`, but for tests, which may name what they need.
    pub fn all(root: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if ["tests", "tests.rs"].contains(&name) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(file) = path.strip_prefix(root).unwrap().to_str()
                    && file.ends_with(".rs")
                {
                    found.push(Self::new(file, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
        found.sort_by(|a, b| a.file.cmp(&b.file));
        found
    }

    /// The name of the file or of a folder that holds it.
    pub fn is_in(&self, name: &str) -> bool {
        self.file.trim_end_matches(".rs").split('/').any(|part| part == name)
    }

    /// What is named with `crate::`, `super::` or `self::`, from the crate's root on.
    pub fn names(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let begins =
                self.word(at).is_some_and(|word| ["crate", "super", "self"].contains(&word))
                    && self.tokens.get(at + 1) == Some(&Token::Separator);
            // `$crate` stands for the place where a macro is used, `in crate::x` says who may see.
            let before = at.checked_sub(1).map(|before| &self.tokens[before]);
            let is_other = before.is_some_and(|token| {
                [Token::Sign('$'), Token::Separator, Token::Word("in".into())].contains(token)
            });
            if begins && !is_other {
                self.tree(&mut at, &[], &mut found);
            } else {
                at += 1;
            }
        }
        found.into_iter().filter_map(|path| self.absolute(&path)).collect()
    }

    pub fn word(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at)? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Reads `a::b`, `a::{b, c::d}` or `a::*` below `prefix`, and moves `at` behind it.
    fn tree(&self, at: &mut usize, prefix: &[String], found: &mut BTreeSet<Vec<String>>) {
        let mut path = prefix.to_vec();
        loop {
            match self.tokens.get(*at) {
                Some(Token::Word(word)) => {
                    // `{self, …}` is the path before it.
                    if word != "self" || path.is_empty() {
                        path.push(word.clone());
                    }
                    *at += 1;
                    if self.tokens.get(*at) != Some(&Token::Separator) {
                        break;
                    }
                    *at += 1;
                }
                Some(Token::Sign('{')) => {
                    *at += 1;
                    while !matches!(self.tokens.get(*at), None | Some(Token::Sign('}'))) {
                        match self.tokens[*at] {
                            Token::Sign(',') => *at += 1,
                            _ if self.word(*at) == Some("as") => *at += 2,
                            _ => self.tree(at, &path, found),
                        }
                    }
                    *at += 1;
                    return;
                }
                // `*`, or the `<` of a type's parameters.
                _ => {
                    *at += 1;
                    break;
                }
            }
        }
        found.insert(path);
    }

    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let rest = match path.first()?.as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => &path[1..],
            _ => &path[supers..],
        };
        let mut absolute = self.module[..self.module.len().checked_sub(supers)?].to_vec();
        absolute.extend_from_slice(rest);
        Some(absolute)
    }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(c) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some((hashes, text)) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            rest = text.split_once(&end).map_or("", |(_, rest)| rest);
        } else if c == '"' {
            rest = behind_string(&rest[1..]);
        } else if c == '\'' {
            rest = behind_quote(&rest[1..]);
        } else if let Some(behind) = rest.strip_prefix("::") {
            tokens.push(Token::Separator);
            rest = behind;
        } else if is_word(c) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    tokens
}

/// The number of `#` and what is behind the first quote of `r"…"`, `r#"…"#` or `br"…"`.
fn raw_string(text: &str) -> Option<(usize, &str)> {
    let text = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let behind = text.trim_start_matches('#');
    Some((text.len() - behind.len(), behind.strip_prefix('"')?))
}

fn behind_string(text: &str) -> &str {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return &text[index + 1..],
            _ => {}
        }
    }
    ""
}

/// Behind a character; a lifetime has no second quote.
fn behind_quote(text: &str) -> &str {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), Some(_)) => chars.as_str().split_once('\'').map_or("", |(_, rest)| rest),
        (Some(_), Some('\'')) => chars.as_str(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(file: &str, code: &str) -> Vec<String> {
        Source::new(file, code).names().into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn the_module_of_a_file_is_its_place() {
        let module = |file: &str| Source::new(file, "").module.join("::");
        assert_eq!(module("lib.rs"), "");
        assert_eq!(module("tls.rs"), "tls");
        assert_eq!(module("http/mod.rs"), "http");
        assert_eq!(module("http/openai/stream.rs"), "http::openai::stream");
    }

    #[test]
    fn groups_and_inline_paths_are_found_and_made_absolute() {
        let code = "use crate::{a::{X, y::{self, Z}}, b as other,\n    c::*};\nuse super::{d, super::e};\n\
             pub use self::f::G;\npub(super) fn g() -> crate::h::I<'_> { super::j::k::<u8>(self.x) }";
        assert_eq!(
            named("m/n.rs", code),
            ["a::X", "a::y", "a::y::Z", "b", "c", "e", "h::I", "m::d", "m::j::k", "m::n::f::G"]
        );
    }

    #[test]
    fn comments_texts_macros_visibility_and_tests_name_nothing() {
        let code = "//! [`crate::a`]\nfn f<'a>(x: &'a str) { /// crate::b\n \"crate::c \\\" crate::d\"; 'c'; '\\'';\n\
             r#\"crate::e \" \"# }\nmacro_rules! m { () => { $crate::g::H } }\npub(in crate::i) struct S;\n\
             #[cfg(test)]\npub(super) mod tests {\n    use super::*;\n    use crate::j;\n}\n";
        assert_eq!(named("m.rs", code), [""; 0]);
    }
}
