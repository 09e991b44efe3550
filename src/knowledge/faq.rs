//! Questions with their answers, from CSV or JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    blocks::{foreign, is_line, one_line, with_line_feeds},
    line::LineFault,
    names::{self, Meaning},
    rows::{Row, rows},
};

/// A question that shoppers ask, and the shop's own answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaqPair {
    pub question: String,
    pub answer: String,
}

/// Why a list of questions could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaqError {
    #[error(
        "the first line must name the columns `question` and `answer`, \
         with a comma, a semicolon, a tab or `|` between them"
    )]
    Columns,
    #[error("the first line names the column `{0}` twice")]
    Twice(&'static str),
    /// Questions for staff would become public.
    #[error(
        "`{0}` of single questions is not read and may say who may read them: store them in \
         documents of their own, one for each audience"
    )]
    Access(String),
    #[error(
        "`{0}` of single questions is not read: store them in documents of their own, one for \
         each language"
    )]
    Language(String),
    #[error("`{name}` has a character that nobody sees ({code}): type it again")]
    Unseen { name: String, code: String },
    #[error("`{name}` is not known{guess}: only `question` and `answer` are read; remove it")]
    Unknown { name: String, guess: String },
    /// A question that is not published.
    #[error("question {number} has `{name}: {value}`, so it may not be for everybody: remove it")]
    Closed { number: usize, name: String, value: String },
    #[error(
        "not a JSON list of objects with `question` and `answer` (line {line}, column {column})"
    )]
    Json { line: usize, column: usize },
}

/// The rows of a CSV file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Csv {
    pub pairs: Vec<FaqPair>,
    /// Rows that were not read. The header is a line, too.
    pub faults: Vec<LineFault>,
}

/// Reads CSV whose header names `question` and `answer` in any case and order, and perhaps columns
/// that are known to be harmless, which are passed over. The header shows the separator, a first line `sep=;` may name it. Every row that is
/// not read is a fault, except empty ones at the end.
///
/// # Errors
/// If there is no such header, or it names another column.
pub fn from_csv(text: &str) -> Result<Csv, FaqError> {
    let text = with_line_feeds(text.trim_start_matches('\u{feff}'));
    let before = text.len() - text.trim_start().len();
    let first = text[before..].lines().next().unwrap_or_default();
    let named = named_separator(first);
    let begin = if named.is_some() { before + first.len() } else { 0 };
    let (text, line) = (&text[begin..], 1 + text[..begin].matches('\n').count());
    let header = text.trim_start().lines().next().unwrap_or_default();
    let separator = named.into_iter().chain(*b",;\t|").find(|separator| {
        let header = rows(header, line, *separator).into_iter().next();
        header.and_then(|row| row.fields.ok()).is_some_and(|titles| {
            ["question", "answer"].iter().all(|name| titles.iter().any(|t| is_column(t, name)))
        })
    });
    let separator = separator.ok_or_else(|| unseen(header).unwrap_or(FaqError::Columns))?;
    let mut rows = rows(text, line, separator).into_iter();
    let header = rows.next().and_then(|row| row.fields.ok()).ok_or(FaqError::Columns)?;
    let mut columns = Columns {
        question: place(&header, "question")?,
        answer: place(&header, "answer")?,
        count: header.len(),
        unnamed: Vec::new(),
        switches: Vec::new(),
    };
    for (at, title) in header.into_iter().enumerate() {
        if title.is_empty() {
            columns.unnamed.push(at);
        } else if let Some(open) = other(&title)? {
            columns.switches.push((at, title, open));
        }
    }
    Ok(columns.read(rows))
}

/// The separator that a line `sep=;` names.
fn named_separator(line: &str) -> Option<u8> {
    let inner = line.trim_matches([' ', '"', ',']);
    let name = inner.get(..4).filter(|name| name.eq_ignore_ascii_case("sep="))?;
    match inner.as_bytes()[name.len()..] {
        [separator] if separator.is_ascii() && !b"\"\n\r".contains(&separator) => Some(separator),
        // A comma that was trimmed.
        [] => Some(b','),
        _ => None,
    }
}

/// The fault of a name with a character that nobody sees.
fn unseen(name: &str) -> Option<FaqError> {
    let code = names::code(names::unseen(name)?);
    Some(FaqError::Unseen { name: name.trim().to_owned(), code })
}

