//! Who may do what: every operation of the OpenAPI document, tried by everybody.
//!
//! The table is also what `docs/security.md` shows. `ok` is any status of success; in every other cell stands the
//! status of the refusal.

use std::collections::BTreeSet;

use actix_web::rt::test;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use rushdesk::{
    archive::RecordId,
    domain::{Role, SiteId},
    http::docs::ApiDoc,
};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::harness::*;

/// `owner` is the visitor whom the path names, or whose session, turn and answer it names; `visitor` and `customer` are others of the same
/// shop. The last three belong to another shop; `operator` is an admin there, of a site in `auth.operator_sites`.
const TABLE: &str = "\
| operation | nobody | owner | visitor | customer | agent | admin | key | other agent | operator | other key |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
| POST /v1/auth/visitor | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/register | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/login | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/identify | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/refresh | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/logout | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/auth/password | 401 | 403 | 403 | ok | ok | ok | 403 | ok | ok | 403 |
| POST /v1/auth/reset | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /v1/auth/me | 401 | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/sessions | 401 | ok | ok | ok | 403 | 403 | ok | 403 | 403 | ok |
| GET /v1/sessions | 401 | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /v1/sessions/{id} | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| DELETE /v1/sessions/{id} | 401 | ok | 404 | 404 | 403 | ok | ok | 403 | 404 | 404 |
| GET /v1/customers/{id}/export | 401 | ok | 404 | 404 | 403 | ok | ok | 403 | 404 | 404 |
| DELETE /v1/customers/{id} | 401 | ok | 404 | 404 | 403 | ok | ok | 403 | 404 | 404 |
| GET /v1/sessions/{id}/messages | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/messages | 401 | ok | 404 | 404 | 422 | 422 | ok | 422 | 422 | 404 |
| POST /v1/sessions/{id}/turns/{turn}/cancel | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| GET /v1/sessions/{id}/events | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| GET /v1/sessions/{id}/socket | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/handoff | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/accept | 401 | 403 | 403 | 403 | ok | ok | 403 | 404 | 404 | 403 |
| POST /v1/sessions/{id}/release | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/transfer | 401 | 403 | 403 | 403 | 409 | 409 | 403 | 404 | 404 | 403 |
| POST /v1/sessions/{id}/close | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/typing | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| POST /v1/sessions/{id}/csat | 401 | 409 | 404 | 404 | 403 | 403 | 403 | 403 | 403 | 403 |
| GET /v1/desk/queue | 401 | 403 | 403 | 403 | ok | ok | 403 | ok | ok | 403 |
| PUT /v1/desk/presence | 401 | 403 | 403 | 403 | ok | ok | 403 | ok | ok | 403 |
| GET /v1/desk/events | 401 | 403 | 403 | 403 | ok | ok | 403 | ok | ok | 403 |
| GET /v1/desk/ended | 401 | 403 | 403 | 403 | ok | ok | 403 | ok | ok | 403 |
| GET /v1/desk/sessions/{id} | 401 | 403 | 403 | 403 | ok | ok | 403 | 404 | 404 | 403 |
| PUT /v1/desk/sessions/{id}/tags | 401 | 403 | 403 | 403 | ok | ok | 403 | 404 | 404 | 403 |
| POST /v1/actions/{id}/confirm | 401 | ok | 404 | 404 | 403 | 403 | 404 | 403 | 403 | 404 |
| POST /v1/actions/{id}/decline | 401 | ok | 404 | 404 | 403 | 403 | 404 | 403 | 403 | 404 |
| POST /v1/messages/{id}/feedback | 401 | ok | 404 | 404 | ok | ok | ok | 404 | 404 | 404 |
| GET /v1/models | 401 | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/chat/completions | 401 | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| POST /v1/knowledge/search | 401 | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /v1/knowledge/documents | 401 | 403 | 403 | 403 | ok | ok | ok | ok | ok | ok |
| GET /v1/knowledge/documents/{external_id} | 401 | 403 | 403 | 403 | ok | ok | ok | 404 | 404 | 404 |
| PUT /v1/knowledge/documents/{external_id} | 401 | 403 | 403 | 403 | 403 | ok | ok | 403 | ok | ok |
| DELETE /v1/knowledge/documents/{external_id} | 401 | 403 | 403 | 403 | 403 | ok | ok | 403 | 404 | 404 |
| GET /v1/admin/cache | 401 | 403 | 403 | 403 | 403 | ok | ok | 403 | ok | ok |
| POST /v1/admin/cache/purge | 401 | 403 | 403 | 403 | 403 | ok | ok | 403 | ok | ok |
| GET /v1/admin/keys | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| POST /v1/admin/keys | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| DELETE /v1/admin/keys/{id} | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 404 | 403 |
| POST /v1/admin/users/reset | 401 | 403 | 403 | 403 | 403 | ok | ok | 403 | 404 | 404 |
| GET /v1/admin/audit | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/admin/backends | 401 | 403 | 403 | 403 | 403 | 403 | 403 | 403 | ok | 403 |
| GET /v1/admin/assistants | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| POST /v1/admin/assistants | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/admin/assistants/{version} | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 404 | 403 |
| POST /v1/admin/assistants/{version}/check | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 404 | 403 |
| POST /v1/admin/assistants/{version}/activate | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 404 | 403 |
| POST /v1/admin/assistants/rollback | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 409 | 403 |
| GET /v1/admin/assistants/tests | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| PUT /v1/admin/assistants/tests | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/admin/tools | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| PUT /v1/admin/tools/{name} | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| DELETE /v1/admin/tools/{name} | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | 404 | 403 |
| POST /v1/admin/tools/import | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/admin/actions | 401 | 403 | 403 | 403 | ok | ok | 403 | ok | ok | 403 |
| POST /v1/admin/actions/{id}/approve | 401 | 403 | 403 | 403 | 409 | 409 | 403 | 404 | 404 | 403 |
| POST /v1/admin/actions/{id}/refuse | 401 | 403 | 403 | 403 | 409 | 409 | 403 | 404 | 404 | 403 |
| GET /v1/admin/guard/decisions | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/tools | 401 | 403 | 403 | 403 | 403 | ok | 403 | 403 | ok | 403 |
| GET /v1/admin/modes | 401 | 403 | 403 | 403 | 403 | 403 | 403 | 403 | ok | 403 |
| PUT /v1/admin/modes | 401 | 403 | 403 | 403 | 403 | 403 | 403 | 403 | ok | 403 |
| GET /v1/status | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /livez | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /startupz | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /readyz | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
| GET /metrics | ok | ok | ok | ok | ok | ok | ok | ok | ok | ok |
";

