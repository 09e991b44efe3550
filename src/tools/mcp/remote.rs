//! Sessions with one server.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Url, header::HeaderMap};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig,
        Implementation, JsonObject, PaginatedRequestParams, ProtocolVersion, Tool,
    },
    service::{ClientLifecycleMode, RunningService, ServiceError, serve_client_with_lifecycle},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use tokio::time::{Instant, timeout_at};

use super::http::{Fault, Http};
use crate::net::{Outbound, OutboundError};

/// Of a list of tools; in bytes of one page.
const LIST_BYTES: usize = 1_048_576;
const MOST_PAGES: usize = 8;

/// A server, and how it is reached.
pub struct Remote {
    url: Url,
    /// With the key.
    headers: HeaderMap,
    client: Outbound,
    /// Whether it speaks a version without a handshake (2026-07-28), as its last list said.
    is_modern: AtomicBool,
}

type Session = RunningService<RoleClient, ClientConfig>;

impl Remote {
    pub fn new(url: Url, headers: HeaderMap, client: Outbound) -> Self {
        Self { url, headers, client, is_modern: AtomicBool::new(false) }
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// All tools that the server offers, at most 8 pages of them.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn list(&self, deadline: Instant) -> Result<Vec<Tool>, Fault> {
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        };
        let listed = async |session: &Session| {
            let info = session.peer_info();
            let is_modern = info.is_some_and(|info| !info.protocol_version.has_initialize());
            self.is_modern.store(is_modern, Ordering::Relaxed);
            let (mut tools, mut cursor) = (Vec::new(), None);
            for _ in 0..MOST_PAGES {
                let page = PaginatedRequestParams::default().with_cursor(cursor);
                let page = session.list_tools(Some(page)).await?;
                tools.extend(page.tools);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            Ok(tools)
        };
        self.session(lifecycle, HeaderMap::new(), LIST_BYTES, deadline, listed).await
    }

    /// Calls a tool by the server's own name, with headers that say who asks.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn call(
        &self,
        name: &str,
        arguments: JsonObject,
        who: HeaderMap,
        max_bytes: usize,
        deadline: Instant,
    ) -> Result<CallToolResult, Fault> {
        let lifecycle = match self.is_modern.load(Ordering::Relaxed) {
            true => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] }
            }
            false => ClientLifecycleMode::Initialize,
        };
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let called = async |session: &Session| match session.call_tool_once(params).await? {
            CallToolResponse::Complete(result) => Ok(result),
            // It wants to ask back, or to answer some day.
            _ => Err(ServiceError::UnexpectedResponse),
        };
        self.session(lifecycle, who, max_bytes, deadline, called).await
    }

    async fn session<T>(
        &self,
        lifecycle: ClientLifecycleMode,
        who: HeaderMap,
        max_bytes: usize,
        deadline: Instant,
        work: impl AsyncFnOnce(&Session) -> Result<T, ServiceError>,
    ) -> Result<T, Fault> {
        let mut headers = self.headers.clone();
        headers.extend(who);
        let http = Http::new(self.client.clone(), headers, max_bytes, deadline);
        let mut config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str());
        config.reinit_on_expired_session = false;
        let transport = StreamableHttpClientTransport::with_client(http.clone(), config);
        let name = Implementation::new("rushdesk", env!("CARGO_PKG_VERSION"));
        // Without capabilities: it offers nothing that a server could ask for.
        let info = ClientConfig::new(ClientCapabilities::default(), name);
        let done = timeout_at(deadline, async {
            let session = serve_client_with_lifecycle(info, transport, lifecycle).await.ok()?;
            // The session ends with it, and the transport says so to the server.
            work(&session).await.ok()
        });
        match done.await {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(http.fault().unwrap_or(Fault::Protocol)),
            Err(_) => Err(Fault::Outbound(OutboundError::NoAnswer)),
        }
    }
}
