//! `rushdesk knowledge import` loses nothing silently, and makes nothing public by accident.

use std::{path::Path, process::Output};

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::harness::*;

async fn import(data: &Path, files: &[(&str, &[u8])]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let data = data.display();
    let Output { status, stdout, stderr } =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_rushdesk"))
            .args(["knowledge", "import", "--create"])
            .arg(folder.path())
            .arg("--set")
            .arg(format!("server.data_dir={data}"))
            .arg("--set")
            .arg(format!("embedding.model_dir={data}/no-model"))
            .output()
            .await
            .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let below = format!("{}/", folder.path().display());
    (status.code().unwrap(), text(stdout), text(stderr).replace(&below, ""))
}

#[test]
async fn every_file_is_stored_or_named_and_the_exit_code_tells() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let app = TestApp::in_folder(data, &[]).await;
    let admin = app.admin().await;
    let staff = b"\xef\xbb\xbf\r\n---\r\ntitle: >\r\n  Lost\r\n  keys\r\ntags:\r\n  - keys\r\naudience: staff\r\n...\r\nThe \
        glacier key hangs behind the freezer.";
    let (code, out, err) = import(
        &folder,
        &[
            ("staff.md", staff),
            ("Größe & Maße.md", b"# Sizes\n\nThe yeti boot comes in size 51."),
            ("Доставка.txt", "Санная доставка стоит 7 EUR.".as_bytes()),
            ("page.html", b"<html><head><title>x</title><body><p>An igloo night costs 90 EUR.</p>"),
            ("faq.csv", b"sep=;\nquestion;answer\nWhat does a sled cost?;80 EUR.\n;\nonly\nWho steers?;\"The\nhusky.\"\n"),
            ("pairs.json", b"\xef\xbb\xbf[{\"question\": \"q\", \"answer\": \"a\"}]"),
            ("boats.md", b"Boats cost 12 EUR."),
            ("boats.csv", b"question,answer\nq,a\n"),
            ("wrong.md", b"---\naudiance: staff\n---\nThe safe stands in the cellar."),
            ("wide.txt", b"H\0o\0u\0r\0s\0"),
            ("manual.pdf", b"%PDF-1.7"),
            ("twice.md", b"---\ntitle: a\n---\n---\naudience: staff\n---\nThe vault stands in the attic."),
            ("hidden.html", b"---\ntitle: a\n---\n<p>One\n<!-- two <p>three"),
            ("partly.json", b"[{\"question\": \"q\", \"answer\": \"a\"}, {\"question\": \"q\", \"answer\": \"\\u0000\"}]"),
            ("latin.md", b"Hours\nin Z\xfcrich"),
        ],
    )
    .await;
    assert_eq!(code, 1, "{out}{err}");
    for name in ["staff", "Grosse-Masse", "Dostavka", "page", "faq", "pairs", "partly"] {
        assert!(out.contains(&format!("{name}: Created, ")), "{name}: {out}");
    }
    assert!(out.contains("7 created, 0 updated, 0 unchanged"), "{out}");
    for fault in [
        "boats.csv: would be stored as `boats`, as ",
        "boats.md: would be stored as `boats`, as ",
        "faq.csv: line 4: the row is empty",
        "faq.csv: line 5: the row has 1 of 2 fields",
        "latin.md: is not UTF-8 text (line 2)",
        "wide.txt: has a NUL or escape character (line 1)",
        "wrong.md: line 2: the header has the key `audiance`",
        "manual.pdf: is not read: only .md, ",
        "twice.md: line 4: the text begins with a header",
        "hidden.html: line 5: `<!--` is never closed",
        "partly.json: question 2: `answer` must be text",
        "10 file(s) could not be read in full",
    ] {
        assert!(err.contains(fault), "{fault}: {err}");
    }
    for id in ["boats", "wrong", "wide", "latin", "manual", "twice", "hidden"] {
        refused(admin.document(id), 404, "not_found").await;
    }
    let read = ok(admin.document("staff")).await;
    let seen = (&read["title"], &read["audience"], &read["tags"], &read["text"]);
    let text = json!("The glacier key hangs behind the freezer.");
    assert_eq!(seen, (&json!("Lost keys"), &json!("staff"), &json!(["keys"]), &text));
    assert_eq!(ok(admin.document("Grosse-Masse")).await["title"], "Sizes");
    assert_eq!(ok(admin.document("Dostavka")).await["title"], "Доставка");
    settle("the import is answered from", async || {
        app.ask("What does an igloo night cost?").await.to_string().contains("90 EUR")
    })
    .await;
    let answer = app.ask("Where does the glacier key hang?").await.to_string();
    assert!(!answer.contains("freezer") && !answer.contains("audience"), "{answer}");
    app.stop().await;
}

