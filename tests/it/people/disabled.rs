//! Somebody leaves the shop: a command ends their account while the service runs.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use actix_web::rt::test;
use serde_json::json;
use tempfile::TempDir;

use super::names;
use crate::{
    crash::{self, client, rushdesk},
    harness::*,
    servers::free_port,
};

const PASSWORD: &str = "correct horse battery";

fn run(data: &TempDir, arguments: &[&str]) -> (bool, String) {
    let mut command = rushdesk(&settings(data), arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that wants no password is gone already.
    let _ = child.stdin.take().unwrap().write_all(PASSWORD.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.success(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

fn settings(data: &TempDir) -> OwnedSettings {
    let folder = |name: &str| data.path().join(name).display().to_string();
    vec![
        ("server.data_dir", folder("data")),
        ("embedding.model_dir", folder("none")),
        ("inference.discover_ollama", "false".to_owned()),
    ]
}

#[test]
async fn a_disabled_agent_is_out_at_once_and_their_conversations_go_back() {
    let data = tempfile::tempdir().unwrap();
    let create = |email: &str, name: &str| {
        let account = ["--site", "demo", "--email", email, "--name", name, "--create"];
        run(&data, &[&["users", "create"], &account[..]].concat())
    };
    for (email, name) in [("mara@example.com", "Mara"), ("noor@example.com", "Noor")] {
        let (done, said) = create(email, name);
        assert!(done, "{said}");
    }
    for name in ["", "  ", "a\nb"] {
        let (done, said) = create("zoe@example.com", name);
        assert!(!done && said.contains("name: must have 1 to 100 characters"), "{name:?}: {said}");
    }
    let server = crash::Server::start(&settings(&data), free_port()).await;
    let login = async |email: &str| {
        let who = json!({"site_key": "pk_demo", "email": email, "password": PASSWORD});
        client().post(format!("{}/v1/auth/login", server.url)).json(&who)
    };
    let tokens = ok(login("mara@example.com").await).await;
    let agent = |tokens: &serde_json::Value| {
        Shopper::new(&client(), &server.url, tokens["access_token"].as_str().unwrap())
    };
    let (mara, noor) = (agent(&tokens), agent(&ok(login("noor@example.com").await).await));
    ok(noor.presence("online", 3)).await;
    ok(mara.presence("online", 3)).await;
    let shopper = Shopper::visitor(&client(), &server.url, "pk_demo").await;
    let session = shopper.session().await;
    ok(mara.accept(&session)).await;
    let mut desk = mara.desk_events(None).await;
    desk.until("desk.queue").await;
    let mut chat = mara.events(&session, None).await;

    let (done, said) =
        run(&data, &["users", "disable", "--site", "demo", "--email", "nobody@example.com"]);
    assert!(!done && said.contains("has no agent or admin `nobody@example.com`"), "{said}");
    let (done, said) =
        run(&data, &["users", "disable", "--site", "demo", "--email", "mara@example.com"]);
    assert!(done && said.contains("disabled "), "{said}");

    // What she reads ends, also what was open.
    desk.until("error").await;
    chat.until("error").await;
    refused(mara.desk(), 401, "token_invalid").await;
    refused(login("mara@example.com").await, 401, "token_invalid").await;
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let refresh = client().post(format!("{}/v1/auth/refresh", server.url)).json(&refresh);
    refused(refresh, 401, "token_invalid").await;
    settle("the conversation is in the queue", async || {
        ok(noor.desk()).await["waiting"][0]["session_id"] == json!(session)
    })
    .await;
    let events = shopper.events(&session, Some("3")).await.until("answer.completed").await;
    assert_eq!(names(&events)[0], "handoff.ended");
    assert_eq!(events[0].data["reason"], "agent_disabled");
    assert_eq!(ok(noor.desk()).await["agents"].as_array().unwrap().len(), 1);
    ok(noor.accept(&session)).await;

    let (done, said) = run(&data, &["users", "list", "--site", "demo"]);
    assert!(done, "{said}");
    let line = |email: &str| said.lines().find(|line| line.contains(email)).unwrap().to_owned();
    assert!(line("mara@example.com").contains("(Mara) disabled 20"), "{said}");
    assert!(line("noor@example.com").ends_with("noor@example.com (Noor)"), "{said}");
}
