//! A change that was made is taken back: by button and by words, proposed and confirmed like every
//! other change, once, and as long as the shop does so.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, dev::ServerHandle, rt::test, web};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{harness::*, servers::served};

/// A shop with two orders of anna@example.com, which are cancelled and reinstated.
struct Shop {
    url: String,
    books: Arc<Books>,
    handle: ServerHandle,
}

#[derive(Default)]
struct Books {
    kept: Mutex<Kept>,
    /// A change is made, and its answer does not arrive.
    loses: AtomicBool,
    /// Nobody learns what became of a change.
    is_silent: AtomicBool,
    /// A change takes long.
    is_slow: AtomicBool,
}

#[derive(Default)]
struct Kept {
    cancelled: Vec<String>,
    /// What was done: the order and the word of the address.
    done: Vec<(String, String)>,
    known: BTreeMap<String, Value>,
}

impl Books {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

impl Shop {
    fn start() -> Self {
        let books = Arc::<Books>::default();
        let state = web::Data::from(Arc::clone(&books));
        let (url, handle) = served(move |config| {
            config
                .app_data(state.clone())
                .route("/orders/{number}", web::get().to(order))
                .route("/orders/{number}/{change}", web::post().to(change))
                .route("/actions/{key}", web::get().to(known));
        });
        Self { url, books, handle }
    }

