//! Everything of a customer is exported and erased: by the customer, an admin or the shop's server, on every replica, in
//! every store, and in spite of kills and outages.

use std::{fs, path::Path, time::Duration};

use actix_web::rt::test;
use diesel::{QueryableByName, sql_query, sql_types};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};
use reqwest::StatusCode;
use rushdesk::domain::{PrincipalId, SiteId};
use serde_json::{Value, json};

use super::{crash, distributed::Stores, fake_model::FakeModel, harness::*, servers::*};

/// Stands in what the customer says, and nowhere else.
const WORD: &str = "quokkaberry";
const QUESTION: &str = "Do you sell quokkaberry jam?";
const EMAIL: &str = "quokkaberry@shop.example";

/// A customer who has asked, and has rated the answer.
struct Customer {
    shopper: Shopper,
    id: String,
    session: String,
    tokens: Value,
}

impl Customer {
    async fn register(app: &TestApp) -> Self {
        let account = json!({
            "site_key": "pk_demo", "email": EMAIL, "password": "correct horse battery", "display_name": "Q. Quokkaberry",
        });
        let tokens = ok(app.auth("register", &account)).await;
        Self::chat(app, tokens).await
    }

    async fn chat(app: &TestApp, tokens: Value) -> Self {
        let shopper = app.signed_in(&tokens);
        let id = tokens["principal"]["id"].as_str().unwrap().to_owned();
        let session = shopper.session().await;
        let turn = shopper.ask(&session, QUESTION).await;
        let answer = turn["answer"]["message_id"].as_str().unwrap().to_owned();
        let rating = json!({"rating": "up", "comment": "I like quokkaberry jam."});
        ok(shopper.post(&format!("/v1/messages/{answer}/feedback")).json(&rating)).await;
        Self { shopper, id, session, tokens }
    }

    /// Nothing that the customer had can be used any more.
    async fn is_gone(&self, app: &TestApp) {
        let shopper = self.shopper.at(app);
        let asked =
            json!({"model": "rushdesk", "messages": [{"role": "user", "content": "Hello?"}]});
        for request in [
            shopper.me(),
            shopper.new_session(&json!({})),
            shopper.sessions(),
            shopper.view(&self.session),
            shopper.erase(&self.session),
            shopper.message(&self.session, "k", "Hello?"),
            shopper.history(&self.session),
            shopper.follow(&self.session),
            shopper.complete(&asked),
            shopper.models(),
            shopper.search("jam"),
            shopper.export(&self.id),
        ] {
            let problem = refused(request, 401, "token_invalid").await;
            assert!(problem["detail"].as_str().unwrap().contains("was erased"), "{problem}");
        }
        let mut socket = Socket::open(&shopper, &self.session, None).await;
        assert_eq!(socket.closed().await, (4401, "token_invalid".to_owned()));
        let refresh = json!({"refresh_token": self.tokens["refresh_token"]});
        refused(app.auth("refresh", &refresh), 401, "token_invalid").await;
    }
}

/// How often these bytes stand in files of a folder.
pub fn found(folder: &Path, text: &str) -> usize {
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            count += found(&path, text);
        } else {
            let bytes = fs::read(&path).unwrap();
            count += bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count();
        }
    }
    count
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn exported(shopper: &Shopper, id: &str) -> Vec<Value> {
    let response = sent(shopper.export(id)).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    lines(&response.text().await.unwrap())
}

fn of_kind<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

/// What the receipt says of each store.
fn stores_of(receipt: &Value) -> [&str; 3] {
    ["archive", "replicas", "cache"].map(|store| receipt["stores"][store].as_str().unwrap())
}