#[test]
async fn a_page_that_may_be_for_some_is_stored_for_them_or_named_and_never_public() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let app = TestApp::in_folder(data, &[]).await;
    let admin = app.admin().await;
    let refused_files: [(&str, &str, &str); 14] = [
        (
            "a.csv",
            "question,answer,audi\u{200b}ence\nq,a,staff\n",
            "a character that nobody sees (U+200B)",
        ),
        (
            "b.csv",
            "question,answer,visibility\nq,a,staff\n",
            "`visibility` of single questions is not read",
        ),
        (
            "c.json",
            "[{\"question\":\"q\",\"answer\":\"a\",\"access\":\"staff\"}]",
            "`access` of single",
        ),
        (
            "d.json",
            "[{\"question\":\"q\",\"answer\":\"a\",\"audiance\":\"x\"}]",
            "did you mean `audience`?",
        ),
        ("e.html", "<p>audience: staff</p><p>Text", "`audience` looks like a header"),
        ("f.md", "audience | staff\n--- | ---\n\nText", "line 1: `audience` looks like a header"),
        ("g.md", "---\ntitle: a\ndraft: true\n---\nText", "line 3: the header has `draft: true`"),
        (
            "h.md",
            "---\nvisibility: internal\n---\nText",
            "line 2: the header has the key `visibility`",
        ),
        (
            "i.md",
            "---\nzielgruppe: intern\n---\nText",
            "line 2: the header has the key `zielgruppe`",
        ),
        (
            "j.html",
            "<head>\n<meta name=access content=staff></head><p>Text",
            "line 2: `<meta name=\"access\">`",
        ),
        (
            "k.html",
            "---\naudience: public\n---\n<meta name=audience content=staff><p>Text",
            "the audience `public`, and `<meta>` `staff`",
        ),
        (
            "l.csv",
            "question,answer,published\nq,a,true\nr,b,false\n",
            "line 3: the row has `published` \"false\"",
        ),
        (
            "m.csv",
            "question,answer,\nq,a,\nr,b,staff\n",
            "line 3: the row has text in a column without a name",
        ),
        (
            "n.md",
            "---\nmenu:\n  main: {audience: staff}\n---\nText",
            "line 3: the header has `audience` inside",
        ),
    ];
    let mut files: Vec<(&str, &[u8])> =
        refused_files.iter().map(|(name, text, _)| (*name, text.as_bytes())).collect();
    files.push(("hugo.md", b"---\ntitle: Sleds\nsummary: x\ndate: 2024-01-01\nauthor: Eva\nlayout: post\nslug: s\nweight: 3\ndescription: y\ndraft: false\nlang: en\n---\nText"));
    files.push((
        "keys.html",
        b"<head><meta charset=utf-8><meta name=\"audience\" content=\"staff\"></head><p>Text",
    ));
    files.push(("shop.csv", b"id,question,answer,category,created_at\n1,q,a,x,2024\n"));
    let (code, out, err) = import(&folder, &files).await;
    assert_eq!(code, 1, "{out}{err}");
    for (name, _, fault) in refused_files {
        let line = err.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap_or(&err);
        assert!(line.contains(fault), "{name}: {line}");
    }
    assert!(out.contains("5 created, 0 updated, 0 unchanged"), "{out}{err}");
    for id in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "n"] {
        refused(admin.document(id), 404, "not_found").await;
    }
    let keys = ok(admin.document("keys")).await;
    assert_eq!(
        (&keys["audience"], &ok(admin.document("hugo")).await["audience"]),
        (&json!("staff"), &json!("public"))
    );
    assert_eq!(ok(admin.put_document("keys", &keys)).await["status"], "unchanged");
    assert_eq!(ok(admin.document("l")).await["faq"], json!([{"question": "q", "answer": "a"}]));
    app.stop().await;
}

