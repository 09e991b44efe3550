//! Brings a person in, if the shop has one there, and otherwise says how to reach the shop. It never
//! promises what is not so.

use super::{
    ask::Ask,
    ports::{Ports, Purpose},
};
use crate::{
    assistant::sentences::{Sentence, contact_words, weekday},
    clock,
    desk::Wait,
    domain::{Answer, Citation, HandoffId, Hours, Language, Opening, People, Route, SiteId},
    knowledge::{Passage, Query},
};

/// Passages among which the contact page is looked for.
const CANDIDATES: usize = 8;
/// Passages of the contact page that are quoted.
const QUOTED: usize = 2;
/// Why a handoff was made, for both sides.
const ASKED: &str = "the shopper asked for a person";
/// A day that is farther away is no day of this week.
const DAYS: i32 = 7;
/// Milliseconds.
const MINUTE: u64 = 60_000;

/// What is said about the way to a person.
pub struct Told {
    pub text: String,
    pub route: Route,
    pub citations: Vec<Citation>,
    /// The handoff that is made with it.
    pub people: Vec<People>,
}

/// Hands the conversation over if somebody is there, and says so. Otherwise it is the contact page.
pub async fn bring(ports: &Ports, ask: &Ask) -> Told {
    match wait(ports, ask).await {
        Some((wait, people)) => {
            let comes =
                if people.is_empty() { Sentence::PersonWaits } else { Sentence::PersonComes };
            let text = tell(comes, wait, ask.language);
            Told { text, route: Route::Human, citations: Vec::new(), people }
        }
        None => reach(ports, &ask.site, ask.search_locale(), ask.language, REACH),
    }
}

/// How long the shopper waits, and the handoff unless there is one. `None` if nobody would come.
async fn wait(ports: &Ports, ask: &Ask) -> Option<(Wait, Vec<People>)> {
    if ask.purpose != Purpose::Conversation {
        return None;
    }
    // Without the archive nobody can be promised.
    let standing = ports.desk.standing(&ask.site).await.ok().filter(|desk| desk.is_staffed())?;
    if let Some(waiting) = ask.handoff.and_then(|id| standing.of_handoff(id)) {
        return Some((waiting, Vec::new()));
    }
    let (handoff_id, wait) = (HandoffId::new(), standing.next());
    let (reason, language) = (ASKED.to_owned(), Some(ask.language));
    let (position, eta_ms) = (wait.position, wait.eta_ms());
    let people = vec![
        People::HandoffRequested { handoff_id, reason, language, urgent: false },
        People::HandoffQueued { handoff_id, position, eta_ms },
    ];
    Some((wait, people))
}

fn tell(comes: Sentence, wait: Wait, language: Language) -> String {
    let mut text = comes.text(language).to_owned();
    let mut add = |sentence: Sentence, name: &str, value: u64| {
        text.push('\n');
        text.push_str(&sentence.text(language).replace(name, &value.to_string()));
    };
    if wait.position > 1 {
        add(Sentence::Place, "{position}", wait.position.into());
    }
    if let Some(eta) = wait.eta_ms() {
        add(Sentence::Eta, "{minutes}", eta.div_ceil(MINUTE).max(1));
    }
    text
}

/// The answer to somebody for whom nobody came in time.
pub fn nobody_came(ports: &Ports, site: &SiteId, locale: &str, language: Language) -> Answer {
    answer(reach(ports, site, locale, language, NOBODY_CAME), language)
}

/// The answer to somebody whose agent is gone. `wait`: for the next one, if anybody is there.
pub fn agent_left(
    ports: &Ports,
    site: &SiteId,
    locale: &str,
    language: Language,
    wait: Option<Wait>,
) -> Answer {
    let told = match wait {
        Some(wait) => {
            let text = tell(Sentence::AgentLeft, wait, language);
            Told { text, route: Route::Human, citations: Vec::new(), people: Vec::new() }
        }
        None => reach(ports, site, locale, language, AGENT_LEFT),
    };
    answer(told, language)
}

fn answer(told: Told, language: Language) -> Answer {
    let answer = Answer::new(told.text, told.route);
    Answer { citations: told.citations, language: Some(language), ..answer }
}

/// What stands before the contact page, and in its place.
type Around = (Sentence, Sentence);
const REACH: Around = (Sentence::Reach, Sentence::NoPerson);
const NOBODY_CAME: Around = (Sentence::NobodyCame, Sentence::NobodyCameNoPage);
const AGENT_LEFT: Around = (Sentence::AgentLeftNobody, Sentence::AgentLeftNoPage);

