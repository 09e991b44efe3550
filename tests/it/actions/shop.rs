//! A shop over real HTTP that remembers the keys of changes, and the way of a service to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, dev::ServerHandle, web};
use futures_util::FutureExt as _;
use rushdesk::{
    archive::Action,
    domain::ActionId,
    turn::ports::{ActionPort, Carried},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{crash::client, servers::served};

#[derive(Default)]
pub struct Books {
    /// What was done, each time: the key and the order.
    pub done: Vec<(String, String)>,
    /// What is known of a key.
    pub known: BTreeMap<String, Value>,
    /// Keys that were asked for before they came.
    pub asked: BTreeSet<String>,
    /// Nobody gets an answer about a key.
    pub is_silent: bool,
}

pub struct Shop {
    pub url: String,
    pub books: Arc<Mutex<Books>>,
    handle: ServerHandle,
}

impl Shop {
    pub fn start() -> Self {
        let books: Arc<Mutex<Books>> = Arc::default();
        let state = Arc::clone(&books);
        let (url, handle) = served(move |config| {
            config
                .app_data(web::Data::new(Arc::clone(&state)))
                .route("/orders/{number}/cancel", web::post().to(cancel))
                .route("/actions/{key}", web::get().to(known));
        });
        Self { url, books, handle }
    }

    /// How often the change of an order was made.
    pub fn done(&self, order: &str) -> usize {
        self.books.lock().unwrap().done.iter().filter(|(_, number)| number == order).count()
    }

    pub fn silence(&self, silent: bool) {
        self.books.lock().unwrap().is_silent = silent;
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// The number of the order says what happens: `…-lost` is done and never answered, `…-away` never
/// arrives, `…-late` is refused, `…-slow` takes its time, `…-held` some more.
async fn cancel(
    books: web::Data<Arc<Mutex<Books>>>,
    number: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let key = request.headers().get("idempotency-key").unwrap().to_str().unwrap().to_owned();
    if number.ends_with("-away") {
        return never().await;
    }
    if number.ends_with("-held") {
        sleep(Duration::from_millis(400)).await;
    }
    if number.ends_with("-slow") {
        sleep(Duration::from_millis(rand::random_range(0..60))).await;
    }
    let answer = {
        let mut books = books.lock().unwrap();
        if let Some(known) = books.known.get(&key) {
            known.clone()
        } else if books.asked.contains(&key) {
            json!({"status": "failed", "reason": "too_late"})
        } else {
            let late = number.ends_with("-late");
            let answer = match late {
                true => json!({"status": "failed", "reason": "already_shipped"}),
                false => json!({"status": "done"}),
            };
            books.known.insert(key.clone(), answer.clone());
            if !late {
                books.done.push((key, number.to_string()));
            }
            answer
        }
    };
    if number.ends_with("-lost") {
        return never().await;
    }
    match answer["status"] == "done" {
        true => HttpResponse::Ok().json(answer),
        false => HttpResponse::Conflict().json(answer),
    }
}

async fn never() -> HttpResponse {
    sleep(Duration::from_secs(30)).await;
    HttpResponse::GatewayTimeout().finish()
}

async fn known(books: web::Data<Arc<Mutex<Books>>>, key: web::Path<String>) -> HttpResponse {
    let mut books = books.lock().unwrap();
    if books.is_silent {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match books.known.get(key.as_str()) {
        Some(known) => HttpResponse::Ok().json(known),
        None => {
            books.asked.insert(key.into_inner());
            HttpResponse::NotFound().finish()
        }
    }
}

/// The way to the shop at `url`, with so long for each call.
pub fn port(url: &str, timeout: Duration) -> ActionPort {
    let (client, url) = (client(), url.to_owned());
    let (other, base) = (client.clone(), url.clone());
    ActionPort {
        call: Arc::new(move |action: Action, deadline| {
            let order = action.arguments.0["order_number"].as_str().unwrap().to_owned();
            let request = client.post(format!("{url}/orders/{order}/cancel"));
            let request = request.header("idempotency-key", action.id.to_string());
            asked(request, order, deadline).boxed()
        }),
        recall: Arc::new(move |action: Action, deadline| {
            let order = action.arguments.0["order_number"].as_str().unwrap().to_owned();
            let id: ActionId = action.id;
            asked(other.get(format!("{base}/actions/{id}")), order, deadline).boxed()
        }),
        timeout,
        valid_for: Duration::from_secs(900),
    }
}

async fn asked(request: reqwest::RequestBuilder, order: String, deadline: Instant) -> Carried {
    let left = deadline.saturating_duration_since(Instant::now());
    match request.timeout(left).send().await {
        Ok(response) if response.status() == 200 || response.status() == 409 => {
            match response.json::<Value>().await {
                Ok(told) if told["status"] == "done" => {
                    let said = format!("Order {order} is cancelled.");
                    Carried::Done { said, undo_until: None }
                }
                Ok(told) => Carried::Failed(format!("Order {order}: {}.", told["reason"])),
                Err(_) => Carried::Unknown,
            }
        }
        Ok(response) if response.status() == 404 => Carried::NotDone,
        Err(error) if error.is_connect() => Carried::NotDone,
        Ok(_) | Err(_) => Carried::Unknown,
    }
}
