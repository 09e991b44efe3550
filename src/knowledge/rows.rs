//! Rows of CSV. The library accepts any text, and reads on to the next quotation mark if one is
//! missing. So each row is compared with what the library read, and one with a wrong quotation mark
//! takes no other row with it.

/// A row with the line at which it begins, from 1. Blank lines are no rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub line: usize,
    pub fields: Result<Vec<String>, Broken>,
}

/// Why a row could not be split into fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("has a quotation mark too many or too few (inside quoted text, write it twice)")]
    Quotes,
    /// The lines behind it may be text of this row.
    #[error("opens a quotation mark that is not closed: lines {from} to {to} are not read")]
    Swallowed { from: usize, to: usize },
}

/// The rows of `text`, which has `\n` as line ends and begins at line `line` of its file. The first
/// one tells how many fields a row has.
pub fn rows(text: &str, line: usize, separator: u8) -> Vec<Row> {
    let text = without_spaces_at_quotes(text, separator.into());
    let mut rows: Vec<Row> = Vec::new();
    let mut columns = None;
    for Record { line, raw, fields } in Records::new(&text, line, separator) {
        let Some(fields) = fields else {
            let (broken, others) = broken(raw, line, separator, columns);
            rows.push(Row { line, fields: Err(broken) });
            rows.extend(others);
            continue;
        };
        if !is_blank(&fields) {
            columns = columns.or(Some(fields.len()));
            rows.push(Row { line, fields: Ok(fields) });
        }
    }
    rows
}

/// A broken row, and the rows that it has swallowed: the lines behind it, if each is a row by
/// itself. Otherwise they may be the text of an answer.
fn broken(raw: &str, line: usize, separator: u8, columns: Option<usize>) -> (Broken, Vec<Row>) {
    let swallowed = raw.split_once('\n').map_or("", |(_, behind)| behind);
    if swallowed.trim().is_empty() {
        return (Broken::Quotes, Vec::new());
    }
    let rows: Option<Vec<Row>> = Records::new(swallowed, line + 1, separator)
        .filter(|record| !record.fields.as_deref().is_some_and(is_blank))
        .map(|Record { line, fields, .. }| {
            let fields = fields.filter(|fields| Some(fields.len()) == columns)?;
            Some(Row { line, fields: Ok(fields) })
        })
        .collect();
    let to = line + raw.trim_end().matches('\n').count();
    rows.map_or((Broken::Swallowed { from: line, to }, Vec::new()), |rows| (Broken::Quotes, rows))
}

fn is_blank(fields: &[String]) -> bool {
    matches!(fields, [field] if field.is_empty())
}

/// A row as the library splits it.
struct Record<'a> {
    line: usize,
    raw: &'a str,
    /// `None` if a quotation mark is wrong.
    fields: Option<Vec<String>>,
}

struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    line: usize,
    separator: char,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, line: usize, separator: u8) -> Self {
        let reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        Self { text, reader, line, separator: separator.into() }
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.position().byte()).unwrap_or(self.text.len())
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let begin = self.at();
        let mut fields = csv::StringRecord::new();
        // Text in memory whose rows may have any length is read without an error.
        if !self.reader.read_record(&mut fields).ok()? {
            return None;
        }
        let read = self.text.get(begin..self.at())?;
        let raw = read.trim_start_matches('\n');
        let line = self.line + (read.len() - raw.len());
        self.line += read.matches('\n').count();
        let fields = is_how_it_is_written(raw, &fields, self.separator)
            .then(|| fields.iter().map(|field| field.trim().to_owned()).collect());
        Some(Record { line, raw, fields })
    }
}

/// Whether a program that writes `fields` writes `raw`, with or without quotation marks.
fn is_how_it_is_written(raw: &str, fields: &csv::StringRecord, separator: char) -> bool {
    let mut rest = raw;
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            let Some(after) = rest.strip_prefix(separator) else { return false };
            rest = after;
        }
        let quoted = rest.starts_with('"').then(|| format!("\"{}\"", field.replace('"', "\"\"")));
        let Some(after) = rest.strip_prefix(quoted.as_deref().unwrap_or(field)) else {
            return false;
        };
        rest = after;
    }
    matches!(rest, "" | "\n")
}