#[test]
async fn an_erased_customer_is_in_no_file_and_starts_again_with_nothing() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let app = TestApp::in_folder(data, &[]).await;
    let customer = Customer::register(&app).await;
    let other = app.ask("Do you sell wolfberry jam?").await;
    assert_eq!(other["status"], "completed", "{other}");
    assert!(found(&folder, WORD) > 0);

    let response = sent(customer.shopper.erase_customer(&customer.id)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let receipt = body(response).await;
    assert_eq!(found(&folder, WORD), 0, "{receipt}");
    assert!(found(&folder, "wolfberry") > 0);
    assert_eq!(receipt["customer_id"], customer.id.as_str());
    assert!(receipt["erased_at"].is_string() && receipt["requested_at"].is_string(), "{receipt}");
    assert_eq!(stores_of(&receipt), ["erased"; 3]);
    for (name, count) in [
        ("accounts", 1),
        ("refresh_tokens", 1),
        ("sessions", 1),
        ("events", 2),
        ("messages", 2),
        ("idempotency", 1),
        ("feedback", 1),
        ("tickets", 0),
        ("audit", 0),
    ] {
        assert_eq!(receipt[name], count, "{name}: {receipt}");
    }
    customer.is_gone(&app).await;
    // The same request again is the same receipt.
    assert_eq!(ok(customer.shopper.erase_customer(&customer.id)).await, receipt);

    let login = json!({"site_key": "pk_demo", "email": EMAIL, "password": "correct horse battery"});
    refused(app.auth("login", &login), 401, "token_invalid").await;
    let again = Customer::register(&app).await;
    assert_ne!(again.id, customer.id);
    assert_eq!(again.shopper.session_ids().await, [again.session.as_str()]);
    sent(again.shopper.erase_customer(&again.id)).await;

    // A restart finds nothing either, and still knows that the customer is gone.
    let app = TestApp::in_folder(app.stop().await, &[]).await;
    customer.is_gone(&app).await;
    assert_eq!(found(&folder, WORD), 0);
    app.stop().await;
}

#[test]
async fn a_visitor_is_erased_like_a_customer_and_by_those_of_the_shop() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let visitor = async || {
        let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
        Customer::chat(&app, tokens).await
    };
    let site = SiteId::parse("demo").unwrap();
    let (_, key) = app.app().accounts.create_key(&site, "shop").await.unwrap().unwrap();
    for (eraser, entries) in [(None, 0), (Some(admin.clone()), 1), (Some(app.holder(&key)), 1)] {
        let visitor = visitor().await;
        let eraser = eraser.as_ref().unwrap_or(&visitor.shopper);
        for _ in 0..2 {
            let receipt = ok(eraser.erase_customer(&visitor.id)).await;
            assert_eq!((&receipt["accounts"], &receipt["sessions"]), (&json!(0), &json!(1)));
        }
        visitor.is_gone(&app).await;
        let log = ok(admin.audit()).await;
        let about = log["items"].as_array().unwrap().iter();
        let about: Vec<_> = about.filter(|entry| entry["target"] == visitor.id.as_str()).collect();
        assert_eq!(about.len(), entries, "{about:?}");
        assert!(about.iter().all(|entry| entry["action"] == "customer.erase"), "{about:?}");
    }
    // Neither staff, nor a server, nor somebody who is not there.
    let staff = ok(admin.me()).await["id"].as_str().unwrap().to_owned();
    let server = ok(app.holder(&key).me()).await["id"].as_str().unwrap().to_owned();
    for id in [staff, server, PrincipalId::new().to_string(), "nobody".to_owned()] {
        refused(admin.erase_customer(&id), 404, "not_found").await;
        refused(admin.export(&id), 404, "not_found").await;
    }
    app.stop().await;
}

#[test]
async fn an_erasure_ends_turns_and_readers_and_what_was_shared() {
    let app = TestApp::with_model("step").await;
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let shopper = app.signed_in(&tokens);
    let id = tokens["principal"]["id"].as_str().unwrap();
    let (first, second) = (shopper.session().await, shopper.session().await);
    app.model().steps.add_permits(100);
    shopper.ask(&first, "Which payment methods do you accept?").await;
    settle("it is shared", async || app.cached().await == 1).await;
    let cached = exported(&shopper, id).await;
    let cached = of_kind(&cached, "cached_answer");
    assert_eq!(cached[0]["question"], "Which payment methods do you accept?");
    let left = app.model().steps.available_permits();
    app.model().steps.forget_permits(left);
    let mut follower = shopper.events(&second, None).await;
    app.model().steps.add_permits(2);
    let mut stream = shopper.stream(&second, "When do boots ship?").await;
    stream.until("answer.delta").await;

    let receipt = ok(shopper.erase_customer(id)).await;
    assert_eq!(stores_of(&receipt), ["erased"; 3]);
    assert_eq!(app.cached().await, 0);
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    stream.rest().await;
    let last = follower.rest().await.pop().unwrap();
    assert!(["error", "turn.cancelled"].contains(&last.name.as_str()), "{last:?}");
    app.stop().await;
}

