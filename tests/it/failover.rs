//! Redis loses its master: another one is appointed, and nobody who chats notices.

use actix_web::rt::test;
use reqwest::StatusCode;
use tokio::time::timeout;

use super::{
    distributed::Stores,
    faults::{hot_store, told},
    harness::*,
    servers::Server,
};

async fn service(url: String) -> TestApp {
    let stores = Stores::new().await.unwrap();
    let settings = stores.with(&[
        ("store.redis_url", url),
        ("store.redis_timeout_ms", "800".to_owned()),
        // A test that asks again and again must not be refused for that.
        ("limits.visitor_burst", "100000".to_owned()),
    ]);
    TestApp::with(&settings).await
}

#[test]
async fn another_master_is_found_through_the_sentinels_that_still_answer() {
    let Some(mut master) = Server::redis().await else { return };
    let port = master.port().to_string();
    let replica = Server::redis_with(&["--replicaof", "127.0.0.1", &port]).await.unwrap();
    let mut sentinels = Vec::new();
    for _ in 0..3 {
        sentinels.push(Server::sentinel(&master).await.unwrap());
    }
    for sentinel in &sentinels {
        settle("the sentinels know each other and the replica", async || {
            sentinel.asked(&["sentinel", "ckquorum", "shop"]).starts_with("OK 3 usable")
                && sentinel.asked(&["sentinel", "replicas", "shop"]).contains(&replica.address())
        })
        .await;
    }
    let addresses: Vec<String> = sentinels.iter().map(Server::address).collect();
    let app = service(format!("redis-sentinel://{}/0#shop", addresses.join(","))).await;
    let (shopper, session) = app.chatting().await;
    shopper.ask(&session, "First question?").await;

    // The first one in the list holds the line without a word.
    sentinels[0].freeze();
    master.kill();
    shopper.ask(&session, "Second question?").await;
    settle_within(PATIENCE * 3, "the replica is master", async || {
        replica.asked(&["info", "replication"]).contains("role:master")
    })
    .await;
    settle("the new master is used", async || hot_store(&app).await == "ok").await;
    shopper.ask(&session, "Third question?").await;

    // The old master comes back as a replica and changes nothing. Sentinels wait some ten seconds before they tell it.
    master.restart().await;
    settle_within(PATIENCE * 3, "the old master obeys", async || {
        master.asked(&["info", "replication"]).contains("role:slave")
    })
    .await;
    shopper.ask(&session, "Fourth question?").await;
    assert_eq!(told(&shopper, &session).await.len(), 4);
    sentinels[0].thaw();
    app.stop().await;
}

async fn whole(nodes: &[Server]) {
    for node in nodes {
        settle_within(PATIENCE * 3, "the cluster is whole", async || {
            node.asked(&["cluster", "info"]).contains("cluster_state:ok")
                && node.asked(&["cluster", "nodes"]).matches("slave ").count() == 3
                && !node.asked(&["info", "replication"]).contains("master_link_status:down")
        })
        .await;
    }
}

/// A service is told of two nodes and finds the others.
fn cluster_url(nodes: &[Server]) -> String {
    let addresses: Vec<String> = nodes.iter().take(2).map(Server::address).collect();
    format!("redis-cluster://{}", addresses.join(","))
}

/// A shopper with as many sessions as it takes to have some on each of the three masters.
async fn on_every_master(app: &TestApp) -> (Shopper, Vec<String>) {
    let shopper = app.visitor().await;
    let mut sessions = Vec::new();
    for _ in 0..12 {
        let session = shopper.session().await;
        shopper.ask(&session, "First question?").await;
        sessions.push(session);
    }
    (shopper, sessions)
}

fn is_master(node: &Server) -> bool {
    node.asked(&["info", "replication"]).contains("role:master")
}

#[test]
async fn a_cluster_that_appoints_another_master_loses_nothing() {
    let Some(mut nodes) = Server::redis_cluster().await else { return };
    whole(&nodes).await;
    let app = service(cluster_url(&nodes)).await;
    let (shopper, sessions) = on_every_master(&app).await;
    // Mostly the first of the two that the service was told of; a slow machine may have appointed others already.
    let dead = nodes.iter().position(is_master).unwrap();
    nodes[dead].kill();
    let alive = &nodes[usize::from(dead == 0)];
    for session in &sessions {
        shopper.ask(session, "Second question?").await;
    }
    settle_within(PATIENCE * 3, "another master was appointed", async || {
        alive.asked(&["cluster", "info"]).contains("cluster_state:ok")
            && alive.asked(&["cluster", "nodes"]).matches("master,fail ").count() == 1
    })
    .await;
    for session in &sessions {
        shopper.ask(session, "Third question?").await;
        assert_eq!(told(&shopper, session).await.len(), 3);
    }
    app.stop().await;
}

#[test]
async fn a_service_starts_beside_a_cluster_with_a_frozen_node() {
    let Some(nodes) = Server::redis_cluster().await else { return };
    whole(&nodes).await;
    // It still takes connections, and never says a word.
    let frozen = nodes.iter().position(is_master).unwrap();
    nodes[frozen].freeze();
    let app = timeout(PATIENCE * 3, service(cluster_url(&nodes))).await.expect("the start hangs");
    let (shopper, sessions) = on_every_master(&app).await;
    assert_eq!(status_of(app.get("/readyz")).await, StatusCode::OK);
    nodes[frozen].thaw();
    whole(&nodes).await;
    settle("the hot store answers", async || hot_store(&app).await == "ok").await;
    for session in &sessions {
        shopper.ask(session, "Second question?").await;
        assert_eq!(told(&shopper, session).await, ["First question?", "Second question?"]);
    }
    app.stop().await;
}