/// The value of a field, if it has to have one; every other field must be harmless.
fn other(name: &str) -> Result<Option<bool>, FaqError> {
    if ["question", "answer"].iter().any(|read| is_column(name.trim(), read)) {
        return Ok(None);
    }
    if let Some(fault) = unseen(name) {
        return Err(fault);
    }
    let name = name.trim().to_owned();
    if ["locale", "lang", "language"].iter().any(|language| is_column(&name, language)) {
        return Err(FaqError::Language(name));
    }
    match names::meaning(&name) {
        Meaning::Unused => Ok(None),
        Meaning::Switch(open) => Ok(Some(open)),
        Meaning::Access => Err(FaqError::Access(name)),
        Meaning::Unknown
            if ["tags", "tag", "title", "url", "link"].contains(&&*name.to_lowercase()) =>
        {
            Ok(None)
        }
        Meaning::Unknown => {
            let guess = names::guess(&name, &["question", "answer", "audience"]);
            Err(FaqError::Unknown { name, guess })
        }
    }
}

fn is_column(title: &str, name: &str) -> bool {
    title.eq_ignore_ascii_case(name)
}

fn place(header: &[String], name: &'static str) -> Result<usize, FaqError> {
    let mut places = (0..header.len()).filter(|at| is_column(&header[*at], name));
    match (places.next(), places.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => Err(FaqError::Twice(name)),
        (None, _) => Err(FaqError::Columns),
    }
}

struct Columns {
    question: usize,
    answer: usize,
    count: usize,
    /// Columns without a name, which have no text.
    unnamed: Vec<usize>,
    /// Columns that say whether a question is for everybody, with the value of those that are.
    switches: Vec<(usize, String, bool)>,
}

impl Columns {
    fn read(&self, rows: impl Iterator<Item = Row>) -> Csv {
        let mut read = Csv::default();
        // A spreadsheet may end with empty rows. Between others, an empty row lost its text.
        let mut empty = Vec::new();
        for Row { line, fields } in rows {
            if fields.as_ref().is_ok_and(|fields| fields.iter().all(String::is_empty)) {
                empty.push(LineFault::new(line, "the row is empty"));
                continue;
            }
            read.faults.append(&mut empty);
            match fields.map_err(|broken| broken.to_string()).and_then(|fields| self.pair(&fields))
            {
                Ok(pair) => read.pairs.push(pair),
                Err(detail) => {
                    read.faults.push(LineFault::new(line, format!("the row {detail}")));
                }
            }
        }
        read
    }

    fn pair(&self, fields: &[String]) -> Result<FaqPair, String> {
        let (found, expected) = (fields.len(), self.count);
        // A separator inside an answer would cut the answer off.
        if fields.iter().skip(expected).any(|field| !field.is_empty()) {
            return Err(format!(
                "has {found} fields instead of {expected}: \
                 put text that holds a separator in quotation marks"
            ));
        }
        if self.unnamed.iter().any(|at| fields.get(*at).is_some_and(|field| !field.is_empty())) {
            return Err("has text in a column without a name: name it".to_owned());
        }
        for (at, name, open) in &self.switches {
            let value = fields.get(*at).map_or("", |field| field.trim());
            if !names::is_open(*open, value) {
                return Err(format!("has `{name}` {value:?}, so it may not be for everybody"));
            }
        }
        let field = |at: usize| fields.get(at).map(|field| one_line(field));
        let (Some(question), Some(answer)) = (field(self.question), field(self.answer)) else {
            return Err(format!("has {found} of {expected} fields"));
        };
        let pair = FaqPair { question, answer };
        match pair.faults().first() {
            Some((field, detail)) => Err(format!("has a wrong `{field}`: it {detail}")),
            None => Ok(pair),
        }
    }
}

#[derive(Deserialize)]
struct JsonPair {
    question: String,
    answer: String,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Reads `[{"question": …, "answer": …}, …]`, and passes over fields that are known to be harmless.
///
/// # Errors
/// If it is something else, or has another field.
pub fn from_json(text: &str) -> Result<Vec<FaqPair>, FaqError> {
    let pairs = json_pairs(text)?;
    for (index, pair) in pairs.iter().enumerate() {
        for (name, value) in &pair.others {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if other(name)?.is_some_and(|open| !names::is_open(open, &value)) {
                return Err(FaqError::Closed { number: index + 1, name: name.clone(), value });
            }
        }
    }
    let pair = |JsonPair { question, answer, .. }| FaqPair { question, answer };
    Ok(pairs.into_iter().map(pair).collect())
}

fn json_pairs(text: &str) -> Result<Vec<JsonPair>, FaqError> {
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| FaqError::Json { line: error.line(), column: error.column().max(1) })
}

/// The pairs of a stored document; `None` if it is no list of questions in JSON. It may have been
/// stored under other rules.
pub fn pairs(format: &str, body: &str) -> Option<Vec<FaqPair>> {
    let pairs = (format == "json").then(|| json_pairs(body).ok()).flatten()?;
    let pair = |JsonPair { question, answer, .. }| FaqPair { question, answer };
    Some(pairs.into_iter().map(pair).collect())
}

