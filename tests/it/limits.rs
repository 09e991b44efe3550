//! A hostile client with one connection, free tokens and any header, and others who must not notice.

use actix_web::rt::test;
use futures_util::future::join_all;
use reqwest::{RequestBuilder, Response, header::HeaderValue};
use rushdesk::{auth::proof, domain::Role};
use serde_json::{Value, json};

use super::{distributed::Stores, fake_model::WORDS, harness::*};

const PASSWORD: &str = "correct horse";

/// Tests come through a proxy that the service trusts, and so from any address.
fn behind_a_proxy(settings: &[(&'static str, String)]) -> OwnedSettings {
    let mut all: OwnedSettings = vec![("server.trusted_proxies", "[\"127.0.0.1\"]".to_owned())];
    all.extend_from_slice(settings);
    all
}

fn from(address: &str, request: RequestBuilder) -> RequestBuilder {
    request.header("x-forwarded-for", address)
}

fn customer(email: &str, password: &str) -> Value {
    json!({"site_key": "pk_demo", "email": email, "password": password})
}

async fn code(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    if response.status().is_success() {
        return (response.status().as_u16(), String::new());
    }
    let (status, code, _) = problem(response).await;
    (status, code)
}

fn limited() -> (u16, String) {
    (429, "rate_limited".to_owned())
}

#[test]
async fn sign_ins_that_cannot_be_read_cost_their_sender_and_nobody_else() {
    let settings = behind_a_proxy(&[
        // One for the registration, and two for those who sign in at the end.
        ("limits.site_logins_per_second", "3".to_owned()),
        ("limits.address_logins_per_minute", "12".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let (mine, other) = ("203.0.113.7", "203.0.113.8");
    ok(from(other, app.auth("register", &customer("eva@example.com", PASSWORD)))).await;
    let mut malformed = vec![
        app.post("/v1/auth/login")
            .header("content-type", "application/json")
            .body("{\"site_key\":"),
        app.post("/v1/auth/login").body("not json"),
    ];
    malformed.extend(
        [
            json!({}),
            json!([]),
            json!({"site_key": 7, "email": "a", "password": "b"}),
            customer("not an address", PASSWORD),
            customer("a\u{200b}b@example.com", PASSWORD),
            json!({"site_key": "pk_nobody", "email": "a@b.example", "password": PASSWORD}),
        ]
        .iter()
        .map(|body| app.auth("login", body)),
    );
    malformed.push(app.auth("register", &customer("nobody", PASSWORD)));
    malformed.push(app.auth("register", &customer("new@example.com", "short")));
    let unsigned = json!({"site_key": "pk_demo", "identity_token": "a.b.c"});
    malformed.push(app.auth("identify", &unsigned));
    let guess = json!({"site_key": "pk_demo", "reset_token": "x", "new_password": PASSWORD});
    malformed.push(app.auth("reset", &guess));
    assert_eq!(malformed.len(), 12);
    for request in malformed {
        let (status, code) = code(from(mine, request)).await;
        assert!((400..500).contains(&status) && status != 429, "{status} {code}");
    }
    let eva = customer("eva@example.com", PASSWORD);
    assert_eq!(code(from(mine, app.auth("login", &eva))).await, limited());
    // The site's budget is whole: two sign in at the same moment.
    let sign_in = || code(from(other, app.auth("login", &eva)));
    assert_eq!(
        join_all([sign_in(), sign_in()]).await,
        [(200, String::new()), (200, String::new())]
    );
    app.stop().await;
}

#[test]
async fn a_flood_of_sign_ins_from_everywhere_leaves_visitors_and_refreshes() {
    let settings = behind_a_proxy(&[
        ("limits.site_logins_per_second", "1".to_owned()),
        ("limits.account_guesses", "1000".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let flood = (0..60).map(|n| {
        let who = customer(&format!("{n}@example.com"), "wrong password");
        code(from(&format!("2001:db8:{n}::1"), app.auth("login", &who)))
    });
    let flood = join_all(flood).await;
    assert!(flood.iter().filter(|answer| **answer == limited()).count() > 40, "{flood:?}");
    let visitor = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let refresh = json!({"refresh_token": visitor["refresh_token"]});
    ok(app.auth("refresh", &refresh)).await;
    app.stop().await;
}

#[test]
async fn a_header_that_a_client_writes_changes_nothing() {
    let few = ("limits.address_logins_per_minute", "3".to_owned());
    let lies = |n: usize| {
        [
            ("x-forwarded-for", format!("198.51.100.{n}, 203.0.113.7")),
            ("x-forwarded-for", format!("198.51.100.{n}, 127.0.0.1, 203.0.113.7:{n}")),
            ("x-forwarded-for", format!("\"203.0.113.9, 198.51.100.{n} , 203.0.113.7")),
        ]
    };
    for (proxies, seen_by_the_proxy) in [("[\"127.0.0.1\"]", true), ("[\"10.0.0.0/8\"]", false)] {
        let proxies = ("server.trusted_proxies", proxies.to_owned());
        let app = TestApp::with(&[few.clone(), proxies]).await;
        let mut answers = Vec::new();
        for n in 0..3 {
            for (name, lie) in lies(n) {
                let forwarded = format!("for=198.51.100.{n}");
                let request = app.auth("login", &json!({})).header(name, lie);
                answers.push(code(request.header("forwarded", forwarded)).await);
            }
        }
        let bytes = HeaderValue::from_bytes(b"\xff\xfe\x80, 203.0.113.7").unwrap();
        answers.push(code(app.auth("login", &json!({})).header("x-forwarded-for", bytes)).await);
        assert_eq!(answers.iter().filter(|answer| **answer == limited()).count(), 7, "{answers:?}");
        let elsewhere = from("203.0.113.8", app.auth("login", &json!({})));
        let is_free = code(elsewhere).await != limited();
        assert_eq!(is_free, seen_by_the_proxy, "only a proxy tells who is behind it");
        app.stop().await;
    }
}

#[test]
async fn a_proxy_that_is_not_configured_locks_nobody_out() {
    let settings = [
        ("limits.address_logins_per_minute", "1".to_owned()),
        ("limits.address_visitors_per_minute", "1".to_owned()),
    ];
    let app = TestApp::with(&settings).await;
    for n in 0..5 {
        let address = format!("203.0.113.{n}");
        assert_ne!(code(from(&address, app.auth("login", &json!({})))).await, limited());
        ok(from(&address, app.auth("visitor", &json!({"site_key": "pk_demo"})))).await;
    }
    app.stop().await;
}

#[test]
async fn wrong_passwords_wait_longer_each_time_and_an_address_that_nobody_has_waits_the_same() {
    let settings = [("limits.account_guesses", "4".to_owned())];
    let app = TestApp::with(&settings).await;
    ok(app.auth("register", &customer("eva@example.com", PASSWORD))).await;
    // Many at once are no more than many after each other.
    let guess = async |email: &str| {
        let spellings = [email.to_owned(), email.to_uppercase(), format!(" {email} ")];
        let guesses = (0..30).map(|n| {
            let who = customer(&spellings[n % 3], "wrong password");
            app.auth("login", &who).send()
        });
        let mut answers = Vec::new();
        for answer in join_all(guesses).await {
            let (status, _, problem) = problem(answer.unwrap()).await;
            answers.push((status, essence(problem)));
        }
        answers.sort_by_key(|(status, _)| *status);
        assert_eq!(answers.iter().filter(|(status, _)| *status == 401).count(), 4, "{email}");
        answers
    };
    let right = || app.auth("login", &customer("eva@example.com", PASSWORD)).send();
    let mut tries = 0;
    let (told, (status, code, refusal)) = loop {
        let told = guess("eva@example.com").await;
        let answer = right().await.unwrap();
        // On a slow machine the first wait may be over, so that she gets in.
        if answer.status() != 200 {
            break (told, problem(answer).await);
        }
        tries += 1;
        assert!(tries < 5, "the right password never waits");
    };
    assert_eq!(told, guess("nobody@example.com").await);
    // The right one waits, too: a refusal says nothing about the password.
    assert_eq!((status, code.as_str()), (429, "rate_limited"));
    let wait = refusal["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_000).contains(&wait), "{refusal}");
    // Each further one waits twice as long.
    let mut waits = Vec::new();
    for email in ["eva@example.com", "nobody@example.com"] {
        let wrong = || app.auth("login", &customer(email, "wrong password"));
        settle("the first wait is over", async || wrong().send().await.unwrap().status() == 401)
            .await;
        let refusal = refused(wrong(), 429, "rate_limited").await;
        waits.push(refusal["retry_after_ms"].as_u64().unwrap());
    }
    assert!(waits.iter().all(|wait| (1_001..=2_000).contains(wait)), "{waits:?}");
    settle("eva gets in", async || right().await.unwrap().status() == 200).await;
    // Her guesses are whole again.
    for _ in 0..4 {
        refused(app.auth("login", &customer("eva@example.com", "wrong")), 401, "token_invalid")
            .await;
    }
    app.stop().await;
}

#[test]
async fn who_registers_addresses_that_others_have_waits_longer_each_time_and_nobody_else_does() {
    let app = TestApp::with(&behind_a_proxy(&[("limits.account_guesses", "3".to_owned())])).await;
    let (mine, other) = ("203.0.113.7", "203.0.113.8");
    for n in 0..5 {
        let who = customer(&format!("eva{n}@example.com"), PASSWORD);
        ok(from(other, app.auth("register", &who))).await;
    }
    let probe = |address: &str, name: &str| {
        let who = customer(&format!("{name}@example.com"), "wrong password");
        code(from(address, app.auth("register", &who)))
    };
    let wrong = (401, "token_invalid".to_owned());
    for n in 0..3 {
        // What succeeds neither costs nor forgives anything.
        assert_eq!(probe(mine, &format!("new{n}")).await.0, 201);
        assert_eq!(probe(mine, &format!("eva{n}")).await, wrong, "each of them is asked once");
    }
    assert_eq!(probe(mine, "eva3").await, limited());
    assert_eq!(probe(mine, "new9").await, limited(), "an answer would tell them apart");
    assert_eq!(probe(other, "eva3").await, wrong);
    let login = customer("eva4@example.com", PASSWORD);
    ok(from(mine, app.auth("login", &login))).await;
    app.stop().await;
}

async fn challenge(response: Response) -> (String, u8) {
    assert!(response.headers().contains_key("retry-after"));
    let (status, code, problem) = problem(response).await;
    assert_eq!((status, code.as_str()), (429, "proof_required"), "{problem}");
    let challenge = &problem["challenge"];
    assert!(challenge["expires_in_ms"].as_u64().unwrap() > 0);
    let bits = u8::try_from(challenge["bits"].as_u64().unwrap()).unwrap();
    (challenge["token"].as_str().unwrap().to_owned(), bits)
}

fn proved(site_key: &str, token: &str, nonce: &str) -> Value {
    json!({"site_key": site_key, "proof": {"challenge": token, "nonce": nonce}})
}

#[test]
async fn a_flood_of_new_visitors_has_to_work_and_who_works_gets_in() {
    let settings = [
        ("limits.site_free_visitors_per_second", "1".to_owned()),
        ("limits.proof_bits", "10".to_owned()),
        ("sites", "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"}]".to_owned()),
    ];
    let app = TestApp::with(&settings).await;
    let visit = || app.auth("visitor", &json!({"site_key": "pk_demo"})).send();
    let flood = join_all((0..100).map(|_| visit())).await;
    let let_in = flood.iter().filter(|answer| answer.as_ref().unwrap().status() == 201).count();
    assert!((10..20).contains(&let_in), "{let_in}");
    // The flood of one shop costs no other shop anything.
    ok(app.auth("visitor", &json!({"site_key": "pk_shop"}))).await;

    let (token, bits) = challenge(visit().await.unwrap()).await;
    assert_eq!(bits, 10);
    let nonce = proof::solve(&token, bits);
    let mut wrong = nonce.clone();
    while proof::solve(&token, bits) == wrong {
        wrong.push('x');
    }
    let send = async |body: Value| app.auth("visitor", &body).send().await.unwrap();
    for bad in [
        proved("pk_demo", &token, &wrong),
        proved("pk_demo", &token, ""),
        proved("pk_demo", &token, &"0".repeat(1_000)),
        proved("pk_demo", "", &nonce),
        proved("pk_demo", &format!("{token}x"), &nonce),
        proved("pk_shop", &token, &nonce),
    ] {
        challenge(send(bad).await).await;
    }
    // Solved once, used eight times at once.
    let good = proved("pk_demo", &token, &nonce);
    let uses = join_all((0..8).map(|_| send(good.clone()))).await;
    let let_in = uses.iter().filter(|answer| answer.status() == 201).count();
    assert_eq!(let_in, 1);
    challenge(send(good).await).await;
    // A challenge is no token.
    refused(app.holder(&token).me(), 401, "token_invalid").await;
    app.stop().await;
}

#[test]
async fn an_address_with_many_visitors_works_and_is_not_locked_out() {
    let settings = behind_a_proxy(&[
        ("limits.address_visitors_per_minute", "3".to_owned()),
        ("limits.proof_bits", "4".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let visit = |address: &str| from(address, app.auth("visitor", &json!({"site_key": "pk_demo"})));
    for _ in 0..3 {
        ok(visit("2001:db8::1")).await;
    }
    // The same network, and another one.
    let (token, bits) = challenge(visit("2001:db8::ffff:1").send().await.unwrap()).await;
    ok(visit("2001:db8:0:1::1")).await;
    let good = proved("pk_demo", &token, &proof::solve(&token, bits));
    ok(from("2001:db8::2", app.auth("visitor", &good))).await;
    app.stop().await;
}

#[test]
async fn messages_of_many_visitors_from_one_address_are_bound_and_those_of_a_server_are_not() {
    let settings = behind_a_proxy(&[("limits.address_messages_per_minute", "4".to_owned())]);
    let app = TestApp::with(&settings).await;
    let ask = async |address: &str, who: &Shopper| {
        let session = who.session().await;
        code(from(address, who.message(&session, "k", "Do you sell tents?"))).await
    };
    for _ in 0..4 {
        let (status, _) = ask("203.0.113.7", &app.visitor().await).await;
        assert_eq!(status, 200);
    }
    assert_eq!(ask("203.0.113.7", &app.visitor().await).await, limited());
    let question = json!({"role": "user", "content": "Do you sell tents?"});
    let completion = json!({"model": "rushdesk", "messages": [question]});
    for request in [app.visitor().await.complete(&completion), app.visitor().await.search("tents")]
    {
        assert_eq!(code(from("203.0.113.7", request)).await, limited());
    }
    assert_eq!(ask("203.0.113.8", &app.visitor().await).await.0, 200);
    let made = ok(app.admin().await.create_key("backend")).await;
    let server = app.holder(made["key"].as_str().unwrap());
    assert_eq!(ask("203.0.113.7", &server).await.0, 200);
    app.stop().await;
}

#[test]
async fn one_address_with_free_tokens_does_not_take_the_queue_from_others() {
    let settings = behind_a_proxy(&[("inference.max_queue_per_address", "3".to_owned())]);
    let app = TestApp::with_slots(1, "step", &settings).await;
    let ask = async |address: &str, n: usize| {
        let (who, session) = app.chatting().await;
        let text = format!("What does article {n} with boots weigh?");
        let request = from(address, who.message(&session, "k", &text));
        let status = status_of(request.header("prefer", "respond-async")).await;
        assert_eq!(status, 202);
        (who, session)
    };
    let mut flood = Vec::new();
    for n in 0..20 {
        flood.push(ask("203.0.113.7", n).await);
    }
    // One is answered and three wait; the rest was told to come again.
    let refused = async || {
        let mut refused = 0;
        for (who, session) in &flood {
            let last = who.messages(session).await.pop().unwrap();
            refused += usize::from(last["role"] == "assistant" && last["status"] != "streaming");
        }
        refused
    };
    settle("the rest has its end", async || refused().await >= 16).await;
    assert_eq!(app.status().await["queue_depth"], 3);
    let (bystander, session) = ask("203.0.113.8", 77).await;
    settle("the bystander waits", async || app.status().await["queue_depth"] == 4).await;
    app.model().steps.add_permits(1_000);
    settle("the bystander is answered by the model", async || {
        let messages = bystander.messages(&session).await;
        messages.get(1).is_some_and(|answer| answer["text"] == WORDS.concat())
    })
    .await;
    app.stop().await;
}

#[test]
async fn refreshes_are_bound_and_leave_nothing_behind() {
    let settings = behind_a_proxy(&[
        ("limits.visitor_refreshes_per_hour", "3".to_owned()),
        ("limits.address_refreshes_per_minute", "20".to_owned()),
        ("auth.refresh_ttl_s", "2".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let new = async || ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let of = |tokens: &Value| json!({"refresh_token": tokens["refresh_token"]});
    let mut tokens = new().await;
    let other = new().await;
    let mut seen = vec![tokens["refresh_token"].as_str().unwrap().to_owned()];
    for _ in 0..3 {
        tokens = ok(app.auth("refresh", &of(&tokens))).await;
        seen.push(tokens["refresh_token"].as_str().unwrap().to_owned());
    }
    refused(app.auth("refresh", &of(&tokens)), 429, "rate_limited").await;
    ok(app.auth("refresh", &of(&other))).await;
    // Tokens that nobody made cost the sender's address.
    let strangers = (0..40).map(|n| {
        let body = json!({"refresh_token": format!("{n:043}")});
        code(from("203.0.113.7", app.auth("refresh", &body)))
    });
    let strangers = join_all(strangers).await;
    assert_eq!(strangers.iter().filter(|answer| **answer == limited()).count(), 20);

    let kept = async || {
        let mut kept = 0;
        for token in &seen {
            let hash = rushdesk::auth::OpaqueToken::hash(token);
            kept += usize::from(app.archive().refresh_token(&hash).await.unwrap().is_some());
        }
        kept
    };
    assert_eq!(kept().await, 4);
    settle("what has ended is deleted", async || {
        app.app().accounts.delete_ended().await.unwrap();
        kept().await == 0
    })
    .await;
    app.stop().await;
}

#[test]
async fn replicas_share_every_budget() {
    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&behind_a_proxy(&[
        ("limits.address_logins_per_minute", "8".to_owned()),
        ("limits.account_guesses", "3".to_owned()),
        ("limits.site_free_visitors_per_second", "1".to_owned()),
        ("limits.proof_bits", "4".to_owned()),
        ("store.redis_timeout_ms", "5000".to_owned()),
    ]));
    let (one, two) = (TestApp::with(&settings).await, TestApp::with(&settings).await);
    let staff = one.staff("demo", Role::Agent, "desk@example.com").await;
    ok(staff.me()).await;
    let wrong = customer("desk@example.com", "wrong password");
    let mut answers = Vec::new();
    for app in [&one, &two, &one, &two, &one, &two] {
        answers.push(code(from("203.0.113.7", app.auth("login", &wrong))).await.0);
    }
    assert_eq!(answers, [401, 401, 401, 429, 429, 429]);
    for app in [&one, &two] {
        code(from("203.0.113.7", app.auth("login", &json!({})))).await;
    }
    assert_eq!(code(from("203.0.113.7", two.auth("login", &json!({})))).await, limited());

    let visit = |app: &TestApp| app.auth("visitor", &json!({"site_key": "pk_demo"})).send();
    let flood = join_all((0..20).map(|n| visit(if n % 2 == 0 { &one } else { &two }))).await;
    let let_in = flood.iter().filter(|answer| answer.as_ref().unwrap().status() == 201).count();
    assert!((10..16).contains(&let_in), "{let_in}");
    let (token, bits) = challenge(visit(&one).await.unwrap()).await;
    let good = proved("pk_demo", &token, &proof::solve(&token, bits));
    ok(two.auth("visitor", &good)).await;
    challenge(one.auth("visitor", &good).send().await.unwrap()).await;
    one.stop().await;
    two.stop().await;
}

#[test]
async fn sessions_are_made_and_read_within_a_rate() {
    let settings = behind_a_proxy(&[
        ("limits.visitor_sessions_per_hour", "3".to_owned()),
        ("limits.visitor_reads_per_minute", "5".to_owned()),
        ("limits.address_sessions_per_minute", "4".to_owned()),
        ("limits.address_reads_per_minute", "7".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let (hostile, honest) = (app.visitor().await, app.visitor().await);
    let (mine, other) = ("203.0.113.7", "203.0.113.8");
    let new = |who: &Shopper, address| from(address, who.post("/v1/sessions").json(&json!({})));
    let session = body(new(&hostile, mine).send().await.unwrap()).await;
    let view = format!("/v1/sessions/{}", session["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(code(new(&hostile, mine)).await.0, 201);
    }
    assert_eq!(code(new(&hostile, mine)).await, limited());
    for read in ["", "/messages", "", "/messages?limit=1"] {
        assert_eq!(code(from(mine, hostile.get(&format!("{view}{read}")))).await.0, 200, "{read}");
    }
    assert_eq!(code(from(mine, hostile.get("/v1/sessions"))).await.0, 200);
    for read in [view.clone(), format!("{view}/events"), "/v1/sessions".to_owned()] {
        assert_eq!(code(from(mine, hostile.get(&read))).await, limited(), "{read}");
    }
    // A new token from the same address does not help for long.
    let again = app.visitor().await;
    assert_eq!(code(new(&again, mine)).await.0, 201);
    assert_eq!(code(new(&again, mine)).await, limited());
    for _ in 0..2 {
        assert_eq!(code(from(mine, again.get("/v1/sessions"))).await.0, 200);
    }
    assert_eq!(code(from(mine, again.get("/v1/sessions"))).await, limited());
    // Nobody else notices.
    assert_eq!(code(new(&honest, other)).await.0, 201);
    assert_eq!(code(from(other, honest.get("/v1/sessions"))).await.0, 200);
    app.stop().await;
}
