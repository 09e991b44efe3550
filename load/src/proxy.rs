//! `proxy`: a bare streaming reverse proxy on actix-web and awc.
//!
//! The least that a server in this language can do with a streamed answer. The benchmarks compare
//! Rushdesk with it.

use std::{net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, error::ErrorBadGateway, http::header, web,
};
use anyhow::Context as _;
use awc::{Client, Connector};

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Target, for example http://127.0.0.1:8000.
    #[arg(long)]
    pub upstream: String,
    /// Number of threads.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
}

/// Runs until it gets a signal.
///
/// # Errors
/// If the address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let upstream = args.upstream.trim_end_matches('/').to_owned();
    let server = HttpServer::new(move || {
        let client = Client::builder()
            .connector(Connector::new().limit(0).conn_keep_alive(Duration::from_secs(4)))
            .timeout(Duration::from_secs(60))
            .finish();
        App::new()
            .app_data(web::Data::new(upstream.clone()))
            .app_data(web::Data::new(client))
            .default_service(web::to(forward))
    })
    .workers(args.workers)
    .backlog(8192)
    .max_connections(100_000)
    .tcp_nodelay(true)
    .bind(args.listen)
    .with_context(|| format!("cannot listen on {}", args.listen))?;
    println!("proxy on http://{} to {}", args.listen, args.upstream);
    server.run().await.context("the proxy ended")
}

async fn forward(
    request: HttpRequest,
    body: web::Payload,
    client: web::Data<Client>,
    upstream: web::Data<String>,
) -> actix_web::Result<HttpResponse> {
    let url = format!("{}{}", upstream.as_str(), request.uri());
    let answer = client
        .request_from(url, request.head())
        .no_decompress()
        .send_stream(body)
        .await
        .map_err(|error| ErrorBadGateway(error.to_string()))?;
    let mut response = HttpResponse::build(answer.status());
    let hop_by_hop = [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH];
    for (name, value) in answer.headers().iter().filter(|(name, _)| !hop_by_hop.contains(name)) {
        response.append_header((name.clone(), value.clone()));
    }
    Ok(response.streaming(answer))
}
