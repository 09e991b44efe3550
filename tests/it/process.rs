//! The real binary as a process: its commands, its log, its signals.

use std::{
    fs::File,
    io::Write as _,
    process::{Child, Command, Output, Stdio},
};

use actix_web::rt::test;
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, time::timeout};

use super::{
    crash::{self, client, rushdesk},
    distributed::Stores,
    harness::*,
    servers::{Server, free_port},
};

fn embedded(data: &TempDir) -> Vec<(&'static str, String)> {
    let folder = |name: &str| data.path().join(name).display().to_string();
    vec![
        ("server.data_dir", folder("data")),
        ("embedding.model_dir", folder("none")),
        ("inference.discover_ollama", "false".to_owned()),
    ]
}

/// Runs a command to its end, with this on its standard input.
fn ran(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that does not want it is gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[test]
async fn an_admin_is_made_before_the_first_start_and_signs_in_after_it() {
    let data = tempfile::tempdir().unwrap();
    let settings = embedded(&data);
    let password = "correct horse battery";
    let create = |site: &str| {
        let arguments =
            ["admin", "create", "--site", site, "--email", "you@example.com", "--create"];
        let output = ran(rushdesk(&settings, &arguments), &format!("{password}\n"));
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let refused = |(code, said): (Option<i32>, String), why: &str| {
        assert!(code == Some(1) && said.contains(why), "{why}: {code:?} {said}");
    };
    refused(
        create("shop"),
        "add it to [[sites]] in the configuration, or name one of these: `demo`",
    );
    let (code, said) = create("demo");
    let database = data.path().join("data/rushdesk.sqlite").display().to_string();
    let told = format!("of site demo in {database}");
    assert!(code == Some(0) && said.contains(&told), "{code:?} {said}");
    refused(create("demo"), "`you@example.com` already has an account at site `demo`");

    let server = crash::Server::start(&settings, free_port()).await;
    let login = client().post(format!("{}/v1/auth/login", server.url));
    let who = json!({"site_key": "pk_demo", "email": "you@example.com", "password": password});
    let tokens = ok(login.json(&who)).await;
    assert_eq!(tokens["principal"]["role"], "admin", "{tokens}");
}

#[test]
async fn a_command_makes_a_link_for_a_new_password_beside_a_running_service() {
    let Some(stores) = Stores::new().await else { return };
    let data = tempfile::tempdir().unwrap();
    let mut settings = stores.with(&embedded(&data));
    settings.push(("server.public_url", "https://help.shop.example/".to_owned()));
    let server = crash::Server::start(&settings, free_port()).await;
    let auth =
        |how: &str, body: &Value| client().post(format!("{}/v1/auth/{how}", server.url)).json(body);
    let eva = |password: &str| json!({"site_key": "pk_demo", "email": "eva@example.com", "password": password});
    ok(auth("register", &eva("correct horse"))).await;
    let reset = |email: &str| {
        let arguments = ["users", "reset", "--site", "demo", "--email", email];
        let output = ran(rushdesk(&settings, &arguments), "");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = reset("nobody@example.com");
    assert!(code == Some(1) && said.contains("no account `nobody@example.com`"), "{code:?} {said}");
    let (code, said) = reset("EVA@example.com");
    let link = said.split_whitespace().find(|word| word.contains("/reset#"));
    let link = link.unwrap_or_else(|| panic!("{code:?} {said}"));
    let token = link.strip_prefix("https://help.shop.example/reset#pk_demo/").unwrap();
    let body = json!({"site_key": "pk_demo", "reset_token": token, "new_password": "new horse!"});
    sent(auth("reset", &body)).await;
    ok(auth("login", &eva("new horse!"))).await;
    refused(auth("login", &eva("correct horse")), 401, "token_invalid").await;
}

#[test]
async fn a_command_names_its_database_and_makes_none_unless_it_is_told_to() {
    let data = tempfile::tempdir().unwrap();
    let (settings, documents) = (embedded(&data), data.path().display().to_string());
    let commands: [&[&str]; 4] = [
        &["admin", "create", "--site", "demo", "--email", "you@example.com"],
        &["knowledge", "import", &documents],
        &["migrate"],
        &["sessions", "verify"],
    ];
    let database = data.path().join("data/rushdesk.sqlite");
    let refuses = |settings: &[(&'static str, String)], command: &[&str], hints: &[&str]| {
        // One that goes on instead is ended.
        let refusing = rushdesk(settings, command);
        let mut bounded = Command::new("timeout");
        bounded.arg("20").arg(refusing.get_program()).args(refusing.get_args());
        let output = ran(bounded, "correct horse battery\n");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        for hint in hints {
            assert!(said.contains(hint), "{command:?}: {hint}: {said}");
        }
    };
    let name = database.display().to_string();
    for command in commands {
        let hints = ["there is no database", &name, "server.data_dir", "--create"];
        refuses(&settings, command, &hints);
        assert!(!data.path().join("data").exists(), "{command:?} made something");
    }
    // A file that a first start left empty is no database yet.
    std::fs::create_dir(data.path().join("data")).unwrap();
    std::fs::write(&database, "").unwrap();
    refuses(&settings, commands[0], &["there is no database"]);
    // One that was emptied beside its log is not made again by anybody.
    let log = data.path().join("data/rushdesk.sqlite-wal");
    std::fs::write(&log, "x".repeat(5_000)).unwrap();
    for command in [&["serve"][..], &["migrate", "--create"], commands[0]] {
        refuses(&settings, command, &["the file is empty, but its -wal file has 5000 bytes"]);
    }
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 5_000);
    // That of another program is left alone.
    std::fs::remove_file(&log).unwrap();
    std::fs::remove_file(&database).unwrap();
    let mut other = SqliteConnection::establish(&name).unwrap();
    other.batch_execute("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    for command in [&["serve"][..], &["migrate", "--create"], commands[0]] {
        refuses(&settings, command, &["is the database of another program", &name]);
    }

    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&embedded(&data));
    let url = stores.settings.iter().find(|(key, _)| *key == "store.mysql_url").unwrap();
    let name = url.1.rsplit('/').next().unwrap();
    for command in [commands[0], commands[1], commands[3]] {
        let hints = [name, " at 127.0.0.1:", "has no tables of Rushdesk", "rushdesk migrate"];
        refuses(&settings, command, &hints);
    }
    let output = ran(rushdesk(&settings, &["migrate"]), "");
    assert!(output.status.success(), "{output:?}");
    let output = ran(rushdesk(&settings, commands[0]), "correct horse battery\n");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains(&format!("in {name} at")), "{said}");
}

#[test]
async fn the_check_of_sessions_passes_beside_a_running_service_and_finds_what_is_broken() {
    let Some(stores) = Stores::new().await else { return };
    let data = tempfile::tempdir().unwrap();
    let settings = stores.with(&embedded(&data));
    let server = crash::Server::start(&settings, free_port()).await;
    let shopper = Shopper::visitor(&client(), &server.url, "pk_demo").await;
    let session = shopper.session().await;
    shopper.ask(&session, "When do boots ship?").await;
    let verify = || {
        let output = ran(rushdesk(&settings, &["sessions", "verify"]), "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(verify(), (Some(0), "1 sessions checked, 0 with faults\n".to_owned()));
    let mut archive = stores.connect().await;
    archive.batch_execute("DELETE FROM events WHERE seq = 1").await.unwrap();
    let (code, said) = verify();
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("session {session}: event 1 is missing")), "{said}");
    drop(server);
}

#[test]
async fn a_second_process_on_an_embedded_folder_ends_with_a_clear_message() {
    let data = tempfile::tempdir().unwrap();
    let settings = embedded(&data);
    let server = crash::Server::start(&settings, free_port()).await;
    let mut second = settings.clone();
    second.push(("server.listen", format!("127.0.0.1:{}", free_port())));
    let output = ran(rushdesk(&second, &["serve"]), "");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("another process serves from") && said.contains("server.data_dir"),
        "{said}"
    );
    // The first one is not disturbed, and commands may run beside it.
    let shopper = Shopper::visitor(&client(), &server.url, "pk_demo").await;
    let session = shopper.session().await;
    shopper.ask(&session, "When do boots ship?").await;
    assert!(ran(rushdesk(&settings, &["sessions", "verify"]), "").status.success());
    drop(server);
}

