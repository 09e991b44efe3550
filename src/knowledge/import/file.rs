//! One file as a document.

use std::path::Path;

use crate::knowledge::{
    blocks,
    document::{Body, Format, NewDocument, PUBLIC, check, own_audience},
    faq::{self, FaqPair},
    front_matter, html,
    line::LineFault,
    markdown,
};

use super::{
    fault::Reason,
    name::{external_id, title},
    text,
};

/// A document, and what of its file was left out.
pub struct Read {
    pub document: NewDocument,
    pub left_out: Vec<Reason>,
}

pub fn format_of(path: &Path) -> Option<Format> {
    Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Format::Markdown,
        "txt" => Format::Text,
        "html" | "htm" => Format::Html,
        "csv" => Format::Csv,
        "json" => Format::Json,
        _ => return None,
    })
}

/// A file that is already in memory; `name` is its path below the folder.
///
/// # Errors
/// Why it cannot be read. A file with another extension is read as plain text. Rows of CSV that
/// cannot be read are left out.
pub fn read_file(name: &str, bytes: &[u8]) -> Result<NewDocument, Reason> {
    let path = Path::new(name);
    let id = external_id(path).ok_or(Reason::Name)?;
    let format = format_of(path).unwrap_or(Format::Text);
    Ok(read(path, id, format, bytes.to_vec())?.document)
}

/// Converts a file at `path` below the folder. Without a header, its title is its first heading or
/// its name.
pub fn read(path: &Path, id: String, format: Format, bytes: Vec<u8>) -> Result<Read, Reason> {
    let text = text::read(bytes)?;
    let (header, body) = match format {
        Format::Markdown | Format::Text | Format::Html => front_matter::read(&text)?,
        Format::Csv | Format::Json => (front_matter::Header::default(), &*text),
    };
    // Lines count from the top of the file, and not from below its header.
    let above = text[..text.len() - body.len()].matches('\n').count();
    check(format, body).map_err(|fault| fault.below(above))?;
    let own = own_audience(format, body).map_err(|fault| fault.below(above))?;
    if let (Some(header), Some(own)) = (&header.audience, &own)
        && header != own
    {
        let detail = format!("the header names the audience `{header}`, and `<meta>` `{own}`");
        return Err(LineFault::new(1, detail).into());
    }
    let (content, left_out) = content(format, body)?;
    let document = NewDocument {
        trusted: false,
        title: header.title.or_else(|| heading(format, body)).unwrap_or_else(|| title(path)),
        format,
        body: content,
        tags: header.tags,
        audience: header.audience.or(own).unwrap_or_else(|| PUBLIC.to_owned()),
        locale: header.locale,
        url: header.url,
        external_id: id,
    };
    Ok(Read { document, left_out })
}

/// What to store, and why some questions are not in it.
fn content(format: Format, text: &str) -> Result<(Body, Vec<Reason>), Reason> {
    let (pairs, left_out) = match format {
        Format::Markdown | Format::Text | Format::Html => {
            return Ok((Body::Text(text.to_owned()), Vec::new()));
        }
        Format::Json => valid(faq::from_json(text)?),
        Format::Csv => {
            let read = faq::from_csv(text)?;
            (read.pairs, read.faults.into_iter().map(Reason::Line).collect())
        }
    };
    Ok((Body::Faq(pairs), left_out))
}

/// The pairs that can be stored, and why the others cannot.
fn valid(pairs: Vec<FaqPair>) -> (Vec<FaqPair>, Vec<Reason>) {
    let mut left_out = Vec::new();
    let mut number = 0;
    let pairs = pairs.into_iter().filter(|pair| {
        number += 1;
        let fault = pair.faults().into_iter().next();
        left_out.extend(fault.map(|(field, detail)| Reason::Pair { number, field, detail }));
        fault.is_none()
    });
    (pairs.collect(), left_out)
}

/// The first heading of the highest level.
fn heading(format: Format, text: &str) -> Option<String> {
    let blocks = match format {
        Format::Markdown => markdown::blocks(text),
        Format::Html => html::blocks(text),
        Format::Text | Format::Csv | Format::Json => return None,
    };
    blocks.into_iter().find_map(|block| match block {
        blocks::Block::Heading { level: 1, text } => Some(text),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str, text: &str) -> String {
        read_file(name, text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_page_may_name_its_audience_in_its_header_or_in_its_markup_and_not_both_ways() {
        let audience = |name: &str, text: &str| read_file(name, text.as_bytes()).unwrap().audience;
        let meta = "<meta name=audience content=staff><p>Text";
        for text in [meta.to_owned(), format!("---\naudience: staff\n---\n{meta}")] {
            assert_eq!(audience("a.html", &text), "staff");
            assert_eq!(audience("a.md", &text), "staff");
        }
        assert_eq!(audience("a.txt", meta), PUBLIC);
        let both = fault("a.html", &format!("---\naudience: public\n---\n{meta}"));
        assert_eq!(both, "line 1: the header names the audience `public`, and `<meta>` `staff`");
    }

    #[test]
    fn lines_are_counted_from_the_top_of_the_file() {
        let header = "---\ntitle: a\n---\n";
        for (text, expected) in [
            ("audience: staff\n", "line 4: `audience` looks like"),
            ("<p>Text</p>\n<script>", "line 5: `<script>` is never closed"),
            ("<p>Text</p>\n<meta name=access content=x>", "line 5: `<meta name"),
        ] {
            let fault = fault("a.html", &format!("{header}{text}"));
            assert!(fault.starts_with(expected), "{fault}");
        }
    }
}
