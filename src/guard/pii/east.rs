//! Names, addresses and birth dates in Chinese and Japanese, which have no spaces between words: a name behind
//! "我叫" or before "と申します", and an address by the marks of its parts ("…市…区…路88号",
//! "…県…市…1-2-3").

use std::{ops::Range, sync::LazyLock};

use super::{alike::is_unspaced, fold, kind::Kind};
use crate::words::{self, People};

struct Lists {
    introductions: Vec<String>,
    closings: Vec<String>,
    births: Vec<String>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let people: People = words::all();
    let unspaced = |phrases: words::Words| {
        let folded = phrases.into_iter().map(fold::word);
        let mut phrases: Vec<String> = folded.filter(|p| p.starts_with(is_unspaced)).collect();
        // The longest phrase first, so that "我的名字是" is not read as "名字是".
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        phrases
    };
    Lists {
        introductions: unspaced(people.introductions),
        closings: unspaced(people.closings),
        births: unspaced(people.births),
    }
});

/// Characters of a name.
const LONGEST_NAME: usize = 8;
/// Of one whose end nothing shows.
const LONGEST_CHINESE: usize = 4;
const SHORTEST_NAME: usize = 2;
/// What follows a name of at least two characters.
const ENDS_NAME: &str = "我想的要是请請でとの様さがにをは";
/// What follows an introduction that says no name: "名字是什么", "名前は何ですか".
const NO_NAME: &str = "什何不错錯写寫変間誰谁";
/// Parts of a country, before streets.
const AREAS: &str = "省市区區县縣州都府県郡町村镇鎮";
const STREETS: [&str; 10] = ["大道", "街道", "路", "街", "巷", "弄", "胡同", "新村", "段", "里"];
/// Behind the number of a house, a block or a flat.
const HOUSES: [&str; 12] =
    ["丁目", "番地", "番", "号", "號", "栋", "棟", "楼", "室", "层", "層", "弄"];
/// What stands before an address.
const BEFORE_ADDRESS: &str = "在到是址はにへを至往于於送寄";
/// Characters between the beginning of an address and its first mark, and between two marks.
const FAR: usize = 12;
/// Characters of a run; a longer one is read in parts.
const LONGEST_RUN: usize = 160;

/// What belongs to people in a folded text.
pub(super) fn find(text: &str) -> Vec<(Kind, Range<usize>)> {
    if !text.contains(is_unspaced) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for run in runs(text) {
        found.extend(address(text, run).map(|range| (Kind::Address, range)));
    }
    for phrase in &LISTS.introductions {
        let behind = text.match_indices(phrase.as_str());
        let behind = behind.filter_map(|(at, phrase)| name_behind(text, at + phrase.len()));
        found.extend(behind.map(|range| (Kind::Name, range)));
    }
    for phrase in &LISTS.closings {
        let before = text.match_indices(phrase.as_str());
        found.extend(before.filter_map(|(at, _)| name_before(text, at)).map(|r| (Kind::Name, r)));
    }
    for phrase in &LISTS.births {
        let behind = text.match_indices(phrase.as_str());
        let behind = behind.filter_map(|(at, phrase)| date_behind(text, at + phrase.len()));
        found.extend(behind.map(|range| (Kind::BirthDate, range)));
    }
    found.sort_by_key(|(_, range)| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    found.retain(|(_, range)| {
        let free = range.start >= end;
        end = end.max(range.end);
        free
    });
    found
}

fn name_behind(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text[from..].trim_start_matches([' ', ':', '是', 'は', '「', '"']);
    let start = text.len() - rest.len();
    let run = rest.chars().take_while(|c| is_unspaced(*c) || *c == '・').take(LONGEST_NAME);
    let all: Vec<char> = run.collect();
    let first = all.first().filter(|first| !NO_NAME.contains(**first))?;
    let end = all.iter().skip(SHORTEST_NAME).position(|c| ENDS_NAME.contains(*c));
    let kana = matches!(first, '\u{3040}'..='\u{30ff}');
    let most = if kana { LONGEST_NAME } else { LONGEST_CHINESE };
    let count = end.map_or(all.len().min(most), |end| SHORTEST_NAME + end);
    let bytes: usize = all[..count].iter().map(|c| c.len_utf8()).sum();
    (count >= SHORTEST_NAME).then_some(start..start + bytes)
}

/// "1990年7月14日", "1990-07-14", "昭和63年4月12日"
fn date_behind(text: &str, from: usize) -> Option<Range<usize>> {
    const FEWEST_DIGITS: usize = 4;
    const ERAS: [&str; 5] = ["明治", "大正", "昭和", "平成", "令和"];
    let rest = text[from..].trim_start_matches([' ', ':', '是', 'は', '「', '"']);
    let start = text.len() - rest.len();
    let era = ERAS.iter().find(|era| rest.starts_with(**era)).map_or(0, |era| era.len());
    let of_date = |c: &char| c.is_ascii_digit() || "年月日-/. 元".contains(*c);
    let length: usize = rest[era..].chars().take_while(of_date).map(char::len_utf8).sum();
    let date = rest[..era + length].trim_end_matches([' ', '-', '/', '.']);
    let digits = date.bytes().filter(u8::is_ascii_digit).count();
    (digits >= FEWEST_DIGITS).then(|| start..start + date.len())
}

fn name_before(text: &str, end: usize) -> Option<Range<usize>> {
    let before = text[..end].char_indices().rev().take(LONGEST_NAME);
    let name = before.take_while(|(_, c)| is_unspaced(*c) && !"はのを".contains(*c));
    let (start, count) = name.fold((end, 0), |(_, count), (at, _)| (at, count + 1));
    (count >= SHORTEST_NAME).then_some(start..end)
}

/// Parts of a text without punctuation: characters of these scripts, digits, and dashes between them.
fn runs(text: &str) -> impl Iterator<Item = Range<usize>> {
    let inside = |c: char| is_unspaced(c) || c.is_ascii_digit() || matches!(c, '-' | '〒' | ' ');
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(inside)?;
        let run = text[start..].chars().take(LONGEST_RUN).take_while(|c| inside(*c));
        at = start + run.map(char::len_utf8).sum::<usize>();
        Some(start..at)
    })
}

