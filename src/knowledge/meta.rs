//! What the `<meta>` tags of a page say of its readers.

use super::{
    front_matter,
    html::tags,
    line::LineFault,
    names::{self, Meaning},
};

/// The audience of a page by its `<meta name="audience" content="…">`.
///
/// # Errors
/// A tag that may say in other words who may read the page.
pub fn audience(html: &str) -> Result<Option<String>, LineFault> {
    let mut found: Option<String> = None;
    for tag in tags(html, "meta") {
        let line = 1 + html[..tag.as_ptr().addr() - html.as_ptr().addr()].matches('\n').count();
        let fault = |detail: String| LineFault::new(line, detail);
        let attributes = attributes(tag);
        let value = |name: &str| attributes.iter().find(|(n, _)| n == name).map(|(_, v)| &**v);
        let names = ["name", "property", "itemprop"].map(value).into_iter().flatten();
        let content = value("content").unwrap_or_default();
        for name in names {
            // Search engines read it, and nobody else.
            if name.trim().eq_ignore_ascii_case("robots") {
                continue;
            }
            let is_open = match names::meaning(name) {
                Meaning::Unused | Meaning::Unknown => true,
                Meaning::Switch(open) => names::is_open(open, content),
                Meaning::Access => false,
            };
            if is_open {
                continue;
            }
            if !name.trim().eq_ignore_ascii_case("audience") {
                return Err(fault(format!(
                    "`<meta name=\"{}\">` is not read and may say who may read the page: \
                     write `<meta name=\"audience\" content=\"…\">` in its place",
                    name.trim()
                )));
            }
            let group =
                front_matter::audience(Some(content.trim().to_owned()).filter(|g| !g.is_empty()));
            let group = group.map_err(fault)?;
            match &found {
                Some(other) if *other != group => {
                    return Err(fault(format!(
                        "`<meta>` names the audiences `{other}` and `{group}`"
                    )));
                }
                _ => found = Some(group),
            }
        }
    }
    Ok(found)
}

/// The attributes of the inside of a tag, with their names in lower case.
fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/');
    // Behind the name of the element.
    let mut rest = tag.find(is_end).map_or("", |at| &tag[at..]);
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(is_end).unwrap_or(rest.len());
        let (name, after) =
            if rest.starts_with('=') { rest.split_at(1) } else { rest.split_at(end) };
        if name.is_empty() {
            return found;
        }
        let mut value = "";
        rest = after.trim_start();
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            (value, rest) = match behind.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    behind[1..].split_once(quote).unwrap_or((&behind[1..], ""))
                }
                _ => behind.split_at(
                    behind.find(|c: char| c.is_ascii_whitespace()).unwrap_or(behind.len()),
                ),
            };
        }
        found.push((name.to_ascii_lowercase(), value.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_audience_of_a_page_is_read_in_every_way_to_write_it() {
        for html in [
            "<meta name=\"audience\" content=\"staff\">",
            "<html><head><META NAME=audience CONTENT=staff></head><p>x",
            "<meta content='staff' name='Audience' />",
            "<meta\n  property = \"audience\"\n  content = \"staff\"\n/>",
            "<meta charset=utf-8><meta itemprop=\"audience\" content=\" staff \">",
            "<meta name=\"audience\" content=\"staff\"><meta name=\"audience\" content=\"staff\">",
        ] {
            assert_eq!(audience(html), Ok(Some("staff".to_owned())), "{html}");
        }
    }

    #[test]
    fn tags_for_browsers_and_search_engines_say_nothing_of_readers() {
        for html in [
            "<meta name=viewport content=\"width=device-width\"><meta name=robots content=noindex>",
            "<meta http-equiv=refresh content=5><meta name=description content=\"For staff\">",
            "<meta property=\"og:title\" content=x><meta name=draft content=false>",
            "<!-- <meta name=audience content=staff> --><script><meta name=audience content=x></script>",
            "<p>audience</p>",
            "<meta",
            "<meta name",
        ] {
            assert_eq!(audience(html), Ok(None), "{html}");
        }
    }

    #[test]
    fn a_tag_that_may_hide_a_page_in_other_words_is_refused_with_its_line() {
        for (html, expected) in [
            ("\n<meta name=access content=staff>", "line 2: `<meta name=\"access\">` is not read"),
            ("<meta name=visibility content=internal>", "line 1: `<meta name=\"visibility\">`"),
            ("<meta name=draft content=true>", "line 1: `<meta name=\"draft\">`"),
            ("<meta name=\"audi\u{200b}ence\" content=staff>", "line 1: `<meta name=\"audi"),
            ("<meta name=audience>", "line 1: `audience` is empty"),
            ("<meta name=audience content=\"staff only\">", "line 1: the audience `staff only`"),
            (
                "<meta name=audience content=a>\n<meta name=audience content=b>",
                "line 2: `<meta>` names",
            ),
        ] {
            let fault = audience(html).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{html}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn any_page_is_read_without_a_panic(html in "(?s)(<meta [a-z =\"'/>\n-]{0,40}|\\PC{0,20}){0,5}") {
            let _ = audience(&html);
        }
    }
}
