use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
};

use unicode_normalization::is_nfc;

use super::*;
use crate::words::vocabulary::{all, of};

/// A vocabulary in the form that the tests use.
pub(super) struct Checked {
    vocabulary: &'static str,
    /// The name of its files.
    name: &'static str,
    sections: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
    /// Returns the refused lines of a text.
    refused: fn(&'static str) -> Vec<&'static str>,
}

impl Checked {
    pub(super) fn new<V: Vocabulary>(
        vocabulary: &'static str,
        name: &'static str,
        sections: &'static [&'static str],
    ) -> Self {
        Self { vocabulary, name, sections, files: V::FILES, refused: refused::<V> }
    }
}

fn refused<V: Vocabulary>(text: &'static str) -> Vec<&'static str> {
    let mut vocabulary = V::default();
    format::entries(text)
        .filter(|(section, line)| !vocabulary.section(section).is_some_and(|list| list.add(line)))
        .map(|(_, line)| line)
        .collect()
}

#[test]
fn every_line_of_every_file_has_the_shape_of_its_section() {
    for Checked { name, files, refused, .. } in checked() {
        for (language, text) in files {
            assert_eq!(refused(text), [""; 0], "words/{language}/{name}.txt");
            assert!(is_nfc(text), "words/{language}/{name}.txt");
        }
    }
}

#[test]
fn every_section_has_words_in_some_language_and_none_is_begun_twice() {
    for Checked { name, sections, files, .. } in checked() {
        let mut filled: HashMap<&str, usize> = HashMap::new();
        for (language, text) in files {
            let headers: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
            let distinct: BTreeSet<&&str> = headers.iter().collect();
            assert_eq!(distinct.len(), headers.len(), "words/{language}/{name}.txt");
            let begun: BTreeSet<&str> = format::entries(text).map(|(section, _)| section).collect();
            assert_eq!(begun.len(), headers.len(), "words/{language}/{name}.txt has an empty one");
            begun.into_iter().for_each(|section| *filled.entry(section).or_default() += 1);
        }
        for section in sections {
            assert!(filled.contains_key(section), "{name}: [{section}]");
        }
    }
}

#[test]
fn every_file_in_the_folder_belongs_to_a_vocabulary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("words");
    let mut there = BTreeSet::new();
    for language in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if language.is_dir() {
            for file in fs::read_dir(&language).unwrap().map(|entry| entry.unwrap().path()) {
                there.insert(file.strip_prefix(&folder).unwrap().display().to_string());
            }
        }
    }
    let read: BTreeSet<String> = checked()
        .iter()
        .flat_map(|v| v.files.iter().map(|(language, _)| format!("{language}/{}.txt", v.name)))
        .collect();
    assert_eq!(there, read);
}

#[test]
fn every_section_is_read_by_a_module() {
    let mut readers = Vec::new();
    collect_readers(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut readers);
    for Checked { vocabulary, sections, .. } in checked() {
        let readers: Vec<&String> = readers.iter().filter(|t| t.contains(vocabulary)).collect();
        for section in sections {
            let field = format!(".{section}");
            assert!(readers.iter().any(|text| text.contains(&field)), "{vocabulary}{field}");
        }
    }
}

/// Finds the sources that use this module.
fn collect_readers(folder: &Path, readers: &mut Vec<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("src/words") {
            collect_readers(&path, readers);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            if text.contains("words::") {
                readers.push(text);
            }
        }
    }
}

#[test]
fn languages_are_read_together_or_one_by_one() {
    let german: SmallTalk = of("de");
    assert!(german.greetings.contains("moin") && !german.greetings.contains("hello"));
    let both: SmallTalk = all();
    assert!(both.greetings.contains("moin") && both.greetings.contains("hello"));
    assert!(of::<SmallTalk>("xx").greetings.is_empty());
}
