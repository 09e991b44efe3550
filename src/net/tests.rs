//! The client of tools against real sockets: addresses that it must not reach, and servers that
//! mean harm.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Method, StatusCode, Url, header::HeaderMap};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

use super::{
    outbound::{Outbound, OutboundError, Reply, Wanted},
    resolver::{Lookup, Reach},
};
use crate::config::Network;

const SOON: Duration = Duration::from_millis(600);

fn networks(networks: &[&str]) -> Reach {
    let networks = networks.iter().map(|text| Network::try_from((*text).to_owned()).unwrap());
    Reach::networks(&networks.collect::<Vec<_>>())
}

fn provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn client(reach: Reach) -> Outbound {
    provider();
    Outbound::new(reach).unwrap()
}

fn get(url: &str) -> Wanted {
    Wanted {
        method: Method::GET,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: None,
        max_bytes: 1_000,
    }
}

async fn sent(client: &Outbound, url: &str) -> Result<Reply, OutboundError> {
    client.send(get(url), Instant::now() + SOON).await
}

/// A server that counts its connections and sends `answer` on each.
async fn server(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(answer).await;
        }
    });
    (address, calls, task)
}

const FINE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn an_address_at_home_is_not_reached_in_any_spelling() {
    let (address, calls, task) = server(FINE).await;
    let (port, client) = (address.port(), client(networks(&[])));
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1%2e",
        "①②⑦.⓪.⓪.①",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "100.100.100.200",
        "168.63.129.16",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "255.255.255.255",
        "224.0.0.1",
    ] {
        let url = format!("http://{host}:{port}/latest/meta-data/");
        assert_eq!(sent(&client, &url).await, Err(OutboundError::OutOfReach), "{host}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    drop(task);
}

#[tokio::test]
async fn another_scheme_and_credentials_in_an_address_are_refused() {
    let client = client(Reach::Anywhere);
    for url in [
        "file:///etc/passwd",
        "ftp://a.example/",
        "gopher://a.example/",
        "data:,a",
        "http://u:p@1.1.1.1/",
        "http://u@1.1.1.1/",
    ] {
        assert_eq!(sent(&client, url).await, Err(OutboundError::OutOfReach), "{url}");
    }
}

#[tokio::test]
async fn an_allowed_network_is_reached_and_no_other() {
    let (address, calls, task) = server(FINE).await;
    let client = client(networks(&["127.0.0.1/32"]));
    let reply = sent(&client, &format!("http://{address}/")).await.unwrap();
    assert_eq!(reply, Reply { status: StatusCode::OK, is_json: true, body: b"{}".to_vec() });
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", address.port());
    assert_ne!(sent(&client, &mapped).await, Err(OutboundError::OutOfReach));
    let next = format!("http://127.0.0.2:{}/", address.port());
    assert_eq!(sent(&client, &next).await, Err(OutboundError::OutOfReach));
    assert!(calls.load(Ordering::Relaxed) >= 1);
    drop(task);
}

/// Answers look-ups with one list after another, and counts them.
fn names(answers: Vec<&'static [&'static str]>) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_| {
        let at = counted.fetch_add(1, Ordering::Relaxed);
        let found = answers[at.min(answers.len() - 1)].iter();
        let found = found.map(|ip| SocketAddr::new(ip.parse::<IpAddr>().unwrap(), 0)).collect();
        Box::pin(async move { io::Result::Ok(found) })
    });
    (lookup, asked)
}

