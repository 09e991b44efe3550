//! Somebody with a token, and a method for each endpoint. What may be refused is returned as a request; see `ok` and
//! `refused`.

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::harness::{Events, PATIENCE, TestApp, body, ok};

/// A visitor, a customer, somebody of the shop or the shop's server: a token, and where it is shown.
#[derive(Clone)]
pub struct Shopper {
    client: Client,
    pub url: String,
    pub token: String,
}

impl Shopper {
    pub fn new(client: &Client, url: &str, token: &str) -> Self {
        Self { client: client.clone(), url: url.to_owned(), token: token.to_owned() }
    }

    /// A new visitor of any service.
    pub async fn visitor(client: &Client, url: &str, site_key: &str) -> Self {
        let request = client.post(format!("{url}/v1/auth/visitor")).timeout(PATIENCE);
        let tokens = ok(request.json(&json!({ "site_key": site_key }))).await;
        Self::new(client, url, tokens["access_token"].as_str().unwrap())
    }

    /// The same one at another replica, or after a restart.
    pub fn at(&self, app: &TestApp) -> Self {
        app.holder(&self.token)
    }

    /// The same one at the replica of another one.
    pub fn beside(&self, other: &Self) -> Self {
        Self { url: other.url.clone(), ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        request.timeout(PATIENCE).bearer_auth(&self.token)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    pub fn me(&self) -> RequestBuilder {
        self.get("/v1/auth/me")
    }

    pub fn new_session(&self, wishes: &Value) -> RequestBuilder {
        self.post("/v1/sessions").json(wishes)
    }

    /// The id of a new session.
    pub async fn session(&self) -> String {
        ok(self.new_session(&json!({}))).await["id"].as_str().unwrap().to_owned()
    }

    pub fn sessions(&self) -> RequestBuilder {
        self.get("/v1/sessions")
    }

    /// Ids of the first page of sessions.
    pub async fn session_ids(&self) -> Vec<String> {
        let page = ok(self.sessions()).await;
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    pub fn view(&self, session: &str) -> RequestBuilder {
        self.get(&format!("/v1/sessions/{session}"))
    }

    pub fn erase(&self, session: &str) -> RequestBuilder {
        self.delete(&format!("/v1/sessions/{session}"))
    }

    pub fn erase_customer(&self, id: &str) -> RequestBuilder {
        self.delete(&format!("/v1/customers/{id}"))
    }

    pub fn export(&self, id: &str) -> RequestBuilder {
        self.get(&format!("/v1/customers/{id}/export"))
    }

    pub fn message(&self, session: &str, key: &str, text: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/messages"))
            .header("idempotency-key", key)
            .json(&json!({ "text": text }))
    }

    /// Asks and waits for the whole turn.
    pub async fn ask(&self, session: &str, text: &str) -> Value {
        let key = uuid::Uuid::now_v7().to_string();
        let response = self.message(session, &key, text).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.text().await);
        body(response).await
    }

    /// Asks and streams the turn on the response.
    pub async fn stream(&self, session: &str, text: &str) -> Events {
        let key = uuid::Uuid::now_v7().to_string();
        let request = self.message(session, &key, text).header("accept", "text/event-stream");
        Events::of(request.send().await.unwrap())
    }

    pub fn history(&self, session: &str) -> RequestBuilder {
        self.get(&format!("/v1/sessions/{session}/messages"))
    }

    pub async fn messages(&self, session: &str) -> Vec<Value> {
        ok(self.history(session)).await["items"].as_array().unwrap().clone()
    }

    pub fn follow(&self, session: &str) -> RequestBuilder {
        self.get(&format!("/v1/sessions/{session}/events"))
    }

    pub async fn events(&self, session: &str, last_event_id: Option<&str>) -> Events {
        let mut request = self.follow(session);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Events::of(request.send().await.unwrap())
    }

    pub fn cancel(&self, session: &str, turn: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/turns/{turn}/cancel"))
    }

    /// Asks for a person.
    pub fn handoff(&self, session: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/handoff")).json(&json!({}))
    }

    /// Says that somebody writes.
    pub fn typing(&self, session: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/typing"))
    }

    pub async fn desk_events(&self, last_event_id: Option<&str>) -> Events {
        let mut request = self.get("/v1/desk/events");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Events::of(request.send().await.unwrap())
    }

    pub fn note(&self, session: &str, key: &str, text: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/messages"))
            .header("idempotency-key", key)
            .json(&json!({ "text": text, "visibility": "note" }))
    }

    pub fn notes(&self, session: &str) -> RequestBuilder {
        self.get(&format!("/v1/desk/sessions/{session}"))
    }

    pub fn tag(&self, session: &str, tags: &[&str]) -> RequestBuilder {
        self.put(&format!("/v1/desk/sessions/{session}/tags")).json(&json!({ "tags": tags }))
    }

    pub fn accept(&self, session: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/accept"))
    }

    /// To `bot` or `queue`.
    pub fn release(&self, session: &str, to: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/release")).json(&json!({ "to": to }))
    }

    pub fn transfer(&self, session: &str, to: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/transfer")).json(&json!({ "to": to }))
    }

    pub fn close(&self, session: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/close"))
    }

    /// As an agent who has read everything up to `seen`.
    pub fn say(&self, session: &str, key: &str, text: &str, seen: u64) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/messages"))
            .header("idempotency-key", key)
            .json(&json!({ "text": text, "last_seen_seq": seen }))
    }

    pub fn presence(&self, state: &str, capacity: u64) -> RequestBuilder {
        self.put("/v1/desk/presence").json(&json!({ "state": state, "capacity": capacity }))
    }

    pub fn desk(&self) -> RequestBuilder {
        self.get("/v1/desk/queue")
    }

    pub fn csat(&self, session: &str, rating: &Value) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/csat")).json(rating)
    }

