//! `rushdesk-load`: simulated model servers, conversation replay and benchmarks.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rushdesk_load::{bench, capacity, chaos, proxy, replay, shop, sim, surge};

#[derive(Parser)]
#[command(version, about = "Simulated model servers, conversation replay and benchmarks")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A simulated vLLM or Ollama server.
    SimLlm(sim::Args),
    /// Drives a running Rushdesk with conversations and checks that no message is lost or
    /// duplicated.
    Replay(replay::Args),
    /// Starts a server and measures it, pinned to one core.
    #[command(subcommand)]
    Bench(bench::Command),
    /// A sale day: a burst of shoppers on a backend that can serve only a few of them.
    Surge(surge::Args),
    /// Breaks servers, backends and stores under load, and checks that acknowledged messages
    /// survive.
    Chaos(chaos::Args),
    /// Kills servers, the shop and stores while shoppers confirm changes, and compares what the shop did with what
    /// they were told.
    ChaosActions(chaos::actions::Args),
    /// Kills servers while people take conversations over, and looks for words of the assistant after that.
    ChaosHandoffs(chaos::handoffs::Args),
    /// Slots, replicas and memory for a number of shoppers.
    Capacity(capacity::Args),
    /// The order system of the demo shop: orders, returns, products, stores.
    DemoShop(shop::Args),
    /// A bare streaming reverse proxy: the baseline of the benchmarks.
    Proxy(proxy::Args),
}

fn main() -> ExitCode {
    let result = actix_web::rt::System::new().block_on(async {
        match Cli::parse().command {
            Command::SimLlm(args) => sim::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Replay(args) => replay::main(&args).await,
            Command::Bench(command) => bench::main(command).await,
            Command::Surge(args) => surge::main(&args).await,
            Command::Chaos(args) => chaos::main(&args).await,
            Command::ChaosActions(args) => chaos::actions::main(&args).await,
            Command::ChaosHandoffs(args) => chaos::handoffs::main(&args).await,
            Command::Capacity(args) => capacity::main(&args),
            Command::DemoShop(args) => shop::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Proxy(args) => proxy::run(args).await.map(|()| ExitCode::SUCCESS),
        }
    });
    result.unwrap_or_else(|error| {
        eprintln!("rushdesk-load: {error:#}");
        ExitCode::from(2)
    })
}
