//! Questions with their answers, from CSV or JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    blocks::{foreign, is_line, one_line, with_line_feeds},
    line::LineFault,
    rows::{Row, rows},
};

/// A question that shoppers ask, and the shop's own answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
        "an `audience` of single questions is not read: store them in documents of their own, \
         one for each audience"
    )]
    Audience,
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

/// Reads CSV whose header names `question` and `answer` in any case and order; other columns are
/// ignored. The header shows the separator, a first line `sep=;` may name it. Every row that is
/// not read is a fault, except empty ones at the end.
///
/// # Errors
/// If there is no such header.
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
    let mut rows = rows(text, line, separator.ok_or(FaqError::Columns)?).into_iter();
    let header = rows.next().and_then(|row| row.fields.ok()).ok_or(FaqError::Columns)?;
    if header.iter().any(|title| is_column(title, "audience")) {
        return Err(FaqError::Audience);
    }
    let columns = Columns {
        question: place(&header, "question")?,
        answer: place(&header, "answer")?,
        count: header.len(),
    };
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
    others: BTreeMap<String, IgnoredAny>,
}

/// Reads `[{"question": …, "answer": …}, …]`.
///
/// # Errors
/// If it is something else.
pub fn from_json(text: &str) -> Result<Vec<FaqPair>, FaqError> {
    let pairs: Vec<JsonPair> = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| FaqError::Json { line: error.line(), column: error.column().max(1) })?;
    if pairs.iter().flat_map(|pair| pair.others.keys()).any(|key| is_column(key.trim(), "audience"))
    {
        return Err(FaqError::Audience);
    }
    let pair = |JsonPair { question, answer, .. }| FaqPair { question, answer };
    Ok(pairs.into_iter().map(pair).collect())
}

/// The pairs of a stored document; `None` if it is no list of questions in JSON.
pub fn pairs(format: &str, body: &str) -> Option<Vec<FaqPair>> {
    (format == "json").then(|| from_json(body).ok()).flatten()
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
        for key in ["audience", "Audience", "AUDIENCE "] {
            let json = format!(r#"[{{"question": "q", "answer": "a", "{key}": "staff"}}]"#);
            assert_eq!(from_json(&json), Err(FaqError::Audience), "{key}");
        }
        for text in
            ["question,answer,audience\nq,a,staff\n", "Audience;question;answer\nstaff;q;a\n"]
        {
            assert_eq!(from_csv(text), Err(FaqError::Audience), "{text:?}");
        }
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
