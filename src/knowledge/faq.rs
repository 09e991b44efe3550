//! Questions with their answers, from CSV or JSON.

use serde::{Deserialize, Serialize};

use super::blocks::one_line;

/// A question that shoppers ask, and the shop's own answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaqPair {
    pub question: String,
    pub answer: String,
}

/// Why a list of questions could not be read. Rows count from 1, without the header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaqError {
    #[error("the first line must name the columns `question` and `answer`")]
    Columns,
    #[error("row {0} is not readable CSV")]
    Row(usize),
    #[error(
        "not a JSON list of objects with `question` and `answer` (line {line}, column {column})"
    )]
    Json { line: usize, column: usize },
}

/// Reads CSV whose header names `question` and `answer` in any case and order; other columns are
/// ignored.
pub fn from_csv(text: &str) -> Result<Vec<FaqPair>, FaqError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| FaqError::Columns)?;
    let column = |name| header.iter().position(|title| title.eq_ignore_ascii_case(name));
    let (Some(question), Some(answer)) = (column("question"), column("answer")) else {
        return Err(FaqError::Columns);
    };
    let mut pairs = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|_| FaqError::Row(index + 1))?;
        let field = |at| record.get(at).map(one_line).ok_or(FaqError::Row(index + 1));
        pairs.push(FaqPair { question: field(question)?, answer: field(answer)? });
    }
    Ok(pairs)
}

/// Reads `[{"question": …, "answer": …}, …]`.
pub fn from_json(text: &str) -> Result<Vec<FaqPair>, FaqError> {
    serde_json::from_str(text)
        .map_err(|error| FaqError::Json { line: error.line(), column: error.column() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn csv_is_read_by_the_names_of_its_columns() {
        let pairs =
            from_csv("Answer,id,Question\n\"Yes, always.\",7,\"Is it \"\"free\"\"?\"\n").unwrap();
        assert_eq!(
            pairs,
            [FaqPair { question: "Is it \"free\"?".into(), answer: "Yes, always.".into() }]
        );
    }

    #[test]
    fn csv_without_the_columns_or_with_a_short_row_is_refused_by_place() {
        assert_eq!(from_csv("a,b\n1,2\n"), Err(FaqError::Columns));
        assert_eq!(from_csv("question,answer\nq,a\nonly\n"), Err(FaqError::Row(2)));
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
        fn what_was_written_as_csv_is_read_back(pairs in prop::collection::vec(("[ -~]{0,30}", "[ -~]{0,30}"), 0..8)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["question", "answer"]).unwrap();
            for (question, answer) in &pairs {
                writer.write_record([question, answer]).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read = from_csv(&text).unwrap();
            let expected: Vec<_> = pairs
                .iter()
                .map(|(q, a)| FaqPair { question: one_line(q), answer: one_line(a) })
                .collect();
            prop_assert_eq!(read, expected);
        }
    }
}