#[test]
async fn a_log_that_is_no_terminal_has_no_colours() {
    let data = tempfile::tempdir().unwrap();
    let mut command = rushdesk(&embedded(&data), &["migrate", "--create"]);
    command.env_remove("NO_COLOR");
    let log = String::from_utf8(ran(command, "").stderr).unwrap();
    assert!(log.contains("archive migrated"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log:?}");
}

#[test]
async fn a_start_survives_a_hangup_and_ends_in_order_when_it_is_told_to() {
    // It takes connections and says nothing, so the start gets no further.
    let mysql = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut settings = embedded(&data);
    settings.extend([
        ("store.mode", "distributed".to_owned()),
        ("store.mysql_url", format!("mysql://root@{}/test", mysql.local_addr().unwrap())),
        ("store.redis_url", "redis://127.0.0.1:1/0".to_owned()),
        ("store.archive_timeout_ms", "600000".to_owned()),
        ("auth.jwt_secret", "0123456789abcdef0123456789abcdef".to_owned()),
        ("sites", "[{id=\"demo\",name=\"Demo\",site_key=\"pk_demo\"}]".to_owned()),
    ]);
    let mut child = rushdesk(&settings, &["serve"]).spawn().unwrap();
    let starting = timeout(PATIENCE, mysql.accept()).await;
    signal(&child, "-HUP");
    signal(&child, "-TERM");
    let ended = settle_or_kill(&mut child).await;
    starting.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0), "{ended}");
}

/// How the process ended; one that does not end fails the test and is not left behind.
async fn settle_or_kill(child: &mut Child) -> std::process::ExitStatus {
    let begun = std::time::SystemTime::now();
    while begun.elapsed().unwrap() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap()
}

#[test]
async fn the_log_says_that_redis_is_away() {
    let Some(stores) = Stores::new().await else { return };
    let Some(mut redis) = Server::redis().await else { return };
    let data = tempfile::tempdir().unwrap();
    let (log, port) = (data.path().join("log"), free_port());
    let mut settings = stores.with(&embedded(&data));
    settings.push(("store.redis_url", redis.redis_url()));
    let mut command = rushdesk(&settings, &["serve"]);
    command.stderr(File::create(&log).unwrap());
    let server = crash::Server::run(command, port).await;
    redis.kill();
    let said = || std::fs::read_to_string(&log).unwrap();
    settle("it is said", async || said().contains("redis is unreachable")).await;
    drop(server);
}
