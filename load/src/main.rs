//! `rushdesk-load`: simulated model servers, conversation replay and benchmarks.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rushdesk_load::{bench, capacity, chaos, proxy, replay, sim, surge};

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
    /// Drives a running Rushdesk with conversations and checks that nothing is lost or doubled.
    Replay(replay::Args),
    /// Starts a server and measures it, pinned to one core.
    #[command(subcommand)]
    Bench(bench::Command),
    /// A sale day: a burst of shoppers in front of a backend that can serve few of them.
    Surge(surge::Args),
    /// Breaks servers, backends and stores under load, and looks for what was acknowledged.
    Chaos(chaos::Args),
    /// Slots, replicas and memory for so many shoppers.
    Capacity(capacity::Args),
    /// A bare streaming reverse proxy: the yardstick of the benchmarks.
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
            Command::Capacity(args) => capacity::main(&args),
            Command::Proxy(args) => proxy::run(args).await.map(|()| ExitCode::SUCCESS),
        }
    });
    result.unwrap_or_else(|error| {
        eprintln!("rushdesk-load: {error:#}");
        ExitCode::from(2)
    })
}
