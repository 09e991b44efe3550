//! Reduces HTML to the text that a reader would see, as blocks.
//!
//! It reads tags like a browser's tokenizer (quoted attributes, comments, raw-text elements) and
//! builds no tree. The result is text for an index, never HTML to display. Elements without
//! readable text are dropped with their content.

use super::{
    blocks::{self, Block},
    line::LineFault,
};

/// Elements dropped with their content.
const SILENT: [&str; 12] = [
    "script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title",
    "select", "textarea", "button",
];

/// Elements that end the paragraph before and after them.
const BREAKING: [&str; 33] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "head",
    "header",
    "hr",
    "html",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "thead",
    "tfoot",
    "ul",
];

/// Named character references that are common in shop texts. Others stay as written.
const NAMED: [(&str, char); 40] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("times", '×'),
    ("frac12", '½'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("hellip", '…'),
    ("bull", '•'),
    ("middot", '·'),
    ("rarr", '→'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
    ("ntilde", 'ñ'),
];

/// Reads HTML. It never fails, because a browser would show any text.
pub fn blocks(html: &str) -> Vec<Block> {
    read(html).0
}

/// Whether all of the page is read.
///
/// # Errors
/// Markup that is never closed and hides what follows.
pub fn check(html: &str) -> Result<(), LineFault> {
    let Some((rest, markup)) = read(html).1 else { return Ok(()) };
    let line = 1 + html[..html.len() - rest.len()].matches('\n').count();
    let detail = format!("`{markup}` is never closed, so the text that follows it would be lost");
    Err(LineFault { line, detail })
}

/// The blocks, and what is never closed together with the text from there on.
fn read(html: &str) -> (Vec<Block>, Option<(&str, String)>) {
    let mut reader = Reader::default();
    let mut unclosed = None;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.text(&rest[..at]);
        let begin = &rest[at..];
        let (piece, after) = markup(begin);
        let mut after = after.ok_or_else(|| match &piece {
            Piece::Open { name, .. } => format!("<{name}"),
            Piece::Close(name) => format!("</{name}"),
            Piece::Text(_) | Piece::Nothing => {
                begin.chars().take_while(|c| "<!-?".contains(*c)).collect()
            }
        });
        match piece {
            Piece::Text(text) => reader.text(text),
            Piece::Nothing => {}
            Piece::Close(name) => reader.close(&name),
            Piece::Open { name, closed, .. } if SILENT.contains(&name.as_str()) => {
                if let Some(content) = after.as_ref().ok().copied().filter(|_| !closed) {
                    after = after_close(content, &name).ok_or_else(|| format!("<{name}>"));
                }
            }
            Piece::Open { name, .. } => reader.open(&name),
        }
        rest = after.unwrap_or_else(|markup| {
            unclosed = Some((begin, markup));
            ""
        });
    }
    reader.text(rest);
    reader.flush();
    (reader.blocks, unclosed)
}

/// The insides of all tags `name`, and of no other one.
pub(super) fn tags<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = Some(html);
    while let Some((_, begin)) = rest.and_then(|rest| Some(rest.split_at(rest.find('<')?))) {
        let (piece, after) = markup(begin);
        rest = after;
        if let Piece::Open { name: opened, inside, closed } = piece {
            if opened == name {
                found.push(inside);
            }
            if SILENT.contains(&&*opened) && !closed {
                rest = rest.and_then(|content| after_close(content, &opened));
            }
        }
    }
    found
}

/// The comments of a page.
pub(super) fn comments(html: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = Some(html);
    while let Some((_, begin)) = rest.and_then(|rest| Some(rest.split_at(rest.find("<!--")?))) {
        let inside = &begin["<!--".len()..];
        rest = after_comment(inside);
        let end = rest.map_or(inside.len(), |rest| inside.len() - rest.len());
        found.push(inside[..end].trim_end_matches(['-', '!', '>']));
    }
    found
}

