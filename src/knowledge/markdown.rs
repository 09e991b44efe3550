//! Reads Markdown into blocks. Emphasis and links keep their words, images keep their description,
//! and raw HTML goes through `html`, so no script and no tag gets into a passage.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{
    blocks::{self, Block},
    html,
    line::LineFault,
};

const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);

/// Reads Markdown with tables. It never fails, because every text is valid Markdown.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, OPTIONS) {
        reader.read(event);
    }
    reader.flush();
    reader.blocks
}

/// Whether all of the text is read.
///
/// # Errors
/// Raw HTML that is never closed, and so takes the rest of the text with it.
pub fn check(text: &str) -> Result<(), LineFault> {
    let end = text.trim_end().len();
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        if matches!(event, Event::End(TagEnd::HtmlBlock)) && range.end >= end {
            let lines = text[..range.start].matches('\n').count();
            return html::check(&text[range]).map_err(|fault| fault.below(lines));
        }
    }
    Ok(())
}

/// The raw HTML of a text, without what is inside code.
pub fn raw_html(text: &str) -> String {
    let html = Parser::new_ext(text, OPTIONS).filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(html.into_string()),
        _ => None,
    });
    html.collect::<Vec<_>>().join("\n")
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    text: String,
    heading: Option<u8>,
    /// The nesting depth of lists.
    lists: usize,
    table: Option<Table>,
    raw: Option<String>,
}

/// A row becomes "Country: Norway; Standard: 4.90 EUR", so that it can be quoted alone.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    cells: Vec<String>,
}

impl Reader {
    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::SoftBreak | Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.flush(),
            Event::Html(html) => match &mut self.raw {
                Some(raw) => raw.push_str(&html),
                None => self.blocks.extend(html::blocks(&html)),
            },
            // Every other event is an inline tag without effect, or belongs to a disabled
            // extension.
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(*level as u8);
            }
            Tag::List(_) => {
                self.flush();
                self.lists += 1;
            }
            Tag::Table(_) => {
                self.flush();
                self.table = Some(Table::default());
            }
            Tag::HtmlBlock => {
                self.flush();
                self.raw = Some(String::new());
            }
            Tag::Paragraph | Tag::Item | Tag::BlockQuote(_) | Tag::CodeBlock(_) => self.flush(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_)
            | TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::BlockQuote(_) => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists = self.lists.saturating_sub(1);
            }
            TagEnd::TableCell => self.cell(),
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.names = std::mem::take(&mut table.cells);
                    for name in table.names.iter_mut().filter(|name| !blocks::is_name(name)) {
                        blocks::push(&mut self.blocks, name, Block::Paragraph);
                    }
                }
            }
            TagEnd::TableRow => self.row(),
            TagEnd::Table => self.table = None,
            TagEnd::HtmlBlock => {
                if let Some(raw) = self.raw.take() {
                    self.blocks.extend(html::blocks(&raw));
                }
            }
            _ => {}
        }
    }

    fn cell(&mut self) {
        if let Some(table) = &mut self.table {
            table.cells.push(blocks::one_line(&self.text));
            self.text.clear();
        }
    }

    fn row(&mut self) {
        let Some(table) = &mut self.table else { return };
        let mut row = String::new();
        for (index, cell) in std::mem::take(&mut table.cells).into_iter().enumerate() {
            if cell.is_empty() {
                continue;
            }
            if !row.is_empty() {
                row.push_str("; ");
            }
            if let Some(name) = table.names.get(index).filter(|name| !name.is_empty()) {
                row.push_str(name);
                row.push_str(": ");
            }
            row.push_str(&cell);
        }
        blocks::push(&mut self.blocks, &mut row, Block::Item);
    }

    fn flush(&mut self) {
        let heading = self.heading.take();
        let in_list = self.lists > 0;
        blocks::push(&mut self.blocks, &mut self.text, |text| match heading {
            Some(level) => Block::Heading { level, text },
            None if in_list => Block::Item(text),
            None => Block::Paragraph(text),
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paragraph(text: &str) -> Block {
        Block::Paragraph(text.into())
    }

    fn item(text: &str) -> Block {
        Block::Item(text.into())
    }

    #[test]
    fn headings_paragraphs_and_lists_become_blocks_without_markup() {
        let text = "# Returns\nYou have **30 days**.\nSee [the form](https://x.example).\n\n- boots\n- tents\n  - poles\n";
        assert_eq!(
            blocks(text),
            [
                Block::Heading { level: 1, text: "Returns".into() },
                paragraph("You have 30 days. See the form."),
                item("boots"),
                item("tents"),
                item("poles"),
            ]
        );
    }

    #[test]
    fn a_table_row_carries_the_names_of_its_columns() {
        let text = "| Country | Cost |\n| --- | --- |\n| Norway | 4.90 EUR |\n| Sweden | |\n";
        assert_eq!(
            blocks(text),
            [item("Country: Norway; Cost: 4.90 EUR"), item("Country: Sweden")]
        );
    }

    #[test]
    fn a_name_that_is_a_whole_text_is_not_repeated_in_each_row() {
        let name = "x".repeat(201);
        let text = format!("| {name} | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n");
        assert_eq!(blocks(&text), [paragraph(&name), item("1; b: 2"), item("3; b: 4")]);
    }

    #[test]
    fn html_in_markdown_leaves_its_words_and_no_script() {
        let text = "Before <b>bold</b>.\n\n<div>Kept <script>alert(1)</script></div>\n\n<script>\nsteal()\n\n</script>\n\nAfter.";
        assert_eq!(
            blocks(text),
            [paragraph("Before bold."), paragraph("Kept"), paragraph("After.")]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s)[ -~\n|#<>*_`\\[\\]-]{0,300}|\\PC{0,200}") {
            for block in blocks(&text) {
                prop_assert!(!block.text().is_empty());
                prop_assert!(!block.text().contains('\n'));
            }
        }
    }
}
