//! Services that are killed at random moments between a proposal and its result.
//!
//! The service is a process of its own: this binary again, which then runs one test that serves.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use actix_web::rt::test;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;
use crate::{crash::client, distributed::Stores};

/// The settings of a process that serves, as JSON; and where its shop is.
const SETTINGS: &str = "RUSHDESK_TEST_ACTIONS";
const SHOP: &str = "RUSHDESK_TEST_ACTIONS_SHOP";
const WAVES: usize = 5;
const ORDERS: usize = 20;

/// Serves in a process that [`Process::start`] began, until it is killed.
#[test]
async fn a_process_that_serves() {
    let (Ok(settings), Ok(shop)) = (std::env::var(SETTINGS), std::env::var(SHOP)) else { return };
    let settings: Vec<(String, String)> = serde_json::from_str(&settings).unwrap();
    let settings: OwnedSettings =
        settings.into_iter().map(|(key, value)| (&*key.leak(), value)).collect();
    let data = tempfile::tempdir().unwrap();
    let app = TestApp::in_folder_with(data, &settings, Some(shop::port(&shop, CALL))).await;
    println!("\nready {}", app.url);
    let (lines, mut commands) = tokio::sync::mpsc::channel(64);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            lines.blocking_send(line).unwrap();
        }
    });
    while let Some(line) = commands.recv().await {
        let (session, order) = line.split_once(' ').unwrap();
        let proposed = propose(&app, session, draft(order, VALID)).await;
        println!("\nproposed {} {}", proposed.id, proposed.hash);
    }
    // Whoever started it is gone.
    std::process::exit(0);
}

/// A service in a process of its own, killed with the value.
struct Process {
    child: Child,
    commands: ChildStdin,
    said: BufReader<ChildStdout>,
    url: String,
}

impl Process {
    /// What it keeps of its own goes with `folder`.
    fn start(settings: &[(&'static str, String)], shop: &Shop, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "actions::kills::a_process_that_serves", "--nocapture"]);
        command.env(SETTINGS, serde_json::to_string(settings).unwrap()).env(SHOP, &shop.url);
        command.env("TMPDIR", folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, commands, said, url: String::new() };
        process.url = process.told("ready ");
        process
    }

    /// The rest of the next line that begins so.
    fn told(&mut self, what: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the process is gone");
            if let Some(rest) = line.strip_prefix(what) {
                return rest.trim().to_owned();
            }
        }
    }

    fn propose(&mut self, session: &str, order: &str) -> Proposed {
        writeln!(self.commands, "{session} {order}").unwrap();
        let told = self.told("proposed ");
        let (id, hash) = told.split_once(' ').unwrap();
        Proposed { id: id.to_owned(), hash: hash.to_owned() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a shopper does with one proposal.
struct Order {
    number: String,
    session: String,
    proposed: Proposed,
    confirms: bool,
}

/// Confirms as a client does: again and again, until it is told what became of it.
async fn confirm(order: &Order, shopper: &Shopper) {
    loop {
        if let Ok(response) = order.proposed.confirm(shopper).send().await
            && response.status() == 200
        {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

async fn survives(settings: OwnedSettings) {
    let (shop, folder) = (Shop::start(), tempfile::tempdir().unwrap());
    let client = client();
    let mut process = Process::start(&settings, &shop, folder.path());
    let mut shopper = Shopper::visitor(&client, &process.url, "pk_demo").await;
    let mut all = Vec::new();
    for wave in 0..WAVES {
        let mut orders = Vec::new();
        for number in 0..ORDERS {
            let fault = ["", "-slow", "-slow", "-lost", "-late", "-away", "-slow"][number % 7];
            let number = format!("FJ-{wave}-{number}{fault}");
            let session = shopper.session().await;
            let proposed = process.propose(&session, &number);
            let confirms = orders.len() % 5 != 4;
            orders.push(Order { number, session, proposed, confirms });
        }
        // The kill comes while some wait for the shop, some have their answer, and some have not begun.
        let begun = join_all(orders.iter().filter(|order| order.confirms).map(async |order| {
            sleep(Duration::from_millis(rand::random_range(0..80))).await;
            let _ = order.proposed.confirm(&shopper).send().await;
        }));
        let alive = Duration::from_millis(rand::random_range(10..120));
        let _ = tokio::time::timeout(alive, begun).await;
        drop(process);
        process = Process::start(&settings, &shop, folder.path());
        shopper = Shopper::new(&client, &process.url, &shopper.token);
        let confirmed = orders.iter().filter(|order| order.confirms);
        let again = join_all(confirmed.map(|order| confirm(order, &shopper)));
        tokio::time::timeout(PATIENCE * 3, again).await.unwrap();
        all.extend(orders);
    }
    for order in &all {
        let Order { number, session, proposed, confirms } = order;
        let told = async || {
            let messages = shopper.messages(session).await;
            messages.last().unwrap()["text"].as_str().unwrap().to_owned()
        };
        let done = || shop.done(number);
        if !confirms {
            assert_eq!((done(), shopper.messages(session).await.len()), (0, 2), "{number}");
            continue;
        }
        settle_within(PATIENCE * 3, "it is known what became of a change", async || {
            let last = told().await;
            !last.starts_with("The shop has not answered") && !last.is_empty()
        })
        .await;
        let last = told().await;
        assert!(done() <= 1, "{number} was done twice");
        assert_eq!(last.ends_with("is cancelled."), done() == 1, "{number}: {last}");
        let turn = ok(proposed.confirm(&shopper)).await;
        assert_eq!(turn["message"]["text"], format!("Yes, please: Cancel order {number}"));
    }
    let keys: Vec<String> = shop.books.lock().unwrap().done.iter().map(|d| d.0.clone()).collect();
    let confirmed: Vec<&String> =
        all.iter().filter(|order| order.confirms).map(|order| &order.proposed.id).collect();
    assert!(keys.iter().all(|key| confirmed.contains(&key)), "something was done unasked");
    assert!(keys.len() >= all.len() / 4, "hardly anything was done: {}", keys.len());
    drop(process);
    shop.stop().await;
}

fn quick(mut settings: OwnedSettings) -> OwnedSettings {
    settings.push(("limits.visitor_burst", "100000".to_owned()));
    settings.push(("limits.visitor_messages_per_hour", "100000".to_owned()));
    settings.push(("actions.per_shopper_a_day", "0".to_owned()));
    settings
}

#[test]
async fn kills_between_yes_and_result_lose_nothing_and_repeat_nothing() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    survives(quick(vec![("server.data_dir", folder)])).await;
}

#[test]
async fn kills_of_a_replica_lose_nothing_and_repeat_nothing() {
    let Some(stores) = Stores::new().await else { return };
    let dead = [("store.beat_ms", "200".to_owned()), ("store.dead_after_ms", "1500".to_owned())];
    survives(quick(stores.with(&dead))).await;
}
