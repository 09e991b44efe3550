//! The HTTP server: its sockets and its limits.

use std::{
    future::ready,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_service::{
    IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_tls::accept::{
    TlsError,
    rustls_0_23::{Acceptor, TlsStream},
};
use actix_web::{
    App as WebApp, Error,
    dev::{AppConfig, Extensions, Server},
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use anyhow::Context as _;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    config,
    http::{self, connection::Connection, state::App},
    runtime::workers,
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 2_048;
/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Binds the sockets. Polling the returned server serves requests.
pub fn serve(
    app: &web::Data<App>,
    tls: Option<rustls::ServerConfig>,
) -> anyhow::Result<(Server, SocketAddr)> {
    let config = Arc::clone(&app.config);
    let workers = workers(config.server.workers);
    let listening = || format!("cannot listen on {}", config.server.listen);
    let listener = listen(&config.server).with_context(listening)?;
    let address = listener.local_addr().with_context(listening)?;
    let server = Server::build()
        .workers(workers)
        // The limit of the framework is for each worker.
        .max_concurrent_connections(config.server.max_connections.div_ceil(workers))
        .shutdown_timeout(5)
        .disable_signals();
    // Idle connections end as soon as the server is told to stop.
    let stopping = server.graceful_shutdown_signal();
    let stops = move || {
        let stopping = stopping.clone();
        async move { stopping.notified().await }
    };
    let (app, limit) = (app.clone(), config.server.request_timeout);
    let server = match tls {
        Some(mut tls) => {
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
            server.listen("https", listener, move || {
                Acceptor::new(tls.clone())
                    .map_init_err(|_| ())
                    .map_err(TlsError::into_service_error)
                    .and_then(fn_service(move |io: TlsStream<TcpStream>| {
                        let peer = accepted(io.get_ref().0);
                        ready(Ok((Connection::new(io, limit), Protocol::Http1, peer)))
                    }))
                    .and_then(requests(app.clone(), stops.clone()).map_err(TlsError::Service))
            })
        }
        None => server.listen("http", listener, move || {
            fn_service(move |io: TcpStream| {
                let peer = accepted(&io);
                ready(Ok((Connection::new(io, limit), Protocol::Http1, peer)))
            })
            .and_then(requests(app.clone(), stops.clone()))
        }),
    };
    Ok((server.with_context(listening)?.run(), address))
}

/// Prepares a new connection, and returns who it is from.
fn accepted(io: &TcpStream) -> Option<SocketAddr> {
    // Pieces of an answer are small and must not wait for the acknowledgement of earlier ones.
    let _ = io.set_nodelay(true);
    io.peer_addr().ok()
}

/// What answers the requests of a connection, until `stops` says that the server stops.
fn requests<T, F>(
    app: web::Data<App>,
    stops: impl Fn() -> F + 'static,
) -> impl ServiceFactory<
    (Connection<T>, Protocol, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Future<Output = ()> + 'static,
{
    let routes = WebApp::new()
        .app_data(app.clone())
        .service(http::docs::ui())
        .service(http::routes())
        // The last wrap runs first, so errors of CORS become problems too.
        .wrap(from_fn(http::parameters))
        .wrap(from_fn(http::head))
        .wrap(app.origins.cors())
        .wrap(from_fn(http::trace))
        .into_factory()
        .map_err(|error: Error| error.error_response());
    HttpService::build()
        .graceful_shutdown_signal(stops)
        .client_request_timeout(app.config.server.request_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(KEEP_ALIVE)
        // A client that leaves while it waits is noticed at once, not at the next write.
        .h1_allow_half_closed(false)
        .on_connect_ext(|connection: &Connection<T>, data: &mut Extensions| {
            data.insert(connection.requests());
        })
        .finish(map_config(routes, |()| AppConfig::default()))
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
