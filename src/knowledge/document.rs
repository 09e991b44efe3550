//! A document as a shop sends it: its checks, its hash and its blocks.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{domain::FieldError, guard::injection};

use super::{
    blocks::{self, Block, foreign, is_line},
    chunk::{Chunk, Content, chunks},
    faq::{self, FaqPair},
    front_matter, html,
    line::LineFault,
    markdown, meta,
};

/// Most questions in one FAQ document.
const MAX_PAIRS: usize = 5_000;
const MAX_TAGS: usize = 32;
/// Comments of a page in which a header is looked for.
const MAX_COMMENTS: usize = 32;

/// The default audience of a document.
pub const PUBLIC: &str = "public";

/// The format of a document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Markdown,
    Text,
    /// Reduced to its text; scripts, styles and attributes are dropped.
    Html,
    /// Questions and answers, with a header line `question,answer`.
    Csv,
    /// `[{"question": …, "answer": …}, …]`.
    Json,
}

impl Format {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Text => "text",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// `None` if `text` names no format.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Markdown, Self::Text, Self::Html, Self::Csv, Self::Json]
            .into_iter()
            .find(|format| format.as_str() == text)
    }
}

/// The content of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    Text(String),
    Faq(Vec<FaqPair>),
}

/// A document to store; `external_id` is the shop's own name for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDocument {
    pub external_id: String,
    pub title: String,
    /// The format of [`Body::Text`]; pairs need none.
    pub format: Format,
    pub body: Body,
    pub tags: Vec<String>,
    /// Who may get answers from it: [`PUBLIC`] or a group named by the shop.
    pub audience: String,
    /// A language tag such as `en` or `de-AT`; `None` applies to every language.
    pub locale: Option<String>,
    pub url: Option<String>,
    /// Sentences that read like instructions to an assistant stay in its passages.
    pub trusted: bool,
}

