use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use uuid::Uuid;

use super::{
    store::{Entry, Trust},
    *,
};
use crate::{
    config,
    domain::{CacheTier, MessageId, PrincipalId, SiteId, Timestamp},
    guard::mask,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

pub(super) fn site(name: &str) -> SiteId {
    SiteId::parse(name).unwrap()
}

pub(super) fn partition() -> Partition {
    Partition {
        site: site("shop"),
        locale: "en".into(),
        audience: "public".into(),
        knowledge_version: 1,
        assistant: "default".into(),
        fingerprint: "model-1".into(),
        embedder: "minilm-int8".into(),
    }
}

pub(super) fn question(text: &str) -> Question {
    Question::trusted(text)
}

/// Each answer is made a little later than the one before, as in practice.
pub(super) fn answer(text: &str) -> CachedAnswer {
    static MADE: AtomicI64 = AtomicI64::new(0);
    let made_at = later(-1000 + MADE.fetch_add(1, Ordering::Relaxed) % 1000);
    CachedAnswer {
        made_for: None,
        message_id: MessageId::new(),
        text: text.to_owned(),
        citations: Vec::new(),
        usage: None,
        tags: vec!["shipping".to_owned()],
        documents: vec!["faq".to_owned()],
        made_at,
    }
}

pub(super) fn entry_with(
    question: Question,
    vector: Option<Arc<[f32]>>,
    answer: CachedAnswer,
) -> Entry {
    let trust = Trust::new(quoted(&answer), 2);
    Entry::new(partition(), question, vector, answer, later(3_600_000), trust)
}

pub(super) fn config() -> config::Cache {
    config::Cache {
        enabled: true,
        ttl: Duration::from_secs(3600),
        stale: Duration::from_secs(600),
        max_entries: 100,
        max_bytes: 1 << 20,
        threshold: 0.8,
        confirmations: 2,
        entries_per_visitor: 50,
    }
}

/// Of a visitor of its own.
pub(super) fn quoted(answer: &CachedAnswer) -> Origin {
    Origin::Quoted(vote(answer))
}

fn vote(answer: &CachedAnswer) -> Vote {
    Vote { by: Witness::new(PrincipalId::new(), None), message: answer.message_id }
}

/// Stores an answer that needs no confirmation.
fn put(
    cache: &Cache,
    partition: &Partition,
    question: &Question,
    vector: Option<Arc<[f32]>>,
    answer: CachedAnswer,
    now: Timestamp,
) {
    let origin = quoted(&answer);
    cache.put(partition, question, vector, answer, origin, now);
}

fn cache() -> Cache {
    Cache::new(&config())
}

/// A unit vector at an angle.
fn vector(degrees: f32) -> Arc<[f32]> {
    let angle = degrees.to_radians();
    vec![angle.cos(), angle.sin()].into()
}

#[test]
fn an_answer_serves_its_own_partition_and_no_other() {
    let cache = cache();
    let asked = question("do you ship to Canada?");
    let home = partition();
    put(&cache, &home, &asked, Some(vector(0.0)), answer("Yes."), NOW);
    let hit =
        cache.exact(&home, &question("Do you ship to Canada"), Freshness::Fresh, NOW).unwrap();
    assert_eq!(
        (hit.answer.text.as_str(), hit.tier, hit.similarity),
        ("Yes.", CacheTier::Exact, None)
    );
    for other in [
        Partition { site: site("other"), ..home.clone() },
        Partition { locale: "de".into(), ..home.clone() },
        Partition { audience: "wholesale".into(), ..home.clone() },
        Partition { knowledge_version: 2, ..home.clone() },
        Partition { assistant: "sales".into(), ..home.clone() },
        Partition { fingerprint: "model-2".into(), ..home.clone() },
        Partition { embedder: "minilm-fp32".into(), ..home.clone() },
    ] {
        assert_ne!(other.key(), home.key());
        assert!(cache.exact(&other, &asked, Freshness::Fresh, NOW).is_none(), "{other:?}");
        assert!(
            cache.semantic(&other, &asked, &vector(0.0), Freshness::Fresh, NOW).is_none(),
            "{other:?}"
        );
    }
}

#[test]
fn fields_of_a_partition_do_not_run_into_each_other() {
    let a = Partition { locale: "en".into(), audience: "public".into(), ..partition() };
    let b = Partition { locale: "enp".into(), audience: "ublic".into(), ..partition() };
    assert_ne!(a.key(), b.key());
}

#[test]
fn a_similar_question_is_served_only_if_the_guards_agree() {
    let cache = cache();
    let home = partition();
    put(
        &cache,
        &home,
        &question("how can I cancel my order"),
        Some(vector(0.0)),
        answer("cancel"),
        NOW,
    );
    put(
        &cache,
        &home,
        &question("how can I change my order"),
        Some(vector(3.0)),
        answer("change"),
        NOW,
    );
    let hit = cache
        .semantic(
            &home,
            &question("I want to cancel an order"),
            &vector(3.0),
            Freshness::Fresh,
            NOW,
        )
        .unwrap();
    assert_eq!((hit.answer.text.as_str(), hit.tier), ("cancel", CacheTier::Semantic));
    assert!(hit.similarity.is_some_and(|similarity| similarity > 0.99 && similarity < 1.0));
    let far = cache.semantic(
        &home,
        &question("I want to cancel an order"),
        &vector(60.0),
        Freshness::Fresh,
        NOW,
    );
    assert!(far.is_none(), "below the threshold");
    let other = cache.semantic(
        &home,
        &question("how can I track my order"),
        &vector(0.0),
        Freshness::Fresh,
        NOW,
    );
    assert!(other.is_none(), "another question at full similarity");
}

#[test]
fn expiry_is_absolute_and_a_hit_never_extends_it() {
    let cache = cache();
    let (home, asked) = (partition(), question("do you ship to Canada"));
    let mut made = answer("Yes.");
    made.made_at = NOW;
    put(&cache, &home, &asked, Some(vector(0.0)), made, NOW);
    let life = 3_600_000;
    for at in [1, life / 2, life - 1] {
        let hit = cache.exact(&home, &asked, Freshness::Fresh, later(at)).unwrap();
        assert_eq!(hit.age.as_millis(), u128::try_from(at).unwrap());
        assert!(cache.semantic(&home, &asked, &vector(0.0), Freshness::Fresh, later(at)).is_some());
    }
    assert!(cache.exact(&home, &asked, Freshness::Fresh, later(life)).is_none());
    let stale = life + 599_999;
    assert!(cache.exact(&home, &asked, Freshness::Stale, later(stale)).is_some());
    assert!(cache.semantic(&home, &asked, &vector(0.0), Freshness::Stale, later(stale)).is_some());
    assert!(cache.exact(&home, &asked, Freshness::Stale, later(stale + 1)).is_none());
    assert!(cache.semantic(&home, &asked, &vector(0.0), Freshness::Fresh, later(life)).is_none());
    let mut stale = answer("old");
    stale.made_at = NOW;
    put(&cache, &home, &asked, None, stale, later(life));
    assert!(
        cache.exact(&home, &asked, Freshness::Fresh, later(life)).is_none(),
        "its life began when it was made"
    );
}

#[test]
fn entries_are_bounded_by_count_and_used_ones_stay_longer() {
    let cache = Cache::new(&config::Cache { max_entries: 10, ..config() });
    let home = partition();
    let ask = |n: usize| question(&format!("question about topic{n}"));
    for n in 0..10 {
        put(&cache, &home, &ask(n), Some(vector(n as f32)), answer("x"), NOW);
    }
    cache.exact(&home, &ask(0), Freshness::Fresh, NOW).unwrap();
    for n in 10..14 {
        put(&cache, &home, &ask(n), Some(vector(n as f32)), answer("x"), NOW);
    }
    let there: Vec<usize> =
        (0..14).filter(|n| cache.exact(&home, &ask(*n), Freshness::Fresh, NOW).is_some()).collect();
    assert_eq!(there, [0, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
}

#[test]
fn entries_are_bounded_by_bytes() {
    let cache = Cache::new(&config::Cache { max_bytes: 64 << 10, ..config() });
    let home = partition();
    for n in 0..50 {
        let text = "x".repeat(4000);
        put(&cache, &home, &question(&format!("topic{n}")), None, answer(&text), NOW);
    }
    let page = cache.list(&site("shop"), None, 100, NOW);
    assert!((5..16).contains(&page.items.len()), "{}", page.items.len());
    put(&cache, &home, &question("huge"), None, answer(&"x".repeat(100_000)), NOW);
    assert!(cache.exact(&home, &question("huge"), Freshness::Fresh, NOW).is_none());
    assert_eq!(cache.list(&site("shop"), None, 100, NOW).items.len(), page.items.len());
}

#[test]
fn a_purge_takes_away_what_it_names_and_older_answers_cannot_come_back() {
    let cache = cache();
    let home = partition();
    let (ship, pay) = (question("do you ship to Canada"), question("can I pay by card"));
    let of = |document: &str, tag: &str, made_at| CachedAnswer {
        documents: vec![document.to_owned()],
        tags: vec![tag.to_owned()],
        made_at,
        ..answer("x")
    };
    let fill = |made_at| {
        put(&cache, &home, &ship, Some(vector(0.0)), of("faq", "shipping", made_at), NOW);
        put(&cache, &home, &pay, Some(vector(9.0)), of("terms", "payment", made_at), NOW);
    };
    let there =
        || [&ship, &pay].map(|asked| cache.exact(&home, asked, Freshness::Fresh, NOW).is_some());

    fill(later(-100));
    assert_eq!(cache.purge_document(&site("other"), "faq", later(-90)), 0);
    assert_eq!(cache.purge_document(&site("shop"), "faq", later(-90)), 1);
    assert_eq!(there(), [false, true]);
    assert!(cache.semantic(&home, &ship, &vector(0.0), Freshness::Fresh, NOW).is_none());
    fill(later(-95));
    assert_eq!(there(), [false, true], "made before the purge");
    fill(later(-80));
    assert_eq!(there(), [true, true]);

    assert_eq!(cache.purge_tag(&site("shop"), "payment", later(-70)), 1);
    assert_eq!(there(), [true, false]);
    assert_eq!(cache.purge_all(&site("shop"), later(-60)), 1);
    fill(later(-61));
    assert_eq!(there(), [false, false]);
    fill(later(-50));
    assert_eq!(there(), [true, true]);
}

#[test]
fn a_distrusted_entry_is_gone_and_a_new_answer_may_take_its_place() {
    let cache = cache();
    let (home, asked) = (partition(), question("do you ship to Canada"));
    let wrong = answer("wrong");
    put(&cache, &home, &asked, Some(vector(0.0)), wrong.clone(), NOW);
    cache.distrust(wrong.message_id, NOW);
    assert!(cache.exact(&home, &asked, Freshness::Fresh, NOW).is_none());
    assert!(cache.semantic(&home, &asked, &vector(0.0), Freshness::Fresh, NOW).is_none());
    cache.distrust(MessageId(Uuid::nil()), NOW);
    put(&cache, &home, &asked, Some(vector(0.0)), wrong, NOW);
    assert!(cache.exact(&home, &asked, Freshness::Fresh, NOW).is_none(), "it does not come back");
    put(&cache, &home, &asked, Some(vector(0.0)), answer("right"), NOW);
    assert_eq!(cache.exact(&home, &asked, Freshness::Fresh, NOW).unwrap().answer.text, "right");
}

/// What a stranger gets who asks the question.
fn served(cache: &Cache, asked: &Question) -> Option<String> {
    let hit = cache.exact(&partition(), asked, Freshness::Fresh, NOW);
    hit.map(|hit| hit.answer.text.clone())
}

/// What a turn does with an answer of the model.
fn written(cache: &Cache, asked: &Question, degrees: f32, text: &str, by: Witness) -> MessageId {
    let (home, vector, answer) = (partition(), vector(degrees), answer(text));
    let vote = Vote { by, message: answer.message_id };
    if let Some(known) = cache.unconfirmed(&home, asked, Some(&vector), NOW)
        && known.text == text
        && cache.confirm(known.message_id, vote, NOW)
    {
        return vote.message;
    }
    cache.put(&home, asked, Some(vector), answer, Origin::Written(vote), NOW);
    vote.message
}

fn visitor() -> Witness {
    Witness::new(PrincipalId::new(), None)
}

#[test]
fn an_answer_of_the_model_serves_strangers_once_another_visitor_got_the_same() {
    let cache = cache();
    let asked = question("how can I cancel my order");
    let first = visitor();
    for _ in 0..3 {
        written(&cache, &asked, 0.0, "Like this.", first);
        assert_eq!(served(&cache, &asked), None, "one visitor is not enough");
    }
    assert!(cache.semantic(&partition(), &asked, &vector(0.0), Freshness::Fresh, NOW).is_none());
    written(&cache, &asked, 0.0, "All is free.", visitor());
    assert_eq!(served(&cache, &asked), None, "they got something else");
    written(&cache, &asked, 0.0, "Like this.", visitor());
    assert_eq!(served(&cache, &asked), None, "the other answer stood between");
    written(&cache, &asked, 0.0, "Like this.", visitor());
    assert_eq!(served(&cache, &asked).as_deref(), Some("Like this."));
    assert!(cache.semantic(&partition(), &asked, &vector(0.0), Freshness::Fresh, NOW).is_some());
    written(&cache, &asked, 0.0, "All is free.", visitor());
    assert_eq!(served(&cache, &asked).as_deref(), Some("Like this."), "what serves stays");
}

#[test]
fn another_wording_confirms_an_answer_if_the_guards_agree() {
    let cache = cache();
    let (asked, again) =
        (question("how can I cancel my order"), question("I want to cancel an order"));
    written(&cache, &asked, 0.0, "Like this.", visitor());
    written(&cache, &question("how can I track my order"), 0.0, "Like this.", visitor());
    assert_eq!(served(&cache, &asked), None);
    written(&cache, &again, 3.0, "Like this.", visitor());
    assert_eq!(served(&cache, &asked).as_deref(), Some("Like this."));
    assert_eq!(served(&cache, &again), None, "it is found by meaning");
    assert_eq!(cache.list(&site("shop"), None, 10, NOW).items.len(), 2);
}

#[test]
fn a_question_with_a_rider_confirms_nothing_for_others_and_its_answer_serves_who_says_as_much() {
    let cache = cache();
    let asked = question("how can I cancel my order");
    let ridden = question("how can I cancel my order, I know you will just give me something");
    let wordy = question("how can I cancel my order, I know you will just give me something, ok");
    let hit = |asked: &Question| {
        let hit = cache.semantic(&partition(), asked, &vector(0.0), Freshness::Fresh, NOW);
        hit.map(|hit| hit.answer.text.clone())
    };
    written(&cache, &asked, 0.0, "All is free.", visitor());
    for _ in 0..3 {
        written(&cache, &ridden, 0.0, "All is free.", visitor());
        assert_eq!((served(&cache, &asked), hit(&asked)), (None, None));
    }
    assert_eq!(served(&cache, &ridden).as_deref(), Some("All is free."));
    assert_eq!(hit(&wordy).as_deref(), Some("All is free."));
}

#[test]
fn one_visitor_takes_no_answer_away_and_several_do() {
    let cache = cache();
    let asked = question("how can I cancel my order");
    let first = written(&cache, &asked, 0.0, "Like this.", visitor());
    let second = written(&cache, &asked, 0.0, "Like this.", visitor());
    let angry = visitor();
    for _ in 0..3 {
        cache.doubt(first, angry, NOW);
        assert_eq!(served(&cache, &asked).as_deref(), Some("Like this."));
    }
    let hit = cache.exact(&partition(), &asked, Freshness::Fresh, NOW).unwrap();
    assert!(hit.is_doubted_by(angry) && !hit.is_doubted_by(visitor()));
    // The message of somebody who confirmed it is the same answer.
    cache.doubt(second, visitor(), NOW);
    assert_eq!(served(&cache, &asked), None);
    written(&cache, &asked, 0.0, "Otherwise.", visitor());
    assert_eq!(served(&cache, &asked), None);
}

#[test]
fn a_visitor_brings_in_so_many_entries_and_no_more() {
    let cache = Cache::new(&config::Cache { entries_per_visitor: 3, ..config() });
    let busy = visitor();
    for n in 0..10 {
        written(&cache, &question(&format!("question about topic{n}")), 9.0 * n as f32, "x", busy);
    }
    assert_eq!(cache.list(&site("shop"), None, 20, NOW).items.len(), 3);
    // A vote counts, too.
    let other = question("how can I cancel my order");
    written(&cache, &other, 200.0, "Like this.", visitor());
    written(&cache, &other, 200.0, "Like this.", busy);
    assert_eq!(served(&cache, &other), None);
    written(&cache, &other, 200.0, "Like this.", visitor());
    assert!(served(&cache, &other).is_some());
    // What is gone makes room.
    cache.purge_all(&site("shop"), later(1));
    let answer = CachedAnswer { made_at: later(2), ..answer("x") };
    let origin = Origin::Written(Vote { by: busy, message: answer.message_id });
    cache.put(&partition(), &other, None, answer, origin, later(2));
    assert_eq!(cache.list(&site("shop"), None, 20, NOW).items.len(), 1);
}

#[test]
fn a_flood_of_questions_does_not_drive_out_what_serves_shoppers() {
    let cache = Cache::new(&config::Cache { max_entries: 20, ..config() });
    let asked: Vec<Question> = (0..10).map(|n| question(&format!("about topic{n}"))).collect();
    for asked in &asked {
        written(&cache, asked, 0.0, "x", visitor());
        written(&cache, asked, 0.0, "x", visitor());
    }
    for n in 100..200 {
        written(&cache, &question(&format!("about topic{n}")), 0.0, "junk", visitor());
    }
    assert_eq!(cache.list(&site("shop"), None, 100, NOW).items.len(), 20);
    assert!(asked.iter().all(|asked| served(&cache, asked).is_some()));
}

#[test]
fn an_older_answer_does_not_replace_a_newer_one() {
    let cache = cache();
    let (home, asked) = (partition(), question("do you ship to Canada"));
    let (old, new) = (answer("old"), CachedAnswer { made_at: NOW, ..answer("new") });
    put(&cache, &home, &asked, None, new, NOW);
    put(&cache, &home, &asked, None, old, NOW);
    assert_eq!(cache.exact(&home, &asked, Freshness::Fresh, NOW).unwrap().answer.text, "new");
    assert_eq!(cache.list(&site("shop"), None, 10, NOW).items.len(), 1);
}

#[test]
fn a_list_pages_through_one_site_only() {
    let cache = cache();
    let foreign = Partition { site: site("other"), ..partition() };
    for n in 0..7 {
        put(&cache, &partition(), &question(&format!("topic{n}")), None, answer("x"), NOW);
        put(&cache, &foreign, &question(&format!("topic{n}")), None, answer("x"), NOW);
    }
    cache.exact(&partition(), &question("topic3"), Freshness::Fresh, NOW).unwrap();
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let page = cache.list(&site("shop"), cursor, 3, NOW);
        seen.extend(page.items.iter().map(|item| (item.question.clone(), item.hits_exact)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..7).map(|n| (format!("topic{n}"), u64::from(n == 3))).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_disabled_cache_keeps_and_finds_nothing() {
    let cache = Cache::new(&config::Cache { enabled: false, ..config() });
    let (home, asked) = (partition(), question("do you ship to Canada"));
    put(&cache, &home, &asked, Some(vector(0.0)), answer("Yes."), NOW);
    assert!(cache.exact(&home, &asked, Freshness::Fresh, NOW).is_none());
    assert!(cache.list(&site("shop"), None, 10, NOW).items.is_empty());
}

#[test]
fn a_question_with_personal_data_never_becomes_a_key() {
    let asked = Question::new(&mask("send my invoice to ann@example.com").text, true);
    assert_eq!(asked.unwrap_err(), NotCacheable::Personal);
}

#[test]
fn an_answer_made_for_an_erased_person_is_gone_and_never_taken_again() {
    let cache = cache();
    let (person, other) = (PrincipalId::new(), PrincipalId::new());
    let made = |text, person| CachedAnswer { made_for: Some(person), ..answer(text) };
    let put = |words: &str, answer| {
        let origin = quoted(&answer);
        cache.put(&partition(), &question(words), None, answer, origin, NOW);
    };
    put("mine", made("mine", person));
    put("theirs", made("theirs", other));
    put("nobody's", answer("nobody's"));
    assert_eq!(cache.made_for(person, 10, NOW).len(), 1);
    assert!(cache.forget(person, NOW), "without Redis nobody has to be told");
    let text = |words: &str| {
        let hit = cache.exact(&partition(), &question(words), Freshness::Fresh, NOW);
        hit.map(|hit| hit.answer.text.clone())
    };
    assert_eq!((text("mine"), text("theirs").as_deref()), (None, Some("theirs")));
    assert_eq!(text("nobody's").as_deref(), Some("nobody's"));
    // Unlike other purges, whenever it was made.
    put("mine", CachedAnswer { made_at: later(60_000), ..made("mine", person) });
    assert_eq!(text("mine"), None);
    assert!(cache.made_for(person, 10, NOW).is_empty());
}
