//! Characters that are written in codes: HTML entities (`&nbsp;`, `&#52;`), percent signs (`%20`,
//! RFC 3986, section 2.1), and HTML tags, which part words as a space does.

/// Without the `&`, in bytes.
const LONGEST_NAME: usize = 10;
/// With its signs, in bytes.
const LONGEST_TAG: usize = 64;

/// Of the named entities (HTML Living Standard, section 13.5) those that part or sign something.
const NAMES: [(&str, char); 36] = [
    ("nbsp", ' '),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("hairsp", ' '),
    ("numsp", ' '),
    ("puncsp", ' '),
    ("tab", ' '),
    ("newline", '\n'),
    ("shy", '\u{ad}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("commat", '@'),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("plus", '+'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("ndash", '-'),
    ("mdash", '-'),
    ("minus", '-'),
    ("middot", '.'),
    ("bull", '*'),
    ("lowbar", '_'),
    ("sol", '/'),
    ("num", '#'),
];

const TAGS: [&str; 40] = [
    "a", "b", "i", "u", "s", "p", "q", "br", "em", "hr", "td", "tr", "th", "li", "dd", "dt", "ul",
    "ol", "tt", "div", "span", "font", "code", "small", "big", "sub", "sup", "strong", "wbr",
    "pre", "nobr", "mark", "kbd", "samp", "var", "del", "ins", "table", "tbody", "center",
];

/// Whether a text may have codes.
pub(super) fn is_likely(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'&' | b'%' | b'<'))
}

/// What the code at the beginning of `text` stands for, and its length in bytes.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().first()? {
        b'&' => entity(text),
        b'%' => percent(text),
        b'<' => tag(text).map(|length| (' ', length)),
        _ => None,
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    let (c, mut length) = named(text)?;
    // "&amp;nbsp;" was coded twice.
    let inner = (c == '&').then(|| named(&text[length - 1..])).flatten();
    let Some((c, inner)) = inner else { return Some((c, length)) };
    length += inner - 1;
    Some((c, length))
}

/// The entity behind the first byte of `text`.
fn named(text: &str) -> Option<(char, usize)> {
    let rest = text.get(1..)?;
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = rest.bytes().take(LONGEST_NAME).take_while(of_name).count();
    let name = &rest[..length];
    let ended = rest[length..].starts_with(';');
    let c = match name.strip_prefix('#') {
        Some(code) => {
            let hexadecimal = code.strip_prefix(['x', 'X']);
            let (digits, radix) = hexadecimal.map_or((code, 10), |code| (code, 16));
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)?
        }
        // Browsers read these without their end, too.
        None if name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("nbsp")) && !ended => {
            return Some((' ', 5));
        }
        None => NAMES
            .iter()
            .find(|(known, _)| ended && known.eq_ignore_ascii_case(name))
            .map(|(_, c)| *c)?,
    };
    Some((c, 1 + length + usize::from(ended)))
}

fn percent(text: &str) -> Option<(char, usize)> {
    let byte = |at: usize| {
        let code = text.get(at..at + 3)?.strip_prefix('%')?;
        let hexadecimal = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then(|| u8::from_str_radix(code, 16).ok()).flatten()
    };
    let first = byte(0)?;
    if first.is_ascii() {
        let c = char::from(first);
        return (!c.is_ascii_control() || c.is_ascii_whitespace()).then_some((c, 3));
    }
    let count = usize::try_from(first.leading_ones()).unwrap_or(0).clamp(2, 4);
    let bytes: Option<Vec<u8>> = (0..count).map(|index| byte(3 * index)).collect();
    let bytes = bytes?;
    let c = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((c, 3 * count))
}

/// Length of a tag that holds nothing personal itself.
fn tag(text: &str) -> Option<usize> {
    let end = text.bytes().take(LONGEST_TAG).position(|byte| byte == b'>')?;
    let inside = text[1..end].strip_prefix('/').unwrap_or(&text[1..end]);
    let length = inside.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, rest) = inside.split_at(length);
    let known = TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name));
    let whole = rest.is_empty() || rest.starts_with([' ', '/', '\n']);
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    (known && whole && digits < 5 && !rest.contains(['@', '<'])).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_for_their_characters() {
        for (text, c, length) in [
            ("&nbsp;4", ' ', 6),
            ("&nbsp4", ' ', 5),
            ("&#32;", ' ', 5),
            ("&#x34;", '4', 6),
            ("&amp;nbsp;", ' ', 10),
            ("&amp; so", '&', 5),
            ("&commat;", '@', 8),
            ("%20", ' ', 3),
            ("%2B49", '+', 3),
            ("%C2%A0", '\u{a0}', 6),
            ("<br>", ' ', 4),
            ("</b>", ' ', 4),
            ("<span class=\"x\">", ' ', 16),
            ("<BR/>", ' ', 5),
        ] {
            assert_eq!(decode(text), Some((c, length)), "{text}");
        }
        for text in
            ["& co", "&num=3", "%", "%zz", "%C2", "<3", "<ann@example.com>", "<at>", "<a href=@>"]
        {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