#[tokio::test]
async fn a_name_with_one_private_address_among_public_ones_is_refused() {
    provider();
    let (address, calls, task) = server(FINE).await;
    for answers in [
        &["127.0.0.1"][..],
        &["1.1.1.1", "127.0.0.1"],
        &["127.0.0.1", "1.1.1.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["2606:4700::1111", "fd00::1"],
        &["169.254.169.254"],
    ] {
        let client = Outbound::with(networks(&[]), names(vec![answers]).0).unwrap();
        let url = format!("http://shop.example:{}/", address.port());
        assert_eq!(sent(&client, &url).await, Err(OutboundError::OutOfReach), "{answers:?}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    drop(task);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_what_was_checked_is_connected_to() {
    provider();
    let (address, calls, task) = server(FINE).await;
    // A second look-up would find an address that is not allowed.
    let (lookup, asked) = names(vec![&["127.0.0.1"], &["127.0.0.2"]]);
    let client = Outbound::with(networks(&["127.0.0.1"]), lookup).unwrap();
    let url = format!("http://shop.example:{}/", address.port());
    assert!(sent(&client, &url).await.is_ok());
    assert_eq!((asked.load(Ordering::Relaxed), calls.load(Ordering::Relaxed)), (1, 1));
    // The next request is checked again.
    assert_eq!(sent(&client, &url).await, Err(OutboundError::OutOfReach));
    assert_eq!((asked.load(Ordering::Relaxed), calls.load(Ordering::Relaxed)), (2, 1));
    drop(task);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (hidden, hits, hidden_task) = server(FINE).await;
    let answer =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{hidden}/\r\ncontent-length: 0\r\n\r\n");
    let (address, _, task) = server(answer.leak().as_bytes()).await;
    let client = client(networks(&["127.0.0.1"]));
    let reply = sent(&client, &format!("http://{address}/")).await.unwrap();
    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(hits.load(Ordering::Relaxed), 0);
    drop(task);
    drop(hidden_task);
}

/// The answer of a server that treats its only connection like this.
async fn treated<F>(treat: impl FnOnce(TcpStream) -> F) -> (Result<Reply, OutboundError>, Duration)
where
    F: Future<Output = io::Result<()>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serve = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _ = connection.read(&mut [0; 4096]).await;
        // It fails when the client has had enough.
        let _ = treat(connection).await;
    };
    let client = client(networks(&["127.0.0.1"]));
    let began = Instant::now();
    let wanted = async { (sent(&client, &url).await, began.elapsed()) };
    tokio::select! {
        answer = async { tokio::join!(wanted, serve).0 } => answer,
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("the client waits for ever"),
    }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

#[tokio::test]
async fn ten_gigabytes_are_left_at_the_first_bytes_too_many() {
    let (answer, took) = treated(async |mut connection| {
        connection.write_all(HEAD).await?;
        connection.write_all(b"content-length: 10737418240\r\n\r\n").await?;
        loop {
            connection.write_all(&[b' '; 65_536]).await?;
        }
    })
    .await;
    assert_eq!(answer, Err(OutboundError::TooLarge));
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn an_endless_stream_in_chunks_is_left_as_well() {
    let (answer, took) = treated(async |mut connection| {
        connection.write_all(HEAD).await?;
        connection.write_all(b"transfer-encoding: chunked\r\n\r\n").await?;
        loop {
            connection.write_all(b"5\r\n     \r\n").await?;
        }
    })
    .await;
    assert_eq!(answer, Err(OutboundError::TooLarge));
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn a_slow_drip_ends_at_the_deadline() {
    for head in [&b""[..], HEAD, b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"] {
        let (answer, took) = treated(async |mut connection| {
            connection.write_all(head).await?;
            loop {
                connection.write_all(b"a").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        assert_eq!(answer, Err(OutboundError::NoAnswer));
        assert!(took < SOON * 3, "{took:?}");
    }
}

#[tokio::test]
async fn garbage_huge_headers_and_a_broken_answer_are_no_answer() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-a: b\r\n".repeat(10_000));
    let large = format!("HTTP/1.1 200 OK\r\nx-a: {}\r\n\r\n", "b".repeat(2_000_000));
    for answer in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        many.as_bytes(),
        large.as_bytes(),
    ] {
        let (got, took) = treated(async |mut connection| connection.write_all(answer).await).await;
        assert_eq!(got, Err(OutboundError::NoAnswer));
        assert!(took < SOON * 3, "{took:?}");
    }
}

#[tokio::test]
async fn a_bomb_is_not_opened_and_another_type_is_said_to_be_none() {
    let (answer, _) = treated(async |mut connection| {
        connection.write_all(HEAD).await?;
        connection.write_all(b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc").await
    })
    .await;
    assert_eq!(answer, Err(OutboundError::Encoded));
    let (answer, _) = treated(async |mut connection| {
        connection
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\n{}")
            .await
    })
    .await;
    assert!(!answer.unwrap().is_json);
}

#[tokio::test]
async fn a_closed_port_says_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let client = client(networks(&["127.0.0.1"]));
    assert_eq!(sent(&client, &url).await, Err(OutboundError::Unreachable));
}