    /// `query`: such as `?limit=1`.
    pub fn ended(&self, query: &str) -> RequestBuilder {
        self.get(&format!("/v1/desk/ended{query}"))
    }

    pub fn rate(&self, message: &str, rating: &str) -> RequestBuilder {
        self.post(&format!("/v1/messages/{message}/feedback")).json(&json!({ "rating": rating }))
    }

    pub fn models(&self) -> RequestBuilder {
        self.get("/v1/models")
    }

    pub fn complete(&self, body: &Value) -> RequestBuilder {
        self.post("/v1/chat/completions").json(body)
    }

    pub fn search(&self, query: &str) -> RequestBuilder {
        let body = json!({ "query": query, "limit": 20 });
        self.post("/v1/knowledge/search").json(&body)
    }

    pub fn documents(&self, query: &str) -> RequestBuilder {
        self.get(&format!("/v1/knowledge/documents?{query}"))
    }

    pub fn document(&self, id: &str) -> RequestBuilder {
        self.get(&format!("/v1/knowledge/documents/{id}"))
    }

    pub fn put_document(&self, id: &str, document: &Value) -> RequestBuilder {
        self.put(&format!("/v1/knowledge/documents/{id}")).json(document)
    }

    pub fn delete_document(&self, id: &str) -> RequestBuilder {
        self.delete(&format!("/v1/knowledge/documents/{id}"))
    }

    pub fn cache(&self) -> RequestBuilder {
        self.get("/v1/admin/cache")
    }

    pub fn purge(&self, what: &Value) -> RequestBuilder {
        self.post("/v1/admin/cache/purge").json(what)
    }

    pub fn keys(&self) -> RequestBuilder {
        self.get("/v1/admin/keys")
    }

    pub fn create_key(&self, name: &str) -> RequestBuilder {
        self.post("/v1/admin/keys").json(&json!({ "name": name }))
    }

    pub fn revoke_key(&self, id: &str) -> RequestBuilder {
        self.delete(&format!("/v1/admin/keys/{id}"))
    }

    pub fn audit(&self) -> RequestBuilder {
        self.get("/v1/admin/audit")
    }

    pub fn backends(&self) -> RequestBuilder {
        self.get("/v1/admin/backends")
    }

    pub fn modes(&self) -> RequestBuilder {
        self.get("/v1/admin/modes")
    }

    pub fn set_modes(&self, order: &Value) -> RequestBuilder {
        self.put("/v1/admin/modes").json(order)
    }
}
