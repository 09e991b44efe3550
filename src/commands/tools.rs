//! What an operator does with tools by hand.

use std::{ffi::OsStr, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    app::sites,
    config::{Config, Effect, Identity, Site},
    domain::{PrincipalId, SiteId},
    limits::Limits,
    tools::{CallError, Caller, Customer, Output, Proof, Refused, Tool, Tools, openapi},
};

#[derive(Subcommand)]
pub enum ToolsCommand {
    /// Lists the tools of all sites.
    List,
    /// Asks each target whether it can be reached. Sends no credentials and calls no tool.
    Check,
    /// Calls a tool that only reads, and prints what it found.
    Call(Box<Call>),
    /// Prints operations of an OpenAPI document (3.0 or 3.1, JSON) as [[sites.tools]] to review.
    ImportOpenapi {
        file: PathBuf,
        /// Its `operationId`. Can be repeated.
        #[arg(long = "operation", required = true)]
        operations: Vec<String>,
        /// Base address, in place of that of the document.
        #[arg(long)]
        server: Option<String>,
    },
}

#[derive(Args)]
pub struct Call {
    tool: String,
    /// JSON, for example '{"order_number": "FJ-10234"}'.
    #[arg(default_value = "{}")]
    arguments: String,
    #[arg(long, default_value = "demo")]
    site: String,
    /// As this customer of the shop.
    #[arg(long)]
    customer: Option<String>,
    /// As somebody who shows the e-mail address of the order.
    #[arg(long, conflicts_with = "postcode")]
    email: Option<String>,
    /// As somebody who shows the postcode of the order.
    #[arg(long)]
    postcode: Option<String>,
}

/// # Errors
/// If a target cannot be reached, a call finds nothing, or a document cannot be read.
pub async fn tools(command: &ToolsCommand, config: &Config) -> anyhow::Result<()> {
    if let ToolsCommand::ImportOpenapi { file, operations, server } = command {
        let name = || file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(name)?;
        let document: Value = serde_json::from_str(&text).with_context(|| {
            let is_yaml = matches!(file.extension().and_then(OsStr::to_str), Some("yaml" | "yml"));
            let hint = match is_yaml || text.trim_start().starts_with("openapi") {
                true => {
                    "YAML is not read: convert it first, for example with\n  python3 -c 'import json, \
                     sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)'"
                }
                false => "an OpenAPI document in JSON is needed",
            };
            format!("{} is no JSON; {hint}", name())
        })?;
        print!("{}", openapi::import(&document, operations, server.as_deref())?);
        return Ok(());
    }
    let config = Config { sites: sites(config), ..config.clone() };
    let tools = Tools::new(&config, Limits::local(&config.limits))?;
    tools.refresh().await;
    match command {
        ToolsCommand::List => list(&config.sites, &tools),
        ToolsCommand::Check => check(&config.sites, &tools).await,
        ToolsCommand::Call(call) => {
            println!("{:#}", called(call, &tools).await?);
            Ok(())
        }
        ToolsCommand::ImportOpenapi { .. } => Ok(()),
    }
}

fn list(sites: &[Site], tools: &Tools) -> anyhow::Result<()> {
    for site in sites {
        for tool in tools.of(&site.id).status() {
            let (effect, identity) = (json!(tool.effect), json!(tool.identity));
            let [effect, identity] = [&effect, &identity].map(|word| word.as_str().unwrap_or(""));
            println!("{} {} {effect} {identity} {}", site.id, tool.name, tool.target);
        }
    }
    Ok(())
}

async fn check(sites: &[Site], tools: &Tools) -> anyhow::Result<()> {
    let mut faults = 0;
    for site in sites {
        for (target, reached) in tools.reach(&site.id).await {
            match reached {
                Ok(Some(status)) => {
                    println!("{} {target} can be reached (status {})", site.id, status.as_u16());
                }
                Ok(None) => println!("{} {target} can be reached", site.id),
                Err(fault) => {
                    faults += 1;
                    println!("{} {target} {fault}", site.id);
                }
            }
        }
        let toolbox = tools.of(&site.id);
        for tool in toolbox.status() {
            if let Some(fingerprint) = tool.fingerprint {
                println!("{} {} has the fingerprint {fingerprint}", site.id, tool.name);
            }
        }
        for missing in toolbox.missing() {
            faults += 1;
            println!("{} {} is not there: {}", site.id, missing.name, missing.reason);
        }
    }
    anyhow::ensure!(faults == 0, "{faults} target(s) or tool(s) cannot be used");
    Ok(())
}

async fn called(call: &Call, tools: &Tools) -> anyhow::Result<Value> {
    let site = SiteId::parse(&call.site).context("--site is no id of a site")?;
    let toolbox = tools.of(&site);
    let tool = toolbox.get(&call.tool).with_context(|| {
        if let Some(missing) = toolbox.missing().iter().find(|missing| missing.name == call.tool) {
            return format!("`{}` is not there: {}", missing.name, missing.reason);
        }
        let names: Vec<&str> = toolbox.iter().map(|tool| tool.name.as_str()).collect();
        format!("site `{site}` has no tool `{}`; it has: {}", call.tool, names.join(", "))
    })?;
    anyhow::ensure!(
        tool.effect == Effect::Read,
        "`{}` writes, and is not called by hand",
        tool.name
    );
    let arguments = serde_json::from_str(&call.arguments).context("the arguments are no JSON")?;
    let email = call.email.clone().map(Proof::Email);
    let caller = Caller {
        site,
        visitor: PrincipalId::new(),
        from: None,
        customer: call.customer.clone().map(|id| Customer { id, email: None }),
        proof: email.or_else(|| call.postcode.clone().map(Proof::Postcode)),
        // An operator has the keys of the shop.
        code: true,
    };
    let prepared = match tool.prepare(arguments, &caller) {
        Ok(prepared) => prepared,
        Err(Refused::Schema(faults)) => {
            // A fault of the arguments as a whole has no path in front.
            let faults: Vec<&str> =
                faults.iter().map(|fault| fault.trim_start_matches(": ")).collect();
            anyhow::bail!("{}", faults.join("; "))
        }
        Err(Refused::Identity(_)) => {
            let ways = match tool.shown_by {
                Identity::Order => "--customer, or for one order --email or --postcode",
                Identity::Customer | Identity::Nobody | Identity::Code => "--customer",
            };
            anyhow::bail!("`{}` needs {ways}", tool.name)
        }
    };
    let called = tools.call(&prepared, None, Instant::now() + tool.timeout).await;
    match called.map_err(|error| failed(error, tool))? {
        Output::Found(found) => Ok(found),
        Output::NotFound => anyhow::bail!("there is none, or it is somebody else's"),
        Output::Refused { reason } => anyhow::bail!("the target refuses: {reason}"),
    }
}

/// With the status of the target's answer, if there was one.
fn failed(error: CallError, tool: &Tool) -> anyhow::Error {
    match tool.last_status() {
        Some(status) => anyhow::anyhow!("{error} (status {})", status.as_u16()),
        None => error.into(),
    }
}