#[test]
async fn an_import_that_reads_everything_succeeds_and_changes_nothing_the_second_time() {
    let data = tempfile::tempdir().unwrap();
    let files: &[(&str, &[u8])] = &[
        ("Rückgabe.md", b"---\ntitle: Returns\n---\nSend it back within 30 days.\n"),
        ("help/faq.csv", b"question;answer\r\nq;a\r\n;\r\n\r\n"),
    ];
    for expected in ["2 created, 0 updated, 0 unchanged", "0 created, 0 updated, 2 unchanged"] {
        let (code, out, err) = import(data.path(), files).await;
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("Ruckgabe: ") && out.contains("help/faq: "), "{out}");
        assert!(out.contains(expected), "{out}");
    }
}

#[test]
async fn what_a_get_returns_can_be_put_back_unchanged() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let pairs = json!([{"question": "What does a sled cost?", "answer": "80 EUR.\nOr 90."}]);
    for document in [
        json!({"title": "A", "text": "Some text."}),
        json!({"title": "A", "format": "html", "text": "<p>Some text.", "locale": "de", "url": "https://shop.example/a"}),
        json!({"title": "A", "format": "csv", "text": "question;answer\nq;a\n", "tags": ["a", "b"]}),
        json!({"title": "A", "format": "json", "text": pairs.to_string(), "audience": "staff"}),
        json!({"title": "A", "format": "json", "text": "[ {\"answer\": \"a\", \"question\": \"q\", \"id\": 7} ]"}),
        json!({"title": "A", "faq": pairs}),
        json!({"title": "A", "faq": pairs, "format": "text"}),
    ] {
        let made = admin.put_document("round", &document).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED, "{document}");
        let read = ok(admin.document("round")).await;
        let again = ok(admin.put_document("round", &read)).await;
        assert_eq!(
            (&again["status"], &again["version"]),
            (&json!("unchanged"), &json!(1)),
            "{read}"
        );
        assert_eq!(ok(admin.document("round")).await, read);

        let mut changed = read.clone();
        let body = if read["text"].is_string() { "text" } else { "faq" };
        changed[body] = if body == "text" {
            json!(read["text"].as_str().unwrap().replace("Some", "Other") + "\n")
        } else {
            json!([{"question": "q", "answer": "Other."}])
        };
        let updated = ok(admin.put_document("round", &changed)).await;
        assert_eq!(updated["status"], "updated", "{changed}");
        assert_eq!(ok(admin.document("round")).await[body], changed[body]);
        ok(admin.delete_document("round")).await;
    }
    app.stop().await;
}

#[test]
async fn a_long_document_can_be_put_back_and_one_of_another_name_cannot() {
    let app = TestApp::with(&[("knowledge.max_document_bytes", "50000".to_owned())]).await;
    let admin = app.admin().await;
    let document = json!({"title": "A", "text": "\"Yes\" \\ or no. ".repeat(3_000)});
    assert_eq!(
        admin.put_document("long", &document).send().await.unwrap().status(),
        StatusCode::CREATED
    );
    let read = ok(admin.document("long")).await;
    assert_eq!(ok(admin.put_document("long", &read)).await["status"], "unchanged");
    let problem = refused(admin.put_document("short", &read), 422, "schema_violation").await;
    assert_eq!(problem["field_errors"][0]["field"], "external_id", "{problem}");
    let nul: Value = json!({"title": "A", "text": "H\u{0}o\u{0}"});
    let problem = refused(admin.put_document("short", &nul), 422, "schema_violation").await;
    assert_eq!(problem["field_errors"][0]["field"], "text", "{problem}");
    app.stop().await;
}