/// `a, "b" ` becomes `a,"b"`: the library takes a quotation mark behind a space for text.
fn without_spaces_at_quotes(text: &str, separator: char) -> String {
    let ends = [separator, '\n'];
    let is_space = |c: char| c == ' ' && c != separator;
    let mut tidy = String::with_capacity(text.len());
    let mut pieces = text.split('"').enumerate().peekable();
    while let Some((index, piece)) = pieces.next() {
        // Pieces with an odd index stand inside quotation marks.
        let (mut kept, is_outside) = (piece, index % 2 == 0);
        let begin = kept.trim_start_matches(is_space);
        if is_outside && index > 0 && (begin.starts_with(ends) || pieces.peek().is_none()) {
            kept = begin;
        }
        let end = kept.trim_end_matches(is_space);
        if is_outside && pieces.peek().is_some() && (end.ends_with(ends) || index == 0) {
            kept = end;
        }
        tidy.push_str(kept);
        if pieces.peek().is_some() {
            tidy.push('"');
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(usize, Result<Vec<String>, Broken>)> {
        rows(text, 1, b',').into_iter().map(|row| (row.line, row.fields)).collect()
    }

    fn fields(fields: &[&str]) -> Result<Vec<String>, Broken> {
        Ok(fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn a_row_has_the_line_of_the_file_at_which_it_begins() {
        let text = "\na,b\n\n\"c\n\nd\",e\n \t\nf,\"\"\"g\"\"\"\n";
        let expected =
            [(2, fields(&["a", "b"])), (4, fields(&["c\n\nd", "e"])), (8, fields(&["f", "\"g\""]))];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn quotation_marks_are_read_with_spaces_around_them_and_inside_words() {
        for (text, expected) in [
            ("a, \"b, c\" \n", ["a", "b, c"]),
            ("\"a\" ,\"b\"", ["a", "b"]),
            (" \"a\" , \"b\" ", ["a", "b"]),
            ("5\" pipe,6\" or 7\" pipe", ["5\" pipe", "6\" or 7\" pipe"]),
            ("\"a \"\"b\"\"\",\"\"", ["a \"b\"", ""]),
        ] {
            assert_eq!(read(text), [(1, fields(&expected))], "{text:?}");
        }
    }

    #[test]
    fn a_broken_row_takes_no_other_row_with_it() {
        let swallowed = |from, to| Err(Broken::Swallowed { from, to });
        for (text, expected) in [
            ("\"b\" c,a\nd,e", vec![(2, Err(Broken::Quotes)), (3, fields(&["d", "e"]))]),
            ("a,\"b \\\"c\\\"\"\nd,e", vec![(2, Err(Broken::Quotes)), (3, fields(&["d", "e"]))]),
            (
                "a,\"b\nd,e\n\nf,\"g\"\n",
                vec![(2, Err(Broken::Quotes)), (3, fields(&["d", "e"])), (5, fields(&["f", "g"]))],
            ),
            ("a,\"b\nc, d, e\nf\n", vec![(2, swallowed(2, 4))]),
            (
                "a,\"b\nc,\"d\"\ne,f",
                vec![(2, Err(Broken::Quotes)), (3, fields(&["c", "d"])), (4, fields(&["e", "f"]))],
            ),
            ("a,\"b\n\"\"c,d", vec![(2, swallowed(2, 3))]),
            ("a,b\nc,\"", vec![(2, fields(&["a", "b"])), (3, Err(Broken::Quotes))]),
        ] {
            let mut rows = read(&format!("x,y\n{text}"));
            assert_eq!(rows.remove(0), (1, fields(&["x", "y"])));
            assert_eq!(rows, expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn each_word_is_read_or_stands_in_a_line_that_is_named(
            text in "(x,y\n)?[a-c\", ;\n]{0,60}", separator in "[,;]",
        ) {
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            let lines: Vec<&str> = text.lines().collect();
            let rows = rows(&text, 1, separator.as_bytes()[0]);
            prop_assert!(rows.is_sorted_by(|a, b| a.line < b.line));
            let found = rows.iter().map(|row| match &row.fields {
                Ok(fields) => letters(&fields.concat()),
                Err(Broken::Quotes) => letters(lines[row.line - 1]),
                Err(Broken::Swallowed { from, to }) => letters(&lines[from - 1..*to].concat()),
            });
            prop_assert_eq!(found.sum::<usize>(), letters(&text));
        }
    }
}
