//! The base with a real archive in a file, and an embedder that a test can watch and stop.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use actix::{Actor, Context, Handler};

use crate::{
    archive::Archive,
    clock,
    config::{self, Config, Sources},
    domain::SiteId,
    embedding::{EmbedError, Embedding, messages::Embed},
    guard::plain_words,
    knowledge::{Body, Format, Knowledge, KnowledgeError, NewDocument, PUBLIC, Query, Status},
};

/// Returns vectors of the letters of a text, so that similar texts are near each other.
#[derive(Clone, Default)]
struct Letters {
    asked: Arc<AtomicUsize>,
    overloaded: Arc<AtomicUsize>,
    broken: Arc<AtomicBool>,
}

impl Actor for Letters {
    type Context = Context<Self>;
}

impl Handler<Embed> for Letters {
    type Result = ();

    fn handle(&mut self, request: Embed, _: &mut Self::Context) {
        self.asked.fetch_add(1, SeqCst);
        let overloaded =
            self.overloaded.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        let answer = match (self.broken.load(SeqCst), overloaded) {
            (true, _) => Err(EmbedError::Failed),
            (_, true) => Err(EmbedError::Overloaded),
            _ => Ok(Embedding { vector: vector(&request.text), truncated: false }),
        };
        let _ = request.reply.send(answer);
    }
}

fn vector(text: &str) -> Arc<[f32]> {
    let mut counts = vec![0.1_f32; 26];
    for letter in text.to_ascii_lowercase().bytes().filter(u8::is_ascii_lowercase) {
        counts[usize::from(letter - b'a')] += 1.0;
    }
    counts.into()
}

struct Bench {
    archive: Archive,
    site: SiteId,
    config: config::Knowledge,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(&Sources::default()).unwrap();
        let archive =
            Archive::open_sqlite(&folder.path().join("a.db"), &config.store).await.unwrap();
        archive.migrate().await.unwrap();
        let site = SiteId::parse("shop").unwrap();
        let configured = config::Site::new(site.clone(), "Shop", "pk_shop");
        archive.put_sites(&[configured], clock::now()).await.unwrap();
        Self { archive, site, config: config.knowledge, _folder: folder }
    }

    /// A replica; `embedder` is the source and the id of its vectors.
    async fn replica(&self, embedder: Option<(&Letters, &str)>) -> Knowledge {
        let embedder = embedder
            .map(|(letters, id)| (letters.clone().start().recipient(), id.into(), Arc::default()));
        Knowledge::load(self.archive.clone(), embedder, &self.config, &[]).await.unwrap()
    }

    fn found(&self, knowledge: &Knowledge, question: &str) -> Vec<String> {
        let found = knowledge.search(&self.site, &Query::new(question), 3);
        found.into_iter().map(|passage| passage.document_id).collect()
    }

    /// Whether a question without a known word finds a passage, which only vectors can do.
    fn has_vectors(&self, knowledge: &Knowledge) -> bool {
        let vector = vector("zzz");
        let query = Query { vector: Some(&vector), ..Query::new("zzz") };
        !knowledge.search(&self.site, &query, 1).is_empty()
    }
}

fn document(id: &str, text: &str) -> NewDocument {
    NewDocument {
        trusted: false,
        external_id: id.into(),
        title: format!("About {id}"),
        format: Format::Markdown,
        body: Body::Text(text.into()),
        tags: Vec::new(),
        audience: PUBLIC.into(),
        locale: None,
        url: None,
    }
}

#[actix::test]
async fn a_document_is_created_updated_left_alone_and_deleted() {
    let bench = Bench::new().await;
    let knowledge = bench.replica(None).await;
    let put =
        async |text| knowledge.upsert(&bench.site, document("returns", text), None).await.unwrap();

    let created = put("# Returns\nYou have thirty days.").await;
    assert_eq!((created.status, created.version, created.chunks), (Status::Created, 1, 1));
    let same = put("# Returns\nYou have thirty days.").await;
    assert_eq!((same.status, same.version, &same.etag), (Status::Unchanged, 1, &created.etag));
    assert_eq!(knowledge.version(&bench.site), created.knowledge_version);

    let updated = put("# Returns\nYou have forty nights.").await;
    assert_eq!((updated.status, updated.version), (Status::Updated, 2));
    assert_eq!(knowledge.version(&bench.site), updated.knowledge_version);
    assert!(updated.knowledge_version > created.knowledge_version);
    assert_eq!(bench.found(&knowledge, "nights"), ["returns"]);
    assert_eq!(bench.found(&knowledge, "thirty"), [""; 0]);

    let deleted = knowledge.delete(&bench.site, "returns").await.unwrap().unwrap();
    assert_eq!(deleted.chunks, 1);
    assert_eq!(bench.found(&knowledge, "nights"), [""; 0]);
    assert!(knowledge.delete(&bench.site, "returns").await.unwrap().is_none());
}