impl FaqPair {
    /// The fields that cannot be stored, each with what it must have.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if !is_line(&self.question, 500) {
            faults.push(("question", "must be one line of 1 to 500 characters"));
        }
        let is_text = foreign(&self.answer).is_none();
        if !is_text || !(1..=8_000).contains(&self.answer.trim().chars().count()) {
            faults.push(("answer", "must be text of 1 to 8000 characters"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(question: &str, answer: &str) -> FaqPair {
        FaqPair { question: question.into(), answer: answer.into() }
    }

    fn faults(text: &str) -> Vec<String> {
        let read = from_csv(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        read.faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn csv_is_read_by_the_names_of_its_columns() {
        let read =
            from_csv("Answer,id,Question\n\"Yes, always.\",7,\"Is it \"\"free\"\"?\"\n").unwrap();
        assert_eq!(read.pairs, [pair("Is it \"free\"?", "Yes, always.")]);
        assert!(read.faults.is_empty());
    }

    #[test]
    fn csv_is_read_whatever_separates_its_fields() {
        for text in [
            "question,answer\nq,a b\n",
            "question;answer\nq;a b\n",
            "question\tanswer\nq\ta b\n",
            "question|answer\nq|a b\n",
            "sep=;\nquestion;answer\nq;a b\n",
            "sep=,\nquestion,answer\nq,a b\n",
            "sep=;,\nquestion;answer\nq;a b\n",
            "sep=;\nquestion,answer\nq,a b\n",
            "sep=\t\r\nquestion\tanswer\r\nq\ta b\r\n",
            "SEP=^\nquestion^answer\nq^a b\n",
            "\"sep=;\"\n\"question\";\"answer\"\n\"q\";\"a b\"\n",
            "\u{feff}sep=|\nquestion|answer\nq|a b",
            "\u{feff}question;answer\r\nq;a b\r\n\r\n\r\n",
            "\n\nQuestion ; Answer\n q ; a b \n",
            "question,answer\rq,a b\r",
            "question,answer\nq,\"a\nb\"\n",
            "question;answer\r\n\"q\";\"a\r\nb\"\r\n",
            "question, answer\nq, \"a b\"\n",
            "\"question\" ; \"answer\"\n\"q\" ; \"a b\" \n",
            "question,answer,\nq,a b,\n,,\n,,\n",
            "answer;note;question\na b;;q\n",
            "question,answer\nq,a b,,\n\n,\n",
            "question,answer,note\nq,a b\n",
        ] {
            let read = from_csv(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(read.pairs, [pair("q", "a b")], "{text:?}");
            assert!(read.faults.is_empty(), "{text:?}: {:?}", read.faults);
        }
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_and_the_others_are_read() {
        for (rows, line, expected) in [
            (",", 3, "is empty"),
            ("only", 3, "has 1 of 2 fields"),
            ("q,Yes, always", 3, "has 3 fields instead of 2"),
            ("q,", 3, "has a wrong `answer`"),
            (",a", 3, "has a wrong `question`"),
            ("\"q\nq\nq\",", 3, "has a wrong `answer`"),
            ("\"q\nq\",a\nonly", 5, "has 1 of 2 fields"),
            ("\n\nonly", 5, "has 1 of 2 fields"),
            ("q,\"a\" b", 3, "has a quotation mark too many or too few"),
            ("q,\"a \\\"b\\\"\"", 3, "has a quotation mark too many or too few"),
            ("q,\"never closed", 3, "has a quotation mark too many or too few"),
        ] {
            for end in ["\n", "\r\n"] {
                let text = format!("question,answer\nfirst,1\n{rows}\nlast,2\n").replace('\n', end);
                let read = from_csv(&text).unwrap();
                let faults = faults(&text);
                assert_eq!(faults.len(), 1, "{text:?}: {faults:?}");
                let expected = format!("line {line}: the row {expected}");
                assert!(faults[0].starts_with(&expected), "{text:?}: {faults:?}");
                let ends = (&read.pairs[0], read.pairs.last().unwrap());
                assert_eq!(ends, (&pair("first", "1"), &pair("last", "2")), "{text:?}");
            }
        }
        assert_eq!(faults("sep=;\nquestion;answer\nonly\n"), ["line 3: the row has 1 of 2 fields"]);
        let long = format!("question,answer\n{},a\nq,a\n", "x".repeat(501));
        assert_eq!(faults(&long).len(), 1);
    }

    #[test]
    fn csv_without_its_columns_is_refused() {
        for text in [
            "",
            "\n",
            "a,b\n1,2\n",
            "question\nq\n",
            "Frage;Antwort\nq;a\n",
            "question:answer\n",
            "sep=;\n",
            "\"question,answer\nq,a\n",
        ] {
            assert_eq!(from_csv(text), Err(FaqError::Columns), "{text:?}");
        }
        assert_eq!(from_csv("question,answer,Answer\n"), Err(FaqError::Twice("answer")));
    }

    #[test]
    fn questions_with_an_audience_of_their_own_never_become_public() {
        for key in
            ["audience", "Audience", "AUDIENCE ", "access", "visibility", "status", "ａudience"]
        {
            let json = format!(r#"[{{"question": "q", "answer": "a", "{key}": "staff"}}]"#);
            let fault = FaqError::Access(key.trim().to_owned());
            assert_eq!(from_json(&json), Err(fault.clone()), "{key}");
            assert_eq!(
                from_csv(&format!("question,answer,{key}\nq,a,staff\n")),
                Err(fault),
                "{key}"
            );
        }
        assert_eq!(
            from_csv("Audience;question;answer\nstaff;q;a\n"),
            Err(FaqError::Access("Audience".to_owned()))
        );
        let read = from_csv("question,answer,published\nq,a,yes\nr,b,no\ns,c,\n").unwrap();
        assert_eq!((read.pairs.len(), read.faults.len()), (1, 2), "{:?}", read.faults);
        assert_eq!(
            read.faults[0].to_string(),
            "line 3: the row has `published` \"no\", so it may not be for everybody"
        );
        let json = r#"[{"question": "q", "answer": "a", "draft": false},
            {"question": "r", "answer": "b", "draft": true}]"#;
        assert!(matches!(from_json(json), Err(FaqError::Closed { number: 2, .. })));
        assert!(faults("question,answer,\nq,a,staff\n")[0].contains("a column without a name"));
    }

    #[test]
    fn a_field_that_is_not_known_is_named_with_what_it_may_mean() {
        for (name, expected) in [
            ("audi\u{200b}ence", "`audi\u{200b}ence` has a character that nobody sees (U+200B)"),
            ("qustion", "`qustion` is not known (did you mean `question`?)"),
            ("audiense", "`audiense` is not known (did you mean `audience`?)"),
            ("zielgruppe", "`zielgruppe` is not known: only `question` and `answer` are read"),
            ("language", "`language` of single questions is not read: store them"),
        ] {
            let json = format!(r#"[{{"question": "q", "answer": "a", "{name}": "x"}}]"#);
            for fault in [
                from_json(&json).err(),
                from_csv(&format!("{name},question,answer\nx,q,a\n")).err(),
            ] {
                let fault = fault.unwrap().to_string();
                assert!(fault.starts_with(expected), "{name}: {fault}");
            }
        }
        for name in
            ["id", "Category", "created_at", "updatedAt", "author", "tags", "url", "notes", ""]
        {
            let json = format!(r#"[{{"question": "q", "answer": "a", "{name}": "x"}}]"#);
            assert_eq!(from_json(&json).is_ok(), !name.is_empty(), "{name}");
            assert!(from_csv(&format!("{name},question,answer\n,q,a\n")).is_ok(), "{name}");
        }
        let hidden = from_csv("ques\u{200b}tion,answer\nq,a\n").unwrap_err();
        assert!(matches!(hidden, FaqError::Unseen { .. }), "{hidden}");
        // What was stored before this rule is still read.
        let stored = r#"[{"question": "q", "answer": "a", "kind": 1, "zielgruppe": "x"}]"#;
        assert_eq!(pairs("json", stored).unwrap(), [pair("q", "a")]);
    }

    #[test]
    fn json_with_a_byte_order_mark_is_read() {
        let json = "\u{feff}[{\"question\": \"q\", \"answer\": \"a\", \"id\": 7}]";
        assert_eq!(from_json(json).unwrap(), [pair("q", "a")]);
    }

    #[test]
    fn json_faults_are_named_by_line() {
        let fault = from_json("[{\"question\": \"q\",\n \"answer\": 5}]").unwrap_err();
        assert!(matches!(fault, FaqError::Json { line: 2, .. }));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s)(question,answer\n)?[ -~\n\",]{0,200}|\\PC{0,100}") {
            let _ = from_csv(&text);
            let _ = from_json(&text);
        }

        #[test]
        fn what_another_program_wrote_as_csv_is_read(
            pairs in prop::collection::vec(("[!-~][ -~\n]{0,30}", "[!-~][ -~\n]{0,30}"), 0..8),
            separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
            terminator in prop::sample::select(vec![csv::Terminator::CRLF, csv::Terminator::Any(b'\n')]),
        ) {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(separator)
                .terminator(terminator)
                .from_writer(Vec::new());
            writer.write_record(["question", "answer"]).unwrap();
            for (question, answer) in &pairs {
                writer.write_record([question, answer]).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let expected: Vec<_> = pairs.iter().map(|(q, a)| pair(&one_line(q), &one_line(a))).collect();
            let read = from_csv(&text).unwrap();
            prop_assert_eq!(&read.pairs, &expected);
            prop_assert!(read.faults.is_empty());
        }
    }
}
