use proptest::prelude::*;

use super::*;

fn header(text: &str) -> Header {
    read(text).unwrap_or_else(|error| panic!("{text:?}: {error}")).0
}

fn fault(text: &str) -> String {
    match read(text) {
        Ok(read) => panic!("{text:?} was read as {read:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_header_gives_its_fields_and_the_text_below() {
    let (header, body) = read(
        "---\r\nTitle: \"Returns: how\"\r\ntags: [a, 'b c']\r\nurl:\r\n# note\r\n---\r\nBody\r\n---\r\n",
    )
    .unwrap();
    assert_eq!(header.title.as_deref(), Some("Returns: how"));
    assert_eq!(header.tags, ["a", "b c"]);
    assert_eq!((header.url, header.audience, header.locale), (None, None, None));
    assert_eq!(body, "Body\r\n---\r\n");
}

#[test]
fn a_header_is_read_in_every_way_to_write_it() {
    for text in [
        "---\ntitle: Lost keys\ntags: [keys, lost]\naudience: staff\n---\nText.",
        "---\ntitle: Lost keys\ntags: keys, lost\naudience: staff\n---\nText.",
        "---\ntitle: Lost keys\ntags:\n  - keys\n  - lost\naudience: staff\n---\nText.",
        "---\ntitle: Lost keys\ntags:\n- keys\n- lost\naudience: staff\n---\nText.",
        "---\ntitle: Lost keys\ntags:\n- 'keys'\n- \"lost\"\naudience: 'staff'\n---\nText.",
        "---\ntitle: >\n  Lost\n  keys\ntags: [keys, lost]\naudience: staff\n---\nText.",
        "---\ntitle: >-\n  Lost\n  keys\ntags: [keys, lost]\naudience: >-\n  staff\n---\nText.",
        "---\ntitle: |\n  Lost\n  keys\ntags: |\n  keys\n  lost\naudience: |\n  staff\n---\nText.",
        "---\ntitle: Lost\n  keys\ntags: [\n  keys,\n  lost,\n]\naudience: staff\n---\nText.",
        "---\ntitle: Lost keys\ntags: [keys, lost]\naudience: staff\n...\nText.",
        "---\ntitle: Lost keys # the title\n# a comment\n\ntags: [keys, lost]\naudience: staff # ours\n---\nText.",
        "---\n\"title\": Lost keys\n'tags': [keys, lost]\nAUDIENCE: staff\n---\nText.",
        "---\n? title\n: Lost keys\n? tags\n: [keys, lost]\n? audience\n: staff\n---\nText.",
        "---\n# audience: public\n\"\\u0061udience\": staff\ntags: [keys, lost]\ntitle: Lost keys\n---\nText.",
        "---\n{title: Lost keys, tags: [keys, lost], audience: staff}\n---\nText.",
        "---\ntitle: &a Lost keys\ntags: [keys, lost]\naudience: !!str staff\n---\nText.",
        "\n\n---\ntitle: Lost keys\ntags: [keys, lost]\naudience: staff\n---\nText.",
        "\u{feff}---\ntitle: Lost keys\ntags: [keys, lost]\naudience: staff\n---\nText.",
        "\u{feff}\n \n---  \ntitle: Lost keys\ntags: [keys, lost]\naudience: staff\n---\t\nText.",
        "---\r\ntitle: Lost keys\r\ntags:\r\n  - keys\r\n  - lost\r\naudience: staff\r\n---\r\nText.",
        "+++\ntitle = \"Lost keys\"\ntags = [\"keys\", \"lost\"]\naudience = \"staff\"\n+++\nText.",
        "+++\ntitle = 'Lost keys'\ntags = [\n  'keys',\n  'lost', # end\n]\n\naudience = 'staff'\n+++\nText.",
        "\n+++\r\ntitle = 'Lost keys'\r\ntags = 'keys, lost'\r\naudience = 'staff'\r\n+++\r\nText.",
    ] {
        let (header, body) = read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(header.title.as_deref(), Some("Lost keys"), "{text:?}");
        assert_eq!(header.tags, ["keys", "lost"], "{text:?}");
        assert_eq!(header.audience.as_deref(), Some("staff"), "{text:?}");
        assert_eq!(body, "Text.", "{text:?}");
    }
}

#[test]
fn what_site_generators_write_is_passed_over() {
    for text in [
        "---\ntitle: Lost keys\nsummary: x\ndate: 2024-01-01\nauthor: Eva\nlayout: post\nslug: keys\nweight: 3\ndescription: >\n  two\n  lines\n---\nText.",
        "---\ntitle: Lost keys\ndraft: false\npublished: yes\nhidden: False\nlastmod: 2024-01-01T10:00:00Z\n---\nText.",
        "---\ntitle: Lost keys\nmenu:\n  main:\n    parent: help\n    weight: 10\ncategories: [a, b]\naliases:\n- /old\n- [x, {y: z}]\n---\nText.",
        "---\ntitle: Lost keys\nsidebar_position: 2\nsidebar_label: ~\nauthors: &a [Eva]\nseries: *a\n---\nText.",
        "+++\ntitle = 'Lost keys'\ndate = 2024-01-01\ndraft = false\nweight = 3\n[menu.main]\nparent = 'help'\n+++\nText.",
    ] {
        let (header, body) = read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let expected = Header { title: Some("Lost keys".to_owned()), ..Header::default() };
        assert_eq!((header, body), (expected, "Text."), "{text:?}");
    }
    for key in ["locale", "lang", "Language"] {
        assert_eq!(header(&format!("---\n{key}: de\n---\n")).locale.unwrap(), "de");
    }
}

#[test]
fn words_that_yaml_takes_for_values_stay_words() {
    assert_eq!(
        header("---\nlocale: no\ntags: [on, 2024, 1.0]\ntitle: 404\n---\n").locale.unwrap(),
        "no"
    );
    assert_eq!(header("---\ntags: [on, 2024, 1.0]\n---\n").tags, ["on", "2024", "1.0"]);
    assert_eq!(header("---\ntitle: 404\n---\n").title.unwrap(), "404");
    assert_eq!(header("---\naudience: Public\n---\n").audience.unwrap(), "public");
    assert_eq!(header("---\ntitle: ~\ntags:\nurl: null\n---\n"), Header::default());
    assert_eq!(header("---\n---\nText."), Header::default());
}

#[test]
fn a_header_that_is_not_understood_is_refused_with_its_line() {
    for (text, expected) in [
        (
            "---\ntitle: a\nzielgruppe: x\n---\n",
            "line 3: the header has the key `zielgruppe`, which",
        ),
        (
            "---\naudi\u{ad}ence: staff\n---\n",
            "line 2: the header has the key `audi\u{ad}ence` with a",
        ),
        (
            "---\nsum\u{200b}mary: x\n---\n",
            "line 2: the header has the key `sum\u{200b}mary` with a",
        ),
        ("---\naccess: staff\n---\n", "line 2: the header has the key `access`, which is not read"),
        ("---\npublished: false\n---\n", "line 2: the header has `published: false`"),
        ("---\ndraft:\n---\n", "line 2: the header has `draft: `"),
        ("---\ndraft: [false]\n---\n", "line 2: `draft` must be `true` or `false`"),
        (
            "---\nmenu:\n  main:\n    audience: staff\n---\n",
            "line 4: the header has `audience` inside",
        ),
        (
            "---\nauthors:\n- {name: Eva, roles: [staff]}\n---\n",
            "line 3: the header has `roles` inside",
        ),
        ("+++\ndraft = true\n+++\n", "line 2: the header has `draft: true`"),
        ("+++\n[menu]\naudience = 'staff'\n+++\n", "line 3: the header has `audience` inside"),
        ("---\naudiance: staff\n---\n", "line 2: the header has the key `audiance`"),
        ("---\nvisibility:\n  only: staff\n---\n", "line 2: the header has the key `visibility`"),
        ("\n\n---\ndraft: true\n---\n", "line 4: the header has `draft: true`"),
        ("---\naudience:\n---\n", "line 2: `audience` is empty"),
        ("---\naudience: ''\n---\n", "line 2: `audience` is empty"),
        ("---\naudience: ~\n---\n", "line 2: `audience` is empty"),
        ("---\naudience: [staff]\n---\n", "line 2: `audience` must be one text"),
        ("---\naudience:\n  - staff\n---\n", "line 2: `audience` must be one text"),
        ("---\naudience: {group: staff}\n---\n", "line 2: `audience` must be text"),
        ("---\naudience: false\n---\n", "line 2: the audience `false`"),
        ("---\naudience: No\n---\n", "line 2: the audience `No`"),
        ("---\naudience: 0\n---\n", "line 2: the audience `0`"),
        ("---\naudience: staff only\n---\n", "line 2: the audience `staff only`"),
        ("---\naudience: staff, public\n---\n", "line 2: the audience `staff, public`"),
        (
            "---\ntitle: a\naudience: staff\naudience: public\n---\n",
            "line 4: the header has `audience` twice",
        ),
        ("---\ntitle: a\nTitle: b\n---\n", "line 3: the header has `title` twice"),
        ("---\ntitle: Returns: how\n---\n", "line 2: the header is not readable YAML"),
        ("---\ntitle: \"never closed\naudience: staff\n---\n", "line "),
        ("---\ntitle: a\n\taudience: staff\n---\n", "line "),
        ("---\ntitle: a\naudience staff\n---\n", "line "),
        ("---\ntitle: a\n  audience: staff\n---\n", "line "),
        ("---\n- audience: staff\n---\n", "line 2: the header must consist of"),
        ("---\ntitle: &a x\nlocale: *a\n---\n", "line 3: `locale` must be text"),
        ("---\naudience: !secret staff\n---\n", "line 2: the header has a value of a type"),
        ("---\n? audience\n: staff only\n---\n", "line 2: the audience `staff only`"),
        ("---\naudience staff\n---\n", "line 2: the header must consist of"),
        ("---\nText first\naudience：staff\n---\n", "line 2: the header must consist of"),
        ("---\naud\u{200b}ience: staff\n---\n", "line 2: the header has the key"),
        ("---\nａｕｄｉｅｎｃｅ: staff\n---\n", "line 2: the header has the key"),
        ("---\n<<: {audience: staff}\n---\n", "line 2: the header has the key"),
        ("－－－\naudience: staff\n－－－\n", "line 1: the header has no last line"),
        ("---\ntags: [a, [b]]\n---\n", "line 2: `tags` must be text"),
        ("---\naudience = \"staff\"\n---\n", "line 2: "),
        ("+++\naudience: staff\n+++\n", "line 2: the header is not readable TOML"),
        ("+++\ntitle = 'a'\naudience = true\n+++\n", "line 3: `audience` must be text"),
        ("+++\n[extra]\naudience = 'staff'\n+++\n", "line 2: the header has the key `extra`"),
        ("+++\naudience = ['staff']\n+++\n", "line 2: `audience` must be one text"),
        ("+++\naudience = ''\n+++\n", "line 2: `audience` is empty"),
        ("+++\naudience = 'a'\naudience = 'b'\n+++\n", "line 3: the header is not readable TOML"),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(expected), "{text:?}: {fault}");
    }
}

#[test]
fn a_header_without_its_fences_is_refused() {
    for (text, line) in [
        ("---\naudience: staff\n\nText.", 1),
        ("\n---\ntitle: a\naudience: staff\n----\nText.", 2),
        ("+++\naudience = 'staff'\n---\nText.", 1),
        (" ---\n audience: staff\n ---\nText.", 1),
        ("audience: staff\n\nText.", 1),
        ("title: a\naudience: staff\n---\nText.", 1),
        ("----\naudience: staff\n----\nText.", 2),
        ("———\naudience: staff\n———\nText.", 2),
        ("<!--\naudience: staff\n-->\nText.", 2),
        ("<!-- audience: staff -->\nText.", 1),
        ("{\n  \"title\": \"a\",\n  \"audience\": \"staff\"\n}\n\nText.", 2),
        (";;;\n{\"audience\": \"staff\"}\n;;;\nText.", 2),
        ("```yaml\naudience: staff\n```\nText.", 2),
        ("---yaml\naudience: staff\n---\nText.", 2),
        ("# Keys\naudience: staff\n\nText.", 2),
        ("**Audience:** staff\n\nText.", 1),
        ("<!-- from the wiki -->\n\n---\naudience: staff\n---\nText.", 4),
        ("# Keys\n\n\n---\naudience: staff\n---\n", 5),
        ("Some words.\n\naudience = staff\n", 3),
        ("audience：staff\n\nText.", 1),
        ("％YAML 1.2\n---\naud\u{200b}ience: staff\n---\n", 3),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(&format!("line {line}: ")), "{text:?}: {fault}");
    }
}