enum Piece<'a> {
    Text(&'a str),
    Nothing,
    Open { name: String, inside: &'a str, closed: bool },
    Close(String),
}

/// The piece of markup at the start of `rest` (which begins with `<`), and what follows it; `None`
/// if the piece has no end.
fn markup(rest: &str) -> (Piece<'_>, Option<&str>) {
    let inner = &rest[1..];
    if let Some(comment) = inner.strip_prefix("!--") {
        return (Piece::Nothing, after_comment(comment));
    }
    match inner.as_bytes().first() {
        Some(b'!' | b'?') => (Piece::Nothing, after_tag(inner).1),
        Some(b'/') => {
            let (tag, after) = after_tag(&inner[1..]);
            (Piece::Close(name_of(tag)), after)
        }
        Some(letter) if letter.is_ascii_alphabetic() => {
            let (tag, after) = after_tag(inner);
            (Piece::Open { name: name_of(tag), inside: tag, closed: tag.ends_with('/') }, after)
        }
        _ => (Piece::Text(&rest[..1]), Some(inner)),
    }
}

/// The text after a comment. `<!-->` is a whole one, and `--!>` ends one, as in a browser.
fn after_comment(comment: &str) -> Option<&str> {
    let is_whole = comment.starts_with('>') || comment.starts_with("->");
    let is_end = |at: &usize| ["--", "--!"].iter().any(|dashes| comment[..*at].ends_with(dashes));
    let mut ends = comment.match_indices('>').map(|(at, _)| at);
    let end = if is_whole { ends.next() } else { ends.find(is_end) };
    end.map(|at| &comment[at + 1..])
}

/// Splits at the `>` that ends the tag, ignoring those in quoted attributes. `None` without one.
fn after_tag(tag: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    let mut value = false;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') if value => quote = Some(byte),
            (None, b'>') => return (&tag[..at], Some(&tag[at + 1..])),
            _ => {}
        }
        // A quote starts a value only after `=`. Elsewhere it is part of a name, as in `<p
        // class=it's>`.
        value = byte == b'=' || (value && byte.is_ascii_whitespace());
    }
    (tag, None)
}

fn name_of(tag: &str) -> String {
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    tag[..end].to_ascii_lowercase()
}

/// The text after the closing tag of `name`; `None` if it is never closed.
fn after_close<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        let tag = &rest[at + 2..];
        // Only a matching tag is read to its end. Otherwise a page with many `</` would be read
        // once for each of them.
        if name_of(tag) == name {
            return after_tag(tag).1;
        }
        rest = tag;
    }
    None
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Paragraph,
    Item,
    Heading(u8),
}

impl Reader {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.text.push_str(&rest[..at]);
            rest = &rest[at..];
            match reference(rest) {
                Some((c, length)) => {
                    self.text.push(c);
                    rest = &rest[length..];
                }
                None => {
                    self.text.push('&');
                    rest = &rest[1..];
                }
            }
        }
        self.text.push_str(rest);
    }

    fn open(&mut self, name: &str) {
        match kind_of(name) {
            Some(kind) => {
                self.flush();
                self.kind = kind;
            }
            None if BREAKING.contains(&name) => {
                let kind = self.kind;
                self.flush();
                // `<li><p>…` is still an item.
                self.kind = kind;
            }
            None if matches!(name, "td" | "th") => self.text.push(' '),
            None => {}
        }
    }

    fn close(&mut self, name: &str) {
        if kind_of(name).is_some() || BREAKING.contains(&name) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let kind = std::mem::take(&mut self.kind);
        blocks::push(&mut self.blocks, &mut self.text, |text| match kind {
            Kind::Paragraph => Block::Paragraph(text),
            Kind::Item => Block::Item(text),
            Kind::Heading(level) => Block::Heading { level, text },
        });
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    match name.as_bytes() {
        b"li" | b"tr" | b"option" => Some(Kind::Item),
        [b'h', level @ b'1'..=b'6'] => Some(Kind::Heading(level - b'0')),
        _ => None,
    }
}

