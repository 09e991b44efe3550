//! The command line: reads the configuration, runs one command, reports errors.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use rushdesk::{
    app::{Application, measured},
    commands,
    config::{Config, Faults, Sources},
    domain::Role,
    evaluate, rehearse,
    shutdown::{self, Signals},
    telemetry,
};

/// Streams allocate many small pieces on one thread and free them on another. With the system's
/// allocator this costs a tenth of the processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Usage errors, as sysexits.h names them.
const EX_USAGE: u8 = 64;
const EX_CONFIG: u8 = 78;

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Configuration file. The default is `rushdesk.toml` in the current folder, if it exists.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// Sets one key, for example `--set server.listen=0.0.0.0:8080`. Can be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the API.
    Serve,
    /// Checks the configuration and lists all faults.
    CheckConfig,
    /// Checks that the service with this configuration on this machine is ready, for containers.
    CheckHealth,
    /// Lists all metrics as Markdown.
    Metrics,
    /// Migrates the archive to the newest schema.
    Migrate {
        #[command(flatten)]
        new: New,
    },
    /// Manages the admins of a site.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Manages the people of a site.
    Users {
        #[command(subcommand)]
        command: UsersCommand,
    },
    /// Manages the documents of a site.
    Knowledge {
        #[command(subcommand)]
        command: KnowledgeCommand,
    },
    /// Looks at the tools of the sites and tries them.
    Tools {
        #[command(subcommand)]
        command: commands::ToolsCommand,
    },
    /// Checks what the archive holds of sessions.
    Sessions {
        #[command(subcommand)]
        command: SessionsCommand,
    },
    /// Replays the traffic of a log at a multiple of its rate against a service, and reports
    /// whether the service is ready.
    Rehearse(Box<rehearse::Options>),
    /// Measures the rules of the service on labelled data.
    Eval {
        #[command(subcommand)]
        measure: evaluate::Measure,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Creates an admin. Reads the password from the terminal or from standard input.
    Create {
        #[arg(long)]
        site: String,
        #[arg(long)]
        email: String,
        #[command(flatten)]
        new: New,
    },
}

#[derive(Subcommand)]
enum UsersCommand {
    /// Creates an agent, who answers shoppers. Reads the password from the terminal or from standard
    /// input.
    Create {
        #[arg(long)]
        site: String,
        #[arg(long)]
        email: String,
        /// What shoppers read.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        new: New,
    },
    /// Lists the agents and admins of a site. The service may run.
    List {
        #[arg(long)]
        site: String,
    },
    /// Disables an agent or admin for good: their sign-ins end, and their conversations go back to
    /// the queue. The service may run.
    Disable {
        #[arg(long)]
        site: String,
        #[arg(long)]
        email: String,
    },
    /// Prints a one-time link with which somebody sets a new password. The service may run.
    Reset {
        #[arg(long)]
        site: String,
        #[arg(long)]
        email: String,
    },
}

#[derive(Subcommand)]
enum SessionsCommand {
    /// Reads every session and reports those that break a promise of the journal: a gap, a head
    /// that does not fit, a turn with two ends, a message that is not shown. The service may run.
    Verify,
}

#[derive(Subcommand)]
enum KnowledgeCommand {
    /// Imports a folder of .md, .txt, .html, .csv and .json files into a site.
    Import {
        folder: PathBuf,
        #[arg(long, default_value = "demo")]
        site: String,
        #[command(flatten)]
        new: New,
    },
}