impl NewDocument {
    /// SHA-256 over the whole content, as hex: its `ETag`.
    pub fn content_hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        let optional =
            |text: &Option<String>| text.as_ref().map_or_else(String::new, |t| format!("={t}"));
        // Pairs are stored as JSON, and may be sent as JSON.
        let in_json = match &self.body {
            Body::Text(text) => faq::pairs(self.format.as_str(), text),
            Body::Faq(pairs) => Some(pairs.clone()),
        };
        field(&self.title);
        field(if in_json.is_some() { Format::Json.as_str() } else { self.format.as_str() });
        field(&self.audience);
        field(&optional(&self.locale));
        field(&optional(&self.url));
        field(&self.tags.len().to_string());
        self.tags.iter().for_each(|tag| field(tag));
        for pair in in_json.iter().flatten() {
            field(&pair.question);
            field(&pair.answer);
        }
        if let (Body::Text(text), None) = (&self.body, &in_json) {
            field(text);
        }
        if self.trusted {
            field("trusted");
        }
        hex::encode(hash.finalize())
    }

    /// Size of the body in bytes.
    pub fn bytes(&self) -> usize {
        match &self.body {
            Body::Text(text) => text.len(),
            Body::Faq(pairs) => pairs.iter().map(|p| p.question.len() + p.answer.len()).sum(),
        }
    }

    /// The passages of the document, of at most `max_chars` characters. An FAQ answer stays whole.
    ///
    /// # Errors
    /// All invalid fields, or a body that is longer than `max_bytes` bytes, has no text, or does
    /// not match its format.
    pub fn passages(
        &self,
        max_bytes: usize,
        max_chars: usize,
    ) -> Result<Vec<Chunk>, Vec<FieldError>> {
        Ok(chunks(&self.read(max_bytes)?, max_chars))
    }

    /// Checks every field and reads the body; reports all faults at once.
    fn read(&self, max_bytes: usize) -> Result<Content, Vec<FieldError>> {
        let mut faults = Faults::default();
        self.check_header(&mut faults);
        faults.require(self.bytes() <= max_bytes, "text", || {
            format!("must have at most {max_bytes} bytes")
        });
        let is_text = matches!(&self.body, Body::Text(text) if foreign(text).is_none());
        faults.require(is_text || matches!(self.body, Body::Faq(_)), "text", || {
            "must have no NUL or escape characters".into()
        });
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let content = self.content(&mut faults);
        check_content(&content, &mut faults);
        if faults.0.is_empty() { Ok(content) } else { Err(faults.0) }
    }

    fn check_header(&self, faults: &mut Faults) {
        let slug = |text: &str, max: usize| {
            (1..=max).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:".contains(&b))
        };
        faults.require(slug(&self.external_id, 128), "external_id", || {
            "must have 1 to 128 characters of A-Z, a-z, 0-9 and -_./:".into()
        });
        // Programs shorten an address with such a part before they send it.
        let is_reached = !self.external_id.split('/').any(|part| matches!(part, "." | ".."));
        faults.require(is_reached, "external_id", || {
            "must have no part `.` or `..`, since no address would reach it".into()
        });
        faults.require(is_line(&self.title, 200), "title", || {
            "must be one line of 1 to 200 characters".into()
        });
        faults.require(slug(&self.audience, 40), "audience", || {
            "must have 1 to 40 characters of A-Z, a-z, 0-9 and -_./:".into()
        });
        // "Public" would hide a page from everybody.
        let small = !self.audience.contains(|c: char| c.is_ascii_uppercase());
        faults.require(small, "audience", || {
            format!("must be in lower case: `{}`", self.audience.to_ascii_lowercase())
        });
        faults
            .require(self.tags.len() <= MAX_TAGS, "tags", || format!("must be at most {MAX_TAGS}"));
        let steers = !self.trusted && injection::screen(&self.title).attack.is_some();
        faults.require(!steers, "title", || {
            "reads like an instruction to an assistant: change it, or send `trusted: true`".into()
        });
        for (index, tag) in self.tags.iter().enumerate().take(MAX_TAGS) {
            faults.require(is_line(tag, 64), &format!("tags[{index}]"), || {
                "must be one line of 1 to 64 characters".into()
            });
        }
        faults.require(self.locale.as_deref().is_none_or(is_locale), "locale", || {
            "must be a language tag such as `en` or `de-AT`".into()
        });
        faults.require(self.url.as_deref().is_none_or(is_web_address), "url", || {
            "must be an http:// or https:// address of at most 2048 characters".into()
        });
    }

    fn content(&self, faults: &mut Faults) -> Content {
        let text = match &self.body {
            Body::Faq(pairs) => return Content::Faq(pairs.clone()),
            Body::Text(text) => text,
        };
        let text = text.trim_start_matches('\u{feff}');
        if let Err(fault) = check(self.format, text) {
            faults.add("text", fault.to_string());
        }
        match own_audience(self.format, text) {
            Ok(None) => {}
            Ok(Some(own)) => faults.require(own == self.audience, "audience", || {
                format!("must be `{own}`, as `<meta name=\"audience\">` of the text says")
            }),
            Err(fault) => faults.add("text", fault.to_string()),
        }
        let pairs = match self.format {
            Format::Markdown => return Content::Blocks(markdown::blocks(text)),
            Format::Text => return Content::Blocks(blocks::from_text(text)),
            Format::Html => return Content::Blocks(html::blocks(text)),
            Format::Csv => faq::from_csv(text).map(|read| {
                read.faults.iter().for_each(|fault| faults.add("text", fault.to_string()));
                read.pairs
            }),
            Format::Json => faq::from_json(text),
        };
        Content::Faq(pairs.unwrap_or_else(|error| {
            faults.add("text", error.to_string());
            Vec::new()
        }))
    }
}

/// Whether all of a text is read, and no part of it is a header, which would be quoted.
///
/// # Errors
/// A header, or markup that hides the text below it.
pub(super) fn check(format: Format, text: &str) -> Result<(), LineFault> {
    let blocks = match format {
        Format::Csv | Format::Json => return Ok(()),
        Format::Text => return front_matter::none(text),
        Format::Markdown => {
            markdown::check(text)?;
            markdown::blocks(text)
        }
        Format::Html => {
            html::check(text)?;
            html::blocks(text)
        }
    };
    front_matter::none(text)?;
    // As a reader sees it: `<p>audience: staff</p>` is a header without fences, too.
    let line_of = |shown: &str| {
        let word = shown.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        let at = word.and_then(|word| text.find(word)).unwrap_or_default();
        1 + text[..at].matches('\n').count()
    };
    let shown = blocks.iter().filter_map(|block| match block {
        Block::Heading { .. } => None,
        Block::Paragraph(text) | Block::Item(text) => Some(&**text),
    });
    front_matter::shown(shown, line_of)?;
    html::comments(text)
        .into_iter()
        .take(MAX_COMMENTS)
        .try_for_each(|comment| front_matter::shown(comment.lines(), line_of))
}

/// The audience that a text names in its own markup.
///
/// # Errors
/// Markup that may say in other words who may read it.
pub(super) fn own_audience(format: Format, text: &str) -> Result<Option<String>, LineFault> {
    match format {
        Format::Html => meta::audience(text),
        // Line numbers are those of the raw HTML; a page has little of it.
        Format::Markdown => meta::audience(&markdown::raw_html(text)),
        Format::Text | Format::Csv | Format::Json => Ok(None),
    }
}