#[test]
async fn every_replica_refuses_the_tokens_of_the_erased_also_after_a_restart() {
    let Some(stores) = Stores::new().await else { return };
    let (one, two) = (TestApp::with(&stores.settings).await, TestApp::with(&stores.settings).await);
    let (customer, other) = (Customer::register(&one).await, one.visitor().await);
    ok(customer.shopper.at(&two).me()).await;
    ok(customer.shopper.at(&two).erase_customer(&customer.id)).await;
    for app in [&one, &two] {
        customer.is_gone(app).await;
        ok(other.at(app).me()).await;
        // The person may see how far it came.
        ok(customer.shopper.at(app).erase_customer(&customer.id)).await;
    }
    one.stop().await;
    let one = TestApp::with(&stores.settings).await;
    customer.is_gone(&one).await;
    // Begun elsewhere: a beat tells it, every second.
    let (site, id) = (SiteId::parse("demo").unwrap(), ok(other.at(&two).me()).await["id"].clone());
    let begun = tokio::time::Instant::now();
    one.archive().begin_erasure(&site, id.as_str().unwrap().parse().unwrap(), None).await.unwrap();
    for app in [&one, &two] {
        settle("its token is refused", async || {
            status_of(other.at(app).me()).await == StatusCode::UNAUTHORIZED
        })
        .await;
    }
    assert!(begun.elapsed() < Duration::from_millis(2_500), "{:?}", begun.elapsed());
    one.stop().await;
    two.stop().await;
}

#[test]
async fn the_erased_are_refused_even_if_so_many_are_that_only_the_archive_knows() {
    let app = TestApp::start().await;
    let (site, accounts) = (SiteId::parse("demo").unwrap(), &app.app().accounts);
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let (erased, other) = (app.signed_in(&tokens), app.visitor().await);
    let id: PrincipalId = tokens["principal"]["id"].as_str().unwrap().parse().unwrap();
    app.archive().begin_erasure(&site, id, None).await.unwrap();
    ok(erased.me()).await;
    let many: Vec<PrincipalId> =
        (0..=rushdesk::auth::Erased::MOST).map(|_| PrincipalId::new()).collect();
    accounts.forget(&many);
    let problem = refused(erased.me(), 401, "token_invalid").await;
    assert!(problem["detail"].as_str().unwrap().contains("was erased"), "{problem}");
    ok(other.me()).await;
    app.stop().await;
}

#[test]
async fn a_refresh_token_renews_nothing_from_the_moment_on_at_which_an_erasure_begins() {
    let app = TestApp::start().await;
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let id: PrincipalId = tokens["principal"]["id"].as_str().unwrap().parse().unwrap();
    // The row of the token is still there.
    app.app().accounts.forget(&[id]);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let problem = refused(app.auth("refresh", &refresh), 401, "token_invalid").await;
    assert!(problem["detail"].as_str().unwrap().contains("was erased"), "{problem}");
    app.stop().await;
}

#[test]
async fn replicas_that_cannot_reach_one_another_drop_the_erased_from_memory_all_the_same() {
    let Some(stores) = Stores::new().await else { return };
    let Some(redis) = Server::redis().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[
        backend("ok", &fake.url),
        ("store.redis_url", redis.redis_url()),
        ("store.redis_timeout_ms", "300".to_owned()),
    ]);
    let (one, two) = (TestApp::with(&settings).await, TestApp::with(&settings).await);
    let (shopper, session) = two.chatting().await;
    let id = ok(shopper.me()).await["id"].as_str().unwrap().parse().unwrap();
    shopper.ask(&session, "Which quokkaberry payment methods do you accept?").await;
    let open = async || two.app().sessions.status().await.unwrap().sessions;
    settle("it is in memory", async || two.cached().await == 1 && open().await == 1).await;
    redis.freeze();
    one.app().eraser.begin(&SiteId::parse("demo").unwrap(), id, None).await.unwrap();
    settle("the session is in no memory", async || open().await == 0).await;
    settle("the answer is in no memory", async || two.cached().await == 0).await;
    redis.thaw();
    one.stop().await;
    two.stop().await;
    fake.stop().await;
}

