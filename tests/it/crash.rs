//! `kill -9` of the real binary in the middle of streams: nothing acknowledged is lost, what was cut ends visibly.

use std::process::{Child, Command, Stdio};

use actix_web::rt::{spawn, test};
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::Value;

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
    servers::free_port,
};

const STREAMS: usize = 64;

/// The real binary with a command. Nobody reads what it says unless the test wants to.
pub fn rushdesk(settings: &[(&'static str, String)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rushdesk"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for (key, value) in settings {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command
}

/// The real binary, ended with the value.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    pub async fn start(settings: &[(&'static str, String)], port: u16) -> Self {
        Self::start_in(&[], settings, port).await
    }

    /// With more in its environment.
    pub async fn start_in(
        environment: &[(&str, &str)],
        settings: &[(&'static str, String)],
        port: u16,
    ) -> Self {
        let mut command = rushdesk(settings, &["serve"]);
        command.envs(environment.iter().copied());
        Self::run(command, port).await
    }

    /// Ready when this returns.
    pub async fn run(mut command: Command, port: u16) -> Self {
        command.arg("--set").arg(format!("server.listen=127.0.0.1:{port}"));
        let child = command.spawn().unwrap();
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let client = client();
        settle_within(PATIENCE * 3, "the server is ready", async || {
            let ready = client.get(format!("{}/readyz", server.url)).send().await;
            ready.is_ok_and(|response| response.status() == 200)
        })
        .await;
        server
    }

    /// As `kill` does.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// What was acknowledged before the stream broke.
struct Acknowledged {
    shopper: Shopper,
    session: String,
    message: Value,
}

async fn begin(client: Client, url: String) -> (Acknowledged, Events) {
    let shopper = Shopper::visitor(&client, &url, "pk_demo").await;
    let session = shopper.session().await;
    // Unique, so that nobody coalesces.
    let text = format!("When do boots of shopper {session} ship?");
    loop {
        let request = shopper.message(&session, "only", &text);
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        // What a client does that is told to come back.
        if let Some(after) = response.headers().get("retry-after") {
            let seconds = after.to_str().unwrap().parse().unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
            continue;
        }
        let mut events = Events::of(response);
        let first = events.next().await.unwrap();
        assert_eq!(first.name, "message.created");
        return (Acknowledged { shopper, session, message: first.data }, events);
    }
}

async fn survives(settings: Vec<(&'static str, String)>) {
    let fake = FakeModel::start().await;
    let many =
        format!("[{{name=\"fake\",kind=\"vllm\",url=\"{}\",model=\"step\",slots=200}}]", fake.url);
    let mut settings = settings;
    settings.push(("inference.backends", many));
    settings.push(("embedding.model_dir", "no-model".to_owned()));
    let port = free_port();
    let mut server = Server::start(&settings, port).await;
    // One for all: to make one takes long, and meanwhile a connection that says nothing runs into its timeout.
    let shoppers = client();
    let begun = (0..STREAMS).map(|_| spawn(begin(shoppers.clone(), server.url.clone())));
    let begun = join_all(begun).await;
    fake.steps.add_permits(STREAMS * 3);
    let mut begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    for (_, events) in &mut begun {
        if events.next().await.is_none() {
            break;
        }
    }
    // SIGKILL on Unix.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    drop(server);
    fake.steps.add_permits(STREAMS * 100);
    let server = Server::start(&settings, port).await;
    let mut cut = 0;
    for (Acknowledged { shopper, session, message }, _) in &begun {
        let items = shopper.messages(session).await;
        assert_eq!(items.len(), 2, "{items:?}");
        assert_eq!(items[0]["id"], message["message_id"]);
        assert_eq!(items[0]["text"], message["text"]);
        // The permits of the model are for whoever comes first, so some answers were whole before the end.
        let whole = items[1]["status"] == "complete";
        assert!(whole || items[1]["status"] == "failed", "{items:?}");
        cut += usize::from(!whole);
        // The retry of the same request is the same turn.
        let retry = shopper.message(session, "only", message["text"].as_str().unwrap());
        let retry = body(retry.send().await.unwrap()).await;
        assert_eq!(retry["turn_id"], message["turn_id"], "{retry}");
        if whole {
            assert_eq!(retry["answer"]["text"], WORDS.concat(), "{retry}");
        } else {
            assert_eq!(retry["problem"]["code"], "interrupted", "{retry}");
        }
    }
    assert!(cut > 0, "no stream was cut");
    drop(server);
    fake.stop().await;
}

#[test]
async fn a_killed_server_on_redis_and_mariadb_loses_nothing_acknowledged() {
    let Some(stores) = Stores::new().await else { return };
    // Where the second process learns that the first one is dead.
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    survives(stores.with(&[("server.data_dir", folder)])).await;
}

#[test]
async fn a_killed_server_on_sqlite_loses_nothing_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data").display().to_string();
    survives(vec![("server.data_dir", folder), ("inference.discover_ollama", "false".to_owned())])
        .await;
}