    fn settings(&self, more: &[(&'static str, String)]) -> OwnedSettings {
        let mut all = vec![("tools.demo_shop_url", self.url.clone())];
        all.extend(more.iter().cloned());
        all
    }

    fn done(&self, order: &str, change: &str) -> usize {
        let kept = self.books.kept();
        kept.done.iter().filter(|(number, what)| number == order && what == change).count()
    }
}

async fn order(number: web::Path<String>, books: web::Data<Books>) -> HttpResponse {
    let cancelled = books.kept().cancelled.contains(&number);
    HttpResponse::Ok().json(json!({
        "number": *number, "status": if cancelled { "cancelled" } else { "processing" },
        "placed_at": "2026-11-20", "items": [{"sku": "T", "name": "Tent", "quantity": 1}],
        "total": {"amount": "10.00", "currency": "EUR"}, "can_cancel": !cancelled,
    }))
}

async fn change(
    path: web::Path<(String, String)>,
    request: HttpRequest,
    books: web::Data<Books>,
) -> HttpResponse {
    let (number, change) = path.into_inner();
    let key = request.headers().get("idempotency-key").unwrap().to_str().unwrap().to_owned();
    if books.is_slow.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(500)).await;
    }
    let answer = {
        let mut kept = books.kept();
        let cancelled = kept.cancelled.contains(&number);
        let fits = cancelled == (change == "reinstate");
        let answer = kept.known.get(&key).cloned().unwrap_or_else(|| match fits {
            true => json!({"status": "done", "result": {"ticket": format!("t-{number}")}}),
            false => json!({"status": "failed", "reason": "too_late"}),
        });
        if fits && !kept.known.contains_key(&key) {
            kept.cancelled.retain(|other| *other != number);
            if change == "cancel" {
                kept.cancelled.push(number.clone());
            }
            kept.done.push((number, change));
        }
        kept.known.insert(key, answer.clone());
        answer
    };
    match answer["status"] == "done" {
        _ if books.loses.load(Ordering::SeqCst) => HttpResponse::BadGateway().finish(),
        true => HttpResponse::Ok().json(answer),
        false => HttpResponse::Conflict().json(answer),
    }
}

async fn known(key: web::Path<String>, books: web::Data<Books>) -> HttpResponse {
    if books.is_silent.load(Ordering::SeqCst) {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match books.kept().known.get(key.as_str()) {
        Some(known) => HttpResponse::Ok().json(known),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn cancelled(shopper: &Shopper, session: &str, order: &str) -> Value {
    let asked = format!("please cancel order {order}, my e-mail is anna@example.com");
    let offered = shopper.ask(session, &asked).await;
    assert_eq!(card(&offered)["tool"], "cancel_order", "{offered}");
    let done = shopper.ask(session, "yes").await;
    assert_eq!(done["answer"]["outcome"]["status"], "done", "{done}");
    done
}

fn card(turn: &Value) -> &Value {
    &turn["answer"]["cards"][0]
}

fn text(turn: &Value) -> &str {
    turn["answer"]["text"].as_str().unwrap()
}

async fn confirm(shopper: &Shopper, card: &Value) -> Value {
    let path = format!("/v1/actions/{}/confirm", card["action_id"].as_str().unwrap());
    ok(shopper.post(&path).json(&json!({"hash": card["hash"]}))).await
}

#[test]
async fn a_cancellation_is_taken_back_by_words_and_only_after_a_yes() {
    let shop = Shop::start();
    let app = TestApp::with(&shop.settings(&[])).await;
    let (shopper, session) = app.chatting().await;
    // Nothing was done yet, so the words mean nothing here.
    let nothing = shopper.ask(&session, "undo that").await;
    assert!(card(&nothing).is_null(), "{nothing}");
    let done = cancelled(&shopper, &session, "FJ-10240").await;
    let outcome = &done["answer"]["outcome"];
    assert!(text(&done).ends_with("You can undo this here for 9 more min."), "{done}");
    assert!(outcome["undo_until"].is_string(), "{done}");
    let button = &done["answer"]["choices"][0];
    assert_eq!(*button, json!({"label": "Undo", "text": "Undo: FJ-10240"}));
    let events = app.archive().events(session.parse().unwrap(), 0, 100).await.unwrap();
    let told = events.iter().map(|event| serde_json::to_value(event).unwrap());
    let told: Vec<Value> = told.filter(|event| event["type"] == "action.result").collect();
    assert_eq!(told[0]["undo_until"], outcome["undo_until"]);

    let offered = shopper.ask(&session, "oh no, undo that please").await;
    let undo = card(&offered).clone();
    assert_eq!(
        (&undo["tool"], &undo["undoes"]),
        (&json!("reinstate_order"), &outcome["action_id"])
    );
    assert!(text(&offered).contains("Order FJ-10240 (Tent) will be active again"), "{offered}");
    assert_eq!(shop.done("FJ-10240", "reinstate"), 0, "nobody has said yes");
    let declined = shopper.ask(&session, "no").await;
    assert_eq!(declined["answer"]["outcome"]["status"], "declined");
    // The button says the same, later, too.
    let offered = shopper.ask(&session, button["text"].as_str().unwrap()).await;
    let undone = confirm(&shopper, card(&offered)).await;
    assert_eq!(undone["answer"]["outcome"]["status"], "done", "{undone}");
    assert_eq!(text(&undone), "Your order FJ-10240 is active again and will be sent.");
    assert!(undone["answer"]["choices"].is_null(), "{undone}");
    assert_eq!((shop.done("FJ-10240", "cancel"), shop.done("FJ-10240", "reinstate")), (1, 1));
    // It was taken back, and nothing else is there to take back.
    let again = shopper.ask(&session, "undo that").await;
    assert!(text(&again).starts_with("This can no longer be undone here"), "{again}");
    let audit = ok(app.admin().await.audit()).await.to_string();
    assert!(audit.contains("\"tool\":\"reinstate_order\""), "{audit}");
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn of_two_offers_to_take_one_change_back_one_is_made() {
    let shop = Shop::start();
    let app = TestApp::with(&shop.settings(&[])).await;
    let (shopper, session) = app.chatting().await;
    cancelled(&shopper, &session, "FJ-10240").await;
    let first = shopper.ask(&session, "mach das rückgängig").await;
    let second = shopper.ask(&session, "undo that").await;
    let (first, second) = (card(&first).clone(), card(&second).clone());
    assert_ne!(first["action_id"], second["action_id"]);
    for _ in 0..2 {
        let undone = confirm(&shopper, &first).await;
        assert_eq!(undone["answer"]["outcome"]["status"], "done", "{undone}");
    }
    let late = confirm(&shopper, &second).await;
    assert_eq!(late["answer"]["outcome"]["status"], "failed", "{late}");
    assert!(text(&late).starts_with("This can no longer be undone here"), "{late}");
    assert_eq!(shop.done("FJ-10240", "reinstate"), 1);
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn the_order_that_is_named_is_meant_and_an_undo_does_not_count_as_a_change() {
    let shop = Shop::start();
    let limits = [("actions.per_shopper_a_day", "2".to_owned())];
    let app = TestApp::with(&shop.settings(&limits)).await;
    let (shopper, session) = app.chatting().await;
    cancelled(&shopper, &session, "FJ-10240").await;
    cancelled(&shopper, &session, "FJ-10241").await;
    let offered = shopper.ask(&session, "undo the cancellation of FJ-10240").await;
    assert!(text(&offered).contains("FJ-10240"), "{offered}");
    confirm(&shopper, card(&offered)).await;
    let other = shopper.ask(&session, "undo the cancellation of FJ-10299").await;
    assert_ne!(card(&other)["tool"], "reinstate_order", "{other}");
    let newest = shopper.ask(&session, "undo that").await;
    confirm(&shopper, card(&newest)).await;
    let back = ["FJ-10240", "FJ-10241"].map(|order| shop.done(order, "reinstate"));
    assert_eq!(back, [1, 1]);
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn what_was_not_cancelled_here_is_not_cancelled_by_an_undo() {
    let shop = Shop::start();
    let app = TestApp::with(&shop.settings(&[])).await;
    let (shopper, session) = app.chatting().await;
    // The button of another conversation.
    let pressed = shopper.ask(&session, "Undo: FJ-10240").await;
    assert!(text(&pressed).starts_with("This can no longer be undone here"), "{pressed}");
    let shown = shopper.ask(&session, "anna@example.com").await;
    assert!(card(&shown)["tool"].is_null(), "{shown}");
    cancelled(&shopper, &session, "FJ-10240").await;
    // Another order was never cancelled, and this one is taken back once.
    for said in ["undo FJ-10241", "Undo: FJ-10241", "mach FJ-10241 rückgängig"] {
        let other = shopper.ask(&session, said).await;
        assert!(card(&other).is_null() && other["answer"]["outcome"].is_null(), "{other}");
    }
    let offered = shopper.ask(&session, "I changed my mind, I want it back").await;
    confirm(&shopper, card(&offered)).await;
    for said in ["undo FJ-10240", "Undo: FJ-10240", "undo the cancellation of FJ-10240"] {
        let again = shopper.ask(&session, said).await;
        assert!(text(&again).starts_with("This can no longer be undone here"), "{again}");
    }
    assert_eq!(shop.done("FJ-10240", "reinstate"), 1);
    // Who changes their mind and says what they want instead gets that.
    let instead = "I changed my mind, please cancel FJ-10241, my e-mail is anna@example.com";
    let offered = shopper.ask(&session, instead).await;
    assert_eq!(card(&offered)["tool"], "cancel_order", "{offered}");
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn a_lost_answer_of_an_undo_is_found_out_by_its_key_and_not_asked_again() {
    let shop = Shop::start();
    let app = TestApp::with(&shop.settings(&[])).await;
    let (shopper, session) = app.chatting().await;
    // The cancellation is not known at first, either, and has its button once it is.
    shop.books.loses.store(true, Ordering::SeqCst);
    shop.books.is_silent.store(true, Ordering::SeqCst);
    let asked = "please cancel order FJ-10240, my e-mail is anna@example.com";
    let offered = shopper.ask(&session, asked).await;
    let unknown = confirm(&shopper, card(&offered)).await;
    assert_eq!(unknown["answer"]["outcome"]["status"], "unknown", "{unknown}");
    assert!(unknown["answer"]["choices"].is_null(), "{unknown}");
    shop.books.is_silent.store(false, Ordering::SeqCst);
    let newest = async || shopper.messages(&session).await.last().unwrap().clone();
    settle("it is known", async || newest().await["outcome"]["status"] == "done").await;
    assert!(newest().await["outcome"]["undo_until"].is_string());

    shop.books.is_silent.store(true, Ordering::SeqCst);
    let offered = shopper.ask(&session, "undo that").await;
    let unknown = confirm(&shopper, card(&offered)).await;
    assert_eq!(unknown["answer"]["outcome"]["status"], "unknown", "{unknown}");
    // Meanwhile nobody takes it back a second time.
    let again = shopper.ask(&session, "undo that").await;
    assert!(text(&again).starts_with("This can no longer be undone here"), "{again}");
    shop.books.is_silent.store(false, Ordering::SeqCst);
    settle("it is known", async || newest().await["outcome"]["status"] == "done").await;
    assert_eq!((shop.done("FJ-10240", "cancel"), shop.done("FJ-10240", "reinstate")), (1, 1));
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn a_service_that_ends_within_an_undo_learns_after_its_start_what_became_of_it() {
    let shop = Shop::start();
    let settings = shop.settings(&[]);
    let app = TestApp::with(&settings).await;
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let shopper = app.signed_in(&tokens);
    let session = shopper.session().await;
    cancelled(&shopper, &session, "FJ-10240").await;
    let offered = shopper.ask(&session, "undo that").await;
    shop.books.is_slow.store(true, Ordering::SeqCst);
    let path = format!("/v1/actions/{}/confirm", card(&offered)["action_id"].as_str().unwrap());
    let body = json!({"hash": card(&offered)["hash"]});
    let accepted = shopper.post(&path).json(&body).header("prefer", "respond-async").send().await;
    assert_eq!(accepted.unwrap().status(), 202);
    let folder = app.stop().await;
    let app = TestApp::in_folder(folder, &settings).await;
    let shopper = app.signed_in(&tokens);
    let told = async || {
        let messages = shopper.messages(&session).await;
        messages.iter().filter(|m| m["outcome"]["status"] == "done").count()
    };
    settle("it is known", async || told().await == 2).await;
    assert_eq!(shop.done("FJ-10240", "reinstate"), 1);
    app.stop().await;
    shop.handle.stop(false).await;
}

#[test]
async fn a_tool_of_a_shop_is_taken_back_with_what_its_result_says_and_no_model_sees_that_tool() {
    let shop = Shop::start();
    let url = &shop.url;
    let schema =
        "{type=\"object\",required=[\"order_number\"],properties={order_number={type=\"string\"}}}";
    let back = "{type=\"object\",required=[\"order_number\",\"ticket\"],properties=\
                {order_number={type=\"string\"},ticket={type=\"string\"}}}";
    let write = |name: &str, rest: &str| {
        format!(
            "{{name=\"{name}\",description=\"Changes it.\",effect=\"write\",identity=\"order\",method=\"POST\",\
             outcome_url=\"{url}/actions/{{key}}\",{rest}}}"
        )
    };
    let cancel = write(
        "cancel_order",
        &format!(
            "url=\"{url}/orders/{{order_number}}/cancel\",parameters={schema},undo={{tool=\"bring_back\",\
             within_s=600,arguments={{order_number=\"{{order_number}}\",ticket=\"{{result.ticket}}\"}}}}"
        ),
    );
    let bring = write(
        "bring_back",
        &format!(
            "url=\"{url}/orders/{{order_number}}/reinstate\",body={{ticket=\"{{ticket}}\"}},parameters={back}"
        ),
    );
    let site = format!(
        "[{{id=\"demo\",name=\"Demo\",site_key=\"pk_demo\",number_formats=[\"FJ-#####\"],\
         shop={{url=\"{url}\"}},tools=[{cancel},{bring}]}}]"
    );
    let local = ("tools.allowed_networks", "[\"127.0.0.0/8\"]".to_owned());
    let app = TestApp::with(&[("sites", site), local]).await;
    let (shopper, session) = app.chatting().await;
    cancelled(&shopper, &session, "FJ-10240").await;
    shop.books.is_silent.store(true, Ordering::SeqCst);
    let silent = shopper.ask(&session, "undo that").await;
    assert!(card(&silent).is_null(), "what it did is not known: {silent}");
    shop.books.is_silent.store(false, Ordering::SeqCst);
    let offered = shopper.ask(&session, "undo that").await;
    assert_eq!(card(&offered)["tool"], "bring_back", "{offered}");
    let shown = card(&offered)["fields"].to_string();
    assert!(shown.contains("t-FJ-10240"), "{shown}");
    let undone = confirm(&shopper, card(&offered)).await;
    assert_eq!(undone["answer"]["outcome"]["status"], "done", "{undone}");
    assert_eq!(shop.done("FJ-10240", "reinstate"), 1);
    app.stop().await;
    shop.handle.stop(false).await;
}