#[test]
async fn an_export_has_everything_of_the_customer_and_nothing_of_others() {
    let settings = [
        ("limits.visitor_burst", "1000".to_owned()),
        ("limits.visitor_messages_per_hour", "100000".to_owned()),
    ];
    let app = TestApp::with(&settings).await;
    let customer = Customer::register(&app).await;
    let (admin, second) = (app.admin().await, customer.shopper.session().await);
    // More than one page of events.
    for n in 0..55 {
        customer.shopper.ask(&second, &format!("Is there quokkaberry no. {n}?")).await;
    }
    app.ask("Do you sell wolfberry jam?").await;
    let own = exported(&customer.shopper, &customer.id).await;
    assert_eq!(own[0]["kind"], "customer");
    assert_eq!(own[0]["id"], customer.id.as_str());
    let end = own.last().unwrap();
    assert_eq!((&end["kind"], &end["lines"]), (&json!("end"), &json!(own.len() - 1)));
    let account = of_kind(&own, "account")[0];
    assert_eq!((&account["email"], &account["has_password"]), (&json!(EMAIL), &json!(true)));
    assert_eq!(account["display_name"], "Q. Quokkaberry");
    assert_eq!(of_kind(&own, "sign_in").len(), 1);
    let sessions: Vec<_> =
        of_kind(&own, "session").iter().map(|s| s["session"]["id"].clone()).collect();
    assert_eq!(sessions, [json!(second), json!(customer.session)]);
    let events = of_kind(&own, "event");
    assert_eq!(events.len(), 112);
    for n in 0..55 {
        let text = format!("Is there quokkaberry no. {n}?");
        let said = events.iter().filter(|line| line["event"]["text"] == text);
        assert_eq!(said.count(), 1, "{text}: {}", events[0]);
    }
    assert_eq!(of_kind(&own, "rating")[0]["comment"], "I like quokkaberry jam.");
    assert_eq!(of_kind(&own, "request_key").len(), 56);
    let text = serde_json::to_string(&own).unwrap();
    for secret in ["wolfberry", "$argon2", customer.tokens["refresh_token"].as_str().unwrap()] {
        assert!(!text.contains(secret), "{secret}");
    }
    // Somebody of the shop gets the same, and that is written down.
    let theirs = exported(&admin, &customer.id).await;
    let without = |lines: &[Value]| -> Vec<Value> {
        let kept = lines
            .iter()
            .filter(|line| !["customer", "end", "audit"].contains(&line["kind"].as_str().unwrap()));
        kept.cloned().collect()
    };
    assert_eq!(without(&theirs), without(&own));
    assert_eq!(of_kind(&theirs, "audit")[0]["action"], "customer.export");
    app.stop().await;
}

#[test]
async fn an_export_that_nobody_reads_holds_a_place_and_no_more() {
    let settings = [
        ("limits.visitor_burst", "1000".to_owned()),
        ("limits.visitor_messages_per_hour", "100000".to_owned()),
        ("sessions.max_streams_per_visitor", "1".to_owned()),
    ];
    let app = TestApp::with(&settings).await;
    let (shopper, _) = app.chatting().await;
    let id = ok(shopper.me()).await["id"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let session = shopper.session().await;
        for _ in 0..40 {
            shopper.ask(&session, &"Do you sell quokkaberry jam? ".repeat(60)).await;
        }
    }
    let unread = shopper.export(&id).send().await.unwrap();
    refused(shopper.export(&id), 429, "rate_limited").await;
    assert!(!app.app().tasks.is_empty());
    drop(unread);
    settle("its place is free", async || app.app().streams.taken() == 0).await;
    assert_eq!(exported(&shopper, &id).await.last().unwrap()["kind"], "end");
    app.stop().await;
}

