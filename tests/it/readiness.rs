//! `/readyz` says whether a message would be taken: it writes.

use std::{fs, path::Path, process::Command, time::SystemTime};

use actix_web::rt::test;
use diesel_async::{AsyncConnection as _, AsyncMysqlConnection, SimpleAsyncConnection as _};
use futures_util::future::join_all;
use reqwest::StatusCode;

use super::{crash, distributed::Stores, harness::*, servers::*};

/// The detail of a red `/readyz`; empty if it is green.
async fn unready(url: &str) -> String {
    let response = crash::client().get(format!("{url}/readyz")).send().await.unwrap();
    if response.status() == StatusCode::OK {
        return String::new();
    }
    let (status, code, problem) = problem(response).await;
    assert_eq!((status, code.as_str()), (503, "dependency_unavailable"));
    problem["detail"].as_str().unwrap().to_owned()
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |known| known.len())
}

#[test]
async fn a_disk_without_room_shows_and_so_does_room() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("data");
    let settings = [
        ("server.data_dir", folder.display().to_string()),
        ("embedding.model_dir", "no-model".to_owned()),
        ("inference.discover_ollama", "false".to_owned()),
        ("limits.visitor_burst", "100000".to_owned()),
        ("limits.visitor_messages_per_hour", "1000000".to_owned()),
        // The disk may also be full at the end of a turn, and then its answer waits for room.
        ("sessions.max_wait_ms", "3000".to_owned()),
    ];
    drop(crash::Server::start(&settings, free_port()).await);
    // A file may grow to this, and then not by a byte. The shell leaves the signal that comes with the error aside; its
    // blocks have 512 bytes.
    let longest = ["rushdesk.sqlite", "rushdesk.sqlite-wal"].map(|name| length(&folder.join(name)));
    let blocks = longest.into_iter().max().unwrap() / 512 + 800;
    let server = crash::rushdesk(&settings, &["serve"]);
    let mut limited = Command::new("sh");
    limited
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -S -f {blocks}; echo $$ > \"$0\"; exec \"$@\""),
        ])
        .arg(data.path().join("pid"))
        .arg(server.get_program())
        .args(server.get_args());
    let server = crash::Server::run(limited, free_port()).await;
    assert_eq!(unready(&server.url).await, "");
    let client = crash::client();
    let shopper = Shopper::visitor(&client, &server.url, "pk_demo").await;
    let session = shopper.session().await;
    let begun = SystemTime::now();
    let mut taken = 0;
    loop {
        let text = "Do you sell boots? ".repeat(100);
        let message = shopper.message(&session, &format!("k{taken}"), &text);
        if status_of(message).await != StatusCode::OK {
            break;
        }
        taken += 1;
        assert!(begun.elapsed().unwrap() < PATIENCE * 2, "the limit does not hold");
    }
    settle("the probe fails like the message", async || {
        unready(&server.url).await.contains("takes no change")
    })
    .await;
    // It answers questions all the while.
    assert!(!shopper.messages(&session).await.is_empty());
    let pid = fs::read_to_string(data.path().join("pid")).unwrap();
    let raise = ["--pid", pid.trim(), "--fsize=unlimited"];
    assert!(Command::new("prlimit").args(raise).status().unwrap().success());
    settle("there is room again", async || unready(&server.url).await.is_empty()).await;
    let session = shopper.session().await;
    shopper.ask(&session, "Do you sell tents?").await;
    drop(server);
}

#[test]
async fn a_server_that_is_read_only_shows() {
    let Some(stores) = Stores::new().await else { return };
    let Some(mariadb) = Server::mariadb().await else { return };
    let mut root = AsyncMysqlConnection::establish(&mariadb.mysql_url()).await.unwrap();
    // Root may write whatever the server says.
    root.batch_execute(
        "CREATE USER shop@127.0.0.1 IDENTIFIED BY 'x'; GRANT ALL ON test.* TO shop@127.0.0.1",
    )
    .await
    .unwrap();
    let url = format!("mysql://shop:x@{}/test", mariadb.address());
    let app = TestApp::with(&stores.with(&[("store.mysql_url", url)])).await;
    let (shopper, session) = app.chatting().await;
    assert_eq!(unready(&app.url).await, "");
    root.batch_execute("SET GLOBAL read_only = ON").await.unwrap();
    settle("it takes no change", async || unready(&app.url).await.contains("takes no change"))
        .await;
    refused(shopper.message(&session, "k", "hello"), 503, "dependency_unavailable").await;
    root.batch_execute("SET GLOBAL read_only = OFF").await.unwrap();
    settle("it takes changes again", async || unready(&app.url).await.is_empty()).await;
    app.drain().await;
}

#[test]
async fn however_many_ask_one_write_answers_them() {
    let app = TestApp::start().await;
    let written = || app.counter("rushdesk_archive_operation_seconds_count");
    let ask = async || status_of(app.get("/readyz")).await;
    assert_eq!(ask().await, StatusCode::OK);
    let before = written();
    let all = join_all((0..200).map(|_| ask())).await;
    assert!(all.iter().all(|status| *status == StatusCode::OK));
    // Others of this process write too, but not so often.
    assert!(written() - before < 100, "{}", written() - before);
    app.stop().await;
}
