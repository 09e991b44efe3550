//! Names of fields in what shops import: keys of a header, columns, fields of JSON, `<meta>`.
//!
//! A field that is not read must not be one that says who may read the text, or the text becomes
//! public by accident. So only names that are known to be harmless are passed over.

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::is_unseen;

/// Fields of site generators and shop systems that say how a text looks or where it is from. They are
/// accepted and not used. Written as [`plain`] returns them.
const UNUSED: &str = "\
    abstract aliases alt author authors banner bannerimage breadcrumb canonical canonicalurl \
    categories category class comments contributors copyright cover coverimage created createdat \
    createdby css cssclass cssclasses customediturl date datecreated datemodified description \
    editedby editlink editurl eleventynavigation emoji excerpt featured features feed footer \
    hasmath head heading headline hero hidetableofcontents hidetitle icon id image images js \
    keyword keywords kind lastmod lastmodified lastupdate lastupdated layout lead license \
    linktitle math menu mermaid metadescription metatitle modified modifiedby modifieddate nav \
    navorder navtitle next nextpage note notes og ogimage order outline outputs pagetitle \
    pagination paginationnext paginationprev parent permalink pin pinned position prev prevpage \
    readingtime redirectfrom redirects seo seotitle series shorttitle sidebar sidebarlabel \
    sidebarposition sidebartitle slug subtitle summary tableofcontents template theme thumbnail \
    toc twitter type updated updatedat version weight";

/// Fields that are on for a page that is for everybody, and those that are off.
const ON: &str = "\
    active enabled ispublic live public publish published visible";
const OFF: &str = "\
    archived confidential disabled draft hidden internal isdraft ishidden isprivate membersonly \
    private protected restricted unlisted";

/// Fields that say, or may say, who may read a text, or from when on.
const ACCESS: &str = "\
    acl allow allowed allowlist auth authorization classification clearance deny embargo \
    expirationdate expires expirydate group groups login members noindex password privacy \
    protection publishdate readers robots role roles scope staff state status";

/// Parts of names that speak of access in any combination, such as `user_access_level`.
const ACCESS_PARTS: [&str; 4] = ["audience", "access", "permission", "visibilit"];

/// What is known of a name that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Harmless.
    Unused,
    /// Harmless if it has this value.
    Switch(bool),
    /// It may say who may read the text.
    Access,
    Unknown,
}

pub fn meaning(name: &str) -> Meaning {
    let name = plain(name);
    let is_one_of = |list: &str| list.split_whitespace().any(|known| known == name);
    if is_one_of(ON) || is_one_of(OFF) {
        Meaning::Switch(is_one_of(ON))
    } else if is_one_of(UNUSED) {
        Meaning::Unused
    } else if is_one_of(ACCESS) || ACCESS_PARTS.iter().any(|part| name.contains(part)) {
        Meaning::Access
    } else {
        Meaning::Unknown
    }
}

/// Whether `value` is what a [`Meaning::Switch`] says of a page that is for everybody.
pub fn is_open(open: bool, value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    match open {
        true => ["true", "yes", "on", "1"].contains(&&*value),
        false => ["false", "no", "off", "0"].contains(&&*value),
    }
}

/// The first character of a name that nobody sees. Around a name, white space is none.
pub fn unseen(name: &str) -> Option<char> {
    name.trim().chars().find(|c| *c != ' ' && is_unseen(*c))
}

/// `U+200B`, as people look it up.
pub fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// `did you mean … ? ` for a name that is nearly one of `read`, or one that may stand there unused.
pub fn guess(name: &str, read: &[&str]) -> String {
    let name = plain(name);
    let far = name.chars().count() / 3;
    let names = read.iter().copied().chain(UNUSED.split_whitespace());
    let near = names.map(|known| (distance(&name, known), known));
    let near = near.filter(|(distance, _)| (1..=far.min(2)).contains(distance));
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| format!(" (did you mean `{known}`?)"))
        .unwrap_or_default()
}

/// A name in one spelling: `lastUpdated`, `last-updated` and `Last Updated` are one.
fn plain(name: &str) -> String {
    let letters = name.nfkc().filter(|c| !is_unseen(*c) && !matches!(c, '-' | '_' | '.' | ':'));
    letters.flat_map(char::to_lowercase).collect()
}

/// How many letters differ, where two that changed places count once (optimal string alignment).
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before = vec![0; other.len() + 1];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i; other.len() + 1];
        for j in 1..=other.len() {
            let differs = usize::from(one[i - 1] != other[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + differs);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_every_spelling() {
        for name in ["date", "lastUpdated", "last_updated", "Last-Updated", "sidebar_position"] {
            assert_eq!(meaning(name), Meaning::Unused, "{name}");
        }
        for name in [
            "audience",
            "Audiences",
            "user_access_level",
            "visibility",
            "sichtbarkeit-visibility",
            "permissions",
            "requiredRoles-role",
            "password",
            "robots",
            "status",
            "expiryDate",
            "ａｃｃｅｓｓ",
            "acc\u{200b}ess",
        ] {
            let expected =
                if name.contains("requiredRoles") { Meaning::Unknown } else { Meaning::Access };
            assert_eq!(meaning(name), expected, "{name}");
        }
        assert_eq!(meaning("draft"), Meaning::Switch(false));
        assert_eq!(meaning("is_public"), Meaning::Switch(true));
        assert_eq!(meaning("zielgruppe"), Meaning::Unknown);
        assert_eq!(unseen(" audi\u{200b}ence "), Some('\u{200b}'));
        assert_eq!(unseen(" last updated\t"), None);
        assert_eq!(code('\u{200b}'), "U+200B");
    }

    #[test]
    fn no_name_is_in_two_lists() {
        let lists = [
            (UNUSED, Meaning::Unused),
            (ACCESS, Meaning::Access),
            (ON, Meaning::Switch(true)),
            (OFF, Meaning::Switch(false)),
        ];
        for (list, expected) in lists {
            for name in list.split_whitespace() {
                assert_eq!((plain(name).as_str(), meaning(name)), (name, expected));
            }
        }
    }

    #[test]
    fn a_misspelt_name_is_guessed() {
        let guess = |name| guess(name, &["title", "audience"]);
        assert_eq!(guess("audiance"), " (did you mean `audience`?)");
        assert_eq!(guess("auidence"), " (did you mean `audience`?)");
        assert_eq!(guess("Tittle"), " (did you mean `title`?)");
        assert_eq!(guess("descripton"), " (did you mean `description`?)");
        assert_eq!(guess("x"), "");
        assert_eq!(guess("zielgruppe"), "");
    }
}