/// The address in a run: from its first area or street to the last number of a house.
fn address(text: &str, run: Range<usize>) -> Option<Range<usize>> {
    let part = &text[run.clone()];
    let areas: Vec<usize> = part.match_indices(|c| AREAS.contains(c)).map(|(at, _)| at).collect();
    let streets = STREETS.iter().flat_map(|street| part.match_indices(street));
    let street = streets.map(|(at, _)| at).min();
    let first = areas.first().copied().into_iter().chain(street).min()?;
    let numbers: Vec<(usize, usize, bool)> = numbers(part).filter(|n| n.0 > first).collect();
    let near = |at: usize, number: usize| part[at..number].chars().count() <= FAR;
    let number = numbers.iter().find(|(start, _, house)| {
        let street = street.is_some_and(|street| street < *start && near(street, *start));
        let areas = areas.iter().filter(|area| **area < *start);
        let area = areas.clone().next_back().is_some_and(|area| near(*area, *start));
        street && (*house || !areas.clone().count().eq(&0)) || area && areas.count() > 1 && *house
    })?;
    let mut end = number.1;
    for (start, stop, _) in numbers.iter().filter(|n| n.0 > number.0) {
        if *start >= end && near(end, *start) {
            end = *stop;
        }
    }
    let back = part[..first].char_indices().rev().take(FAR);
    let name = back.take_while(|(_, c)| !BEFORE_ADDRESS.contains(*c) && *c != ' ');
    let start = name.last().map_or(first, |(at, _)| at);
    // "〒150-0041 東京都…"
    let code = part[..start].trim_end().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let code = code.strip_suffix('〒').unwrap_or(code).len();
    let start = if part[code..start].contains(|c: char| c.is_ascii_digit()) { code } else { start };
    Some(run.start + start..run.start + end)
}

/// Start and end of each number, and whether it is one of a house: "88号", "1-2-3", "2丁目".
fn numbers(part: &str) -> impl Iterator<Item = (usize, usize, bool)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + part[at..].find(|c: char| c.is_ascii_digit())?;
        let rest = &part[start..];
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        let digits = rest[..digits].trim_end_matches('-').len();
        let mark = HOUSES.iter().find(|mark| rest[digits..].starts_with(**mark));
        let end = start + digits + mark.map_or(0, |mark| mark.len());
        at = end;
        Some((start, end, mark.is_some() || rest[..digits].contains('-')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        find(text).into_iter().map(|(kind, range)| (kind, &text[range])).collect()
    }

    #[test]
    fn names_end_where_the_sentence_goes_on() {
        for (text, name) in [
            ("我叫王小明", "王小明"),
            ("你好，我叫李娜，订单没收到", "李娜"),
            ("我叫王小明我想退货", "王小明"),
            ("收件人:欧阳娜娜", "欧阳娜娜"),
            ("名前は田中太郎です", "田中太郎"),
            ("佐藤と申します", "佐藤"),
            ("名前はさくらです", "さくら"),
        ] {
            assert_eq!(kinds(text), [(Kind::Name, name)], "{text}");
        }
        for text in ["你的名字是什么", "お名前は何ですか", "姓名错了", "我叫什么名字"]
        {
            assert_eq!(kinds(text), [], "{text}");
        }
    }

    #[test]
    fn addresses_are_known_by_the_marks_of_their_parts() {
        for (text, address) in [
            ("我住在北京市朝阳区建国路88号", "北京市朝阳区建国路88号"),
            ("请寄到上海市浦东新区世纪大道100号5楼", "上海市浦东新区世纪大道100号5楼"),
            (
                "地址:广东省深圳市南山区科技园南路8号3栋502室",
                "广东省深圳市南山区科技园南路8号3栋502室",
            ),
            ("住所は東京都渋谷区神南1-2-3です", "東京都渋谷区神南1-2-3"),
            ("〒150-0041 東京都渋谷区神南1丁目2番3号", "〒150-0041 東京都渋谷区神南1丁目2番3号"),
            ("大阪府大阪市北区梅田1-1-1に送ってください", "大阪府大阪市北区梅田1-1-1"),
        ] {
            assert_eq!(kinds(text), [(Kind::Address, address)], "{text}");
        }
        for text in [
            "北京市有3家店吗",
            "北海道まで2-3日かかりますか",
            "我知道3号发货",
            "订单号10234在上海市浦东新区",
            "サイズは42ですか",
            "满100元包邮吗",
        ] {
            assert_eq!(kinds(text), [], "{text}");
        }
    }
}
