//! `sim-llm`: a simulated vLLM or Ollama server over real HTTP.
//!
//! It says in every answer and at `/` that it is a simulator. Which fault it shows is chosen by the model's name
//! ([`fault`]). Used by the tests of the product, the replay and the benchmarks. It never looks at the meaning of a
//! question and never keeps a text.

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
    /// From the slot to the first token.
    #[arg(long, default_value_t = 200)]
    pub ttft_ms: u64,
    /// From one token to the next.
    #[arg(long, default_value_t = 20)]
    pub token_ms: u64,
    /// Length of an answer.
    #[arg(long, default_value_t = 60)]
    pub tokens: usize,
    /// Answers in flight at once, the others wait in line; 0 means unlimited.
    #[arg(long, default_value_t = 0)]
    pub slots: usize,
    /// Changes the words of the answers.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A model name whose fault every answer shows, whatever model is asked for.
    #[arg(long)]
    pub fault: Option<String>,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    pub workers: usize,
}

/// What the handlers of one server share.
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

/// Runs until a signal.
///
/// # Errors
/// When the address cannot be had.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let kind = args.kind;
    let (server, address, _) = start(args)?;
    println!("simulated {kind:?} on http://{address} (not a model)");
    server.await.context("the simulator ended")
}

/// Binds and starts; the caller awaits the [`Server`] or keeps its handle.
///
/// # Errors
/// When the address cannot be had.
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
        // Else a token waits for the client's delayed acknowledgement of the one before, up to 40 ms.
        .tcp_nodelay(true)
        // As both real servers do.
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(5)))
        // A client that closes its side is gone: its generation is aborted.
        .h1_allow_half_closed(false)
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok((server, address, stats))
}