#[actix::test]
async fn if_match_guards_against_another_writer() {
    let bench = Bench::new().await;
    let knowledge = bench.replica(None).await;
    let put = async |text, tag| knowledge.upsert(&bench.site, document("a", text), tag).await;
    let refused = |outcome| matches!(outcome, Err(KnowledgeError::Changed));

    assert!(refused(put("one", Some("*")).await));
    let first = put("one", None).await.unwrap();
    let second = put("two", Some(&first.etag)).await.unwrap();
    assert!(refused(put("three", Some(&first.etag)).await));
    assert!(put("three", Some("*")).await.is_ok());
    assert!(refused(put("four", Some(&second.etag)).await));
}

#[actix::test]
async fn another_replica_sees_every_change_after_a_refresh() {
    let bench = Bench::new().await;
    let (here, there) = (bench.replica(None).await, bench.replica(None).await);
    for id in ["boots", "gloves", "ropes"] {
        here.upsert(&bench.site, document(id, &format!("We sell {id}.")), None).await.unwrap();
    }
    assert_eq!(bench.found(&there, "gloves"), [""; 0]);
    there.refresh(&bench.site).await.unwrap();
    assert_eq!(bench.found(&there, "gloves"), ["gloves"]);

    here.delete(&bench.site, "boots").await.unwrap();
    here.upsert(&bench.site, document("gloves", "We sell mittens."), None).await.unwrap();
    here.upsert(&bench.site, document("hats", "We sell hats."), None).await.unwrap();
    there.refresh(&bench.site).await.unwrap();
    assert_eq!(bench.found(&there, "boots"), [""; 0]);
    assert_eq!(bench.found(&there, "mittens"), ["gloves"]);
    assert_eq!(bench.found(&there, "hats"), ["hats"]);
    assert_eq!(bench.found(&there, "ropes"), ["ropes"]);
    assert_eq!(there.version(&bench.site), here.version(&bench.site));
}

#[actix::test]
async fn a_writer_that_fell_behind_catches_up_with_its_own_change() {
    let bench = Bench::new().await;
    let (here, there) = (bench.replica(None).await, bench.replica(None).await);
    here.upsert(&bench.site, document("boots", "We sell boots."), None).await.unwrap();
    let stored = there.upsert(&bench.site, document("hats", "We sell hats."), None).await.unwrap();
    assert_eq!(bench.found(&there, "boots"), ["boots"]);
    assert_eq!(bench.found(&there, "hats"), ["hats"]);
    assert_eq!(there.version(&bench.site), stored.knowledge_version);
}

#[actix::test]
async fn a_replica_that_starts_reads_everything_also_over_many_pages() {
    let bench = Bench::new().await;
    let here = bench.replica(None).await;
    let mut long = String::new();
    for number in 0..700 {
        long.push_str(&format!("# Part {number}\nWord{number} is here.\n\n"));
    }
    here.upsert(&bench.site, document("long", &long), None).await.unwrap();
    for number in 0..70 {
        let text = format!("Single{number} stands alone.");
        here.upsert(&bench.site, document(&format!("d{number}"), &text), None).await.unwrap();
    }
    for there in [bench.replica(None).await, here] {
        assert_eq!(bench.found(&there, "word699"), ["long"]);
        assert_eq!(bench.found(&there, "word0"), ["long"]);
        assert_eq!(bench.found(&there, "single69"), ["d69"]);
        assert_eq!(there.documents(&bench.site).await.unwrap(), 71);
    }
}

#[actix::test]
async fn a_long_document_is_read_whole_when_it_alone_changed() {
    let bench = Bench::new().await;
    let (here, there) = (bench.replica(None).await, bench.replica(None).await);
    let text = |word: &str| -> String {
        (0..1_200).map(|n| format!("# P {n}\n{word}{n} is here.\n\n")).collect()
    };
    for id in ["a", "b", "c"] {
        here.upsert(&bench.site, document(id, "short"), None).await.unwrap();
    }
    there.refresh(&bench.site).await.unwrap();
    here.upsert(&bench.site, document("b", &text("word")), None).await.unwrap();
    there.refresh(&bench.site).await.unwrap();
    for number in [0, 499, 500, 999, 1_199] {
        assert_eq!(bench.found(&there, &format!("word{number}"))[0], "b");
    }
}

#[actix::test]
async fn passages_of_another_embedder_are_embedded_again_at_the_start() {
    let bench = Bench::new().await;
    let (old, new) = (Letters::default(), Letters::default());
    let here = bench.replica(Some((&old, "old"))).await;
    let faq =
        vec![crate::knowledge::FaqPair { question: "Why?".into(), answer: "Because.".into() }];
    here.upsert(&bench.site, document("a", "# One\nText.\n\n# Two\nGloves."), None).await.unwrap();
    let pairs = NewDocument { body: Body::Faq(faq), ..document("b", "") };
    here.upsert(&bench.site, pairs, None).await.unwrap();
    assert!(bench.has_vectors(&here));

    let there = bench.replica(Some((&new, "new"))).await;
    assert!(bench.has_vectors(&there));
    assert_eq!(new.asked.load(SeqCst), old.asked.load(SeqCst));

    let again = Letters::default();
    bench.replica(Some((&again, "new"))).await;
    assert_eq!(again.asked.load(SeqCst), 0, "they were stored");

    // The old replica continues with terms, because its own vectors must not be compared with the
    // new ones.
    here.refresh(&bench.site).await.unwrap();
    assert!(!bench.has_vectors(&here));
    assert_eq!(bench.found(&here, "gloves"), ["a"]);
}