#[test]
async fn an_erasure_whose_process_was_killed_is_finished_by_the_next_one() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let app = TestApp::in_folder(data, &[]).await;
    let customer = Customer::register(&app).await;
    for _ in 0..60 {
        customer.shopper.session().await;
    }
    // The row is all that a process has written that is killed at the first moment.
    let site = SiteId::parse("demo").unwrap();
    let id = customer.id.parse().unwrap();
    app.archive().begin_erasure(&site, id, None).await.unwrap();
    let app = TestApp::in_folder(app.drain().await, &[]).await;
    settle("it is finished", async || {
        let row = app.archive().erasure(id).await.unwrap().unwrap();
        row.erased_at.is_some()
    })
    .await;
    assert_eq!(found(&folder, WORD), 0);
    customer.is_gone(&app).await;
    let receipt = ok(customer.shopper.at(&app).erase_customer(&customer.id)).await;
    assert_eq!((&receipt["sessions"], &receipt["events"]), (&json!(61), &json!(2)), "{receipt}");
    app.stop().await;
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// Columns of the database in which these letters stand.
async fn columns_with(database: &mut AsyncMysqlConnection, text: &str) -> Vec<String> {
    let columns = "SELECT CONCAT(table_name, '.', column_name) AS name FROM information_schema.columns \
        WHERE table_schema = DATABASE() AND data_type IN ('char', 'varchar', 'text', 'longtext')";
    let columns: Vec<Column> = sql_query(columns).load(database).await.unwrap();
    assert!(columns.len() > 20);
    let mut found = Vec::new();
    for Column { name } in columns {
        let (table, column) = name.split_once('.').unwrap();
        let query = format!("SELECT COUNT(*) AS count FROM {table} WHERE {column} LIKE '%{text}%'");
        let count: Count = sql_query(query).get_result(database).await.unwrap();
        if count.count > 0 {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// Everything that Redis holds, as text.
fn held(redis: &Server) -> String {
    let mut all = String::new();
    for key in redis.asked(&["--scan"]).lines() {
        let read: &[&str] = match redis.asked(&["TYPE", key]).trim() {
            "string" => &["GET", key],
            "stream" => &["XRANGE", key, "-", "+"],
            "zset" => &["ZRANGE", key, "0", "-1"],
            "set" => &["SMEMBERS", key],
            "none" => continue,
            other => panic!("{key} is a {other}"),
        };
        all += &format!("{key}: {}\n", redis.asked(read));
    }
    all
}

#[test]
async fn an_erasure_reaches_mariadb_redis_and_the_memory_of_both_replicas() {
    let Some(stores) = Stores::new().await else { return };
    let Some(redis) = Server::redis().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[backend("ok", &fake.url), ("store.redis_url", redis.redis_url())]);
    let (one, two) = (TestApp::with(&settings).await, TestApp::with(&settings).await);
    let customer = Customer::register(&one).await;
    let there = customer.shopper.at(&two);
    let mut reader = there.events(&customer.session, None).await;
    reader.until("answer.completed").await;
    // Written on one replica and read along on the other: the words travel through Redis.
    let question = "Which quokkaberry payment methods do you accept?";
    let shared = customer.shopper.session().await;
    customer.shopper.ask(&shared, question).await;
    customer.shopper.ask(&customer.session, "And the quokkaberry?").await;
    reader.until("answer.completed").await;
    settle("the other replica has the answers", async || two.cached().await >= 1).await;
    assert!(held(&redis).contains(WORD));
    let mut database = stores.connect().await;
    assert!(columns_with(&mut database, WORD).await.len() >= 4);

    let receipt = ok(there.erase_customer(&customer.id)).await;
    assert_eq!(stores_of(&receipt), ["erased"; 3], "{receipt}");
    assert_eq!(receipt["sessions"], 2);
    let last = reader.rest().await.pop().unwrap();
    assert_eq!((last.name.as_str(), &last.data["problem"]["code"]), ("error", &"erased".into()));
    for app in [&one, &two] {
        customer.is_gone(app).await;
        settle("it is not shared", async || app.cached().await == 0).await;
    }
    assert_eq!(columns_with(&mut database, WORD).await, Vec::<String>::new());
    // Its id stays where it keeps the customer away.
    let kept = ["customer_erasures.customer_id", "erased_sessions.owner"];
    assert_eq!(columns_with(&mut database, &customer.id).await, kept);
    settle("Redis has nothing", async || !held(&redis).contains(WORD)).await;
    let letters = redis.asked(&["--scan", "--pattern", "*:letters"]);
    assert!(!letters.is_empty(), "the replicas have told each other nothing");
    settle("letters that were read are gone", async || {
        letters.lines().all(|inbox| redis.asked(&["XLEN", inbox]).trim() == "0")
    })
    .await;
    one.stop().await;
    two.stop().await;
    fake.stop().await;
}

#[test]
async fn an_erasure_waits_for_a_frozen_replica_and_says_so() {
    let Some(stores) = Stores::new().await else { return };
    let data = tempfile::tempdir().unwrap();
    // Nobody takes it for dead.
    let settings = stores.with(&[("store.dead_after_ms", "600000".to_owned())]);
    let frozen = [
        ("server.data_dir", data.path().display().to_string()),
        ("embedding.model_dir", "no-model".to_owned()),
    ];
    let frozen = crash::Server::start(&[&settings[..], &frozen].concat(), free_port()).await;
    let app = TestApp::with(&settings).await;
    let customer = Customer::register(&app).await;
    frozen.signal("-STOP");
    let response = sent(customer.shopper.erase_customer(&customer.id)).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert!(response.headers().contains_key("retry-after"));
    let receipt = body(response).await;
    assert_eq!(stores_of(&receipt), ["erased", "waiting", "erased"], "{receipt}");
    assert!(receipt["erased_at"].is_null(), "{receipt}");
    frozen.signal("-CONT");
    settle("it is finished without being asked for", async || {
        let row = app.archive().erasure(customer.id.parse().unwrap()).await.unwrap().unwrap();
        row.erased_at.is_some()
    })
    .await;
    let receipt = ok(customer.shopper.erase_customer(&customer.id)).await;
    assert_eq!(stores_of(&receipt), ["erased"; 3]);
    drop(frozen);
    app.stop().await;
}

#[test]
async fn an_erasure_without_redis_is_finished_after_a_kill_when_redis_is_back() {
    let Some(stores) = Stores::new().await else { return };
    let Some(redis) = Server::redis().await else { return };
    let fake = FakeModel::start().await;
    let data = tempfile::tempdir().unwrap();
    let settings = stores.with(&[
        backend("ok", &fake.url),
        ("store.redis_url", redis.redis_url()),
        ("store.redis_timeout_ms", "300".to_owned()),
        ("server.data_dir", data.path().display().to_string()),
        ("embedding.model_dir", "no-model".to_owned()),
    ]);
    let port = free_port();
    let server = crash::Server::start(&settings, port).await;
    let client = crash::client();
    let shopper = Shopper::visitor(&client, &server.url, "pk_demo").await;
    let id = ok(shopper.me()).await["id"].as_str().unwrap().to_owned();
    let session = shopper.session().await;
    shopper.ask(&session, "Which quokkaberry payment methods do you accept?").await;
    settle("the answer is shared", async || held(&redis).contains(":entry:")).await;
    redis.freeze();
    let response = sent(shopper.erase_customer(&id)).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let receipt = body(response).await;
    assert_eq!(stores_of(&receipt), ["erased", "erased", "waiting"], "{receipt}");
    let mut database = stores.connect().await;
    assert_eq!(columns_with(&mut database, WORD).await, Vec::<String>::new());
    // SIGKILL.
    drop(server);
    redis.thaw();
    assert!(held(&redis).contains(WORD));
    let server = crash::Server::start(&settings, port).await;
    let done = "SELECT COUNT(*) AS count FROM customer_erasures WHERE erased_at IS NOT NULL";
    let begun = std::time::SystemTime::now();
    loop {
        let count: Count = sql_query(done).get_result(&mut database).await.unwrap();
        if count.count == 1 {
            break;
        }
        assert!(begun.elapsed().unwrap() < PATIENCE, "it is not finished");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = held(&redis);
    assert!(!left.contains(WORD), "{left}");
    assert_eq!(ok(shopper.erase_customer(&id)).await["sessions"], 1);
    drop(server);
    fake.stop().await;
}
