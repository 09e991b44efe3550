//! Tools against a shop with real sockets.

mod calls;
mod mcp;
mod owners;
mod prepare;
mod shop;
mod written;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use self::shop::Shop;
use super::{Caller, Customer, Prepared, Proof, Tools};
use crate::{
    config::{Config, Sources},
    domain::{PrincipalId, SiteId},
    limits::Limits,
};

/// The tools of the site `shop`, and `more` of its configuration.
fn tools(shop: &Shop, more: &str) -> Tools {
    tools_at(&shop.url, more)
}

fn tools_at(url: &str, more: &str) -> Tools {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = format!(
        "[tools]\nallowed_networks = [\"127.0.0.1\"]\nbreaker_failures = 3\ncalls_per_target = 8\n[limits]\naccount_guesses = 3\n\
         [[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_s\"\n\
         shop = {{ url = \"{url}\", key = \"the-key\" }}\n{more}"
    );
    let sources = Sources { file: Some(("test.toml".into(), file)), ..Sources::default() };
    let config = Config::load(&sources).unwrap();
    Tools::new(&config, Limits::local(&config.limits)).unwrap()
}

fn site() -> SiteId {
    SiteId::parse("shop").unwrap()
}

fn visitor() -> Caller {
    Caller {
        site: site(),
        visitor: PrincipalId::new(),
        from: None,
        customer: None,
        proof: None,
        code: false,
    }
}

fn customer(id: &str) -> Caller {
    Caller { customer: Some(Customer { id: id.into(), email: None }), ..visitor() }
}

fn guest(email: &str) -> Caller {
    Caller { proof: Some(Proof::Email(email.into())), ..visitor() }
}

fn prepared(tools: &Tools, tool: &str, arguments: Value, caller: &Caller) -> Prepared {
    let toolbox = tools.of(&site());
    toolbox.get(tool).unwrap().prepare(arguments, caller).unwrap()
}

fn order(tools: &Tools, number: &str, caller: &Caller) -> Prepared {
    prepared(tools, "order_status", json!({"order_number": number}), caller)
}

fn cancel(tools: &Tools, caller: &Caller) -> Prepared {
    prepared(tools, "cancel_order", json!({"order_number": "FJ-1"}), caller)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}