#[actix::test]
async fn a_broken_embedder_leaves_the_terms_and_the_next_start_mends_it() {
    let bench = Bench::new().await;
    let broken = Letters { broken: Arc::new(true.into()), ..Letters::default() };
    let here = bench.replica(Some((&broken, "m"))).await;
    here.upsert(&bench.site, document("a", "We sell boots."), None).await.unwrap();
    assert_eq!(bench.found(&here, "boots"), ["a"]);
    assert!(!bench.has_vectors(&here));
    let there = bench.replica(Some((&Letters::default(), "m"))).await;
    assert!(bench.has_vectors(&there));
}

#[actix::test]
async fn a_full_queue_of_the_embedder_is_waited_for() {
    let bench = Bench::new().await;
    let busy = Letters { overloaded: Arc::new(3.into()), ..Letters::default() };
    let here = bench.replica(Some((&busy, "m"))).await;
    here.upsert(&bench.site, document("a", "We sell boots."), None).await.unwrap();
    assert!(bench.has_vectors(&here));
}

#[actix::test]
async fn sites_audiences_and_languages_do_not_see_each_other() {
    let bench = Bench::new().await;
    let knowledge = bench.replica(None).await;
    let staff =
        NewDocument { audience: "staff".into(), ..document("secret", "The safe code for boots.") };
    let german =
        NewDocument { locale: Some("de".into()), ..document("stiefel", "Wir verkaufen boots.") };
    for document in [staff, german, document("public", "We sell boots.")] {
        knowledge.upsert(&bench.site, document, None).await.unwrap();
    }
    let ids = |query: Query<'_>| -> Vec<String> {
        let mut ids: Vec<_> =
            knowledge.search(&bench.site, &query, 9).into_iter().map(|p| p.document_id).collect();
        ids.sort();
        ids
    };
    let boots = Query::new("boots");
    assert_eq!(ids(boots), ["public", "stiefel"]);
    assert_eq!(ids(Query { audience: "staff", ..boots }), ["public", "secret", "stiefel"]);
    assert_eq!(ids(Query { locale: Some("en-GB"), ..boots }), ["public"]);
    assert_eq!(ids(Query { locale: Some("de-AT"), ..boots }), ["stiefel"]);
    let other = SiteId::parse("other").unwrap();
    assert!(knowledge.search(&other, &boots, 9).is_empty());
}

#[actix::test]
async fn a_full_site_takes_changes_but_nothing_new() {
    let mut bench = Bench::new().await;
    bench.config.max_documents = 1;
    bench.config.max_passages = 2;
    let knowledge = bench.replica(None).await;
    let put = async |id, text| knowledge.upsert(&bench.site, document(id, text), None).await;
    put("a", "one").await.unwrap();
    assert!(matches!(put("b", "two").await, Err(KnowledgeError::Full { max_documents: 1 })));
    assert!(put("a", "changed").await.is_ok());
    let long = "# A\na\n\n# B\nb\n\n# C\nc";
    assert!(matches!(put("a", long).await, Err(KnowledgeError::Invalid(_))));
}

#[actix::test]
async fn documents_stored_at_once_are_all_found() {
    let bench = Bench::new().await;
    let knowledge = bench.replica(None).await;
    let put = |number: usize| {
        let (knowledge, site) = (knowledge.clone(), bench.site.clone());
        async move {
            let id = format!("d{number}");
            knowledge
                .upsert(&site, document(&id, &format!("Word{number} here.")), None)
                .await
                .unwrap()
        }
    };
    let stored = futures_util::future::join_all((0..20).map(put)).await;
    let versions: HashMap<u64, ()> = stored.iter().map(|s| (s.knowledge_version, ())).collect();
    assert_eq!(versions.len(), 20);
    for number in 0..20 {
        assert_eq!(bench.found(&knowledge, &format!("word{number}")), [format!("d{number}")]);
    }
}

#[actix::test]
async fn the_pages_of_a_site_say_what_they_have_in_the_same_words() {
    let bench = Bench::new().await;
    let knowledge = bench.replica(None).await;
    let text = "We sell the **Anna Karlsson** tent at Speicherstraße 12, 20457 Hamburg.";
    knowledge.upsert(&bench.site, document("store", text), None).await.unwrap();
    let says = |phrase: &str| knowledge.says(&bench.site, &plain_words(phrase));
    for phrase in ["anna karlsson", "Speicherstraße 12, 20457 Hamburg", "Karlsson", "store"] {
        assert!(says(phrase), "{phrase}");
    }
    for phrase in ["Karlsson Anna", "Speicherstraße 14", "arlsson", "Berlin", ""] {
        assert!(!says(phrase), "{phrase}");
    }
    knowledge.delete(&bench.site, "store").await.unwrap();
    assert!(!says("anna karlsson"));
}