/// The character of a reference at the start of `text`, and the reference's length in bytes.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(html: &str) -> Vec<String> {
        blocks(html).iter().map(|block| block.text().to_owned()).collect()
    }

    #[test]
    fn a_page_becomes_headings_paragraphs_and_items() {
        let html = "<html><head><title>x</title></head><body><h2 class='a>b'>Shipping &amp; costs</h2>\
                    <p>From <b>4.90&nbsp;&euro;</b>.<br>Free above 60.<ul><li><p>Norway</p></li><li>Sweden</ul></body>";
        assert_eq!(
            blocks(html),
            [
                Block::Heading { level: 2, text: "Shipping & costs".into() },
                Block::Paragraph("From 4.90 €.".into()),
                Block::Paragraph("Free above 60.".into()),
                Block::Item("Norway".into()),
                Block::Item("Sweden".into()),
            ]
        );
    }

    #[test]
    fn scripts_styles_and_comments_leave_no_text() {
        for html in [
            "<script>alert('</p>')</script>",
            "<SCRIPT type=\"a>b\">x</ScRiPt >",
            "<style>p { color: red }</style>",
            "<!-- <p>hidden</p> -->",
            "<script>never closed",
            "<!-- never closed",
            "<svg><text>x</text></svg>",
            "<img src=x onerror=\"alert(1)\">",
        ] {
            assert_eq!(texts(html), [""; 0], "{html}");
        }
    }

    #[test]
    fn a_head_without_an_end_hides_nothing() {
        for html in [
            "<html><head><title>x</title><body><p>Hours</p>",
            "<head><meta charset=utf-8><title>x</title><p>Hours",
            "<HTML><HEAD lang=en><TITLE>x</TITLE><STYLE>p {}</STYLE><BODY>Hours</BODY></HTML>",
            "<head><script>x</script><h1>Hours</h1>",
            "<head>Hours",
            "<title>x</title><div>Hours</div>",
            "<!doctype html><head><link rel=x><base href=y><noscript>z</noscript>Hours</body>",
            "<head><!--> --><p>Hours",
            "<!--><p>Hours",
            "<!---><p>Hours",
            "<p class=it's>Hours</p>",
            "<head></head><body>Hours",
            "<head/><p>Hours<!-- x --!>",
        ] {
            assert!(texts(html).contains(&"Hours".to_owned()), "{html}: {:?}", texts(html));
            assert!(!texts(html).contains(&"x".to_owned()), "{html}");
            assert_eq!(check(html), Ok(()), "{html}");
        }
    }

    #[test]
    fn a_page_that_would_lose_text_names_the_line() {
        for (html, line, markup) in [
            ("<p>One</p>\n<script>x\n<p>Two</p>", 2, "<script>"),
            ("<head>\n<title>x\n<body><p>One</p>", 2, "<title>"),
            ("<style>\np {}\n<p>One</p>", 1, "<style>"),
            ("\n\n<!-- one <p>Two</p>", 3, "<!--"),
            ("<p>One</p>\n<a href=\"x>two</a>\n<p>three", 2, "<a"),
            ("<p>One</p>\n<textarea><p>Two", 2, "<textarea>"),
            ("<button><p>One</p>", 1, "<button>"),
            ("One\n<p", 2, "<p"),
            ("One\n</p", 2, "</p"),
            ("<!doctype html", 1, "<!"),
        ] {
            let fault = check(html).unwrap_err();
            assert_eq!(fault.line, line, "{html}");
            assert!(fault.detail.starts_with(&format!("`{markup}` is never closed")), "{fault}");
        }
    }

    #[test]
    fn a_page_full_of_closing_tags_or_comments_is_read_once() {
        assert_eq!(texts(&("<!---->".repeat(200_000) + "after")), ["after"]);
        let html = format!("<script>{}</script><p>after", "</".repeat(200_000));
        assert_eq!(texts(&html), ["after"]);
    }

    #[test]
    fn a_lone_angle_bracket_is_text() {
        assert_eq!(texts("5 < 7 and a&b &unknown; &#8364;"), ["5 < 7 and a&b &unknown; €"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(html in "(?s)[ -~<>&;/\"'=!-]{0,300}|\\PC{0,200}") {
            blocks(&html);
        }

        #[test]
        fn no_tag_survives(
            words in prop::collection::vec("[a-z]{1,8}", 1..10),
            tags in prop::collection::vec("</?[a-z]{1,6}( [a-z]+=\"[a-z<>]*\")?>", 10),
        ) {
            let html: String = words.iter().zip(&tags).map(|(word, tag)| format!("{word} {tag}")).collect();
            prop_assert!(!texts(&html).join(" ").contains(['<', '>']));
        }
    }
}
