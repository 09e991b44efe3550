//! `sim-llm`: a simulated vLLM or Ollama server over real HTTP.
//!
//! Every answer and `/` state that it is a simulator. The model's name selects the fault that it
//! shows ([`fault`]). It is used by the product's tests, the replay and the benchmarks. It never
//! interprets a question and never stores a text.

pub mod fault;
pub mod frames;
mod http;
pub mod stats;
mod talk;
pub mod text;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::Server, http::KeepAlive, web};
use anyhow::Context as _;
use tokio::sync::Semaphore;

use self::{frames::Kind, stats::Stats, talk::Pace};

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Which server to simulate.
    #[arg(long, value_enum, default_value = "vllm")]
    pub kind: Kind,
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,
    /// Milliseconds from the slot to the first token.
    #[arg(long, default_value_t = 200)]
    pub ttft_ms: u64,
    /// Milliseconds from one token to the next.
    #[arg(long, default_value_t = 20)]
    pub token_ms: u64,
    /// Tokens per answer.
    #[arg(long, default_value_t = 60)]
    pub tokens: usize,
    /// Answers in flight at the same time; further ones wait. 0 means unlimited.
    #[arg(long, default_value_t = 0)]
    pub slots: usize,
    /// Changes the words of the answers.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A model name whose fault every answer shows, whatever model is requested.
    #[arg(long)]
    pub fault: Option<String>,
    /// Number of threads.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
}

/// The shared state of the handlers of one server.
pub struct Sim {
    args: Args,
    slots: Option<Arc<Semaphore>>,
    stats: Arc<Stats>,
}

impl Sim {
    fn pace(&self) -> Pace {
        Pace {
            first: Duration::from_millis(self.args.ttft_ms),
            gap: Duration::from_millis(self.args.token_ms),
        }
    }
}

/// Runs until it gets a signal.
///
/// # Errors
/// If the address cannot be bound.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let kind = args.kind;
    let (server, address, _) = start(args)?;
    println!("simulated {kind:?} on http://{address} (not a model)");
    server.await.context("the simulator ended")
}

/// Binds and starts; the caller awaits the [`Server`] or keeps its handle.
///
/// # Errors
/// If the address cannot be bound.
pub fn start(args: Args) -> anyhow::Result<(Server, SocketAddr, Arc<Stats>)> {
    let listener = TcpListener::bind(args.listen)
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let slots = (args.slots > 0).then(|| Arc::new(Semaphore::new(args.slots)));
    let stats = Arc::new(Stats::default());
    let workers = args.workers;
    let sim = web::Data::new(Sim { args, slots, stats: stats.clone() });
    let server = HttpServer::new(move || App::new().app_data(sim.clone()).configure(http::routes))
        .workers(workers)
        .backlog(8192)
        .max_connections(100_000)
        // Without this, a token waits up to 40 ms for the client's delayed acknowledgement of the
        // one before.
        .tcp_nodelay(true)
        // The same as in both real servers.
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(5)))
        // A client that closes its side is gone, so its generation is aborted.
        .h1_allow_half_closed(false)
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok((server, address, stats))
}