fn check_content(content: &Content, faults: &mut Faults) {
    match content {
        Content::Blocks(blocks) => {
            faults.require(!blocks.is_empty(), "text", || "contains no text".into());
        }
        // A list that could not be read has already been reported.
        Content::Faq(pairs) if pairs.is_empty() => {
            faults.require(!faults.0.is_empty(), "faq", || "contains no questions".into());
        }
        Content::Faq(pairs) => {
            faults.require(pairs.len() <= MAX_PAIRS, "faq", || {
                format!("must have at most {MAX_PAIRS} questions")
            });
            for (index, pair) in pairs.iter().enumerate().take(MAX_PAIRS) {
                for (field, detail) in pair.faults() {
                    faults.add(&format!("faq[{index}].{field}"), detail.to_owned());
                }
            }
        }
    }
}

/// The faults of a document, up to a limit.
#[derive(Default)]
struct Faults(Vec<FieldError>);

const MAX_FAULTS: usize = 20;

impl Faults {
    fn add(&mut self, field: &str, detail: String) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(FieldError { field: field.to_owned(), detail });
        }
    }

    fn require(&mut self, holds: bool, field: &str, detail: impl FnOnce() -> String) {
        if !holds {
            self.add(field, detail());
        }
    }
}

fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or("");
    (2..=3).contains(&language.len())
        && text.len() <= 20
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_web_address(text: &str) -> bool {
    text.len() <= 2048
        && reqwest::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(format: Format, text: &str) -> NewDocument {
        NewDocument {
            external_id: "help/returns".into(),
            title: "Returns".into(),
            format,
            body: Body::Text(text.into()),
            tags: vec!["returns".into()],
            audience: PUBLIC.into(),
            locale: Some("en".into()),
            url: Some("https://shop.example/returns".into()),
            trusted: false,
        }
    }

    fn faulty_fields(document: &NewDocument) -> Vec<String> {
        match document.read(1_000) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|fault| fault.field).collect(),
        }
    }

    #[test]
    fn every_faulty_field_is_named_at_once() {
        let mut bad = document(Format::Text, "text");
        bad.external_id = "has space".into();
        bad.title = "two\nlines".into();
        bad.tags = vec!["ok".into(), String::new()];
        bad.audience = String::new();
        bad.locale = Some("english!".into());
        bad.url = Some("javascript:alert(1)".into());
        assert!(!faulty_fields(&bad).contains(&"tags".to_owned()));
        assert_eq!(
            faulty_fields(&bad),
            ["external_id", "title", "audience", "tags[1]", "locale", "url"]
        );
        bad = document(Format::Text, "text");
        bad.tags = vec!["a".into(); MAX_TAGS + 1];
        assert_eq!(faulty_fields(&bad), ["tags"]);
    }

    #[test]
    fn an_audience_is_in_lower_case() {
        for audience in ["Public", "Staff", "PUBLIC"] {
            let page = NewDocument { audience: audience.into(), ..document(Format::Text, "a") };
            let faults = page.read(1_000).map(|_| ()).unwrap_err();
            let small = format!("must be in lower case: `{}`", audience.to_lowercase());
            assert_eq!((faults.len(), faults[0].detail.as_str()), (1, small.as_str()));
        }
    }

    #[test]
    fn an_id_that_no_address_reaches_is_refused() {
        for id in [".", "..", "a/../b", "./a", "a/..", "../../etc"] {
            let document = NewDocument { external_id: id.into(), ..document(Format::Text, "a") };
            assert_eq!(faulty_fields(&document), ["external_id"], "{id}");
        }
        for id in ["a.b", "...", "a/.b", "v1..2", ".a"] {
            let document = NewDocument { external_id: id.into(), ..document(Format::Text, "a") };
            assert!(faulty_fields(&document).is_empty(), "{id}");
        }
    }

    #[test]
    fn a_body_that_is_empty_too_long_or_unreadable_is_refused() {
        assert_eq!(faulty_fields(&document(Format::Text, " \n ")), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Html, "<script>x</script>")), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Text, &"x".repeat(1_001))), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Json, "{}")), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Text, "T\0e\0x\0t\0")), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Html, "a<script>never closed")), ["text"]);
        assert_eq!(faulty_fields(&document(Format::Markdown, "a\n\n<!-- open\n\nb")), ["text"]);
        let header = "---\naudience: staff\n---\nText.";
        for format in [Format::Markdown, Format::Text, Format::Html] {
            assert_eq!(faulty_fields(&document(format, header)), ["text"]);
            assert_eq!(faulty_fields(&document(format, "audience: staff\n\nText.")), ["text"]);
        }
        let mut pairs = document(Format::Text, "");
        let answer = "T\0e\0x\0t\0".to_owned();
        pairs.body = Body::Faq(vec![FaqPair { question: "q".into(), answer }]);
        assert_eq!(faulty_fields(&pairs), ["faq[0].answer"]);
        let pair = FaqPair { question: "q".into(), answer: "a".into() };
        pairs.body = Body::Faq(vec![pair.clone(); MAX_PAIRS]);
        assert!(pairs.read(1_000_000).is_ok());
        pairs.body = Body::Faq(vec![pair; MAX_PAIRS + 1]);
        assert_eq!(pairs.read(1_000_000).unwrap_err()[0].field, "faq");
        assert_eq!(faulty_fields(&document(Format::Csv, "question,answer\n")), ["faq"]);
        assert_eq!(
            faulty_fields(&document(Format::Csv, "question,answer\nonly\nq,a\nq,\n")),
            ["text", "text"]
        );
    }

    #[test]
    fn a_page_that_says_who_may_read_it_is_never_public_by_accident() {
        for text in [
            "<p>audience: staff</p><p>The key hangs behind the door.",
            "<div><b>Audience</b>: staff</div>Text",
            "<h1>Keys</h1><ul><li>audience = staff</ul>Text",
            "<table><tr><td>audience<td>staff</table>Text",
            "<html><!-- audience: staff --><body>Text",
            "<body><!--\ntitle: Keys\naudience: staff\n--><p>Text",
            "<p>title: Keys</p><p>audience: staff</p><p>Text",
            "<p>visibility: internal</p>Text",
        ] {
            assert_eq!(faulty_fields(&document(Format::Html, text)), ["text"], "{text}");
        }
        for text in [
            "audience | staff\n--- | ---\ntitle | Keys\n\nText.",
            "| audience | staff |\n|---|---|\n| title | Keys |\n\nText.",
            "| Key | Value |\n|---|---|\n| audience | staff |\n\nText.",
            "# Keys\n\n- title: Keys\n- audience: staff\n\nText.",
            "*audience*: staff\n\nText.",
            "Keys <!-- audience: staff -->\n\nText.",
            "access: staff\n\nText.",
        ] {
            assert_eq!(faulty_fields(&document(Format::Markdown, text)), ["text"], "{text}");
        }
        for text in [
            "Our audience is everybody.",
            "# Audience\n\nEverybody.",
            "Access: by tram 4, stop Harbour.",
            "| Country | Price |\n|---|---|\n| Norway | 4.90 EUR |",
            "Audience!\n\nText.",
            "Audience members may bring a bag.\n\nText.",
        ] {
            assert!(faulty_fields(&document(Format::Markdown, text)).is_empty(), "{text}");
        }
        let tag = "<meta name=\"audience\" content=\"staff\"><p>Text.";
        for format in [Format::Html, Format::Markdown] {
            let mut page = document(format, tag);
            assert_eq!(faulty_fields(&page), ["audience"]);
            page.audience = "staff".into();
            assert!(faulty_fields(&page).is_empty());
        }
    }

    #[test]
    fn each_format_is_read() {
        for (format, text) in [
            (Format::Markdown, "# A\nb"),
            (Format::Text, "b"),
            (Format::Html, "<p>b"),
            (Format::Csv, "question,answer\nq,a\n"),
            (Format::Json, "[{\"question\":\"q\",\"answer\":\"a\"}]"),
        ] {
            assert!(document(format, text).read(1_000).is_ok(), "{format:?}");
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
    }

    #[test]
    fn the_hash_changes_with_every_field_but_the_id() {
        let original = document(Format::Text, "text");
        let changes: [fn(&mut NewDocument); 8] = [
            |d| d.title.push('x'),
            |d| d.format = Format::Markdown,
            |d| d.body = Body::Text("other".into()),
            |d| d.tags.push("x".into()),
            |d| d.audience = "staff".into(),
            |d| d.locale = None,
            |d| d.url = None,
            |d| d.trusted = true,
        ];
        let mut hashes = vec![original.content_hash()];
        for change in changes {
            let mut changed = original.clone();
            change(&mut changed);
            hashes.push(changed.content_hash());
        }
        let distinct: std::collections::HashSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());

        let renamed = NewDocument { external_id: "other".into(), ..original.clone() };
        assert_eq!(renamed.content_hash(), original.content_hash());
    }
}