/// How to reach a person: the shop's own contact page, word for word.
fn reach(
    ports: &Ports,
    site: &SiteId,
    locale: &str,
    language: Language,
    (before, without): Around,
) -> Told {
    let page = contact(ports, site, locale, language);
    let people = Vec::new();
    let hours = ports.shop(site).hours.as_ref();
    let now = clock::now().into();
    let again = hours.and_then(|hours| again(hours, now, language));
    let with_hours = |text: String| match &again {
        Some(again) => format!("{text}\n\n{again}"),
        None => text,
    };
    if page.is_empty() {
        let text = with_hours(without.text(language).to_owned());
        return Told { text, route: Route::Template, citations: Vec::new(), people };
    }
    let quotes: Vec<&str> = page.iter().map(|passage| passage.text.as_str()).collect();
    let text = format!("{}\n\n{}", before.text(language), quotes.join("\n\n"));
    let text = with_hours(text);
    let cited = page.iter().zip(1..).map(|(passage, number)| Citation {
        id: i32::to_string(&number),
        document_id: passage.document_id.clone(),
        title: passage.title.clone(),
        url: passage.url.clone(),
        quote: passage.text.clone(),
    });
    Told { text, route: Route::Knowledge, citations: cited.collect(), people }
}

/// When somebody is there again, if the hours say that nobody is there now.
fn again(hours: &Hours, now: jiff::Timestamp, language: Language) -> Option<String> {
    let Opening::At(at) = hours.at(now) else { return None };
    let today = now.to_zoned(at.time_zone().clone()).date();
    let is_far = at.date().since(today).is_ok_and(|far| far.get_days() >= DAYS);
    let nth = usize::try_from(at.weekday().to_monday_zero_offset()).ok()?;
    let day = if is_far { at.date().to_string() } else { weekday(nth, language).to_owned() };
    let zone = at.time_zone().iana_name().unwrap_or_default();
    let time = format!("{} ({zone})", at.strftime("%H:%M"));
    Some(Sentence::Hours.text(language).replace("{day}", &day).replace("{time}", &time))
}

/// The best passages of the page whose title or tags say that it is about contact: in the shopper's
/// language, else in English, else in any other, since a telephone number helps in all of them.
fn contact(ports: &Ports, site: &SiteId, locale: &str, language: Language) -> Vec<Passage> {
    let own = [(Some(locale), language), (Some(Language::En.code()), Language::En)];
    let others = Language::ALL.map(|other| (None, other));
    let pages = own.into_iter().chain(others);
    let mut pages = pages.map(|(locale, language)| contact_in(ports, site, locale, language));
    pages.find(|page| !page.is_empty()).unwrap_or_default()
}

/// The same of pages in one language, or of all, with the words of a language.
fn contact_in(
    ports: &Ports,
    site: &SiteId,
    locale: Option<&str>,
    language: Language,
) -> Vec<Passage> {
    let words = contact_words(language);
    let query = Query { locale, ..Query::new(words) };
    let found = ports.knowledge.search(site, &query, CANDIDATES);
    let word = words.split(' ').next().unwrap_or(words).to_lowercase();
    let about = |passage: &Passage| {
        let tagged = passage.tags.iter().any(|tag| tag.to_lowercase().contains(&word));
        tagged || passage.title.to_lowercase().contains(&word)
    };
    let Some(page) = found.iter().find(|passage| about(passage)).map(|p| p.document_id.clone())
    else {
        return Vec::new();
    };
    let mut quoted: Vec<Passage> =
        found.into_iter().filter(|passage| passage.document_id == page).take(QUOTED).collect();
    quoted.sort_by_key(|passage| passage.ordinal);
    quoted
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn when_somebody_is_there_again_is_told_in_every_language() {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        let open = ["mon-fri 09:00-17:00".to_owned()];
        let closed: Vec<String> = (24..=31).map(|day| format!("2026-12-{day}")).collect();
        let hours = Hours::new(zone, &open, &closed).unwrap();
        let told = |now: &str, language| again(&hours, now.parse().unwrap(), language);
        for language in Language::ALL {
            assert_eq!(told("2026-11-30T10:00:00Z", language), None, "somebody is there");
            let soon = told("2026-11-28T10:00:00Z", language).unwrap();
            let monday = weekday(0, language);
            assert!(!monday.is_empty() && soon.contains(monday), "{soon}");
            assert!(soon.contains("09:00 (Europe/Berlin)") && !soon.contains('{'), "{soon}");
            let days: std::collections::BTreeSet<_> =
                (0..7).map(|day| weekday(day, language)).collect();
            assert_eq!(days.len(), 7, "{language:?}");
            let far = told("2026-12-23T17:00:00Z", language).unwrap();
            assert!(far.contains("2027-01-01"), "{far}");
        }
    }

    #[test]
    fn the_wait_is_told_in_every_language_and_only_as_far_as_it_is_known() {
        for language in Language::ALL {
            let told = |position, seconds: Option<u64>| {
                let eta = seconds.map(Duration::from_secs);
                tell(Sentence::PersonComes, Wait { position, eta }, language)
            };
            assert_eq!(told(1, None), Sentence::PersonComes.text(language));
            let far = told(7, Some(61));
            assert!(far.contains('7') && far.contains('2'), "{far}");
            assert!(!far.contains('{'), "{far}");
            assert!(told(1, Some(1)).contains('1'), "no wait takes no minute");
        }
    }
}