/// Stands in everything that the shop has, and in no request of another shop.
const MARK: &str = "kestrel-kites";
/// The document that has it.
const DOCUMENT: &str = "kites";
const IDENTITY: &str = "the-identity-key-of-this-shop-7f3c9a21";
const CUSTOMER: &str = "eva@example.com";
const PASSWORD: &str = "correct horse battery";

struct Row {
    method: Method,
    path: &'static str,
    cells: Vec<&'static str>,
}

fn cells(line: &'static str) -> Vec<&'static str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

fn table() -> (Vec<&'static str>, Vec<Row>) {
    let mut lines = TABLE.lines();
    let columns = cells(lines.next().unwrap())[1..].to_vec();
    let rows = lines.skip(1).map(|line| {
        let cells = cells(line);
        let (method, path) = cells[0].split_once(' ').unwrap();
        Row { method: method.parse().unwrap(), path, cells: cells[1..].to_vec() }
    });
    (columns, rows.collect())
}

#[::core::prelude::v1::test]
fn every_operation_has_a_line_and_every_line_an_operation() {
    let document = serde_json::to_value(ApiDoc::openapi()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let (columns, rows) = table();
    let listed: BTreeSet<_> = rows.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
    assert_eq!(listed, documented);
    assert!(rows.iter().all(|row| row.cells.len() == columns.len()));
}

#[::core::prelude::v1::test]
fn the_documentation_shows_this_table() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/security.md");
    assert!(std::fs::read_to_string(page).unwrap().contains(TABLE), "copy TABLE into {page}");
}

/// The shop with everything that a path can name, and everybody who may come.
struct Shop {
    app: TestApp,
    tokens: Vec<(&'static str, Option<String>)>,
    /// The id of the owner.
    customer: String,
    session: String,
    turn: String,
    answer: String,
}

impl Shop {
    async fn open() -> Self {
        let (url, _) = super::tools::shop();
        let site = |id: &str| {
            format!(
                "{{id=\"{id}\",name=\"S\",site_key=\"pk_{id}\",identity_secret=\"{IDENTITY}\",\
                 number_formats=[\"FJ-#####\"],shop={{url=\"{url}\"}}}}"
            )
        };
        let settings = [
            ("sites", format!("[{},{}]", site("shop"), site("other"))),
            ("auth.operator_sites", "[\"other\"]".to_owned()),
            ("tools.allowed_networks", "[\"127.0.0.0/8\"]".to_owned()),
            ("sessions.max_wait_ms", "20000".to_owned()),
            ("limits.visitor_burst", "1000".to_owned()),
            // The agent says once that they are there.
            ("handoff.away_after_ms", "3600000".to_owned()),
            ("handoff.give_back_after_ms", "3600000".to_owned()),
        ];
        let app = TestApp::with(&settings).await;
        let owner = sign_in(&app, "visitor", json!({"site_key": "pk_shop"})).await;
        let visitor = sign_in(&app, "visitor", json!({"site_key": "pk_shop"})).await;
        let customer = sign_in(&app, "register", credentials("pk_shop", CUSTOMER)).await;
        let tokens = vec![
            ("nobody", None),
            ("owner", Some(owner)),
            ("visitor", Some(visitor)),
            ("customer", Some(customer)),
            ("agent", Some(staff(&app, "shop", Role::Agent).await)),
            ("admin", Some(staff(&app, "shop", Role::Admin).await)),
            ("key", Some(key(&app, "shop").await.1)),
            ("other agent", Some(staff(&app, "other", Role::Agent).await)),
            ("operator", Some(staff(&app, "other", Role::Admin).await)),
            ("other key", Some(key(&app, "other").await.1)),
        ];
        let mut shop = Self {
            app,
            tokens,
            customer: String::new(),
            session: String::new(),
            turn: String::new(),
            answer: String::new(),
        };
        shop.put_document().await;
        shop.write_assistants().await;
        shop.write_tool().await;
        shop.session = shop.new_session().await;
        sent(shop.who("agent").presence("online", 100)).await;
        let owner = ok(shop.who("owner").me()).await;
        owner["id"].as_str().unwrap().clone_into(&mut shop.customer);
        let turn = shop.who("owner").ask(&shop.session, &format!("Do you sell {MARK}?")).await;
        turn["turn_id"].as_str().unwrap().clone_into(&mut shop.turn);
        turn["answer"]["message_id"].as_str().unwrap().clone_into(&mut shop.answer);
        shop
    }

    fn who(&self, column: &str) -> Shopper {
        let (_, token) = self.tokens.iter().find(|(name, _)| *name == column).unwrap();
        self.app.holder(token.as_deref().unwrap())
    }

    async fn new_session(&self) -> String {
        self.who("owner").session().await
    }

    /// A visitor with a session, and the token of this column: if it is the owner's, it is that of
    /// the visitor.
    async fn new_customer(&self, column: &str, token: Option<&str>) -> (String, Option<String>) {
        let tokens = ok(self.app.auth("visitor", &json!({"site_key": "pk_shop"}))).await;
        let visitor = self.app.signed_in(&tokens);
        visitor.session().await;
        let own = (column == "owner").then_some(visitor.token);
        let id = tokens["principal"]["id"].as_str().unwrap().to_owned();
        (id, own.or_else(|| token.map(str::to_owned)))
    }

    /// A change that was just proposed to the owner, and its hash.
    async fn proposal(&self) -> (String, String) {
        let owner = self.who("owner");
        let session = owner.session().await;
        let turn = owner.ask(&session, "Please cancel order FJ-10240, anna@example.com").await;
        let card = &turn["answer"]["cards"][0];
        let text =
            |field: &str| card[field].as_str().unwrap_or_else(|| panic!("{turn}")).to_owned();
        (text("action_id"), text("hash"))
    }

    async fn put_document(&self) {
        let document = json!({"title": MARK, "text": format!("We sell {MARK} for 12 EUR.")});
        sent(self.who("admin").put_document(DOCUMENT, &document)).await;
    }

    /// Three versions, of which the last is active, and conversations to check them against.
    async fn write_assistants(&self) {
        let admin = self.who("admin");
        let path = "/v1/admin/assistants";
        let tests = admin.request(Method::PUT, &format!("{path}/tests"));
        let messages = [format!("Do you sell {MARK}?")];
        ok(tests.json(&json!({"conversations": [{"name": MARK, "messages": messages}]}))).await;
        let document = json!({"document": {}, "note": MARK});
        for _ in 0..3 {
            assert_eq!(status_of(admin.post(path).json(&document)).await, 201);
        }
        ok(admin.post(&format!("{path}/3/activate"))).await;
    }

    async fn write_tool(&self) {
        let put = self.who("admin").request(Method::PUT, "/v1/admin/tools/hours");
        ok(put.json(&written_tool(MARK))).await;
    }

    /// What a good request to this operation says.
    async fn body(&self, row: &Row, nth: usize) -> Value {
        let site_key = json!({"site_key": "pk_shop"});
        match row.path {
            "/v1/auth/visitor" => site_key,
            "/v1/auth/register" => credentials("pk_shop", &format!("new{nth}@example.com")),
            "/v1/auth/login" => credentials("pk_shop", CUSTOMER),
            "/v1/auth/identify" => {
                let exp = rushdesk::clock::now().as_millis() / 1_000 + 600;
                let claims = json!({"iss": "shop", "sub": "customer-7", "exp": exp});
                let key = EncodingKey::from_secret(IDENTITY.as_bytes());
                let token = encode(&Header::default(), &claims, &key).unwrap();
                json!({"site_key": "pk_shop", "identity_token": token})
            }
            "/v1/auth/refresh" | "/v1/auth/logout" => {
                let tokens = ok(self.app.auth("visitor", &site_key)).await;
                json!({"refresh_token": tokens["refresh_token"]})
            }
            "/v1/auth/password" => {
                json!({"current_password": PASSWORD, "new_password": PASSWORD})
            }
            "/v1/auth/reset" => {
                let site = SiteId::parse("shop").unwrap();
                let accounts = &self.app.app().accounts;
                let made = accounts.create_reset(&site, CUSTOMER, &[Role::Customer]).await.unwrap();
                json!({"site_key": "pk_shop", "reset_token": made.token, "new_password": PASSWORD})
            }
            "/v1/admin/users/reset" => json!({"email": CUSTOMER}),
            "/v1/sessions" => json!({}),
            "/v1/sessions/{id}/messages" => json!({"text": "And red ones?"}),
            "/v1/messages/{id}/feedback" => json!({"rating": "up"}),
            "/v1/chat/completions" => {
                let messages = json!([{"role": "user", "content": "Have you kites?"}]);
                json!({"model": "rushdesk", "messages": messages})
            }
            "/v1/knowledge/search" => json!({"query": "kites"}),
            "/v1/knowledge/documents/{external_id}" => json!({"title": "Ours", "text": "Ours."}),
            "/v1/admin/cache/purge" => json!({"all": true}),
            "/v1/admin/keys" => json!({"name": "next"}),
            "/v1/admin/assistants" => json!({"document": {}}),
            "/v1/admin/assistants/tests" => {
                json!({"conversations": [{"name": "any", "messages": ["Hello"]}]})
            }
            "/v1/admin/tools/{name}" => written_tool("Ours."),
            "/v1/admin/tools/import" => {
                let get = json!({"get": {"operationId": "getHours", "summary": "Ours."}});
                let server = json!([{"url": "https://desk.example"}]);
                let document =
                    json!({"openapi": "3.1.0", "servers": server, "paths": {"/hours": get}});
                json!({"openapi": document, "operations": ["getHours"], "store": true})
            }
            "/v1/admin/modes" => json!({"service_level": null}),
            "/v1/sessions/{id}/release" => json!({"to": "bot"}),
            "/v1/sessions/{id}/transfer" => {
                json!({"to": ok(self.who("agent").me()).await["id"]})
            }
            "/v1/sessions/{id}/csat" => json!({"score": 5}),
            "/v1/desk/presence" => json!({"state": "online", "capacity": 1}),
            "/v1/desk/sessions/{id}/tags" => json!({"tags": ["vip"]}),
            _ => json!({}),
        }
    }

    /// Tries one cell: `ok` or the status, and the text of the response.
    async fn attempt(&self, row: &Row, column: &str, nth: usize) -> (String, String) {
        let token = self.tokens[nth].1.as_deref();
        let fresh = row.method == Method::DELETE;
        let mut path = row.path.to_owned();
        let mut made = None;
        if path.starts_with("/v1/admin/keys/") {
            let (id, _) = key(&self.app, "shop").await;
            path = path.replace("{id}", &id.to_string());
            made = Some(id);
        }
        if path.starts_with("/v1/knowledge/documents/") {
            if fresh {
                self.put_document().await;
            }
            let name =
                if row.method == Method::PUT { format!("put-{nth}") } else { DOCUMENT.into() };
            path = path.replace("{external_id}", &name);
        }
        if path.starts_with("/v1/admin/tools/{") {
            if fresh {
                self.write_tool().await;
            }
            let name = if row.method == Method::PUT { "ours" } else { "hours" };
            path = path.replace("{name}", name);
        }
        let mut hash = String::new();
        if path.starts_with("/v1/actions/") || path.starts_with("/v1/admin/actions/") {
            let (action, of_action) = self.proposal().await;
            path = path.replace("{id}", &action);
            hash = of_action;
        }
        // Who has control of a session changes what others may do in it.
        let people = ["/handoff", "/accept", "/release", "/transfer", "/close"];
        let moves = people.iter().any(|end| path.ends_with(end));
        let session = if moves || (fresh && path.starts_with("/v1/sessions")) {
            self.new_session().await
        } else {
            self.session.clone()
        };
        let (customer, token) = match fresh && path.starts_with("/v1/customers") {
            // Whoever is erased cannot do what the next lines say.
            true => self.new_customer(column, token).await,
            false => (self.customer.clone(), token.map(str::to_owned)),
        };
        let token = token.as_deref();
        path = path
            .replace("/customers/{id}", &format!("/customers/{customer}"))
            .replace("/sessions/{id}", &format!("/sessions/{session}"))
            .replace("/messages/{id}", &format!("/messages/{}", self.answer))
            .replace("{turn}", &self.turn)
            .replace("{version}", "3");
        assert!(!path.contains('{'), "{path}");
        if path.ends_with("/socket") {
            return (self.socket(&session, token).await, String::new());
        }
        let mut request = self.app.request(row.method.clone(), &path);
        if row.method != Method::GET {
            request = request.header("idempotency-key", uuid::Uuid::now_v7().to_string()).json(
                &match row.path {
                    "/v1/actions/{id}/confirm" => json!({ "hash": hash }),
                    _ => self.body(row, nth).await,
                },
            );
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        // A stream of events has no end to wait for.
        let is_stream = status.is_success() && path.ends_with("/events");
        let text = if is_stream { String::new() } else { response.text().await.unwrap() };
        if row.path == "/v1/admin/keys" && status == 201 {
            let key: Value = serde_json::from_str(&text).unwrap();
            made = Some(RecordId(key["id"].as_str().unwrap().parse().unwrap()));
        }
        if let Some(id) = made {
            // Two may be active; the next cell makes its own.
            let site = if column == "operator" { "other" } else { "shop" };
            for site in [site, "shop"] {
                let site = SiteId::parse(site).unwrap();
                let now = rushdesk::clock::now();
                self.app.archive().revoke_api_key(&site, id, now).await.unwrap();
            }
        }
        let word = if status.is_success() { "ok".to_owned() } else { status.as_u16().to_string() };
        (word, text)
    }

    /// A socket is opened for everybody and closed with a code: 4401 and 4404 are 401 and 404.
    async fn socket(&self, session: &str, token: Option<&str>) -> String {
        let who = self.app.holder(token.unwrap_or_default());
        match Socket::open(&who, session, None).await.next().await {
            Ok(_) => "ok".to_owned(),
            Err((code, _)) => (code - 4_000).to_string(),
        }
    }
}

fn written_tool(description: &str) -> Value {
    json!({"declaration": {"description": description, "effect": "read", "identity": "nobody",
        "url": "https://desk.example/hours"}})
}

fn credentials(site_key: &str, email: &str) -> Value {
    json!({"site_key": site_key, "email": email, "password": PASSWORD})
}

async fn sign_in(app: &TestApp, how: &str, data: Value) -> String {
    app.signed_in(&ok(app.auth(how, &data)).await).token
}

async fn staff(app: &TestApp, site: &str, role: Role) -> String {
    app.staff(site, role, &format!("{}@example.com", role.as_str())).await.token
}

async fn key(app: &TestApp, site: &str) -> (RecordId, String) {
    let site = SiteId::parse(site).unwrap();
    let name = if site.as_str() == "shop" { MARK } else { "theirs" };
    let made = app.app().accounts.create_key(&site, name).await.unwrap();
    let (stored, key) = made.unwrap();
    (stored.id, key)
}

#[test]
async fn everybody_may_do_what_the_table_says_and_nothing_else() {
    let shop = Shop::open().await;
    let (columns, rows) = table();
    let mut faults = Vec::new();
    for row in &rows {
        for (nth, (column, expected)) in columns.iter().zip(&row.cells).enumerate() {
            assert_eq!(shop.tokens[nth].0, *column);
            let (got, text) = shop.attempt(row, column, nth).await;
            if got != *expected {
                faults.push(format!(
                    "{} {} as {column}: {got}, not {expected}: {text}",
                    row.method, row.path
                ));
            }
            let elsewhere = column.starts_with("other") || *column == "operator";
            if elsewhere && text.contains(MARK) {
                faults.push(format!("{} {} shows the shop to {column}", row.method, row.path));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    shop.app.stop().await;
}

#[test]
async fn where_there_is_one_shop_its_admins_operate_and_where_there_are_several_nobody() {
    let one = "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"}]";
    let two =
        "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"},{id=\"b\",name=\"B\",site_key=\"pk_b\"}]";
    for (sites, allowed) in [(one, true), (two, false)] {
        let app = TestApp::with(&[("sites", sites.to_owned())]).await;
        let admin = app.staff("shop", Role::Admin, "admin@example.com").await;
        let order = json!({"service_level": 1});
        let request = admin.set_modes(&order);
        if allowed {
            assert_eq!(status_of(request).await, 200);
        } else {
            refused(request, 403, "forbidden").await;
        }
        // The demo shop is there too and never operates a real one.
        refused(app.admin().await.backends(), 403, "forbidden").await;
        app.stop().await;
    }
}

#[test]
async fn an_erasure_by_somebody_of_the_shop_is_written_down() {
    let app = TestApp::start().await;
    let (visitor, mine) = app.chatting().await;
    let another = visitor.session().await;
    let admin = app.admin().await;
    sent(visitor.erase(&mine)).await;
    sent(admin.erase(&another)).await;
    let audit = ok(admin.audit()).await;
    let targets: Vec<_> = audit["items"].as_array().unwrap().iter().collect();
    assert_eq!(targets.len(), 1, "{audit}");
    assert_eq!(
        (&targets[0]["action"], &targets[0]["target"]),
        (&json!("session.erase"), &json!(another))
    );
    app.stop().await;
}