#[test]
fn a_text_that_only_begins_with_a_rule_is_all_body() {
    for text in [
        "---\nno header here\n---\n",
        "---\n\nA text.\n",
        "---\n# A heading\n---\n",
        "---\n- one\n- two\n---\n",
        "+++\nplus\n",
        "# Audience: everybody\n\nText.\n",
        "# Our audience\n\nThe audience: everybody.",
        "Write to us: we answer.\n",
        "key\n---\n",
        "",
        "\n\n",
    ] {
        assert_eq!(read(text), Ok((Header::default(), text)));
    }
}

#[test]
fn a_second_header_is_refused() {
    let (_, body) = read("---\ntitle: a\n---\n\n---\naudience: staff\n---\nText.").unwrap();
    assert!(none(body).unwrap_err().to_string().starts_with("line 2: the text begins with"));
    assert!(none("\naudience: staff\n").is_err());
    for text in ["---\n\nText.\n\n---\n", "Title: Tents\n", "Tags: a, b\n\n---\n", ""] {
        assert_eq!(none(text), Ok(()), "{text:?}");
    }
}

#[test]
fn a_header_that_is_nested_too_deep_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(header(&format!("---\nmenu: {}\n---\n", nested(10))), Header::default());
    for depth in [20, 50_000] {
        let fault = fault(&format!("---\nmenu: {}\n---\n", nested(depth)));
        assert!(fault.starts_with("line 2: the header is n"), "{fault}");
    }
    let fault = fault(&format!("+++\nmenu = {}\n+++\n", nested(50_000)));
    assert!(fault.starts_with("line 2: the header is not readable TOML"), "{fault}");
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        text in "(?s)(---\n|\\+\\+\\+\n)?[ -~\n:=\\[\\]'\"|>&*!-]{0,200}(\n---\n|\n\\+\\+\\+\n)?\\PC{0,50}"
    ) {
        if let Ok((_, body)) = read(&text) {
            prop_assert!(text.ends_with(body));
        }
    }

    #[test]
    fn a_page_for_staff_never_becomes_public(
        before in "(title: [a-z ]{1,9}\n|tags:\n  - [a-z]{1,5}\n|# [a-z]{0,9}\n|\n){0,3}",
        key in "(audience|Audience|\"audience\"|'audience')",
        gap in "[ ]?:[ ]{1,3}",
        value in "(staff|'staff'|\"staff\"|>-\n  staff|&x staff)",
        end in "(---|\\.\\.\\.|----|)",
    ) {
        let text = format!("---\n{before}{key}{gap}{value}\n{end}\nText.");
        if let Ok((header, _)) = read(&text) {
            prop_assert_eq!(header.audience.as_deref(), Some("staff"));
        }
    }
}
