//! The HTTP server: its sockets and its limits.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{App as WebApp, HttpServer, dev::Server, middleware::from_fn, web};
use anyhow::Context as _;
use socket2::{Domain, Socket, Type};

use crate::{
    config,
    http::{self, state::App},
    runtime::workers,
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 2_048;

/// Binds the sockets. Polling the returned server serves requests.
pub fn serve(
    app: &web::Data<App>,
    tls: Option<rustls::ServerConfig>,
) -> anyhow::Result<(Server, SocketAddr)> {
    let config = Arc::clone(&app.config);
    let workers = workers(config.server.workers);
    let state = app.clone();
    let listening = || format!("cannot listen on {}", config.server.listen);
    let listener = listen(&config.server).with_context(listening)?;
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(state.clone())
            .service(http::docs::ui())
            .service(http::routes())
            // The last wrap runs first, so errors of CORS become problems too.
            .wrap(state.origins.cors())
            .wrap(from_fn(http::trace))
    })
    .workers(workers)
    // The limit of the framework is for each worker.
    .max_connections(config.server.max_connections.div_ceil(workers))
    .client_request_timeout(config.server.request_timeout)
    .keep_alive(Duration::from_secs(75))
    // Pieces of an answer are small and must not wait for the acknowledgement of earlier ones.
    .tcp_nodelay(true)
    .shutdown_timeout(5)
    // A client that leaves while it waits is noticed at once, not at the next write.
    .h1_allow_half_closed(false)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    }
    .with_context(listening)?;
    let address = server.addrs().first().copied().context("no address was bound")?;
    Ok((server.run(), address))
}

/// Connections inherit the options of the socket that accepts them.
fn listen(server: &config::Server) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(server.listen), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // A client that takes nothing for so long is cut; its stream and its place end with it.
    socket.set_tcp_user_timeout(Some(server.write_timeout))?;
    socket.set_nonblocking(true)?;
    socket.bind(&server.listen.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