#[derive(clap::Args)]
struct New {
    /// Makes the database if it is not there. Without this, that is an error.
    #[arg(long)]
    create: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A process has one TLS provider; a second install would be the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A rehearsal drives another service and needs no configuration.
    if let Command::Rehearse(options) = &arguments.command {
        return rehearsed(actix_rt::System::new().block_on(rehearse::rehearse(options)));
    }
    if let Command::Eval { measure: evaluate::Measure::Pii(options) } = &arguments.command {
        let report = evaluate::pii(options).map(|report| print!("{report}"));
        return ended(report);
    }
    if matches!(arguments.command, Command::Metrics) {
        print!("{}", telemetry::reference(&measured()));
        return ExitCode::SUCCESS;
    }
    let config = match sources(&arguments).and_then(|sources| Config::load(&sources)) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("rushdesk: {faults}");
            return ExitCode::from(EX_CONFIG);
        }
    };
    if matches!(arguments.command, Command::CheckConfig) {
        return match commands::check_files(&config) {
            Ok(()) => {
                println!("the configuration is valid");
                ExitCode::SUCCESS
            }
            Err(faults) => {
                eprintln!("rushdesk: {faults}");
                ExitCode::from(EX_CONFIG)
            }
        };
    }
    // Requested often, and not useful in traces.
    if matches!(arguments.command, Command::CheckHealth) {
        return ended(actix_rt::System::new().block_on(commands::check_health(&config)));
    }
    let traces = match telemetry::init(&config.telemetry) {
        Ok(traces) => traces,
        Err(error) => return ended(Err(error)),
    };
    let outcome = actix_rt::System::new().block_on(run(arguments.command, config));
    traces.stop();
    ended(outcome)
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rushdesk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// 0: ready, 1: not ready, 64: the rehearsal could not run.
fn rehearsed(outcome: anyhow::Result<rehearse::Verdict>) -> ExitCode {
    match outcome {
        Ok(verdict) => {
            print!("{verdict}");
            ExitCode::from(u8::from(!verdict.is_ready()))
        }
        Err(error) => {
            eprintln!("rushdesk: {error:#}");
            ExitCode::from(EX_USAGE)
        }
    }
}

async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Serve => {
            let mut signals = Signals::receive()?;
            let metrics = telemetry::install_metrics(&measured())?;
            let application = tokio::select! {
                biased;
                started = Application::start(config, metrics) => started?,
                () = signals.stop() => {
                    tracing::info!("stopped during the start");
                    return Ok(());
                }
            };
            eprint!("{}", application.summary());
            shutdown::serve(application, signals).await
        }
        Command::CheckConfig
        | Command::CheckHealth
        | Command::Metrics
        | Command::Rehearse(_)
        | Command::Eval { measure: evaluate::Measure::Pii(_) } => Ok(()),
        Command::Eval { measure: evaluate::Measure::Routing(options) } => {
            let report = evaluate::routing(&options, &config.embedding, &config.server.data_dir)?;
            print!("{report}");
            Ok(())
        }
        Command::Eval { measure: evaluate::Measure::Cache(options) } => {
            print!("{}", evaluate::cache(&options, &config)?);
            Ok(())
        }
        Command::Eval { measure: evaluate::Measure::Injection(options) } => {
            let report = evaluate::injection(&options, &config.embedding, &config.server.data_dir)?;
            print!("{report}");
            Ok(())
        }
        Command::Eval { measure: evaluate::Measure::Errands(options) } => {
            print!("{}", evaluate::errands(&options)?);
            Ok(())
        }
        Command::Eval { measure: evaluate::Measure::Answers(options) } => {
            print!("{}", evaluate::answers(&options, &config).await?);
            Ok(())
        }
        Command::Migrate { new } => commands::migrate(&config, new.create).await,
        Command::Admin { command: AdminCommand::Create { site, email, new } } => {
            commands::create_staff(&config, Role::Admin, &site, &email, None, new.create).await
        }
        Command::Users { command: UsersCommand::Create { site, email, name, new } } => {
            commands::create_staff(&config, Role::Agent, &site, &email, name, new.create).await
        }
        Command::Users { command: UsersCommand::List { site } } => {
            commands::list_staff(&config, &site).await
        }
        Command::Users { command: UsersCommand::Disable { site, email } } => {
            commands::disable_staff(&config, &site, &email).await
        }
        Command::Users { command: UsersCommand::Reset { site, email } } => {
            commands::reset_password(&config, &site, &email).await
        }
        Command::Knowledge { command: KnowledgeCommand::Import { folder, site, new } } => {
            commands::import_knowledge(&config, &site, &folder, new.create).await
        }
        Command::Tools { command } => Box::pin(commands::tools(&command, &config)).await,
        Command::Sessions { command: SessionsCommand::Verify } => {
            commands::verify_sessions(&config).await
        }
    }
}

fn sources(arguments: &Arguments) -> Result<Sources, Faults> {
    let default = PathBuf::from("rushdesk.toml");
    let path = arguments.config.clone().or_else(|| default.is_file().then_some(default));
    let file = match path {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Faults(vec![format!("{}: {error}", path.display())]))?;
            Some((path.display().to_string(), text))
        }
    };
    let mut faults = Vec::new();
    let mut flags = Vec::new();
    for setting in &arguments.settings {
        match setting.split_once('=') {
            Some((key, value)) => flags.push((key.to_owned(), value.to_owned())),
            None => faults.push(format!("--set {setting}: write KEY=VALUE")),
        }
    }
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    Ok(Sources { file, env: std::env::vars().collect(), flags })
}
